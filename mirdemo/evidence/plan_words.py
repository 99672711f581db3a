"""A plan in words and rows, for the page and the report alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from mirdemo.backbones.registry import spec
from mirdemo.backbones.spec import BackboneError
from mirdemo.base.assets import ASSETS
from mirdemo.base.sentences import Sentence
from mirdemo.evidence import panel_words
from mirdemo.evidence.charting import with_interval
from mirdemo.planning import CURRENCIES, LIMITS, NAMES, REASONS, Action, Plan
from mirdemo.planning.fingerprint import fingerprint
from mirdemo.planning.rule import LABEL
from mirdemo.planning.say import FUTURES, condition, cost_of, name_of
from mirdemo.planning.ways import AS_IT_IS, FEW_SHOT, FINE_TUNE, OTHER
from mirdemo.scoring.verdicts import WORDS
from mirdemo.stages import side_by_side as stages
from mirdemo.stages.side_by_side import Cell, Column
from mirdemo.words.durations import time_of
from mirdemo.words.language import Speaker

WHITENED = "+whitening"
#: Written by ``benchmarks/advice_regret.py``.
REGRET = ASSETS / "results" / "advice.json"


def title_of(t: Speaker, key: str) -> str:
    """What a backbone of a plan is called in this language, with its whitening; one that is not known here as it is."""
    name, whitened = key.removesuffix(WHITENED), key.endswith(WHITENED)
    word = f"page.backbone.{name}"
    try:
        title = t(word) if t.has(word) else spec(name).title
    except BackboneError:
        return key
    return t("probe.whitened", backbone=title) if whitened else title


def titles(t: Speaker):
    """``title_of`` in one language."""
    return partial(title_of, t)


def action_rows(plan: Plan, t: Speaker) -> list[dict[str, Any]]:
    """A row an action, the best in expectation first."""
    rows = []
    for index, action in enumerate(plan.advice.actions):
        low, high = action.nine_in_ten
        by_hand = action.way is None
        rows.append(
            {
                "expected": action.expected,
                "name": t.say(name_of(plan, action, titles(t))),
                "note": _note(plan, action, t),
                "saves": "0"
                if by_hand
                else t(
                    "plan.action.range",
                    value=_minutes(action.expected),
                    low=_minutes(low),
                    high=_minutes(high),
                ),
                "once": t.say(cost_of(plan, action)),
                "futures": "–"
                if by_hand
                else t("plan.action.futures.of", k=round(FUTURES * action.saves), of=FUTURES),
                "best": t("plan.action.futures.of", k=round(FUTURES * action.best), of=FUTURES),
                "advised": index == plan.advice.action,
            }
        )
    return sorted(rows, key=lambda row: -row["expected"])


def _note(plan: Plan, action: Action, t: Speaker) -> str | None:
    """Which tags are labelled first, or left to hands."""
    first = plan.tags_to_label() if action.kind == LABEL else ()
    if first:
        return t("plan.action.first", tags=list(first))
    left = [] if action.way is None else plan.left_to_hands(action)
    return t("plan.action.left", tags=left) if left else None


def advised_range(plan: Plan, t: Speaker) -> str | None:
    """Between how many minutes nine of ten futures of what is used, or would be, lie; None where nothing is advised."""
    advice = plan.advice
    if advice.using is None:
        return None
    low, high = advice.actions[advice.using].nine_in_ten
    return t("plan.range", low=_minutes(low), high=_minutes(high))


#: Kinds of ways -> the stage that they come from.
_STAGE_OF = {
    AS_IT_IS: stages.PROBE,
    OTHER: stages.PROBE,
    FINE_TUNE: stages.FINE_TUNE,
    FEW_SHOT: stages.FEW_SHOT,
}


def visit_table(plan: Plan, t: Speaker) -> dict[str, Any] | None:
    """Every tag, stage by stage: a column a stage and backbone, and one for a stage that was not run.

    None where the plan holds no words: one that was saved before they were in it.
    """
    evidence = plan.evidence
    there = [
        Column(_STAGE_OF[way.kind], title_of(t, way.backbone), way.words)
        for way in evidence.ways
        if way.words
    ]
    if not there:
        return None
    nothing = (None,) * len(evidence.tags)
    columns = [
        column
        for stage in stages.STAGES
        for column in [one for one in there if one.stage == stage] or [Column(stage, "", nothing)]
    ]
    return {
        "columns": [{"title": t(f"plan.stage.{one.stage}"), "backbone": one.backbone} for one in columns],
        "rows": [
            {
                "tag": row.tag,
                "why": reasons(row.why, t),
                "cells": [None if cell is None else _cell(cell, t) for cell in row.cells],
            }
            for row in stages.side_by_side(evidence.tags, columns)
        ],
        "rule": t.say(stages.RULE),
    }


def reasons(why: Sequence[Sentence], t: Speaker) -> str:
    """The reasons why words of a tag differ, one sentence after the other."""
    return ("" if t.language == "ja" else " ").join(t.say(one) for one in why)


def _cell(cell: Cell, t: Speaker) -> dict[str, Any]:
    auc = cell.roc_auc
    figure = (
        "–" if auc.value is None else with_interval(auc.value, auc.low, auc.high, t("plan.tags.no_interval"))
    )
    return {
        "code": cell.word,
        "word": t.say(WORDS[cell.word]),
        "figure": t(f"plan.tags.{auc.unit}", figure=figure, n=auc.n),
        "off": t.say(stages.THRESHOLD_OFF) if cell.threshold_off else "",
    }


def tag_rows(plan: Plan, t: Speaker) -> list[dict[str, Any]]:
    """A row a tag, what it saves by the way that is used or would be; the most first."""
    rows = []
    for one in plan.tags:
        low, high = one.nine_in_ten
        figure = t("plan.action.range", value=_minutes(one.expected), low=_minutes(low), high=_minutes(high))
        k = t("plan.action.futures.of", k=round(FUTURES * one.saves), of=FUTURES)
        rows.append(
            {
                "tag": one.tag,
                "saves": figure if one.given else t("plan.each.never"),
                "futures": k if one.given else "–",
                "having": str(one.having),
                "by": t("plan.each.machine" if one.by_machine and one.given else "plan.each.hands"),
            }
        )
    return rows


def tags_how(plan: Plan, t: Speaker) -> str:
    """What the rows of tags are of, and how they sum."""
    advice = plan.advice
    assert advice.using is not None  # there are rows only then
    used = replace(advice.actions[advice.using], tags=None)
    return t("plan.each.how", way=t.say(name_of(plan, used, titles(t))))


def _minutes(value: float) -> str:
    """Whole minutes with a real minus; one decimal under ten."""
    text = f"{value:,.0f}" if abs(value) >= 9.95 else f"{value:.1f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text.replace(",", "")) else "0"


def assumption_rows(plan: Plan, t: Speaker) -> list[dict[str, Any]]:
    """A row an assumption: name, value, limits, why it begins where it does."""
    rows = []
    for name, (least, most) in LIMITS.items():
        value = getattr(plan.assumptions, name)
        money = CURRENCIES[plan.assumptions.currency][0] if name in ("wage", "gpu_price") else ""
        rows.append(
            {
                "name": name,
                "title": t.say(NAMES[name]),
                "unit": money,
                "value": f"{value:g}" if value < 1e6 else f"{value:.0f}",
                "least": f"{least:g}",
                "most": f"{most:g}" if most < 1e6 else f"{most:.0f}",
                "reason": _measured(plan, name, t) or t.say(REASONS[name]),
            }
        )
    return rows


def _measured(plan: Plan, name: str, t: Speaker) -> str | None:
    """Where a panel measured this assumption and it is still what was measured: that, instead of its reason."""
    heard = plan.listeners
    if heard is None or heard.measured().get(name) != getattr(plan.assumptions, name):
        return None
    found, n = (
        (heard.right_seconds, heard.n_right)
        if name == "accept_seconds"
        else (heard.wrong_seconds, heard.n_wrong)
    )
    span = panel_words.in_range(t, found, ".1f")
    return t("panel.seconds.assumed", n=n, range=span)


def switch_lines(plan: Plan, t: Speaker) -> list[str]:
    """A sentence an assumption that turns the advice, the nearest first: how far it holds, and what is advised beyond."""
    turning = [switch for switch in plan.switches if switch.low is not None or switch.high is not None]
    return [t.say(condition(plan, switch, titles(t))) for switch in turning]


def left_rows(plan: Plan, t: Speaker) -> list[dict[str, Any]]:
    """The stages that were not run, what each would tell, and a bound on its worth."""
    return [
        {
            "stage": one.stage,
            "title": t(f"plan.stage.{one.stage}"),
            "tells": t.say(one.tells),
            "bound": _bound(one.at_most, t),
        }
        for one in plan.not_run
    ]


def _bound(at_most: float | None, t: Speaker) -> str:
    if at_most is None:
        return t("plan.bound.none")
    return t("plan.bound", time=t.say(time_of(at_most))) if at_most else t("plan.bound.nothing")


def gate_rows(plan: Plan, t: Speaker) -> list[dict[str, Any]]:
    """The three gates in words."""
    rows = []
    for gate in plan.gates:
        took = None
        if gate.seconds is not None:
            took = t("plan.gate.took", time=t.say(time_of(gate.seconds / 60)))
        rows.append(
            {
                "stage": gate.stage,
                "title": t(f"plan.gate.{gate.stage}"),
                "of": t(f"plan.stage.{gate.stage}"),
                "state": gate.state,
                "word": t(f"plan.state.{gate.state}"),
                "found": t.say(gate.found),
                "criterion": t.say(gate.criterion),
                "took": took,
                "next": None if gate.next is None else t.say(gate.next),
            }
        )
    return rows


@cache
def _regret() -> dict[str, Any] | None:
    return json.loads(REGRET.read_text(encoding="utf-8")) if REGRET.is_file() else None


def regret_words(t: Speaker) -> str:
    """How good the rule behind the advice is, as it was measured."""
    found = _regret()
    if found is None:
        return t("plan.regret.none")
    of_this_rule = found.get("rule") == fingerprint()

    def interval(values: list[float], form: str = ".1f") -> str:
        value, low, high = (f"{v:{form}}" for v in values)
        return t("plan.interval", value=value, low=low, high=high)

    def share(word: str) -> str:
        row = found["words"][word]
        if row["right"] is None:
            return t("plan.share.none")
        value, low, high = (round(100 * v) for v in row["right"])
        return t("plan.share", value=value, low=low, high=high, n=row["n"], visitors=row["visitors"])

    measured = t(
        "plan.regret",
        visitors=found["visitors"],
        advice=interval(found["regret"]["advice"]),
        fixed=t(f"plan.policy.{found['best_fixed']}"),
        best=interval(found["regret"][found["best_fixed"]]),
        ratio=interval(found["ratio"], ".2f"),
        saves=share("saves"),
        probably=share("probably"),
        may=share("may"),
        date=found["date"],
        command=found["command"],
        traditions=len(found["traditions"]),
        archives=found["archives"],
    )
    tuned = found["n"]["fine-tune"]
    if tuned:
        of_them, always = (interval(found["of_tuned"][policy]) for policy in ("advice", "fine-tune"))
        measured = t("plan.regret.training", measured=measured, n=tuned, advice=of_them, always=always)
    else:
        measured = t("plan.regret.no_training", measured=measured)
    return measured if of_this_rule else t("plan.regret.earlier", measured=measured)
