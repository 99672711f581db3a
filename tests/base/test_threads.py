"""Threads: as many as the machine gives, set for one forward pass in one thread, and cores taken in turn."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from waiting import PATIENCE

from mirdemo import cli
from mirdemo.base import threads
from mirdemo.base.sentences import Cancelled


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def in_thread(work):
    """What ``work`` returns in a thread of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def group(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "given"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "something else\n"}, None),
        ({}, None),
    ],
)
def test_a_container_counts_as_many_cores_as_it_has_time_for(tmp_path, monkeypatch, files, given):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    assert threads.cores(group(tmp_path, files)) == (given or 16)


def test_a_program_waits_without_spinning_and_keeps_what_the_host_has_set(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    surroundings = {"MKL_NUM_THREADS": "1"}
    threads.prepare(surroundings)
    assert surroundings["OMP_WAIT_POLICY"] == "PASSIVE"
    assert surroundings["OMP_NUM_THREADS"] == "3"
    assert surroundings["MKL_NUM_THREADS"] == "1"
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    without_limit: dict[str, str] = {}
    threads.prepare(without_limit)
    assert "OMP_NUM_THREADS" not in without_limit


def test_numpy_computes_on_one_thread_unless_the_host_says_otherwise():
    ours: dict[str, str] = {}
    threads.prepare(ours)
    assert ours["OPENBLAS_NUM_THREADS"] == "1"
    told = {"OPENBLAS_NUM_THREADS": "4"}
    threads.prepare(told)
    assert told["OPENBLAS_NUM_THREADS"] == "4"


def test_every_program_prepares_before_it_loads_anything(monkeypatch):
    for name in threads.WAITING:
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    rows = (Path(cli.__file__).parents[1] / "app.py").read_text(encoding="utf-8").splitlines()
    page = next(i for i, row in enumerate(rows) if row.startswith("from mirdemo.web"))
    assert rows.index("threads.prepare()  # before torch and NumPy are loaded") < page


def test_a_process_is_told_its_own_number_and_how_to_wait(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    told = threads.surroundings(2)
    assert told["OMP_NUM_THREADS"] == "2"
    assert told["OPENBLAS_NUM_THREADS"] == "1"
    assert told["OMP_WAIT_POLICY"] == "ACTIVE"  # the host's own word


def test_a_limit_holds_in_its_own_thread_only_and_is_put_back(two_threads):
    with threads.limited(1):
        assert torch.get_num_threads() == 1
        assert in_thread(torch.get_num_threads) == 2
    assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError), threads.limited(1):
        _ = 1 / 0
    assert torch.get_num_threads() == 2


def test_a_limit_never_gives_more_than_there_were(two_threads):
    with threads.limited(64):
        assert torch.get_num_threads() == 2


#: In a process of its own, where nothing else computes.
OF_OTHERS = """
import time
import torch
from mirdemo.base import threads
torch.set_num_threads(2)
matrix = torch.randn(600, 600)
with threads.limited(1):
    matrix @ matrix
    all_, own = time.process_time(), time.thread_time()
    for _ in range(100):  # beside which what else begins with the process is little
        matrix @ matrix
    print((time.process_time() - all_) / (time.thread_time() - own) - 1)
"""


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="this torch has no MKL")
def test_the_multiplications_of_mkl_keep_to_the_limit_too():
    done = subprocess.run([sys.executable, "-c", OF_OTHERS], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.2, "processor time that other threads take, as a share of this one's own"
    # nothing is asserted of two threads: on one core they may take turns


def test_lanes_fit_in_the_callers_threads(two_threads):
    assert threads.lanes(1) == 2
    assert threads.lanes(2) == 1
    assert threads.lanes(None) == 1
    with threads.limited(1):
        assert threads.lanes(1) == 1


def test_computing_takes_cores_and_gives_them_back(two_threads, monkeypatch):
    seats = threads.Seats(2)
    monkeypatch.setattr(threads, "_seats", lambda: seats)
    with threads.computing(1):
        assert torch.get_num_threads() == 1
        assert seats._free == 1
    with threads.computing():
        assert torch.get_num_threads() == 2
        assert seats._free == 0
    assert seats._free == 2


def test_cores_are_given_in_the_order_of_asking_and_never_more_than_there_are():
    seats, order, lock = threads.Seats(3), [], threading.Lock()
    taken = most = 0

    def take(name: int, count: int) -> None:
        nonlocal taken, most
        with seats.taken(count):
            with lock:
                order.append(name)
                taken += min(count, 3)
                most = max(most, taken)
            time.sleep(0.002)
            with lock:
                taken -= min(count, 3)

    asked = []
    with seats.taken(3):
        for name, count in enumerate([3, 1, 1, 99, 1, 2]):
            asked.append(threading.Thread(target=take, args=(name, count)))
            asked[-1].start()
            while len(seats._queue) <= name:
                time.sleep(0.001)
    for thread in asked:
        thread.join(PATIENCE)
    assert order.index(0) == 0
    assert order.index(3) == 3  # the whole machine waits for two and is waited for by two
    assert most <= 3
    assert seats._free == 3


def test_whoever_fails_or_is_stopped_gives_their_core_back():
    seats = threads.Seats(1)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), seats.taken(1):
            raise KeyboardInterrupt
    assert seats._free == 1


@pytest.fixture
def lanes(monkeypatch):
    """Three cores, and NumPy on one thread."""
    monkeypatch.setattr(threads, "cores", lambda: 3)
    monkeypatch.setattr(threads, "_threads_of_numpy", lambda: 1)


def test_tasks_of_numpy_go_side_by_side_and_answer_in_their_order(lanes):
    together, made = threading.Barrier(3), []

    def task(number: int):
        made.append(number)

        def run(tick):
            together.wait(20)  # ends only if three run at once
            tick()
            return number

        return run

    answers = threads.side_by_side((task(i) for i in range(6)), lambda number: None)
    assert next(answers) == 0
    assert len(made) == 3, "what a task holds is made when its turn comes"
    assert list(answers) == [1, 2, 3, 4, 5]


def test_where_numpy_has_all_the_cores_tasks_go_one_after_the_other(lanes, monkeypatch):
    monkeypatch.setattr(threads, "_threads_of_numpy", lambda: 3)
    here, told = threading.current_thread(), []

    def task(tick):
        tick()
        return threading.current_thread() is here

    assert list(threads.side_by_side([task, task], told.append)) == [True, True]
    assert told == [0, 1], "its ticks are the caller's"


def test_stopping_ends_all_lanes(lanes):
    ended = []

    def task(tick):
        try:
            while True:
                tick()
                time.sleep(0.001)
        finally:
            ended.append(1)

    asked: list[int] = []

    def waiting(number):
        asked.append(number)
        if len(asked) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(threads.side_by_side([task] * 9, waiting))
    assert len(ended) == 3


def test_a_task_that_fails_ends_the_others(lanes):
    def fails(tick):
        raise ValueError("no")

    def goes_on(tick):
        while True:
            tick()
            time.sleep(0.001)

    with pytest.raises(ValueError, match="no"):
        list(threads.side_by_side([fails, goes_on, goes_on], lambda number: None))


def test_numpys_threads_are_counted():
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        assert threads._threads_of_numpy() == 1


def test_of_several_libraries_of_numpys_the_one_with_most_threads_counts_and_of_none_one(monkeypatch):
    import threadpoolctl

    found = [{"user_api": "blas", "num_threads": n} for n in (2, 5)] + [
        {"user_api": "openmp", "num_threads": 9}
    ]
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: found)
    assert threads._threads_of_numpy() == 5
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: found[2:])
    assert threads._threads_of_numpy() == 1


def test_a_limit_that_takes_nothing_away_sets_nothing(two_threads, monkeypatch):
    monkeypatch.setattr(threads, "_openmp", lambda: pytest.fail("it was set"))
    for count in (2, 3):
        with threads.limited(count):
            assert torch.get_num_threads() == 2


@pytest.mark.parametrize("there", range(1, 12))
def test_lanes_are_as_many_as_find_their_threads_and_eight_at_most(there: int, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: there)
    assert [threads.lanes(each) for each in (1, 2, 3, None)] == [
        min(8, there),
        max(1, there // 2),
        max(1, there // 3),
        1,
    ]
