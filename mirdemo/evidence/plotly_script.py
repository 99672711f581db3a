"""Plotly's own script for browsers, as it comes with the Python package: served to the page, put into reports."""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def file() -> Path:
    """Where it lies. Found without importing Plotly, which the first page does without."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise RuntimeError("plotly is not installed")
    return Path(found.origin).parent / "package_data" / "plotly.min.js"


@cache
def version() -> str:
    """The version of Plotly.js, e.g. ``"4.1.1"``, as its first lines tell."""
    with file().open(encoding="utf-8") as script:
        told = re.search(r"v(\d+\.\d+\.\d+)", script.read(200))
    if told is None:
        raise RuntimeError(f"{file().name} does not tell its version")
    return told.group(1)


@cache
def gzipped() -> bytes:
    """The script, compressed as far as gzip goes: 1.5 MB for 4.8. Made once a process, in a quarter of a second."""
    return gzip.compress(file().read_bytes(), 9, mtime=0)
