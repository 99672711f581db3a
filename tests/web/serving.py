"""The page served in a process of its own, as the README says, and visitors who speak to it over HTTP as its script does."""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from gradio_client.utils import apply_diff
from waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def tone(pitch: float, seconds: float = 0.5, rate: int = 16_000) -> bytes:
    """A WAV file that no other pitch has."""
    out = io.BytesIO()
    wave = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)
    soundfile.write(out, wave, rate, format="WAV")
    return out.getvalue()


@dataclass
class Served:
    """A page that is being served. folder: all it may write to"""

    address: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def said(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    @property
    def uploads(self) -> Path:
        return self.folder / "uploads"

    def stacks(self) -> str:
        """End what no longer answers; where each of its threads stood, at the end of what it has said."""
        self.process.send_signal(signal.SIGABRT)  # see PYTHONFAULTHANDLER
        self.process.wait(20)
        return f"{self.address} does not answer:\n{self.said[-20_000:]}"

    def health(self) -> dict[str, Any]:
        return httpx.get(f"{self.address}/healthz", timeout=PATIENCE).json()

    def wait(self, minutes: int = 5) -> Served:
        """Until it answers."""
        for _ in range(600 * minutes):
            try:
                httpx.get(f"{self.address}/healthz", timeout=5)
                return self
            except httpx.HTTPError:
                assert self.process.poll() is None, self.said
                time.sleep(0.1)
        raise AssertionError(f"not served within {minutes} min: {self.said}")


def begin(
    folder: Path,
    surroundings: Mapping[str, str] | None = None,
    *,
    largest_file: int | None = None,
    port: int | None = None,
) -> Served:
    """Start the page and return at once.

    surroundings: what the host sets, beside where it may write
    port: where it is served, e.g. where one was that has ended; a free one if not given
    largest_file: bytes after which the system refuses to write more to a file, as a full disk does
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    environment = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "MIRDEMO_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONFAULTHANDLER": "1",
        "MIRDEMO_READY": "0",  # most live for one test, which waits less for what it needs than for all of it
        **(surroundings or {}),
    }
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={name: value for name, value in environment.items() if value},
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=None if largest_file is None else partial(_small_files, largest_file),
        )
    return Served(f"http://127.0.0.1:{port}", process, folder)


def _small_files(largest: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


@contextmanager
def served(
    folder: Path, surroundings: Mapping[str, str] | None = None, *, port: int | None = None
) -> Iterator[Served]:
    """The page, until the block ends."""
    one = begin(folder, surroundings, port=port)
    try:
        yield one.wait()
    finally:
        end(one)


def end(one: Served) -> None:
    one.process.terminate()
    try:
        one.process.wait(20)
    except subprocess.TimeoutExpired:
        one.process.kill()
        one.process.wait(20)


class _Patient(httpx.Client):
    """Says where a page hangs that answers nothing."""

    def __init__(self, page: Served, **more: Any) -> None:
        super().__init__(**more)
        self._page = page

    def send(self, *request: Any, **how: Any) -> httpx.Response:
        try:
            return super().send(*request, **how)
        except httpx.ReadTimeout:
            pytest.fail(self._page.stacks())


class Caller:
    """A visitor without a browser. page: each view's text as it was last sent;  drawn: the number of the last drawing

    headers: what a proxy in front adds to every request;  at: another address than the page's own, a proxy's
    """

    def __init__(
        self, page: Served, headers: Mapping[str, str] | None = None, *, at: str | None = None
    ) -> None:
        self._page = page
        self._http = _Patient(page, base_url=at or page.address, timeout=PATIENCE, headers=headers)
        dependencies = self._http.get("/config").json()["dependencies"]
        self._wire = next(d["id"] for d in dependencies if any(kind == "act" for _, kind in d["targets"]))
        self.session = secrets.token_hex(6)
        self.token: str | None = None
        self.page: dict[str, str] = {}
        self.drawn = 0

    @property
    def sees(self) -> str:
        return "\n".join(self.page.values())

    def hello(self, tab: str = "clips", **more: Any) -> str:
        """Open the page, or open it again with the same secret after a reload."""
        self.session, self.page, self.drawn = secrets.token_hex(6), {}, 0
        return self.act("page.hello", tab, token=self.token, language="en", address="", **more)

    def act(self, name: str, tab: str = "clips", **sent: Any) -> str:
        """Do one thing and wait for its last answer, jobs included; what the page shows then."""
        return self.hear(self.begin(name, tab, **sent))

    def hear(self, event: str) -> str:
        """Wait for the last answer to an act; what the page shows then."""
        for answer in self.answers(event):
            self.take(answer)
        return self.sees

    def begin(self, name: str, tab: str = "clips", **sent: Any) -> str:
        """Send an act. Returns what the queue calls it."""
        body = {
            "data": [None],
            "fn_index": self._wire,
            "event_data": {"act": name, "tab": tab, "drawn": self.drawn, **sent},
            "trigger_id": None,
            "session_hash": self.session,
        }
        asked = self._http.post("/gradio_api/queue/join", json=body)
        assert asked.status_code == 200, asked.text
        return asked.json()["event_id"]

    def answers(self, event: str) -> Iterator[list[Any]]:
        """Every answer to an act as it comes, whole: all but the first are sent as differences."""
        before: list[Any] | None = None
        address = f"/gradio_api/queue/data?session_hash={self.session}"
        over = time.monotonic() + PATIENCE  # a sign of life every few seconds is no answer
        with self._http.stream("GET", address) as lines:
            for line in lines.iter_lines():
                assert time.monotonic() < over, self._page.stacks()
                told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if told.get("event_id") not in (None, event):
                    continue
                if told.get("msg") in ("process_generating", "process_completed"):
                    assert told.get("success"), told
                    answer = (told.get("output") or {}).get("data") or []
                    if told["msg"] == "process_generating" and before is not None:
                        answer = [apply_diff(*pair) for pair in zip(before, answer, strict=True)]
                    before = answer
                    yield answer
                if told.get("msg") in ("process_completed", "close_stream"):
                    return

    def take(self, answer: list[Any]) -> None:
        told = json.loads(answer[1]) if answer[1] else {}
        self.token = told.get("token", self.token)
        for name, (number, text) in told.get("views", {}).items():
            self.page[name], self.drawn = text, max(self.drawn, number)

    def upload(self, name: str, content: bytes) -> dict[str, str]:
        """Send a file; how an act names it."""
        sent = self._http.post("/gradio_api/upload", files={"files": (name, content)})
        assert sent.status_code == 200, sent.text
        return {"path": sent.json()[0], "name": name}

    def get(self, address: str) -> httpx.Response:
        return self._http.get(address)

    def close(self) -> None:
        self._http.close()
