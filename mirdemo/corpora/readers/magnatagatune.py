"""MagnaTagATune: lines ``index<TAB>path.mp3``, and one table of labels in the order of the indices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.errors import bad_file
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.npy import read_array, read_strings
from mirdemo.corpora.reader import SIDES, Item, RecordedCorpus
from mirdemo.corpora.splits import Split

FACTS = (
    CorpusFacts(
        "magnatagatune",
        "MagnaTagATune",
        "western",
        50,
        (15247, 1529, 4332),
        "download",
        "Law et al., Evaluation of algorithms using games: the case of music tagging, ISMIR 2009",
        page="https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset",
        licence="CC-BY-NC-SA-3.0",
        layout=(
            "SOUND: 0/...mp3 to f/...mp3, as unpacked from the three parts of mp3.zip; or the same names anywhere below the folder",
            "LABELS: come with the split",
        ),
    ),
)
SPLIT = Split(("train.npy", "valid.npy", "test.npy", "tags.npy", "binary.npy"))
#: Clips are named after their track and the seconds that they were cut from it: ``...-track-30-59.mp3``.
_CUT = re.compile(r"-\d+-\d+$")


class MagnaTagATune(RecordedCorpus):
    """An item is a clip of 29 s, found as ``<folder>/<name>.mp3`` below the data folder or anywhere in it by its name."""

    def file(self, item_id: str) -> Path | None:
        if self._data is None:
            return None
        published = self._data.folder / item_id
        return published if published.is_file() else self._data.find(PurePosixPath(item_id).stem)


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> MagnaTagATune:
    tags = read_strings(splits / "tags.npy")
    return MagnaTagATune(facts, _items(splits, tags), tags, AudioFolder.of(data), max_seconds)


def _items(splits: Path, tags: tuple[str, ...]) -> Iterator[Item]:
    table = read_array(splits / "binary.npy")
    if table.ndim != 2 or table.shape[1] != len(tags) or table.dtype.kind not in "biuf":
        raise bad_file("binary.npy")
    for side in SIDES:
        for line in read_strings(splits / f"{side}.npy"):
            index, _, path = line.partition("\t")
            name = PurePosixPath(path)
            if not index.isdecimal() or int(index) >= len(table) or name.is_absolute() or ".." in name.parts:
                raise bad_file(f"{side}.npy")
            labels = tuple(tag for tag, there in zip(tags, table[int(index)], strict=True) if there)
            yield Item(str(name), side, _CUT.sub("", name.stem), labels)
