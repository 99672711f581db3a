"""Evidence made from stated rates, for tests of the plan."""

from __future__ import annotations

import numpy as np

from mirdemo.planning import Evidence, Growth, Heard, Way
from mirdemo.planning.ways import AS_IT_IS


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
