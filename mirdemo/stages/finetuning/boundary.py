"""Boundary states of windows: how they are computed in lots, and handed out, wherever they are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from mirdemo.embedding.embed import CPU_BATCH_SECONDS, GPU_BATCH_SECONDS, windows
from mirdemo.stages.finetuning.memory import Room, attempt, not_finite

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec
    from mirdemo.sound.audio import Clip

#: How far the tail's output may move, relative to its size, where boundary states are kept in half precision.
FAITHFUL = 1e-4
#: Share of a GPU's free memory that the prefix's output may take.
GPU_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of clips, in the clips' order.

    clip_of: int (n_windows,), the clip of each; samples: int (n_windows,), its length at the backbone's rate
    """

    clip_of: np.ndarray
    samples: np.ndarray

    def __len__(self) -> int:
        return len(self.clip_of)

    @classmethod
    def of(cls, clips: Sequence[Clip], spec: BackboneSpec) -> Windows:
        """Counted without resampling anything."""
        clip_of, samples = [], []
        for row, clip in enumerate(clips):
            length = math.ceil(len(clip.samples) * spec.sample_rate / clip.sample_rate)
            places = windows(length, spec.sample_rate, spec)
            clip_of += [row] * len(places)
            samples += [max(stop - start, spec.min_samples) for start, stop in places]
        return cls(np.array(clip_of, dtype=np.int64), np.array(samples, dtype=np.int64))

    def alike(self, indices: np.ndarray, most: int) -> Iterator[np.ndarray]:
        """Those windows in groups of one length, at most ``most`` in each, in their order."""
        for length in dict.fromkeys(self.samples[indices].tolist()):
            same = indices[self.samples[indices] == length]
            for start in range(0, len(same), most):
                yield same[start : start + most]


class BoundaryStates:
    """The prefix's output for windows. A ``PrefixCache`` keeps it for one call, a ``PrefixFile`` for whoever goes on.

    windows: which they are
    place: ``"memory"``, ``"device"`` (on the GPU) or ``"disk"``
    """

    def __init__(self, windows: Windows, device: torch.device, place: str) -> None:
        self.windows, self.place = windows, place
        self._device = device
        self._stores: dict[int, Tensor] = {}  # window length -> (n, frames, dim)
        self._row = np.empty(len(windows), dtype=np.int64)

    def batch(self, indices: np.ndarray) -> Tensor:
        """Boundary states (b, frames, dim) of windows of one length, on the backbone's device."""
        store = self._stores[int(self.windows.samples[indices[0]])]
        rows = torch.from_numpy(self._row[indices])
        return store[rows.to(store.device)].to(self._device, non_blocking=True)

    def _fits_on_device(self, size: int) -> bool:
        """Whether so many bytes take little of a GPU's free memory."""
        if self._device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self._device)
        return size <= GPU_SHARE * free


def in_lots(
    waves: Sequence[np.ndarray], compute: Callable[[Tensor], Tensor], room: Room, title: str
) -> Iterator[tuple[range, Tensor]]:
    """(which, their states) lot by lot, as many as there is room for; fewer from where memory runs out.

    waves: of one length; compute: waves (b, samples) -> states (b, frames, dim)
    Raises FineTuneError if one window is too much or its states are not finite.
    """
    start = 0
    while start < len(waves):
        lot = waves[start : start + room.most]
        states = attempt(partial(compute, torch.from_numpy(np.stack(lot))))
        if states is None:
            room.most = len(lot)
            room.shrink(title)
            continue
        if not bool(torch.isfinite(states).all()):
            raise not_finite(title)
        yield range(start, start + len(lot)), states
        start += len(lot)


def is_faithful(states: Tensor, tail: nn.Module, samples: int) -> bool:
    """True if the tail gives the same, to ``FAITHFUL``, when it reads these float32 states in float16."""
    if states.dtype != torch.float32:
        return False
    halved = states.half()
    if not bool(torch.isfinite(halved).all()):
        return False
    with torch.no_grad():
        exact = tail(states, samples=samples)
        return float((tail(halved.float(), samples=samples) - exact).norm() / exact.norm()) <= FAITHFUL


def windows_at_once(spec: BackboneSpec, device: torch.device) -> int:
    """How many windows the prefix is given at first; fewer where memory runs out."""
    seconds = CPU_BATCH_SECONDS if device.type == "cpu" else GPU_BATCH_SECONDS
    return max(1, int(seconds / spec.window_seconds))
