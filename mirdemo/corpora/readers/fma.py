"""FMA-medium: six-digit track ids, files ``000/000123.mp3``, genre names from the split's own table."""

from __future__ import annotations

from pathlib import Path

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.npy import read_label_lists, read_strings
from mirdemo.corpora.reader import SIDES, Item, RecordedCorpus
from mirdemo.corpora.splits import Split

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
    ),
)
SPLIT = Split(("train.npy", "valid.npy", "test.npy", "metadata.npy"))


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> RecordedCorpus:
    """An item is a clip of 30 s; the data folder may be ``fma_medium`` or one that holds it."""
    genres = read_label_lists(splits / "metadata.npy")
    items = (
        Item(track, side, track, genres.get(track))
        for side in SIDES
        for track in read_strings(splits / f"{side}.npy")
    )
    return RecordedCorpus(facts, items, None, AudioFolder.of(data), max_seconds)
