"""The published protocol's one loop: when rates fall, when it ends, what is kept, and that it goes on as it was."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from mirdemo.stages.published.courses import Course, train
from mirdemo.stages.published.settings import MlpTraining


def begun(settings: MlpTraining, rate: float = 0.8) -> Course:
    """A course of one weight, which counts its epochs."""
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    return Course([module], torch.optim.SGD(module.parameters(), rate), settings)


def run(courses: list[Course], figures: list[list[float]], settings: MlpTraining) -> list[list[float]]:
    """Train, while validation says ``figures`` (epochs, courses); each epoch's rates of those that were trained."""
    rates = []

    def epoch(number, going):
        rates.append([course.optimiser.param_groups[0]["lr"] for course in going])
        for course in going:
            course.modules[0].weight.data += 1
        assert {course.epochs for course in going} == {number - 1}

    train(courses, epoch, lambda going: [figures[c.epochs][courses.index(c)] for c in going], settings)
    return rates


def test_the_rate_falls_only_after_further_epochs_without_a_gain():
    settings = MlpTraining(epochs=10, plateau_patience=2, stop_patience=99)
    rates = run([begun(settings)], [[0.5]] * 10, settings)
    # the first epoch is the best; the rate falls after the 4th and the 7th
    assert [rate for (rate,) in rates] == pytest.approx([0.8] * 4 + [0.4] * 3 + [0.2] * 3)


def test_a_gain_however_small_begins_the_waiting_again_and_an_equal_figure_is_none():
    settings = MlpTraining(epochs=6, plateau_patience=1, stop_patience=99)
    rates = run([begun(settings)], [[0.5], [0.5], [0.5 + 1e-9], [0.4], [0.5 + 1e-9], [0.1]], settings)
    assert [rate for (rate,) in rates] == pytest.approx([0.8] * 5 + [0.4])


def test_a_rate_of_almost_nothing_falls_too_and_a_factor_of_one_never_lets_it():
    settings = MlpTraining(epochs=4, plateau_patience=0, stop_patience=99)
    assert run([begun(settings, 1e-30)], [[0.5]] * 4, settings)[-1] == pytest.approx([2.5e-31], rel=1e-6)
    still = MlpTraining(epochs=4, plateau_patience=0, plateau_factor=1, stop_patience=99)
    assert run([begun(still)], [[0.5]] * 4, still)[-1] == [0.8]


def test_each_ends_on_its_own_and_is_left_as_after_its_best_epoch():
    settings = MlpTraining(epochs=9, stop_patience=2)
    figures = [[0.9, 0.1], [0.2, 0.2], [0.2, 0.3], [0.99, 0.4], [0.99, 0.3], [0.99, 0.3], [0.99, 0.99]]
    courses = [begun(settings), begun(settings)]
    rates = run(courses, figures, settings)
    assert [len(of) for of in rates] == [2, 2, 2, 1, 1, 1]
    assert [(c.epochs, c.best_epoch, c.best) for c in courses] == [(3, 1, 0.9), (6, 4, 0.4)]
    assert [float(c.modules[0].weight.detach()) for c in courses] == [1, 4]


def test_without_any_figure_it_is_left_as_it_began():
    settings = MlpTraining(epochs=9, stop_patience=3)
    course = begun(settings)
    run([course], [[math.nan]] * 9, settings)
    assert (course.epochs, course.best_epoch, float(course.modules[0].weight.detach())) == (3, 0, 0)
    assert math.isnan(course.best)


@pytest.mark.parametrize("at", [1, 3, 6])
def test_one_that_was_saved_goes_on_as_if_it_never_had_been(at):
    settings = MlpTraining(epochs=12, plateau_patience=1, stop_patience=5)
    figures = [[0.1], [0.5], [0.4], [0.4], [0.4], [0.6], [0.2], [0.2], [0.2], [0.2], [0.2], [0.2]]
    whole = begun(settings)
    rates = run([whole], figures, settings)
    first = begun(settings)
    short = MlpTraining(epochs=at, plateau_patience=1, stop_patience=5)
    saved = {}

    def epoch(number, going):
        first.modules[0].weight.data += 1

    train(
        [first],
        epoch,
        lambda going: figures[first.epochs],
        short,
        lambda number: saved.update(copy.deepcopy(first.state_dict())),
    )
    again = begun(settings)
    again.load_state_dict(saved)
    assert run([again], figures, settings) == rates[at:]
    assert again.state_dict()["at"] == whole.state_dict()["at"]
    assert again.modules[0].weight == whole.modules[0].weight
