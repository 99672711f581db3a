"""Stage 2 from clips to a report: prefix once, cross-validation, final training, comparison with the probe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.folds import hold_out
from mirdemo.stages.finetuning import estimate, gains, training
from mirdemo.stages.finetuning.cost import Cost, cost, hardware
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.inputs import Material, check_probe
from mirdemo.stages.finetuning.prefix_cache import PrefixCache
from mirdemo.stages.finetuning.report import FineTuneReport
from mirdemo.stages.finetuning.settings import FineTuneSettings
from mirdemo.stages.finetuning.step import Room, pooled
from mirdemo.stages.finetuning.training import Trained
from mirdemo.stages.finetuning.tuned import TunedHead
from mirdemo.stages.finetuning.versions import device_name, versions

if TYPE_CHECKING:
    from torch import Tensor

    from mirdemo.backbones.split import NeuralBackbone, Split
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.stages.probing import ProbeReport

#: With fewer training recordings none is held out for early stopping.
FEWEST_TO_HOLD_OUT = 4


class Job:
    """One call of ``fine_tune``: what its steps share."""

    def __init__(
        self,
        material: Material,
        backbone: NeuralBackbone,
        blocks: int | None,
        fold_of: np.ndarray,
        settings: FineTuneSettings,
        progress: Progress,
        on_epoch: Callable[[Epoch], None],
    ) -> None:
        self.material, self.backbone, self.settings = material, backbone, settings
        self.fold_of, self.n_folds = fold_of, int(fold_of.max()) + 1
        self.progress, self.on_epoch = progress, on_epoch
        self.split: Split = backbone.split(blocks)
        self.room = Room.on(backbone.device, backbone.spec.window_seconds, settings.batch)
        self.seconds: dict[str, float] = {}
        self.curve: list[Epoch] = []
        self.warnings: list[Sentence] = []

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - began

    def run(
        self,
        probed: ProbeReport | None,
        embedding_seconds: float | None,
        store: EmbeddingStore | None,
        smallest_gain: float,
        level: float,
        prices: Mapping[str, float],
        on_hardware: str | None,
    ) -> FineTuneReport:
        """All of it. Whatever is raised on the way, nothing stays in memory or on the disk."""
        title = self.backbone.spec.title
        try:
            if probed is None:
                probed, embedding_seconds = self._probe(store, level)
            check_probe(probed, self.material, self.backbone.identity)
            with self.timed("prefix"):
                cache = PrefixCache.build(
                    self.material.clips,
                    self.backbone,
                    self.split,
                    keeping=self.settings.keeping,
                    memory_bytes=self.settings.memory_bytes,
                    progress=self.progress,
                )
            with closing(cache):
                everything = np.arange(len(cache.windows))
                with self.timed("start"):
                    start = pooled(self.split.tail, cache, everything, self.room, title)
                scores, best_epochs = self._cross_validate(cache, start)
                final_epochs = max(1, int(np.median(best_epochs)))
                with self.timed("final"):
                    final = self._train(cache, start, everything, None, self.n_folds, stop_after=final_epochs)
                estimate.remember(self, cache)
                return self._report(
                    cache,
                    scores,
                    best_epochs,
                    final_epochs,
                    final,
                    probed,
                    embedding_seconds,
                    smallest_gain,
                    level,
                    prices,
                    on_hardware,
                )
        finally:
            del self.split  # an error's traceback keeps functions, and those keep this job

    def _probe(self, store: EmbeddingStore | None, level: float) -> tuple[ProbeReport, float]:
        """Stage 1 on the same clips and folds, for comparison: the report and the seconds of embedding."""
        from mirdemo.embedding.embed import embed
        from mirdemo.stages.probing.inputs import ask
        from mirdemo.stages.probing.live import probe_live

        material = self.material
        with self.timed("embedding"):
            embeddings = embed(material.clips, self.backbone, store=store, progress=self.progress)
        with self.timed("probing"):
            names = np.array(material.recording_names)[material.recordings]
            report = probe_live(
                ask(embeddings, material.labels, names, material.tags, None),
                n_folds=self.n_folds,
                seeds=(self.settings.seed,),
                penalty=1.0,
                permutations=0,
                level=level,
                scale=True,
                progress=self.progress,
                facts={
                    "identity": embeddings.identity.as_dict(),
                    "whitening": None,
                    "versions": versions(),
                },
            )
        return report, self.seconds["embedding"]

    def _cross_validate(self, cache: PrefixCache, start: Tensor) -> tuple[np.ndarray, list[int]]:
        """Out-of-fold scores 0..1 (n_clips, n_tags), and each fold's best epoch."""
        material, clip_of = self.material, cache.windows.clip_of
        values = np.full(material.labels.shape, np.nan)
        odds, best_epochs = [], []
        with self.timed("folds"):
            for fold in range(self.n_folds):
                train_clips = np.flatnonzero(self.fold_of != fold)
                learn_clips, held_clips = self._hold_out(train_clips, fold)
                learn = np.flatnonzero(np.isin(clip_of, learn_clips))
                held = None if held_clips is None else np.flatnonzero(np.isin(clip_of, held_clips))
                trained = self._train(cache, start, learn, held, fold)
                tested = np.flatnonzero(self.fold_of[clip_of] == fold)
                found = training.logits(
                    trained, cache, tested, len(values), self.room, self.backbone.spec.title
                )
                values[self.fold_of == fold] = found[self.fold_of == fold]
                odds.append(trained.prevalence.log_odds)
                best_epochs.append(trained.best_epoch)
                del trained
        # As in the probe: folds were trained on slightly different shares of a tag, which alone would order clips of
        # different folds, so each is moved to the mean of the folds' log-odds.
        odds = np.stack(odds)
        values += (odds.mean(0) - odds)[self.fold_of]
        return 0.5 * (1 + np.tanh(0.5 * values)), best_epochs

    def _hold_out(self, train_clips: np.ndarray, fold: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The training side in clips to learn from and clips to stop by; None where there are too few recordings."""
        recordings = self.material.recordings[train_clips]
        if len(np.unique(recordings)) < FEWEST_TO_HOLD_OUT:
            few = Sentence(
                "Training sides have fewer than {fewest} recordings, so none were held out and every epoch was run.",
                "finetuning.none_held_out",
                {"fewest": FEWEST_TO_HOLD_OUT},
            )
            if few not in self.warnings:
                self.warnings.append(few)
            return train_clips, None
        labels = self.material.labels[train_clips]
        learn, held = hold_out(recordings, labels, self.settings.held_out, self.settings.seed + fold)
        return train_clips[learn], train_clips[held]

    def _train(
        self,
        cache: PrefixCache,
        start: Tensor,
        learn: np.ndarray,
        held: np.ndarray | None,
        run: int,
        stop_after: int | None = None,
    ) -> Trained:
        """One run; its progress is its share of all runs', each of which counts its planned windows."""
        n, runs, ahead = len(start), self.n_folds + 1, 1000
        clip_of = cache.windows.clip_of
        sizes = [int((self.fold_of[clip_of] != fold).sum()) for fold in range(self.n_folds)] + [n]
        before, mine = sum(sizes[:run]), sizes[run]

        def tick(done: int, total: int) -> None:
            at = before + mine * (done / total if total else 1.0)
            self.progress(int(at * ahead / sum(sizes)), ahead, "training")

        def epoch_done(epoch: Epoch) -> None:
            self.curve.append(epoch)
            self.on_epoch(epoch)

        return training.train(
            cache,
            self.split.tail,
            self.material.labels,
            learn,
            held,
            start,
            self.settings,
            room=self.room,
            title=self.backbone.spec.title,
            stop_after=stop_after,
            tick=tick,
            on_epoch=epoch_done,
            run=run,
            runs=runs,
        )

    def _report(
        self,
        cache: PrefixCache,
        scores: np.ndarray,
        best_epochs: list[int],
        final_epochs: int,
        final: Trained,
        probed: ProbeReport,
        embedding_seconds: float | None,
        smallest_gain: float,
        level: float,
        prices: Mapping[str, float],
        on_hardware: str | None,
    ) -> FineTuneReport:
        material, backbone = self.material, self.backbone
        estimates = gains.estimates(scores, material.labels, material.recordings, self.n_folds)
        whole, each = gains.gains(
            estimates,
            probed.estimates,
            material.labels,
            material.recordings,
            material.tags,
            level,
            smallest_gain,
        )
        device = device_name(backbone.device)
        return FineTuneReport(
            identity=backbone.identity,
            title=backbone.spec.title,
            n_blocks=self.split.n_blocks,
            trainable_parameters=sum(p.numel() for p in self.split.tail.parameters() if p.requires_grad),
            macro=whole,
            tags=each,
            labels=material.labels,
            recordings=np.array(material.recording_names)[material.recordings],
            folds=self.fold_of[None],
            scores=scores,
            probed_scores=probed.scores,
            n_clips=len(material.clips),
            n_recordings=len(material.recording_names),
            n_windows=len(cache.windows),
            epochs=tuple(best_epochs),
            final_epochs=final_epochs,
            curve=tuple(self.curve),
            smallest_gain=smallest_gain,
            level=level,
            settings=asdict(self.settings),
            seeds=(self.settings.seed,),
            seconds=dict(self.seconds),
            costs=self._costs(probed, embedding_seconds, prices, on_hardware, device),
            cache={
                "place": cache.place,
                "precision": str(cache.dtype).removeprefix("torch."),
                "bytes": cache.nbytes,
            },
            device=device,
            versions=versions(),
            warnings=(*material.warnings, *backbone.warnings, *self.warnings),
            spec=backbone.spec,
            head=_head(final, material.tags, self.split.n_blocks),
            estimates=estimates,
        )

    def _costs(
        self,
        probed: ProbeReport,
        embedding_seconds: float | None,
        prices: Mapping[str, float],
        on_hardware: str | None,
        device: str,
    ) -> dict[str, Cost]:
        name = on_hardware or hardware(device, prices)
        own = sum(self.seconds[phase] for phase in ("prefix", "start", "folds", "final"))
        before = None if embedding_seconds is None else embedding_seconds + sum(probed.seconds.values())
        return {"fine_tuned": cost(own, name, prices), "probed": cost(before, name, prices)}


def _head(final: Trained, tags: tuple[str, ...], n_blocks: int) -> TunedHead:
    """The standardisation and the correction for the weighting folded into plain weights; tags that were learned."""
    head, known = final.head, final.prevalence.known
    with torch.no_grad():
        weights = (head.weight / head.scale).double().cpu().numpy()
        bias = head.bias.double().cpu().numpy() - weights @ head.centre.double().cpu().numpy()
    bias -= np.log(final.prevalence.weight)
    return TunedHead(
        [tag for tag, learned in zip(tags, known, strict=True) if learned],
        weights[known].T,
        bias[known],
        n_blocks,
        dict(training.tail_state(final.tail)),
    )
