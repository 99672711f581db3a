"""Where mirdemo keeps its own files on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from mirdemo.base.files import expanded


def home() -> Path:
    """The folder for caches and results: ``$MIRDEMO_HOME``, else ``mirdemo`` in the user's cache folder.

    The folder need not exist; whoever writes makes it.
    """
    chosen = os.environ.get("MIRDEMO_HOME")
    if chosen:
        return expanded(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (expanded(cache) if cache else Path.home() / ".cache") / "mirdemo"
