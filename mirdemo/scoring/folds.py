"""Splits that never part a recording: drawn blindly, by the clips' own contents, or keeping every tag's share even.

``content_folds`` is for figures: neither names nor any tag decide it, so that renaming files or adding a tag changes no
figure of another. ``recording_folds`` and ``hold_out`` are for training and testing once: iterative stratification (Sechidis, Tsoumakas
and Vlahavas, 2011) over recordings instead of clips: the tag with the fewest recordings left is dealt out first, each
recording to the fold that lacks this tag most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from mirdemo.base.sentences import MirdemoError


class FoldsError(MirdemoError):
    """There are too few recordings to split so. One sentence: how many are needed, what to do."""


def content_order(groups: np.ndarray, recordings: np.ndarray, keys: Sequence[str]) -> np.ndarray:
    """The clips in an order that their contents alone decide: int (n_clips,), groups and recordings whole.

    groups, recordings: int (n_clips,), recordings within groups; keys: (n_clips,) the content of each clip, e.g. its SHA-256
    """
    recording_keys, group_keys = _joined(recordings, keys), _joined(groups, keys)
    return np.array(
        sorted(
            range(len(keys)),
            key=lambda i: (
                group_keys[int(groups[i])],
                int(groups[i]),
                recording_keys[int(recordings[i])],
                int(recordings[i]),
                keys[i],
            ),
        )
    )


def content_seed(keys: Sequence[str]) -> int:
    """A seed that depends on what the clips hold, not on their order or names."""
    return int.from_bytes(hashlib.sha256("\n".join(sorted(keys)).encode()).digest()[:8], "big")


def content_folds(groups: np.ndarray, keys: Sequence[str], n_folds: int, draw: int) -> np.ndarray:
    """The fold that tests each clip: int (n_clips,) in [0, n_folds), whole groups, as many of them in each as can be.

    groups: int (n_clips,), 0..n_groups-1; keys: as in ``content_order``; draw: which of many such divisions
    Equal contents give equal folds whatever their order, names and labels. Raises ``FoldsError`` with fewer groups
    than folds.
    """
    joined = _joined(groups, keys)
    if n_folds < 2 or len(joined) < n_folds:
        raise _too_few(n_folds, len(joined))
    rng = np.random.default_rng([content_seed(keys), draw])
    fold_of = np.empty(len(joined), int)
    fold_of[sorted(joined, key=lambda group: (joined[group], group))] = rng.permutation(
        np.arange(len(joined)) % n_folds
    )
    return fold_of[groups]


def most_complete(draws: Iterable[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Of several divisions, the first in which the most tags can be learned from every training side.

    draws: int (n_clips,) each, the fold that tests a clip; labels: {0, 1} (n_clips, n_tags)
    Blind draws may put all recordings of a rare tag into one fold, whose training side then has none.
    """
    labels = np.asarray(labels) > 0

    def learnable(fold_of: np.ndarray) -> int:
        sides = [labels[fold_of != fold] for fold in np.unique(fold_of)]
        return int(np.all([side.any(0) & ~side.all(0) for side in sides], axis=0).sum())

    return max(draws, key=learnable)


def _joined(groups: np.ndarray, keys: Sequence[str]) -> dict[int, str]:
    """Group -> the key of all its clips together."""
    held: dict[int, list[str]] = {}
    for group, key in zip(np.asarray(groups).tolist(), keys, strict=True):
        held.setdefault(group, []).append(key)
    return {group: hashlib.sha256("\n".join(sorted(own)).encode()).hexdigest() for group, own in held.items()}


def _too_few(parts: int, recordings: int) -> FoldsError:
    return FoldsError(
        "{parts} parts need at least {parts} recordings, and there are {recordings}. "
        "Add recordings or choose fewer parts (at least 2).",
        code="clips.too_few_recordings_to_split",
        parts=parts,
        recordings=recordings,
    )


def recording_folds(
    recordings: Sequence[str] | np.ndarray, labels: np.ndarray, n_folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """``n_folds`` pairs of (train, test) clip indices, ascending; the test parts cover every clip once.

    recordings: (n_clips,), the recording of each clip; labels: {0, 1} (n_clips, n_tags)
    The same arguments give the same folds. Raises ``FoldsError`` with fewer recordings than folds.
    """
    fold_of_clip = _deal(recordings, labels, np.full(max(n_folds, 1), 1 / max(n_folds, 1)), seed)
    everyone = np.arange(len(fold_of_clip))
    return [(everyone[fold_of_clip != fold], everyone[fold_of_clip == fold]) for fold in range(n_folds)]


def hold_out(
    recordings: Sequence[str], labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(train, test) clip indices, ascending, with about ``fraction`` of the recordings in test, at least one in each.

    Arguments and errors as in ``recording_folds``; ``0 < fraction < 1``.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, not {fraction}")
    part = _deal(recordings, labels, np.array([1 - fraction, fraction]), seed)
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)


def _deal(
    recordings: Sequence[str] | np.ndarray, labels: np.ndarray, shares: np.ndarray, seed: int
) -> np.ndarray:
    """The part of each clip: int (n_clips,) in [0, len(shares))."""
    labels = np.asarray(labels)
    names, recording_of_clip = np.unique(
        np.asarray(recordings, dtype=object).astype(str), return_inverse=True
    )
    if labels.ndim != 2 or len(labels) != len(recording_of_clip):
        raise ValueError(f"{len(recording_of_clip)} clips need labels of shape (n, tags), not {labels.shape}")
    if len(shares) < 2 or len(names) < len(shares):
        raise _too_few(len(shares), len(names))
    present = np.zeros((len(names), labels.shape[1] + 1), bool)  # last column: no tag to spread
    np.logical_or.at(present[:, :-1], recording_of_clip, labels > 0)
    np.logical_or.at(present[:, -1], recording_of_clip, ~(labels > 0).any(axis=1))
    sizes = np.bincount(recording_of_clip, minlength=len(names)).astype(float)
    # A tag of one recording cannot be spread, and must not turn the deal of all others over.
    present[:, :-1] &= present[:, :-1].sum(axis=0) > 1
    present[:, -1] |= ~present.any(axis=1)
    part_of_recording = _stratify(present, sizes, shares, np.random.default_rng(seed))
    return part_of_recording[recording_of_clip]


def _stratify(
    present: np.ndarray, sizes: np.ndarray, shares: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Deal recordings to parts: int (n_recordings,), every part used.

    present: bool (n_recordings, n_tags); sizes: clips of each recording; shares: sum to 1
    """
    n = len(present)
    part_of = np.full(n, -1)
    wanted = shares[:, None] * present.sum(axis=0)  # how many recordings of each tag a part still wants
    wanted_recordings = shares * n
    wanted_clips = shares * sizes.sum()
    order = rng.permutation(n)
    order = order[np.argsort(-sizes[order], kind="stable")]  # large recordings first, while there is room
    unused = np.ones(len(shares), bool)
    left = n
    while left:
        waiting = part_of < 0
        remaining = present[waiting].sum(axis=0)
        tag = int(np.argmin(np.where(remaining > 0, remaining, n + 1)))
        for recording in order[waiting[order] & present[order, tag]]:
            choices = np.flatnonzero(unused) if unused.sum() == left else np.arange(len(shares))
            keys = (
                rng.random(len(choices)),
                wanted_clips[choices],
                wanted_recordings[choices],
                wanted[choices, tag],
            )
            part = choices[np.lexsort(np.round(keys, 9))[-1]]
            part_of[recording] = part
            unused[part] = False
            wanted[part] -= present[recording]
            wanted_recordings[part] -= 1
            wanted_clips[part] -= sizes[recording]
            left -= 1
    return part_of
