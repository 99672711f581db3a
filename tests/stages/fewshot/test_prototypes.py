"""LC-prototypes: the power set's predictions, unknowns, negatives, explanations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from power_set import label_combinations, predict_exactly
from waiting import PATIENCE

from mirdemo.scoring.labelling import LabellingError
from mirdemo.stages.fewshot import FewShotError, LCPrototypes, nearest
from mirdemo.stages.fewshot.closed_sets import closed_sets

WHOLE = st.integers(-3, 3)


@st.composite
def cases(draw):
    """A support set and queries on a small grid of whole numbers, where ties are everywhere."""
    n, t, d = draw(st.integers(1, 7)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    support = draw(arrays(np.int64, (n, d), elements=WHOLE))
    labels = draw(arrays(np.uint8, (n, t), elements=st.integers(0, 1)))
    if not labels.any():
        labels[draw(st.integers(0, n - 1)), draw(st.integers(0, t - 1))] = 1
    repeat = draw(st.lists(st.integers(0, n - 1), max_size=3))  # an item drawn twice counts twice
    rows = [*range(n), *repeat]
    queries = draw(arrays(np.int64, (4, d), elements=WHOLE))
    return support[rows], labels[rows], queries


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@settings(max_examples=700, deadline=None)
@given(case=cases())
def test_predictions_are_those_of_the_full_power_set_ties_included(distance, case):
    support, labels, queries = case
    ours = LCPrototypes.published(distance).fit(support, labels).predict(queries)
    np.testing.assert_array_equal(ours, predict_exactly(support, labels, queries, distance))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_negatives_are_one_more_empty_combination(distance, case):
    support, labels, queries = case
    ours = LCPrototypes(distance, unknown=False).fit(support, labels).predict(queries)
    np.testing.assert_array_equal(ours, predict_exactly(support, labels, queries, distance, negatives=True))


@settings(max_examples=200, deadline=None)
@given(case=cases(), scale=st.sampled_from([1e-6, 0.1, 1.0, 1e5]), shift=st.sampled_from([0.0, 0.3, 1e4]))
def test_euclidean_predictions_do_not_depend_on_unit_or_origin(case, scale, shift):
    support, labels, queries = case
    plain = LCPrototypes.published("euclidean").fit(support, labels).predict(queries)
    moved = (
        LCPrototypes.published("euclidean")
        .fit(support * scale + shift, labels)
        .predict(queries * scale + shift)
    )
    if scale >= 0.1 or shift == 0:  # below, float64 no longer tells the points apart from rounding
        np.testing.assert_array_equal(moved, plain)


@settings(max_examples=200, deadline=None)
@given(labels=arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 7)), elements=st.integers(0, 1)))
def test_closed_sets_are_the_largest_combination_of_each_group_of_items(labels):
    found = label_combinations(labels)
    if not found:
        with pytest.raises(FewShotError):
            closed_sets(labels, negatives=False)
        return
    largest: dict[tuple[int, ...], tuple[int, ...]] = {}
    for subset, items in found.items():
        if len(subset) > len(largest.get(tuple(items), ())):
            largest[tuple(items)] = subset
    ours = closed_sets(labels, negatives=False)
    got = {
        tuple(np.flatnonzero(m)): tuple(np.flatnonzero(s))
        for s, m in zip(ours.sets, ours.members.T, strict=True)
    }
    assert got == largest
    # and they come in the order that breaks ties: larger first, then as the published code meets them
    met = list(found)
    keys = [(-len(s), met.index(s)) for s in (tuple(np.flatnonzero(row).tolist()) for row in ours.sets)]
    assert keys == sorted(keys)


def random_support(rng, n=24, tags=5, dim=16, recordings=8):
    """Clips around one centre a tag; some carry no tag."""
    centres = rng.normal(size=(tags, dim))
    labels = (rng.random((n, tags)) < 0.3).astype(np.uint8)
    labels[0] = 1
    embeddings = labels @ centres + 0.3 * rng.normal(size=(n, dim))
    return embeddings.astype(np.float32), labels, rng.integers(0, recordings, n)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_a_batch_and_single_queries_get_the_same_answer(distance):
    rng = np.random.default_rng(0)
    support, labels, recordings = random_support(rng, n=60)
    method = LCPrototypes(distance).fit(support, labels, recordings)
    queries = rng.normal(size=(50, 16)).astype(np.float32)
    whole = method.decide(queries)
    for i, query in enumerate(queries):
        one = method.decide(query)
        assert one.label_set[0] == whole.label_set[i]
        assert one.distance[0] == pytest.approx(whole.distance[i], abs=1e-12)
        np.testing.assert_array_equal(method.predict(query)[0], whole.labels[i])


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_margin_is_the_way_to_the_nearest_other_label_set(distance):
    rng = np.random.default_rng(1)
    support, labels, _ = random_support(rng)
    method = LCPrototypes(distance).fit(support, labels)
    queries = rng.normal(size=(30, 16))
    decision = method.decide(queries)
    means = method.prototypes
    if distance == "cosine":
        unit = [m / np.linalg.norm(m) for m in means]
        slow = np.array([[1 - q @ m / np.linalg.norm(q) for m in unit] for q in queries])
    else:
        slow = np.array([[np.linalg.norm(q - m) for m in means] for q in queries])
    order = np.argsort(slow, axis=1)
    np.testing.assert_array_equal(decision.label_set, order[:, 0])
    np.testing.assert_array_equal(decision.runner_up, order[:, 1])
    ranked = np.sort(slow, axis=1)
    np.testing.assert_allclose(decision.distance, ranked[:, 0], atol=1e-9)
    np.testing.assert_allclose(decision.margin, ranked[:, 1] - ranked[:, 0], atol=1e-9)


def test_with_a_single_label_set_there_is_no_runner_up():
    method = LCPrototypes(unknown=False).fit(np.eye(3), np.ones((3, 2)), tags=["a", "b"])
    decision = method.decide(np.eye(3))
    assert np.isinf(decision.margin).all()
    assert (decision.runner_up == -1).all()
    assert method.explain(np.ones(3)).runner_up is None


def test_a_clip_far_from_everything_is_unknown_and_gets_no_tag():
    rng = np.random.default_rng(2)
    support, labels, recordings = random_support(rng)
    method = LCPrototypes("euclidean").fit(support, labels, recordings)
    far = np.full((1, 16), 1e3)
    decision = method.decide(far)
    assert decision.unknown[0]
    assert not decision.labels.any()
    assert method.explain(far[0]).unknown
    assert not method.predict(far).any()
    assert LCPrototypes("euclidean", unknown=False).fit(support, labels).predict(far).any()


def measured_without_its_recording(method, support, labels) -> tuple[np.ndarray, np.ndarray]:
    """Distances of the clips that others' recordings cover, by fitting without each one's recording; and those recordings."""
    distances, recordings = [], []
    for i in range(len(support)):
        rest = method.recordings != method.recordings[i]
        own = labels[i].astype(bool)
        known = labels[rest][:, own].any(axis=0).all() if own.any() else (~labels[rest].any(axis=1)).any()
        if known:
            others = LCPrototypes(method.distance, unknown=False).fit(support[rest], labels[rest])
            distances.append(others.decide(support[i]).distance[0])
            recordings.append(method.recordings[i])
    return np.array(distances), np.array(recordings)


def test_with_enough_recordings_the_unknown_threshold_is_the_conformal_quantile_over_recordings():
    rng = np.random.default_rng(3)
    support, labels, recordings = random_support(rng, n=80, recordings=40)
    method = LCPrototypes("euclidean", false_unknown=0.2).fit(support, labels, recordings)
    distances, of = measured_without_its_recording(method, support, labels)
    n = len(np.unique(of))
    within = lambda limit: np.mean([(distances[of == r] <= limit).mean() for r in np.unique(of)])  # noqa: E731
    enough = [d for d in distances if within(d) >= 0.8 * (1 + 1 / n) - 1e-9]
    assert method.threshold == pytest.approx(min(enough), abs=1e-6)
    assert method.false_unknown_rate == pytest.approx(1 - within(min(enough)) * n / (n + 1))
    assert method.false_unknown_rate <= 0.2


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_with_few_recordings_the_unknown_threshold_is_a_prediction_limit_beyond_what_was_seen(distance):
    from scipy.stats import t

    rng = np.random.default_rng(3)
    support, labels = rng.normal(size=(5, 16)) + 1, np.ones((5, 1), np.uint8)
    method = LCPrototypes(distance).fit(support, labels)
    distances, _ = measured_without_its_recording(method, support, labels)
    straight = np.sqrt(2 * distances) if distance == "cosine" else distances
    limit = straight.mean() + t.ppf(0.95, 4) * straight.std(ddof=1) * np.sqrt(1 + 1 / 5)
    assert method.threshold == pytest.approx(limit**2 / 2 if distance == "cosine" else limit)
    assert method.threshold > distances.max()
    assert method.false_unknown_rate == 0.05


def test_more_clips_of_the_same_recordings_do_not_move_the_limit_and_one_recording_gives_none():
    from mirdemo.stages.fewshot.calibration import unknown_limit

    for n in (4, 25):
        distances = np.linspace(0.1, 0.4, n)
        once = unknown_limit(distances, np.arange(n), 0.05, "cosine")
        twice = unknown_limit(np.tile(distances, 2), np.tile(np.arange(n), 2), 0.05, "cosine")
        assert once == pytest.approx(twice)
    assert unknown_limit(np.array([0.1, 0.2]), np.array([0, 0]), 0.05, "cosine") == (None, None)


def test_a_limit_beyond_opposite_directions_is_none():
    from mirdemo.stages.fewshot.calibration import unknown_limit

    apart = np.array([0.1, 1.5]), np.array([0, 1]), 0.05
    assert unknown_limit(*apart, "cosine") == (None, None)
    assert unknown_limit(*apart, "euclidean")[0] > 2


@pytest.mark.parametrize("recordings", [3, 6, 30])
def test_no_more_known_clips_are_called_unknown_than_promised_and_not_far_fewer(recordings):
    from mirdemo.stages.fewshot.calibration import unknown_limit

    rng = np.random.default_rng(recordings)
    beyond = []
    for _ in range(400):
        room = rng.normal(3, 0.4, recordings + 50)
        distances = np.abs(room[:, None] + rng.normal(0, 0.3, (recordings + 50, 3)))
        of = np.repeat(np.arange(recordings), 3)
        limit, _ = unknown_limit(distances[:recordings].ravel(), of, 0.05, "euclidean")
        beyond.append((distances[recordings:, 0] > limit).mean())
    assert 0.01 < np.mean(beyond) < 0.065


def test_without_a_second_recording_of_any_tag_nothing_is_called_unknown():
    method = LCPrototypes().fit(np.eye(3), np.eye(3))
    assert method.threshold is None
    assert not method.decide(-np.ones((1, 3))).unknown[0]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@settings(max_examples=150, deadline=None)
@given(case=cases(), seed=st.integers(0, 9))
def test_leaving_recordings_out_equals_fitting_without_them(distance, case, seed):
    support, labels, _ = case
    recordings = np.random.default_rng(seed).integers(0, 3, len(support))
    method = LCPrototypes(distance, unknown=False).fit(support, labels, recordings)
    got, _ = method.leave_one_recording_out()
    for recording in np.unique(recordings):
        mine = recordings == recording
        if not labels[~mine].any():
            continue  # then only negatives are left, or nothing
        refitted = LCPrototypes(distance, unknown=False).fit(support[~mine], labels[~mine])
        np.testing.assert_array_equal(got[mine], refitted.predict(support[mine]))


def test_scores_say_the_same_as_predictions_and_rank_by_nearness():
    rng = np.random.default_rng(4)
    support, labels, recordings = random_support(rng, n=40)
    for method in (LCPrototypes(), LCPrototypes("euclidean"), LCPrototypes.published()):
        method.fit(support, labels, recordings)
        queries = rng.normal(size=(200, 16))
        scores, predicted = method.scores(queries), method.predict(queries)
        assert scores.min() >= 0
        assert scores.max() <= 1
        assert (scores[predicted == 1] >= 0.5).all()
        assert (scores[predicted == 0] <= 0.5).all()
    _, held = LCPrototypes().fit(support, labels, recordings).leave_one_recording_out()
    assert held.shape == labels.shape


def test_explain_names_the_clips_behind_a_tag_nearest_first():
    support = np.array([[1.0, 0.2], [0.9, 0.1], [0.0, 1.0]])
    labels = np.array([[1, 0], [1, 0], [0, 1]])
    why = (
        LCPrototypes("euclidean", unknown=False)
        .fit(support, labels, tags=["clarinet", "violin"])
        .explain([0.9, 0.0])
    )
    assert why.tags == ("clarinet",)
    assert why.runner_up == ("violin",)
    assert [s.row for s in why.supporting] == [1, 0]
    assert [s.distance for s in why.supporting] == pytest.approx([0.1, np.hypot(0.1, 0.2)])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_dense_labels_are_refused_in_a_sentence_within_seconds_and_a_gigabyte():
    code = (
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from mirdemo.stages.fewshot import FewShotError, LCPrototypes\n"
        "rng = np.random.default_rng(0)\n"
        "labels = np.array([rng.permutation(64) < 32 for _ in range(64)]).T.astype(np.uint8)\n"
        "try:\n"
        "    LCPrototypes().fit(rng.normal(size=(64, 768)), labels)\n"
        "except FewShotError as error:\n"
        "    print(error.sentence.code, '|', error)\n"
        # not ru_maxrss: a child begins with its parent's, and the parent has run many tests
        "print(next(line.split()[1] for line in Path('/proc/self/status').read_text().splitlines() if 'VmHWM' in line))\n"
        "import time\n"
        "print(time.process_time())\n"  # of the processor: others' work does not count
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    sentence, peak, seconds = done.stdout.strip().splitlines()
    assert sentence.startswith(
        "fewshot.too_many_sets | The tags of these clips combine in more than 20000 ways."
    )
    assert int(peak) * 1024 < 2**30
    assert float(seconds) < 10


def test_a_state_makes_the_same_tagger_again():
    rng = np.random.default_rng(5)
    support, labels, recordings = random_support(rng)
    method = LCPrototypes("euclidean").fit(support, labels, recordings, tags=list("abcde"))
    again = LCPrototypes.from_state(*method.state())
    queries = rng.normal(size=(20, 16))
    np.testing.assert_array_equal(again.predict(queries), method.predict(queries))
    np.testing.assert_allclose(again.scores(queries), method.scores(queries))
    assert again.tags == method.tags
    assert again.threshold == pytest.approx(method.threshold)


@pytest.mark.parametrize(
    ("embeddings", "labels", "code"),
    [
        (np.full((2, 2), np.nan), np.eye(2), "fewshot.embedding_not_finite"),
        (np.ones((2, 2)), np.zeros((2, 2)), "fewshot.no_tags"),
        (np.ones((2, 2)), np.ones((3, 2)), "scoring.counts_differ"),
        (np.ones((2, 2)), np.full((2, 2), 2), "scoring.not_binary"),
        (np.ones((2, 0)), np.eye(2), "fewshot.embedding_shape"),
    ],
)
def test_a_support_set_that_cannot_be_used_is_refused(embeddings, labels, code):
    with pytest.raises((FewShotError, LabellingError)) as refused:
        LCPrototypes().fit(embeddings, labels)
    assert refused.value.sentence.code == code


def test_queries_of_another_size_and_unfitted_use_are_refused():
    with pytest.raises(FewShotError) as refused:
        LCPrototypes().predict(np.ones((1, 2)))
    assert refused.value.sentence.code == "fewshot.not_fitted"
    with pytest.raises(FewShotError) as refused:
        LCPrototypes().fit(np.eye(2), np.eye(2)).predict(np.ones((1, 3)))
    assert refused.value.sentence.code == "fewshot.embedding_size"


@pytest.mark.parametrize("setting", [{"max_sets": 0}, {"false_unknown": 0.0}, {"false_unknown": 1.0}])
def test_settings_at_their_ends_are_refused_and_one_label_set_is_enough(setting):
    LCPrototypes(max_sets=1)
    with pytest.raises(FewShotError) as refused:
        LCPrototypes(**setting)
    assert refused.value.sentence.code == "fewshot.setting"


def test_recordings_are_asked_whole_and_no_more_at_once_than_fill_a_batch():
    from mirdemo.stages.fewshot.held_out import _batches

    groups = [np.arange(3 * at, 3 * at + 3) for at in range(9)]
    batches = list(_batches(groups, 10))
    assert [len(one) for one in batches] == [4, 4, 1]
    assert [row for one in batches for group in one for row in group] == list(range(27))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_the_nearest_are_the_same_however_many_queries_are_measured_at_once(distance, monkeypatch):
    """Room for no row of distances is room for one query: each is measured by itself then."""
    rng = np.random.default_rng(0)
    rows, queries = rng.normal(size=(9, 6)), rng.normal(size=(23, 6))
    made = nearest.NearestPrototype(rows, distance, float(np.linalg.norm(rows, axis=1).max()))
    index, _, other, apart = whole = made.nearest(queries, second=True)
    order = np.argsort(made.distances(queries), axis=1, kind="stable")
    np.testing.assert_array_equal(np.stack([index, other], 1), order[:, :2])
    assert np.isfinite(apart).all()
    for room in (1, 9, 35, 1 << 30):
        monkeypatch.setattr(nearest, "_CHUNK", room)
        for found, was in zip(made.nearest(queries, second=True), whole, strict=True):
            np.testing.assert_allclose(found, was, rtol=1e-12)
