"""What the host sees: health, and a log that tells nothing of a visitor."""

from __future__ import annotations

import io
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from waiting import PATIENCE

from mirdemo import __version__
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.web.frame import health
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.log import Reticent
from mirdemo.web.frame.receiving import DISK_RESERVE
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.wire import Wire

SECRETS = ("taiko of Mrs. Tanaka.wav", "祭り<tag>", "10.20.30.40", "/home/host/secret")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


def test_it_tells_counts_and_the_build_and_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(health, "DRIVER", tmp_path / "none")
    visitors, jobs, hold, begun = Visitors(), Jobs({"model": 1}), threading.Event(), threading.Event()
    visitor = visitors.arrive(None, "page")
    clip = Clip.of(np.ones(2**20, np.float32), 8000, SECRETS[0])
    visitor.hold(LabelledClips.from_clips([clip], [(SECRETS[1],)], limits=CLIP_LIMITS))

    def work(progress) -> None:
        begun.set()
        hold.wait(PATIENCE)

    for name in ("one", "two"):
        jobs.start(visitor, name, work, lambda made: None)
    assert begun.wait(PATIENCE)
    client = TestClient(Starlette(routes=[health.health_route(visitors, jobs)]))
    answer = client.get(health.ADDRESS)
    hold.set()
    told = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert told["queues"] == {"model": {"waiting": 1, "running": 1}}
    assert (told["ready"], told["version"], told["visitors"], told["queue"]) == (True, __version__, 1, 1)
    assert told["sound_mb"] == 4
    assert 20 < told["memory_mb"] < 100_000
    assert (told["hardware"], told["memory_mb"] < told["memory_of_mb"]) == ("cpu", True)
    counts = {"visitors", "queue", "queues", "memory_mb", "memory_of_mb", "sound_mb"}
    assert set(told) == {"ready", "version", "commit", "hardware"} | counts
    assert not any(secret in answer.text for secret in SECRETS)


def test_it_is_not_ready_where_no_upload_can_be_taken(folder: Path, monkeypatch: pytest.MonkeyPatch):
    client = TestClient(Starlette(routes=[health.health_route(Visitors(), Jobs())]))
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=DISK_RESERVE - 1))
        assert client.get(health.ADDRESS).status_code == 503
    assert client.get(health.ADDRESS).status_code == 200
    folder.rmdir()
    answer = client.get(health.ADDRESS)
    assert (answer.status_code, answer.json()["ready"]) == (503, False)


# ---- the log ----------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[SimpleNamespace]:
    """What is written, as it is written."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Reticent("%(levelname)s %(message)s"))
    ours = logging.getLogger("mirdemo")
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield SimpleNamespace(text=out.getvalue, all=lambda: out.getvalue().splitlines())
    ours.removeHandler(handler)
    ours.setLevel(level)


def wire(handler: Callable[[Visitor, Act], None]) -> Wire:
    import gradio as gr

    made = Wire(Visitors(), Jobs({"model": 1}))
    with gr.Blocks(), made.panel("clips"):
        made.on("test.act", handler)
    return made


def test_a_line_for_each_act_without_a_word_of_the_visitors(lines):
    def refuse(visitor: Visitor, act: Act) -> None:
        act.one_of("value", ("a",))

    sent = {"act": "test.act", "value": SECRETS[1], "files": [{"path": SECRETS[3], "name": SECRETS[0]}]}
    page = wire(refuse)
    page._do(Visitor(), Act(sent), "p")
    page._do(Visitor(), Act({"act": SECRETS[1]}), "p")
    said = lines.all()
    assert [line.split(" took_s=")[0] for line in said] == [
        "INFO act test.act page.no_such_choice",
        "INFO act unknown page.no_such_choice",
    ]


def test_an_unexpected_error_is_told_by_kind_and_place_and_not_in_its_words(lines):
    def fail(visitor: Visitor, act: Act) -> None:
        try:
            {}[SECRETS[1]]
        except KeyError as error:
            raise ValueError(f"{SECRETS[0]} from {SECRETS[2]} in {SECRETS[3]}") from error

    wire(fail)._do(Visitor(), Act({"act": "test.act"}), "p")
    text = lines.text()
    assert "ValueError at" in text
    assert "KeyError at" in text
    assert f"{Path(__file__).name}:" in text
    assert "act test.act page.unexpected" in text
    assert not any(secret in text for secret in SECRETS)


def test_a_line_for_each_job(lines):
    from mirdemo.web.frame.errors import PageError

    def refuse(progress) -> None:
        raise PageError("{name} is lost.", code="page.upload_lost", name=SECRETS[0])

    def fail(progress) -> None:
        raise OSError(2, "no such file", SECRETS[3])

    jobs, visitor = Jobs({"model": 1}), Visitor()
    for name, work in (("one", lambda progress: 1), ("two", refuse), ("three", fail)):
        jobs.start(visitor, name, work, lambda made: None)
    jobs.run(lambda: None)
    said = [line.split(" waited_s=")[0] for line in lines.all() if " job " in line and " waited_s=" in line]
    assert said == ["INFO job one done", "INFO job two page.upload_lost", "INFO job three page.unexpected"]
    assert not any(secret in lines.text() for secret in SECRETS)
    assert visitor.notice.sentence == Sentence(visitor.notice.sentence.template, "page.unexpected")
