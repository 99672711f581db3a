"""A line through points: the least squares of NumPy, and what it explains begins at 0 wherever it may explain nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.scoring.lines import fit


def points(seed: int, n: int, slope: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, slope * x + rng.normal(size=n)


def test_the_line_is_that_of_least_squares_and_its_band_lies_around_it() -> None:
    x, y = points(0, 30, 0.7)
    line = fit(x, y)
    slope, _ = np.polyfit(x, y, 1)
    assert line.slope.value == pytest.approx(slope)
    assert line.slope.low < slope < line.slope.high
    assert line.centre == pytest.approx((x.mean(), y.mean()))
    share = np.corrcoef(x, y)[0, 1] ** 2
    assert line.explained.value == pytest.approx(1 - (1 - share) * 29 / 28)
    along, low, high = np.array(line.band).T
    assert (along[0], along[-1]) == (x.min(), x.max())
    assert ((low < high) & (low < y.mean() + slope * (along - x.mean()))).all()
    assert (high > y.mean() + slope * (along - x.mean())).all()


def test_the_slopes_errors_are_those_of_points_left_out() -> None:
    """HC3 is the jackknife but for a factor of (n - 1) / n (MacKinnon and White 1985)."""
    x, y = points(1, 12, 0.5)
    line = fit(x, y)
    left_out = np.array([np.polyfit(np.delete(x, i), np.delete(y, i), 1)[0] for i in range(12)])
    error = np.sqrt(((left_out - line.slope.value) ** 2).sum())
    from scipy.stats import t

    reach = t.ppf((1 + line.slope.level) / 2, 10) * error
    assert (line.slope.high - line.slope.low) / 2 == pytest.approx(reach)


def test_what_a_line_explains_begins_at_nothing_where_its_slope_may_be_none() -> None:
    lines = [fit(*points(seed, 6, slope)) for seed in range(40) for slope in (0.0, 1.5)]
    may_be_none = [one.slope.low <= 0 <= one.slope.high for one in lines]
    assert 10 < sum(may_be_none) < 70
    for one, none in zip(lines, may_be_none, strict=True):
        assert 0 <= one.explained.low <= one.explained.value <= one.explained.high <= 1
        if none:
            assert one.explained.low == 0
    assert sum(one.explained.low > 0 for one in lines) > 10
