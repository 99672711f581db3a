"""ZeroGPU with the platform's own package, in a process of its own; its scheduler is played on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduling import ANSWERS, Scheduler
from waiting import PATIENCE

import mirdemo
from mirdemo.web import gpu

SAID = {
    "illegal": "gpu.illegal_duration",
    "quota": "gpu.quota",
    "pending": "gpu.quota",
    "busy": "gpu.unreachable",
    "expired": "gpu.expired",
    "broken": "gpu.unreachable",
    "queue": "gpu.queue",
    "given": "gpu.worker",  # no GPU is on this machine: the worker dies
}
CODE = """
import warnings
warnings.simplefilter("ignore")
from mirdemo.web import gpu, zero  # before torch, as app.py does it
from mirdemo.base.sentences import MirdemoError
from mirdemo.clips import LabelledClips
from mirdemo.stages.finetuning import FineTuneSettings
from gradio.context import LocalContext
from starlette.requests import Request
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.tabs.finetune.order import Order
assert zero.ZERO
headers = [(zero.TOKEN.encode(), b"e30.e30.proof"), (b"authorization", b"Bearer other"), (b"cookie", b"session=other")]
LocalContext.request.set(Request({"type": "http", "headers": headers}))  # as Gradio does for an act
try:
    order = Order(LabelledClips(), "spectral", 1, FineTuneSettings(), ())
    *_, last = Jobs().run(lambda: list(gpu.messages(order)), resource="training")
    print("SAID", last.sentence.code)
except MirdemoError as error:
    print("SAID", error.sentence.code)
"""


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as one:
        yield one


@pytest.mark.parametrize("mode", ANSWERS)
def test_whatever_the_platform_answers_becomes_a_sentence(mode: str, scheduler: Scheduler, tmp_path: Path):
    scheduler.mode = mode
    places = [str(Path(mirdemo.__file__).parents[1]), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, places)),
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": scheduler.url,
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    said = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert said == [SAID[mode]], done.stderr[-2000:]
    ((_, asked),) = [one for one in scheduler.asked if one[0] == "/schedule"]
    assert int(asked["durationSeconds"][0]) >= gpu.LEAST_SECONDS
    assert asked["token"] == ["e30.e30.proof"], (
        "what the Hub handed over with the act, and nothing else, says whose it is"
    )
