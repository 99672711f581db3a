"""The visit as a table: every tag, stage by stage, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.scoring.verdicts import WORDS
from mirdemo.stages.side_by_side import RULE, STAGES, THRESHOLD_OFF, Cell, side_by_side
from mirdemo.web.tabs.plan.gathering import sources
from mirdemo.web.tabs.probe.shown import ICONS, backbone_words, figure_words

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor
    from mirdemo.words.language import Speaker


def visit_table(visitor: Visitor, t: Speaker) -> dict[str, Any] | None:
    """What the template needs; None before a probe. Each column says with which backbone it was measured."""
    probed, built, _, tuned = sources(visitor)
    if probed is None:
        return None
    own = [run for run in probed.runs if run.backbone == visitor.backbone]
    run = (own or probed.runs)[0]
    rows = side_by_side(
        visitor.clips.tags,
        probed=run.report,
        tuned=None if tuned is None else tuned.report,
        few_shot=None if built is None else built.score,
    )
    by = {
        "probe": backbone_words(t, run.backbone, run.report.whitening is not None),
        "fine_tune": "" if tuned is None else backbone_words(t, tuned.wanted.backbone),
        "few_shot": "" if built is None else backbone_words(t, built.backbone, built.whitening is not None),
    }
    return {
        "columns": [{"title": t(f"plan.stage.{stage}"), "backbone": by[stage]} for stage in STAGES],
        "rows": [
            {
                "tag": row.tag,
                "agreed": row.agreed,
                "cells": [_drawn(row.cells.get(stage), t) for stage in STAGES],
            }
            for row in rows
        ],
        "rule": t.say(RULE),
    }


def _drawn(cell: Cell | None, t: Speaker) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {
        "word": t.say(WORDS[cell.word]),
        "icon": ICONS[cell.word],
        "weight": "good" if ICONS[cell.word] in ("full", "half") else "weak",
        "figure": t(f"plan.tags.{cell.roc_auc.unit}", figure=figure_words(t, cell.roc_auc), n=cell.roc_auc.n),
        "off": t.say(THRESHOLD_OFF) if cell.threshold_off else "",
    }
