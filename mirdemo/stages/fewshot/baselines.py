"""One prototype a tag: ML-PN and one-vs-rest, as published and with calibrated thresholds.

Without fine-tuning of the backbone the published rule, "cosine above 0", gives nearly every tag to nearly every
clip, because embeddings of one backbone all point roughly the same way; the F1 published for these baselines
on frozen backbones is that of giving every tag (arXiv 2409.11264, results files). The calibrated variants are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from mirdemo.stages.fewshot.calibration import best_thresholds, logistic
from mirdemo.stages.fewshot.errors import check_embeddings, check_support
from mirdemo.stages.fewshot.nearest import Distance, NearestPrototype


class TagPrototypes:
    """ML-PN: each tag's prototype is the mean of the support clips that carry it; tags are decided apart.

    distance: ``"cosine"`` or ``"euclidean"``.
    calibrated: False, the published rule: a tag is given where the cosine similarity is above 0 (Euclidean:
        where the distance is in the nearer half between the query's nearest and farthest tag). Expect nearly
        every tag on a frozen backbone. True, ours: a threshold a tag with the best F1 on the support set, each
        clip scored by prototypes made without its recording.
    """

    name = "ml-pn"

    def __init__(self, distance: Distance = "cosine", *, calibrated: bool = False) -> None:
        self.distance: Distance = distance
        self.calibrated = calibrated

    def fit(
        self,
        embeddings: np.ndarray,
        labels: np.ndarray,
        recordings: Sequence | np.ndarray | None = None,
        tags: Sequence[str] | None = None,
    ) -> Self:
        """(n, dim), 0/1 (n, n_tags), (n,), names -> self. Raises FewShotError as ``LCPrototypes.fit`` does."""
        rows, table, codes, self.tags = check_support(embeddings, labels, recordings, tags)
        self._size = float(np.linalg.norm(rows, axis=1).max())
        used = self._used(table)
        counts = used.sum(axis=0)
        self.prototypes = _means(used.T @ rows, counts)
        self.thresholds = np.zeros(len(self.tags))
        self.spread = 1.0
        if self.calibrated:
            held = self._without_own_recording(rows, used, codes)
            self.thresholds = best_thresholds(held, table)
            seen = held[np.isfinite(held)]
            self.spread = max(float(seen.std()), 1e-6) if len(seen) else 1.0
        return self

    def predict(self, queries: np.ndarray) -> np.ndarray:
        """(q, dim) -> uint8 (q, n_tags)."""
        return (self.nearness(queries) > self.thresholds).astype(np.uint8)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """(q, dim) -> float64 (q, n_tags): logistic in the distance from the threshold. No probabilities."""
        near = self.nearness(queries)
        with np.errstate(invalid="ignore"):
            return logistic(np.where(np.isneginf(near), -np.inf, (near - self.thresholds) / self.spread))

    def nearness(self, queries: np.ndarray) -> np.ndarray:
        """What is compared with the thresholds: (q, dim) -> float64 (q, n_tags), -infinity for tags without clips.

        The cosine similarity; for Euclidean distances minus the distance, as published rescaled for each query
        to between -1 (farthest tag) and 1 (nearest).
        """
        near = self._nearness(check_embeddings(queries, dim=self.prototypes.shape[1]), self.prototypes)
        if self.distance == "euclidean" and not self.calibrated:
            finite = np.isfinite(near)
            least = np.where(finite, near, np.inf).min(axis=1, keepdims=True)
            most = near.max(axis=1, keepdims=True)
            near = 2 * (near - least) / (most - least + 1e-5) - 1  # 1e-5 as published, where all are equal
        return near

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        settings = {
            "distance": self.distance,
            "calibrated": self.calibrated,
            "tags": list(self.tags),
            "spread": self.spread,
            "size": self._size,
        }
        return settings, {"prototypes": self.prototypes, "thresholds": self.thresholds}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        made = cls(settings["distance"], calibrated=settings["calibrated"])
        made.tags = tuple(settings["tags"])
        made.spread, made._size = float(settings["spread"]), float(settings["size"])
        made.prototypes = np.asarray(arrays["prototypes"], np.float64)
        made.thresholds = np.asarray(arrays["thresholds"], np.float64)
        return made

    def _used(self, labels: np.ndarray) -> np.ndarray:
        """float64 (n, n_tags): 1 where a clip is part of a tag's prototype."""
        return labels.astype(np.float64)

    def _nearness(self, queries: np.ndarray, prototypes: np.ndarray) -> np.ndarray:
        known = np.isfinite(prototypes).all(axis=1)
        near = np.full((len(queries), len(prototypes)), -np.inf)
        if known.any():
            far = NearestPrototype(prototypes[known], self.distance, self._size).distances(queries)
            near[:, known] = 1.0 - far if self.distance == "cosine" else -far
        return near

    def _without_own_recording(
        self, rows: np.ndarray, used: np.ndarray, recordings: np.ndarray
    ) -> np.ndarray:
        """float64 (n, n_tags): each clip's nearness to prototypes made without its recording."""
        near = self._nearness(rows, self.prototypes)
        counts = used.sum(axis=0)
        for recording in np.unique(recordings):
            mine = np.flatnonzero(recordings == recording)
            changed = np.flatnonzero(used[mine].any(axis=0))
            part = used[np.ix_(mine, changed)]
            left = counts[changed] - part.sum(axis=0)
            sums = self.prototypes[changed] * counts[changed][:, None] - part.T @ rows[mine]
            near[np.ix_(mine, changed)] = self._nearness(rows[mine], _means(sums, left))
        return near


class OneVsRest(TagPrototypes):
    """One-vs-rest as published: at inference ML-PN's rule, on at most ``k_shot`` clips a tag.

    The published one-vs-rest differs from ML-PN in training (single-label episodes) and in its sampler: a clip
    stands for one tag at a time, and a tag that other tags' clips have filled beyond K keeps K of them at
    random. Frozen backbones leave only the second. k_shot None: every clip of a tag, which is ML-PN.
    Expect nearly every tag on a frozen backbone unless ``calibrated``.
    """

    name = "ovr"

    def __init__(
        self,
        distance: Distance = "cosine",
        *,
        calibrated: bool = False,
        k_shot: int | None = 3,
        seed: int = 0,
    ) -> None:
        super().__init__(distance, calibrated=calibrated)
        self.k_shot = k_shot
        self.seed = seed

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        settings, arrays = super().state()
        return {**settings, "k_shot": self.k_shot, "seed": self.seed}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        made = super().from_state(settings, arrays)
        made.k_shot, made.seed = settings["k_shot"], int(settings["seed"])
        return made

    def _used(self, labels: np.ndarray) -> np.ndarray:
        used = labels.astype(np.float64)
        if self.k_shot is None:
            return used
        rng = np.random.default_rng(self.seed)
        for tag in range(used.shape[1]):
            rows = np.flatnonzero(used[:, tag])
            if len(rows) > self.k_shot:
                used[rng.choice(rows, len(rows) - self.k_shot, replace=False), tag] = 0
        return used


def _means(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(t, dim), (t,) -> (t, dim); NaN where there is nothing to take the mean of."""
    return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], np.nan)
