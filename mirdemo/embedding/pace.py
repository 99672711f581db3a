"""How long work takes on this machine, said before it begins: from what was measured here, and from who computes beside it.

One home for all that is timed and told: embedding (a second of sound through a backbone), loading a backbone, probing.
Of every kind is known what a unit of it takes while nothing else computes, learned from runs and, before the first one,
from this machine's own speed table (``mirdemo speed``). What it takes now is that times how slow the machine is now: by
the load that the system tells, and by what the last runs of any kind were found to take.

Holds and keeps nothing of a clip, only seconds a unit, under ``mirdemo.base.home()``.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from mirdemo.backbones import records
from mirdemo.base import processor, threads
from mirdemo.embedding.embed import windows

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec, Identity
    from mirdemo.sound.audio import Clip

_KIND = "pace"
#: Seconds in which what a run was found to take loses half of its say, and what was seen of all runs half of its.
RECENT, USUAL = 20.0, 3600.0
#: Seconds for which the machine stays about as busy as it is; longer work meets what is usual here.
MOMENT, LASTING = 30.0, 600.0
#: A run shorter than this teaches nothing of its kind: starting outweighs it.
LEAST_SECONDS = 0.2
#: The share that a new run has in what its kind is taken to cost.
SHARE = 0.2
#: The system's mean of a minute forgets by this (seconds).
_LOAD_SECONDS = 60.0


def work(spec: BackboneSpec, seconds: float) -> float:
    """Seconds of sound that a backbone computes for a clip of ``seconds``: its windows overlap at the end, and networks
    that pad compute a whole window of whatever is shorter.

    A backbone that is known only after loading (``hf:``) is taken not to pad.
    """
    if spec.pads and seconds <= spec.window_seconds:
        return spec.window_seconds
    rate = 1000
    return sum(stop - start for start, stop in windows(max(1, round(seconds * rate)), rate, spec)) / rate


def sound(spec: BackboneSpec, clips: Iterable[Clip]) -> float:
    """``work`` of clips, each sound once."""
    return sum(work(spec, seconds) for seconds in {clip.sha256: clip.seconds for clip in clips}.values())


def embedding(backbone: str) -> str:
    """The kind of work whose unit is a second of sound that the backbone computes (``work``)."""
    return f"embedding {backbone}"


def loading(backbone: str) -> str:
    """The kind of work whose unit is loading a backbone once."""
    return f"loading {backbone}"


class Spent:
    """What embedding took, added up by the backbone that did it. Not for two threads at once."""

    def __init__(self) -> None:
        self._sums: dict[Identity, tuple[float, float]] = {}

    def add(self, identity: Identity, size: float, took: float) -> None:
        """``size``: seconds of sound computed (``sound``)"""
        before = self._sums.get(identity, (0.0, 0.0))
        self._sums[identity] = before[0] + size, before[1] + took

    def of(self, identity: Identity, size: float) -> float:
        """Seconds that so much takes in the mean of what was; 0 where nothing was."""
        known, took = self._sums.get(identity, (0.0, 0.0))
        return size * took / known if known else 0.0


class Pace:
    """What is known of time on this machine. Safe beside other threads.

    clock: seconds, going on; load: how many threads compute or wait for a core, in the mean of about a minute
    kept: remember between processes, under ``home()``
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], tuple[float, float]] | None = None,
        cores: int | None = None,
        kept: bool = True,
    ) -> None:
        self._clock = clock
        self._load = load or processor.load
        self._cores = cores or threads.cores()
        self._kept = kept
        self._lock = threading.Lock()
        self._quiet: dict[str, float] = {}
        self._untold = (0.0, 0.0)
        self._usual = (0.0, 0.0, 0.0)
        self._own = (0.0, 0.0)

    def learn(self, kind: str, size: float, took: float) -> None:
        """Work of ``size`` units ended just now, ``took`` seconds after it began."""
        if size <= 0 or took < LEAST_SECONDS:
            return
        now, each = self._clock(), took / size
        with self._lock:
            faded = math.exp(-took / _LOAD_SECONDS)
            self._own = self._own_load(now - took) * faded + self._cores * (1 - faded), now
            told = math.log(self._slowness(self._load()[0] - self._own_load(now)))
            known = self._known(kind)
            quiet = each / math.exp(told)
            if known is not None:
                quiet = known ** (1 - SHARE) * quiet**SHARE
            self._quiet[kind] = quiet
            slow = max(0.0, math.log(each / quiet))
            self._untold = slow - told, now
            weight = self._usual[1] * 0.5 ** ((now - self._usual[2]) / USUAL)
            mean = (self._usual[0] * weight + slow * took) / (weight + took)
            self._usual = mean, weight + took, now
        if self._kept:
            records.write(_KIND, _key(kind), {"kind": kind, "seconds": quiet})

    def told(self, kind: str, each: float, others: float = 0.0) -> None:
        """What a unit was measured to take beside so many threads of others, believed more than what was known."""
        quiet = each / self._slowness(others)
        if not (math.isfinite(quiet) and quiet > 0):
            return
        with self._lock:
            self._quiet[kind] = quiet
        if self._kept:
            records.write(_KIND, _key(kind), {"kind": kind, "seconds": quiet})

    def expected(self, kind: str, size: float) -> float | None:
        """Seconds that work of this kind and size will take if it begins now; None where nothing is known of it."""
        now, (minute, moment) = self._clock(), self._load()
        with self._lock:
            quiet = self._known(kind)
            if quiet is None:
                return None
            takes = quiet * size
            slow = math.log(self._slowness(minute - self._own_load(now)))
            share = _mean_share(takes / MOMENT)
            slow = share * math.log(self._slowness(moment)) + (1 - share) * slow
            untold, at = self._untold
            slow = max(0.0, slow + untold * 0.5 ** ((now - at) / RECENT))
            if self._usual[1] > 0:
                share = _mean_share(takes * math.exp(slow) / LASTING)
                slow = share * slow + (1 - share) * self._usual[0]
        return takes * math.exp(slow)

    def _slowness(self, others: float) -> float:
        """How many times as long as on a quiet machine work takes that uses every core, beside so many threads of others."""
        return (self._cores + max(0.0, others)) / self._cores

    def _own_load(self, now: float) -> float:
        """What our own runs have left in the system's mean."""
        load, at = self._own
        return load * math.exp(-max(0.0, now - at) / _LOAD_SECONDS)

    def _known(self, kind: str) -> float | None:
        """Seconds a unit on a quiet machine."""
        if kind not in self._quiet and self._kept:
            found = (records.read(_KIND, _key(kind)) or {}).get("seconds")
            if isinstance(found, float) and math.isfinite(found) and found > 0:
                self._quiet[kind] = found
        return self._quiet.get(kind)


def _mean_share(ratio: float) -> float:
    """What is left on average, over a time ``ratio`` times as long, of what fades exponentially."""
    return (1 - math.exp(-ratio)) / ratio if ratio > 1e-6 else 1.0


@cache
def _key(kind: str) -> str:
    """Of this kind of work, on this machine, with the torch that is installed."""
    from importlib.metadata import version

    facts = (kind, processor.name(), processor.units(), threads.cores(), version("torch"))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
