"""The first tab: the bias dashboard. Filters above, one chart a question below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence import drawing, selection
from mirdemo.evidence.download import download_routes
from mirdemo.evidence.opened import most_lines, opened, worst_first
from mirdemo.evidence.rarity import per_tag
from mirdemo.evidence.report import report_route
from mirdemo.evidence.selection import Selection
from mirdemo.evidence.tags import FAMILIES
from mirdemo.evidence.wording import corpus_title, model_title
from mirdemo.results.records import citations
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.own_files import place
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.views import Context
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.evidence import endpoint
from mirdemo.web.tabs.evidence.own_routes import own_routes
from mirdemo.web.tabs.evidence.yours import Reports
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.finetune.desk import FineTuneDesk
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from starlette.routing import Route

FILTERS = ("metric", "method", "model", "corpus", "source", "licence", "size")
METHODS = ("probe", "finetune", "trained_from_scratch", "transfer", "fewshot")


@dataclass
class EvidenceDesk:
    """What this visitor has chosen to see.

    laid_over: whether their own results are drawn beside the others; listed: whether the tags are listed
    reports: what they had measured when last looked at, with the records made of it
    drawn: the last view with their results, and of what it was drawn, for a view is asked for after every act
    """

    chosen: Selection = field(default_factory=Selection)
    laid_over: bool = True
    listed: bool = False
    reports: Reports = field(default_factory=Reports)
    drawn: tuple[tuple, drawing.View] | None = None


@dataclass(frozen=True)
class Filter:
    """One filter as the template draws it: its name, what is chosen, and (value, words) to choose from."""

    name: str
    value: str
    options: tuple[tuple[str, str], ...]


def filters(chosen: Selection, t: Speaker, *, own: bool = False) -> dict[str, Filter]:
    """The filters with their present values. own: whether there are results of the visitor's to choose"""
    everything = ("", str(t("evidence.filter.all")))
    sources = ("published", "measured", *(["yours"] if own else []))
    yours = [(selection.YOURS, str(t("evidence.yours.corpus")))] if own else []
    many: dict[str, tuple[str, list[tuple[str, str]]]] = {
        "methods": ("method", [(m, str(t("evidence.method." + m))) for m in METHODS]),
        "models": ("model", [(m, Markup(model_title(m, t))) for m in drawing.models()]),
        "corpora": (
            "corpus",
            [*((c.name, Markup(corpus_title(c.name, t))) for c in catalogue().values()), *yours],
        ),
        "sources": ("source", [(s, str(t("evidence.source." + s))) for s in sources]),
    }
    found = {
        "metric": Filter(
            "metric", chosen.metric, tuple((m, str(t("evidence.metric." + m))) for m in selection.METRICS)
        )
    }
    for name, (label, options) in many.items():
        value = getattr(chosen, name)
        found[label] = Filter(name, value[0] if value else "", (everything, *options))
    for name, allowed in (("licence", selection.LICENCES), ("size", selection.SIZES)):
        offered = tuple((a, str(t(f"evidence.filter.{name}.{a}"))) for a in allowed)
        found[name] = Filter(name, getattr(chosen, name), offered)
    families = tuple((f, str(t("evidence.family." + f))) for f in FAMILIES)
    found["family"] = Filter("family", chosen.family, (everything, *families))
    return found


def reports_of(visitor: Visitor) -> Reports:
    """What the visitor has measured so far, as their other tabs hold it."""
    probed, few, clips = visitor.desk(ProbeDesk).result, visitor.desk(FewShotDesk), visitor.clips
    tuned = visitor.desk(FineTuneDesk).result
    now = Reports(
        asked=None if probed is None else probed.asked,
        probed=() if probed is None else probed.runs,
        fine_tuned=tuned,
        built=few.built,
        curve=few.curve,
        in_question=(
            None if probed is None else probed.asked.still_in_question(clips),
            None if tuned is None else tuned.asked.still_in_question(clips),
            None if few.built is None else Asked.of(few.built.clips).still_in_question(clips),
        ),
    )
    desk = visitor.desk(EvidenceDesk)
    if desk.reports != now:
        desk.reports = now
    return desk.reports


def _shown(visitor: Visitor, t: Speaker) -> drawing.View:
    """The charts, with the visitor's own results where there are any and they want to see them."""
    desk, reports = visitor.desk(EvidenceDesk), reports_of(visitor)
    if not (desk.laid_over and reports.records):
        desk.drawn = None
        return drawing.view(desk.chosen, t.language)
    state = (replace(desk.chosen, tag=""), t.language, reports)
    if desk.drawn is None or desk.drawn[0] != state:
        desk.drawn = (state, drawing.view_with(reports.records, desk.chosen, t.language))
    return desk.drawn[1]


def _everybodys(visitor: Visitor, t: Speaker) -> drawing.View | None:
    """The view that the charts are of, where it is the same for all who chose the same; None where this visitor's own
    results are laid over it."""
    view = _shown(visitor, t)
    return view if visitor.desk(EvidenceDesk).drawn is None else None


def _head(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    """What this is and how to begin, for whoever has no clips yet; and the address."""
    return {
        "query": urlencode(visitor.desk(EvidenceDesk).chosen.to_query()),
        "new": not len(visitor.clips),
    }


def _choosing(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    """The filters and the downloads."""
    desk = visitor.desk(EvidenceDesk)
    chosen, own = desk.chosen, bool(reports_of(visitor).records)
    offered = filters(chosen, t, own=own)
    return {
        "n": _shown(visitor, t).n_figures,
        "first": dict(_shown(visitor, t).charts)["overview"],
        "query": urlencode(chosen.to_query()),
        "changed": chosen != Selection(),
        "filters": [(name, offered[name]) for name in FILTERS],
        "own": own,
        "laid_over": desk.laid_over,
        "place": place("evidence", visitor) if own and desk.laid_over else "evidence",
        "own_place": place("evidence", visitor),
    }


def _charts(*names: str) -> Context:
    """A view of these charts, in this order."""

    def context(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        charts = dict(_shown(visitor, t).charts)
        return {"charts": [(name, charts[name]) for name in names]}

    return context


def _tags(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    """The per-tag chart, the tag opened in it, and its tags as a list where that is wanted."""
    desk = visitor.desk(EvidenceDesk)
    chosen = desk.chosen
    found: dict[str, Any] = {"opened": None, "worst": None}
    if chosen.tag:
        found["opened"] = opened(selection.base(), chosen.tag, citations(), t)
    if desk.listed:
        found["worst"] = worst_first(per_tag(selection.choose(selection.base(), chosen)), t)
    return {
        **found,
        "chart": dict(_shown(visitor, t).charts)["rarity"],
        "family": filters(chosen, t)["family"],
        "key": chosen.tag,
        "lines": _lines(),
    }


@lru_cache(maxsize=1)
def _lines() -> int:
    """Room is made for as many lines before a tag is opened; found out once, as it is much the same for all of them."""
    return most_lines(selection.base())


def _choose(visitor: Visitor, act: Act) -> None:
    desk = visitor.desk(EvidenceDesk)
    own = bool(reports_of(visitor).records)
    offered = {f.name: f for f in filters(desk.chosen, visitor.speaker, own=own).values()}
    changed = offered[act.one_of("filter", offered)]
    value = act.one_of("value", [option for option, _ in changed.options])
    plural = isinstance(getattr(desk.chosen, changed.name), tuple)
    picked: Any = ((value,) if value else ()) if plural else value
    desk.chosen = replace(desk.chosen, **{changed.name: picked})


def _reset(visitor: Visitor, act: Act) -> None:
    visitor.desk(EvidenceDesk).chosen = Selection()


def _open_tag(visitor: Visitor, act: Act) -> None:
    """Open a tag, from its dot or from the list; an empty one closes what is open."""
    key = act.text("value")
    if key and not selection.is_tag(key):
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    desk = visitor.desk(EvidenceDesk)
    desk.chosen = replace(desk.chosen, tag=key)


def _list_tags(visitor: Visitor, act: Act) -> None:
    desk = visitor.desk(EvidenceDesk)
    desk.listed = not desk.listed


def _lay_over(visitor: Visitor, act: Act) -> None:
    visitor.desk(EvidenceDesk).laid_over = act.flag("value")


def _arrive(visitor: Visitor, query: Mapping[str, str]) -> None:
    """Begin with the selection that the address names."""
    visitor.desk(EvidenceDesk).chosen = drawing.selected(query)


def build(wire: Wire) -> None:
    """The tab's views from top to bottom, what can be done in it, and the endpoint."""
    wire.view("evidence", _head)
    wire.view("evidence-first", _charts("overview"), template="evidence-charts", of=_everybodys)
    wire.view("evidence-filters", _choosing)
    wire.view(
        "evidence-next",
        _charts("unheard", "controlled", "gaps", "normalised"),
        template="evidence-charts",
        of=lambda visitor, t: drawing.view(visitor.desk(EvidenceDesk).chosen, t.language),  # nobody's own
    )
    wire.view("evidence-tags", _tags)
    wire.view(
        "evidence-more",
        _charts("within", "fewshot", "transfer", "cost", "maeb", "mtat"),
        template="evidence-charts",
        of=_everybodys,
    )
    for name, handler in (
        *(("choose", _choose), ("reset", _reset), ("tag", _open_tag)),
        *(("list", _list_tags), ("lay_over", _lay_over)),
    ):
        wire.on(f"evidence.{name}", handler)
    wire.on_arrival(_arrive)
    endpoint.build(wire.jobs)


def _routes() -> list[Route]:
    return [*download_routes(), report_route()]


def download_routes_of(visitors: Visitors) -> list[Route]:
    """Where each visitor finds the downloads with their own results in them."""
    return own_routes(visitors, lambda visitor: reports_of(visitor).records)


TAB = Tab("evidence", build, routes=_routes)
