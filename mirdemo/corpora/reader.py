"""What every corpus offers, whatever layout its audio and labels have.

A corpus is made of items (the published unit: a clip, a piece or a whole recording), each on one side of the
published split. Tags are the published vocabulary in its published order. What defines a measurement comes from what was
published, never from what happens to lie in the user's folder: with the published split files the vocabulary is the
published one, however few recordings have their labels here. Only a split of the user's own, which has none, gets the N most
frequent tags of its training side, equally frequent ones in alphabetical (code point) order, and its figures say so.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.section import load_section, load_sections
from mirdemo.sound.audio import AudioError, Clip

SIDES = ("train", "valid", "test")
#: So much may be missing at the end of a piece whose times were written by hand.
_SHORT_SECONDS = 1.0


@dataclass(frozen=True)
class Item:
    """One item of a corpus.

    id: unique within the corpus, as published; side: train, valid or test
    source: what its sound was cut from (a broadcast, a track); items of one source are not independent
    labels: every label it was given, those outside the vocabulary too; None if none were found for it
    start_s, end_s: where it lies in its file, in seconds; end None: to the end
    """

    id: str
    side: str
    source: str
    labels: tuple[str, ...] | None
    start_s: float = 0.0
    end_s: float | None = None


class Corpus(ABC):
    """A corpus, opened. Make one with ``open_corpus``.

    Attributes: ``name`` as in results, ``facts``, ``items`` (id -> Item, in published order: train, valid, test),
    ``repeated`` (ids that the split lists more than once, which no sound split does), ``setting`` (what else
    distinguishes figures of this corpus from those of the published one: ``mode``, ``max_seconds``, ``split_files``),
    ``changed`` (files of the split that are not the published ones, by their checksums).
    """

    name: str
    facts: CorpusFacts
    items: Mapping[str, Item]
    repeated: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    setting: Mapping[str, str | float] = MappingProxyType({})

    @property
    @abstractmethod
    def tags(self) -> tuple[str, ...]:
        """The vocabulary, in its published order."""

    @abstractmethod
    def clip(self, item_id: str) -> Clip:
        """The sound of one item. Raises CorpusError if its file is missing, AudioError if it cannot be read."""

    @abstractmethod
    def sound_key(self, item_id: str) -> str | None:
        """Text that stays the same while the item's sound does, found without decoding; None if it is missing."""

    def read(self, item_ids: Iterable[str], take: Callable[[str, Clip | AudioError], None]) -> None:
        """Hand the sound of each item, or why it cannot be read, to ``take``; in the order that costs least."""
        for item_id in item_ids:
            try:
                found: Clip | AudioError = self.clip(item_id)
            except AudioError as refusal:
                found = refusal
            take(item_id, found)

    @cached_property
    def sides(self) -> Mapping[str, tuple[str, ...]]:
        """Side -> ids of its items, in published order."""
        return MappingProxyType(
            {side: tuple(item.id for item in self.items.values() if item.side == side) for side in SIDES}
        )

    def labels(self, item_ids: Iterable[str], tags: Sequence[str] | None = None) -> np.ndarray:
        """Which tags (of the vocabulary, or of these) each item has: uint8 (n_items, n_tags)."""
        column = {tag: at for at, tag in enumerate(self.tags if tags is None else tags)}
        chosen = [self.items[item_id].labels or () for item_id in item_ids]
        table = np.zeros((len(chosen), len(column)), np.uint8)
        for row, labels in enumerate(chosen):
            table[row, [column[label] for label in labels if label in column]] = 1
        return table

    def missing(self, item_ids: Iterable[str] | None = None) -> tuple[str, ...]:
        """Ids (of all, or of these) whose sound or labels are not there, without decoding anything."""
        chosen = self.items if item_ids is None else item_ids
        return tuple(i for i in chosen if self.items[i].labels is None or self.sound_key(i) is None)

    def _labels_of_the_split(self, item: Item) -> list[str]:
        """What the split says of an item, sorted; not what another file of the user's adds."""
        return sorted(item.labels or ())

    @cached_property
    def revision(self) -> str:
        """Twelve hex digits over what split and labels say: equal for equal content, wherever it was read from."""
        content = [
            [i.id, i.side, self._labels_of_the_split(i), i.start_s, i.end_s] for i in self.items.values()
        ]
        text = json.dumps([content, self.tags], ensure_ascii=False)
        return f"split-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class RecordedCorpus(Corpus):
    """A corpus whose sound lies in a folder of the user's.

    data: that folder, or None where no sound is needed; max_seconds: of each item only so much, from its start
    """

    def __init__(
        self,
        facts: CorpusFacts,
        items: Iterable[Item],
        tags: Sequence[str] | None,
        data: AudioFolder | None,
        max_seconds: float | None,
    ) -> None:
        self.name, self.facts = facts.name, facts
        listed = tuple(items)
        self.items = MappingProxyType({item.id: item for item in listed})
        self.repeated = tuple(i for i, count in Counter(item.id for item in listed).items() if count > 1)
        self.max_seconds = max_seconds
        if max_seconds != facts.max_seconds:
            self.setting = MappingProxyType({"max_seconds": "whole" if max_seconds is None else max_seconds})
        self._tags = tuple(tags) if tags is not None else None
        self._data = data
        self._real_folders: dict[Path, Path] = {}

    @cached_property
    def tags(self) -> tuple[str, ...]:
        if self._tags is not None:
            return self._tags
        taught = (item.labels for item in self.items.values() if item.side == "train")
        return most_frequent(taught, self.facts.n_tags)

    def file(self, item_id: str) -> Path | None:
        """Where the item's sound is; None if it is not there."""
        return None if self._data is None else self._data.find(self.items[item_id].source)

    def clip(self, item_id: str) -> Clip:
        path = self.file(item_id)
        if path is None:
            raise CorpusError(
                "The sound of {id} is not in the folder of {corpus}. See how to get it: {page}",
                code="corpora.no_sound",
                id=item_id,
                corpus=self.facts.title,
                page=self.facts.page,
            )
        return self._whole(item_id, load_section(path, *self.times(item_id)))

    def read(self, item_ids: Iterable[str], take: Callable[[str, Clip | AudioError], None]) -> None:
        """A file that several items were cut from is decoded once (``load_sections``)."""
        by_file: dict[Path | None, list[str]] = {}
        for item_id in item_ids:
            by_file.setdefault(self.file(item_id), []).append(item_id)
        for path, ids in by_file.items():
            times = [self.times(item_id) for item_id in ids]
            sections = [(start, end) for start, end in times if end is not None]
            if path is None or len(ids) == 1 or len(sections) < len(times):
                super().read(ids, take)
                continue

            def hand_on(place: int, found: Clip | AudioError, ids: list[str] = ids) -> None:
                if isinstance(found, Clip):
                    try:
                        found = self._whole(ids[place], found)
                    except AudioError as refusal:
                        found = refusal
                take(ids[place], found)

            load_sections(path, sections, hand_on)

    def _whole(self, item_id: str, clip: Clip) -> Clip:
        """The clip, if none of it is missing. Raises AudioError where its file ends before it does."""
        start, end = self.times(item_id)
        wanted = None if end is None or self.items[item_id].end_s is None else end - start
        short = wanted is not None and clip.seconds < wanted - _SHORT_SECONDS
        if not clip.incomplete and not short:
            return clip
        raise AudioError(
            "{name} is cut off: {have:.1f} s of this item are there. Get the file again."
            if wanted is None
            else "{name} is cut off: {have:.1f} of {wanted:.1f} s of this item are there. Get the file again.",
            code="corpora.cut_off" if wanted is None else "corpora.cut_off_of",
            name=clip.name,
            have=clip.seconds,
            wanted=wanted or 0.0,
        )

    def sound_key(self, item_id: str) -> str | None:
        path = self.file(item_id)
        stat = None if path is None else path.stat()
        if path is None or stat is None or not stat.st_size:  # an interrupted download leaves an empty file
            return None
        return json.dumps([self._real(path), stat.st_size, stat.st_mtime_ns, *self.times(item_id)])

    def _real(self, path: Path) -> str:
        """The path without links; of a folder that holds many files they are followed once."""
        if path.is_symlink():
            return str(path.resolve())
        folder = self._real_folders.get(path.parent)
        if folder is None:
            folder = self._real_folders[path.parent] = path.parent.resolve()
        return str(folder / path.name)

    def times(self, item_id: str) -> tuple[float, float | None]:
        """Where in its file the item is heard, in seconds; end None: to the end of the file."""
        item = self.items[item_id]
        if self.max_seconds is None:
            return item.start_s, item.end_s
        longest = item.start_s + self.max_seconds
        return item.start_s, longest if item.end_s is None else min(item.end_s, longest)


def most_frequent(label_lists: Iterable[Sequence[str] | None], n: int) -> tuple[str, ...]:
    """The n labels that most items have, equally frequent ones in order of their code points."""
    counts = Counter(label for labels in label_lists for label in set(labels or ()))
    return tuple(sorted(counts, key=lambda label: (-counts[label], label))[:n])
