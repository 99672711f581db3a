"""JSON files that say what else there is and carry their own checksum: read strictly, and told from changed ones."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parsed(content: bytes) -> Any:
    """JSON as the standard has it. Raises ValueError for anything else: not UTF-8, NaN and Infinity, nested too deep, half a
    surrogate pair."""
    try:
        found = json.loads(content.decode(), parse_constant=_no_constant)
        if _SURROGATE.search(content):  # what no file of ours could be written with again
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except RecursionError:
        raise ValueError("nested too deep") from None


def checksum(manifest: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a manifest without its own checksum, whatever its layout as text."""
    rest = {key: value for key, value in manifest.items() if key != "checksum"}
    text = json.dumps(rest, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def unchanged(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest that was read is as it was written, by the ``checksum`` in it."""
    try:
        return manifest.get("checksum") == checksum(manifest)
    except (ValueError, TypeError, RecursionError):  # an infinite number, or lists too deep
        return False


def is_of(content: bytes, digest: Any) -> bool:
    """Whether a file is the one of which a manifest holds this SHA-256 (hex)."""
    return hashlib.sha256(content).hexdigest() == digest


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
