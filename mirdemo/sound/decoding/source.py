"""One sound file as an open stream that never raises inside a decoder's callback."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

Found = TypeVar("Found")


class Source:
    """A seekable binary stream of known size over bytes or a regular file, or a part of one.

    Decoders call ``read``, ``readinto``, ``seek`` and ``tell`` from C, where an exception would be printed
    and lost: so a seek out of range is clamped and a failing read ends the file. It has no ``name`` on
    purpose: soundfile would guess a format from it.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        start: int = 0,
        mended: tuple[tuple[int, bytes], ...] = (),
        known: dict[tuple[Hashable, ...], Any] | None = None,
    ) -> None:
        self._stream = stream
        self._start = start
        self._mended = mended
        self._known = {} if known is None else known  # of the parts, too
        self.size = size

    @classmethod
    def of(cls, data: bytes | bytearray | memoryview | Path) -> Source:
        """Open bytes, or the file at a path. Raises OSError; a path that is no regular file is refused."""
        if not isinstance(data, Path):
            return cls(io.BytesIO(data), len(data))
        if not data.is_file():
            if data.exists():
                raise IsADirectoryError(f"{data} is not a file")
            raise FileNotFoundError(f"{data} does not exist")
        stream = data.open("rb")
        return cls(stream, os.fstat(stream.fileno()).st_size)

    def part(self, start: int, end: int | None = None) -> Source:
        """The bytes from ``start`` to ``end`` (None: the end) as a stream that begins at 0; it shares the file's position."""
        end = self.size if end is None else min(end, self.size)
        mended = tuple((at - start, value) for at, value in self._mended)
        return Source(self._stream, max(end - start, 0), self._start + start, mended, self._known)

    def mended(self, at: int, value: bytes) -> Source:
        """The same bytes, but for ``value`` at ``at``: a header as it should have been written."""
        return Source(self._stream, self.size, self._start, (*self._mended, (at, value)))

    def read(self, count: int = -1) -> bytes:
        at = self.tell()
        left = max(self.size - at, 0)
        try:
            data = self._stream.read(min(count, left) if count >= 0 else left)
        except OSError:
            return b""
        for place, value in self._mended:
            first, last = max(place - at, 0), min(place + len(value) - at, len(data))
            if first < last:
                data = data[:first] + value[first + at - place : last + at - place] + data[last:]
        return data

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self.tell(), self.size)[whence]
        return self._stream.seek(self._start + min(max(start + offset, 0), self.size)) - self._start

    def tell(self) -> int:
        return self._stream.tell() - self._start

    def head(self, count: int, offset: int = 0) -> bytes:
        """``count`` bytes (or what is there) from ``offset``."""
        self.seek(offset)
        return self.read(count)

    def once(self, look: Callable[..., Found], *told: Hashable) -> Found:
        """What ``look(self, *told)`` finds (no ``Source``), looked for the first time it is asked: such looks take in all bytes."""
        key = (look, told, self._start, self.size)
        if key not in self._known:
            self._known[key] = look(self, *told)
        return self._known[key]

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class Ahead:
    """Small reads of a source that mostly go forward, from blocks: to seek to each of a million pieces takes longer than to
    decode them."""

    def __init__(self, source: Source, block: int = 1 << 14) -> None:
        self._source, self._size = source, block
        self._block, self._start = b"", 0

    def head(self, count: int, offset: int) -> bytes:
        """``count`` bytes (or what is there) from ``offset``."""
        at = offset - self._start
        if at < 0 or at + count > len(self._block):
            self._block, self._start = self._source.head(max(count, self._size), offset), offset
            at = 0
        return self._block[at : at + count]


class Beginning(io.BytesIO):
    """The first bytes of a file of ``size``, as a ``Source`` takes them. asked: whether others were wanted, but for those at the
    very end, where a tag may stand."""

    _LONGEST_FOOT = 160

    def __init__(self, head: bytes, size: int) -> None:
        super().__init__(head)
        self._length, self._size = len(head), size
        self.asked = False

    def read(self, count: int | None = -1) -> bytes:
        start = self.tell()
        beyond = count is None or count < 0 or start + count > self._length
        self.asked |= beyond and self._length < self._size and start < self._size - self._LONGEST_FOOT
        return super().read(count)
