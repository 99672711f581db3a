"""Small facts remembered between runs, one JSON file each, under ``mirdemo.base.home()``.

Files and not a database: written whole and renamed into place, so that two processes and a kill at any
moment leave either the old or the new fact.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mirdemo.base.files import whole
from mirdemo.base.home import home


def _path(kind: str, key: str) -> Path:
    return home() / "backbones" / kind / f"{quote(key, safe='')}.json"


def read(kind: str, key: str) -> dict[str, Any] | None:
    """The fact as it was written; None if there is none or it cannot be read."""
    try:
        value = json.loads(_path(kind, key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write(kind: str, key: str, value: dict[str, Any]) -> None:
    """Remember a fact. Where nothing can be written the fact is forgotten: it only saves work."""
    path = _path(kind, key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as part:
            part.write_text(json.dumps(value, indent=1), encoding="utf-8")
