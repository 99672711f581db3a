"""Fixtures of the probing tests."""

from __future__ import annotations

import pytest
from probing_clips import made_up


@pytest.fixture(scope="session")
def clips():
    return made_up()
