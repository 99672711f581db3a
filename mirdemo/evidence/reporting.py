"""One self-contained HTML file for a meeting: findings, charts, method, sources. No network, prints to A4.

The charts are drawn by Plotly's own script, put into the file once; everything else is text.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mirdemo.evidence import plotly_script
from mirdemo.words.language import speaker

#: What a report may weigh, so that it can be sent by mail.
MAX_BYTES = 6_000_000
TEMPLATES = Path(__file__).parent / "templates"
#: The page's charts are drawn by it, too.
FIGURES = TEMPLATES / "figures.js"


@dataclass(frozen=True)
class Section:
    """One chart of a report.

    title: the finding; figure: Plotly data and layout as JSON text; how: how it is computed;
    sources: short citations; height: pixels
    """

    title: str
    figure: str
    how: str
    sources: Sequence[str]
    height: int


@dataclass(frozen=True)
class Part:
    """Words and a table of a report.

    title: heading; says: paragraphs; columns, rows: of the table, none where there are no rows
    """

    title: str
    says: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def report(
    sections: Sequence[Section],
    *,
    words: Mapping[str, str],
    language: str,
    summary: Sequence[str],
    sources: Sequence[Mapping[str, str]] = (),
    before: Sequence[Part] = (),
    after: Sequence[Part] = (),
    made: date | None = None,
) -> str:
    """The report as HTML.

    words: the report's own words (``heading``, ``summary``, ``method``, ``sources``, ``made``, ``caution``)
    language: of the document, e.g. ``"ja"``
    summary: the sentences to say aloud, most important first
    sources: citations, each with ``authors``, ``title``, ``venue``, ``url``, ``caution``
    before, after: parts in words, before and after the charts
    made: the day on it (default: today)
    Raises ValueError if it would weigh more than ``MAX_BYTES``.
    """
    text = _template().render(
        sections=sections,
        words=words,
        language=language,
        summary=summary,
        sources=sources,
        before=before,
        after=after,
        made=(made or date.today()).isoformat(),
        plotly=_plotly(),
        undrawn=speaker(language)("report.undrawn"),
    )
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"the report weighs {len(text.encode()):,} bytes, more than {MAX_BYTES:,}")
    return text


@cache
def _template():
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html")


@cache
def _plotly() -> Markup:
    """Plotly's script, gzipped and base64, unpacked by the browser: 2.0 MB instead of 4.8."""
    return Markup(base64.b64encode(plotly_script.gzipped()).decode())
