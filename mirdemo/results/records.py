"""Results: one validated record a figure, published or measured, and files of them.

A file of results is JSON Lines: one record a line, UTF-8, keys sorted. A blank field is left out, and is read
as a blank again.
Appending locks the file and writes whole lines, so two writers lose nothing; a line torn by a crash is
mended away before the next write and skipped, with a count, when read.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mirdemo.base.assets import ASSETS
from mirdemo.base.home import home
from mirdemo.base.locks import locked
from mirdemo.base.sentences import MirdemoError

if TYPE_CHECKING:
    import pandas

#: Version of the record. A reader accepts this one only; ``_UPGRADES`` lifts older ones.
SCHEMA = 1

METRICS = ("roc_auc", "map", "macro_f1", "micro_f1", "f1", "precision", "recall", "accuracy")
METHODS = ("probe", "finetune", "fewshot", "trained_from_scratch", "transfer", "zero_shot")
SOURCES = ("published", "measured")
#: Protocols whose figures stand in charts of their own and in no ranking with others: MTEB's audio benchmark, and three
#: ways of probing MagnaTagATune that part by six points and more for one model.
APART = frozenset({"maeb", "mgphot", "marble", "omar-rq"})
#: What in a setting says that a figure is not of its corpus as published, in the order in which it is told.
_DEPARTURES = ("split_files", "limit", "left_out", "max_seconds")
SHIPPED = ASSETS / "results"
#: bytes that an evaluation's records take, at most
_ROOM = 2_000_000


class ResultsError(MirdemoError):
    """A record or a file of results cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure with everything needed to read it.

    model: title of the backbone or published model
    corpus: one of the six corpora, or ``controlled/<tradition>``, or the user's own name for theirs
    method: one of ``METHODS``; protocol: whose rules (``papaioannou2025``, ``live``, ...). Figures of
        different protocols are never ranked together.
    metric, value: a fraction in [0, 1]; ``tag`` None for a figure over all tags
    seed: of a published figure, its run's; of a measured one, that it is of one seed among several (``single_seed``)
    n: number of test items it was computed on (``n_unit`` says of what), None if not published
    low, high, level: the interval and its nominal level; None where there is none
    influences: what each test recording adds to the figure's error, recordings in the order of their names, so that
        figures of one ``corpus_revision`` and split can be held against each other recording by recording; None where
        they were not kept
    setting: what else distinguishes it (n_way, k_shot, tags, transfer_from, mode, ...)
    source: published (then ``citation`` is a key of the citations file) or measured (then ``versions``
        and ``hardware`` say with what)
    seconds: what the computation took; date: ISO 8601 day
    """

    model: str
    corpus: str
    method: str
    protocol: str
    metric: str
    value: float
    source: str
    split: str | None = None
    revision: str | None = None
    layer: str | None = None
    pooling: str | None = None
    window_seconds: float | None = None
    whitening: str | None = None
    corpus_revision: str | None = None
    tag: str | None = None
    seed: int | None = None
    n: int | None = None
    n_unit: str | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    influences: tuple[float, ...] | None = None
    setting: Mapping[str, str | int | float | None] = field(default_factory=dict)
    citation: str | None = None
    versions: Mapping[str, str] | None = None
    hardware: str | None = None
    seconds: float | None = None
    date: str | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        def wrong(what: str) -> ResultsError:
            return ResultsError("This result cannot be used: {what}.", code="results.invalid", what=what)

        for name in ("model", "corpus", "protocol"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise wrong(f"{name} is missing")
        for name, allowed in (("metric", METRICS), ("method", METHODS), ("source", SOURCES)):
            if getattr(self, name) not in allowed:
                raise wrong(f"{name} is {getattr(self, name)!r}, not one of {', '.join(allowed)}")
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is None and name != "value":
                continue
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise wrong(f"{name} is {number!r}, not a number")
            if not 0 <= number <= 1:
                raise wrong(f"{name} is {number}, outside 0 to 1")
        if (self.low is None) != (self.high is None):
            raise wrong("an interval needs both ends")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise wrong(f"the interval {self.low} to {self.high} does not hold the value {self.value}")
        if self.low is not None and self.level is None:
            raise wrong("an interval needs its level")
        if self.influences is not None:
            numbers = all(isinstance(i, int | float) and math.isfinite(i) for i in self.influences)
            if not numbers or len(self.influences) < 2:
                raise wrong("influences are not the numbers of two recordings or more")
            object.__setattr__(self, "influences", tuple(self.influences))
        if self.n is not None and (isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 0):
            raise wrong(f"n is {self.n!r}, not a count")
        if self.source == "published" and not self.citation:
            raise wrong("a published figure needs its citation")
        if self.source == "measured" and not self.versions:
            raise wrong("a measured figure needs the versions it was made with")
        if self.schema != SCHEMA:
            raise wrong(f"schema {self.schema} is not {SCHEMA}")

    def as_dict(self) -> dict[str, Any]:
        """A plain dict, JSON-ready, without the blank fields."""
        return {name: value for name, value in asdict(self).items() if value is not None and value != {}}

    @property
    def single_seed(self) -> bool:
        """Whether it is of one seed among several, kept for checking: the mean over them stands beside it, without a
        seed, and is the one to show and compare.
        """
        return self.source == "measured" and self.seed is not None

    @property
    def apart(self) -> bool:
        """Whether its protocol is one of ``APART``: shown by itself, never held against another's figures."""
        return self.protocol in APART

    @property
    def partial(self) -> dict[str, str | int | float]:
        """In which ways it is not of its corpus as published; empty where it is.

        ``split_files``: ``own``, a split of one's own; ``limit``: at most so many items a side; ``left_out``: so many items
        were not there; ``max_seconds``: so much of each item was heard, or the ``whole`` of it, where the published
        figures heard another length. Such a figure is shown with these words; it is never the best known one, is
        ranked with no other and is part of no finding.
        """
        found = {name: self.setting.get(name) for name in _DEPARTURES}
        return {name: value for name, value in found.items() if value}

    @property
    def key(self) -> tuple:
        """What it is a figure of: two records with the same key are two measurements of one thing."""
        return (
            *(self.model, self.revision, self.layer, self.pooling, self.window_seconds, self.whitening),
            *(self.corpus, self.corpus_revision, self.method, self.protocol, self.split, self.seed),
            *(self.metric, self.tag, self.source, self.citation),
            tuple(sorted((k, str(v)) for k, v in self.setting.items())),
        )


_FIELDS = {f.name for f in fields(Result)}
_UPGRADES: dict[int, Any] = {}  # schema -> function(dict) -> dict of the next schema


_PLAIN = str | int | float | None
_NUMBERS = frozenset({"value", "low", "high", "level", "window_seconds", "seed", "n", "seconds", "schema"})


def _is_of_its_kind(name: str, value: Any) -> bool:
    """Whether JSON holds for a field what belongs there; the ranges are ``Result``'s own to look at."""
    if value is None:  # as if it were not there
        return True
    if name in ("setting", "versions"):
        return isinstance(value, dict) and all(isinstance(one, _PLAIN) for one in value.values())
    if name == "influences":
        return isinstance(value, list | tuple)  # from JSON, or from a record
    if name in _NUMBERS:
        return isinstance(value, int | float) and abs(value) < 1e300
    return isinstance(value, str)


def from_dict(record: Mapping[str, Any]) -> Result:
    """A record from its plain form; older schemas are lifted. Raises ResultsError."""
    record = dict(record)
    schema = record.get("schema")
    while isinstance(schema, int) and schema in _UPGRADES:
        record = _UPGRADES[schema](record)
        schema = record.get("schema")
    if schema != SCHEMA:
        raise ResultsError(
            "This result was written by another version (schema {schema}); this one reads schema {ours}. "
            "Use the version of mirdemo that wrote it, or measure again.",
            code="results.schema",
            schema=schema,
            ours=SCHEMA,
        )
    unknown = sorted(set(record) - _FIELDS)
    if unknown:
        raise ResultsError(
            "This result has fields that are not known here: {fields}.",
            code="results.unknown_fields",
            fields=", ".join(unknown),
        )
    for name, value in record.items():
        if not _is_of_its_kind(name, value):
            raise ResultsError(
                "This result cannot be used: {what}.", code="results.invalid", what=f"{name} is {value!r:.60}"
            )
    try:
        return Result(**{name: value for name, value in record.items() if value is not None})
    except (TypeError, OverflowError) as error:
        raise ResultsError(
            "This result lacks something: {what}.", code="results.incomplete", what=str(error)
        ) from error


@dataclass(frozen=True)
class Results:
    """A set of records. ``torn``: unreadable last lines that were left out when it was read."""

    records: tuple[Result, ...]
    torn: int = 0

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.records)

    def __add__(self, other: Results) -> Results:
        return Results(self.records + other.records, self.torn + other.torn)

    def where(self, **wanted: Any) -> Results:
        """The records whose fields equal (or, for a list/tuple/set, are among) what is asked.

        A name that is no field is looked up in ``setting``.
        """

        def fits(record: Result) -> bool:
            for name, value in wanted.items():
                have = getattr(record, name) if name in _FIELDS else record.setting.get(name)
                among = value if isinstance(value, list | tuple | set | frozenset) else (value,)
                if have not in among:
                    return False
            return True

        return Results(tuple(r for r in self.records if fits(r)), self.torn)

    def headlines(self) -> Results:
        """Without the figures of single seeds, so that no model is counted once a seed."""
        return Results(tuple(r for r in self.records if not r.single_seed), self.torn)

    @cached_property
    def frame(self) -> pandas.DataFrame:
        """The records as a table, one column a field and one a setting (``setting.<name>``)."""
        import pandas as pd

        columns: dict[str, list] = {
            f.name: [] for f in fields(Result) if f.name not in ("setting", "influences")
        }
        for name in columns:
            columns[name] = [getattr(r, name) for r in self.records]
        for name in sorted({k for r in self.records for k in r.setting}):
            columns[f"setting.{name}"] = [r.setting.get(name) for r in self.records]
        frame = pd.DataFrame(columns)
        for name in ("model", "corpus", "method", "protocol", "metric", "source", "citation", "tag"):
            frame[name] = frame[name].astype("category")
        return frame


def load(path: str | os.PathLike) -> Results:
    """Every record of a file; an absent file holds none. A torn last line is left out and counted.

    Raises ResultsError on a bad line that is not the last, or on a record of another schema.
    """
    path = Path(path)
    if not path.exists():
        return Results(())
    records, torn = [], 0
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            plain = _object(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines):  # no newline behind it: a writer was stopped in the middle
                torn += 1
                continue
            raise _bad_line(number, path.name) from error
        records.append(from_dict(plain))
    return Results(tuple(records), torn)


def _object(line: str) -> dict[str, Any]:
    """A line's JSON object. Raises ValueError."""
    plain = json.loads(line)
    if not isinstance(plain, dict):
        raise ValueError("not an object")
    return plain


def check_writable(path: str | os.PathLike) -> None:
    """Refuse a file that records cannot be appended to, or of another kind, before hours of work. Raises ResultsError."""
    path = Path(path)
    try:
        if path.is_file():
            with path.open("rb") as file:
                _require_results(file, path.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = not path.exists()
        with locked(path.with_name(path.name + ".lock")), path.open("ab") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                file.write(b"\n" * _ROOM)  # as much as an evaluation writes: a full disk shows here
                file.flush()
            finally:
                file.truncate(end)
        if made and not path.stat().st_size:
            path.unlink()
    except OSError as error:
        raise ResultsError(
            "{file} cannot be written ({why}), so the figures would be lost. Choose another place, or make room.",
            code="results.not_writable",
            file=str(path),
            why=error.strerror or type(error).__name__,
        ) from error


def append(
    records: Iterable[Result],
    path: str | os.PathLike,
    *,
    known: Callable[[Result, Sequence[Result]], bool] | None = None,
) -> int:
    """Add records to a file, all or none of them; returns how many. Safe for several writers at once.

    known: asked of each record, with those that are in the file by then: whether to leave it out. It is asked while the
        file is locked, so two programs that measured the same thing write it once
    Raises ResultsError for a file of another kind, which stays what it is. Raises OSError.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(path.name + ".lock")), path.open("r+b" if path.exists() else "w+b") as file:
        _require_results(file, path.name)
        if known is not None:
            before = load(path).records
            records = [record for record in records if not known(record, before)]
        text = "".join(
            json.dumps(r.as_dict(), ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
            for r in records
        )
        end = _end_of_last_whole_line(file)
        file.truncate(end)
        file.seek(end)
        try:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)  # a full disk leaves the file as it was
            raise
    return text.count("\n")


def _require_results(file: BinaryIO, name: str) -> None:
    """Refuse what does not begin as a file of results. Raises ResultsError."""
    line = next((line for line in file if line.strip()), b"")
    try:
        if line.endswith(b"\n"):
            _object(line.decode("utf-8", "replace"))
        elif line and not line.startswith(b"{"):  # else a writer was stopped in its first line
            raise ValueError("another kind of file")
    except (ValueError, RecursionError) as error:
        raise ResultsError(
            "{file} is a file of another kind, so no figures are added to it. Choose another place for them.",
            code="results.another_kind",
            file=name,
        ) from error


def _bad_line(number: int, name: str) -> ResultsError:
    return ResultsError(
        "Line {line} of {file} is not a result. Mend or delete that line.",
        code="results.bad_line",
        line=number,
        file=name,
    )


def _end_of_last_whole_line(file: Any) -> int:
    size = file.seek(0, os.SEEK_END)
    position = size
    while position:
        start = max(0, position - 65536)
        file.seek(start)
        newline = file.read(position - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0


@cache
def published() -> Results:
    """The published figures that ship with mirdemo (``assets/results/published.jsonl``)."""
    return load(SHIPPED / "published.jsonl")


@cache
def elsewhere() -> Results:
    """Published figures of protocols that stand apart (``assets/results/elsewhere.jsonl``; ``Result.apart``)."""
    return load(SHIPPED / "elsewhere.jsonl")


@cache
def _measured_before() -> Results:
    return load(SHIPPED / "measured.jsonl").headlines()


@cache
def trained_again() -> Results:
    """The controlled experiment with both embedded networks trained once more, from another seed (``headlines``): what
    its intervals, which are over test performances, do not know. Not among the figures that are shown and compared.
    """
    return load(SHIPPED / "trained_again.jsonl").headlines()


@cache
def on_real_traditions() -> Results:
    """What ``training/on_real_traditions.py`` measured on recordings of a tradition that no backbone was raised on, and of
    Western genres: for the difference between the two, not among the figures that are shown and compared. Few-shot's
    figures of single draws are among them, as a difference of two such figures is as unsure as they make it.
    """
    return load(SHIPPED / "real_traditions.jsonl")


@cache
def untrained() -> Results:
    """The same of a network with the weights its training began with: only to be taken from another's."""
    return load(SHIPPED / "untrained.jsonl")


def shipped() -> Results:
    """Everything that ships with mirdemo: published figures, then those it measured itself (``headlines``)."""
    return published() + elsewhere() + _measured_before()


def measured() -> Results:
    """Figures measured by mirdemo itself: the shipped ones, then this machine's own (``headlines``)."""
    return _measured_before() + load(own_file()).headlines()


def own_file() -> Path:
    """Where ``evaluate`` writes on this machine."""
    return home() / "results" / "measured.jsonl"


def citations() -> dict[str, dict[str, str]]:
    """Citation key -> {short, title, authors, year, url, caution}."""
    return json.loads((SHIPPED / "citations.json").read_text(encoding="utf-8"))
