"""FMA-medium: six-digit track ids, files ``000/000123.mp3``, genre names from the split's own table."""

from __future__ import annotations

from pathlib import Path

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.npy import read_label_lists, read_strings
from mirdemo.corpora.reader import SIDES, Item, RecordedCorpus
from mirdemo.corpora.splits import Split
from mirdemo.corpora.vocabularies import published_tags

FACTS = (
    CorpusFacts(
        "fma",
        "FMA-medium",
        "western",
        20,
        (17486, 2498, 4996),
        "download",
        "Defferrard et al., FMA: A dataset for music analysis, ISMIR 2017",
        page="https://github.com/mdeff/fma",
        licence="metadata CC-BY-4.0; audio as each artist chose",
        layout=(
            "SOUND: fma_medium/000/000002.mp3 and so on, as unpacked from fma_medium.zip; or fma_large, whose clips are the same",
            "NOT fma_full: its files are whole tracks and not the published clips of 30 s, and are passed over",
            "LABELS: come with the split; links are followed",
        ),
    ),
)
SPLIT = Split(("train.npy", "valid.npy", "test.npy", "metadata.npy"))


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> Fma:
    """An item is a clip of 30 s; the data folder may be ``fma_medium`` or one that holds it."""
    genres = read_label_lists(splits / "metadata.npy")
    items = (
        Item(track, side, track, genres.get(track))
        for side in SIDES
        for track in read_strings(splits / f"{side}.npy")
    )
    tags = published_tags(facts.name, SPLIT, splits)
    return Fma(facts, items, tags, AudioFolder.of(data), max_seconds)


class Fma(RecordedCorpus):
    """Clips of 30 s; the whole tracks of ``fma_full`` bear the same names and are passed over."""

    def file(self, item_id: str) -> Path | None:
        found = () if self._data is None else self._data.find_all(item_id)
        return next((path for path in found if "fma_full" not in path.parts), None)
