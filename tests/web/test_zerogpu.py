"""ZeroGPU with the platform's own package, in a process of its own; its scheduler is played on this machine.

Skipped where the package is not installed (``pip install spaces``): nothing but ZeroGPU needs it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import mirdemo
from mirdemo.web import gpu

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("spaces") is None, reason="the package of ZeroGPU is not installed"
)

#: What the scheduler answers to ``/schedule``: status, headers, body.
ANSWERS = {
    "illegal": (429, {"X-Approve-Result": "illegal-duration"}, {"left": 10, "wait": -1}),
    "quota": (429, {"X-Approve-Result": "quota-exceeded"}, {"left": 10, "wait": 3600}),
    "pending": (429, {"X-Approve-Result": "pending-overquota-exceeded"}, {"left": 10, "wait": 0}),
    "busy": (503, {}, None),
    "expired": (401, {}, None),
    "broken": (500, {}, None),
    "queue": (200, {"Content-Type": "text/event-stream", "X-Queuing-Reason": "node"}, "event: failed\n\n"),
    "given": (200, {}, {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "t"}),
}
SAID = {
    "illegal": "gpu.illegal_duration",
    "quota": "gpu.quota",
    "pending": "gpu.quota",
    "busy": "gpu.unreachable",
    "expired": "gpu.unreachable",
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
from mirdemo.web.tabs.finetune.order import Order
assert zero.ZERO
try:
    *_, last = gpu.messages(Order(LabelledClips(), "spectral", 1, FineTuneSettings(), ()))
    print("SAID", last.sentence.code)
except MirdemoError as error:
    print("SAID", error.sentence.code)
"""


@pytest.fixture
def scheduler() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            address = urlsplit(self.path)
            self.server.asked.append((address.path, parse_qs(address.query)))
            status, headers, body = (
                ANSWERS[self.server.mode] if address.path == "/schedule" else (200, {}, None)
            )
            content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("mode", ANSWERS)
def test_whatever_the_platform_answers_becomes_a_sentence(
    mode: str, scheduler: ThreadingHTTPServer, tmp_path: Path
):
    scheduler.mode = mode
    places = [str(Path(mirdemo.__file__).parents[1]), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, places)),
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": f"http://127.0.0.1:{scheduler.server_port}",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=100,
    )
    said = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert said == [SAID[mode]], done.stderr[-2000:]
    ((_, asked),) = [one for one in scheduler.asked if one[0] == "/schedule"]
    assert int(asked["durationSeconds"][0]) >= gpu.LEAST_SECONDS
