"""Which sound a corpus's item was found to hold, remembered between runs.

The embedding store is keyed by the decoded sound, so asking it means decoding; a corpus decodes for hours. Here the
hash is kept under the file's path, size, time of change and the section that was cut, so that a second run decodes
nothing either. SQLite because it survives a kill and serves two processes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from mirdemo.base.home import home

#: Keys in one question; SQLite before 3.32 took 999.
_AT_ONCE = 900


class SoundMemory:
    """sound key -> SHA-256 of the clip. Where nothing can be written it forgets, which only costs time.

    path: the file, made when first written to; default ``home()/corpora/sounds.sqlite``
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or home() / "corpora" / "sounds.sqlite"
        self._base: sqlite3.Connection | None = None

    def get(self, key: str) -> str | None:
        try:
            row = self._open().execute("SELECT sha256 FROM sounds WHERE key = ?", (key,)).fetchone()
        except (sqlite3.Error, OSError):
            return None
        return None if row is None else row[0]

    def known(self, keys: Iterable[str]) -> dict[str, str]:
        """What is remembered of these, in one question for ``_AT_ONCE`` of them: key -> SHA-256, without those that are not."""
        asked = list(keys)
        found: dict[str, str] = {}
        try:
            base = self._open()
            for at in range(0, len(asked), _AT_ONCE):
                part = asked[at : at + _AT_ONCE]
                marks = ", ".join("?" * len(part))
                found.update(base.execute(f"SELECT key, sha256 FROM sounds WHERE key IN ({marks})", part))
        except (sqlite3.Error, OSError):
            return {}
        return found

    def put(self, sha256_of: Mapping[str, str]) -> None:
        """Remember several, all or none of them."""
        try:
            with self._open() as base:  # one transaction
                base.executemany("INSERT OR REPLACE INTO sounds VALUES (?, ?)", sha256_of.items())
        except (sqlite3.Error, OSError):
            return

    def _open(self) -> sqlite3.Connection:
        if self._base is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            base = sqlite3.connect(self._path, timeout=30)
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("CREATE TABLE IF NOT EXISTS sounds (key TEXT PRIMARY KEY, sha256 TEXT NOT NULL)")
            self._base = base
        return self._base
