"""Rows of any number of files in one folder: appended file by file, gone on with after a kill, read without loading.

::

    <folder>/rows.json      what the rows are: whose, of which layers, one a clip or one a window
    <folder>/0.f32, 1.f32   a layer's rows one after another, float32, little-endian
    <folder>/files.jsonl    a line a file, in the order of the rows: its name, how many rows, what is to be known of it

A file's rows are written before its line; what has no line, or a torn one, is cut off when the folder is opened to
write. Only the lines are held in memory, about half a kilobyte a file.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mirdemo.base.files import called, whole
from mirdemo.base.locks import locked
from mirdemo.base.plain import of_parts
from mirdemo.base.sentences import MirdemoError, Sentence

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity

_FORMAT = "mirdemo-rows-1"
_FACTS, _FILES, _LOCK = "rows.json", "files.jsonl", ".lock"
SYNC_EVERY = 1.0
_LARGEST_ROW = 2**24


class RowsError(MirdemoError):
    """A folder of rows cannot be used. One sentence."""


@dataclass(frozen=True)
class FileRows:
    """What is there of one file.

    path: as it was given; stamp: size and time of change, by which a file that has changed is known
    first, count: its rows
    sha256: of its sound; starts: where each row's window begins, seconds; seconds: its length
    warnings: what is to be known of it; incomplete: a part of it is missing; problem: why it has no rows
    """

    path: str
    stamp: str
    first: int
    count: int
    sha256: str | None = None
    starts: tuple[float, ...] = ()
    seconds: float = 0.0
    warnings: tuple[Sentence, ...] = ()
    incomplete: bool = False
    problem: Sentence | None = None


@dataclass(eq=False)
class RowFolder:
    """Made by ``RowFolder.reading`` and ``RowFolder.writing``.

    identity: the backbone's; layers: name -> size; each: ``"clip"`` or ``"window"``, what a row is of
    files: path -> what is there of it, the latest where it was written twice
    """

    path: Path
    identity: Identity
    layers: Mapping[str, int]
    each: str
    files: dict[str, FileRows] = field(default_factory=dict, repr=False)
    count: int = 0
    _out: dict[str, BinaryIO] = field(default_factory=dict, repr=False)
    _lines: BinaryIO | None = field(default=None, repr=False)
    _synced: float = field(default=0.0, repr=False)

    @staticmethod
    def is_one(path: Path) -> bool:
        return (path / _FACTS).is_file()

    @classmethod
    def reading(cls, path: str | os.PathLike[str]) -> RowFolder:
        """What is there. Raises RowsError for a folder that is none, or damaged."""
        path = Path(path)
        folder = cls._of(path)
        folder._read_lines()
        return folder

    @classmethod
    @contextmanager
    def writing(
        cls, path: str | os.PathLike[str], identity: Identity, layers: Mapping[str, int], each: str
    ) -> Iterator[RowFolder]:
        """Begun, or gone on with. Raises RowsError if other rows are there or another program writes. Raises OSError."""
        path = Path(path)
        if path.exists() and not cls.is_one(path) and any(path.iterdir()):
            raise _unusable(path, "it holds other files")
        path.mkdir(parents=True, exist_ok=True)
        try:
            with locked(path / _LOCK, wait=False):
                if not cls.is_one(path):
                    facts = {
                        "format": _FORMAT,
                        "identity": identity.as_dict(),
                        "layers": dict(layers),
                        "each": each,
                    }
                    with whole(path / _FACTS, durable=True) as part:
                        part.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
                folder = cls._of(path)
                folder.require(identity, layers, each)
                folder._cut(folder._read_lines())
                try:
                    for at, name in enumerate(layers):
                        folder._out[name] = (path / f"{at}.f32").open("ab")
                    folder._lines = (path / _FILES).open("ab")
                    yield folder
                finally:
                    folder._close()
        except BlockingIOError:
            raise RowsError(
                "{name} is being written by another program. Wait for it, or choose another folder.",
                code="rows.held",
                name=called(path),
            ) from None

    def require(self, identity: Identity, layers: Mapping[str, int], each: str) -> None:
        """Raises RowsError unless its rows are of this backbone, of these layers, one a clip or window as asked."""
        if (self.identity, dict(self.layers), self.each) != (identity, dict(layers), each):
            raise RowsError(
                "{name} holds rows of {backbone} that were made otherwise. Choose another folder.",
                code="rows.other",
                name=called(self.path),
                backbone=self.identity.name,
            )

    def append(self, file: FileRows, rows: Mapping[str, np.ndarray]) -> None:
        """Write a file's rows, layer -> float32 (count, size), and then its line. ``first`` is set here. Raises OSError."""
        assert self._lines is not None
        if file.count:
            for name, out in self._out.items():
                matrix = np.ascontiguousarray(rows[name], dtype="<f4")
                if matrix.shape != (file.count, self.layers[name]):
                    raise ValueError(f"{matrix.shape} are not {file.count} rows of {self.layers[name]}")
                out.write(matrix.data)
                out.flush()
        file = replace(file, first=self.count)
        self._lines.write(_line(file))
        self._lines.flush()
        self.files[file.path] = file
        self.count += file.count
        if time.monotonic() - self._synced > SYNC_EVERY:
            self._sync()

    def matrix(self, layer: str) -> np.ndarray:
        """A layer's rows, float32 (count, size), on the disk: what is looked at is read."""
        size = self.layers[layer]
        if not self.count:
            return np.zeros((0, size), np.float32)
        place = self.path / f"{list(self.layers).index(layer)}.f32"
        return np.memmap(place, dtype="<f4", mode="r", shape=(self.count, size))

    def _close(self) -> None:
        self._sync()
        for out in (*self._out.values(), self._lines):
            if out is not None:
                out.close()

    def _sync(self) -> None:
        """Rows first, then the lines that name them."""
        for out in (*self._out.values(), self._lines):
            if out is not None:
                out.flush()
                os.fsync(out.fileno())
        self._synced = time.monotonic()

    @classmethod
    def _of(cls, path: Path) -> RowFolder:
        from mirdemo.backbones.spec import Identity

        try:
            facts = json.loads((path / _FACTS).read_text(encoding="utf-8"))
            if facts["format"] != _FORMAT or facts["each"] not in ("clip", "window"):
                raise ValueError(facts["format"])
            layers = facts["layers"]
            if not layers or not all(
                type(size) is int and 0 < size < _LARGEST_ROW for size in layers.values()
            ):
                raise ValueError("no layer")
            return cls(path, of_parts(Identity, facts["identity"]), layers, facts["each"])
        except FileNotFoundError:
            raise _unusable(path, f"it holds no {_FACTS}") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _unusable(path, f"its {_FACTS} cannot be read") from error

    def _read_lines(self) -> int:
        """Take the lines that are whole and whose rows are there; returns the bytes they take."""
        there = min(
            (_size(self.path / f"{at}.f32") // (4 * size) for at, size in enumerate(self.layers.values())),
        )
        taken = 0
        try:
            with (self.path / _FILES).open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    file = _file(line, self.count, self.each)
                    if self.count + file.count > there:  # a loss of power took its rows
                        break
                    self.files[file.path] = file
                    self.count += file.count
                    taken += len(line)
        except FileNotFoundError:
            return 0
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise _unusable(self.path, f"its {_FILES} is damaged") from error
        return taken

    def _cut(self, taken: int) -> None:
        """Remove what a writer that was killed left behind the last line that is whole."""
        ends = {self.path / _FILES: taken}
        ends |= {
            self.path / f"{at}.f32": self.count * 4 * size for at, size in enumerate(self.layers.values())
        }
        for path, end in ends.items():
            if _size(path) > end:
                with path.open("r+b") as file:
                    file.truncate(end)


def stamp_of(path: str | os.PathLike[str], track: int | None = None) -> str:
    """What a file is known by without reading it; blank where it is not there. track: what of it is read."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a third of the time of pathlib's, which a million files feel
    except (OSError, ValueError):
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}" + (f":{track}" if track else "")


def _line(file: FileRows) -> bytes:
    plain = {name: value for name, value in asdict(file).items() if value not in (None, (), False)}
    plain.pop("first", None)
    text = json.dumps(plain, ensure_ascii=True, default=str)  # names that are no UTF-8 stay what they are
    return text.encode("ascii") + b"\n"


def _file(line: bytes, first: int, each: str) -> FileRows:
    plain: dict[str, Any] = json.loads(
        line.decode("utf-8")
    )  # bytes it would look through for their encoding first
    count, path = plain.get("count", 0), plain["path"]
    stamp, sha256 = plain.get("stamp", ""), plain.get("sha256")
    problem, warnings = plain.get("problem"), plain.get("warnings")
    starts, seconds = tuple(map(float, plain.get("starts") or ())), float(plain.get("seconds", 0.0))
    if not isinstance(path, str) or not isinstance(stamp, str) or not isinstance(sha256, str | None):
        raise ValueError("a name")
    if not isinstance(count, int) or count < 0 or len(starts) != (count if each == "window" else 0):
        raise ValueError("a count")
    if not math.isfinite(seconds + sum(starts)):
        raise ValueError("a time")
    return FileRows(
        path=path,
        stamp=stamp,
        first=first,
        count=int(count),
        sha256=sha256,
        starts=starts,
        seconds=seconds,
        warnings=tuple(of_parts(Sentence, warning) for warning in warnings) if warnings else (),
        incomplete=bool(plain.get("incomplete", False)),
        problem=None if problem is None else of_parts(Sentence, problem),
    )


def write_npz(out: Path, folder: RowFolder, files: Sequence[str], more: Mapping[str, np.ndarray]) -> None:
    """The rows of these files, in this order, as one NumPy file (``layer/NAME``) with other small arrays, whole or not
    at all, a piece at a time. Raises OSError."""
    import zipfile

    places = np.concatenate(
        [np.zeros(0, np.int64)]
        + [np.arange(f.first, f.first + f.count) for f in (folder.files[path] for path in files)]
    )
    with whole(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in more.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        for layer, size in folder.layers.items():
            matrix = folder.matrix(layer)
            header = {"descr": "<f4", "fortran_order": False, "shape": (len(places), size)}
            with archive.open(f"layer/{layer}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_2_0(member, header)
                for at in range(0, len(places), 4096):
                    member.write(np.ascontiguousarray(matrix[places[at : at + 4096]]).data)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _unusable(path: Path, why: str) -> RowsError:
    return RowsError(
        "{name} is no folder of rows that can be used ({why}). Choose another one, or make it again.",
        code="rows.unusable",
        name=called(path),
        why=why,
    )
