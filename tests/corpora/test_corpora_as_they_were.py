"""Tiny corpora in their published layouts are read and checked as they were on 1 December 2026: sides, labels, sources, what is told.

``PYTHONPATH=.:tests python tests/corpora/test_corpora_as_they_were.py`` writes ``corpora_as_they_were.json`` anew.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import remembered
from corpus_layouts import LAYOUTS, make

from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.checking import check
from mirdemo.corpora.reader import most_frequent
from mirdemo.corpora.registry import open_corpus
from mirdemo.corpora.synthetic import ControlledCorpus

FILE = Path(__file__).with_name("corpora_as_they_were.json")


def read(name: str, folder: Path) -> dict[str, Any]:
    """As it is read; checked with a file gone, another empty and one that nobody asked for."""
    data, checkout = make(name, folder)
    corpus = open_corpus(name, data, checkout)
    items = {key: [item.labels, item.source] for key, item in corpus.items.items()}
    first, second = corpus.sides["test"][:2]
    gone, empty = corpus.file(first), corpus.file(second)
    gone.unlink()
    if empty != gone:
        empty.write_bytes(b"")
    (data / "stray.wav").write_bytes(b"RIFF")
    found = check(open_corpus(name, data, checkout))
    told = {key: value for key, value in asdict(found).items() if key not in ("revision", "facts")}
    return {
        "sides": corpus.sides,
        "tags": corpus.tags,
        "items": items,
        "check": remembered.plain(told) if not isinstance(told, str) else told,
    }


def rest() -> dict[str, Any]:
    made = ControlledCorpus("makam", "pitch", sizes={"train": 4, "valid": 2, "test": 3})
    return {
        "catalogue": {
            name: [facts.title, facts.tradition, facts.n_tags] for name, facts in catalogue().items()
        },
        "controlled": [made.name, made.tags, {key: item.labels for key, item in made.items.items()}],
        "frequent": [most_frequent([("b", "a"), ("a",), None, ("c", "b"), ()], n) for n in (1, 2, 9)],
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_corpus_is_read_as_it_was(name: str, tmp_path: Path):
    remembered.hold(read(name, tmp_path), remembered.kept(FILE)[name])


def test_what_is_known_of_corpora_is_what_it_was():
    remembered.hold(rest(), remembered.kept(FILE)["rest"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        everything = {name: read(name, Path(folder) / name) for name in LAYOUTS}
    remembered.write(FILE, {**everything, "rest": rest()})
