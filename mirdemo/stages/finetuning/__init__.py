"""Stage 2, targeted fine-tuning: does training the last one or two layers buy anything over probing?

>>> report = fine_tune(labelled, load_backbone("mert-95m"), probe_report=probed)
>>> report.verdict, str(report.sentence)
('cannot_tell', 'Cannot tell with 12 recordings whether fine-tuning is worth it: ...')
>>> mirdemo.Tagger.fine_tuned(report, "Festival").save("festival.zip")
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.intervals import LEVEL
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.errors import FineTuneError
from mirdemo.stages.finetuning.report import FineTuneReport, TagGain
from mirdemo.stages.finetuning.settings import FineTuneSettings, PublishedSettings, settings_refused
from mirdemo.stages.finetuning.verdict import (
    CANNOT_TELL,
    NOT_WORTH_IT,
    RULE,
    SMALLEST_GAIN,
    WORTH_IT,
    in_words,
    verdict,
)
from mirdemo.stages.published.report import PublishedReport

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.clips import LabelledClips
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.finetuning.inputs import Material
    from mirdemo.stages.probing import ProbeReport

__all__ = [
    "CANNOT_TELL",
    "NOT_WORTH_IT",
    "RULE",
    "SMALLEST_GAIN",
    "WORTH_IT",
    "Epoch",
    "FineTuneError",
    "FineTuneReport",
    "FineTuneSettings",
    "PublishedReport",
    "PublishedSettings",
    "TagGain",
    "fine_tune",
    "in_words",
    "verdict",
]

PROTOCOLS = ("live", "papaioannou2025")


def fine_tune(
    clips: LabelledClips | Sequence[Clip],
    backbone: Backbone,
    labels: np.ndarray | None = None,
    recordings: Sequence[str] | None = None,
    tags: Sequence[str] | None = None,
    *,
    groups: Sequence[str] | None = None,
    blocks: int | None = None,
    protocol: str = "live",
    settings: FineTuneSettings | PublishedSettings | None = None,
    split: Mapping[str, Sequence[Any]] | None = None,
    folder: Path | None = None,
    probe_report: ProbeReport | Sequence[ProbeReport] | None = None,
    embedding_seconds: float | None = None,
    store: EmbeddingStore | None = None,
    smallest_gain: float = SMALLEST_GAIN,
    level: float = LEVEL,
    progress: Progress | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> FineTuneReport | PublishedReport:
    """Train the backbone's last blocks and a head on labelled clips.

    clips: ``LabelledClips``; or n clips with ``labels`` 0/1 (n, n_tags), ``recordings`` (n,) and names of ``tags``
    backbone: loaded, on the device to train on; it stays as it is
    groups: (n,) a coarser division, a session or a performer, kept whole as ``probe`` keeps it; of ``LabelledClips``
        their own
    blocks: how many trailing blocks to train; None: as published (``backbone.tail_sizes``)
    level: of the intervals
    progress: called as ``progress(done, total, phase)``, phases ``"embedding"``, ``"probing"``, ``"prefix"``,
        ``"training"``; it may raise Cancelled: then everything is freed and, but in a ``folder`` that was given, nothing
        is left on the disk
    on_epoch: told every epoch, with its loss and held-out ROC-AUC

    The frozen prefix runs once for each window; the tail is trained on its output. Runs that use the same settings on
    the same machine give the same report. Where memory runs out the work goes on in smaller parts.

    protocol ``"live"``: cross-validated by recording, and a ``FineTuneReport`` that says whether it was worth it. In
    every fold part of the training recordings is held out to find the best epoch; the tail is then trained on all of
    them for so many epochs, and the live probe's logistic head fitted to its rows, a clip's being the mean over its
    windows. The model in the report is made alike from all recordings, for the median of the folds' best epochs. Two
    differences are reported: from the same head on the untrained tail (what training adds), and from the best probe
    (what to do). It alone knows:
    probe_report: live, of the same clips and backbone, whitened or not; of several the best counts, and the first
        one's first folds are used. None: probed here, plain and with the backbone's whitening if it has one, on
        embeddings from ``store`` where that has them, in folds drawn as ``probe`` draws them
    embedding_seconds: what embedding for that probe took, if it was computed then
    smallest_gain: in ROC-AUC, the least that matters to the verdict (``RULE``)

    protocol ``"papaioannou2025"``: the published protocol as far as it is known (``mirdemo.stages.published``): the
    published probe's MLP as the head, one run, stopped by validation ROC-AUC; a ``PublishedReport``, without a
    comparison. It alone knows:
    split: a mapping of ``"train"``, ``"valid"`` and ``"test"`` to names of recordings or to indices of clips (integers);
        None: drawn, about three fifths, one fifth and one fifth of the recordings
    folder: where the prefix's output and the training's state are kept until it is done, so that a job which was
        killed goes on where it was; None: a temporary one
    ``settings`` are ``PublishedSettings`` there.

    Raises LabellingError, FineTuneError, BackboneError (nothing to train, or not so many blocks), EmbeddingError, and ProbeError for a
    split that is none.
    """
    if protocol not in PROTOCOLS:
        raise FineTuneError(
            "There is no protocol named {name}. Use live or papaioannou2025.",
            code="finetuning.no_protocol",
            name=protocol,
        )
    from mirdemo.stages.finetuning.inputs import choose_folds, look_over

    wanted = FineTuneSettings if protocol == "live" else PublishedSettings
    settings = settings or wanted()
    if not isinstance(settings, wanted):
        raise settings_refused()
    if not 0 < level < 1 or not np.isfinite(smallest_gain):
        raise FineTuneError(
            "A level lies between 0 and 1, and the smallest gain is a number. Choose others.",
            code="finetuning.level",
        )
    material = look_over(clips, labels, recordings, tags, groups)
    report, told = progress or silent, on_epoch or (lambda epoch: None)

    from mirdemo.stages.finetuning.memory import free

    try:
        if protocol == "papaioannou2025":
            return _published(material, backbone, blocks, settings, split, folder, level, report, told)

        from mirdemo.stages.finetuning.procedure import Job

        probes = _several(probe_report)
        fold_of = choose_folds(material, probes, settings.n_folds, settings.seed)
        job = Job(material, backbone, blocks, fold_of, settings, report, told)
        return job.run(probes, embedding_seconds, store, smallest_gain, level)
    except BaseException as error:
        # The error may be kept for long; the frames in its traceback would keep weights and states with it.
        job = None
        traceback.clear_frames(error.__traceback__)
        raise
    finally:
        free()


def _several(probes: ProbeReport | Sequence[ProbeReport] | None) -> Sequence[ProbeReport]:
    if probes is None:
        return ()
    return probes if isinstance(probes, Sequence) else (probes,)


def _published(
    material: Material,
    backbone: Backbone,
    blocks: int | None,
    settings: PublishedSettings,
    split: Mapping[str, Sequence[Any]] | None,
    folder: Path | None,
    level: float,
    progress: Progress,
    on_epoch: Callable[[Epoch], None],
) -> PublishedReport:
    from tempfile import TemporaryDirectory

    from mirdemo.base.home import home
    from mirdemo.stages.published.tuning import PublishedJob

    if folder is None:
        parent = home() / "fine-tuning"
        parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parent) as made:
            return _published(
                material, backbone, blocks, settings, split, Path(made), level, progress, on_epoch
            )
    with PublishedJob(backbone, folder, settings, blocks) as job:
        job.read([clip.sha256 for clip in material.clips], material.clips.__getitem__, progress)
        return job.train(material, split, level, progress, on_epoch)
