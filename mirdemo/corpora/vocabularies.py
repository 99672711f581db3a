"""The six corpora's published vocabularies, for use without their sound: the words that their recordings are tagged with.

Facts taken over with their source (``assets/corpora/vocabularies.json``). They are the tags of the published few-shot
study, in its order, and the same as those of the transfer study of 2023 but for one Hindustani instrument: the older
result files have Bansuri where these have Sarod. A corpus that is read from a user's folder counts its own
(``Corpus.tags``): the most frequent labels of the training side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from mirdemo.base.assets import ASSETS

FILE = ASSETS / "corpora" / "vocabularies.json"


@dataclass(frozen=True)
class Vocabulary:
    """tags: as published, ``family--Name`` where the corpus names families; source, citation: where they are from"""

    corpus: str
    tags: tuple[str, ...]
    source: str
    citation: str


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Corpus -> its vocabulary, in the order of the study."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        corpus: Vocabulary(corpus, tuple(tags), found["source"], found["citation"])
        for corpus, tags in found["tags"].items()
    }
