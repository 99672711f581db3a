"""Is the user's copy of a corpus whole? Everything is looked at, and if asked also decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.corpora.reader import SIDES, Corpus
from mirdemo.sound.audio import AudioError, Clip


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
    changed: files of the split that are not the published ones
    """

    corpus: str
    revision: str
    n_tags: int
    sides: Mapping[str, SideCheck]
    repeated: tuple[str, ...]
    shared_sources: int
    rare_tags: tuple[str, ...]
    decoded: bool
    changed: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Nothing is missing, unreadable, listed twice, of another number than published, and the split is the published one."""
        return (
            not self.repeated
            and not self.changed
            and all(
                side.usable == side.listed and side.published in (None, side.listed)
                for side in self.sides.values()
            )
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "whole": self.whole}


def check(corpus: Corpus, *, decode: bool = True, progress: Progress | None = None) -> CorpusCheck:
    """Look at every item. decode: decode each file too (minutes to hours), else only see whether it is there."""
    report = progress or silent
    sides: dict[str, SideCheck] = {}
    sources: dict[str, set[str]] = defaultdict(set)
    for side, published in zip(SIDES, corpus.facts.recordings, strict=True):
        listed = corpus.sides[side]
        for item_id in listed:
            sources[corpus.items[item_id].source].add(side)
        no_labels = tuple(i for i in listed if corpus.items[i].labels is None)
        no_sound = tuple(i for i in listed if corpus.sound_key(i) is None)
        sides[side] = SideCheck(len(listed), published, no_sound, no_labels, {})
    missing = {item_id for found in sides.values() for item_id in found.no_sound}
    there = [item_id for item_id in corpus.items if item_id not in missing]
    unreadable = _decoded(corpus, there, report) if decode else {}
    for side, found in sides.items():
        of_side = {i: unreadable[i] for i in corpus.sides[side] if i in unreadable}
        sides[side] = replace(found, unreadable=of_side)
    tested = sides["test"]
    gone = {*tested.no_sound, *tested.no_labels, *tested.unreadable}
    usable = [i for i in corpus.sides["test"] if i not in gone]
    covered = np.any(corpus.labels(usable), axis=0)
    return CorpusCheck(
        corpus=corpus.name,
        revision=corpus.revision,
        n_tags=len(corpus.tags),
        sides=sides,
        repeated=corpus.repeated,
        shared_sources=sum(len(on) > 1 for on in sources.values()),
        changed=corpus.changed,
        rare_tags=tuple(tag for tag, there in zip(corpus.tags, covered, strict=True) if not there),
        decoded=decode,
    )


def _decoded(corpus: Corpus, item_ids: list[str], report: Progress) -> dict[str, str]:
    """Id -> why it cannot be decoded whole. Files that several items were cut from are decoded once."""
    unreadable: dict[str, str] = {}
    done = 0

    def take(item_id: str, found: Clip | AudioError) -> None:
        nonlocal done
        done += 1
        if isinstance(found, AudioError):
            unreadable[item_id] = str(found)
        report(done, len(item_ids), "checking")

    report(0, len(item_ids), "checking")
    corpus.read(item_ids, take)
    return unreadable
