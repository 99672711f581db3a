"""The first tab: the bias dashboard. Filters above, one chart a question below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from mirdemo.corpora.facts import CORPORA
from mirdemo.web.evidence import drawing, selection
from mirdemo.web.evidence.download import download_routes
from mirdemo.web.evidence.report import report_route
from mirdemo.web.evidence.selection import Selection
from mirdemo.web.language import Speaker
from mirdemo.web.session import Visitor
from mirdemo.web.tab import Tab
from mirdemo.web.wire import Act, Wire

METHODS = ("probe", "trained_from_scratch", "transfer", "fewshot")


@dataclass
class EvidenceDesk:
    """What this visitor has chosen to see."""

    chosen: Selection = field(default_factory=Selection)


@dataclass(frozen=True)
class Filter:
    """One filter as the template draws it: its name, what is chosen, and (value, words) to choose from."""

    name: str
    value: str
    options: tuple[tuple[str, str], ...]


def filters(chosen: Selection, t: Speaker) -> dict[str, Filter]:
    """The filters with their present values."""
    everything = ("", str(t("evidence.filter.all")))
    many = {
        "methods": ("method", [(m, str(t("evidence.method." + m))) for m in METHODS]),
        "models": ("model", [(m, m) for m in drawing.models()]),
        "corpora": ("corpus", [(c.name, c.title) for c in CORPORA.values()]),
        "sources": ("source", [(s, str(t("evidence.source." + s))) for s in ("published", "measured")]),
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
        options = tuple((a, str(t(f"evidence.filter.{name}.{a}"))) for a in allowed)
        found[name] = Filter(name, getattr(chosen, name), options)
    return found


def _context(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    chosen = visitor.desk(EvidenceDesk).chosen
    shown = drawing.view(chosen, t.language)
    offered = filters(chosen, t)
    return {
        "charts": shown.charts,
        "n": shown.n_figures,
        "query": urlencode(chosen.to_query()),
        "changed": chosen != Selection(),
        "first": [(name, offered[name]) for name in ("metric", "method", "model", "corpus")],
        "more": [(name, offered[name]) for name in ("source", "licence", "size")],
        "more_open": bool(chosen.sources) or chosen.licence != "any" or chosen.size != "any",
    }


def _choose(visitor: Visitor, act: Act) -> None:
    desk = visitor.desk(EvidenceDesk)
    offered = {f.name: f for f in filters(desk.chosen, visitor.speaker).values()}
    changed = offered[act.one_of("filter", offered)]
    value = act.one_of("value", [option for option, _ in changed.options])
    plural = isinstance(getattr(desk.chosen, changed.name), tuple)
    desk.chosen = replace(desk.chosen, **{changed.name: ((value,) if value else ()) if plural else value})


def _reset(visitor: Visitor, act: Act) -> None:
    visitor.desk(EvidenceDesk).chosen = Selection()


def _arrive(visitor: Visitor, query: Mapping[str, str]) -> None:
    """Begin with the selection that the address names."""
    visitor.desk(EvidenceDesk).chosen = drawing.selected(query)


def build(wire: Wire) -> None:
    wire.view("evidence", _context)
    wire.on("evidence.choose", _choose)
    wire.on("evidence.reset", _reset)
    wire.on_arrival(_arrive)


def _routes() -> list:
    return [*download_routes(), report_route()]


TAB = Tab("evidence", build, routes=_routes)
