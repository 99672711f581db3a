"""This machine's processor: what it is called, and how busy others keep it."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

from mirdemo.base import threads


def name(facts: Path = Path("/proc/cpuinfo")) -> str:
    """As its maker calls it, e.g. ``"AMD EPYC 7R13 Processor"``; its architecture where the system does not say."""
    try:
        lines = facts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name")]
    return " ".join((told or [platform.processor()])[0].split()) or platform.machine()


#: Units that change how fast a network is computed, or what comes out: as Linux names them.
_UNITS = (
    "avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8",
    "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip


def units(facts: Path = Path("/proc/cpuinfo")) -> tuple[str, ...]:
    """Which of ``_UNITS`` this machine lets its processes use; none where the system does not say.

    Hosts rent parts of one processor under one name, with and without its matrix units.
    """
    try:
        lines = facts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return tuple(one for one in _UNITS if one in told.partition(":")[2].split())


def load(system: Path = Path("/proc/loadavg")) -> tuple[float, float]:
    """Threads that compute or wait for a core: the system's mean of about a minute, and now, without the one that asks; as many
    as fall to the cores that this process may use. 0 where the system does not say, the mean for now where it says only that.
    """
    try:
        minute = now = os.getloadavg()[0]
    except (OSError, AttributeError):
        return 0.0, 0.0
    with contextlib.suppress(OSError, ValueError, IndexError):
        now = max(0, int(system.read_text(encoding="ascii").split()[3].partition("/")[0]) - 1)
    share = threads.cores() / max(1, os.cpu_count() or 1)
    return minute * share, now * share
