"""TensorFlow's checkpoint format, read with numpy: an index of what lies where, and the bytes themselves.

The index is a table of LevelDB (``leveldb/doc/table_format.md``), sorted from name to a ``BundleEntryProto``
(``tensorflow/core/protobuf/tensor_bundle.proto``); the data file holds the tensors one after the other. Nothing of either
is run or unpickled. Its checksums (CRC-32C) are not looked at: whoever needs to be sure knows the files' SHA-256.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
#: After every block: how it is compressed, and its checksum.
_TRAILER_BYTES = 5
#: Wire types of protocol buffers.
_VARINT, _EIGHT_BYTES, _TEXT, _FOUR_BYTES = 0, 1, 2, 5
#: ``DataType`` -> numpy's, of what variables are made of.
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}


@dataclass(frozen=True)
class _Entry:
    """Where a tensor lies: its type, shape, and bytes of the data file."""

    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int
    size: int


def read(index: Path, data: Path, wanted: Callable[[str], bool]) -> dict[str, NDArray]:
    """Tensors by name, those that are wanted, mapped from the data file and not read before they are used.

    index, data: the two files of a checkpoint in one part
    wanted: asked of every name
    Raises OSError for files that cannot be read, ValueError for others than such a checkpoint's.
    """
    places = dict(_entries(index.read_bytes()))
    bytes_there = np.memmap(data, dtype=np.uint8, mode="r")
    tensors = {}
    for name, place in places.items():
        if not wanted(name):
            continue
        if place.offset + place.size > len(bytes_there):
            raise ValueError(f"{name} lies beyond the end of the data")
        part = bytes_there[place.offset : place.offset + place.size]
        tensors[name] = np.frombuffer(part, dtype=place.dtype).reshape(place.shape)
    return tensors


def _entries(table: bytes) -> Iterator[tuple[str, _Entry]]:
    """Every name of an index, and where its tensor lies."""
    if len(table) < _FOOTER_BYTES or struct.unpack("<Q", table[-8:])[0] != _MAGIC:
        raise ValueError("not a table")
    footer = table[-_FOOTER_BYTES:]
    at = 0
    for _ in range(
        3
    ):  # two numbers say where the blocks about blocks lie, then two where the index of blocks does
        start, at = _number(footer, at)
    size, _ = _number(footer, at)
    for _, handle in _block(table, start, size):
        start, at = _number(handle, 0)
        size, _ = _number(handle, at)
        for name, value in _block(table, start, size):
            if name:  # the first, without a name, is about the checkpoint as a whole
                yield name.decode("utf-8"), _entry(value)
            elif dict(_fields(value)).get(1, 1) != 1:
                raise ValueError("a checkpoint in several parts")


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; a key gives how much of the one before it keeps, and the rest."""
    end = start + size
    if end + _TRAILER_BYTES > len(table) or size < 8:
        raise ValueError("a block beyond the end")
    if table[end] != 0:
        raise ValueError("a compressed block")
    block = table[start:end]
    restarts = struct.unpack("<I", block[-4:])[0]
    last = len(block) - 4 * (restarts + 1)
    key, at = b"", 0
    while at < last:
        kept, at = _number(block, at)
        added, at = _number(block, at)
        length, at = _number(block, at)
        if kept > len(key) or at + added + length > last:
            raise ValueError("an entry beyond its block")
        key = key[:kept] + block[at : at + added]
        at += added
        yield key, block[at : at + length]
        at += length


def _entry(value: bytes) -> _Entry:
    kind, offset, size = 0, 0, 0
    shape: list[int] = []
    for field, found in _fields(value):
        if field == 1 and isinstance(found, int):
            kind = found
        elif field == 2 and isinstance(found, bytes):
            shape = [_length(one) for name, one in _fields(found) if name == 2 and isinstance(one, bytes)]
        elif field == 4 and isinstance(found, int):
            offset = found
        elif field == 5 and isinstance(found, int):
            size = found
        elif field in (3, 7):  # another part than the first, or a tensor in slices
            raise ValueError("a tensor in several parts")
    if kind not in _TYPES:
        raise ValueError("a tensor of another type")
    dtype = np.dtype(_TYPES[kind])
    if size != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor of another size than its shape")
    return _Entry(dtype, tuple(shape), offset, size)


def _length(dimension: bytes) -> int:
    found = dict(_fields(dimension)).get(1, 0)
    if not isinstance(found, int):
        raise ValueError("a dimension without a length")
    return found


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffer's message."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _number(message, at)
            yield field, value
            continue
        if kind == _TEXT:
            length, at = _number(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError("an unknown kind of field")
        if at + length > len(message):
            raise ValueError("a field beyond its message")
        yield field, message[at : at + length]
        at += length


def _number(text: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(text) or shift > 63:
            raise ValueError("a number without an end")
        byte = text[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
