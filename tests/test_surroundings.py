"""No test depends on what the caller of pytest has set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOSTILE = {
    "HF_HUB_OFFLINE": "1",
    "HF_TOKEN": "hf_of_the_caller",
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "TRANSFORMERS_OFFLINE": "1",
    "GRADIO_ROOT_PATH": "/behind/a/proxy",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "MIRDEMO_HOME": "/nowhere",
    "RAY_ADDRESS": "ray://127.0.0.1:9",
    "COLUMNS": "20",
    "SPACES_ZERO_GPU": "true",
}


def test_what_the_caller_set_is_gone_before_any_library_is_read():
    code = "import os, sys, conftest\nprint('huggingface_hub' in sys.modules, *sorted(os.environ), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | HOSTILE | {"MIRDEMO_TEST_RECORDINGS": "kept", "MIRDEMO_TEST_MUTATIONS": "500"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded, *left = done.stdout.split("\n")
    assert loaded == "False"
    assert not set(HOSTILE) & set(left)
    assert {"MIRDEMO_TEST_RECORDINGS", "MIRDEMO_TEST_MUTATIONS", "HF_HOME", "PATH"} <= set(left)


def test_the_cache_of_the_hub_is_the_tests_own():
    from huggingface_hub import constants

    assert not constants.HF_HUB_OFFLINE
    assert Path(constants.HF_HOME) == Path(os.environ["HF_HOME"])
    assert Path(constants.HF_HOME).name.startswith("mirdemo-tests-")


def test_the_files_that_begin_first_are_there(pytestconfig: pytest.Config):
    here = Path(__file__).parent
    order = pytestconfig.pluginmanager.get_plugin(str(here / "conftest.py")).LONG
    assert order
    assert [file for file in order if not (here / file).is_file()] == []
