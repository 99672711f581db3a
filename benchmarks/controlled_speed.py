"""How fast are the controlled corpora made?

    python benchmarks/controlled_speed.py [--clips 12] [--json FILE]

In one run, on one core and in processor time, so that a busy machine does not count:

- planning and rendering 10 s clips of every tradition and mode, against real time;
- one plucked instrument against its rival, the same Karplus-Strong loop computed sample by sample in Python,
  as the 1983 article writes it down, and against scipy's ``lfilter`` with the loop as its denominator.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from mirdemo.synth import MODES, TRADITIONS, plan, render
from mirdemo.synth.draws import generator
from mirdemo.synth.performance import draw_parameters
from mirdemo.synth.strings import block, pluck

RATE, SECONDS, PROMISED = 24000, 10.0, 50.0


def processor_seconds(work: Callable[[], object], times: int) -> float:
    """Processor time of one call, the best of so many."""
    best = float("inf")
    for _ in range(times):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return best


def clips_against_real_time(tradition: str, mode: str, clips: int) -> float:
    """Seconds of music per second of processor time."""
    render(plan(tradition, 0, mode=mode, seconds=1.0))
    before = time.process_time()
    for seed in range(clips):
        render(plan(tradition, seed, mode=mode, seconds=SECONDS), RATE)
    return clips * SECONDS / (time.process_time() - before)


def loop_in_python(
    hz: float, samples: int, gain: float, damping: float, excitation: np.ndarray
) -> list[float]:
    """The string, sample by sample."""
    delay = round(RATE / hz)
    start = excitation.tolist() + [0.0] * (samples - len(excitation))
    out = [0.0] * samples
    side, middle = 0.5 * gain * damping, gain * (1.0 - damping)
    for n in range(samples):
        value = start[n]
        if n > delay:
            value += middle * out[n - delay] + side * (out[n - delay - 1] + out[n - delay + 1])
        out[n] = value
    return out


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=12, help="clips for each tradition and mode")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()

    figures: dict[str, float] = {}
    for mode in MODES:
        for tradition in TRADITIONS:
            figures[f"{tradition}.{mode}"] = clips_against_real_time(tradition, mode, args.clips)
            print(
                f"{tradition:11s} {mode:7s} {figures[f'{tradition}.{mode}']:6.0f} times real time per core",
                flush=True,
            )
    slowest = min(figures.values())
    print(
        f"slowest: {slowest:.0f} times real time per core ({slowest / PROMISED:.1f} of the promised {PROMISED:.0f})"
    )

    from scipy.signal import lfilter

    parameters = draw_parameters(generator("benchmark"), "Guitar", "train")
    hz, samples = 220.0, block(int(1.5 * RATE))
    gain, damping = 10.0 ** (-3.0 / (hz * parameters["t60"])), parameters["damping"]
    excitation = np.random.default_rng(0).standard_normal(round(RATE / hz))
    denominator = np.zeros(round(RATE / hz) + 2)
    denominator[0], denominator[-2] = 1.0, -gain * (1.0 - damping)
    denominator[-1] = denominator[-3] = -0.5 * gain * damping
    padded = np.concatenate((excitation, np.zeros(samples - len(excitation))))
    ours = processor_seconds(lambda: pluck(hz, samples, RATE, parameters, 0.8), 20)
    naive = processor_seconds(lambda: loop_in_python(hz, samples, gain, damping, excitation), 3)
    filtered = processor_seconds(lambda: lfilter([1.0], denominator, padded), 5)
    figures |= {
        "pluck.ms": 1e3 * ours,
        "pluck.over_python_loop": naive / ours,
        "pluck.over_lfilter": filtered / ours,
    }
    print(
        f"one string of {samples / RATE:.1f} s: {1e3 * ours:.2f} ms; {naive / ours:.0f} times faster than the loop in Python "
        f"({1e3 * naive:.1f} ms), {filtered / ours:.1f} times faster than lfilter ({1e3 * filtered:.1f} ms)"
    )
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0 if slowest >= PROMISED else 1


if __name__ == "__main__":
    sys.exit(main())
