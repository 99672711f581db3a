"""From the stages' reports to evidence. The only place in planning that knows what a report looks like, and it asks little:
decisions on recordings not heard before, labels, recordings, seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.planning.errors import PlanError
from mirdemo.planning.ways import (
    AS_IT_IS,
    CURVE,
    FEW_SHOT,
    FEWSHOT,
    FINE_TUNE,
    OTHER,
    PROBE,
    TUNING,
    Evidence,
    Growth,
    Heard,
    Way,
)
from mirdemo.scoring.labelling import same_division
from mirdemo.scoring.metrics import THRESHOLD
from mirdemo.stages.side_by_side import cells

if TYPE_CHECKING:
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.stages.fewshot import LearningCurve, Score
    from mirdemo.stages.finetuning import FineTuneReport
    from mirdemo.stages.probing import ProbeReport

#: Of a 90 % interval, over its standard error.
_Z90 = 1.645


def evidence(
    labels: np.ndarray,
    recordings: Sequence[str],
    tags: Sequence[str],
    *,
    probes: Sequence[tuple[str, ProbeReport, Sentence | None]] = (),
    few_shot: tuple[str, np.ndarray, float] | None = None,
    few_shot_score: Score | None = None,
    fine_tuned: tuple[str, FineTuneReport] | None = None,
    curve: LearningCurve | None = None,
    embedding_seconds: Mapping[str, float] | None = None,
    groups: Sequence[str] | None = None,
    in_question: InQuestion | None = None,
) -> Evidence:
    """What the stages found about one set of labelled clips.

    labels: 0/1 (n_clips, n_tags); recordings: (n_clips,); tags: (n_tags,)
    probes: (backbone, live report, what its health check found); the first is used as it is, the others are other
    backbones measured here; few_shot: (backbone, decisions 0/1 (n_clips, n_tags), seconds) of the self-check, and its score
    embedding_seconds: backbone as in ``probes`` -> what embedding took for its probe, from nothing
    fine_tuned: (backbone, live report); curve: of the few-shot tagger
    groups: (n_clips,) sessions, where they are known: futures keep them whole, as the stages' folds do
    in_question: where ``recordings`` rest on an open question

    Raises PlanError where a report is of other clips or tags, or of the published protocol (it scores one test side).
    """
    truth, names = np.asarray(labels), np.asarray(recordings)
    ways: list[Way] = []
    seconds: dict[str, float] = {}

    def check(report: Any) -> None:
        same = tuple(report.tag_names) == tuple(tags) and np.array_equal(np.asarray(report.labels), truth)
        if report.protocol != "live" or not same or not same_division(report.recordings, names):
            raise PlanError(
                "The stages were run on different recordings or tags. Run them again on the clips as they are now.",
                code="planning.other_clips",
            )

    for place, (backbone, report, sick) in enumerate(probes):
        check(report)
        spent = float(sum(report.seconds.values())) + (embedding_seconds or {}).get(backbone, 0.0)
        seconds[PROBE] = seconds.get(PROBE, 0.0) + spent
        ways.append(_way(OTHER if place else AS_IT_IS, backbone, report, names, spent, sick))
    if few_shot is not None:
        backbone, decided, spent = few_shot
        seconds[FEWSHOT] = float(spent)
        words = () if few_shot_score is None else cells(few_shot_score, tags)
        ways.append(
            Way.of_decisions(
                FEW_SHOT, backbone, decided, truth, names, machine_seconds=float(spent), words=words
            )
        )
    if fine_tuned is not None:
        backbone, tuned = fine_tuned
        check(tuned)
        spent = float(tuned.from_nothing["fine_tuned"])
        seconds[TUNING] = spent
        ways.append(_way(FINE_TUNE, backbone, tuned, names, spent))
    if curve is not None:
        seconds[CURVE] = float(curve.seconds)
    in_recording = [[set(names[column == value]) for value in (1, 0)] for column in truth.T]
    return Evidence(
        tags=tuple(map(str, tags)),
        having=tuple(len(there) for there, _ in in_recording),
        lacking=tuple(len(absent) for _, absent in in_recording),
        n_clips=len(truth),
        ways=tuple(ways),
        heard=_heard(probes[0][1]) if probes else None,
        growth=None if curve is None else growth(curve),
        seconds=seconds,
        sessions=() if groups is None else _sessions(names, groups),
        in_question=in_question,
    )


def _way(
    kind: str,
    backbone: str,
    report: ProbeReport | FineTuneReport,
    recordings: np.ndarray,
    seconds: float,
    sick: Sentence | None = None,
) -> Way:
    """recordings: as they are called now, so that all ways have them in one order"""
    return Way.of_decisions(
        kind,
        backbone,
        decisions(report),
        report.labels,
        recordings,
        machine_seconds=seconds,
        sick=sick,
        learned_from=learned_from(report),
        words=cells(report, report.tag_names),
    )


def _sessions(recordings: np.ndarray, groups: Sequence[str]) -> tuple[int, ...]:
    """Of each recording, in the order that ways have them, the number of its session."""
    first = np.unique(recordings, return_index=True)[1]
    return tuple(int(code) for code in np.unique(np.asarray(groups)[first], return_inverse=True)[1])


def decisions(report: ProbeReport | FineTuneReport) -> np.ndarray:
    """0..1 (n_clips, n_tags): how often a model by itself gives each tag to a clip that it had not seen; of an older report
    what its scores say."""
    return given(report.scores) if report.given is None else np.asarray(report.given, np.float64)


def learned_from(report: ProbeReport | FineTuneReport) -> float:
    """Share of the recordings that each fold's model learned from. Older reports' decisions, which knew of the recordings under test, are
    not raised further."""
    return 1.0 if report.given is None or not report.n_folds else 1 - 1 / report.n_folds


def given(scores: np.ndarray) -> np.ndarray:
    """Decisions at the threshold; a tag that could not be learned is given to nobody."""
    return (np.nan_to_num(np.asarray(scores, np.float64), nan=-1.0) >= THRESHOLD).astype(np.uint8)


def _heard(report: ProbeReport) -> Heard:
    words = [tag.verdict for tag in report.tags]
    return Heard(
        heard=words.count("heard"),
        partly=words.count("partly_heard"),
        not_heard=words.count("not_heard"),
        too_few=words.count("too_few"),
        perhaps=words.count("perhaps_heard"),
    )


def growth(curve: LearningCurve) -> Growth:
    """A learning curve by recordings. Its law is one of shots; recordings learned from grow in proportion to them."""
    points = [point for point in curve.points if point.macro_f1.value is not None]
    measured: dict[str, Any] = {
        "recordings": tuple(float(point.recordings) for point in points),
        "f1": tuple(point.macro_f1.value for point in points),
        "low": tuple(point.macro_f1.low for point in points),
        "high": tuple(point.macro_f1.high for point in points),
        "first": tuple(gain.tag for gain in curve.gains if gain.gain is not None)[:3],
    }
    law = curve.extrapolation
    if isinstance(law, Sentence) or not points:
        refusal = law if isinstance(law, Sentence) else None
        return Growth(**measured, refusal=refusal)
    last = points[-1]
    shots = last.shots / last.recordings  # a recording
    rise = curve.gain
    spread = 1.0
    if rise is not None and rise.value is not None and rise.low is not None and rise.high is not None:
        deviation = (rise.high - rise.low) / (2 * _Z90)
        spread = min(deviation / rise.value, 3.0) if rise.value > 0 else 1.0
    return Growth(
        **measured,
        ceiling=float(law.ceiling),
        slope=float(law.slope * shots**-law.exponent),
        exponent=float(law.exponent),
        spread=float(spread),
        reach=float(law.shots[-1] / shots),
    )
