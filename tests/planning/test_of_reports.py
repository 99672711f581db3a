"""What a plan takes from the stages' reports."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mirdemo.planning.of_reports import growth
from mirdemo.scoring.intervals import Interval


def curve(gain: Interval | None = None):
    """Three shots a point are nine recordings."""
    points = [
        SimpleNamespace(macro_f1=Interval(f1, f1 - 0.1, f1 + 0.1, 10), shots=shots, recordings=3.0 * shots)
        for shots, f1 in ((1, 0.3), (2, 0.5), (4, 0.6))
    ]
    law = SimpleNamespace(ceiling=0.9, slope=0.6, exponent=0.5, shots=(4, 8, 16))
    return SimpleNamespace(points=points, gains=[], extrapolation=law, gain=gain)


def test_the_law_of_shots_becomes_one_of_recordings():
    found = growth(curve())
    assert found.recordings == (3.0, 6.0, 12.0)
    for shots in (1, 4, 16):
        ahead = found.ceiling - found.slope * (3 * shots) ** -found.exponent
        assert ahead == pytest.approx(0.9 - 0.6 * shots**-0.5)
    assert found.reach == pytest.approx(48)


@pytest.mark.parametrize(
    ("gain", "spread"),
    [
        (None, 1.0),
        ((None, None, None), 1.0),
        ((0.2, None, None), 1.0),
        ((0.0, -0.1, 0.1), 1.0),
        ((-0.1, -0.2, 0.1), 1.0),
        ((0.2, 0.2 - 0.1645, 0.2 + 0.1645), 0.5),
        ((0.01, -0.4, 0.4), 3.0),
    ],
)
def test_a_rise_is_as_unsure_as_its_interval_is_wide_and_one_that_is_none_as_a_plan_supposes(gain, spread):
    rise = None if gain is None else Interval(*gain, 10)
    assert growth(curve(rise)).spread == pytest.approx(spread)
