"""The published fine-tuning: the backbone's trailing blocks and the head, in one run."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import nn

from mirdemo.base.progress import Progress
from mirdemo.scoring.labelling import Labelling
from mirdemo.sound.audio import AudioError
from mirdemo.stages.finetuning.boundary import is_faithful
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.heads import Prevalence, Standardised, spread
from mirdemo.stages.finetuning.inputs import one_sided
from mirdemo.stages.finetuning.memory import Room
from mirdemo.stages.finetuning.prefix_file import PrefixFile
from mirdemo.stages.finetuning.settings import PublishedSettings
from mirdemo.stages.finetuning.step import Step, pooled
from mirdemo.stages.finetuning.versions import device_name, versions
from mirdemo.stages.probing.figures import macro_report, measure, tag_reports
from mirdemo.stages.published import training
from mirdemo.stages.published.checkpoint import Checkpoint
from mirdemo.stages.published.courses import Course
from mirdemo.stages.published.layer_mean import LayerMean, boundary_with_rows, has_mean
from mirdemo.stages.published.mlp import Mlp
from mirdemo.stages.published.report import PublishedReport
from mirdemo.stages.published.sides import Sides

if TYPE_CHECKING:
    from mirdemo.backbones.split import NeuralBackbone, Split
    from mirdemo.sound.audio import Clip


class PublishedJob:
    """One fine-tuning by the published protocol: ``read`` the clips, then ``train`` on those that could be read.

    A context: after it, its folder is gone, unless an exception left it.

    folder: where it works; what a killed job left there is taken up again if it was the same
    Raises FineTuneError if another process works there, BackboneError if there is nothing to train.
    """

    def __init__(
        self,
        backbone: NeuralBackbone,
        folder: Path,
        settings: PublishedSettings,
        blocks: int | None = None,
    ) -> None:
        self.backbone, self.settings = backbone, settings
        self.split: Split = backbone.split(blocks)
        self.seconds: dict[str, float] = {}
        mean = settings.layers == "mean" and has_mean(backbone)
        self.layer = "mean" if mean else backbone.spec.layers[-1].name
        self.tail = LayerMean(backbone, self.split) if mean else self.split.tail
        self._boundary = (
            (lambda waves: boundary_with_rows(backbone, self.split, waves)) if mean else self.split.prefix
        )
        facts = [backbone.identity.as_dict(), self.split.n_blocks, self.layer, settings.keeping]
        self._folder = folder / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
        self.prefix = PrefixFile(self._folder, backbone.device)
        self._keys: tuple[str, ...] = ()

    def read(
        self, keys: Sequence[str], open_clip: Callable[[int], Clip], progress: Progress
    ) -> tuple[int, dict[int, AudioError]]:
        """The frozen prefix, once over each clip. See ``PrefixFile.fill``; a clip that cannot be read is left out."""
        done, refused = self.prefix.fill(
            keys, open_clip, self._boundary, self._keep_as, self.backbone.spec, progress
        )
        self._keys = tuple(key for place, key in enumerate(keys) if place not in refused)
        self.prefix.choose(self._keys)
        self.seconds["prefix"] = self.prefix.seconds
        return done, refused

    def train(
        self,
        material: Labelling,
        split: Mapping[str, Sequence[Any]] | None,
        level: float,
        progress: Progress,
        on_epoch: Callable[[Epoch], None],
    ) -> PublishedReport:
        """Train, then test. material: of the clips that were read, in their order; split: as ``probing`` takes it."""
        backbone, title = self.backbone, self.backbone.spec.title
        clip_of = self.prefix.windows.clip_of
        sides = Sides.of(material, clip_of, split)
        learn = sides.windows["train"]
        room = Room.on(backbone.device, backbone.spec.window_seconds, self.settings.batch)
        n_tags = len(material.tags)
        with self._timed("start"):
            start = pooled(self.tail, self.prefix, learn, room, title)
            mlp = Mlp(
                start.shape[1], n_tags, self.settings, self.settings.seed, start.device, outputs_first=True
            )
            head = nn.Sequential(Standardised(*spread(start)), mlp)
        step = Step(
            self.prefix,
            self.tail,
            head,
            material.labels,
            _all_alike(n_tags),
            self.settings.for_steps(backbone.spec),
            room,
            title,
        )

        def scores(side: str) -> tuple[float, np.ndarray]:
            """Mean loss, and 0..1 (n_tags, n_windows)."""
            logits = _logits(step, sides.windows[side])
            loss = float(step.losses(logits, sides.windows[side]).mean())
            return loss, logits.sigmoid().double().cpu().numpy().T

        def validate() -> tuple[float, float]:
            loss, found = scores("valid")
            return loss, float(sides.validation(found))

        course, curve = training.train(
            step,
            mlp,
            learn,
            validate,
            self.settings,
            Checkpoint(self._folder / "training.pt", self._training(material, sides)),
            lambda done, total: progress(done, total, "training"),
            on_epoch,
        )
        self.seconds["training"] = curve[-1].seconds
        with self._timed("test"):
            found = sides.means("test", scores("test")[1])
            return self._report(material, sides, found, course, curve, level)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        """Let go of the folder; what is in it stays if something was raised, for another job to go on with."""
        self.prefix.close(remove=kind is None)

    def _keep_as(self, states: torch.Tensor, samples: int) -> torch.dtype:
        keeping = self.settings.keeping
        if keeping == "half" or (keeping == "auto" and is_faithful(states, self.tail, samples)):
            return torch.float16 if states.dtype == torch.float32 else states.dtype
        return states.dtype

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - began

    def _training(self, material: Labelling, sides: Sides) -> str:
        """Which training it is: equal for equal clips, labels, split and settings."""
        facts = [
            self._keys,
            material.tags,
            material.labels.tolist(),
            [clips.tolist() for clips in sides.clips.values()],
            asdict(self.settings),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _report(
        self,
        material: Labelling,
        sides: Sides,
        scores: np.ndarray,
        course: Course,
        curve: Sequence[Epoch],
        level: float,
    ) -> PublishedReport:
        backbone, layers = self.backbone, (self.layer,)
        truth, tested = sides.truth["test"], sides.tested
        estimates, _ = measure(np.stack([scores, scores])[None], truth, tested)
        n_tags = len(material.tags)
        return PublishedReport(
            identity=backbone.identity,
            title=backbone.spec.title,
            n_blocks=self.split.n_blocks,
            trainable_parameters=sum(p.numel() for p in self.tail.parameters() if p.requires_grad),
            layer=self.layer,
            macro=macro_report(estimates, None, truth, layers, self.layer, level),
            tags=tag_reports(
                estimates, None, truth, tested, material.tags, layers, [self.layer] * n_tags, level
            ),
            labels=truth,
            recordings=np.array(material.recording_names)[tested],
            scores=scores.T,
            n_clips=sum(len(clips) for clips in sides.clips.values()),
            n_recordings={side: len(table) for side, table in sides.truth.items()},
            n_windows=len(self.prefix.windows),
            epochs=course.epochs,
            best_epoch=course.best_epoch,
            validation_roc_auc=course.best,
            curve=tuple(curve),
            level=level,
            settings=asdict(self.settings),
            seeds=(self.settings.seed,),
            seconds=dict(self.seconds),
            cache={
                "place": self.prefix.place,
                "precision": str(self.prefix.dtype).removeprefix("torch."),
                "bytes": self.prefix.nbytes,
            },
            device=device_name(backbone.device),
            versions=versions(),
            warnings=(*one_sided(material), *backbone.torch_warnings),
            estimates=estimates,
        )


def _logits(step: Step, windows: np.ndarray) -> torch.Tensor:
    """float32 (n_windows, n_tags) as tail and head stand, in full precision."""
    step.head.eval()
    rows = pooled(step.tail, step.source, windows, step.room, step.title)
    with torch.no_grad():
        return step.head(rows)


def _all_alike(n_tags: int) -> Prevalence:
    """Every tag is learned, and its positives count as its negatives do: plain binary cross-entropy."""
    return Prevalence(np.zeros(n_tags), np.ones(n_tags))
