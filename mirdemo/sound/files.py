"""Which files are meant: files, folders, patterns and lists of names, as people type them, turned into sound files.

Windows' shells do not expand ``*.mp3``, and no shell expands 100,000 names; so we do, on every system alike.
"""

from __future__ import annotations

import codecs
import fnmatch
import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import unquote

from mirdemo.base.files import called, expanded
from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.sound.decoding.containers import UNKNOWN, sniff
from mirdemo.sound.decoding.source import Source

#: Endings of files that hold sound and are read.
READ_SUFFIXES = frozenset((
    ".wav", ".wave", ".bwf", ".w64", ".rf64", ".flac", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".mp2",
    ".mp3", ".mpga", ".ogg", ".oga", ".ogv", ".spx", ".opus", ".aac", ".adts", ".wma", ".wmv", ".asf", ".m4a",
    ".m4b", ".m4v", ".mp4", ".mov", ".3gp", ".3g2", ".webm", ".mka", ".mkv", ".avi", ".flv", ".mts", ".m2ts", ".mpg",
    ".mpeg", ".vob", ".dv", ".ac3", ".eac3", ".ec3", ".amr", ".wv", ".tta",
))  # fmt: skip
#: Of files that hold sound and are not read: each is named with its kind, none is passed over.
OTHER_SUFFIXES = frozenset((
    ".ape", ".mpc", ".dsf", ".dff", ".tak", ".shn", ".ofr", ".ra", ".rm", ".dts", ".dtshd", ".thd", ".mlp", ".adx",
    ".voc", ".mxf", ".sph", ".qoa", ".vqf", ".oma", ".aa3", ".aax", ".sbc", ".aptx", ".c2",
))  # fmt: skip
SOUND_SUFFIXES = READ_SUFFIXES | OTHER_SUFFIXES
#: Endings of what lies beside sound; files with other endings, or what stands behind a dot of a name, are looked into.
_BESIDE = frozenset((
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".html", ".htm", ".md", ".pdf", ".doc", ".docx", ".xls",
    ".xlsx", ".ods", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp", ".svg", ".bmp", ".heic", ".ico",
    ".psd", ".zip", ".gz", ".7z", ".rar", ".tar", ".xz", ".bz2", ".iso", ".dmg", ".exe", ".dll", ".so", ".py",
    ".pyc", ".js", ".css", ".npy", ".npz", ".pt", ".pth", ".safetensors", ".h5", ".hdf5", ".parquet", ".db",
    ".sqlite", ".pkl", ".log", ".ini", ".yaml", ".cue", ".m3u", ".m3u8", ".pls", ".srt", ".vtt", ".nfo", ".sfv",
    ".md5", ".lnk", ".url", ".asd", ".reapeaks", ".mid", ".midi", ".textgrid", ".jams", ".svl", ".eaf", ".lab",
    ".rttm", ".undo",
))  # fmt: skip

#: Bytes of a list of names, some hundred thousand paths.
LARGEST_LIST = 256_000_000
_PLAYLISTS = (".m3u", ".m3u8")
_QUOTED = re.compile(r'"[^"]+"')


class FilesError(MirdemoError):
    """A list of files cannot be read. One sentence."""


@dataclass(frozen=True)
class Found:
    """files: paths as text, in the order in which they were named, each once; a folder's and a pattern's own are sorted
    by name. problems: a sentence for each that named nothing
    """

    files: tuple[str, ...]
    problems: tuple[Sentence, ...]


def find_files(named: Iterable[str]) -> Found:
    """The files that are meant.

    named: paths of files, taken whatever they hold; of folders, with all that lies below; and patterns (``*``, ``?``,
        ``[abc]``, ``**`` for any folders), as ``glob`` has them. ``~`` is the home folder. What exists is no pattern

    Of folders, and of patterns without an ending of their own (``2024/**``), only files of sound are taken: those with
    an ending of ``SOUND_SUFFIXES``, and those with another, or with none, that sound begins in within 64 kB, as in
    recordings of a receiver (``.ts``) or under names with dots (``01. Intro``): so much of each is looked into. Hidden
    files and folders are passed over. Links to folders are not followed, also where ``**`` stands for them, and folders
    that may not be opened are left out: problems, but for links to what is looked through anyway. A file that is not
    there stays in the list: whoever reads it will say so.
    """
    files: dict[str, None] = {}
    problems, walked = [], _Walked()
    for one in named:
        path = expanded(one)
        if path.is_dir():
            found = list(_below(path, walked))
            if not found and not walked.left_out:
                problems.append(
                    _nothing(
                        "There is no sound file in {name}.",
                        "files.none_in_folder",
                        one if path.name.strip(".") else called(path),
                    )
                )
        elif os.path.lexists(path) or not glob.has_magic(one):
            found = [str(path)]
        else:
            found = list(_matched(str(path), walked))
            if not found and not walked.left_out:
                problems.append(_nothing("No sound file is named {name}.", "files.none_named", one))
        files.update(dict.fromkeys(found))
    problems += walked.problems()
    return Found(tuple(files), tuple(problems))


def read_list(path: str | os.PathLike[str], content: bytes | None = None) -> list[str]:
    """The names in a text file, one a line; or parted by zero bytes, as ``find -print0`` writes them.

    content: the bytes, where they have been read already (standard input). UTF-8, or UTF-16 with its mark, as Windows
    writes it; other bytes pass as the file system has them. Blank lines are passed over. A playlist (``.m3u``, ``.m3u8``)
    names files from its own folder, and its lines with ``#`` are remarks; other lists name them from where the program was
    started. Where only that names a file, a name is read without quotes around it, as Windows copies paths, or in a playlist as
    an address (``file:///a%20b``). Raises FilesError.
    """
    path = expanded(path)
    try:
        if content is None:
            if path.stat().st_size > LARGEST_LIST:
                raise OSError
            content = path.read_bytes()
    except OSError:
        raise FilesError(
            "The list {name} cannot be read. Choose a text file with one file name a line.",
            code="files.no_list",
            name=called(path),
        ) from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        names = content.decode("utf-16", "replace")
    else:
        names = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))
    lines = names.split("\0") if "\0" in names else [line.removesuffix("\r") for line in names.split("\n")]
    lines = [line for line in lines if line.strip()]
    if path.suffix.lower() in _PLAYLISTS:
        lines = [line for line in lines if not line.startswith("#")]
        return [_there(str(path.parent / one) for one in (line, _unaddressed(line))) for line in lines]
    return [_there((line, line.strip()[1:-1])) if _QUOTED.fullmatch(line.strip()) else line for line in lines]


def _there(names: Iterable[str]) -> str:
    """The first of these that is there; else the first."""
    names = list(names)
    return next((name for name in names if os.path.lexists(expanded(name))), names[0])


def _unaddressed(name: str) -> str:
    """A path for the address of a file."""
    path = unquote(re.sub(r"^file://(?:localhost)?(?=/)", "", name))
    return path.removeprefix("/") if re.match(r"/[A-Za-z]:", path) else path


class _Walked:
    """Folders that were looked through, and what was left out of them."""

    def __init__(self) -> None:
        self._tops: list[Path] = []
        self._closed: list[str] = []
        self._links: list[Path] = []

    @property
    def left_out(self) -> bool:
        return bool(self._closed or self._links)

    def folders(
        self, top: Path, hidden: Callable[[str], bool] = lambda name: name.startswith(".")
    ) -> Iterator[tuple[Path, list[str]]]:
        """A folder and all below, sorted, each with the names of its files. hidden: which names of folders are passed over"""
        self._tops.append(top.resolve())
        for place, folders, names in os.walk(top, onerror=lambda error: self._closed.append(error.filename)):
            folders[:] = sorted(name for name in folders if not hidden(name))
            self._links += [link for name in folders if (link := Path(place, name)).is_symlink()]
            yield Path(place), sorted(names)

    def problems(self) -> Iterator[Sentence]:
        """A sentence for each folder that was left out, but for links to what was looked through anyway."""
        for name in dict.fromkeys(self._closed):
            yield _nothing("{name} cannot be opened, so what is in it is left out.", "files.closed", name)
        for link in dict.fromkeys(self._links):
            if not any(link.resolve().is_relative_to(top) for top in self._tops):
                yield _nothing(
                    "{name} is a link to a folder, so what is in it is left out. Name that folder, too.",
                    "files.link_to_folder",
                    str(link),
                )


def _below(folder: Path, walked: _Walked) -> Iterator[str]:
    for place, names in walked.folders(folder):
        yield from (str(found) for name in names if _is_sound(found := place / name))


def _matched(pattern: str, walked: _Walked) -> Iterator[str]:
    ending, deep = Path(pattern).suffix, "**" in Path(pattern).parts
    literal = bool(ending) and not glob.has_magic(ending)
    for one in sorted(_deep(pattern, walked) if deep else glob.iglob(pattern)):  # noqa: PTH207 - a Path's glob takes no pattern with a root
        path = Path(one)
        if path.is_dir():
            if not deep:  # else what is in it is matched by itself
                yield from _below(path, walked)
        elif literal or _is_sound(path):
            yield str(path)


def _deep(pattern: str, walked: _Walked) -> Iterator[str]:
    """The files that a pattern with ``**`` matches. ``glob`` follows links there, round and round where they lead up."""
    parts = Path(pattern).parts
    at = parts.index("**")
    wanted = parts[at:]

    def hidden(name: str) -> bool:
        return name.startswith(".") and not any(part.startswith(".") for part in wanted)

    for top in glob.iglob(str(Path(*parts[:at]))) if at else (os.curdir,):  # noqa: PTH207
        for place, names in walked.folders(Path(top), hidden):
            inside = place.relative_to(top).parts
            yield from (str(place / name) for name in names if _fits((*inside, name), wanted))


def _fits(names: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a path's parts match a pattern's, as ``glob`` has it: names with a dot only where the pattern has one."""
    if not wanted:
        return not names
    if not names:
        return all(part == "**" for part in wanted)
    hidden = names[0].startswith(".") and not wanted[0].startswith(".")
    if wanted[0] == "**":
        return _fits(names, wanted[1:]) or (not hidden and _fits(names[1:], wanted))
    return not hidden and fnmatch.fnmatch(names[0], wanted[0]) and _fits(names[1:], wanted[1:])


def lies_beside(name: str) -> bool:
    """Whether a file's ending says that it holds no sound, so that nobody need look into it."""
    return PurePath(name).suffix.lower() in _BESIDE


def _is_sound(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    ending = path.suffix.lower()
    return ending in SOUND_SUFFIXES or (not lies_beside(path.name) and _looks_like_sound(path))


def _looks_like_sound(path: Path) -> bool:
    try:
        with Source.of(path) as source:
            return source.size > 0 and sniff(source)[0] is not UNKNOWN
    except OSError:
        return False


def _nothing(template: str, code: str, name: str) -> Sentence:
    return Sentence(template, code, {"name": name})
