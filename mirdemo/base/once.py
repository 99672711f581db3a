"""What is computed once, however many ask for it at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Once(Generic[Key, Made]):
    """Values by key, the least recently used going first. Safe to use from several threads.

    ``functools.lru_cache`` lets all who ask before the first has its answer compute the same; here they wait for it.

    most: values kept
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Future[Made]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget all that is there; what is being computed is told to those who wait for it."""
        with self._lock:
            self._kept.clear()

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        """The value of ``key``, from ``make()`` if it is not there. What that raises, all who wait for it are told; the
        next to ask tries again."""
        with self._lock:
            known = self._kept.get(key)
            if known is None:
                mine = self._kept[key] = Future()
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
        if known is not None:
            return known.result()
        try:
            mine.set_result(make())
        except BaseException as error:
            with self._lock:
                if self._kept.get(key) is mine:
                    del self._kept[key]
            mine.set_exception(error)
            raise
        return mine.result()
