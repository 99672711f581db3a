"""What every test stands on: a home of its own, no network, quiet libraries."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

settings.register_profile("mirdemo", deadline=None)  # no test is timed: machines are noisy
settings.load_profile("mirdemo")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Each test has an empty ``MIRDEMO_HOME``, so no test sees what another (or the user) left there."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MIRDEMO_HOME", str(folder))
    return folder
