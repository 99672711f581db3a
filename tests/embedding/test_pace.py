"""What is said of time before work begins holds on simulated machines whose load comes and goes, and knows what is done."""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from mirdemo.backbones.registry import spec
from mirdemo.base import processor
from mirdemo.embedding import pace as paces
from mirdemo.embedding.pace import Pace, Spent, sound, work

Trace = Callable[[float], int]


class Machine:
    """Cores that are shared fairly; ``others``: how many threads compute beside ours at a time."""

    def __init__(self, cores: int, others: Trace, draw: random.Random) -> None:
        self.cores, self.others, self.draw = cores, others, draw
        self.now = 0.0
        self.minute = 0.0

    def pass_by(self, seconds: float, own: int) -> int:
        others = self.others(self.now)
        self.minute += (others + own - self.minute) * (1 - math.exp(-seconds / 60))
        self.now += seconds
        return others

    def idle(self, seconds: float) -> None:
        for _ in range(math.ceil(seconds / 2)):
            self.pass_by(2.0, 0)

    def run(self, quiet_seconds: float) -> float:
        """Work that uses every core; how long it took."""
        began, left, step = self.now, quiet_seconds, min(1.0, quiet_seconds / 20)
        while left > 0:
            others = self.pass_by(step, self.cores)
            left -= step * self.cores / (self.cores + others)
        return self.now - began

    def load(self) -> tuple[float, float]:
        """As Linux tells it: a mean of a minute, and who computes just now (some wait for a disk meanwhile)."""
        return self.minute, sum(self.draw.random() < 0.85 for _ in range(self.others(self.now)))


def coming_and_going(draw: random.Random, busy: float, free: float, threads: int) -> Trace:
    """``threads`` for about ``busy`` seconds, then none for about ``free``."""
    times, levels, now, on = [], [], 0.0, draw.random() < 0.5
    while now < 60_000:
        times.append(now)
        levels.append(threads if on else 0)
        now += draw.expovariate(1 / (busy if on else free))
        on = not on
    return lambda at: levels[bisect.bisect_right(times, at) - 1]


def crowd(draw: random.Random, cores: int) -> Trace:
    """Three others, each with every core for a few seconds to a minute, after pauses of minutes."""
    each = [coming_and_going(draw, draw.uniform(5, 60), draw.uniform(60, 300), cores) for _ in range(3)]
    return lambda at: sum(one(at) for one in each)


TRACES: dict[str, Callable[[random.Random, int], Trace]] = {
    "quiet": lambda draw, cores: lambda at: 0,
    "always busy": lambda draw, cores: lambda at: cores,
    "a neighbour": lambda draw, cores: coming_and_going(draw, 300, 300, 1),
    "a training beside": lambda draw, cores: coming_and_going(draw, 600, 1200, cores),
    "the day": lambda draw, cores: lambda at: round(2 * cores * max(0.0, math.sin(at / 2000))),
    "visitors": crowd,
}
#: Seconds a unit on the quiet machine: an embedded backbone, a middling one, a large one.
KINDS = {"small": 0.004, "middling": 0.08, "large": 0.5}


def right(trace: str, cores: int, seed: int, machine_of: type[Machine] = Machine) -> list[bool]:
    """Whether each of 60 pieces of work took what was said before, within a factor of 1.5."""
    draw = random.Random(seed)
    machine = machine_of(cores, TRACES[trace](draw, cores), draw)
    pace = Pace(clock=lambda: machine.now, load=machine.load, cores=cores, kept=False)
    held: list[bool] = []
    while len(held) < 60:
        machine.idle(draw.expovariate(1 / 90))
        kind, size = draw.choice(["small", "small", "middling", "large"]), draw.choice([120, 480, 1000, 2000])
        said = pace.expected(kind, size)
        took = machine.run(KINDS[kind] * size * math.exp(draw.gauss(0, 0.08)))
        if said is not None:
            held.append(took < 1 or 1 / 1.5 <= said / took <= 1.5)
        pace.learn(kind, size, took)
    return held


@pytest.mark.parametrize("trace", TRACES)
def test_what_is_said_before_is_right_within_one_and_a_half_in_nine_of_ten_cases(trace: str):
    held = [one for cores, seed in ((1, 0), (2, 1), (2, 2), (8, 3)) for one in right(trace, cores, seed)]
    assert sum(held) >= 0.9 * len(held)


def test_a_machine_that_does_not_tell_its_load_is_followed_by_what_runs_took():
    """A container that sees nothing of its neighbours."""

    class Silent(Machine):
        def load(self) -> tuple[float, float]:
            return 0.0, 0.0

    held = [one for seed in range(4) for one in right("a training beside", 2, seed, Silent)]
    assert sum(held) >= 0.85 * len(held)


def test_nothing_is_promised_before_anything_was_timed():
    assert Pace(kept=False).expected("small", 10) is None


def test_what_a_moment_took_teaches_nothing():
    pace = Pace(kept=False)
    pace.learn("small", 1.0, 0.01)
    assert pace.expected("small", 1.0) is None


def still(kept: bool = False) -> Pace:
    return Pace(clock=lambda: 0.0, load=lambda: (0.0, 0.0), cores=2, kept=kept)


def test_it_is_remembered_on_this_machine_and_what_was_measured_is_believed(own_home):
    still(kept=True).told("large", 0.5)
    assert still(kept=True).expected("large", 60) == pytest.approx(30.0)
    assert still().expected("large", 60) is None
    still(kept=True).told("large", 0.5, others=2.0)
    assert still(kept=True).expected("large", 60) == pytest.approx(15.0)
    for damaged in (float("nan"), 0.0, -1.0):
        still(kept=True).told("large", damaged)
    assert still(kept=True).expected("large", 60) == pytest.approx(15.0)
    assert all(one.is_relative_to(own_home) for one in own_home.rglob("*.json"))


def test_another_torch_is_another_machine(own_home, monkeypatch):
    still(kept=True).told("large", 0.5)
    monkeypatch.setattr(paces.processor, "name", lambda: "Another")
    paces._key.cache_clear()
    assert still(kept=True).expected("large", 60) is None
    paces._key.cache_clear()


def test_what_is_computed_is_whole_windows_and_of_networks_that_pad_also_for_short_clips():
    mert, clap = spec("mert-95m"), spec("clap-music")
    assert (mert.window_seconds, clap.window_seconds) == (5.0, 10.0)
    assert work(mert, 2.0) == pytest.approx(2.0)
    assert work(mert, 12.0) == pytest.approx(15.0)
    assert work(clap, 2.0) == pytest.approx(10.0)
    clips = [SimpleNamespace(sha256=name, seconds=2.0) for name in ("a", "b", "a")]
    assert sound(clap, clips) == pytest.approx(20.0)


def test_what_was_spent_is_added_up():
    spent = Spent()
    assert spent.of("one", 5.0) == 0
    spent.add("one", 10.0, 1.0)
    spent.add("one", 30.0, 1.0)
    assert spent.of("one", 80.0) == pytest.approx(4.0)
    assert spent.of("another", 80.0) == 0


def test_the_system_says_how_many_compute_now(tmp_path, monkeypatch):
    told = tmp_path / "loadavg"
    told.write_text("1.50 0.7 0.5 4/900 77\n")
    monkeypatch.setattr(processor.os, "getloadavg", lambda: (1.5, 0.7, 0.5))
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(processor.threads, "cores", lambda: 4)
    assert processor.load(told) == pytest.approx((0.75, 1.5))
    assert processor.load(tmp_path / "none") == pytest.approx((0.75, 0.75))


def test_what_is_usual_begins_with_the_first_run_and_is_a_mean_by_time():
    """Work without end meets what is usual; the first run is all that is known of it, a second counts by its length."""
    now, load = [0.0], [0.0]
    pace = Pace(clock=lambda: now[0], load=lambda: (load[0], load[0]), cores=2, kept=False)

    def run(took: float, others: float) -> None:
        """One unit, beside so many threads of others as it lasts; the system's mean holds our own threads too."""
        now[0] += took
        load[0] = others + 2 * (1 - math.exp(-took / 60))
        pace.learn("a", 1.0, took)

    run(1.0, 2.0)
    endless = 1e9
    assert pace.expected("a", endless) == pytest.approx(endless * 1.0, rel=1e-3), (
        "half as fast beside as many"
    )
    run(3.0, 0.0)
    assert pace.expected("b", 1.0) is None
    quiet = 0.5**0.8 * 3.0**0.2  # a fifth of it is the new run's
    before = 0.5 ** (3 / 3600)  # of the second that was seen, after three
    slow = (math.log(2) * before + math.log(3.0 / quiet) * 3) / (before + 3)
    assert pace.expected("a", endless) == pytest.approx(endless * quiet * math.exp(slow), rel=1e-3)


def test_what_fades_is_left_on_average_as_its_integral_says():
    for ratio in (1e-9, 1e-5, 0.3, 1.0, 7.0):
        steps = (np.arange(20_000) + 0.5) / 20_000
        assert paces._mean_share(ratio) == pytest.approx(np.exp(-ratio * steps).mean(), rel=1e-6)


def test_the_shortest_run_that_teaches_is_a_fifth_of_a_second():
    for took, known in ((0.19, False), (0.2, True)):
        pace = still()
        pace.learn("a", 1.0, took)
        assert (pace.expected("a", 1.0) is not None) is known
    pace = still()
    pace.learn("a", 0.0, 5.0)
    assert pace.expected("a", 1.0) is None
