"""A visitor's own reports as result records, to be laid over the published ones while their session lasts.

The records are made of the reports when they are shown and kept nowhere else: not among the results of this machine,
not in anything that visitors share. Their corpus is ``selection.YOURS``, which no published figure is of, so none is
ever ranked with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec
from mirdemo.evidence.selection import YOURS
from mirdemo.results.records import Result, Results

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.scoring.intervals import Interval
    from mirdemo.web.tabs.fewshot.studies import Curve
    from mirdemo.web.tabs.finetune.running import Result as FineTuned
    from mirdemo.web.tabs.probe.running import Asked, Run
    from mirdemo.web.tagging import Built

#: what the page measures by, unless the visitor asked for the published protocol
LIVE = "live"


@dataclass(frozen=True)
class Reports:
    """What a visitor's tabs hold at this moment; equal to another only if it holds the very same reports.

    probed: backbones side by side, about the clips ``asked``; built: prototypes; curve: their learning curve
    in_question: of the clips of each of the three, as far as it is still open
    """

    asked: Asked | None = None
    probed: tuple[Run, ...] = ()
    fine_tuned: FineTuned | None = None
    built: Built | None = None
    curve: Curve | None = None
    in_question: tuple[InQuestion | None, InQuestion | None, InQuestion | None] = (None, None, None)

    @cached_property
    def records(self) -> Results:
        """Every figure with its interval, n, protocol, versions and seconds; none where nothing was measured."""
        probed, tuned, built = self.in_question
        return Results(
            (
                *_telling((record for run in self.probed for record in _probed(run, self.asked)), probed),
                *_telling(_fine_tuned(self.fine_tuned) if self.fine_tuned is not None else (), tuned),
                *_telling(_built(self.built) if self.built is not None else (), built),
                *_telling(_curve(self.curve) if self.curve is not None else (), built),
            )
        )


def _telling(records: Iterable[Result], in_question: InQuestion | None) -> Iterator[Result]:
    """The records, with what is in question of the clips that they are of."""
    told = {} if in_question is None else in_question.as_setting()
    return (replace(record, setting={**record.setting, **told}) for record in records)


def _probed(run: Run, asked: Asked) -> list[Result]:
    from mirdemo.results.of_reports import report_results

    report = run.report
    return report_results(
        report,
        _common(run.backbone, asked.clip_ids, asked.labels, report.protocol)
        | {
            "method": "probe",
            "revision": (report.identity or {}).get("revision"),
            "layer": "chosen on training recordings",
            "whitening": report.whitening,
            "versions": dict(report.versions),
            "hardware": report.device,
            "seconds": sum(report.seconds.values()),  # as in other probes' records: without embedding
            "setting": {"n_tags": len(report.tags), "n_clips": report.n_clips},
        },
    )


def _fine_tuned(result: FineTuned) -> list[Result]:
    from mirdemo.results.of_reports import report_results

    report, asked = result.report, result.asked
    return report_results(
        report,
        _common(result.wanted.backbone, asked.clip_ids, asked.labels, report.protocol)
        | {
            "method": "finetune",
            "revision": report.identity.revision,
            "layer": "tuned",
            "versions": dict(report.versions),
            "hardware": report.device,
            "seconds": report.from_nothing["fine_tuned"],
            "setting": {
                "n_tags": len(report.tags),
                "n_clips": report.n_clips,
                "tuned": f"last {report.n_blocks} layers",
            },
        },
    )


def _built(built: Built) -> Iterator[Result]:
    """The honest score: every recording tagged by the others."""
    if built.score is None:
        return
    score, common = built.score, _prototypes(built) | {"split": "recordings left out in pairs"}
    setting = {"few_shot": "LC-Protonets", "n_way": len(built.clips.tags), "k_shot": "all other recordings"}
    for metric, figure in (("macro_f1", score.macro_f1), ("micro_f1", score.micro_f1)):
        if figure.value is not None:
            yield _result(common | {"setting": setting}, metric, figure, figure.n)


def _curve(curve: Curve) -> Iterator[Result]:
    """The learning curve's points: so many recordings a tag, the others to test on."""
    report, common = curve.report, _prototypes(curve.built) | {"split": "held-out recordings, repeated"}
    n_way = len(curve.built.clips.tags) - len(report.left_out)
    for point in report.points:
        setting = {"few_shot": "LC-Protonets", "n_way": n_way, "k_shot": point.shots}
        yield _result(common | {"setting": setting}, "macro_f1", point.macro_f1, report.n_recordings)


def _prototypes(built: Built) -> dict[str, Any]:
    import numpy as np

    from mirdemo import __version__

    clips: LabelledClips = built.clips
    identity = built.embeddings.identity
    return _common(built.backbone, tuple(clip.sha256 for clip in clips.clips), clips.labels) | {
        "method": "fewshot",
        "revision": identity.revision,
        "layer": built.layer,
        "whitening": None if built.whitening is None else built.whitening.name,
        "versions": {
            "mirdemo": __version__,
            "numpy": np.__version__,
            "weights": identity.fingerprint[:16],
            "precision": identity.dtype,
        },
        "seconds": built.seconds,
    }


def _common(backbone: str, clip_ids: tuple[str, ...], labels: Any, protocol: str = LIVE) -> dict[str, Any]:
    """What all records about one set of labelled clips share; ``corpus_revision`` tells one set from another."""
    from mirdemo.results.of_reports import today

    facts = spec(backbone)
    clips = hashlib.sha256("".join(clip_ids).encode() + labels.tobytes()).hexdigest()[:12]
    return {
        "model": facts.title,
        "pooling": facts.pooling,
        "window_seconds": facts.window_seconds,
        "corpus": YOURS,
        "corpus_revision": f"clips-{clips}",
        "protocol": protocol,
        "split": "cross-validation by recording" if protocol == LIVE else "test",
        "source": "measured",
        "date": today(),
    }


def _result(common: dict[str, Any], metric: str, figure: Interval, n: int) -> Result:
    sure = figure.low is not None and figure.high is not None
    return Result(
        metric=metric,
        value=figure.value,
        low=min(figure.low, figure.value) if sure else None,
        high=max(figure.high, figure.value) if sure else None,
        level=figure.level if sure else None,
        n=n,
        n_unit="recordings",
        **common,
    )
