"""Stage 2 from clips to a report: prefix once, cross-validation, final training, both comparisons.

A fold is made as the model that goes home is: some recordings of its training side are kept back to find the best
epoch, the tail is trained once more on the whole side for so many epochs, and the converged head is fitted to its
rows. The head alone is the same on the rows of the tail as it came, so the difference is what the training added.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.folds import hold_out
from mirdemo.stages.finetuning import gains, pace, training
from mirdemo.stages.finetuning.converged import Converged, out_of_fold
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.inputs import Material, best_probe, one_sided
from mirdemo.stages.finetuning.memory import Room
from mirdemo.stages.finetuning.prefix_cache import PrefixCache
from mirdemo.stages.finetuning.report import FineTuneReport
from mirdemo.stages.finetuning.settings import FineTuneSettings
from mirdemo.stages.finetuning.step import pooled
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
        self.visits = 0  # of windows by training steps
        self.warnings: list[Sentence] = []

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - began

    def run(
        self,
        probes: Sequence[ProbeReport],
        embedding_seconds: float | None,
        store: EmbeddingStore | None,
        smallest_gain: float,
        level: float,
    ) -> FineTuneReport:
        """All of it. Whatever is raised on the way, nothing stays in memory or on the disk."""
        title = self.backbone.spec.title
        try:
            if not probes:
                probes, embedding_seconds = self._probe(store, level)
            probed = best_probe(probes, self.material, self.backbone.identity)
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
                with self.timed("folds"):
                    tuned, given, untrained, best_epochs = self._cross_validate(cache, start)
                final_epochs = max(1, int(np.median(best_epochs)))
                with self.timed("final"):
                    final = self._train(cache, start, everything, None, self.n_folds, stop_after=final_epochs)
                    head = Converged.fitted(
                        self._rows(cache, final), self.material.labels, self.settings.penalty
                    )
                self._remember_pace(len(cache.windows))
                return self._report(
                    cache,
                    tuned,
                    given,
                    untrained,
                    best_epochs,
                    final_epochs,
                    _home(final, head, self.material.tags, self.split.n_blocks),
                    probed,
                    embedding_seconds,
                    smallest_gain,
                    level,
                )
        finally:
            del self.split  # an error's traceback keeps functions, and those keep this job

    def _remember_pace(self, n_windows: int) -> None:
        """So that the next run's time is known before it starts."""
        trained = self.seconds["folds"] + self.seconds["final"] + self.seconds["start"]
        pace.remember(
            self.backbone.spec,
            self.split.n_blocks,
            str(self.backbone.device),
            self.settings.precision,
            prefix=self.seconds["prefix"] / n_windows,
            training=trained / self.visits,
        )

    def _probe(self, store: EmbeddingStore | None, level: float) -> tuple[list[ProbeReport], float]:
        """Stage 1 on the same clips and folds, plain and whitened where there is a whitening; seconds of embedding."""
        from mirdemo.embedding.embed import embed
        from mirdemo.embedding.whitening import whitening_for
        from mirdemo.stages.probing import probe

        material = self.material
        with self.timed("embedding"):
            embeddings = embed(material.clips, self.backbone, store=store, progress=self.progress)
        with self.timed("probing"):
            whitening = whitening_for(self.backbone.identity)
            return [
                probe(
                    embeddings,
                    material.labels,
                    np.array(material.recording_names)[material.recordings],
                    tags=material.tags,
                    groups=np.array(material.group_names)[material.groups],
                    n_folds=self.n_folds,
                    seeds=(self.settings.seed,),
                    permutations=0,
                    level=level,
                    progress=self.progress,
                    whitening=one,
                )
                for one in ([None] if whitening is None else [None, whitening])
            ], self.seconds["embedding"]

    def _cross_validate(
        self, cache: PrefixCache, start: Tensor
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
        """Out of fold (n_clips, n_tags): scores 0..1 of the tuned tails, their decisions, scores of the untrained one; and best
        epochs."""
        labels, clip_of = self.material.labels, cache.windows.clip_of
        as_it_came = self._clip_rows(cache, start)
        tuned_rows, best_epochs = [], []
        tuned_heads: list[Any] = []
        untrained_heads: list[Any] = []
        for fold in range(self.n_folds):
            side = np.flatnonzero(self.fold_of != fold)
            learn_clips, held_clips = self._hold_out(side, fold)
            learn = np.flatnonzero(np.isin(clip_of, learn_clips))
            held = None if held_clips is None else np.flatnonzero(np.isin(clip_of, held_clips))
            trained = self._train(cache, start, learn, held, fold)
            best_epochs.append(trained.best_epoch)
            if held is not None:
                del trained  # before there is a second one
                whole = np.flatnonzero(np.isin(clip_of, side))
                trained = self._train(cache, start, whole, None, fold, stop_after=best_epochs[-1])
            tuned_rows.append(self._rows(cache, trained))
            del trained
            for heads, rows in ((tuned_heads, tuned_rows[-1]), (untrained_heads, as_it_came)):
                heads.append(Converged.fitted(rows[side], labels[side], self.settings.penalty))
        tuned, given = out_of_fold(tuned_heads, tuned_rows, self.fold_of)
        untrained, _ = out_of_fold(untrained_heads, [as_it_came] * self.n_folds, self.fold_of)
        return tuned, given, untrained, best_epochs

    def _rows(self, cache: PrefixCache, trained: Trained) -> np.ndarray:
        """What a trained tail makes of all clips: float64 (n_clips, size)."""
        everything = np.arange(len(cache.windows))
        return self._clip_rows(
            cache, pooled(trained.tail, cache, everything, self.room, self.backbone.spec.title)
        )

    def _clip_rows(self, cache: PrefixCache, rows: Tensor) -> np.ndarray:
        """The mean over each clip's windows. rows: (n_windows, size)"""
        return training.clip_means(
            rows.double().cpu().numpy(), cache.windows.clip_of, len(self.material.clips)
        )

    def _hold_out(self, train_clips: np.ndarray, fold: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The training side in clips to learn from and clips to stop by; None where there are too few recordings."""
        groups = self.material.groups[train_clips]
        if len(np.unique(groups)) < FEWEST_TO_HOLD_OUT:
            few = Sentence(
                "Training sides have fewer than {fewest} recordings, so none were held out and every epoch was run.",
                "finetuning.none_held_out",
                {"fewest": FEWEST_TO_HOLD_OUT},
            )
            if few not in self.warnings:
                self.warnings.append(few)
            return train_clips, None
        labels = self.material.labels[train_clips]
        learn, held = hold_out(groups, labels, self.settings.held_out, self.settings.seed + fold)
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
        """One run; its progress is its share of all runs', each of which counts its planned windows.

        A fold is two runs where recordings are held out: one that finds the best epoch, then one on its whole side.
        """
        runs, ahead = self.n_folds + 1, 1000
        again = held is None and stop_after is not None and run < self.n_folds
        before, mine, everything = self._planned(cache, run, again)

        def tick(done: int, total: int) -> None:
            at = before + mine * (done / total if total else 1.0)
            self.progress(int(at * ahead / everything), ahead, "training")

        def epoch_done(epoch: Epoch) -> None:
            epoch = replace(epoch, again=again)
            self.visits += len(learn)
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

    def _planned(self, cache: PrefixCache, run: int, again: bool) -> tuple[float, float, float]:
        """Windows an epoch that are planned before this run, in it, and in all runs together."""
        fold_of = self.fold_of[cache.windows.clip_of]
        sides = [float((fold_of != fold).sum()) for fold in range(self.n_folds)]
        parts = [part for side in sides for part in (side * (1 - self.settings.held_out), side)]
        parts.append(float(len(fold_of)))
        at = 2 * run + again
        return sum(parts[:at]), parts[at], sum(parts)

    def _report(
        self,
        cache: PrefixCache,
        scores: np.ndarray,
        given: np.ndarray,
        untrained: np.ndarray,
        best_epochs: list[int],
        final_epochs: int,
        head: TunedHead,
        probed: ProbeReport,
        embedding_seconds: float | None,
        smallest_gain: float,
        level: float,
    ) -> FineTuneReport:
        material, backbone = self.material, self.backbone
        estimates, alone = (
            gains.estimates(found, material.labels, material.groups, self.n_folds)
            for found in (scores, untrained)
        )
        whole, each = gains.gains(
            estimates,
            alone,
            probed.estimates,
            material,
            level,
            smallest_gain,
        )
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
            untrained_scores=untrained,
            given=given,
            probed_scores=probed.scores,
            probe_whitening=probed.whitening,
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
            from_nothing=self._from_nothing(probed, embedding_seconds),
            cache={
                "place": cache.place,
                "precision": str(cache.dtype).removeprefix("torch."),
                "bytes": cache.nbytes,
            },
            device=device_name(backbone.device),
            versions=versions(),
            warnings=(*one_sided(material), *backbone.torch_warnings, *self.warnings),
            spec=backbone.spec,
            head=head,
            estimates=estimates,
        )

    def _from_nothing(self, probed: ProbeReport, embedding_seconds: float | None) -> dict[str, float]:
        """Seconds of each: the embeddings may have been there, which costs whoever comes next the same.

        Every window went once through all layers here (``prefix`` and ``start``): embedding takes no less.
        """
        through = self.seconds["prefix"] + self.seconds["start"]
        return {
            "fine_tuned": through + self.seconds["folds"] + self.seconds["final"],
            "probed": max(embedding_seconds or 0.0, through) + sum(probed.seconds.values()),
        }


def _home(final: Trained, head: Converged, tags: tuple[str, ...], n_blocks: int) -> TunedHead:
    """The tail and its head as plain weights, for the tags that were learned."""
    weights, bias = head.plain()
    return TunedHead(
        [tag for tag, learned in zip(tags, head.known, strict=True) if learned],
        weights[:, head.known],
        bias[head.known],
        n_blocks,
        dict(training.tail_state(final.tail)),
    )
