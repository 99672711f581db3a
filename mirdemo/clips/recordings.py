"""Which clips come from one recording, as far as the names of their files say.

People cut a performance into ``night-1.wav, night-2.wav``, ``night part3.wav``, ``night_00-15.wav``; a recorder and a
copying system write ``ZOOM0001_Tr1.wav`` and ``night (2).wav``. They also number forty recordings ``festival_001`` to
``festival_040``, or name each after what it holds, ``drum-1, drum-2, flute-1``. So a stem alone decides nothing: what
stands before the number, who else shares it, and how the numbers run do.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath

from mirdemo.sound.audio import display_name

#: So many clips of one stem and of nothing else may still be pieces of one recording; more are a numbered collection.
_FEW = 3

#: So many characters at a name's end are looked at for a mark.
_LOOKED_AT = 40

_NUMERAL = r"(?:\d{1,5}|[ivx]{1,5}|[一二三四五六七八九十]{1,3})"
_PIECE = (
    r"part|pt|piece|seg|segment|chunk|slice|fragment|frag|excerpt|section|teil|ausschnitt|abschnitt|partie|extrait|parte|trozo|"
    r"parça|bölüm|パート|その|其の|区間|抜粋|断片"
)
_BETWEEN = r"[\s_.\-–#]*"
_DATE = re.compile(
    r"(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])(?:[-_. ]?(?:0[1-9]|[12]\d|3[01]))?(?:[-_ tT.]*\d{1,2}[-_.:h]?\d\d(?:[-_.:m]?\d\d)?)?$"
)
_SPAN = re.compile(
    r"^(?P<base>.*?)[\s_.\-@(\[]+(?P<start>\d+(?:\.\d+)?(?:[:m]\d\d)?)s?(?:\s*[-_–~]\s*|\s+to\s+)(?P<end>\d+(?:\.\d+)?(?:[:m]\d\d)?)s?[)\]]?$"
)
_CHANNEL = re.compile(
    r"^(?P<base>.*?)[\s_.\-(]+(?:l|r|left|right|mono|stereo|mid|side|ms|mix|(?:mic|ch|chan|channel|tr|マイク)[\s_.\-]*(?:\d{1,2}|l|r|lr|ms))\)?$"
)
_PARTS = re.compile(
    rf"^(?P<base>.*?){_BETWEEN}(?:\(?(?:{_PIECE}){_BETWEEN}{_NUMERAL}\)?|第{_NUMERAL}部|[(（]?(?:前半|後半|前編|中編|後編)[)）]?)$"
)
_COPY = re.compile(
    r"^(?P<base>.*?)[\s_]*(?:-\s*)?(?:copy|kopie|copie|copia|コピー|のコピー)(?:\s*\(?(?P<number>\d+)\)?)?$"
)
_CLIP = re.compile(
    rf"^(?P<base>.*?){_BETWEEN}(?:clip|cut|take|sample|クリップ|テイク){_BETWEEN}(?P<number>\d{{1,5}})$"
)
_NUMBER = re.compile(r"^(?P<base>.*?\D)(?P<number>\d{1,5})\)?$")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LETTER = re.compile(r"^(?P<base>.*?)[\s_.\-(]+(?P<letter>[a-h])\)?$")
_MIDDLE = re.compile(r"^(?P<base>.+?)[\s_.\-](?P<number>\d{1,3})(?P<rest>[\s_].*\D.*)$")

#: What recorders, phones and ripping programs write before a number: it names no recording.
_COUNTS_ONLY = re.compile(
    r"(?:new |my |新規)?(?:audio ?track|audio|clips?|cut|cd|dis[ck]|dr|dscn?|file|im[gv]|item|memo|music|mvi|pxl|rec|recordings?|"
    r"record|samples?|segment|songs?|sounds?|ste|stereo|takes?|tapes?|tests?|tracks?|untitled|vid|video|voice|voice ?memo|wave?|"
    r"zoom|aufnahme|spur|titel|stück|enregistrement|piste|pista|grabación|kayıt|録音|音声|トラック|ボイス|ボイスメモ|曲|テイク|"
    r"レコーディング)"
)


@dataclass(frozen=True)
class ByName:
    """What the names say.

    recordings: the recording of each clip, its stem or, where grouped, what the stems share
    grouped: recording -> rows of the clips, where clips of differing stems were put together
    apart: shared stem -> rows that were not put together, for the names may only count (or name a tag)
    pieces: rows whose names call them parts ("part 7") and do not say of what
    """

    recordings: tuple[str, ...]
    grouped: dict[str, tuple[int, ...]]
    apart: dict[str, tuple[int, ...]]
    pieces: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Read:
    """One stem: what it may share with others, how it is marked ("piece", "clip", "number", "" for no mark), its number."""

    base: str
    shown: str
    kind: str
    number: int | None = None
    padded: bool = False


def stem_of(name: str) -> str:
    """A file's name without its suffix; what looks like one but is a number or a word of a title stays."""
    name = display_name(name)
    suffix = PurePosixPath(name).suffix
    return name[: -len(suffix)] if re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{0,4}|\.3gp", suffix) else name


def only_counts(stem: str) -> bool:
    """Whether a stem holds a number and names nothing ("01", "Track 3", "IMG_0007"): every folder may have its own."""
    if re.fullmatch(r"\d{1,5}", bare := unicodedata.normalize("NFKC", stem)):
        return not _YEAR.fullmatch(bare)
    read = _read(stem)
    return read.kind in ("clip", "number") and bool(_COUNTS_ONLY.fullmatch(_key(read.base) or "clip"))


def by_name(
    names: Sequence[str], tags: Sequence[Sequence[str]] = (), files: Sequence[Hashable] = ()
) -> ByName:
    """The recording of each clip by the names of their files.

    names: (n,) of the files; tags: (n,) the tags of each, for a stem that is a tag names what is heard and no recording;
    files: (n,) what tells the files themselves apart, where that is known

    Clips of one stem are of one recording, but for files that are only numbered (``only_counts``): ``drum/01.wav`` and
    ``flute/01.wav`` are two. Stems that share their beginning are put together where the end
    marks a piece (``part 3``, ``前半``, a time span, a channel, a copy), or where it is a number that begins anew for
    each beginning. Numbers that only count the files (all share the beginning, or the count runs on from one to the next)
    put nothing together.
    """
    stems = [stem_of(name) or "clip" for name in names]
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, stem in enumerate(stems):
        rows_of[stem].append(row)
    reads = {stem: _read(stem) for stem in rows_of}
    # "night.wav" beside "night-2.wav" is the first of its pieces
    bare = {_key(stem): stem for stem in rows_of}
    members: dict[str, list[str]] = defaultdict(list)
    for stem, read in reads.items():
        if read.kind and _key(read.base):
            members[_key(read.base)].append(stem)
    marked = {stem for those in members.values() for stem in those}
    for key, those in members.items():
        if key in bare and bare[key] not in marked:
            those.append(bare[key])
    shared = {key: those for key, those in members.items() if len(those) > 1}
    numbers = {key: _numbers(those, reads) for key, those in shared.items()}
    used = Counter(number for mine in numbers.values() for number in mine)
    recordings = list(stems)
    grouped: dict[str, tuple[int, ...]] = {}
    apart: dict[str, tuple[int, ...]] = {}
    for key, those in shared.items():
        rows = tuple(sorted(row for stem in those for row in rows_of[stem]))
        shown = next(reads[stem].shown for stem in those if reads[stem].kind)
        words = {_key(tag) for row in rows for tag in (tags[row] if len(tags) else ())}
        if _is_one(key, [reads[stem] for stem in those], numbers[key], used, len(rows_of), words):
            grouped[shown] = rows
            for row in rows:
                recordings[row] = shown
        else:
            apart[shown] = rows
    together = {row for rows in grouped.values() for row in rows}
    for stem, those_rows in rows_of.items():
        if len(files) and len(those_rows) > 1 and only_counts(stem) and together.isdisjoint(those_rows):
            _tell_apart(stem, those_rows, files, recordings)
    of_nothing = [stem for stem, read in reads.items() if read.kind == "piece" and not _key(read.base)]
    pieces = tuple(sorted(row for stem in of_nothing for row in rows_of[stem]))
    return ByName(tuple(recordings), grouped, apart, pieces)


def _tell_apart(stem: str, rows: Sequence[int], files: Sequence[Hashable], recordings: list[str]) -> None:
    """Name the recording of each file of one stem: "01", "01 (2)"."""
    named = {files[rows[0]]: stem}
    for row in rows[1:]:
        if files[row] not in named:
            free = (f"{stem} ({number})" for number in count(2))
            named[files[row]] = next(name for name in free if name not in recordings)
        recordings[row] = named[files[row]]


def _is_one(
    key: str, those: list[_Read], numbers: list[int], used: Counter[int], stems: int, words: set[str]
) -> bool:
    """Whether stems that share a beginning are pieces of one recording.

    numbers: behind this beginning; used: behind how many beginnings each number stands; stems: how many there are in all;
    words: the tags of these clips
    """
    kinds = {one.kind for one in those}
    if _COUNTS_ONLY.fullmatch(key):
        return False
    if kinds <= {"piece", ""}:
        return True
    if key in words:  # drum-1, drum-2: named after what is heard
        return False
    if numbers and max(numbers) - min(numbers) + 1 > 3 * len(numbers) + 2:
        return False  # opus numbers, catalogue numbers
    begins_anew = any(used[number] > 1 for number in numbers)
    alone = len(those) == stems
    few = len(those) <= _FEW or len(kinds - {""}) > 1
    if alone or (len(those) > 0.75 * stems and len(those) >= 8 and not begins_anew):
        return few and not any(one.padded for one in those)
    if len(numbers) < sum(one.number is not None for one in those):
        return True  # one number twice, marked in two ways
    counts_on = used.total() > len(numbers) and not begins_anew  # drum0, flute1, drum2
    return not counts_on


def _numbers(those: list[str], reads: dict[str, _Read]) -> list[int]:
    return sorted({number for stem in those if (number := reads[stem].number) is not None})


def _read(stem: str) -> _Read:
    """How one stem can be taken apart."""
    text = unicodedata.normalize("NFKC", stem)
    head, text = text[:-_LOOKED_AT], text[-_LOOKED_AT:]
    return _read_end(head, text)


def _read_end(head: str, text: str) -> _Read:
    """How a stem ``head + text`` can be taken apart, within ``text``."""
    low = text.casefold() if len(text.casefold()) == len(text) else text
    if not _DATE.search(low):
        span = _SPAN.match(low)
        if span and _seconds(span["start"]) < _seconds(span["end"]):
            return _of(head, text, span["base"], "piece")
        for pattern in (_PARTS, _CHANNEL):
            found = pattern.match(low)
            if found:
                return _of(head, text, found["base"], "piece")
    copy = _COPY.match(low)
    if copy:
        return _of(head, text, copy["base"], "piece")
    for pattern, kind in ((_CLIP, "clip"), (_NUMBER, "number")):
        found = pattern.match(low)
        if found and not _DATE.search(low) and not _YEAR.fullmatch(found["number"]):
            padded = len(found["number"]) >= 3 and found["number"].startswith("0")
            return _of(head, text, found["base"], kind, int(found["number"]), padded)
    letter = _LETTER.match(low)
    if letter:
        return _of(head, text, letter["base"], "number", ord(letter["letter"]) - ord("a") + 1)
    middle = _MIDDLE.match(low)
    if middle and not _DATE.search(low[: middle.end("number")]):
        base = head + text[: middle.end("base")] + text[middle.start("rest") :]
        return _Read(base, _tidy(base), "number", int(middle["number"]))
    return _Read(head + text, _tidy(head + text), "")


def _of(head: str, text: str, base: str, kind: str, number: int | None = None, padded: bool = False) -> _Read:
    """A reading whose beginning is ``head`` and as much more as ``base`` has, in the spelling of ``text``."""
    text = head + text[: len(base)]
    return _Read(text, _tidy(text), kind, number, padded)


def _tidy(text: str) -> str:
    return text.strip(" _-–.#(（[").strip() or text.strip()


def _key(text: str) -> str:
    """What two spellings of one beginning have in common."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s_.\-–#()（）\[\]]+", " ", text).strip()


def _seconds(text: str) -> float:
    minutes, _, rest = text.replace("m", ":").rpartition(":")
    return 60 * float(minutes or 0) + float(rest)
