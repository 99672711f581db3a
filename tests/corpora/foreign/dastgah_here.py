"""A corpus of somebody else, as one file: Iranian dastgah, a table beside the sound says who is on which side."""

from __future__ import annotations

import csv
from pathlib import Path

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.reader import Item, RecordedCorpus

FACTS = (
    CorpusFacts(
        "dastgah-here",
        "Dastgah <here>",
        "persian",
        n_tags=3,
        recordings=(4, 2, 2),
        audio="beside its table",
        citation="nobody: made for a test",
        page="https://example.org/dastgah",
        tradition_title={"en": "Persian", "ja": "ペルシャ"},
    ),
)
SPLIT = None


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> RecordedCorpus:
    """An item is a recording; ``recordings.csv`` has its file's stem, its side and its dastgah."""
    with (splits / "recordings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    items = (Item(r["stem"], r["side"], r["stem"], (f"dastgah--{r['dastgah']}",)) for r in rows)
    return RecordedCorpus(facts, items, None, AudioFolder.of(data), max_seconds)
