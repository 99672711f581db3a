"""What an evaluation is asked for."""

from __future__ import annotations

import pytest

from mirdemo.evaluation.running import Request, _episode_seeds
from mirdemo.stages.fewshot import PUBLISHED_RUN, PUBLISHED_SEEDS


@pytest.mark.parametrize(
    ("protocol", "published"), [("lcprotonets2024", PUBLISHED_RUN), ("papaioannou2025", PUBLISHED_SEEDS)]
)
def test_fewer_seeds_are_the_first_published_and_more_go_on_above_the_last(protocol, published):
    def seeds(n):
        return _episode_seeds(Request(method="fewshot", protocol=protocol, seeds=n))

    above, n = max(published), len(published)
    assert seeds(None) == seeds(n) == tuple(published)
    assert seeds(1) == (published[0],)
    assert seeds(n + 2) == (*published, above + 1, above + 2)
