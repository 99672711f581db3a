"""A plan: the evidence, what is assumed, and what follows. As JSON it holds the first two, and is worked out anew when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.clips.in_question import InQuestion
from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.errors import PlanError
from mirdemo.planning.futures import Futures
from mirdemo.planning.gates import Gate, NotRun, gates, not_run
from mirdemo.planning.panel.listeners import Listeners
from mirdemo.planning.rule import BY_HAND, Action, Advice, TagSaving, decide, stopped
from mirdemo.planning.switching import Switch, Turn, switching_values
from mirdemo.planning.ways import KINDS, STAGES, Evidence, Growth, Heard, Way
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import SCALE
from mirdemo.stages.side_by_side import Cell

FORMAT = "mirdemo-plan-1"
#: Numbers that a plan's file may hold; more is no plan of ours.
MOST_NUMBERS = 2_000_000


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do, for one set of evidence and assumptions. Everything else follows from these two.

    listeners: who listened, if a panel did
    """

    evidence: Evidence
    assumptions: Assumptions
    listeners: Listeners | None = None

    @cached_property
    def futures(self) -> Futures | None:
        return Futures.of(self.evidence) if stopped(self.evidence) is None else None

    @cached_property
    def advice(self) -> Advice:
        return decide(self.evidence, self.futures, self.assumptions)

    @cached_property
    def switches(self) -> tuple[Switch, ...]:
        """Switching values, the nearest first; none where nothing is advised."""
        if self.futures is None:
            return ()
        return switching_values(self.evidence, self.futures, self.assumptions, self.advice)

    @cached_property
    def gates(self) -> tuple[Gate, Gate, Gate]:
        return gates(self.evidence, self.futures, self.advice)

    @cached_property
    def not_run(self) -> tuple[NotRun, ...]:
        return not_run(self.evidence, self.futures, self.advice, self.assumptions)

    @cached_property
    def tags(self) -> tuple[TagSaving, ...]:
        """What each tag saves by the way that is used or would be, the most first; none where nothing is advised."""
        advice = self.advice
        if self.futures is None or advice.using is None:
            return ()
        action = advice.actions[advice.using]
        assert action.way is not None  # what is used is a way
        way, minutes = self.evidence.ways[action.way], self.futures.tag_minutes(action.way, self.assumptions)
        given = way.said.sum(0) > 0
        found = [
            TagSaving(
                minutes[:, i],
                tag,
                self.evidence.having[i],
                bool(given[i]),
                advice.kind != BY_HAND and (action.tags is None or i in action.tags),
            )
            for i, tag in enumerate(self.evidence.tags)
        ]
        return tuple(sorted(found, key=lambda one: -one.expected))

    def left_to_hands(self, action: Action) -> list[str]:
        """The tags that an action leaves to hands."""
        kept = range(len(self.evidence.tags)) if action.tags is None else action.tags
        return [tag for i, tag in enumerate(self.evidence.tags) if i not in kept]

    def assuming(self, **changed: Any) -> Plan:
        """The same evidence under other assumptions; the futures are kept. Raises PlanError."""
        other = Plan(self.evidence, Assumptions.of({**self.assumptions.as_dict(), **changed}), self.listeners)
        return other._with_futures_of(self)

    def heard_by(self, listeners: Listeners | None) -> Plan:
        """The same with who listened; seconds that were measured take the place of those assumed."""
        measured = {} if listeners is None else listeners.measured()
        return self.assuming(**measured).carrying(listeners)

    def carrying(self, listeners: Listeners | None) -> Plan:
        """The same with who listened, its assumptions untouched."""
        return replace(self, listeners=listeners)._with_futures_of(self)

    def _with_futures_of(self, other: Plan) -> Plan:
        if "futures" in other.__dict__:
            self.__dict__["futures"] = other.futures
        return self

    def tags_to_label(self, most: int = 3) -> tuple[str, ...]:
        """The tags whose recordings would teach most: the learning curve's own choice where it made one, else those
        with the most mistakes for the recordings there are."""
        growth = self.evidence.growth
        if growth is not None and growth.first:
            return growth.first[:most]
        if self.advice.using is None:
            return ()
        way = self.evidence.ways[self.advice.actions[self.advice.using].way]
        mistakes = (way.wrong + way.missed).mean(0) / np.maximum(self.evidence.having, 1)
        order = np.argsort(-mistakes, kind="stable")
        return tuple(self.evidence.tags[i] for i in order[:most] if mistakes[i] > 0)

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it. No name of a clip or recording is in it."""
        evidence = self.evidence
        return {
            "format": FORMAT,
            "assumptions": self.assumptions.as_dict(),
            "evidence": {
                "tags": list(evidence.tags),
                "having": list(evidence.having),
                "lacking": list(evidence.lacking),
                "n_clips": evidence.n_clips,
                "ways": [_way(way) for way in evidence.ways],
                "heard": None if evidence.heard is None else asdict(evidence.heard),
                "growth": None if evidence.growth is None else asdict(evidence.growth),
                "seconds": dict(evidence.seconds),
                **({"sessions": list(evidence.sessions)} if evidence.sessions else {}),
                **({"in_question": evidence.in_question.as_dict()} if evidence.in_question else {}),
            },
            "listeners": None if self.listeners is None else self.listeners.as_dict(),
        }

    def found(self) -> dict[str, Any]:
        """What follows, as JSON takes it: actions with their figures, switching values, labels, certainty."""
        advice, labels = self.advice, self.advice.labels
        return {
            "advice": advice.kind,
            "word": advice.word,
            "action": advice.action,
            "actions": [
                {
                    "kind": action.kind,
                    "way": None if action.way is None else self.evidence.ways[action.way].key,
                    "more": action.more,
                    "saved": action.expected,
                    "nine_in_ten": list(action.nine_in_ten),
                    "saves": action.saves,
                    "best": action.best,
                    "once_minutes": action.once_minutes,
                    "once_money": action.once_money,
                    "left_to_hands": [] if action.way is None else self.left_to_hands(action),
                }
                for action in advice.actions
            ],
            "tags": [
                {
                    "tag": one.tag,
                    "expected": one.expected,
                    "nine_in_ten": list(one.nine_in_ten),
                    "saves": one.saves,
                    "having": one.having,
                    "by_machine": one.by_machine,
                }
                for one in self.tags
            ],
            "certainty": advice.certainty,
            "labels": None
            if labels is None
            else {"more": labels.best, "reach": labels.reach, "first": list(self.tags_to_label())},
            "switches": [self._switch(switch) for switch in self.switches],
        }

    def _switch(self, switch: Switch) -> dict[str, Any]:
        def turned(turn: Turn | None) -> dict[str, Any] | None:
            if turn is None:
                return None
            way = None if turn.way is None else self.evidence.ways[turn.way].key
            return {"advice": turn.kind, "word": turn.word, "way": way}

        return asdict(switch) | {"below": turned(switch.below), "above": turned(switch.above)}

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Raises PlanError for what is no plan, is of another version, or was edited into something impossible."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            raise _no_plan() from None
        return cls.from_dict(plain)

    @classmethod
    def from_dict(cls, plain: Any) -> Plan:
        """As ``from_json``, of what JSON holds."""
        if not isinstance(plain, Mapping) or not isinstance(plain.get("format"), str):
            raise _no_plan()
        if plain["format"] != FORMAT:
            raise PlanError(
                "This plan was saved by another version ({version}). Save it again from the page.",
                code="planning.version",
                version=plain["format"][:40],
            )
        try:
            found = plain["evidence"]
            tags = tuple(_text(tag) for tag in found["tags"])
            evidence = Evidence(
                tags=tags,
                having=tuple(_count(n) for n in found["having"]),
                lacking=tuple(_count(n) for n in found["lacking"]),
                n_clips=_count(found["n_clips"]),
                ways=tuple(_read_way(way, len(tags)) for way in found["ways"]),
                heard=None if found["heard"] is None else Heard(**_counts(found["heard"])),
                growth=None if found["growth"] is None else _read_growth(found["growth"]),
                seconds={
                    stage: _positive(found["seconds"][stage]) for stage in STAGES if stage in found["seconds"]
                },
                sessions=tuple(_count(n) for n in found.get("sessions", ())),
                in_question=InQuestion.from_dict(found.get("in_question")),
            )
            if not len(tags) == len(evidence.having) == len(evidence.lacking):
                raise _no_plan()
            assumptions = Assumptions.of(plain["assumptions"])
            heard = plain.get("listeners")
            listeners = None if heard is None else Listeners.from_dict(heard)
        except PlanError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise _no_plan() from None
        return cls(evidence, assumptions, listeners)


def _no_plan() -> PlanError:
    return PlanError(
        "This file is no plan of mirdemo, or it was changed by hand. Save the plan again from the page.",
        code="planning.no_plan",
    )


def _way(way: Way) -> dict[str, Any]:
    counts = {name: np.round(getattr(way, name), 6).tolist() for name in ("right", "wrong", "missed")}
    sick = None if way.sick is None else asdict(way.sick)
    return {
        "kind": way.kind,
        "backbone": way.backbone,
        "machine_seconds": way.machine_seconds,
        "sick": sick,
        "learned_from": way.learned_from,
        "words": [None if one is None else asdict(one) for one in way.words],
        **counts,
    }


def _read_way(plain: Mapping[str, Any], n_tags: int) -> Way:
    if plain["kind"] not in KINDS:
        raise _no_plan()
    counts = []
    for name in ("right", "wrong", "missed"):
        table = np.array(plain[name], np.float64)
        if table.ndim != 2 or table.shape[1] != n_tags or not len(table) or table.size > MOST_NUMBERS:
            raise _no_plan()
        counts.append(table)
    whole = np.stack(counts)
    if not np.isfinite(whole).all() or whole.min() < 0 or whole.sum(0).max() > 1 + 1e-4:
        raise _no_plan()
    sick = None if plain["sick"] is None else _sentence(plain["sick"])
    right, wrong, missed = counts
    learned_from = _positive(plain.get("learned_from", 1.0))  # plans of before 30 November 2026 do not say
    if not 0 < learned_from <= 1:
        raise _no_plan()
    words = tuple(None if one is None else _read_word(one) for one in plain.get("words", ()))
    if len(words) not in (0, n_tags):
        raise _no_plan()
    return Way(
        plain["kind"],
        _text(plain["backbone"]),
        right,
        wrong,
        missed,
        _positive(plain["machine_seconds"]),
        sick,
        learned_from,
        words,
    )


def _read_word(plain: Mapping[str, Any]) -> Cell:
    figure, off = plain["roc_auc"], plain["threshold_off"]
    ends = [None if figure[name] is None else _positive(figure[name]) for name in ("value", "low", "high")]
    known = plain["word"] in SCALE and isinstance(off, bool) and figure["unit"] in ("recordings", "sessions")
    if not known or any(end is not None and end > 1 for end in ends):
        raise _no_plan()
    value, low, high = ends
    auc = Interval(value, low, high, _count(figure["n"]), _positive(figure["level"]), unit=figure["unit"])
    return Cell(plain["word"], auc, off)


def _read_growth(plain: Mapping[str, Any]) -> Growth:
    def numbers(name: str) -> tuple[float | None, ...]:
        return tuple(None if value is None else _positive(value) for value in plain[name])

    points: dict[str, Any] = {name: numbers(name) for name in ("recordings", "f1", "low", "high")}
    law: dict[str, Any] = {name: plain[name] for name in ("ceiling", "slope", "exponent")}
    known = all(value is not None for value in law.values())
    if len({len(values) for values in points.values()}) > 1 or None in points["recordings"] + points["f1"]:
        raise _no_plan()
    return Growth(
        **points,
        **({name: _positive(value) for name, value in law.items()} if known else dict.fromkeys(law)),
        spread=_positive(plain["spread"]),
        reach=min(_positive(plain["reach"]), 1e6),
        refusal=None if plain["refusal"] is None else _sentence(plain["refusal"]),
        first=tuple(_text(tag) for tag in plain["first"]),
    )


def _sentence(plain: Mapping[str, Any]) -> Sentence:
    values = {
        str(name): value for name, value in plain["values"].items() if isinstance(value, (str, int, float))
    }
    sentence = Sentence(_text(plain["template"]), _text(plain["code"]), values)
    try:
        str(sentence)
    except (KeyError, IndexError, ValueError, AttributeError):
        raise _no_plan() from None
    return sentence


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 2000:
        raise _no_plan()
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**9:
        raise _no_plan()
    return value


def _counts(plain: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): _count(value) for name, value in plain.items()}


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        raise _no_plan()
    return float(value)


def make_plan(evidence: Evidence, assumptions: Assumptions | None = None, **assumed: Any) -> Plan:
    """A plan from evidence. assumed: single assumptions by name, over ``assumptions`` or the defaults.

    Raises PlanError for impossible ones.
    """
    begun = assumptions or Assumptions()
    return Plan(evidence, Assumptions.of({**begun.as_dict(), **assumed}) if assumed else begun)


__all__ = ["FORMAT", "Plan", "make_plan"]
