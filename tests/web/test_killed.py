"""Ended at any moment, and begun again: the server, its training process; a clock, a port.

Real processes throughout; what cannot be waited for (an hour, a clock) is set.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from serving import Caller, Served, begin, end, served, tone

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.rates import Rates
from mirdemo.web.frame.session import Visitors

MOST_SECONDS = 90.0


def until(found: Callable[[], object]) -> object:
    """What is found as soon as it is."""
    over = time.monotonic() + MOST_SECONDS
    while time.monotonic() < over:
        seen = found()
        if seen:
            return seen
        time.sleep(0.05)
    raise AssertionError("it did not come")


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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("page")) as one:
        yield one


def test_a_training_process_that_is_killed_is_told_of_and_the_next_training_ends_well(page: Served):
    caller = with_clips(page)
    event = train(caller)
    (worker,) = until(lambda: workers(page))
    worker.kill()
    for answer in caller.answers(event):
        caller.take(answer)
    assert "The training ended by itself" in caller.sees
    caller.act("fine-tune.run", "fine-tune")
    assert "The training ended by itself" not in caller.sees
    assert "job fine-tune finetune.died" in page.said
    assert "job fine-tune done" in page.said
    assert 'class="verdict-line"' in caller.act("page.open", "fine-tune")
    assert workers(page) == []
    caller.close()


def test_a_server_killed_at_work_leaves_no_process_and_begins_anew_where_a_saved_visit_opens(page: Served):
    """The last of this page."""
    caller = with_clips(page)
    visit = saved_visit(caller)
    train(caller)
    (worker,) = until(lambda: workers(page))
    caller.upload("unread.wav", b"sound that nobody will read")
    page.process.kill()
    page.process.wait(20)
    caller.close()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    (left,) = page.uploads.glob("mirdemo-uploads-*")
    assert [path.name for path in left.rglob("*.wav")] == ["unread.wav"]
    for path in [*left.rglob("*"), left]:  # a minute later
        os.utime(path, (time.time() - 100, time.time() - 100))

    with served(page.folder) as second:
        assert not left.exists(), "what nobody will read is gone"
        again = Caller(second)
        token = again.token = caller.token
        again.hello()
        assert again.token not in (None, token), "a secret of the dead process opens nothing"
        assert "low 3.wav" not in again.sees
        again.act("clips.add", files=[again.upload("visit.zip", visit)])
        assert "low 3.wav" in again.sees
        assert again.sees.count("data-play") >= 8
        again.close()
        assert " ERROR " not in second.said


# ---- the machine ----------------------------------------------------------------------------------------------


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
