"""What listening tells of which clips are of one recording, and what was answered where it made us ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.clips.likeness import BACKBONE, LAYER, copies, look_alikes

if TYPE_CHECKING:
    from mirdemo.embedding.store import Store
    from mirdemo.sound.audio import Clip

#: Beyond this many clips their distances are not compared (their number grows with the square), and nothing is asked.
MOST_COMPARED = 2_000

Joined = TypeVar("Joined", int, str)
#: A group of clips, by their SHA-256.
Group = frozenset[str]


@dataclass(frozen=True)
class Heard:
    """What listening found, by the SHA-256 of the clips. Never changed.

    rows: of the clips, as ``look_alikes`` takes them; copies: pairs that are one sound in two encodings
    different: groups that are not of one recording, as somebody has said
    """

    rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    copies: frozenset[Group] = frozenset()
    different: frozenset[Group] = frozenset()

    @classmethod
    def of(cls, clips: Sequence[Clip], rows: np.ndarray) -> Heard:
        """rows: (n_clips, size) of ``likeness.BACKBONE``'s ``LAYER``"""
        pairs = copies(clips, rows) if len(clips) <= MOST_COMPARED else []
        return cls(
            {clip.sha256: row for clip, row in zip(clips, rows, strict=True)},
            frozenset(frozenset((clips[i].sha256, clips[j].sha256)) for i, j in pairs),
        )

    def __or__(self, other: Heard) -> Heard:
        return Heard(
            {**self.rows, **other.rows}, self.copies | other.copies, self.different | other.different
        )

    def only(self, ids: Iterable[str]) -> Heard:
        """Without the sound of other clips; what was said of them stays, should they come back."""
        kept = set(ids)
        return Heard(
            {id: row for id, row in self.rows.items() if id in kept},
            frozenset(pair for pair in self.copies if pair <= kept),
            self.different,
        )

    def say_different(self, ids: Iterable[str]) -> Heard:
        return replace(self, different=self.different | {frozenset(ids)})

    def are_said_different(self, ids: Iterable[str]) -> bool:
        """Whether somebody has said that all of these are not of one recording."""
        wanted = set(ids)
        return any(said >= wanted for said in self.different)

    def knows(self, ids: Iterable[str]) -> bool:
        return all(id in self.rows for id in ids)

    def are_copies(self, ids: Sequence[str]) -> bool:
        """Whether clips are nothing but one sound in several encodings."""
        joined = {id: {id} for id in ids}
        for pair in self.copies:
            if pair <= joined.keys():
                _join(joined, pair)
        return all(len(those) == len(joined) for those in joined.values())

    def groups(self, ids: Sequence[str], recordings: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        """Rows that may be of one performance, group by group, in order; none where clips were not heard or all is said.

        ids, recordings: of each clip
        """
        if not ids or len(ids) > MOST_COMPARED or not self.knows(ids):
            return ()
        rows = np.array([self.rows[id] for id in ids])
        joined = {row: {row} for row in range(len(ids))}
        place = {id: row for row, id in enumerate(ids)}
        for pair in self.copies:
            if pair <= place.keys():
                _join(joined, [place[id] for id in pair])
        for group in look_alikes(rows, recordings).groups:
            _join(joined, group)
        found = {self._unsaid(those, ids) for those in joined.values()}
        return tuple(sorted(those for those in found if len({recordings[row] for row in those}) > 1))

    def _unsaid(self, those: set[int], ids: Sequence[str]) -> tuple[int, ...]:
        """Rows that sound alike, in order, without those of which somebody has said that they are not of one recording though
        they sound so: they are not asked about again because another joins them."""
        said = [{row for row in those if ids[row] in group} for group in self.different]
        return tuple(sorted(those.difference(*(rows for rows in said if len(rows) > 1))))


def listen(clips: Sequence[Clip], store: Store | None = None, progress: Progress = silent) -> Heard:
    """Measure clips for ``LabelledClips.hear``; what ``store`` holds is not measured again."""
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed

    return Heard.of(
        clips, embed(clips, load_backbone(BACKBONE), store=store, progress=progress).layers[LAYER]
    )


def _join(joined: dict[Joined, set[Joined]], rows: Iterable[Joined]) -> None:
    """Put rows (or ids), and what each is joined to already, into one set."""
    whole = set().union(*(joined[row] for row in rows))
    for row in whole:
        joined[row] = whole
