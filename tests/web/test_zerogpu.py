"""ZeroGPU with the platform's own package, in a process of its own; its scheduler is played on this machine."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
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
import os
import sys
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
order = Order(LabelledClips(), "spectral", 1, FineTuneSettings(), ())
for _ in sys.stdin:  # each question in a process that has asked nothing yet
    if child := os.fork():
        os.waitpid(child, 0)
        print("END", flush=True)
        continue
    try:
        *_, last = Jobs().run(lambda: list(gpu.messages(order)), resource="training")
        print("SAID", last.sentence.code, flush=True)
    except MirdemoError as error:
        print("SAID", error.sentence.code, flush=True)
    finally:
        os._exit(0)
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as one:
        yield one


@pytest.fixture(scope="module")
def space(scheduler: Scheduler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """What a Space imports; asks the scheduler once for each line that it is given."""
    folder = tmp_path_factory.mktemp("space")
    places = [str(Path(mirdemo.__file__).parents[1]), *sys.path]
    surroundings = {
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": scheduler.url,
        "HOME": str(folder),
    }
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            env=os.environ | surroundings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        yield process
        process.stdin.close()
    assert process.returncode == 0, (folder / "errors.txt").read_text()[-2000:]


@pytest.mark.parametrize("mode", ANSWERS)
def test_whatever_the_platform_answers_becomes_a_sentence(
    mode: str, scheduler: Scheduler, space: subprocess.Popen[str]
):
    scheduler.mode = mode
    scheduler.asked.clear()
    given_up = threading.Timer(PATIENCE, space.kill)
    given_up.start()
    space.stdin.write("ask\n")
    space.stdin.flush()
    answer = itertools.takewhile(lambda line: line != "END\n", space.stdout)
    said = [line.split()[1] for line in answer if line.startswith("SAID ")]
    given_up.cancel()
    assert said == [SAID[mode]]
    ((_, asked),) = [one for one in scheduler.asked if one[0] == "/schedule"]
    assert int(asked["durationSeconds"][0]) >= gpu.LEAST_SECONDS
    assert asked["token"] == ["e30.e30.proof"], (
        "what the Hub handed over with the act, and nothing else, says whose it is"
    )
