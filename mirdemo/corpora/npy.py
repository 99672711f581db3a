"""NumPy files of other people, read without running anything that they hold.

Plain arrays go through ``numpy.load(allow_pickle=False)``. One published file, FMA's labels, is a pickled dict in an
object array. Its pickle is read by a reader that knows no import but the three names with which NumPy writes such an
array, and puts inert stand-ins in their place, so not even NumPy is called with what the file says.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from mirdemo.corpora.errors import bad_file

#: The published file has about 2 MB.
_LARGEST_PICKLE = 64_000_000


def read_array(path: Path) -> np.ndarray:
    """A plain array. Raises CorpusError if the file is missing, damaged, or would need unpickling."""
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise bad_file(path.name) from error


def read_strings(path: Path) -> tuple[str, ...]:
    """A one-dimensional array of text. Raises CorpusError as ``read_array`` does, and for anything but text."""
    array = read_array(path)
    if array.ndim != 1 or array.dtype.kind != "U":
        raise bad_file(path.name)
    return tuple(str(value) for value in array)


def read_label_lists(path: Path) -> dict[str, tuple[str, ...]]:
    """Recording id -> its labels, from a pickled dict in a 0-d object array; None counts as no labels.

    Raises CorpusError for anything but a dict of text to lists of text.
    """
    try:
        if path.stat().st_size > _LARGEST_PICKLE:
            raise ValueError("too large")
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }
            shape, _, dtype = header[version](file)
            if shape != () or dtype != np.dtype(object):
                raise ValueError("not one object")
            held = _Reader(io.BytesIO(file.read())).load()
        (labels,) = held.contents
        found = {}
        for key, values in labels.items():
            values = [] if values is None else values
            if type(values) not in (list, tuple) or not all(type(text) is str for text in (key, *values)):
                raise ValueError("not lists of text")
            found[key] = tuple(values)
        return found
    except Exception as error:  # a hostile or damaged pickle raises whatever it likes
        raise bad_file(path.name) from error


class _Array:
    """Stands for the pickled array: keeps what it contained."""

    contents: list[Any]

    def __setstate__(self, state: tuple) -> None:
        _, shape, _, _, contents = state
        if shape != () or type(contents) is not list or len(contents) != 1:
            raise ValueError("not one object")
        self.contents = contents


class _Dtype:
    """Stands for the pickled dtype; what it is has been read from the header."""

    def __setstate__(self, state: tuple) -> None:
        """Its state says nothing that is needed."""


_NDARRAY = object()  # stands for the type of the array; cannot be called


def _reconstruct(kind: object, *_: object) -> _Array:
    if kind is not _NDARRAY:
        raise ValueError("not an array")
    return _Array()


def _dtype(*_: object) -> _Dtype:
    return _Dtype()


class _Reader(pickle.Unpickler):
    """Knows three names, and none of them leads out of this file."""

    _KNOWN = {  # noqa: RUF012 - a constant
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _NDARRAY,
        ("numpy", "dtype"): _dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed") from None
