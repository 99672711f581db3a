"""The sides of a split for the published protocol, and what holds of the recordings on a side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.scoring.intervals import by_recording
from mirdemo.scoring.labelling import Labelling
from mirdemo.scoring.metrics import macro, roc_auc
from mirdemo.stages.probing.errors import ProbeError

SIDES = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Sides:
    """Who is trained on, stops the training and is tested.

    clips, windows: side -> indices of them; recording_of: side -> the recording of each of its windows
    truth: side -> 0/1 (n_recordings, n_tags), recordings sorted: one has a tag if any of its clips has
    tested: int (n_test,), the recordings of the test side
    """

    clips: Mapping[str, np.ndarray]
    windows: Mapping[str, np.ndarray]
    recording_of: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]
    tested: np.ndarray

    @classmethod
    def of(cls, held: Labelling, clip_of: np.ndarray, split: Mapping[str, Sequence[Any]] | None) -> Sides:
        """clip_of: the clip of each window; split: as for ``parted``.

        Raises ProbeError if a side is empty or shares a recording with another, or if validation can tell nothing.
        """
        clips = parted(held, split)
        windows = {side: np.flatnonzero(np.isin(clip_of, own)) for side, own in clips.items()}
        truth = {
            side: _recording_labels(held.labels[own], held.recordings[own]) for side, own in clips.items()
        }
        _check_validation(truth["valid"])
        recording_of = {side: held.recordings[clip_of[own]] for side, own in windows.items()}
        return cls(clips, windows, recording_of, truth, np.unique(held.recordings[clips["test"]]))

    def means(self, side: str, scores: np.ndarray) -> np.ndarray:
        """The mean over each recording's windows: (..., n_windows of the side) -> (..., n_recordings)."""
        of = self.recording_of[side]
        return by_recording(scores, of) / by_recording(np.ones(len(of)), of)

    def validation(self, scores: np.ndarray) -> np.ndarray:
        """Macro ROC-AUC (...) of the validation recordings. scores: (..., n_tags, n_windows of that side)"""
        return macro(roc_auc(self.truth["valid"].T, self.means("valid", scores)))


def parted(held: Labelling, split: Mapping[str, Sequence[Any]] | None) -> dict[str, np.ndarray]:
    """Clip indices of train, valid and test.

    split: side -> names of recordings, or indices of clips (integers); None: about three fifths, one fifth and one
        fifth of the recordings, drawn with a fixed seed, or of the groups that must stay whole
    Raises ProbeError if a side is empty or shares a recording with another.
    """
    if split is None:
        return _drawn(held.groups, len(np.unique(held.groups)), held.labels)
    if set(split) != set(SIDES):
        raise ProbeError(
            "A split names train, valid and test, not {given}.",
            code="probing.split_names",
            given=", ".join(sorted(map(str, split))) or "–",
        )
    names = np.array(held.recording_names)[held.recordings]
    sides = {name: _clips(names, split[name]) for name in SIDES}
    for name, clips in sides.items():
        if len(clips) == 0:
            raise ProbeError(
                "None of the clips is on the {side} side. Give it some.", code="probing.side_empty", side=name
            )
    of = [set(held.recordings[clips].tolist()) for clips in sides.values()]
    shared = (of[0] & of[1]) | (of[0] & of[2]) | (of[1] & of[2])
    if shared:
        raise ProbeError(
            "{n} recordings are on more than one side of the split, {name} among them. Put each on one side.",
            code="probing.split_shared",
            n=len(shared),
            name=held.recording_names[min(shared)],
        )
    return sides


def _clips(names: np.ndarray, given: Sequence[Any]) -> np.ndarray:
    """Indices as they are; names of recordings to the clips they hold. Names without a clip are passed over."""
    asked = np.asarray(given)
    if asked.dtype.kind in "iu":
        if asked.size and not (asked.min() >= 0 and asked.max() < len(names)):
            raise ProbeError(
                "The split asks for clip {index}, but clips are numbered from 0 to {last}. Use those.",
                code="probing.split_index",
                index=int(asked.max() if asked.min() >= 0 else asked.min()),
                last=len(names) - 1,
            )
        return np.unique(asked)
    return np.flatnonzero(np.isin(names, asked.astype(str)))


def _drawn(recordings: np.ndarray, n: int, labels: np.ndarray) -> dict[str, np.ndarray]:
    from mirdemo.scoring.folds import recording_folds

    if n < 3:
        raise ProbeError(
            "Training, validation and test need at least three recordings, and there are {n}. Add recordings.",
            code="probing.too_few_to_split",
            n=n,
        )
    parts = [test for _, test in recording_folds(recordings, labels, min(5, n), 0)]
    return {"train": np.sort(np.concatenate(parts[2:])), "valid": parts[1], "test": parts[0]}


def _check_validation(labels: np.ndarray) -> None:
    """Raise ProbeError unless some tag is on some but not all validation recordings. labels: 0/1 (n, n_tags)"""
    if not np.isfinite(roc_auc(labels.T, np.zeros(labels.T.shape))).any():
        raise ProbeError(
            "No tag is on some but not all validation recordings, so training cannot be stopped in time. "
            "Put more recordings on the validation side.",
            code="probing.validation_one_sided",
        )


def _recording_labels(labels: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """0/1 (n_recordings, n_tags), recordings sorted: a recording has a tag if any of its clips has.

    labels: (n_clips, n_tags); recordings: (n_clips,)
    """
    return (by_recording(labels.T.astype(int), recordings).T > 0).astype(np.uint8)
