"""Evidence made from stated rates, for tests of the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.planning import Evidence, Growth, Heard, Plan, Way, make_plan
from mirdemo.planning.ways import AS_IT_IS, FEW_SHOT, FINE_TUNE, OTHER


def way(
    hit: float,
    false: float,
    n: int = 20,
    *,
    kind: str = AS_IT_IS,
    backbone: str = "spectral",
    seed: int = 0,
    **more,
) -> Way:
    """Decisions that find a tag with probability ``hit`` and give it falsely with ``false``; the labels are the same
    whatever the rates: each of four tags on half of the recordings."""
    truth = labels(n)
    u = np.random.default_rng(seed).random(truth.shape)
    said = np.where(truth == 1, u < hit, u < false).astype(np.uint8)
    return Way.of_decisions(kind, backbone, said, truth, np.arange(n), **more)


def labels(n: int) -> np.ndarray:
    return np.stack([np.random.default_rng(tag).permutation(np.arange(n) % 2) for tag in range(4)], 1).astype(
        np.uint8
    )


def evidence(*ways: Way, n: int = 20, growth: Growth | None = None, **more) -> Evidence:
    truth = labels(n)
    return Evidence(
        tags=("drum", "flute", "voice", "<b>"),
        having=tuple(truth.sum(0).tolist()),
        lacking=tuple((1 - truth).sum(0).tolist()),
        n_clips=n,
        ways=ways or (way(0.8, 0.1, n),),
        heard=Heard(heard=2, partly=1, not_heard=0, too_few=1),
        growth=growth,
        **more,
    )


#: A curve that has reached 0.6 with 20 recordings and goes on to 0.9.
RISING = Growth(
    recordings=(4.0, 8.0, 14.0, 20.0),
    f1=(0.23, 0.43, 0.54, 0.6),
    low=(0.1, 0.3, 0.45, 0.5),
    high=(0.4, 0.55, 0.63, 0.7),
    ceiling=0.9,
    slope=0.3 * 20**0.5,
    exponent=0.5,
    spread=0.3,
    reach=80.0,
    first=("flute",),
)


def uneven(n: int) -> Way:
    """Two tags are given well, one worse than by chance, one to everybody."""
    truth = labels(n)
    u = np.random.default_rng(1).random(truth.shape)
    said = np.where(truth == 1, u < (0.95, 0.3, 0.9, 1.0), u < (0.05, 0.95, 0.1, 1.0)).astype(np.uint8)
    return Way.of_decisions("as_it_is", "spectral", said, truth, np.arange(n))


def tuned(n: int = 20) -> Way:
    return way(0.93, 0.05, n, kind=FINE_TUNE, machine_seconds=7200.0, backbone="spectral", seed=3)


#: Plans that say everything a plan can say.
CASES: dict[str, Callable[[], Plan]] = {
    "one way": lambda: make_plan(evidence()),
    "one way that saves": lambda: make_plan(evidence(way(0.95, 0.02)), hand_minutes=5, recordings=90),
    "hands": lambda: make_plan(evidence(way(0.5, 0.5)), hand_minutes=0.4),
    "cannot tell": lambda: make_plan(evidence(way(0.55, 0.3)), hand_minutes=0.3, recordings=20),
    "another and few-shot": lambda: make_plan(
        evidence(
            way(0.6, 0.2),
            way(0.75, 0.15, kind=OTHER, backbone="mini-world", seed=4, learned_from=0.8),
            way(0.7, 0.1, kind=FEW_SHOT, seed=5),
            seconds={"probe": 12.0, "few_shot": 3.0},
        ),
        currency="USD",
        hand_minutes=2,
    ),
    "labels first": lambda: make_plan(
        evidence(way(0.55, 0.25), growth=RISING), recordings=3000, hand_minutes=1.0
    ),
    "tuned": lambda: make_plan(
        evidence(way(0.6, 0.25), tuned(), growth=RISING, seconds={"fine_tune": 7200.0, "curve": 9.0}),
        recordings=2000,
        currency="EUR",
        setup_minutes=45,
    ),
    "tuned for nothing": lambda: make_plan(
        evidence(way(0.93, 0.05, seed=3), tuned()), setup_minutes=0, gpu_price=0
    ),
    "tags by hand": lambda: make_plan(
        evidence(uneven(24), n=24), hand_minutes=1.0, mend_seconds=60, recordings=400
    ),
    "sessions": lambda: make_plan(
        evidence(uneven(24), n=24, sessions=tuple(i // 3 for i in range(24))), mend_seconds=90
    ),
    "sick": lambda: make_plan(evidence(way(0.9, 0.1, sick=Sentence("It is sick.", "test.sick")))),
    "few": lambda: make_plan(replace(evidence(), having=(2, 2, 1, 0))),
}
