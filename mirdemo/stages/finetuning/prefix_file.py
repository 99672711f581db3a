"""The frozen prefix over many clips, kept on the disk so that a killed process repeats little of it.

States lie one after the other in a file for each length of window; a journal, one line a clip, says where. A clip's
line is written after its states, so what a kill leaves half-done has no line and is written over.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mirdemo.base.locks import locked
from mirdemo.base.progress import Progress
from mirdemo.embedding.embed import cut
from mirdemo.sound.audio import AudioError
from mirdemo.stages.finetuning.boundary import BoundaryStates, Windows, in_lots, windows_at_once
from mirdemo.stages.finetuning.errors import FineTuneError
from mirdemo.stages.finetuning.memory import Room

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec
    from mirdemo.sound.audio import Clip

_JOURNAL, _PRECISION = "journal.jsonl", "precision"
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class _Entry:
    """Where a clip's states lie, and what they took.

    samples: of each window; rows: its place in the file of that length; seconds: of wall time, decoding counted
    """

    samples: tuple[int, ...]
    rows: tuple[int, ...]
    seconds: float


@dataclass(eq=False)
class _Pending:
    """A clip under way: its windows, and their states once computed."""

    key: str
    waves: list[np.ndarray]
    states: dict[int, Tensor] = field(default_factory=dict)


class PrefixFile(BoundaryStates):
    """Boundary states of windows, in a folder of its own.

    folder: made if it is not there; whoever opens it is alone with it until ``close``
    windows: those of the clips that ``choose`` chose; seconds: what they took, in whichever process
    place: ``"disk"``, or ``"device"`` if they fit on the GPU
    Raises FineTuneError if another process has the folder open.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        super().__init__(Windows(np.empty(0, np.int64), np.empty(0, np.int64)), device, "disk")
        self.folder = folder
        self.seconds = 0.0
        self._since = 0.0
        self._open = ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._open.enter_context(locked(folder / "lock", wait=False))
        except BlockingIOError:
            self._open.close()
            raise FineTuneError(
                "Another process is fine-tuning the same backbone on the same corpus. Wait until it has ended.",
                code="finetuning.busy",
            ) from None
        self._entries: dict[str, _Entry] = {}
        self._shapes: dict[int, tuple[int, int]] = {}
        self._next: dict[int, int] = {}
        self._dtype: torch.dtype | None = None
        self._read_journal()

    @property
    def dtype(self) -> torch.dtype | None:
        """What the states are kept in; None before the first."""
        return self._dtype

    @property
    def nbytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.glob("*.states"))

    def fill(
        self,
        keys: Sequence[str],
        open_clip: Callable[[int], Clip],
        compute: Callable[[Tensor], Tensor],
        keep_as: Callable[[Tensor, int], torch.dtype],
        spec: BackboneSpec,
        progress: Progress,
    ) -> tuple[int, dict[int, AudioError]]:
        """Compute what is not there yet.

        keys: say what each clip sounds like; open_clip: the clip at that place, decoded when asked for
        compute: waves (batch, samples) -> states (batch, frames, dim)
        keep_as: the precision, from the first states and the samples of their windows
        progress: told (clips done, clips in all, ``"prefix"``)
        Returns how many clips were computed now, and why others could not be read. Raises FineTuneError if one window
        does not fit in memory, the disk is full or states are not finite; what is complete stays.
        """
        refused: dict[int, AudioError] = {}
        pending: list[_Pending] = []
        room, done = Room(windows_at_once(spec, self._device)), 0
        self._since = time.perf_counter()
        for place, key in enumerate(keys):
            progress(place, len(keys), "prefix")
            if key in self._entries or any(one.key == key for one in pending):
                continue
            try:
                clip = open_clip(place)
            except AudioError as refusal:
                refused[place] = refusal
                continue
            _, waves = cut(clip.at(spec.sample_rate), spec)
            pending.append(_Pending(key, waves))
            done += 1
            if sum(len(one.waves) for one in pending) >= room.most:
                self._work(pending, compute, keep_as, room, spec.title)
        self._work(pending, compute, keep_as, room, spec.title)
        progress(len(keys), len(keys), "prefix")
        return done, refused

    def choose(self, keys: Sequence[str]) -> None:
        """From now on ``windows`` and ``batch`` are about these clips, numbered in this order."""
        entries = [self._entries[key] for key in keys]
        counts = [len(entry.samples) for entry in entries]
        samples = np.array([s for entry in entries for s in entry.samples], dtype=np.int64)
        self.windows = Windows(np.repeat(np.arange(len(entries)), counts), samples)
        self.seconds = sum(entry.seconds for entry in entries)
        self._row = np.array([row for entry in entries for row in entry.rows], dtype=np.int64)
        self._stores = {length: self._mapped(length) for length in dict.fromkeys(samples.tolist())}
        self.place = "disk"
        if self._fits_on_device(self.nbytes):
            self._stores = {length: store.to(self._device) for length, store in self._stores.items()}
            self.place = "device"

    def close(self, *, remove: bool = False) -> None:
        """Let go of the folder; remove: and of all that is in it."""
        self._stores.clear()
        if remove:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._open.close()

    def _mapped(self, length: int) -> Tensor:
        frames, dim = self._shapes[length]
        path = self._path(length)
        assert self._dtype is not None  # settled before anything was written
        rows = path.stat().st_size // (frames * dim * self._dtype.itemsize)
        store = torch.from_file(str(path), shared=True, size=rows * frames * dim, dtype=self._dtype)
        return store.view(rows, frames, dim)

    def _path(self, length: int) -> Path:
        return self.folder / f"{length}.states"

    def _work(
        self,
        pending: list[_Pending],
        compute: Callable[[Tensor], Tensor],
        keep_as: Callable[[Tensor, int], torch.dtype],
        room: Room,
        title: str,
    ) -> None:
        """Compute, write and note down these clips."""
        alike: dict[int, list[tuple[_Pending, int]]] = defaultdict(list)
        for one in pending:
            for at, wave in enumerate(one.waves):
                alike[len(wave)].append((one, at))
        for length, places in alike.items():
            for which, states in in_lots([one.waves[at] for one, at in places], compute, room, title):
                if self._dtype is None:
                    self._settle(keep_as(states, length))
                for place, kept in zip(which, states.to("cpu", self._dtype), strict=True):
                    one, at = places[place]
                    one.states[at] = kept
        if pending:
            self._write(pending)
        pending.clear()

    def _settle(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        (self.folder / _PRECISION).write_text(str(dtype).removeprefix("torch."), encoding="utf-8")

    def _write(self, pending: Sequence[_Pending]) -> None:
        """States first, then the lines that say where they are."""
        entries: dict[str, _Entry] = {}
        each = (time.perf_counter() - self._since) / len(pending)
        self._since = time.perf_counter()
        placed: dict[int, list[Tensor]] = defaultdict(list)
        for one in pending:
            samples, rows = [], []
            for at, wave in enumerate(one.waves):
                samples.append(len(wave))
                rows.append(self._next.get(len(wave), 0) + len(placed[len(wave)]))
                placed[len(wave)].append(one.states[at])
            entries[one.key] = _Entry(tuple(samples), tuple(rows), each)
        try:
            for length, states in placed.items():
                frames, dim = states[0].shape
                self._shapes[length] = (frames, dim)
                path = self._path(length)
                path.touch()
                with path.open("r+b") as file:
                    file.seek(self._next.get(length, 0) * states[0].numel() * states[0].element_size())
                    file.write(torch.stack(states).view(torch.uint8).numpy().tobytes())
            with (self.folder / _JOURNAL).open("a", encoding="utf-8") as journal:
                for key, entry in entries.items():
                    shapes = {length: self._shapes[length] for length in entry.samples}
                    line = {"key": key, **asdict(entry), "shapes": shapes}
                    journal.write(json.dumps(line) + "\n")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise FineTuneError(
                "The disk is full after {megabytes} MB of intermediate states. Free some, or take fewer items.",
                code="finetuning.disk_filled",
                megabytes=f"{self.nbytes / 1e6:,.0f}",
            ) from error
        for length, states in placed.items():
            self._next[length] = self._next.get(length, 0) + len(states)
        self._entries |= entries

    def _read_journal(self) -> None:
        """What earlier runs completed. A line torn by a kill is cut off, for the next one begins behind it."""
        journal, precision = self.folder / _JOURNAL, self.folder / _PRECISION
        if not journal.is_file() or not precision.is_file():
            return
        self._dtype = _DTYPES[precision.read_text(encoding="utf-8")]
        content = journal.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(journal, len(whole))
        for text in whole.decode().splitlines():
            line = json.loads(text)
            entry = _Entry(tuple(line["samples"]), tuple(line["rows"]), line["seconds"])
            self._entries[line["key"]] = entry
            self._shapes |= {int(length): tuple(shape) for length, shape in line["shapes"].items()}
            for length, row in zip(entry.samples, entry.rows, strict=True):
                self._next[length] = max(self._next.get(length, 0), row + 1)
