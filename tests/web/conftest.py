"""What a click will take hangs on the machine's load of the moment; here that stands still, so that two drawings are alike."""

from __future__ import annotations

import time

import pytest

from mirdemo.web.models import PACE


@pytest.fixture(autouse=True)
def same_load(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(PACE, "_load", lambda: (0.0, 0.0))
    monkeypatch.setattr(PACE, "_clock", lambda: now)
