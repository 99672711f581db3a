"""How often an address, and one visitor behind it, may ask for what costs: so many at once, then so many a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Senders remembered at a time; who has not asked for a while is forgotten first.
SENDERS = 10_000


@dataclass(frozen=True)
class Rate:
    """at_once: as many in one go;  a_second: and as many each second after that"""

    at_once: int
    a_second: float


#: What one address may ask for. ``visit``: a page that is opened;  ``act``: on a page;  ``call``: of an endpoint
#: ``file``: a report, table or tagger made on request;  ``upload``: sending files;  ``listen``: to a clip
RATES = {
    "visit": Rate(200, 1.0),
    "act": Rate(400, 40.0),
    "call": Rate(64, 8.0),
    "file": Rate(200, 4.0),
    "upload": Rate(600, 20.0),
    "listen": Rate(600, 40.0),
}
#: And what one visitor behind it may, so that those who share an address leave each other something. Who it is, is as the
#: request says: a page, or the key of a visitor's files. Whoever forges that has what the address may.
OWN_RATES = {"act": Rate(200, 20.0), "file": Rate(20, 1.0), "listen": Rate(120, 8.0)}


class Rates:
    """Counts by sender and kind. Safe to use from several threads."""

    def __init__(
        self, rates: dict[str, Rate] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = RATES if rates is None else rates
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def ask(self, sender: str, kind: str) -> float:
        """Seconds to wait; 0 if this may go on, and then it is counted."""
        rate = self._rates[kind]
        with self._lock:
            now = self._clock()
            left, when = self._left.pop((sender, kind), (float(rate.at_once), now))
            left = min(rate.at_once, left + max(0.0, now - when) * rate.a_second)
            wait = 0.0 if left >= 1 else (1 - left) / rate.a_second
            self._left[sender, kind] = (left if wait else left - 1), now
            if len(self._left) > SENDERS:
                del self._left[next(iter(self._left))]
            return wait
