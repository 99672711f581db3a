"""All charts of one selection in one language, drawn once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mirdemo import results
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Results
from mirdemo.web.charting import Chart
from mirdemo.web.evidence import charts, selection
from mirdemo.web.evidence.selection import Selection
from mirdemo.web.language import speaker


@dataclass(frozen=True)
class View:
    """What the evidence tab shows: named charts in order, and how many figures stand behind them."""

    charts: tuple[tuple[str, Chart], ...]
    n_figures: int


@lru_cache(maxsize=128)
def view(chosen: Selection, language: str) -> View:
    """The charts of a selection, each computed from its records only."""
    return draw(selection.base(), chosen, language)


def draw(all_results: Results, chosen: Selection, language: str) -> View:
    """The same, from any results (a visitor's own among them)."""
    t = speaker(language)
    cited = results.citations()
    records = selection.choose(all_results, chosen)
    corpora = tuple(c for c in CORPORA if not chosen.corpora or c in chosen.corpora)
    found = charts.disparities(records, chosen.metric, known=all_results, corpora=corpora)
    return View(
        (
            (
                "overview",
                charts.overview(found, chosen.metric, corpora, cited, t, unavailable=chosen == Selection()),
            ),
            ("gaps", charts.gaps(found, cited, t)),
            ("normalised", charts.normalised(found, corpora, cited, t)),
            ("rarity", charts.rarity(records, cited, t)),
            ("transfer", charts.transfer(records, chosen.metric, cited, t)),
            ("fewshot", charts.few_shot(records, cited, t)),
        ),
        len(records),
    )
