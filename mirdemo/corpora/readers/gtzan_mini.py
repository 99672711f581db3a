"""GTZAN's mini version: ten Western genres, excerpts named ``<genre>.<number>``, the first ten seconds of each.

What the files say is all there is: the genre stands in the name, so any folder in this layout is read, the whole set too. No
split was published with it: every excerpt is on the test side, for the protocol ``live``. Ten seconds, so that an item is as
long as a window of ``kdc``, are ours.
"""

from __future__ import annotations

import re
from pathlib import Path

from mirdemo.base.files import called
from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.reader import Item, RecordedCorpus
from mirdemo.corpora.readers.kdc import WINDOW_SECONDS

FACTS = (
    CorpusFacts(
        "gtzan-mini",
        "GTZAN mini",
        "western",
        10,
        (None, None, None),
        "download",
        "Tzanetakis and Cook, Musical genre classification of audio signals, IEEE Transactions on Speech and Audio "
        "Processing 10(5), 2002",
        page="https://doi.org/10.1109/TSA.2002.800560",
        layout=(
            "SOUND: blues.00000.wav and so on, in folders or not, in any format",
            "LABELS: in those names",
        ),
    ),
)
SPLIT = None
_NAME = re.compile(r"([a-z]+)\.\d{5}")


def read(facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None) -> RecordedCorpus:
    """An item is an excerpt; labels ``genre--blues``. Raises CorpusError for a folder without any."""
    folder = AudioFolder(splits if data is None else data)
    genres = {stem: found.group(1) for stem in folder.stems if (found := _NAME.fullmatch(stem))}
    if not genres:
        raise CorpusError(
            "{folder} holds no excerpt named like blues.00000. Give the folder of GTZAN's genres.",
            code="corpora.no_genres",
            folder=called(folder.folder),
        )
    items = [
        Item(stem, "test", stem, (f"genre--{genre}",), end_s=WINDOW_SECONDS) for stem, genre in genres.items()
    ]
    return RecordedCorpus(
        facts, items, sorted({label for item in items for label in item.labels or ()}), folder, max_seconds
    )
