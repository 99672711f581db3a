"""The page's side of the training process: start it, listen, and be sure that it is gone afterwards."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import mirdemo
from mirdemo.base import threads
from mirdemo.web.frame.errors import PageError
from mirdemo.web.tabs.finetune.order import LAST, Message, Order

#: Seconds after which a silent process lets its listener look up, and stop if asked to.
LOOK_SECONDS = 0.2


def in_child(order: Order) -> Iterator[Message]:
    """What the training process says. Closing the iterator kills it. Raises PageError if it dies by itself."""
    root = str(Path(mirdemo.__file__).parents[1])
    # One core is left to the page.
    surroundings = os.environ | threads.surroundings(max(1, threads.cores() - 1))
    surroundings["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-m", "mirdemo.web.tabs.finetune.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=surroundings,
    )
    arrived: SimpleQueue[Message | EOFError] = SimpleQueue()
    helpers = [
        threading.Thread(target=_hand_over, args=(order, process.stdin), daemon=True),
        threading.Thread(target=_listen, args=(process.stdout, arrived), daemon=True),
    ]
    for helper in helpers:
        helper.start()
    try:
        while True:
            try:
                message = arrived.get(timeout=LOOK_SECONDS)
            except Empty:
                yield None
                continue
            if isinstance(message, EOFError):
                raise PageError(
                    "The training ended by itself, most likely because memory ran out. Choose one layer, a smaller "
                    "backbone or fewer clips.",
                    code="finetune.died",
                )
            yield message
            if isinstance(message, LAST):
                return
    finally:
        process.kill()
        process.wait()
        for helper in helpers:
            helper.join()
        with suppress(OSError):
            process.stdin.close()  # open until now: its end tells the process that the page is gone


def _hand_over(order: Order, pipe) -> None:
    with suppress(OSError):  # it may have been stopped before it has read all
        pickle.dump(order, pipe)
        pipe.flush()


def _listen(pipe, arrived: SimpleQueue) -> None:
    with pipe:
        while True:
            try:
                message = pickle.load(pipe)
            except Exception:  # what a torn or too large message raises has no common base class
                arrived.put(EOFError())
                return
            arrived.put(message)
