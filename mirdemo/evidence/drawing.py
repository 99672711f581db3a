"""All charts of one selection in one language, drawn once and kept.

The view that everybody sees first is drawn in advance (``assets/evidence``, made by ``training/draw_evidence.py``),
so that the first page does not need the records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from mirdemo.base.assets import ASSETS
from mirdemo.base.once import Once
from mirdemo.corpora.frames import STUDY
from mirdemo.evidence import selection
from mirdemo.evidence.charting import Chart, HeatTable
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.results.records import Result, Results
from mirdemo.words.language import DEFAULT, speaker

if TYPE_CHECKING:
    from mirdemo.evidence.overview import Row
    from mirdemo.results.bias import Disparity

SHIPPED = ASSETS / "evidence"
#: Views kept, of about 300 kB each: drawing one takes a second of a core.
MOST_VIEWS = 128


@dataclass(frozen=True, eq=False)
class View:
    """What the evidence tab shows: named charts in order, how many figures stand behind them, and the models
    there are to choose from. The same object for the same selection and language, as long as it is kept."""

    charts: tuple[tuple[str, Chart], ...]
    n_figures: int
    models: tuple[str, ...]


def view(chosen: Selection, language: str) -> View:
    """The charts of a selection, each computed from its records only."""
    chosen = replace(chosen, tag="")  # an opened tag changes no chart
    if chosen == Selection() and not results.own_file().exists():
        return shipped(language)
    return _drawn.get(
        (chosen, language), lambda: draw(selection.base(), chosen, language, ground=_known_ground(chosen))
    )


def view_with(own: Results, chosen: Selection, language: str) -> View:
    """The same with a visitor's own figures laid over. Never kept here: what is here, every visitor is shown."""
    ground = _known_ground(replace(chosen, tag=""))
    return draw(selection.base(), chosen, language, own=own, ground=ground, rest=view(chosen, language))


def get_ready() -> None:
    """Compute once what the first filter chosen would wait for: the shipped view needs nothing of what every other is made with."""
    view(Selection(metric=selection.METRICS[1]), DEFAULT)


def _known_ground(chosen: Selection) -> Ground:
    return _grounds.get(chosen, lambda: _ground(selection.base(), chosen))


def forget() -> None:
    """Read and draw everything anew from now on: the results have changed."""
    selection.base.cache_clear()
    _drawn.clear()
    _grounds.clear()


def models() -> tuple[str, ...]:
    """The models there are to choose from: every one with a figure over all tags."""
    return view(Selection(), DEFAULT).models


def selected(query: Mapping[str, str]) -> Selection:
    """The selection that an address names."""
    return Selection.from_query(query, models())


def to_select() -> dict[str, Collection[str]]:
    """What an address, or the report's options, may name."""
    return {"metric": selection.METRICS, **selection.known(models())}


@cache
def shipped(language: str) -> View:
    """The first view, as drawn in advance."""
    plain = json.loads((SHIPPED / f"{language}.json").read_text(encoding="utf-8"))
    charts = tuple((name, _chart(c)) for name, c in plain["charts"])
    return View(charts, plain["n_figures"], tuple(plain["models"]))


def _chart(plain: dict[str, Any]) -> Chart:
    table = plain["table"] and HeatTable.of_plain(plain["table"])
    return Chart(**{**plain, "sources": tuple(plain["sources"]), "table": table})


def as_shipped(view: View) -> str:
    """The text of a shipped view."""
    plain = {
        "n_figures": view.n_figures,
        "models": view.models,
        "charts": [(name, asdict(chart)) for name, chart in view.charts],
    }
    return json.dumps(plain, ensure_ascii=False)


def _to_choose(record: Result) -> bool:
    """Whether a model is offered for having this figure: of protocols that stand apart only those that are known here,
    for they measured dozens of models of speech."""
    return not record.apart or record.model in selection.facts()


_drawn: Once[tuple[Selection, str], View] = Once(MOST_VIEWS)


#: What a visitor's own figures are laid over; the other charts are everybody's.
WITH_OWN = ("overview", "fewshot", "cost")


@dataclass(frozen=True, eq=False)
class Ground:
    """What the charts of a selection are drawn from, whatever the language.

    records: those that the selection leaves; whole: without those of part of a corpus (``Result.partial``), which only the
        overview draws, marked
    corpora: its columns; rows, found: of the overview, and their disparities
    models: that there are to choose from
    """

    records: Results
    whole: Results
    corpora: tuple[str, ...]
    rows: Sequence[Row]
    found: Sequence[Disparity]
    models: tuple[str, ...]


def _ground(all_results: Results, chosen: Selection) -> Ground:
    from mirdemo.evidence.overview import disparities, rows_of
    from mirdemo.results import bias

    records = selection.shown(all_results, chosen)
    corpora = selection.corpora_of(records, chosen)
    rows = rows_of(records, chosen.metric, corpora=corpora)
    best = bias.best_known(all_results, chosen.metric)
    return Ground(
        records,
        Results(tuple(r for r in records if not r.partial)),
        corpora,
        rows,
        disparities(rows, best=best, frame=STUDY.only(corpora)),
        tuple(sorted({r.model for r in all_results if r.tag is None and _to_choose(r)})),
    )


#: Of the shipped results, without an opened tag.
_grounds: Once[Selection, Ground] = Once(MOST_VIEWS)


def draw(
    all_results: Results,
    chosen: Selection,
    language: str,
    *,
    own: Results | None = None,
    ground: Ground | None = None,
    rest: View | None = None,
) -> View:
    """The view of a selection of any results.

    own: a visitor's records, laid over the others and part of no finding
    ground: of the same results and selection, where it is known
    rest: the same view without them, of which all but ``WITH_OWN`` is taken over; None: everything is drawn
    """
    from mirdemo.evidence import laid_over
    from mirdemo.evidence.apart import maeb, magnatagatune
    from mirdemo.evidence.controlled import controlled
    from mirdemo.evidence.cost import cost
    from mirdemo.evidence.few_shot import few_shot
    from mirdemo.evidence.gaps import gaps, normalised
    from mirdemo.evidence.indian_tags import within
    from mirdemo.evidence.overview import overview
    from mirdemo.evidence.rarity import per_tag, rarity
    from mirdemo.evidence.transfer import transfer
    from mirdemo.evidence.unheard import unheard

    t, metric = speaker(language), chosen.metric
    cited = results.citations()
    ground = ground or _ground(all_results, chosen)
    whole, corpora, rows, found = ground.whole, ground.corpora, ground.rows, ground.found
    mine = selection.shown_of_visitor(own, chosen) if own is not None else ()
    overall = laid_over.over_tags(mine, metric)
    blank = replace(chosen, tag="", family="") == Selection()
    charts: dict[str, Callable[[], Chart]] = {
        "overview": lambda: overview(rows, found, metric, corpora, cited, t, unavailable=blank, own=overall),
        "unheard": lambda: unheard(metric, t),
        "controlled": lambda: controlled(whole, metric, cited, t),
        "gaps": lambda: gaps(found, cited, t),
        "normalised": lambda: normalised(found, tuple(STUDY.only(corpora).traditions), cited, t),
        "rarity": lambda: rarity(per_tag(whole), chosen.family, cited, t),
        "fewshot": lambda: few_shot(whole, cited, t, own=laid_over.curve_points(mine)),
        "transfer": lambda: transfer(whole, metric, cited, t),
        "cost": lambda: cost(whole, metric, cited, t, own=[r for r in overall if r.method != "fewshot"]),
        "within": lambda: within(whole, cited, t),
        "maeb": lambda: maeb(whole, cited, t),
        "mtat": lambda: magnatagatune(whole, cited, t),
    }
    known = {} if rest is None else {name: one for name, one in rest.charts if name not in WITH_OWN}
    return View(
        tuple((name, known[name] if name in known else make()) for name, make in charts.items()),
        len(ground.records) + len(mine),
        ground.models,
    )
