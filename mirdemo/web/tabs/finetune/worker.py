"""The side that trains: ``python -m mirdemo.web.tabs.finetune.worker`` reads an order and writes messages, both pickled.

A process of its own, because training holds memory, threads and a GPU for minutes: stopped, it is killed, and
everything is free at once; it steps behind the page's own work; and if memory runs out it ends, not the page.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Iterator
from queue import SimpleQueue

from mirdemo.base.sentences import Cancelled, MirdemoError
from mirdemo.web.tabs.finetune.order import LAST, Broken, Message, Order, Step

#: How far training steps behind other work (0 not at all, 19 most), where the system knows such a thing.
NICE = 5


def messages(order: Order) -> Iterator[Message]:
    """Train, telling how it goes. Closing the iterator stops the training at its next step and waits for that."""
    said: SimpleQueue[Message] = SimpleQueue()
    stop = threading.Event()

    def progress(done: int, total: int, phase: str) -> None:
        if stop.is_set():
            raise Cancelled()
        said.put(Step(done, total, phase))

    def work() -> None:
        try:
            from mirdemo.backbones import load_backbone
            from mirdemo.stages.finetuning import fine_tune

            progress(0, 0, "loading")
            backbone = load_backbone(order.backbone, progress=progress, engine="torch")
            report = fine_tune(
                order.clips,
                backbone,
                blocks=order.blocks,
                settings=order.settings,
                probe_report=order.probes,
                embedding_seconds=order.embedding_seconds,
                progress=progress,
                on_epoch=said.put,
            )
            said.put(report)
        except MirdemoError as refusal:
            said.put(refusal.with_traceback(None))
        except BaseException:
            said.put(Broken(traceback.format_exc()))

    thread = threading.Thread(target=work, name="mirdemo-fine-tune", daemon=True)
    thread.start()
    try:
        while True:
            message = said.get()
            yield message
            if isinstance(message, LAST):
                return
    finally:
        stop.set()
        thread.join()


def main() -> None:
    """One order, then the end."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no message
        try:
            order = pickle.load(sys.stdin.buffer)
        except (EOFError, pickle.UnpicklingError):
            return  # stopped before the order was whole: there is nobody to train for
        threading.Thread(target=_end_with_the_page, daemon=True).start()
        for message in messages(order):
            pickle.dump(message, out)
            out.flush()


def _end_with_the_page() -> None:
    """The page holds our input open; when that ends, there is nobody left to train for."""
    sys.stdin.buffer.read(1)
    os._exit(1)


if __name__ == "__main__":
    main()
