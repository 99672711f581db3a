"""How much memory this process may take: the machine's, or what its container or Space is given of it."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_UNITS = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def given(group: Path = Path("/sys/fs/cgroup"), environment: Mapping[str, str] = os.environ) -> int | None:
    """Bytes; None where the system does not say.

    group: where the container's limits are, as Linux shows them (control groups, version 2 or 1)
    environment: a Space is told in ``MEMORY`` what it has (``16Gi``),
        https://huggingface.co/docs/hub/spaces-overview#helper-environment-variables
    """
    told = [_physical(), _group(group), _amount(environment.get("MEMORY", ""))]
    return min((one for one in told if one), default=None)


def give_back() -> None:
    """Hand memory that was freed back to the system where the C library keeps it (glibc): after work that took much, once."""
    with suppress(AttributeError, OSError, TypeError):  # another library, another system
        ctypes.CDLL(None).malloc_trim(0)


def _physical() -> int | None:
    with suppress(AttributeError, ValueError, OSError):  # not everywhere, and not under every name
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _group(group: Path) -> int | None:
    """A limit of the container; "max" and the huge number of version 1 mean none."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            return int((group / name).read_text(encoding="ascii"))
    return None


def _amount(text: str) -> int | None:
    """Bytes of ``16Gi`` or ``500M``, as Kubernetes writes them; None if it is none."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMGT]i?)?", text.strip())
    return int(float(match[1]) * _UNITS[match[2] or ""]) if match else None
