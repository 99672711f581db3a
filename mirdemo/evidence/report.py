"""The report of a selection: its charts, the findings to say aloud, the method and the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from mirdemo.base.once import Once
from mirdemo.clips.in_question import InQuestion
from mirdemo.evidence import drawing, reporting, selection
from mirdemo.evidence.charting import LIGHT, Chart
from mirdemo.evidence.reporting import Section
from mirdemo.evidence.selection import Selection
from mirdemo.evidence.wording import corpus_title, on_paper
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.words.language import DEFAULT, LANGUAGES, Speaker, choose, speaker

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

WORDS = ("heading", "summary", "made", "caution", "method", "sources")
#: the charts whose findings are said aloud in a meeting
SAID = ("overview", "gaps", "rarity")


def evidence_report(chosen: Selection, language: str, own: Results | None = None) -> str:
    """The report as HTML; only the charts that have something to draw.

    own: a visitor's records, laid over them; in a report only when that visitor asks for it
    """
    t = speaker(language)
    view = drawing.view(chosen, language) if own is None else drawing.view_with(own, chosen, language)
    drawn = [(name, chart) for name, chart in view.charts if chart.json is not None]
    used = {source for _, chart in drawn for source in chart.sources}
    caution = "caution" if t.language == DEFAULT else f"caution_{t.language}"
    return reporting.report(
        [_section(chart, t) for _, chart in drawn],
        words={word: t(f"report.{word}") for word in WORDS},
        language=t.language,
        summary=[*(_said(chart, t) for name, chart in drawn if name in SAID), *_in_question(chosen, own, t)],
        sources=[c | {"caution": c[caution]} for c in results.citations().values() if c["short"] in used],
    )


#: The report that a class or a meeting downloads forty times, made once.
_everybodys: Once[tuple[Selection, str], str] = Once(8)


def _in_question(chosen: Selection, own: Results | None, t: Speaker) -> list[str]:
    """Of which corpora clips count as one recording until somebody says whether they are, a sentence each."""
    records = [*selection.shown(selection.base(), chosen)]
    records += [] if own is None else [*selection.shown_of_visitor(own, chosen)]
    found = {(record.corpus, InQuestion.of_setting(record.setting)): None for record in records}
    return [
        t("report.in_question", corpus=_whose(corpus, t), sentence=one.sentence)
        for corpus, one in found
        if one is not None
    ]


def _whose(corpus: str, t: Speaker) -> str:
    return t("evidence.yours.corpus") if corpus == selection.YOURS else Markup(corpus_title(corpus, t))


def _said(chart: Chart, t: Speaker) -> str:
    """A finding with the figures behind it."""
    return t("report.said", finding=chart.title, detail=chart.detail) if chart.detail else chart.title


def _section(chart: Chart, t: Speaker) -> Section:
    figure = chart.json or ""
    for stand_in, colour in LIGHT.items():
        figure = figure.replace(stand_in, colour)
    return Section(_said(chart, t), figure, chart.how, on_paper(chart.sources, t), chart.height)


def report_route() -> Route:
    """``evidence/report.html``, filtered by the same query as the page, in the language ``language``."""
    from starlette.routing import Route

    return Route("/evidence/report.html", answer_report, methods=["GET"])


def answer_report(request: Request, own: Results | None = None) -> Response:
    """The report as a file, of the selection and in the language that the query names."""
    from starlette.responses import Response

    query = request.query_params
    language = query.get("language")
    if language not in LANGUAGES:
        language = choose(request.headers.get("accept-language"))
    chosen = drawing.selected(query)
    if own is not None:
        report = evidence_report(chosen, language, own)
    else:
        report = _everybodys.get((chosen, language), lambda: evidence_report(chosen, language))
    return Response(
        report,
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="mirdemo-report.html"'},
    )
