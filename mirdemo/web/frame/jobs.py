"""Long steps: run beside the page, with progress, a cancel, and a result that a reload finds again.

A job belongs to its visitor, not to the page that started it. It runs in a small pool for the resource it needs
(``"sound"`` for decoding, ``"model"`` for embedding and probing, ``"answer"`` for what a program asks and waits for,
``"training"``), so that nobody waits minutes behind a training. Places to wait are counted for each resource and for
each visitor, and visitors take turns: who has one step waiting goes before another's second. What computes at
the same time shares the cores window by window (``base.threads``), whatever pool it comes from. What a job made is taken
over under the visitor's lock when it is done: until then nothing of the visitor changes, so a failure leaves nothing
half-done.
"""

from __future__ import annotations

import contextvars
import itertools
import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Draft, Job
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.log import event
from mirdemo.web.frame.session import Visitor

log = logging.getLogger(__name__)

#: How many jobs of a resource run at once.
POOLS = {"sound": 2, "model": 1, "answer": 4, "training": 1}
UNEXPECTED = Sentence(
    "Something went wrong on our side, and nothing was changed. Try again, or reload the page.",
    "page.unexpected",
)


@dataclass
class _Waiting:
    """A job in the queue. turn: the later of its arrival and the end of its visitor's last job here, as a count.
    renew: see ``Jobs.start``"""

    job: Job
    visitor: Visitor
    run: Callable[[], None]
    turn: int
    renew: Callable[[], None] | None = None


class Jobs:
    """The jobs of this process.

    pools: how many jobs of each resource run at once
    max_waiting: how many may wait for one resource, of all visitors;  max_own: of one visitor
    A quarter of the places is for others than an address that has the rest: one may open many visits.
    """

    def __init__(
        self,
        pools: dict[str, int] | None = None,
        max_waiting: int = LIMITS.waiting_jobs,
        max_own: int = LIMITS.waiting_own_jobs,
    ) -> None:
        self._pools = {
            resource: ThreadPoolExecutor(workers, thread_name_prefix=f"mirdemo-{resource}")
            for resource, workers in (pools or POOLS).items()
        }
        self._max_waiting = max_waiting
        self._max_own = max_own
        self._lock = threading.Lock()
        self._queues: dict[str, list[_Waiting]] = {resource: [] for resource in self._pools}
        self._running: dict[str, list[Visitor]] = {resource: [] for resource in self._pools}
        self._turns = itertools.count()

    def start(
        self,
        visitor: Visitor,
        name: str,
        work: Callable[[Progress], Any],
        take: Callable[[Any], None],
        *,
        resource: str = "model",
        unasked: bool = False,
        draft: Draft | None = None,
        renew: Callable[[], None] | None = None,
    ) -> Job:
        """Begin a step.

        name: one job of a name runs for a visitor at a time, e.g. ``"few-shot"``
        work: does it, with a progress to report to; touches nothing of the visitor
        take: takes over what ``work`` returned, under the visitor's lock
        unasked: done to save time later; takes only a third of the visitor's places, so that what they ask for finds one
        draft: where ``work`` puts what it has found so far
        renew: called by ``renew_waiting`` while the step waits, e.g. ``Upload.renew`` of what it will read
        Raises PageError if it already runs, or too much of this visitor or of everybody waits for the resource.
        """
        before = visitor.jobs.get(name)
        if before is not None and before.active:
            raise PageError(
                "This is still running. Wait for it, or stop it first.", code="page.already_running"
            )
        job = Job(name, resource, draft)
        context = contextvars.copy_context()  # the request's context: ZeroGPU bills by it
        with self._lock:
            queue = self._queue(resource)
            own = sum(other.visitor is visitor for other in queue)
            if own >= (self._max_own // 3 if unasked else self._max_own):
                raise PageError(
                    "{n} of your steps are waiting already. Wait until one has begun, or stop one.",
                    code="page.enough_waiting",
                    n=own,
                )
            near = sum(other.visitor.address == visitor.address != "" for other in queue)
            if len(queue) >= self._max_waiting or near >= self._max_waiting - self._max_waiting // 4:
                raise PageError(
                    "{n} steps are waiting on this server already. Try again in a minute.",
                    code="page.busy",
                    n=len(queue),
                )
            run = partial(context.run, self._run, visitor, job, work, take)
            queue.append(_Waiting(job, visitor, run, next(self._turns), renew))
        visitor.jobs = {one.name: one for one in visitor.jobs.values() if one.active or one.name == name} | {
            name: job
        }
        self._pools[resource].submit(self._run_next, resource)
        return job

    def run(self, work: Callable[[], Any], *, resource: str = "model") -> Any:
        """Do a step for a caller without a page: wait for a turn, then for the result. Raises what it raises."""
        return self._pools[resource].submit(contextvars.copy_context().run, work).result()

    def renew_waiting(self) -> None:
        """Renew what waiting steps will read, so that no sweep takes it before their turn."""
        with self._lock:
            renew = [one.renew for resource in self._queues for one in self._queue(resource) if one.renew]
        for again in renew:
            again()

    def lengths(self) -> dict[str, dict[str, int]]:
        """How many jobs of each resource wait and run."""
        with self._lock:
            return {
                resource: {"waiting": len(self._queue(resource)), "running": len(self._running[resource])}
                for resource in self._pools
            }

    def ahead(self, job: Job) -> int:
        """How many jobs for the same resource go first, if nobody else comes."""
        with self._lock:
            order = [waiting.job for waiting in self._in_turn(job.resource)]
        return order.index(job) if job in order else 0

    def _queue(self, resource: str) -> list[_Waiting]:
        """What waits, in the order of arrival; what was stopped gives up its place at once. Call it under the lock."""
        queue = self._queues[resource]
        queue[:] = [waiting for waiting in queue if waiting.job.active and not waiting.visitor.gone]
        return queue

    def _in_turn(self, resource: str) -> list[_Waiting]:
        """What waits, in the order of turns: everybody's first, then everybody's second. Call it under the lock."""
        before = Counter(map(id, self._running[resource]))
        order = []
        for waiting in self._queue(resource):
            order.append((before[id(waiting.visitor)], waiting.turn, waiting))
            before[id(waiting.visitor)] += 1
        return [waiting for *_, waiting in sorted(order, key=lambda one: one[:2])]

    def _run_next(self, resource: str) -> None:
        """Run whose turn it is. Called once for each job that was started; nothing is left where one was stopped."""
        with self._lock:
            order = self._in_turn(resource)
            if not order:
                return
            mine = order[0]
            self._queues[resource].remove(mine)
            self._running[resource].append(mine.visitor)
        try:
            mine.run()
        finally:
            with self._lock:
                self._running[resource].remove(mine.visitor)
                now = next(self._turns)
                for waiting in self._queues[resource]:
                    if waiting.visitor is mine.visitor:
                        waiting.turn = now

    def _run(
        self, visitor: Visitor, job: Job, work: Callable[[Progress], Any], take: Callable[[Any], None]
    ) -> None:
        if job.state == "stopped" or visitor.gone:
            job.state = "stopped"
            return
        job.state = "running"
        waited = job.seconds
        try:
            made = work(job.progress)
            with visitor.lock:
                if visitor.gone:
                    raise Cancelled()
                take(made)
            job.state = "done"
        except Cancelled:
            job.state = "stopped"
        except MirdemoError as error:
            self._fail(visitor, job, error.sentence)
        except Exception:
            log.exception("job %s", job.name)
            self._fail(visitor, job, UNEXPECTED)
        finally:
            code = job.error.code if job.error else job.state
            event("job", job.name, code, waited_s=waited, took_s=job.seconds - waited)

    @staticmethod
    def _fail(visitor: Visitor, job: Job, sentence: Sentence) -> None:
        job.error = sentence
        visitor.tell(sentence, refusal=True)
        job.state = "failed"
