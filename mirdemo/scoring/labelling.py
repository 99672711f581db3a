"""What n clips are labelled with: labels, tags, recordings and what keeps recordings together, checked once for all stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.base.sentences import MirdemoError


class LabellingError(MirdemoError):
    """Labels, recordings and tags do not fit together, or there is nothing in them. One sentence: what to do."""


@dataclass(frozen=True, eq=False)
class Labelling:
    """Labels that fit their recordings and tags. Make it with ``Labelling.of``, which checks.

    labels: uint8 0/1 (n_clips, n_tags); tags: (n_tags,), each once
    recordings: int (n_clips,), numbered in the order of ``recording_names``, which are sorted
    groups: int (n_clips,), numbered in the order of ``group_names``: what neither folds nor permutations may part
        (a session, a performer). The recordings themselves where nothing coarser was given
    """

    labels: np.ndarray
    tags: tuple[str, ...]
    recordings: np.ndarray
    recording_names: tuple[str, ...]
    groups: np.ndarray
    group_names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        labels: Any,
        recordings: Sequence[Any] | np.ndarray | None,
        tags: Sequence[str] | None = None,
        groups: Sequence[Any] | np.ndarray | None = None,
    ) -> Labelling:
        """Check and number.

        labels: 0/1 (n_clips, n_tags), at least one of each; tags: names of the columns, None: ``"0"``, ``"1"``, ...
        recordings: (n_clips,) the recording of each clip; groups: (n_clips,) a coarser division, or None. Names or
            numbers, compared as text
        Raises LabellingError, and nothing else, for whatever else is given.
        """
        truth, names = _table(labels, tags)
        codes, recording_names = _numbered(recordings, len(truth))
        if groups is None:
            return cls(truth, names, codes, recording_names, codes, recording_names)
        coarse, group_names = _numbered(groups, len(truth))
        lowest, highest = np.full(len(recording_names), len(group_names)), np.full(len(recording_names), -1)
        np.minimum.at(lowest, codes, coarse)
        np.maximum.at(highest, codes, coarse)
        if (lowest != highest).any():
            raise LabellingError(
                "The recording {name} is in more than one session. Put all its clips in one.",
                code="scoring.recording_parted",
                name=recording_names[int(np.flatnonzero(lowest != highest)[0])],
            )
        return cls(truth, names, codes, recording_names, coarse, group_names)

    def __len__(self) -> int:
        """Clips."""
        return len(self.labels)

    @property
    def one_sided(self) -> tuple[str, ...]:
        """Tags that all clips have or none has: nothing can be learned of them."""
        same = self.labels.min(0) == self.labels.max(0)
        return tuple(tag for tag, one in zip(self.tags, same, strict=True) if one)

    @property
    def having(self) -> np.ndarray:
        """Recordings with a clip that has the tag: int (n_tags,)."""
        return self._recordings_where(1)

    @property
    def lacking(self) -> np.ndarray:
        """Recordings with a clip that lacks the tag: int (n_tags,)."""
        return self._recordings_where(0)

    def _recordings_where(self, value: int) -> np.ndarray:
        there = np.zeros((len(self.recording_names), len(self.tags)), bool)
        np.logical_or.at(there, self.recordings, self.labels == value)
        return there.sum(0)


def _table(labels: Any, tags: Sequence[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    try:
        truth = np.asarray([] if labels is None else labels)
    except ValueError:  # rows of different lengths
        truth = np.zeros(0)
    if truth.ndim != 2 or 0 in truth.shape:
        raise LabellingError(
            "No clip has a tag. Give at least one tag to some of the clips: one row a clip, one column a tag.",
            code="scoring.no_tags",
        )
    if not np.isin(truth, (0, 1)).all():
        raise LabellingError("Labels must be 0 or 1 for each clip and tag.", code="scoring.not_binary")
    names = tuple(map(str, range(truth.shape[1]) if tags is None else tags))
    if len(names) != truth.shape[1] or len(set(names)) != len(names):
        raise LabellingError(
            "There are {columns} columns of labels and {names} different tags. Name each column once.",
            code="scoring.tags_differ",
            columns=truth.shape[1],
            names=len(set(names)),
        )
    return truth.astype(np.uint8), names


def _numbered(given: Sequence[Any] | np.ndarray | None, n_clips: int) -> tuple[np.ndarray, tuple[str, ...]]:
    if given is None or np.ndim(given) != 1 or len(given) != n_clips:
        raise LabellingError(
            "There are {labels} rows of labels and {recordings} recordings. Give each clip one of both.",
            code="scoring.counts_differ",
            labels=n_clips,
            recordings=0 if given is None else np.size(given),
        )
    names, codes = np.unique([str(name) for name in given], return_inverse=True)
    return codes, tuple(map(str, names))


def same_division(one: Sequence | np.ndarray, other: Sequence | np.ndarray) -> bool:
    """Whether two namings part the same clips into the same groups, whatever these are called. one, other: (n_clips,)"""
    first, second = np.asarray(one).tolist(), np.asarray(other).tolist()
    return len(first) == len(second) and len(set(zip(first, second, strict=True))) == len(set(first)) == len(
        set(second)
    )
