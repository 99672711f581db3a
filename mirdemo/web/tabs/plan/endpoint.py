"""The endpoint ``/plan`` for ``gradio_client``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirdemo.backbones.registry import specs
from mirdemo.base.progress import silent
from mirdemo.clips import LabelledClips
from mirdemo.clips.in_question import InQuestion
from mirdemo.planning import Assumptions, Plan, PlanError, evidence, for_the_meeting, two_sentences
from mirdemo.web.frame.endpoints import Files, answered, offer, sentences, told
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.models import Memory
from mirdemo.web.tabs.probe.running import run
from mirdemo.web.tagging import build as build_prototypes
from mirdemo.web.tagging import usual_layer
from mirdemo.words.language import DEFAULT


def build(jobs: Jobs) -> None:
    """Put the endpoint on the page under construction."""

    def plan(
        clips: Files,
        sheet: str,
        backbone: str = "spectral",
        other: str = "",
        assumptions: str = "{}",
        language: str = DEFAULT,
    ) -> dict[str, Any]:
        """What to do with labelled clips: use a backbone as it is, another one, label more, or stay with hands.

        clips: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        backbone: as on the page; other: a second one to compare with, blank for none; assumptions: JSON such as
        {"recordings": 300, "hand_minutes": 2.5}, the others as by default; language: en or ja, of sentences and refusals.
        """

        def work(sounds: Mapping[str, Path]) -> dict[str, Any]:
            return plan_files(sounds, sheet, backbone, other, assumptions, language)

        return answered(jobs, work, language, files=[clips])

    offer(plan)


def plan_files(
    files: Mapping[str, Path],
    sheet: str,
    backbone: str,
    other: str,
    assumptions: str,
    language: str = DEFAULT,
) -> dict[str, Any]:
    """Probe, tag by examples, measure the learning curve, and plan: sentences, what was found, and the plan's file.

    files: name -> path
    Raises ClipsError, BackboneError, EmbeddingError, ProbeError, FewShotError, PlanError or PageError.
    """
    from mirdemo.stages.fewshot import FewShotError, learning_curve

    wanted = tuple(dict.fromkeys(name for name in (backbone, other) if name))
    if not wanted or any(name not in specs() for name in wanted):
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    assumed = Assumptions.of(_given(assumptions))
    clips = LabelledClips.from_csv(sheet.encode(), files, "sheet", limits=CLIP_LIMITS)
    memory = Memory()
    runs = [run(clips, name, False, memory, silent) for name in wanted]
    built = build_prototypes(clips, wanted[0], usual_layer(wanted[0]), memory, silent)
    try:
        curve = learning_curve(built.rows, clips.labels, clips.groups, tags=clips.tags)
    except FewShotError:  # too few recordings for one: the plan names it among what was not run
        curve = None
    found = evidence(
        clips.labels,
        clips.counted,
        clips.tags,
        probes=[(one.backbone, one.report, one.sick) for one in runs],
        few_shot=None if built.check is None else (wanted[0], built.check.predicted, built.seconds),
        few_shot_score=built.score,
        curve=curve,
        groups=clips.groups if clips.sessions else None,
        in_question=InQuestion.of(clips),
        embedding_seconds={one.backbone: one.seconds - sum(one.report.seconds.values()) for one in runs},
    )
    made = Plan(found, assumed)
    return {
        "advice": made.advice.kind,
        "word": made.advice.word,
        "sentences": sentences(two_sentences(made), language),
        "meeting": sentences(for_the_meeting(made), language),
        "found": made.found(),
        "plan": made.as_dict(),
        **told(clips, language),
    }


def _given(text: str) -> dict[str, Any]:
    if len(text) > 10 * LIMITS.text:
        raise _no_assumptions()
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise _no_assumptions() from None
    if not isinstance(given, dict):
        raise _no_assumptions()
    return given


def _no_assumptions() -> PlanError:
    return PlanError(
        "Assumptions are JSON such as {example}. Write them like that, or leave them out.",
        code="planning.no_assumptions",
        example='{"recordings": 300}',
    )
