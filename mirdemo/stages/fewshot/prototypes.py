"""LC-Protonets without their cost: the same predictions from the closed label sets alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.stages.fewshot.calibration import logistic, unknown_limit
from mirdemo.stages.fewshot.closed_sets import MAX_SETS, ClosedSets, closed_sets, prototypes
from mirdemo.stages.fewshot.errors import FewShotError, check_embeddings, check_support
from mirdemo.stages.fewshot.held_out import (
    HeldOut,
    first_of_tied,
    held_out_distances,
    leave_out,
    pairwise_distances,
)
from mirdemo.stages.fewshot.nearest import Distance, NearestPrototype


@dataclass(frozen=True, eq=False)
class Decisions:
    """What LCPrototypes decided for each of q queries.

    labels: uint8 (q, n_tags), the prediction; all zeros where unknown or "none of these"
    label_set: int64 (q,), index of the nearest label set in ``LCPrototypes.label_sets``
    distance: float64 (q,), to that set's prototype
    margin: float64 (q,), how much farther the nearest prototype of another label set is; infinity if there
        is only one. Zero at a tie
    runner_up: int64 (q,), index of that other label set, -1 if there is none
    unknown: bool (q,), too far from every prototype: no tag, and not "none of these" either
    """

    labels: np.ndarray
    label_set: np.ndarray
    distance: np.ndarray
    margin: np.ndarray
    runner_up: np.ndarray
    unknown: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Supporter:
    """A support clip behind a label set: its row in the support set and its own distance from the query."""

    row: int
    distance: float


@dataclass(frozen=True)
class Explanation:
    """Why one query got its tags.

    tags: the winning label set (empty: "none of these"), whether or not the query counts as unknown
    distance, margin: as in ``Decisions``
    runner_up: the tags of the next nearest label set, None if there is no other
    unknown: no tag was given, because ``distance`` is above ``threshold``
    threshold: farthest distance that still gets tags, None if there is none
    supporting: the support clips whose mean the prototype is, nearest to the query first
    """

    tags: tuple[str, ...]
    distance: float
    margin: float
    runner_up: tuple[str, ...] | None
    unknown: bool
    threshold: float | None
    supporting: tuple[Supporter, ...]


class LCPrototypes:
    """Multi-label few-shot tagging by LC-Protonets (Papaioannou et al., arXiv 2409.11264), exactly.

    A query gets the whole tag set of its nearest prototype. Predictions are those of the full power set of
    label combinations with the published tie rule: the larger set wins, among equally large ones the one
    met first (by supporting clip, then by tag). Only the closed sets are computed (see ``closed_sets``).
    Distances closer than one part in 10^9 count as equal, so that rounding decides no tie.

    distance: ``"cosine"`` (published) or ``"euclidean"``, between a query and the mean of raw embeddings.
    negatives: rows without tags get a prototype of their own, "none of these". Ours, not in the paper,
        whose items all carry tags; False leaves such rows out.
    unknown: a query farther from every prototype than a threshold gets no tag. Ours, not in the paper. The
        threshold comes from the support set: each recording's clips are measured against prototypes made
        without that recording.
    false_unknown: the share of clips like the support's, from new recordings, that may be called unknown
        (see ``calibration.unknown_limit``).
    max_sets: refuse support sets with more closed label sets than this.

    ``LCPrototypes.published()`` is the method of the paper, with neither addition.
    """

    name = "lc-prototypes"

    def __init__(
        self,
        distance: Distance = "cosine",
        *,
        negatives: bool = True,
        unknown: bool = True,
        false_unknown: float = 0.05,
        max_sets: int = MAX_SETS,
    ) -> None:
        if not 0 < false_unknown < 1 or max_sets < 1:
            raise FewShotError(
                "The share of false unknowns lies between 0 and 1, and at least one label set is needed.",
                code="fewshot.setting",
            )
        self.distance: Distance = distance
        self.negatives = negatives
        self.unknown = unknown
        self.false_unknown = false_unknown
        self.max_sets = max_sets

    @classmethod
    def published(cls, distance: Distance = "cosine") -> LCPrototypes:
        """As in the paper: no "none of these", no unknown."""
        return cls(distance, negatives=False, unknown=False)

    def fit(
        self,
        embeddings: np.ndarray,
        labels: np.ndarray,
        recordings: Sequence | np.ndarray | None = None,
        tags: Sequence[str] | None = None,
        *,
        sets: ClosedSets | None = None,
    ) -> LCPrototypes:
        """Make the prototypes of a support set.

        embeddings: (n, dim). labels: 0/1 (n, n_tags). A row may appear more than once and then counts so
        often. recordings: (n,) names of what each clip comes from, None: each its own. tags: names.
        sets: ``closed_sets(labels)`` where it is known already (the same labels on many layers).

        Raises FewShotError on wrong shapes or values, if no clip carries a tag, and if the labels
        combine in more than ``max_sets`` ways.
        """
        checked = check_support(embeddings, labels, recordings, tags)
        self.embeddings, self.labels, self.recordings, self.tags = checked
        self._sets = sets or closed_sets(self.labels, negatives=self.negatives, limit=self.max_sets)
        self.prototypes = prototypes(self.embeddings, self._sets.members)
        self._nearest = NearestPrototype(
            self.prototypes, self.distance, float(np.linalg.norm(self.embeddings, axis=1).max())
        )
        self._held_out: HeldOut | None = None
        self._spread: float | None = None
        self.threshold: float | None = None
        self.false_unknown_rate: float | None = None
        if self.unknown:
            self.threshold, self.false_unknown_rate = self._calibrate(np.ones(len(self.embeddings), bool))
        return self

    @property
    def label_sets(self) -> np.ndarray:
        """uint8 (m, n_tags): the label set of each row of ``prototypes``."""
        return self._sets.sets

    @property
    def members(self) -> np.ndarray:
        """bool (n, m): which support rows each prototype is the mean of."""
        return self._sets.members

    def tags_of(self, label_set: int) -> tuple[str, ...]:
        """Tag names of one label set, by its index."""
        return tuple(self.tags[j] for j in np.flatnonzero(self.label_sets[label_set]))

    def predict(self, queries: np.ndarray) -> np.ndarray:
        """Tags of each query: (q, dim) -> uint8 (q, n_tags)."""
        checked = self._check(queries)
        index, distance = self._nearest.nearest(checked)
        labels = self.label_sets[index]
        if self.threshold is not None:
            labels[distance > self.threshold] = 0
        return labels

    def decide(self, queries: np.ndarray) -> Decisions:
        """Tags of each query with what they rest on: (q, dim) -> Decisions."""
        checked = self._check(queries)
        index, distance, other, farther = self._nearest.nearest(checked, second=True)
        unknown = np.zeros(len(index), bool) if self.threshold is None else distance > self.threshold
        labels = self.label_sets[index]
        labels[unknown] = 0
        # within a tie the winner may be the farther one by a rounding
        margin = np.maximum(farther - distance, 0.0)
        return Decisions(labels, index, distance, margin, other, unknown)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """How clearly each tag fits: (q, dim) -> float64 (q, n_tags) in [0, 1], for ranking. No probability.

        A logistic function of how much nearer the nearest label set with the tag is than the nearest one
        without it, in units of ``spread``; being unknown counts as a set without tags at the threshold's
        distance. So a predicted tag has 0.5 or more and any other 0.5 or less.
        """
        checked = self._check(queries)
        out = np.empty((len(checked), len(self.tags)))
        step = max(1, (1 << 22) // len(self._sets))
        limit = np.inf if self.threshold is None else self.threshold
        for start in range(0, len(checked), step):
            distances = self._nearest.distances(checked[start : start + step])
            out[start : start + step] = self._scores(distances, np.full(len(distances), limit))
        return out

    def explain(self, query: np.ndarray) -> Explanation:
        """Why one query, (dim,), gets its tags."""
        row = self._check(query)
        decision = self.decide(row)
        won, other = int(decision.label_set[0]), int(decision.runner_up[0])
        rows = np.flatnonzero(self.members[:, won])
        own = NearestPrototype(self.embeddings[rows], self.distance, self._nearest.size).distances(row)[0]
        order = np.argsort(own, kind="stable")
        return Explanation(
            tags=self.tags_of(won),
            distance=float(decision.distance[0]),
            margin=float(decision.margin[0]),
            runner_up=None if other < 0 else self.tags_of(other),
            unknown=bool(decision.unknown[0]),
            threshold=self.threshold,
            supporting=tuple(Supporter(int(rows[i]), float(own[i])) for i in order),
        )

    @property
    def spread(self) -> float:
        """The unit of ``scores``: the median distance of a support clip that is measured without its recording."""
        if self._spread is None:
            seen = self._leave_out().distance
            seen = seen[np.isfinite(seen)]
            floor = 0.01 if self.distance == "cosine" else 0.01 * max(self._nearest.size, 1e-12)
            self._spread = max(float(np.median(seen)), floor) if len(seen) else 10 * floor
        return self._spread

    def leave_one_recording_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Tag the support set itself, each recording by prototypes made without it.

        Returns labels uint8 (n, n_tags) and scores float64 (n, n_tags). Exactly what refitting without each
        recording would predict, at about the cost of one fit; only the unknown threshold is approximate: the
        recording's own clips do not enter it, but they are in the prototypes that the others' distances
        were measured from. A recording without which no tag is left gets no tag and scores of 0.
        """
        labels, thresholds = self._given_without_own_recording()
        scores = np.zeros(labels.shape)
        for rows, distances in held_out_distances(*self._parts()):
            if np.isfinite(distances).any():
                scores[rows] = self._scores(distances, thresholds[rows])
        return labels, scores

    def given_without_own_recording(self) -> np.ndarray:
        """The labels of ``leave_one_recording_out`` alone, uint8 (n, n_tags), at half its cost."""
        return self._given_without_own_recording()[0]

    def _given_without_own_recording(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels uint8 (n, n_tags) and the unknown thresholds float64 (n,)."""
        held = self._leave_out()
        thresholds = np.full(len(self.embeddings), np.inf)
        if self.unknown:
            for recording in np.unique(self.recordings):
                mine = self.recordings == recording
                threshold, _ = self._calibrate(~mine)
                thresholds[mine] = np.inf if threshold is None else threshold
        labels = np.where(held.index[:, None] >= 0, self.label_sets[held.index], 0).astype(np.uint8)
        labels[held.distance > thresholds] = 0
        return labels, thresholds

    def leave_pairs_out(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tag the support set itself, each group of recordings by prototypes made without it and one other group.

        groups: int64 (n,), 0 ... n_groups - 1, the group of each row, recordings never parted. Returns labels uint8
        (n, n_groups, n_tags) and how clearly each tag fits, float64 of that shape, in no unit: ``[i, h]`` is row i
        without its own group and group h, at its own group without that alone. As exact as
        ``leave_one_recording_out``, and with the same approximate unknown threshold.
        """
        self._leave_out()
        n, n_groups = len(self.embeddings), int(groups.max()) + 1
        labels = np.zeros((n, n_groups, len(self.tags)), np.uint8)
        clear = np.full(labels.shape, -np.inf)
        limits = np.full((n_groups, n_groups), np.inf)
        if self.unknown:
            for own in range(n_groups):
                for other in range(own, n_groups):
                    limit, _ = self._calibrate((groups != own) & (groups != other))
                    limits[own, other] = limits[other, own] = np.inf if limit is None else limit
        sizes = self.label_sets.sum(axis=1, dtype=np.int64)
        for rows, distances in pairwise_distances(self.embeddings, self._sets, groups, self._nearest):
            own = int(groups[rows[0]])
            flat = distances.reshape(-1, distances.shape[2])
            least = flat.min(axis=1)
            there = np.flatnonzero(np.isfinite(least))
            flat, least = flat[there], least[there]
            tied = flat <= (least + self._nearest.tie(least))[:, None]
            index = tied.argmax(axis=1)
            # sets come larger ones first: only others as large as the first one can still win
            rivals = (tied & (sizes == sizes[index][:, None])).sum(axis=1) > 1
            for i in np.flatnonzero(rivals):
                kept = (groups != own) & (groups != there[i] % n_groups)
                index[i] = first_of_tied(np.flatnonzero(tied[i]), self._sets, kept)
            at = rows[there // n_groups], there % n_groups
            limit = limits[own, at[1]]
            said = self.label_sets[index]
            said[least > limit] = 0
            near, far = self._near_and_far(flat, limit)
            labels[at] = said
            with np.errstate(invalid="ignore"):
                clear[at] = np.where(np.isposinf(near), -np.inf, far - near)
        return labels, clear

    def _check(self, queries: np.ndarray) -> np.ndarray:
        if not hasattr(self, "prototypes"):
            raise FewShotError("There is no support set yet. Fit one first.", code="fewshot.not_fitted")
        return check_embeddings(queries, dim=self.embeddings.shape[1])

    def _leave_out(self) -> HeldOut:
        if self._held_out is None:
            self._held_out = leave_out(*self._parts())
        return self._held_out

    def _parts(self) -> tuple:
        return self.embeddings, self._sets, self.prototypes, self.recordings, self._nearest

    def _calibrate(self, rows: np.ndarray) -> tuple[float | None, float | None]:
        """The unknown threshold from the chosen rows (bool (n,)), and the share it calls unknown by mistake.

        Only clips whose tags are all held by other recordings too say how far a known clip may lie.
        """
        held = self._leave_out()
        usable = rows & held.covered & np.isfinite(held.distance)
        return unknown_limit(
            held.distance[usable], self.recordings[usable], self.false_unknown, self.distance
        )

    def _scores(self, distances: np.ndarray, limits: np.ndarray) -> np.ndarray:
        """Scores from distances to every set: float64 (q, m), thresholds (q,) -> (q, n_tags)."""
        near, far = self._near_and_far(distances, limits)
        with np.errstate(invalid="ignore"):
            return logistic(np.where(np.isposinf(near), -np.inf, (far - near) / self.spread))

    def _near_and_far(self, distances: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest set with each tag, and what it has to beat: (q, m), thresholds (q,) -> twice (q, n_tags).

        Distances are infinite for sets that do not exist; thresholds where there is none.
        """
        has = self.label_sets.astype(bool)
        by_set = np.ascontiguousarray(distances.T)
        least = by_set.min(axis=0)
        winner = has[by_set.argmin(axis=0)]
        near = np.empty((len(distances), has.shape[1]))
        far = np.repeat(least[:, None], has.shape[1], axis=1)
        for tag in range(has.shape[1]):
            near[:, tag] = by_set[has[:, tag]].min(axis=0, initial=np.inf)
            # a query whose nearest set lacks the tag has it for the nearest set without; the others look on
            on = np.flatnonzero(winner[:, tag])
            far[on, tag] = by_set[np.ix_(~has[:, tag], on)].min(axis=0, initial=np.inf)
        return near, np.minimum(far, limits[:, None])

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What another process needs to make the same tagger: plain settings, and arrays."""
        settings = {
            "distance": self.distance,
            "negatives": self.negatives,
            "unknown": self.unknown,
            "false_unknown": self.false_unknown,
            "max_sets": self.max_sets,
            "tags": list(self.tags),
        }
        arrays = {
            "support": self.embeddings.astype(np.float32),
            "labels": self.labels,
            "recordings": self.recordings.astype(np.int64),
        }
        return settings, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> LCPrototypes:
        """The tagger that ``state`` described: refitted, which is exact and takes milliseconds."""
        choices = {k: settings[k] for k in ("distance", "negatives", "unknown", "false_unknown", "max_sets")}
        return cls(**choices).fit(arrays["support"], arrays["labels"], arrays["recordings"], settings["tags"])
