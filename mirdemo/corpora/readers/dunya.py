"""Turkish-makam, Hindustani and Carnatic: CompMusic's recordings as Dunya hands them out, and as Saraga has them.

Sound is ``<MusicBrainz id>.mp3``, labels ``<MusicBrainz id>.json``: the record that Dunya's API answers for that
recording, both anywhere below the data folder. Where no file bears the id, the records themselves are read: each says
whose it is (``mbid``), and its sound lies beside it, as in Saraga, or is named after artist and title, as compmusic's own
download does. Files of other data sets that bear the id but are no such record are passed over. A ``metadata.npy``, as the
published helper writes it, gives the labels instead, if there is one beside the split or in the data folder.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.npy import read_label_lists, read_strings
from mirdemo.corpora.reader import SIDES, Item, RecordedCorpus
from mirdemo.corpora.splits import Split
from mirdemo.corpora.vocabularies import published_tags

_INDIAN_ART_MUSIC = (
    "Srinivasamurthy et al., Corpora for music information research in Indian art music, ICMC 2014"
)

FACTS = (
    CorpusFacts(
        "makam",
        "Turkish-makam",
        "makam",
        30,
        (3709, 529, 1059),
        "from Dunya on request",
        "Uyar et al., A corpus for computational research of Turkish makam music, DLfM 2014",
        page="https://dunya.compmusic.upf.edu/makam/",
        max_seconds=150.0,
        layout=(
            "SOUND: <MusicBrainz id>.mp3 (any sound format), anywhere below the folder",
            "LABELS: <MusicBrainz id>.json, what Dunya's API answers for the recording; or one metadata.npy of the published helper",
            "ALSO: compmusic's own download ('Artist - Title.mp3' and one list of records); links are followed",
            "OTMM may lie there too: its <MusicBrainz id>.json are no records of Dunya's and are passed over",
            "GET IT: a token of dunya.compmusic.upf.edu, then github.com/pxaris/ccml, scripts get_metadata.py and get_audios.py",
        ),
    ),
    CorpusFacts(
        "hindustani",
        "Hindustani",
        "hindustani",
        20,
        (844, 120, 240),
        "from Dunya on request",
        _INDIAN_ART_MUSIC,
        page="https://dunya.compmusic.upf.edu/hindustani/",
        max_seconds=780.0,
        layout=(
            "SOUND: <MusicBrainz id>.mp3 (any sound format), anywhere below the folder",
            "LABELS: <MusicBrainz id>.json, what Dunya's API answers for the recording; or one metadata.npy of the published helper",
            "ALSO: Saraga as downloaded (Title.json beside Title.mp3.mp3), which holds part of it; compmusic's own download ('Artist - Title.mp3' and one list of records); links are followed",
            "GET IT: a token of dunya.compmusic.upf.edu, then github.com/pxaris/ccml, scripts get_metadata.py and get_audios.py",
        ),
    ),
    CorpusFacts(
        "carnatic",
        "Carnatic",
        "carnatic",
        20,
        (1829, 261, 522),
        "from Dunya on request",
        _INDIAN_ART_MUSIC,
        page="https://dunya.compmusic.upf.edu/carnatic/",
        max_seconds=330.0,
        layout=(
            "SOUND: <MusicBrainz id>.mp3 (any sound format), anywhere below the folder",
            "LABELS: <MusicBrainz id>.json, what Dunya's API answers for the recording; or one metadata.npy of the published helper",
            "ALSO: Saraga as downloaded (Title.json beside Title.mp3.mp3), which holds part of it; compmusic's own download ('Artist - Title.mp3' and one list of records); links are followed",
            "GET IT: a token of dunya.compmusic.upf.edu, then github.com/pxaris/ccml, scripts get_metadata.py and get_audios.py",
        ),
    ),
)
SPLIT = Split(("train.npy", "valid.npy", "test.npy"))
JSON = frozenset({".json"})

#: corpus -> (how the label begins, the record's list, the way from an entry of it to the name)
_FIELDS: Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "makam": (
        ("makam", "makamlist", ("name",)),
        ("usul", "usullist", ("name",)),
        ("instrument", "performers", ("instrument", "name")),
    ),
    "hindustani": (
        ("raga", "raags", ("common_name",)),
        ("tala", "taals", ("common_name",)),
        ("instrument", "artists", ("instrument", "name")),
        ("form", "forms", ("common_name",)),
    ),
    "carnatic": (
        ("raga", "raaga", ("common_name",)),
        ("tala", "taala", ("common_name",)),
        ("instrument", "artists", ("instrument", "name")),
        ("form", "form", ("name",)),
    ),
}


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> DunyaCorpus:
    """An item is a recording."""
    places = [
        splits / "metadata.npy",
        *([data / "metadata.npy", data / "split" / "metadata.npy"] if data else []),
    ]
    table = next((place for place in places if place.is_file()), None)
    known = None if table is None else read_label_lists(table)
    records = _Records(facts.name, data)

    def labels(recording: str) -> tuple[str, ...] | None:
        if known is not None:
            return known.get(recording) or None
        return records.labels(recording)

    items = (
        Item(recording, side, recording, labels(recording))
        for side in SIDES
        for recording in read_strings(splits / f"{side}.npy")
    )
    tags = published_tags(facts.name, SPLIT, splits)
    return DunyaCorpus(facts, items, tags, AudioFolder.of(data), max_seconds, records)


class DunyaCorpus(RecordedCorpus):
    """Sound by its id, or beside the record that names it."""

    def __init__(
        self,
        facts: CorpusFacts,
        items: Iterable[Item],
        tags: tuple[str, ...] | None,
        data: AudioFolder | None,
        max_seconds: float | None,
        records: _Records,
    ) -> None:
        super().__init__(facts, items, tags, data, max_seconds)
        self._records = records

    def file(self, item_id: str) -> Path | None:
        named = super().file(item_id)
        return named if named is not None or self._data is None else self._records.sound(item_id, self._data)


class _Records:
    """The JSON records below a folder: looked up by file name first; all are read only if that does not do."""

    def __init__(self, corpus: str, data: Path | None) -> None:
        self._corpus = corpus
        self._folder = None if data is None else AudioFolder(data, JSON)

    def labels(self, recording: str) -> tuple[str, ...] | None:
        if self._folder is None:
            return None
        for path in self._folder.find_all(recording):  # another data set's record may bear the same name
            found = record_labels(self._corpus, path)
            if found is not None:
                return found
        record = self._by_id.get(recording)
        return None if record is None else _labels_of(self._corpus, record[1])

    def sound(self, recording: str, data: AudioFolder) -> Path | None:
        """The file beside the record, as Saraga has it (``Title.json``, ``Title.mp3.mp3``), or the one that compmusic's own
        download names after artist and title; None unless there is exactly one."""
        found = self._by_id.get(recording)
        if found is None:
            return None
        path, record = found
        beside = [p for p in data.find_all(path.stem) if p.parent == path.parent]
        if beside:
            return beside[0]
        titled = self._titled(data).get(_plain(str(record.get("title", ""))), [])
        return titled[0] if len(titled) == 1 else None

    @cached_property
    def _by_id(self) -> dict[str, tuple[Path, Mapping[str, Any]]]:
        """Recording -> its record and the file that it stands in: one record a file, or a list of them."""
        found: dict[str, tuple[Path, Mapping[str, Any]]] = {}
        for path in self._folder or ():
            held = _json(path)
            for record in held if isinstance(held, list) else [held]:
                if isinstance(record, dict) and _is_record(self._corpus, record):
                    name = record.get("mbid")
                    if isinstance(name, str):
                        found.setdefault(name, (path, record))
        return found

    def _titled(self, data: AudioFolder) -> dict[str, list[Path]]:
        if self._titles is None:
            self._titles = {}
            for path in data:
                _, dash, title = path.stem.partition(" - ")
                if dash:
                    self._titles.setdefault(_plain(title), []).append(path)
        return self._titles

    _titles: dict[str, list[Path]] | None = None


def record_labels(corpus: str, path: Path) -> tuple[str, ...] | None:
    """The labels that one recording's record gives, sorted; None if it is no such record."""
    record = _json(path)
    return _labels_of(corpus, record) if isinstance(record, dict) and _is_record(corpus, record) else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _is_record(corpus: str, record: Mapping[str, Any]) -> bool:
    return any(isinstance(record.get(field), list) for _, field, _ in _FIELDS[corpus])


def _labels_of(corpus: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(set(_labels(corpus, record))))


def _plain(text: str) -> str:
    """A title as file names have it: no case, no accents that systems write in two ways, no signs they refuse."""
    return "".join(c for c in unicodedata.normalize("NFC", text).casefold() if c.isalnum())


def _labels(corpus: str, record: Mapping[str, Any]) -> Iterator[str]:
    for beginning, field, way in _FIELDS[corpus]:
        for entry in record.get(field) or ():
            for step in way:
                entry = entry.get(step) if isinstance(entry, dict) else None
            if isinstance(entry, str) and entry.strip():  # some entries have no common name
                yield f"{beginning}--{entry.strip()}"
