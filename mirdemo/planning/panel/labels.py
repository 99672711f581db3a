"""From verdicts to labels: what the listeners would change in the tags of the clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mirdemo.clips.tags import same
from mirdemo.planning.panel.answers import RIGHT, WRONG
from mirdemo.planning.panel.results import Results

#: A missing word becomes a tag where so many listeners, and at least half of them, have typed it for the clip.
FEWEST_FOR_A_WORD = 2


@dataclass(frozen=True)
class Change:
    """Of one clip. tags: what it has afterwards; added, removed: against what it had"""

    sha256: str
    tags: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def label_changes(results: Results, tags_of: Mapping[str, Sequence[str]]) -> tuple[Change, ...]:
    """What changes if the listeners' verdicts are labels, of the clips in ``tags_of`` (SHA-256 -> tags).

    A tag found right is given, one found wrong is taken away, one that is split or was not asked about stays as it was.
    A missing word is added where two listeners and half of them typed it, or the only listener did.
    """
    changes = []
    for number, clip in enumerate(results.panel.clips):
        if clip.sha256 not in tags_of:
            continue
        before = list(tags_of[clip.sha256])
        verdicts = {one.tag: one.verdict for one in results.verdicts if one.clip == number}
        words = [word for word in _agreed_words(results, number) if same(word) not in map(same, verdicts)]
        wrong = {same(tag) for tag, verdict in verdicts.items() if verdict == WRONG}
        given = [tag for tag, verdict in verdicts.items() if verdict == RIGHT] + words
        kept = [tag for tag in before if same(tag) not in wrong]
        held = {same(tag) for tag in kept}
        added = tuple(tag for tag in given if same(tag) not in held)
        removed = tuple(tag for tag in before if same(tag) in wrong)
        if added or removed:
            changes.append(Change(clip.sha256, (*kept, *added), added, removed))
    return tuple(changes)


def _agreed_words(results: Results, number: int) -> list[str]:
    there = [one.clips[number] for one in results.listeners if number in one.clips]
    spelt: dict[str, str] = {}
    counts: dict[str, int] = {}
    for clip in there:
        for key, word in {same(word): word for word in clip.words}.items():
            spelt.setdefault(key, word)
            counts[key] = counts.get(key, 0) + 1
    fewest = 1 if len(results.listeners) == 1 else max(FEWEST_FOR_A_WORD, (len(there) + 1) // 2)
    return [spelt[key] for key, count in counts.items() if count >= fewest]
