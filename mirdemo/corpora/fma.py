"""FMA-medium: six-digit track ids, files ``000/000123.mp3``, genre names from the split's own table."""

from __future__ import annotations

from pathlib import Path

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.facts import CORPORA
from mirdemo.corpora.npy import read_label_lists, read_strings
from mirdemo.corpora.reader import SIDES, Item, RecordedCorpus

FILES = ("train.npy", "valid.npy", "test.npy", "metadata.npy")


class Fma(RecordedCorpus):
    """An item is a clip of 30 s; the data folder may be ``fma_medium`` or one that holds it."""

    def __init__(self, splits: Path, data: AudioFolder | None, max_seconds: float | None) -> None:
        genres = read_label_lists(splits / "metadata.npy")
        items = (
            Item(track, side, track, genres.get(track))
            for side in SIDES
            for track in read_strings(splits / f"{side}.npy")
        )
        super().__init__(CORPORA["fma"], items, None, data, max_seconds)
