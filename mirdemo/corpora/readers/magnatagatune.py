"""MagnaTagATune: lines ``index<TAB>path.mp3``, and one table of labels in the order of the indices.

The split's table holds the fifty tags of the vocabulary. The further ones, on which the published few-shot study tests, stand
in the corpus's own ``annotations_final.csv`` (or in that study's ``metadata.npy``), where one lies in the data folder.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.errors import bad_file
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.npy import read_array, read_label_lists, read_strings
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
            "LABELS: come with the split; annotations_final.csv of the corpus's own page, at the top of the folder, adds the tags beyond its fifty (few-shot --tags novel and both); links are followed",
        ),
    ),
)
SPLIT = Split(("train.npy", "valid.npy", "test.npy", "tags.npy", "binary.npy"))
#: Clips are named after their track and the seconds that they were cut from it: ``...-track-30-59.mp3``.
_CUT = re.compile(r"-\d+-\d+$")


class MagnaTagATune(RecordedCorpus):
    """An item is a clip of 29 s, found as ``<folder>/<name>.mp3`` below the data folder or anywhere in it by its name."""

    def _labels_of_the_split(self, item: Item) -> list[str]:
        return sorted({*(item.labels or ())} & {*self.tags})

    def file(self, item_id: str) -> Path | None:
        if self._data is None:
            return None
        published = self._data.folder / item_id
        return published if published.is_file() else self._data.find(PurePosixPath(item_id).stem)


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> MagnaTagATune:
    tags = read_strings(splits / "tags.npy")
    further = _annotations(data, splits)
    return MagnaTagATune(facts, _items(splits, tags, further), tags, AudioFolder.of(data), max_seconds)


def _annotations(data: Path | None, splits: Path) -> Mapping[str, tuple[str, ...]]:
    """A clip's name -> every tag it was given, where they are; else empty."""
    if data is not None and (data / "annotations_final.csv").is_file():
        return _table(data / "annotations_final.csv")
    places = [
        splits / "metadata.npy",
        *([data / "metadata.npy", data / "split" / "metadata.npy"] if data else []),
    ]
    known = next((path for path in places if path.is_file()), None)
    return {} if known is None else read_label_lists(known)


def _table(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file, delimiter="\t")
            names = next(rows)
            where = names.index("mp3_path")
            tags = [(at, name) for at, name in enumerate(names) if name not in ("clip_id", "mp3_path")]
            return {
                PurePosixPath(row[where]).stem: tuple(name for at, name in tags if row[at] == "1")
                for row in rows
            }
    except (OSError, UnicodeDecodeError, csv.Error, StopIteration, ValueError, IndexError) as error:
        raise bad_file(path.name) from error


def _items(splits: Path, tags: tuple[str, ...], further: Mapping[str, tuple[str, ...]]) -> Iterator[Item]:
    table = read_array(splits / "binary.npy")
    if table.ndim != 2 or table.shape[1] != len(tags) or table.dtype.kind not in "biuf":
        raise bad_file("binary.npy")
    vocabulary = frozenset(tags)
    for side in SIDES:
        for line in read_strings(splits / f"{side}.npy"):
            index, _, path = line.partition("\t")
            parts = path.split("/")
            if not index.isdecimal() or int(index) >= len(table) or not {"", ".", ".."}.isdisjoint(parts):
                raise bad_file(f"{side}.npy")
            labels = tuple(tags[at] for at in table[int(index)].nonzero()[0])
            name = PurePosixPath(parts[-1]).stem
            more = tuple(label for label in further.get(name, ()) if label not in vocabulary)
            yield Item(path, side, _CUT.sub("", name), (*labels, *more))
