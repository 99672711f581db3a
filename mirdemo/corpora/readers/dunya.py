"""Turkish-makam, Hindustani and Carnatic: CompMusic's recordings as Dunya hands them out.

Sound is ``<MusicBrainz id>.mp3``, labels ``<MusicBrainz id>.json``: the record that Dunya's API answers for that
recording, both anywhere below the data folder. A ``metadata.npy`` beside the split, as the published helper writes
it, gives the labels instead, if there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.npy import read_label_lists, read_strings
from mirdemo.corpora.reader import SIDES, Item, RecordedCorpus
from mirdemo.corpora.splits import Split

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


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> RecordedCorpus:
    """An item is a recording."""
    table = splits / "metadata.npy"
    known = read_label_lists(table) if table.is_file() else None
    records = None if data is None else AudioFolder(data, JSON)

    def labels(recording: str) -> tuple[str, ...] | None:
        if known is not None:
            return known.get(recording) or None
        path = None if records is None else records.find(recording)
        return None if path is None else record_labels(facts.name, path)

    items = (
        Item(recording, side, recording, labels(recording))
        for side in SIDES
        for recording in read_strings(splits / f"{side}.npy")
    )
    return RecordedCorpus(facts, items, None, AudioFolder.of(data), max_seconds)


def record_labels(corpus: str, path: Path) -> tuple[str, ...] | None:
    """The labels that one recording's record gives, sorted; None if it is no such record."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not any(field in record for _, field, _ in _FIELDS[corpus]):
        return None
    return tuple(sorted(set(_labels(corpus, record))))


def _labels(corpus: str, record: Mapping[str, Any]) -> Iterator[str]:
    for beginning, field, way in _FIELDS[corpus]:
        for entry in record.get(field) or ():
            for step in way:
                entry = entry.get(step) if isinstance(entry, dict) else None
            if isinstance(entry, str) and entry.strip():  # some entries have no common name
                yield f"{beginning}--{entry.strip()}"
