"""Long steps: one result or none, stoppable, and never in the way of the page."""

from __future__ import annotations

import threading
import time

import pytest
from waiting import PATIENCE, until

from mirdemo.base.sentences import MirdemoError
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.jobs import UNEXPECTED, Jobs
from mirdemo.web.frame.session import Visitor


@pytest.fixture
def jobs() -> Jobs:
    return Jobs({"model": 1}, max_waiting=2)


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_a_result_is_taken_over_once_it_is_whole(jobs: Jobs, visitor: Visitor):
    taken = []
    job = jobs.start(visitor, "step", lambda progress: 42, taken.append)
    until(lambda: not job.active)
    assert job.state == "done"
    assert taken == [42]


def test_what_a_step_will_read_is_renewed_while_it_waits_and_no_longer(jobs: Jobs, visitor: Visitor):
    go, renewed = threading.Event(), []
    first = jobs.start(visitor, "first", lambda progress: go.wait(PATIENCE), lambda made: None)
    until(lambda: first.state == "running")
    jobs.start(
        visitor, "second", lambda progress: None, lambda made: None, renew=lambda: renewed.append("second")
    )
    third = jobs.start(
        Visitor(), "third", lambda progress: None, lambda made: None, renew=lambda: renewed.append("third")
    )
    third.cancel()
    jobs.renew_waiting()
    assert renewed == ["second"]
    go.set()
    until(lambda: visitor.jobs["second"].state == "done")
    jobs.renew_waiting()
    assert renewed == ["second"]


def test_progress_is_seen(jobs: Jobs, visitor: Visitor):
    go = threading.Event()

    def work(progress):
        progress(3, 12, "embedding")
        go.wait(PATIENCE)

    job = jobs.start(visitor, "step", work, lambda made: None)
    until(lambda: job.phase == "embedding")
    assert (job.done, job.total, job.fraction) == (3, 12, 0.25)
    go.set()
    until(lambda: not job.active)


def test_a_stopped_step_leaves_nothing(jobs: Jobs, visitor: Visitor):
    taken, running = [], threading.Event()

    def work(progress):
        while True:
            progress(1, 1000, "embedding")
            running.set()
            time.sleep(0.005)

    job = jobs.start(visitor, "step", work, taken.append)
    assert running.wait(PATIENCE)
    job.cancel()
    until(lambda: not job.active)
    assert (job.state, taken, visitor.notice) == ("stopped", [], None)


def test_a_step_stopped_while_it_waits_never_runs(jobs: Jobs, visitor: Visitor):
    go, ran = threading.Event(), []
    first = jobs.start(visitor, "first", lambda progress: go.wait(PATIENCE), lambda made: None)
    second = jobs.start(visitor, "second", ran.append, ran.append)
    until(lambda: first.state == "running")
    second.cancel()
    go.set()
    third = jobs.start(visitor, "third", lambda progress: None, lambda made: None)
    until(lambda: not third.active)
    assert (second.state, ran) == ("stopped", [])


def test_a_refusal_is_told_in_its_own_sentence(jobs: Jobs, visitor: Visitor):
    def work(progress):
        raise MirdemoError("No.", code="test.no")

    job = jobs.start(visitor, "step", work, lambda made: None)
    until(lambda: not job.active)
    assert (job.state, visitor.notice.sentence.code) == ("failed", "test.no")


def test_an_unexpected_error_is_logged_and_told_neutrally(jobs: Jobs, visitor: Visitor, caplog):
    job = jobs.start(visitor, "step", lambda progress: 1 / 0, lambda made: None)
    until(lambda: not job.active)
    assert visitor.notice.sentence == UNEXPECTED
    assert "ZeroDivisionError" in caplog.text


def test_one_step_of_a_name_at_a_time(jobs: Jobs, visitor: Visitor):
    go = threading.Event()
    job = jobs.start(visitor, "step", lambda progress: go.wait(PATIENCE), lambda made: None)
    with pytest.raises(PageError) as refused:
        jobs.start(visitor, "step", lambda progress: None, lambda made: None)
    assert refused.value.sentence.code == "page.already_running"
    go.set()
    until(lambda: not job.active)


def test_a_full_machine_refuses_and_tells_who_goes_first(jobs: Jobs):
    go, first = threading.Event(), Visitor()
    running = jobs.start(first, "step", lambda progress: go.wait(PATIENCE), lambda made: None)
    until(lambda: running.state == "running")
    waiting = [jobs.start(Visitor(), "step", lambda progress: None, lambda made: None) for _ in range(2)]
    assert [jobs.ahead(job) for job in waiting] == [0, 1]
    with pytest.raises(PageError) as refused:
        jobs.start(Visitor(), "step", lambda progress: None, lambda made: None)
    assert refused.value.sentence.code == "page.busy"
    go.set()
    until(lambda: not any(job.active for job in waiting))


def held(jobs: Jobs) -> threading.Event:
    """Keep the one worker busy until the event is set."""
    go = threading.Event()
    first = jobs.start(Visitor(), "held", lambda progress: go.wait(PATIENCE), lambda made: None)
    until(lambda: first.state == "running")
    return go


def test_one_visitor_cannot_take_every_place():
    jobs, greedy = Jobs({"model": 1}, max_waiting=5, max_own=3), Visitor()
    go = held(jobs)
    for n in range(3):
        jobs.start(greedy, f"step {n}", lambda progress: None, lambda made: None)
    with pytest.raises(PageError) as refused:
        jobs.start(greedy, "step 3", lambda progress: None, lambda made: None)
    assert refused.value.sentence.code == "page.enough_waiting"
    other = jobs.start(Visitor(), "step", lambda progress: None, lambda made: None)
    go.set()
    until(lambda: not other.active)


def test_many_visits_of_one_address_leave_places_to_others():
    jobs = Jobs({"model": 1}, max_waiting=8)
    go = held(jobs)

    def begin(address: str) -> Job:
        visitor = Visitor()
        visitor.address = address
        return jobs.start(visitor, "step", lambda progress: None, lambda made: None)

    for _ in range(6):
        begin("192.0.2.1")
    with pytest.raises(PageError) as refused:
        begin("192.0.2.1")
    assert refused.value.sentence.code == "page.busy"
    other = begin("192.0.2.2")
    go.set()
    until(lambda: not other.active)


def test_what_nobody_asked_for_leaves_places_for_what_is():
    jobs, visitor = Jobs({"model": 1}, max_own=3), Visitor()
    go = held(jobs)
    jobs.start(visitor, "ahead 1", lambda progress: None, lambda made: None, unasked=True)
    with pytest.raises(PageError):
        jobs.start(visitor, "ahead 2", lambda progress: None, lambda made: None, unasked=True)
    asked = jobs.start(visitor, "asked", lambda progress: None, lambda made: None)
    go.set()
    until(lambda: asked.state == "done")


def test_a_stopped_step_gives_up_its_place_at_once(jobs: Jobs, visitor: Visitor):
    go = held(jobs)
    for _ in range(20):
        job = jobs.start(visitor, "step", lambda progress: None, lambda made: None)
        job.cancel()
    last = jobs.start(Visitor(), "step", lambda progress: None, lambda made: None)
    assert jobs.ahead(last) == 0
    go.set()
    until(lambda: not last.active)


def test_places_are_counted_for_each_resource():
    jobs = Jobs({"model": 1, "training": 1}, max_waiting=1)
    go = held(jobs)
    jobs.start(Visitor(), "waits", lambda progress: None, lambda made: None)
    trained = jobs.start(Visitor(), "trains", lambda progress: None, lambda made: None, resource="training")
    until(lambda: trained.state == "done")
    go.set()


def test_visitors_take_turns_and_are_told_so():
    jobs, greedy, other, third = Jobs({"model": 1}), Visitor(), Visitor(), Visitor()
    done: list[str] = []
    go = held(jobs)
    names = [(greedy, "g1"), (greedy, "g2"), (greedy, "g3"), (other, "o1"), (third, "t1"), (other, "o2")]
    started = [jobs.start(who, name, lambda progress, name=name: name, done.append) for who, name in names]
    order = sorted(started, key=jobs.ahead)
    go.set()
    until(lambda: not any(job.active for job in started))
    assert done == ["g1", "o1", "t1", "g2", "o2", "g3"]
    assert [job.name for job in order] == done


def test_a_second_step_waits_for_those_who_came_while_the_first_ran():
    jobs, greedy = Jobs({"model": 1}), Visitor()
    go, done = threading.Event(), []
    first = jobs.start(greedy, "g1", lambda progress: go.wait(PATIENCE), lambda made: None)
    until(lambda: first.state == "running")
    second = jobs.start(greedy, "g2", lambda progress: "g2", done.append)
    late = jobs.start(Visitor(), "l1", lambda progress: "l1", done.append)
    assert (jobs.ahead(late), jobs.ahead(second)) == (0, 1)
    go.set()
    until(lambda: not second.active)
    assert done == ["l1", "g2"]


def test_a_visitor_who_left_gets_nothing_done_in_their_name(jobs: Jobs, visitor: Visitor):
    go, taken = threading.Event(), []
    job = jobs.start(visitor, "step", lambda progress: go.wait(PATIENCE), taken.append)
    until(lambda: job.state == "running")
    visitor.let_go()
    go.set()
    until(lambda: not job.active)
    assert (job.state, taken) == ("stopped", [])
