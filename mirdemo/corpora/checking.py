"""Is the user's copy of a corpus whole? Everything is looked at, and if asked also decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.corpora.reader import SIDES, Corpus
from mirdemo.sound.audio import AudioError


@dataclass(frozen=True)
class SideCheck:
    """One side of the split. listed: items; published: how many were published, None if that is not known

    no_sound, no_labels: ids whose file or labels are not there; unreadable: id -> why it cannot be decoded
    """

    listed: int
    published: int | None
    no_sound: tuple[str, ...]
    no_labels: tuple[str, ...]
    unreadable: Mapping[str, str]

    @property
    def usable(self) -> int:
        return self.listed - len({*self.no_sound, *self.no_labels, *self.unreadable})


@dataclass(frozen=True)
class CorpusCheck:
    """What was found.

    sides: side -> SideCheck
    repeated: ids that the split lists more than once; shared_sources: sources that items of several sides were cut from
        (as published for Lyra: the split is by piece), a caution and no fault
    rare_tags: tags of the vocabulary without a usable test item, which no figure can cover
    decoded: whether every file was decoded
    """

    corpus: str
    revision: str
    n_tags: int
    sides: Mapping[str, SideCheck]
    repeated: tuple[str, ...]
    shared_sources: int
    rare_tags: tuple[str, ...]
    decoded: bool

    @property
    def whole(self) -> bool:
        """Nothing is missing, unreadable, listed twice, or of another number than published."""
        return not self.repeated and all(
            side.usable == side.listed and side.published in (None, side.listed)
            for side in self.sides.values()
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "whole": self.whole}


def check(corpus: Corpus, *, decode: bool = True, progress: Progress | None = None) -> CorpusCheck:
    """Look at every item. decode: decode each file too (minutes to hours), else only see whether it is there."""
    report = progress or silent
    sides: dict[str, SideCheck] = {}
    sources: dict[str, set[str]] = defaultdict(set)
    done = 0
    for side, published in zip(SIDES, corpus.facts.recordings, strict=True):
        listed = corpus.sides[side]
        no_sound: list[str] = []
        no_labels: list[str] = []
        unreadable: dict[str, str] = {}
        for item_id in listed:
            report(done, len(corpus.items), "checking")
            done += 1
            item = corpus.items[item_id]
            sources[item.source].add(side)
            if item.labels is None:
                no_labels.append(item_id)
            if corpus.sound_key(item_id) is None:
                no_sound.append(item_id)
            elif decode:
                try:
                    corpus.clip(item_id)
                except AudioError as refusal:
                    unreadable[item_id] = str(refusal)
        sides[side] = SideCheck(len(listed), published, tuple(no_sound), tuple(no_labels), unreadable)
    report(done, len(corpus.items), "checking")
    tested = sides["test"]
    usable = [
        i for i in corpus.sides["test"] if i not in {*tested.no_sound, *tested.no_labels, *tested.unreadable}
    ]
    covered = np.any(corpus.labels(usable), axis=0)
    return CorpusCheck(
        corpus=corpus.name,
        revision=corpus.revision,
        n_tags=len(corpus.tags),
        sides=sides,
        repeated=corpus.repeated,
        shared_sources=sum(len(on) > 1 for on in sources.values()),
        rare_tags=tuple(tag for tag, there in zip(corpus.tags, covered, strict=True) if not there),
        decoded=decode,
    )
