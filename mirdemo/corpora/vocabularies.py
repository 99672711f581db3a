"""The six corpora's published vocabularies, for use without their sound: the words that their recordings are tagged with.

Facts taken over with their source (``assets/corpora/vocabularies.json``). They are the tags of the published few-shot
study, in its order, and the same as those of the transfer study of 2023 but for one Hindustani instrument: the older
result files have Bansuri where these have Sarod. They are also those of a corpus that is read from a user's folder by the
published split (``published_tags``), whatever labels lie there; a split of the user's own counts its own (``Corpus.tags``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mirdemo.base.assets import ASSETS
from mirdemo.corpora.splits import Split, changed_files

FILE = ASSETS / "corpora" / "vocabularies.json"


@dataclass(frozen=True)
class Vocabulary:
    """tags: as published, ``family--Name`` where the corpus names families; source, citation: where they are from

    novel: further tags that the few-shot study tests on, which no model was trained with, in its order
    """

    corpus: str
    tags: tuple[str, ...]
    source: str
    citation: str
    novel: tuple[str, ...] = ()


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Corpus -> its vocabulary, in the order of the study."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        corpus: Vocabulary(
            corpus, tuple(tags), found["source"], found["citation"], tuple(found["novel"].get(corpus, ()))
        )
        for corpus, tags in found["tags"].items()
    }


def published_tags(corpus: str, split: Split, folder: Path) -> tuple[str, ...] | None:
    """The vocabulary that goes with the split's files in this folder; None where they are not the published ones."""
    known = vocabularies().get(corpus)
    return None if known is None or changed_files(corpus, split, folder) else known.tags
