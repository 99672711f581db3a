"""From what a visitor has measured on the other tabs to evidence for a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.planning import Evidence, evidence
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.finetune.desk import FineTuneDesk
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import LIVE, Asked, Run, run_key

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor


def sources(visitor: Visitor) -> tuple:
    """The results that a plan would rest on, as they are now; the plan is made anew where one of them changed."""
    clips = visitor.clips
    probed, built = visitor.desk(ProbeDesk).result, visitor.desk(FewShotDesk).built
    curve, tuned = visitor.desk(FewShotDesk).curve, visitor.desk(FineTuneDesk).result
    asked = Asked.of(clips)
    if probed is not None and (probed.protocol != LIVE or not probed.asked.is_about(clips)):
        probed = None
    if built is not None and (built.check is None or not asked.is_about(built.clips)):
        built = None
    if curve is not None and curve.built is not built:
        curve = None
    if tuned is not None and not tuned.asked.is_about(clips):
        tuned = None
    return probed, built, curve, tuned


def gather(visitor: Visitor, found: tuple) -> Evidence | None:
    """Evidence of ``sources``; None where the clips have not been probed (live, as they are now)."""
    probed, built, curve, tuned = found
    clips = visitor.clips
    if probed is None:
        return None
    return evidence(
        clips.labels,
        clips.counted,
        clips.tags,
        probes=[(run.key, run.report, run.sick) for run in _first(probed.runs, visitor.backbone)],
        few_shot=None
        if built is None
        else (run_key(built.backbone, built.whitening is not None), built.check.predicted, built.seconds),
        few_shot_score=None if built is None else built.score,
        fine_tuned=None if tuned is None else (tuned.wanted.backbone, tuned.report),
        curve=None if curve is None else curve.report,
        groups=clips.groups if clips.sessions else None,
        in_question=probed.asked.still_in_question(clips),
        embedding_seconds={run.key: run.seconds - sum(run.report.seconds.values()) for run in probed.runs},
    )


def _first(runs: tuple[Run, ...], backbone: str) -> list[Run]:
    """The backbone in use first: it is what one would carry on with."""
    return sorted(runs, key=lambda run: run.backbone != backbone)


def measured_before(visitor: Visitor) -> bool:
    """Whether there are results, but of other clips or tags than those here now."""
    desks = visitor.desk(ProbeDesk).result, visitor.desk(FineTuneDesk).result
    return any(result is not None for result in desks)
