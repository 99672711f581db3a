"""The learning curve, its forecast, what to label next, and the honest score."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from mirdemo.base.sentences import Cancelled, Sentence
from mirdemo.stages.fewshot import (
    Extrapolation,
    FewShotError,
    LCPrototypes,
    LinearHead,
    label_next,
    learning_curve,
    leave_recordings_out,
)
from mirdemo.stages.fewshot.extrapolation import extrapolate, fit_power_law
from mirdemo.stages.fewshot.learning_curve import resampled


def corpus(recordings: int, noise: float, tags: int = 3, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(tags, 16))
    labels = np.zeros((2 * recordings, tags), np.uint8)
    names = np.repeat(np.arange(recordings), 2)
    labels[np.arange(len(labels)), names % tags] = 1
    return labels @ centres + noise * rng.normal(size=(len(labels), 16)), labels, names


def test_the_curve_rises_and_shows_its_interval_and_size():
    curve = learning_curve(*corpus(45, 2.0), tags=["a", "b", "c"], repeats=15)
    assert [p.shots for p in curve.points][:4] == [1, 2, 3, 5]
    values = [p.macro_f1.value for p in curve.points]
    assert values[-1] > values[0] + 0.1
    for point in curve.points:
        assert point.macro_f1.low < point.macro_f1.value < point.macro_f1.high
        assert point.recordings == pytest.approx(
            3 * point.shots
        )  # one tag a recording: K recordings for each
        assert point.clips == pytest.approx(6 * point.shots)
        assert point.tags_reaching > 0.5
    assert curve.method == "lc-prototypes"
    assert curve.n_recordings == 45


def test_the_gain_is_paired_by_repeat_and_may_be_a_loss(monkeypatch):
    asked = []

    def f1(truth, predicted):
        """Of two points a repeat; repeats differ a lot, the second point always lies 0.1 below the first."""
        repeat, second = divmod(len(asked), 2)
        asked.append(truth)
        return np.full(truth.shape[1], 0.3 + 0.1 * (repeat % 5) - 0.1 * second)

    monkeypatch.setattr(import_module("mirdemo.stages.fewshot.learning_curve"), "_f1", f1)
    curve = learning_curve(*corpus(45, 2.0), shots=(1, 2), repeats=10)
    assert [p.macro_f1.high - p.macro_f1.low > 0.2 for p in curve.points] == [True, True]
    assert (curve.gain.value, curve.gain.low, curve.gain.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert (curve.gain.n, curve.gain.unit) == (10, "repeats")
    assert learning_curve(*corpus(45, 2.0), shots=(1,), repeats=3).gain is None


def test_the_forecast_is_marked_goes_on_from_the_points_and_stays_within_reach():
    curve = learning_curve(*corpus(45, 2.0), repeats=15)
    beyond = curve.extrapolation
    assert isinstance(beyond, Extrapolation)
    complete = [p for p in curve.points if p.tags_reaching == 1.0]
    assert beyond.shots.min() > complete[-1].shots
    assert beyond.shots.max() <= 4 * complete[-1].shots
    assert (np.diff(beyond.value) >= 0).all()
    assert ((beyond.low <= beyond.value) & (beyond.value <= beyond.high)).all()
    assert beyond.high.max() <= 1


def test_too_few_recordings_give_a_curve_but_no_forecast():
    curve = learning_curve(*corpus(12, 1.0), repeats=6)
    assert len(curve.points) >= 1
    assert isinstance(curve.extrapolation, Sentence)
    assert curve.extrapolation.code == "fewshot.no_forecast"
    assert all(gain.gain is None for gain in curve.gains)


def test_a_flat_curve_gives_no_forecast():
    flat = extrapolate(np.array([1, 2, 3, 5]), np.full((10, 4), 0.5))
    assert flat.code == "fewshot.no_forecast_flat"


def test_the_power_law_is_found_again():
    k = np.array([1, 2, 3, 5, 8])
    a, b, c = fit_power_law(k, (0.9 - 0.5 * k**-0.7)[None])
    assert (a[0], b[0], c[0]) == (
        pytest.approx(0.9, abs=1e-6),
        pytest.approx(0.5, abs=1e-6),
        pytest.approx(0.7),
    )
    steep = 1.3 - 0.9 * k**-0.3  # would pass 1: the ceiling stays at 1
    a, b, c = fit_power_law(k, steep[None])
    assert a[0] <= 1
    assert b[0] >= 0
    falling = fit_power_law(k, np.linspace(0.9, 0.5, 5)[None])
    assert falling[1][0] == 0


def test_repeats_share_recordings_and_the_interval_allows_for_it():
    values = np.array([0.5, 0.6, 0.7, 0.55, 0.65])
    naive, corrected = resampled(values, 0.0), resampled(values, 0.5)
    assert naive.high - naive.low == pytest.approx(2 * 2.1318 * values.std(ddof=1) / np.sqrt(5), rel=1e-3)
    assert (corrected.high - corrected.low) / (naive.high - naive.low) == pytest.approx(np.sqrt(1 + 5 * 0.5))
    assert resampled(values[:2], 0.5).low is None


def test_repeats_that_all_agree_are_no_proof():
    """Ten times 1.00 with few recordings had an interval of no width."""
    perfect = np.ones(10)
    few, many = resampled(perfect, 0.5, 6), resampled(perfect, 0.5, 60)
    assert 0.7 < few.low < 0.85, "as a share of six recordings without an error is known"
    assert few.low < many.low < few.high == 1.0
    apart = np.array([0.1, 0.9] * 5)
    assert resampled(apart, 0.5, 60) == resampled(apart, 0.5), "what repeats show beyond it counts"


def test_tags_are_told_by_what_they_would_gain_and_how_good_they_are():
    embeddings, labels, names = corpus(60, 0.8)
    rng = np.random.default_rng(1)
    hard = labels[:, 2] == 1
    embeddings[hard] += 2.5 * rng.normal(size=(hard.sum(), 16))
    curve = learning_curve(embeddings, labels, names, tags=["easy", "easy too", "hard"], repeats=15)
    expected = [g.gain.value for g in curve.gains]
    assert expected == sorted(expected, reverse=True)
    assert expected[0] > expected[-1]
    assert all(g.gain.low <= g.gain.value <= g.gain.high for g in curve.gains)
    assert min(curve.gains, key=lambda g: g.f1.value).tag == "hard"


def test_a_tag_of_one_recording_is_left_out_and_said_so():
    embeddings, labels, names = corpus(12, 1.0)
    labels = np.hstack([labels, (names == 0).astype(np.uint8)[:, None]])
    curve = learning_curve(embeddings, labels, names, tags=["a", "b", "c", "rare"], repeats=3)
    assert curve.left_out == ("rare",)
    with pytest.raises(FewShotError) as refused:
        learning_curve(np.eye(3), np.eye(3))
    assert refused.value.sentence.code == "fewshot.curve_too_few"


def test_a_tag_in_both_of_two_recordings_is_not_told_that_it_lacks_a_second():
    with pytest.raises(FewShotError) as refused:
        learning_curve(np.eye(4), np.ones((4, 1)), ["a", "a", "b", "b"])
    assert refused.value.sentence.code == "fewshot.curve_recordings"


def test_the_curve_can_be_stopped_and_is_the_same_again():
    def stop(done, total, phase):
        if done > 3:
            raise Cancelled

    data = corpus(12, 1.0)
    with pytest.raises(Cancelled):
        learning_curve(*data, repeats=3, progress=stop)
    one, two = learning_curve(*data, repeats=3), learning_curve(*data, repeats=3)
    assert [p.macro_f1 for p in one.points] == [p.macro_f1 for p in two.points]


def test_the_points_are_told_one_by_one_and_then_repeat_by_repeat_until_they_are_the_curves():
    told = []
    curve = learning_curve(*corpus(45, 2.0), shots=(1, 2, 3), repeats=5, interim=told.append)
    first = [one for one in told if one.done == 1]
    assert [[p.shots for p in one.points] for one in first] == [[1], [1, 2], [1, 2, 3]]
    assert all(p.macro_f1.low is None for one in told if one.done < 3 for p in one.points)
    assert [one.done for one in told] == [1, 1, 1, 2, 3, 4, 5]
    assert all((one.most, one.repeats) == (3, 5) for one in told)
    assert told[-1].points == curve.points
    assert told[-2].points != curve.points


def test_the_clips_to_label_next_are_those_between_two_label_sets_one_a_recording():
    support, labels = (
        np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]]),
        np.array([[1, 0]] * 2 + [[0, 1]] * 2),
    )
    method = LCPrototypes("euclidean", unknown=False).fit(support, labels, tags=["koto", "taiko"])
    waiting = np.array([[0.0, 1.0], [0.52, 0.5], [0.53, 0.55], [0.8, 0.2]])
    found = label_next(method, waiting, ["a", "b", "b", "c"], count=2)
    assert [s.row for s in found] == [2, 3] or [s.row for s in found] == [1, 3]
    assert found[0].margin < found[1].margin
    assert {found[0].tags, found[0].runner_up} == {("koto",), ("taiko",)}
    assert len(label_next(method, waiting, count=99)) == 4


@pytest.mark.parametrize("make", [LCPrototypes.published, LinearHead])
def test_the_honest_score_is_what_fitting_without_each_recording_gives(make):
    embeddings, labels, names = corpus(12, 0.8)
    check = leave_recordings_out(embeddings, labels, names, make, tags=["a", "b", "c"])
    for recording in range(12):
        mine = names == recording
        method = make().fit(embeddings[~mine], labels[~mine], names[~mine])
        np.testing.assert_array_equal(check.predicted[mine], method.predict(embeddings[mine]))
    assert check.score.macro_f1.n == 12
    assert check.score.macro_f1.low < check.score.macro_f1.value
    assert [t.tag for t in check.score.tags] == ["a", "b", "c"]
    assert check.score.tags[0].recordings == 4
    assert check.score.chance_macro_f1 == pytest.approx(0.5)
    assert check.score.exact == pytest.approx((check.predicted == labels).all(axis=1).mean())


def test_the_unknown_threshold_of_the_honest_score_is_near_the_refitted_one():
    embeddings, labels, names = corpus(30, 0.8)
    quick, _ = LCPrototypes().fit(embeddings, labels, names).leave_one_recording_out()
    slow = np.empty_like(quick)
    for recording in np.unique(names):
        mine = names == recording
        slow[mine] = (
            LCPrototypes().fit(embeddings[~mine], labels[~mine], names[~mine]).predict(embeddings[mine])
        )
    assert (quick != slow).any(axis=1).mean() <= 0.05


def test_one_recording_cannot_be_left_out():
    with pytest.raises(FewShotError) as refused:
        leave_recordings_out(np.eye(2), np.eye(2), ["a", "a"], LCPrototypes)
    assert refused.value.sentence.code == "fewshot.one_recording"
