"""What labels are worth: the closed form against simulation, the curve's reach, the target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planned import RISING, evidence, way

from mirdemo.base.sentences import Sentence
from mirdemo.planning import Assumptions, Growth
from mirdemo.planning.futures import Futures
from mirdemo.planning.labels import labels_for_target, labels_worth, mended, reached, worth_of_knowing
from mirdemo.planning.plan import Plan


@pytest.mark.parametrize(
    ("gain", "error", "n", "more"),
    [(0.0, 1.0, 10, 10), (0.5, 1.0, 10, 5), (1.0, 0.4, 20, 40), (-0.3, 0.8, 6, 30), (2.0, 1.0, 8, 2)],
)
def test_the_closed_form_equals_simulated_decisions(gain: float, error: float, n: int, more: int):
    """The truth is drawn from what n recordings say; more recordings are measured; who then decides by all of them wins
    so much over who decides now."""
    rng = np.random.default_rng(1)
    draws = 400_000
    truth = gain + error * rng.standard_normal(draws)
    seen = truth + error * np.sqrt(n / more) * rng.standard_normal(draws)
    after = (n * gain + more * seen) / (n + more)
    won = np.where(after > 0, truth, 0) - (truth if gain > 0 else 0)
    assert worth_of_knowing(gain, error, n, more) == pytest.approx(
        won.mean(), abs=4 * won.std() / np.sqrt(draws)
    )


def test_knowing_is_worth_nothing_without_doubt_and_more_the_more_one_looks():
    assert worth_of_knowing(1.0, 0.0, 10, 5) == 0
    worth = worth_of_knowing(0.2, 1.0, 10, np.arange(0, 50))
    assert worth[0] == 0
    assert (np.diff(worth) > 0).all()
    assert worth[-1] < worth_of_knowing(0.2, 1.0, 10, 1e9)


def nets(futures: Futures, assumptions: Assumptions) -> np.ndarray:
    return np.concatenate([np.zeros((len(futures.right), 1)), futures.saved(assumptions)], 1)


def worth(growth: Growth | None, **assumed) -> tuple:
    futures, assumptions = Futures.of(evidence(growth=growth)), Assumptions(**assumed)
    return labels_worth(futures, growth, nets(futures, assumptions), 0, assumptions), assumptions


def test_labels_are_never_advised_beyond_the_reach_of_the_curve_or_the_archive():
    far, _ = worth(RISING, recordings=100_000)
    assert far.reach == 60
    assert far.best == 60
    small, _ = worth(RISING, recordings=12)
    assert small.reach == 12
    without, _ = worth(None, recordings=100_000)
    assert without.reach == 20
    assert without.by_law


def test_a_curve_that_was_measured_flat_is_believed_over_the_general_law():
    flat = replace(RISING, exponent=None, refusal=Sentence("It is flat.", "fewshot.no_forecast_flat"))
    found, _ = worth(flat, recordings=100_000)
    assert not found.model.any()
    short = replace(RISING, exponent=None, refusal=Sentence("It is short.", "fewshot.no_forecast"))
    by_law, _ = worth(short, recordings=100_000)
    assert (np.diff(by_law.model) > 0).all()


def test_the_best_number_is_the_top_of_worth_over_cost_and_grows_with_the_archive():
    found = [worth(RISING, recordings=n)[0] for n in (30, 600, 3000)]
    assert [one.best for one in found] == sorted(one.best for one in found)
    assert found[0].best < found[2].best
    middle = found[1]
    assert middle.best == middle.more[np.argmax(middle.net)]
    assert middle.cost[middle.best - 1] == middle.best * Assumptions().hand_minutes


def test_mistakes_mend_by_the_curve():
    assert mended(RISING, 20, 60) == pytest.approx((0.75 - 0.6) / 0.4)
    assert mended(RISING, 20, 0) == 0


def test_a_plan_with_a_rising_curve_and_a_large_archive_says_to_label_first():
    plan = Plan(evidence(way(0.55, 0.25), growth=RISING), Assumptions(recordings=3000, hand_minutes=1.0))
    assert plan.advice.kind == "label"
    assert plan.tags_to_label() == ("flute",)


def test_the_number_for_a_target_weighs_its_cost_against_missing_it():
    chance = np.array([0.0, 0.2, 0.5, 0.8, 0.9, 0.92])
    assert labels_for_target(chance, cost=1.0, missed=0.0) == 0
    assert labels_for_target(chance, cost=1.0, missed=10.0) == 3
    assert labels_for_target(chance, cost=0.001, missed=10.0) == 5


def test_a_higher_target_is_reached_by_fewer_curves_and_more_labels_by_more():
    low, high = reached(RISING, 20, 60, 0.65), reached(RISING, 20, 60, 0.75)
    assert (low >= high).all()
    assert low[60] > low[0]
    assert reached(RISING, 20, 60, 1.0).max() < 0.05
