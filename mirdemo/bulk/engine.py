"""The only place that knows Ray: a cluster for a run, and Ray Data's actors over its rows.

What Ray gives and is left to it: placing, feeding and restarting workers, and repeating what a dead one had in hand.
Written against Ray 2.60 (``requirements-bulk.txt``), https://docs.ray.io/en/latest/data/api/doc/ray.data.Dataset.map_batches.html
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from mirdemo.base import threads
from mirdemo.base.sentences import Sentence
from mirdemo.bulk.errors import BulkError
from mirdemo.bulk.workers import Workers

#: The shared memory that Ray takes on a machine of its own. Only names and records pass through it, so the least it
#: accepts (75 MiB) does; where a container's /dev/shm holds less, Ray puts it under /tmp.
_OBJECT_STORE_BYTES = 80 * 2**20
#: Seconds between two signs of life while nothing is answered.
HEARTBEAT = 0.5
#: Seconds that workers have to stop when a run is cancelled; Ray ends them with the run in any case.
_GRACE = 15.0
#: Seconds in which a cluster has to answer at its address.
_ANSWER = 10.0
_END = object()


def load_ray() -> ModuleType:
    """Ray with Ray Data. Raises BulkError with the way to install it where it is missing."""
    # Before the import, which reads them: nothing is reported to Ray's makers, and its log stays in its files.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise BulkError(
            "Several workers need Ray, which is not installed here. Install it with "
            "`pip install -r requirements-bulk.txt`, or leave the workers out.",
            code="bulk.no_ray",
        ) from error
    return ray


@contextlib.contextmanager
def cluster(workers: Workers, tell: Callable[[Sentence], None]) -> Iterator[ModuleType]:
    """Ray, connected to a cluster that has room for these workers: one that is connected already is used and left as
    it is, else the one at ``workers.address``, else one of this machine's own.

    tell: told if fewer workers fit than were asked for, or if GPUs stay unused
    Raises BulkError: Ray is missing, no cluster answers, or not one worker fits.
    """
    ray = load_ray()
    connected = ray.is_initialized()
    if not connected:
        try:
            _connect(ray, workers)
        except Exception as error:  # Ray raises it bare, too, where a start takes too long
            ray.shutdown()
            raise BulkError(
                "No Ray cluster could be reached or started ({reason}). Check --ray-address.",
                code="bulk.no_cluster",
                reason=_reason(error),
            ) from error
    try:
        _check_room([node["Resources"] for node in ray.nodes() if node["Alive"]], workers, tell)
        yield ray
    finally:
        if not connected:
            ray.shutdown()


def _connect(ray: ModuleType, workers: Workers) -> None:
    """Workers find the project where this process does, wherever that was started; on other machines, at the same
    place if it is there."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    surroundings = {"PYTHONPATH": path, **threads.surroundings(workers.cpus)}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if workers.address is not None:
        _knock(workers.address)
        ray.init(workers.address, runtime_env={"env_vars": surroundings}, **quiet)
        return

    def start() -> None:
        with _environment(surroundings):  # inherited: that is there sooner than a runtime environment
            ray.init(
                "local",
                num_cpus=workers.count * workers.cpus,
                object_store_memory=_OBJECT_STORE_BYTES,
                include_dashboard=False,
                **quiet,
            )

    try:
        start()
    except Exception:  # a busy machine misses a limit of 15 s in Ray's own start (ray-project/ray#65983)
        ray.shutdown()
        start()


def _knock(address: str) -> None:
    """Raises OSError where nobody answers at ``host:port``, for which Ray would wait five minutes and then end this
    process. Other kinds of address are Ray's to judge."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER).close()


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _check_room(
    machines: Sequence[dict[str, float]], workers: Workers, tell: Callable[[Sentence], None]
) -> None:
    def fit(machine: dict[str, float]) -> int:
        room = machine.get("CPU", 0) // workers.cpus
        return int(min(room, machine.get("GPU", 0) // workers.gpus) if workers.gpus else room)

    room = sum(map(fit, machines))
    values = {"count": workers.count, "room": room, "cpus": workers.cpus, "gpus": workers.gpus}
    if room == 0:
        raise BulkError(
            "No machine of the cluster has the {cpus} processors and {gpus:g} GPUs that one worker is to have. Ask "
            "for less.",
            code="bulk.no_room",
            **values,
        )
    if room < workers.count:
        tell(
            Sentence(
                "Only {room} of {count} workers fit on the cluster; the run goes on with them.",
                "bulk.fewer",
                values,
            )
        )
    unused = int(sum(machine.get("GPU", 0) for machine in machines))
    if unused and not workers.gpus:
        tell(
            Sentence(
                "The cluster has {count} GPUs that stay unused. Give --gpus-per-worker to use them.",
                "bulk.unused_gpus",
                {"count": unused},
            )
        )


def answers(
    ray: ModuleType,
    rows: Sequence[str],
    worker: type,
    plan: Any,
    workers: Workers,
    *,
    rows_per_task: int,
    stop: Callable[[], None],
) -> Iterator[str | None]:
    """What the workers answer, as it comes, in any order; None whenever nothing came for ``HEARTBEAT`` seconds.

    worker: a class made with ``plan`` in each actor and called with ``{"row": rows}``, gives ``{"answer": ...}``
    stop: called when the iteration ends, at its end or before, to make workers give up what they have in hand
    Raises BulkError if a worker raised, or died and could not be replaced.
    """
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped = threading.Event()

    def receive(dataset: Any) -> None:
        try:
            with contextlib.closing(iter(dataset.iter_rows())) as answered:
                for row in answered:
                    if stopped.is_set():
                        return
                    inbox.put(row["answer"])
            inbox.put(_END)
        except BaseException as error:  # whatever it is, the other thread must hear of it
            inbox.put(_without_frames(error))

    dataset = _dataset(ray, rows, worker, plan, workers, rows_per_task)
    receiver = threading.Thread(target=receive, args=(dataset,), name="bulk-answers", daemon=True)
    del dataset  # let go of when all is received
    receiver.start()
    try:
        while True:
            try:
                came = inbox.get(timeout=HEARTBEAT)
            except queue.Empty:
                yield None
                continue
            if came is _END:
                return
            if isinstance(came, BaseException):
                raise BulkError(
                    "A worker could not go on ({reason}). What was complete is in the store; start again to go on.",
                    code="bulk.worker_failed",
                    reason=_reason(came),
                ) from came
            yield came
    finally:
        stopped.set()
        stop()
        receiver.join(_GRACE)
        gc.collect()  # Ray Data lets its actors go, with their processors, only when nothing knows of them


def _without_frames(error: BaseException) -> BaseException:
    """The same, and all that led to it, without the frames it came through: they know Ray Data's actors, which would live for as
    long as somebody holds the error."""
    seen: list[BaseException] = []
    behind: list[BaseException | None] = [error]
    while behind:
        one = behind.pop()
        if one is not None and not any(one is other for other in seen):
            seen.append(one.with_traceback(None))
            behind += [one.__cause__, one.__context__]
    return error


def _dataset(
    ray: ModuleType, rows: Sequence[str], worker: type, plan: Any, workers: Workers, rows_per_task: int
) -> Any:
    settings = ray.data.DataContext.get_current().copy()
    settings.enable_progress_bars = False
    settings.print_on_execution_start = False
    settings.raise_original_map_exception = True
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what matters is raised, or answered
    with ray.data.DataContext.current(settings):
        return ray.data.from_items(
            [{"row": row} for row in rows], override_num_blocks=-(-len(rows) // rows_per_task)
        ).map_batches(
            worker,
            fn_constructor_args=(plan,),
            batch_size=rows_per_task,
            compute=ray.data.ActorPoolStrategy(size=workers.count),
            num_cpus=workers.cpus,
            num_gpus=workers.gpus or None,
        )


def _reason(error: BaseException) -> str:
    """What happened, in a line. Ray adds its advice below what a task raised, and puts what ended an actor, or a
    start, below its own traces."""
    cause = getattr(error, "cause", None)
    lines = [line.strip() for line in str(cause or error).splitlines() if line.strip()] or [""]
    return f"{type(cause or error).__name__}: {lines[0 if cause else -1][:300]}"
