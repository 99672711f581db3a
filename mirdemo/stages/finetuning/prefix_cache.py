"""The frozen prefix, run once: its output for every window, kept while tails are trained on it.

It lies in memory, on the GPU where it takes little of it, or in a mapped file under ``mirdemo.base.home()`` when it is
large. The file is unlinked as soon as it is mapped, where the system allows it: then not even a killed process
leaves one behind.
"""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mirdemo.base.home import home
from mirdemo.base.progress import Progress
from mirdemo.embedding.embed import cut
from mirdemo.stages.finetuning.boundary import BoundaryStates, Windows, in_lots, is_faithful, windows_at_once
from mirdemo.stages.finetuning.errors import FineTuneError
from mirdemo.stages.finetuning.memory import Room

if TYPE_CHECKING:
    from mirdemo.backbones.split import NeuralBackbone, Split
    from mirdemo.sound.audio import Clip


class PrefixCache(BoundaryStates):
    """The prefix's output for every window.

    windows: which they are; dtype: what the states are kept in
    place: ``"memory"``, ``"device"`` (on the GPU) or ``"disk"``; nbytes: how much they take
    """

    def __init__(self, windows: Windows, device: torch.device, keeping: str, memory_bytes: int) -> None:
        """keeping, memory_bytes: as in ``FineTuneSettings``"""
        super().__init__(windows, device, "memory")
        self._keeping, self._memory_bytes = keeping, memory_bytes
        self.dtype = torch.float32
        self.nbytes = 0
        self._files: list[Path] = []

    @classmethod
    def build(
        cls,
        clips: Sequence[Clip],
        backbone: NeuralBackbone,
        split: Split,
        *,
        keeping: str,
        memory_bytes: int,
        progress: Progress,
    ) -> PrefixCache:
        """Run the prefix over the clips. progress: told (windows done, windows in all, ``"prefix"``).

        keeping, memory_bytes: as in ``FineTuneSettings``. Windows at once are halved where memory runs out.
        Raises FineTuneError if one window is too much, the disk is full or the states are not finite; nothing is
        left then, nor when ``progress`` raises.
        """
        cache = cls(Windows.of(clips, backbone.spec), backbone.device, keeping, memory_bytes)
        try:
            cache._fill(clips, backbone, split, progress)
        except BaseException:
            cache.close()
            raise
        return cache

    def close(self) -> None:
        """Let everything go."""
        self._stores.clear()
        for file in self._files:
            with suppress(OSError):
                file.unlink(missing_ok=True)
        self._files.clear()

    def _fill(
        self, clips: Sequence[Clip], backbone: NeuralBackbone, split: Split, progress: Progress
    ) -> None:
        spec, total, done = backbone.spec, len(self.windows), 0
        room = Room(windows_at_once(spec, backbone.device))
        first_of = np.searchsorted(self.windows.clip_of, np.arange(len(clips) + 1))
        progress(0, total, "prefix")
        # Longest first: the first batch then tells how much room all of them need at most.
        waiting: list[tuple[int, np.ndarray]] = []
        for row in sorted(range(len(clips)), key=lambda i: -self.windows.samples[first_of[i]]):
            _, waves = cut(clips[row].at(spec.sample_rate), spec)
            for index, wave in zip(range(first_of[row], first_of[row + 1]), waves, strict=True):
                if waiting and (len(waiting) >= room.most or len(waiting[0][1]) != len(wave)):
                    self._take(waiting, split, room, spec.title)
                    done += len(waiting)
                    waiting = []
                    progress(done, total, "prefix")
                waiting.append((index, wave.copy()))
        self._take(waiting, split, room, spec.title)
        progress(total, total, "prefix")

    def _take(self, waiting: list[tuple[int, np.ndarray]], split: Split, room: Room, title: str) -> None:
        """Compute and keep these windows of one length."""
        for which, states in in_lots([wave for _, wave in waiting], split.prefix, room, title):
            part = waiting[which.start : which.stop]
            if not self._stores:
                self._settle(states, split, len(part[0][1]))
            self._keep(part, states)

    def _settle(self, states: Tensor, split: Split, samples: int) -> None:
        """Choose precision and place, knowing the first (and longest) windows' states."""
        values = len(self.windows) * states[0].numel()
        large = values * states.dtype.itemsize > self._memory_bytes
        halve = self._keeping == "half" or (
            self._keeping == "auto" and large and is_faithful(states, split.tail, samples)
        )
        self.dtype = torch.float16 if halve and states.dtype == torch.float32 else states.dtype
        expected = values * self.dtype.itemsize
        if self._fits_on_device(expected):
            self.place = "device"
        elif expected > self._memory_bytes:
            self.place = "disk"

    def _keep(self, part: list[tuple[int, np.ndarray]], states: Tensor) -> None:
        samples = len(part[0][1])
        if samples not in self._stores:
            same = np.flatnonzero(self.windows.samples == samples)
            self._row[same] = np.arange(len(same))
            self._stores[samples] = self._store((len(same), *states.shape[1:]))
        store = self._stores[samples]
        rows = torch.from_numpy(self._row[[index for index, _ in part]])
        store[rows.to(store.device)] = states.to(device=store.device, dtype=self.dtype)

    def _store(self, shape: tuple[int, ...]) -> Tensor:
        size = math.prod(shape) * self.dtype.itemsize
        self.nbytes += size
        if self.place != "disk":
            return torch.empty(
                shape, dtype=self.dtype, device=self._device if self.place == "device" else "cpu"
            )
        folder = home() / "fine-tuning"
        file = folder / f"prefix-{secrets.token_hex(8)}.states"
        self._files.append(file)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _reserve(file, size)
            store = torch.from_file(str(file), shared=True, size=math.prod(shape), dtype=self.dtype)
        except (OSError, RuntimeError) as error:
            raise FineTuneError(
                "There is no room on the disk for {megabytes} MB of intermediate states. Free some, or use fewer clips.",
                code="finetuning.disk",
                megabytes=f"{size / 1e6:,.0f}",
            ) from error
        with suppress(OSError):  # Windows keeps mapped files; close() removes it there
            file.unlink()
        return store.view(shape)


def _reserve(path: Path, size: int) -> None:
    """A file of that size whose room on the disk is really there: writing to a mapped hole could kill the process."""
    with path.open("xb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
            return
        block = bytes(2**20)
        for start in range(0, size, len(block)):
            file.write(block[: size - start])
