"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

#: Seconds after which it is given up: what takes longer hangs, on the busiest machine.
PATIENCE = 300.0


def until(found: Callable[[], Found]) -> Found:
    """What ``found`` gives as soon as that is true."""
    over = time.monotonic() + PATIENCE
    while not (seen := found()):
        assert time.monotonic() < over, "it never came to be"
        time.sleep(0.01)
    return seen
