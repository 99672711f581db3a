"""Ended at any moment, and begun again: the server, its training process, the line to it; its disk, its clock, its port.

Real processes throughout; what cannot be waited for (an hour, a clock) is set. What somebody sees of it in a browser:
``tests/browser/test_cut_in_browser.py``.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from proxying import Proxy
from serving import Caller, Served, begin, end, served, tone
from waiting import until

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.rates import Rates
from mirdemo.web.frame.receiving import DISK_RESERVE
from mirdemo.web.frame.session import Visitors


def workers(page: Served) -> list[psutil.Process]:
    """The server's training processes."""
    with suppress(psutil.NoSuchProcess):
        return [
            child
            for child in psutil.Process(page.process.pid).children(recursive=True)
            if any("finetune.worker" in word for word in child.cmdline())
        ]
    return []


def with_clips(page: Served) -> Caller:
    """A visitor with eight clips of two tags, who is about to train."""
    caller = Caller(page)
    caller.hello()
    for tag, first in (("low", 200), ("high", 2000)):
        files = [caller.upload(f"{tag} {i}.wav", tone(first + 37 * i)) for i in range(4)]
        caller.act("clips.add", files=files, tags=tag)
    assert "low 3.wav" in caller.sees
    return caller


def train(caller: Caller) -> str:
    """Begin to train a small network. Returns the act's event."""
    caller.act("page.open", "fine-tune")
    caller.act("fine-tune.backbone", "fine-tune", value="mini-west")
    caller.act("fine-tune.epochs", "fine-tune", value="5")
    return caller.begin("fine-tune.run", "fine-tune")


def saved_visit(caller: Caller) -> bytes:
    caller.act("page.open", "clips")
    caller.act("visit.save", sound="true")
    place = caller.sees.split('/visit.zip"')[0].rpartition('"')[2]
    answer = caller.get(f"/{place}/visit.zip")
    assert answer.status_code == 200
    return answer.content


def facts(page: Served) -> list[Path]:
    """What the server has put down for its next start; nothing half-written among it."""
    found = [path for path in (page.folder / "home").rglob("*") if path.is_file()]
    assert not [path.name for path in found if path.suffix == ".tmp"]
    return [path for path in found if path.suffix == ".json"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("page")) as one:
        yield one


def test_a_training_process_that_is_killed_is_told_of_and_the_next_training_ends_well(page: Served):
    caller = with_clips(page)
    event = train(caller)
    (worker,) = until(lambda: workers(page))
    worker.kill()
    caller.hear(event)
    assert "The training ended by itself" in caller.sees
    assert all(json.loads(fact.read_text()) for fact in facts(page)), "what is remembered on disk is whole"
    caller.act("fine-tune.run", "fine-tune")
    assert "The training ended by itself" not in caller.sees
    assert "job fine-tune finetune.died" in page.said
    assert "job fine-tune done" in page.said
    assert 'class="verdict-line"' in caller.act("page.open", "fine-tune")
    assert workers(page) == []
    caller.close()


# ---- the line -------------------------------------------------------------------------------------------------


def test_an_act_whose_line_is_cut_is_done_whole_and_its_visitor_finds_it(page: Served):
    for cut_at in (b'"clips.add"', b"/gradio_api/queue/data"):  # as it is sent; while its answer comes
        armed: list[bytes] = []
        with Proxy(page, cuts=lambda piece, armed=armed: any(one in piece for one in armed)) as proxy:
            caller = Caller(page, at=proxy.address)
            caller.hello()
            files = [caller.upload(f"cut {i}.wav", tone(300 + i)) for i in range(3)]
            armed.append(cut_at)
            with pytest.raises(httpx.TransportError):
                caller.act("clips.add", files=files, tags="cut")
            caller.close()
        again = Caller(page)
        again.token = caller.token
        until(lambda again=again: "cut 2.wav" in again.hello(cut="yes"))
        assert all(f"cut {i}.wav" in again.sees for i in range(3))
        assert "The connection is back. This visit is as it was." in again.hello(cut="yes")
        again.close()
    assert "Traceback" not in page.said


def test_an_upload_whose_line_is_cut_leaves_nothing(page: Served):
    before = page.health()
    with Proxy(page, cuts=lambda piece: b"half of it" in piece) as proxy:
        caller = Caller(page, at=proxy.address)
        with pytest.raises(httpx.TransportError):
            caller.upload("a.wav", b"x" * 2**20 + b"half of it" + b"x" * 2**20)
        caller.close()
    until(lambda: not list(page.uploads.rglob("*.wav")))
    (own,) = page.uploads.glob("mirdemo-uploads-*")
    until(lambda: [path for path in own.iterdir() if path.is_dir()] == [])
    assert page.health()["ready"] == before["ready"] is True
    assert "Traceback" not in page.said


def test_a_proxy_that_holds_answers_back_is_looked_past(page: Served):
    with Proxy(page, holds=True) as proxy:
        caller = with_clips(Served(proxy.address, page.process, page.folder))
        event = train(caller)
        until(lambda: workers(page))
        look = caller.begin("page.look", "fine-tune", why="silence")  # what the page does after some seconds
        caller.hear(look)
        assert workers(page), "heard when all was over"
        assert "progress-fine-tune" in caller.sees
        caller.act("page.stop", "fine-tune", job="fine-tune")
        until(lambda: "progress-fine-tune" not in caller.act("page.look", "fine-tune"))
        assert event
        caller.close()


def test_after_a_silence_it_is_looked_and_once_the_line_is_back_it_is_told_again(page: Served):
    def told(answer: list[Any]) -> dict[str, Any]:
        caller.take(answer)
        return json.loads(answer[1]) if answer[1] else {}

    caller = with_clips(page)
    train(caller)
    until(lambda: workers(page))
    for why in ("silence", "told"):
        heard = [told(one) for one in caller.answers(caller.begin("page.look", "fine-tune", why=why))]
        assert heard[0]["look"]
        assert "after" not in heard[-1], "all of it was said at once"
    hearing = caller.answers(caller.begin("page.look", "fine-tune", why="back"))
    assert "look" not in told(next(hearing))
    assert "after" in told(next(hearing)), "what comes by itself"
    hearing.close()
    caller.act("page.stop", "fine-tune", job="fine-tune")
    caller.close()


# ---- the server ------------------------------------------------------------------------------------------------


def test_a_server_killed_at_work_leaves_no_process_and_begins_anew_where_a_saved_visit_opens(page: Served):
    """The last of this page."""
    caller = with_clips(page)
    visit = saved_visit(caller)
    heard = caller.sees.split('data-src="')[1].split('"')[0]
    assert caller.get(f"/{heard}").status_code == 200
    train(caller)
    (worker,) = until(lambda: workers(page))
    caller.upload("unread.wav", b"sound that nobody will read")
    page.process.kill()
    page.process.wait(20)
    caller.close()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    (left,) = page.uploads.glob("mirdemo-uploads-*")
    assert [path.name for path in left.rglob("*.wav")] == ["unread.wav"]
    before = {path: path.read_bytes() for path in facts(page)}
    assert before, "a training has been timed"
    for path in [*left.rglob("*"), left]:  # a minute later
        os.utime(path, (time.time() - 100, time.time() - 100))

    port = int(page.address.rpartition(":")[2])
    with served(page.folder, port=port) as second:
        assert {path: path.read_bytes() for path in facts(second)} == before
        assert second.address == page.address, "the port that has just been given up is taken again"
        assert not left.exists(), "what nobody will read is gone"
        again = Caller(second)
        token = again.token = caller.token
        again.hello()
        assert again.token not in (None, token), "a secret of the dead process opens nothing"
        assert "low 3.wav" not in again.sees
        assert again.get(f"/{heard}").status_code == 404
        assert "The server was restarted" not in again.sees, "the page had not told that it had anything"
        again.token = caller.token
        read = re.sub("<[^>]*>", "", again.hello(had="yes"))  # terms in it open
        assert "The server was restarted. The clips and results" in read
        again.act("clips.add", files=[again.upload("visit.zip", visit)])
        assert "low 3.wav" in again.sees
        assert again.sees.count("data-play") >= 8
        again.close()
        assert " ERROR " not in second.said


# ---- the machine ----------------------------------------------------------------------------------------------


def all_that_needs_no_disk(caller: Caller) -> None:
    """A tagger, a training, charts, a visit to take home, clips that the server makes."""
    caller.act("page.open", "few-shot")
    assert "few-shot.query" in caller.act("few-shot.build", "few-shot")
    caller.hear(train(caller))
    assert 'class="verdict-line"' in caller.act("page.open", "fine-tune")
    assert "data-chart" in caller.act("page.open", "evidence")
    assert len(saved_visit(caller)) > 10_000
    caller.act("clips.clear")
    assert caller.act("clips.festival").count("data-play") > 10


def refused_for_the_disk(page: Served, disk: Path, content: bytes) -> None:
    for language, words in (("en", "The disk of this server is full"), ("ja", "ディスク")):
        answer = httpx.post(
            f"{page.address}/gradio_api/upload?language={language}", files={"files": ("a.wav", content)}
        )
        assert (answer.status_code, answer.json()["code"]) == (507, "page.disk_full")
        assert words in answer.json()["detail"]
    assert list((disk / "uploads").rglob("*.wav")) == []


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system there with hardly more room than the page asks for; whether this account may make one."""
    folder.mkdir()
    size = f"size={DISK_RESERVE + 2**24}"
    made = (
        sys.platform == "linux"
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "-l", str(folder)], check=True)


#: Bytes after which nothing more can be written to a file: less than what a visitor may send, more than all else needs.
LARGEST = 2**20
SET_CLOCK = """
import os, time
real = time.time
def now():
    try:
        with open(os.environ["CLOCK"]) as told:
            return real() + float(told.read() or 0)
    except OSError:
        return real()
time.time = now
time.time_ns = lambda: int(now() * 1e9)
"""


@dataclass
class Limited:
    """A page that can write no file of more than ``LARGEST``, on a small disk of its own, with a clock that can be set.

    disk: all it may write to; small: whether that is a file system of its own
    clock: the file that says by how many seconds its clock is wrong
    """

    page: Served
    disk: Path
    small: bool
    clock: Path


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    folder = tmp_path_factory.mktemp("limited")
    (folder / "clock").mkdir()
    (folder / "clock" / "sitecustomize.py").write_text(SET_CLOCK)
    disk, clock = folder / "disk", folder / "clock.txt"
    told = {"CLOCK": clock, "PYTHONPATH": folder / "clock"}
    places = {"TMPDIR": disk, "MIRDEMO_HOME": disk / "home", "GRADIO_TEMP_DIR": disk / "uploads"}
    with small_disk(disk) as small:
        one = begin(
            folder / "page", {name: str(path) for name, path in (told | places).items()}, largest_file=LARGEST
        )
        try:
            yield Limited(one.wait(), disk, small, clock)
        finally:
            end(one)


@pytest.fixture
def clock(limited: Limited) -> Iterator[Path]:
    """Its clock, right again afterwards."""
    yield limited.clock
    limited.clock.write_text("0")


def test_a_disk_that_becomes_full_in_an_upload_is_told_and_the_part_goes(limited: Limited):
    page = limited.page
    refused_for_the_disk(page, limited.disk, b"x" * 3 * LARGEST)
    caller = Caller(page)
    caller.hello()
    caller.act("clips.add", files=[caller.upload("low.wav", tone(200))])  # what is smaller goes on
    assert "low.wav" in caller.sees
    caller.close()
    assert "Traceback" not in page.said


def test_a_server_whose_clock_is_set_back_in_a_visit_keeps_it(limited: Limited, clock: Path):
    page = limited.page
    caller = with_clips(page)
    event = train(caller)
    until(lambda: workers(page))
    clock.write_text(str(-400 * 86_400))
    caller.hear(event)
    assert 'class="verdict-line"' in caller.act("page.open", "fine-tune")
    caller.act("page.open", "clips")
    for days in (-400, 0, -20_000):  # the last: 1972
        clock.write_text(str(days * 86_400))
        caller.act(
            "clips.add",
            "clips",
            files=[caller.upload(f"day {-days}.wav", tone(500 - days / 100))],
            tags="low",
        )
        assert f"day {-days}.wav" in caller.sees
        other = Caller(page)
        assert "low 3.wav" not in other.hello()
        other.close()
    assert "low 3.wav" in caller.hello()
    assert len(saved_visit(caller)) > 10_000
    assert page.health()["ready"] is True
    assert " ERROR " not in page.said
    assert "Traceback" not in page.said
    caller.close()


def test_with_a_disk_that_is_full_the_page_does_all_that_needs_none(limited: Limited):
    """The last of this page."""
    if not limited.small:
        pytest.skip("this account may make no file system")
    page, disk = limited.page, limited.disk
    caller = with_clips(page)
    with suppress(OSError), (disk / "full").open("wb", buffering=0) as full:
        while full.write(b"x" * 2**16):
            pass
    with pytest.raises(OSError, match="No space left"):
        (disk / "more").write_bytes(b"x")
    refused_for_the_disk(page, disk, b"x" * 10_000)
    all_that_needs_no_disk(caller)
    caller.close()
    assert page.health()["ready"] is False, "who hosts it is told"
    assert " ERROR " not in page.said
    assert "Traceback" not in page.said


def test_a_clock_set_back_or_ahead_ends_no_visit_and_locks_nobody_out(monkeypatch: pytest.MonkeyPatch):
    visitors, rates, job, now = Visitors(), Rates(), Job("x", "model"), time.time()
    one = visitors.arrive(None, "page")
    for there in (now - 365 * 86_400, now + 365 * 86_400, 0.0):
        monkeypatch.setattr(time, "time", lambda there=there: there)
        assert visitors.sweep() == 0
        assert visitors.get(one.token, "page") is one
        assert rates.ask("sender", "file") == 0
        assert 0 <= job.seconds < 60
        one.tell(Sentence("Taken back.", "page.undone"), undo=lambda: None)
        one.take_back_last()


def test_a_port_that_is_taken_is_told_and_no_other_is_used(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = begin(tmp_path, {"GRADIO_SERVER_PORT": str(port)})
        try:
            assert one.process.wait(120) == 1
            assert f"Port {port} is taken" in one.said
            assert "Traceback" not in one.said
        finally:
            end(one)
