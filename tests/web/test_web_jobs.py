"""Long steps: one result or none, stoppable, and never in the way of the page."""

from __future__ import annotations

import threading
import time

import pytest

from mirdemo.base.sentences import MirdemoError
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import UNEXPECTED, Jobs
from mirdemo.web.frame.session import Visitor


def wait(condition, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs({"model": 1}, max_waiting=2)


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_a_result_is_taken_over_once_it_is_whole(jobs: Jobs, visitor: Visitor):
    taken = []
    job = jobs.start(visitor, "step", lambda progress: 42, taken.append)
    wait(lambda: not job.active)
    assert job.state == "done"
    assert taken == [42]


def test_progress_is_seen(jobs: Jobs, visitor: Visitor):
    go = threading.Event()

    def work(progress):
        progress(3, 12, "embedding")
        go.wait(5)

    job = jobs.start(visitor, "step", work, lambda made: None)
    wait(lambda: job.phase == "embedding")
    assert (job.done, job.total, job.fraction) == (3, 12, 0.25)
    go.set()
    wait(lambda: not job.active)


def test_a_stopped_step_leaves_nothing(jobs: Jobs, visitor: Visitor):
    taken, running = [], threading.Event()

    def work(progress):
        for done in range(1000):
            progress(done, 1000, "embedding")
            running.set()
            time.sleep(0.005)

    job = jobs.start(visitor, "step", work, taken.append)
    running.wait(5)
    job.cancel()
    wait(lambda: not job.active)
    assert (job.state, taken, visitor.notice) == ("stopped", [], None)


def test_a_step_stopped_while_it_waits_never_runs(jobs: Jobs, visitor: Visitor):
    go, ran = threading.Event(), []
    first = jobs.start(visitor, "first", lambda progress: go.wait(5), lambda made: None)
    second = jobs.start(visitor, "second", ran.append, ran.append)
    wait(lambda: first.state == "running")
    second.cancel()
    go.set()
    third = jobs.start(visitor, "third", lambda progress: None, lambda made: None)
    wait(lambda: not third.active)
    assert (second.state, ran) == ("stopped", [])


def test_a_refusal_is_told_in_its_own_sentence(jobs: Jobs, visitor: Visitor):
    def work(progress):
        raise MirdemoError("No.", code="test.no")

    job = jobs.start(visitor, "step", work, lambda made: None)
    wait(lambda: not job.active)
    assert (job.state, visitor.notice.sentence.code) == ("failed", "test.no")


def test_an_unexpected_error_is_logged_and_told_neutrally(jobs: Jobs, visitor: Visitor, caplog):
    job = jobs.start(visitor, "step", lambda progress: 1 / 0, lambda made: None)
    wait(lambda: not job.active)
    assert visitor.notice.sentence == UNEXPECTED
    assert "ZeroDivisionError" in caplog.text


def test_one_step_of_a_name_at_a_time(jobs: Jobs, visitor: Visitor):
    go = threading.Event()
    job = jobs.start(visitor, "step", lambda progress: go.wait(5), lambda made: None)
    with pytest.raises(PageError) as refused:
        jobs.start(visitor, "step", lambda progress: None, lambda made: None)
    assert refused.value.sentence.code == "page.already_running"
    go.set()
    wait(lambda: not job.active)


def test_a_full_machine_refuses_and_tells_who_goes_first(jobs: Jobs):
    go, first = threading.Event(), Visitor()
    running = jobs.start(first, "step", lambda progress: go.wait(5), lambda made: None)
    wait(lambda: running.state == "running")
    waiting = [jobs.start(Visitor(), "step", lambda progress: None, lambda made: None) for _ in range(2)]
    assert [jobs.ahead(job) for job in waiting] == [0, 1]
    with pytest.raises(PageError) as refused:
        jobs.start(Visitor(), "step", lambda progress: None, lambda made: None)
    assert refused.value.sentence.code == "page.busy"
    go.set()
    wait(lambda: not any(job.active for job in waiting))


def test_a_visitor_who_left_gets_nothing_done_in_their_name(jobs: Jobs, visitor: Visitor):
    go, taken = threading.Event(), []
    job = jobs.start(visitor, "step", lambda progress: go.wait(5), taken.append)
    wait(lambda: job.state == "running")
    visitor.let_go()
    go.set()
    wait(lambda: not job.active)
    assert (job.state, taken) == ("stopped", [])
