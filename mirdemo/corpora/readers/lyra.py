"""Lyra: pieces inside broadcasts, each with its place in one; audio of the broadcasts named by their YouTube ids.

The published split has a training and a test side. As published, a tenth of the training side is drawn for
validation; the draw is ours (``VALIDATION_SEED``), since the published one belongs to its training program.

The published sides share no broadcast (1,240 pieces of 59 broadcasts, 330 of 15 others; github.com/pxaris/lyra-dataset,
``data/split``). Our draw for validation takes single pieces: all 50 of its broadcasts are broadcasts of the training side too,
so what is chosen on it is chosen on heard broadcasts. ``source`` says which broadcast a piece is from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.errors import bad_file
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.reader import Item, RecordedCorpus, most_frequent
from mirdemo.corpora.splits import Split
from mirdemo.corpora.vocabularies import published_tags

FACTS = (
    CorpusFacts(
        "lyra",
        "Lyra",
        "greek",
        30,
        (1116, 124, 330),
        "from YouTube by the ids and times in its tables",
        "Papaioannou et al., A dataset for Greek traditional and folk music: Lyra, ISMIR 2022",
        page="https://github.com/pxaris/lyra-dataset",
        licence="metadata CC-BY-NC-SA-4.0; audio not licensed",
        layout=(
            "SOUND: whole broadcasts named after their YouTube id: <id>.webm, 'Title [<id>].m4a' (yt-dlp), 'Title-<id>.m4a' (youtube-dl)",
            "ALSO: pieces that were cut already, each <piece id>.<any sound format>, the ids of the tables' first column",
            "LABELS: come with the split; each broadcast is decoded once for all of its pieces; links are followed",
        ),
    ),
)
SPLIT = Split(("training.tsv", "test.tsv"))
VALIDATION_SHARE = 0.1
VALIDATION_SEED = 0
_FAMILIES = ("instruments", "genres", "place")


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> Lyra:
    """An item is a piece, cut from its broadcast by start and end; labels ``instruments--Voice``, ``place--Epirus``.

    A place of ``None`` is a label like any other, as published. The vocabulary counts the whole training table,
    the part drawn for validation included, as published.
    """
    taught, tested = (_rows(splits / name) for name in SPLIT.files)
    drawn = np.random.default_rng(VALIDATION_SEED).permutation(len(taught))
    held = set(drawn[: max(1, int(VALIDATION_SHARE * len(taught)))].tolist())
    items = [
        *(_item(row, "train") for at, row in enumerate(taught) if at not in held),
        *(_item(row, "valid") for at, row in enumerate(taught) if at in held),
        *(_item(row, "test") for row in tested),
    ]
    counted = most_frequent((item.labels for item in items if item.side != "test"), facts.n_tags)
    tags = published_tags(facts.name, SPLIT, splits) or counted
    return Lyra(facts, items, tags, AudioFolder.of(data), max_seconds)


class Lyra(RecordedCorpus):
    """A piece is cut from its broadcast, or lies there cut already, named by its id."""

    def file(self, item_id: str) -> Path | None:
        return self._piece(item_id) or super().file(item_id)

    def times(self, item_id: str) -> tuple[float, float | None]:
        if self._piece(item_id) is None:
            return super().times(item_id)
        return 0.0, self.max_seconds

    def _piece(self, item_id: str) -> Path | None:
        return None if self._data is None else self._data.find(item_id)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise bad_file(path.name) from error


def _item(row: dict[str, str], side: str) -> Item:
    try:
        return Item(
            id=row["id"],
            side=side,
            source=row["youtube-id"],
            labels=tuple(_labels(row)),
            start_s=float(row["start-ts"]),
            end_s=float(row["end-ts"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bad_file("training.tsv" if side != "test" else "test.tsv") from error


def _labels(row: dict[str, str]) -> Iterator[str]:
    for family in _FAMILIES:
        for value in row[family].split("|"):
            if value.strip():
                yield f"{family}--{value.strip()}"
