"""How many threads compute, and how they wait: decided here for the page, the command line and every process they start.

A network is hundreds of small steps, and after each the threads of OpenMP wait for each other, by default in a busy
loop. While anything else uses the cores, the one that is waited for has been put aside, and the others burn the time
it needs: beside two busy processes two threads took ten times as long as one. So

- what is too small to gain from two threads computes on one, and several windows side by side (``lanes``);
- where several threads share one window, those that wait give their core away (``prepare``, ``surroundings``);
- what computes at the same time shares the machine's cores, in the order of asking (``computing``).

Nothing here is global to the process but the environment that ``prepare`` sets, and only programs call that, never the
library: the number of threads is an OpenMP setting of the calling thread, set for a forward pass and put back.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from mirdemo.base.sentences import Cancelled

Result = TypeVar("Result")

#: Read by the OpenMP of gcc and of Intel or LLVM (torch brings one of them) when they are loaded.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
#: Read by torch and MKL when they are loaded.
COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
#: Read by the OpenBLAS of NumPy and of SciPy, whose threads wait in a busy loop that no setting ends. What is computed
#: with NumPy here are many small products: one thread answers a probe sooner than two, quiet or not, and what is large
#: goes side by side (``side_by_side``). ``python -m benchmarks.probing_speed --threads``
OF_NUMPY = {"OPENBLAS_NUM_THREADS": "1"}
#: Windows that are computed side by side, at most: each holds its states in memory, and all share Python's own lock.
MOST_LANES = 8


def cores(group: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that this process may use: those it is bound to, and no more than its container is given time for.

    group: where the container's limits are, as Linux shows them (control groups, version 2 or 1)
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, _given(group) or bound))


def _given(group: Path) -> int | None:
    """Whole cores of processor time that a container has, rounded up; None if there is no limit."""
    try:
        quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (group / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii")
            period = (group / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii")
        except OSError:
            return None
    try:
        return -(-int(quota) // int(period)) if int(quota) > 0 else None
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return None


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """For a program, before torch or NumPy is loaded: threads that wait give their core away, NumPy has one, and where a
    container has less time than the machine has cores, torch has as many as it has time for. What the host has set
    stays."""
    for name, value in (WAITING | OF_NUMPY).items():
        environment.setdefault(name, value)
    here = cores()
    if here < (os.cpu_count() or 1):
        for name in COUNTS:
            environment.setdefault(name, str(here))


def surroundings(count: int) -> dict[str, str]:
    """Environment variables for a process that is to compute with ``count`` threads, and to wait as ``prepare`` says."""
    own = {name: os.environ.get(name, value) for name, value in (WAITING | OF_NUMPY).items()}
    return own | dict.fromkeys(COUNTS, str(count))


def lanes(each: int | None) -> int:
    """How many pieces of work go side by side in the threads that the caller has (``torch.get_num_threads()``).

    each: threads that one piece gains from; None: as many as there are
    """
    import torch

    return 1 if each is None else max(1, min(MOST_LANES, torch.get_num_threads() // each))


def side_by_side(
    tasks: Iterable[Callable[[Callable[[], None]], Result]],
    waiting: Callable[[int], None],
    lanes: int | None = None,
) -> Generator[Result, None, None]:
    """What tasks return, in their order; ``lanes`` at a time, by default as many as there are cores for NumPy's threads.

    tasks: each is called with what it is to call often, which raises ``Cancelled`` once the others have ended without
        it; they are taken from the iterable when their turn comes, so that what they hold is held no sooner
    waiting: called often in the caller's thread with the number of the task that is waited for; what it raises ends all
    """
    lanes = lanes or max(1, cores() // _threads_of_numpy())
    if lanes == 1:
        for number, task in enumerate(tasks):
            yield task(partial(waiting, number))
        return
    over = threading.Event()

    def tick() -> None:
        if over.is_set():
            raise Cancelled

    coming, running, number = iter(tasks), deque[Future[Result]](), 0
    with ThreadPoolExecutor(lanes, thread_name_prefix="mirdemo-lane") as pool:
        try:
            while True:
                running += [pool.submit(task, tick) for task in islice(coming, lanes - len(running))]
                if not running:
                    return
                waiting(number)
                while wait([running[0]], timeout=0.2).not_done:
                    waiting(number)
                yield running.popleft().result()
                number += 1
        finally:
            over.set()


def _threads_of_numpy() -> int:
    """Of the BLAS that NumPy brought, as it is set now; 1 where it is not one that can be asked."""
    from threadpoolctl import threadpool_info

    return max((one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"), default=1)


@contextmanager
def computing(count: int | None = None) -> Iterator[None]:
    """Compute on the processor, in this thread, with at most ``count`` of its threads (None: all of them).

    Waits until so many of the machine's cores are free of other work that asked here, in the order of asking.
    Restored afterwards; other threads of the process are not touched.
    """
    import torch

    # The first call in a thread lets torch set it up; without it, torch would do so later, over what is set here.
    own = torch.get_num_threads()
    count = own if count is None else min(count, own)
    with _seats().taken(count), limited(count):
        yield


@contextmanager
def limited(count: int) -> Iterator[None]:
    """At most ``count`` threads for what this thread computes with torch, whoever else computes. Restored afterwards."""
    import torch

    if torch.get_num_threads() <= count:
        yield
        return
    with _openmp().limit(limits=count):
        before = _mkl()(count)
        try:
            yield
        finally:
            _mkl()(before)


@cache
def _openmp() -> Any:
    """The OpenMP libraries of this process, torch's among them. Their setting is the calling thread's own, unlike
    ``torch.set_num_threads``, which also tells every thread that has not computed yet."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="openmp")


@cache
def _mkl() -> Callable[[int], int]:
    """Sets how many threads the MKL inside torch takes in the calling thread, and returns what was set (0: nothing).

    Once MKL has been told a number for the process, by ``torch.set_num_threads`` or ``MKL_NUM_THREADS``, it no longer
    asks OpenMP; and threadpoolctl does not see it, as it is linked into torch's own library.
    https://www.intel.com/content/www/us/en/docs/onemkl/developer-reference-c/2025-2/mkl-set-num-threads-local.html
    """
    import torch

    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return library.MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):  # a torch without MKL, or not Linux
        return lambda count: 0


class Seats:
    """Cores, taken for as long as something computes: whoever asks first is served first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """``count`` of them, all if there are fewer."""
        count, ticket = min(count, self.count), object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._queue[0] is ticket and self._free >= count)
                self._free -= count
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += count
                self._changed.notify_all()


@cache
def _seats() -> Seats:
    return Seats(cores())
