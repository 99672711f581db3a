"""The published splits: a checkout of the user's, or the files of one commit, fetched once and held to their checksum.

The commit is pinned, so the address always names the same content, and the SHA-256 of its files are known
(``assets/corpora/split_files.sha256``; all but one, whose checksum is recorded when it is first fetched). A fetched file
that differs is refused. A checkout of the user's (``--splits DIR``) may differ: it is then a split of their own
(``changed_files``), whose figures never pass for those of the published one. The content of split and labels is hashed into ``Corpus.revision`` in any case, so two results with
one revision were made with the same split and labels, wherever those came from.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mirdemo.base.assets import ASSETS
from mirdemo.base.files import called, whole
from mirdemo.base.home import home
from mirdemo.corpora.errors import CorpusError

REPOSITORY = "pxaris/ccml"
COMMIT = "1f20c2f3df38ad0ef6ae774ca6a280ed9d23e04e"

_TIMEOUT_SECONDS = 30.0
_LARGEST_FILE = 64_000_000  # bytes; the largest published one has about 10 MB
_RECORD = "SHA256.json"


@dataclass(frozen=True)
class Split:
    """Where a corpus's published split lies on GitHub.

    files: names of its files; repository, commit: the one pinned state; folder: of the files in it, ``{corpus}`` for the
    corpus's name
    """

    files: tuple[str, ...]
    repository: str = REPOSITORY
    commit: str = COMMIT
    folder: str = "data/{corpus}/split"

    def address(self, corpus: str, name: str) -> str:
        place = self.folder.format(corpus=corpus)
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{place}/{name}"


@cache
def published_checksums() -> dict[tuple[str, str], str]:
    """(corpus, file) -> SHA-256 of the split's file at the pinned commit, where it is known."""
    found = {}
    for line in (ASSETS / "corpora" / "split_files.sha256").read_text(encoding="utf-8").splitlines():
        value, place = line.split()
        corpus, _, name = place.split("/")
        found[corpus, name] = value
    return found


def changed_files(corpus: str, split: Split, folder: Path) -> tuple[str, ...]:
    """The files of a folder that are not the published ones; empty where no checksum is known."""
    if (split.repository, split.commit) != (REPOSITORY, COMMIT):
        return ()
    known = published_checksums()
    return tuple(n for n in split.files if known.get((corpus, n), _sha256(folder / n)) != _sha256(folder / n))


def split_folder(corpus: str, split: Split, checkout: Path | None = None) -> Path:
    """The folder that holds the files of a corpus's split.

    checkout: a checkout of the repository, or the folder of these files itself; None: fetched from the pinned commit
        (and kept, so only the first time needs a network). Raises CorpusError.
    """
    if checkout is not None:
        folder = _in_checkout(corpus, split, checkout)
        _compare(corpus, split, folder)
        return folder
    folder = _kept(corpus, split)
    recorded = _recorded(folder)
    for name in split.files:
        if not (folder / name).is_file() or name not in recorded:
            recorded[name] = _fetch(corpus, split, name, folder)
            _record(folder, recorded)
    _compare(corpus, split, folder)
    for name in changed_files(corpus, split, folder):
        raise _changed(corpus, name, split, folder)
    return folder


def _kept(corpus: str, split: Split) -> Path:
    return home() / "corpora" / f"{split.repository.rpartition('/')[2]}-{split.commit[:12]}" / corpus


def _in_checkout(corpus: str, split: Split, checkout: Path) -> Path:
    names = split.files
    places = [
        checkout / split.folder.format(corpus=corpus),
        checkout / corpus / "split",
        checkout / "data" / "split",
        checkout / "split",
        checkout,
    ]
    for folder in places:
        if all((folder / name).is_file() for name in names):
            return folder
    raise CorpusError(
        "{folder} does not hold the splits of {corpus} ({names}). Give a checkout of github.com/{repository}.",
        code="corpora.no_splits",
        folder=checkout.name or str(checkout),
        corpus=corpus,
        names=", ".join(names),
        repository=split.repository,
    )


def _fetch(corpus: str, split: Split, name: str, folder: Path) -> str:
    """Fetch one file whole or not at all; returns its SHA-256."""
    try:
        with urllib.request.urlopen(split.address(corpus, name), timeout=_TIMEOUT_SECONDS) as answer:
            content = answer.read(_LARGEST_FILE + 1)
            if len(content) > _LARGEST_FILE:
                raise OSError("larger than any published file")
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / name) as part:
            part.write_bytes(content)
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise CorpusError(
            "{name}, part of the split of {corpus}, could not be fetched. Check the network, or give a checkout of "
            "github.com/{repository} as --splits.",
            code="corpora.unreachable",
            name=name,
            corpus=corpus,
            repository=split.repository,
        ) from error
    return hashlib.sha256(content).hexdigest()


def _recorded(folder: Path) -> dict[str, str]:
    try:
        return json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _record(folder: Path, hashes: dict[str, str]) -> None:
    path = folder / _RECORD
    with whole(path) as part:
        part.write_text(json.dumps(hashes, indent=1, sort_keys=True), encoding="utf-8")


def _compare(corpus: str, split: Split, folder: Path) -> None:
    recorded = _recorded(_kept(corpus, split))
    for name in split.files:
        value = _sha256(folder / name)
        if recorded.get(name, value) != value:
            raise _changed(corpus, name, split, _kept(corpus, split))


def _changed(corpus: str, name: str, split: Split, folder: Path) -> CorpusError:
    return CorpusError(
        "{name} of {corpus} is not the file that was first fetched (its checksum differs). Delete the folder "
        "{folder} to fetch it again, or check your checkout out at commit {commit}.",
        code="corpora.split_changed",
        name=name,
        corpus=corpus,
        folder=called(folder),
        commit=split.commit[:7],
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
