"""Sessions in a plan: recordings of one session are one witness, not several."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planned import evidence, way

from mirdemo.planning import Evidence, Plan, PlanError, Way, make_plan
from mirdemo.planning.futures import Futures
from mirdemo.planning.of_reports import evidence as of_reports


def doubled(found: Evidence, sessions: tuple[int, ...]) -> Evidence:
    """Every recording there twice."""
    ways = tuple(
        Way(w.kind, w.backbone, *(np.repeat(part, 2, 0) for part in (w.right, w.wrong, w.missed)))
        for w in found.ways
    )
    return Evidence(found.tags, found.having, found.lacking, found.n_clips, ways, sessions=sessions)


def test_recordings_that_are_copies_within_a_session_tell_no_more_than_one_each():
    once = evidence(way(0.8, 0.2), way(0.6, 0.1, kind="few_shot", seed=1))
    pairs = tuple(i // 2 for i in range(40))
    there, again = Futures.of(once), Futures.of(doubled(once, pairs))
    for part in ("right", "wrong", "missed"):
        assert np.allclose(getattr(there, part), getattr(again, part))
    naive = Futures.of(doubled(once, ()))
    assert naive.right[1:, 0].std() < 0.8 * again.right[1:, 0].std()


def test_sessions_come_from_the_clips_and_stay_in_the_plans_file():
    truth = np.array([[1], [0]] * 6, np.uint8)
    recordings = [f"r{i // 2}" for i in range(12)]
    groups = ["evening" if i < 6 else "morning" for i in range(12)]
    found = of_reports(truth, recordings, ["drum"], few_shot=("spectral", truth, 1.0), groups=groups)
    assert found.sessions == (0, 0, 0, 1, 1, 1)
    assert found.n_units == 2
    plan = make_plan(found)
    told = plan.as_json()
    assert "evening" not in told
    assert Plan.from_json(told).evidence.sessions == found.sessions
    plain = json.loads(told)
    del plain["evidence"]["sessions"]  # as written before there were any
    assert Plan.from_dict(plain).evidence.n_units == 6
    plain["evidence"]["sessions"] = [0, 1]
    with pytest.raises(PlanError):
        Plan.from_dict(plain)
