"""What rarity explains of the difference between tags, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest
from measured import figure_of

from mirdemo.corpora.frames import STUDY
from mirdemo.results.trends import trends as _trends


def trends(records):
    return _trends(records, STUDY.traditions)


def per_tag(corpus, support, f1):
    return figure_of(corpus=corpus, metric="f1", value=f1, tag=f"t{support}", setting={"support": support})


def test_a_trend_is_found_where_there_is_one():
    rng = np.random.default_rng(1)
    support = rng.integers(5, 500, 40)
    f1 = np.clip(0.4 + 0.3 * np.log10(support / 50) + rng.normal(0, 0.03, 40), 0, 1)
    (found,) = trends([per_tag("makam", int(s), float(v)) for s, v in zip(support, f1, strict=True)])
    assert found.tradition == "makam"
    assert found.n_tags == 40
    assert found.slope.low < 0.3 < found.slope.high
    assert found.explained.low > 0.8
    assert found.at(np.array([50.0]))[0] == pytest.approx(0.4, abs=0.05)
    along, low, high = map(np.array, zip(*found.band, strict=True))
    assert (along[0], along[-1]) == pytest.approx(found.support_range)
    assert np.all((low <= found.at(along)) & (found.at(along) <= high))
    assert np.all((low >= 0) & (high <= 1))
    truth = np.clip(0.4 + 0.3 * np.log10(along / 50), 0, 1)
    assert np.mean((low <= truth) & (truth <= high)) > 0.8
    # Narrowest where the tags are, wider towards both ends, as of any fitted line.
    inner = np.argmin(np.abs(np.log10(along) - found.centre[0]))
    assert (high - low)[inner] < min((high - low)[-1], (high - low)[np.argmax(low > 0)])


def test_a_trend_that_is_not_there_explains_nothing():
    rng = np.random.default_rng(2)
    records = [
        per_tag("makam", int(s), float(v))
        for s, v in zip(rng.integers(5, 500, 60), rng.random(60), strict=True)
    ]
    (found,) = trends(records)
    assert found.slope.low < 0 < found.slope.high
    assert found.explained.low == 0
    assert found.explained.value < 0.1


def test_what_rarity_may_not_explain_begins_at_nothing():
    rng, held = np.random.default_rng(4), []
    for n in (8, 20, 40) * 12:
        support, f1 = rng.integers(5, 500, n), rng.random(n)
        (found,) = trends([per_tag("lyra", int(s), float(v)) for s, v in zip(support, f1, strict=True)])
        held.append((found.explained.low == 0, found.slope.low <= 0 <= found.slope.high))
        assert found.explained.low <= found.explained.value <= found.explained.high
    assert np.mean(held, axis=0).min() >= 0.8  # 36 draws of what should be 0.9


def test_too_few_tags_give_no_trend():
    assert trends([per_tag("makam", s, 0.5) for s in range(1, 8)]) == []
    assert trends([per_tag("makam", 10, 0.5) for _ in range(20)]) == []
