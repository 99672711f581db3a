"""KDC v1.1, the KUG Dastgahi Corpus: Iranian art music, performances and parts of the radif, in ten-second windows.

The table of recordings and the sound lie in one repository (``KDC-v1.1/KDC-v1.1-Metadata.csv`` and ``recordings``). Read here
are the types ``performance`` and ``radif``, each recording cut into whole windows of ``WINDOW_SECONDS`` from its start, what
is left at its end dropped (the table rounds durations to seconds); a recording shorter than a window is one. Its short fragments (shahed, ist, moteghayer, pitch sets)
are left out: they hold a note or a phrase. A window has its recording's dastgah, which is the vocabulary, and its instrument.

Its repository states no licence for recordings and table; what it states, AGPL-3.0, is that of the analysis beside them. No
split was published, so every window is on the test side, for the protocol ``live``. Windows, vocabulary and the two ways to
keep windows together are ours: in ``kdc`` those of one recording, in ``kdc-artists`` those of one of the six musicians.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.errors import bad_file
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.reader import Item, RecordedCorpus, most_frequent
from mirdemo.corpora.splits import Split

TABLE = "KDC-v1.1-Metadata.csv"
WINDOW_SECONDS = 10.0
TYPES = ("performance", "radif")
BY_ARTIST = "kdc-artists"
_DASTGAH = "dastgah--"


def _facts(name: str, title: str) -> CorpusFacts:
    return CorpusFacts(
        name,
        title,
        "iranian",
        12,
        (None, None, None),
        "download",
        "Nikzat and Caro Repetto, KDC: An open corpus for computational research of dastgāhi music, ISMIR 2022",
        page="https://github.com/Rafael-Caro/KDC-v1.1-Shahed-analysis",
        tradition_title={"en": "Iranian", "ja": "イラン"},
        layout=(
            "SOUND: KDC-v1.1/recordings, as in its repository: <MusicBrainz id>.flac, the radif in a folder of its own",
            f"LABELS: {TABLE} of the same repository, fetched once or from --splits",
        ),
    )


FACTS = (_facts("kdc", "KDC"), _facts(BY_ARTIST, "KDC, artists apart"))
SPLIT = Split(
    (TABLE,),
    repository="Rafael-Caro/KDC-v1.1-Shahed-analysis",
    commit="02c95114f922423446eac0ed4192ddfee5a8ac56",
    folder="KDC-v1.1",
)


class Windows(RecordedCorpus):
    """Items are windows; a recording's file is named by its MusicBrainz id, with which their ids begin."""

    def file(self, item_id: str) -> Path | None:
        return None if self._data is None else self._data.find(item_id.rpartition("-")[0])


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> Windows:
    """An item is a window; labels ``dastgah--Shur``, ``instrument--Ney``."""
    items = tuple(_items(splits / TABLE, by_artist=facts.name == BY_ARTIST))
    modes = ([label for label in item.labels or () if label.startswith(_DASTGAH)] for item in items)
    return Windows(facts, items, most_frequent(modes, facts.n_tags), AudioFolder.of(data), max_seconds)


def _items(table: Path, by_artist: bool) -> Iterator[Item]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["Type"] not in TYPES:
                    continue
                labels = (f"{_DASTGAH}{row['Dastgah'].strip()}", f"instrument--{row['Instrument'].strip()}")
                source = row["Artist"].strip() if by_artist else row["MBID"]
                count = int((float(row["Duration"]) - 0.5) // WINDOW_SECONDS)
                for at in range(max(1, count)):
                    start = at * WINDOW_SECONDS
                    yield Item(
                        id=f"{row['MBID']}-{start:03.0f}",
                        side="test",
                        source=source,
                        labels=labels,
                        start_s=start,
                        end_s=start + WINDOW_SECONDS if count > 0 else None,
                    )
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, AttributeError) as error:
        raise bad_file(TABLE) from error
