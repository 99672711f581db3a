"""One prototype a tag and the linear head: as published, calibrated, and held to slow references."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score

from mirdemo.stages.fewshot import METHODS, LinearHead, OneVsRest, TagPrototypes
from mirdemo.stages.fewshot.calibration import best_thresholds
from mirdemo.stages.fewshot.linear import PENALTIES


def test_ml_pn_gives_a_tag_where_the_cosine_to_its_mean_is_above_zero(festival):
    support, labels, _, tags = festival
    queries = np.random.default_rng(0).normal(size=(50, 24))
    got = TagPrototypes().fit(support, labels, tags=tags).predict(queries)
    for j in range(4):
        mean = support[labels[:, j] == 1].mean(axis=0)
        np.testing.assert_array_equal(got[:, j], queries @ mean > 0)


def test_ml_pn_with_euclidean_distance_rescales_each_query_as_published(festival):
    support, labels, _, _ = festival
    queries = support[:10]
    means = np.stack([support[labels[:, j] == 1].mean(axis=0) for j in range(4)])
    far = np.linalg.norm(queries[:, None] - means, axis=2)
    low, high = far.min(axis=1, keepdims=True), far.max(axis=1, keepdims=True)
    scaled = (far - low) / (high - low + 1e-5) * 2 - 1
    np.testing.assert_array_equal(
        TagPrototypes("euclidean").fit(support, labels).predict(queries), scaled < 0
    )


def test_the_published_rule_gives_nearly_every_tag_and_the_calibrated_one_does_not(festival):
    support, labels, recordings, _ = festival
    published = TagPrototypes().fit(support, labels, recordings).predict(support)
    calibrated = TagPrototypes(calibrated=True).fit(support, labels, recordings).predict(support)
    assert published.mean() > 0.9
    assert calibrated.mean() < 0.6
    assert f1_score(labels, calibrated, average="macro") > f1_score(labels, published, average="macro") + 0.2


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_calibration_scores_each_clip_without_its_recording(festival, distance):
    support, labels, recordings, _ = festival
    method = TagPrototypes(distance, calibrated=True).fit(support, labels, recordings)
    held = np.empty((len(support), 4))
    for i in range(len(support)):
        rest = recordings != recordings[i]
        other = TagPrototypes(distance, calibrated=True).fit(support[rest], labels[rest], recordings[rest])
        held[i] = other.nearness(support[i])[0]
    np.testing.assert_allclose(method.thresholds, best_thresholds(held, labels), atol=1e-9)


def test_one_vs_rest_keeps_at_most_k_clips_a_tag(festival):
    support, labels, _, _ = festival
    method = OneVsRest(k_shot=3, seed=1).fit(support, labels)
    every = OneVsRest(k_shot=None).fit(support, labels)
    np.testing.assert_allclose(every.prototypes, TagPrototypes().fit(support, labels).prototypes)
    for j in range(4):
        carriers = support[labels[:, j] == 1].astype(np.float64)
        assert len(carriers) > 3
        three = [
            (a, b, c)
            for a in range(len(carriers))
            for b in range(a)
            for c in range(b)
            if np.allclose(carriers[[a, b, c]].mean(axis=0), method.prototypes[j], atol=1e-6)
        ]
        assert len(three) == 1


def test_a_tag_without_clips_is_never_given():
    labels = np.array([[1, 0], [1, 0], [0, 0]])
    support = np.eye(3) + 1
    for method in (TagPrototypes(), TagPrototypes(calibrated=True), TagPrototypes("euclidean"), OneVsRest()):
        method.fit(support, labels)
        assert not method.predict(support)[:, 1].any()
        assert np.isfinite(method.scores(support)).all()


def test_best_thresholds_find_the_best_f1_of_any_threshold():
    rng = np.random.default_rng(3)
    scores, labels = rng.normal(size=(30, 6)).round(1), rng.integers(0, 2, (30, 6))
    for j, threshold in enumerate(best_thresholds(scores, labels)):
        best = max(f1_score(labels[:, j], scores[:, j] >= t) for t in scores[:, j])
        assert f1_score(labels[:, j], scores[:, j] > threshold) == pytest.approx(best)


def test_a_tag_of_one_recording_only_is_given_above_all_clips_without_it():
    scores = np.array([[-np.inf], [0.2], [0.7]])
    assert best_thresholds(scores, np.array([[1], [0], [0]]))[0] == 0.7


def test_the_linear_head_leaves_recordings_out_exactly(festival):
    support, labels, recordings, _ = festival
    head = LinearHead().fit(support, labels, recordings)
    standard = (support - head.mean) / head.deviation
    design = np.hstack([standard, np.full((len(standard), 1), np.sqrt(24))])
    size = (design**2).sum() / len(design)
    errors, held = [], []
    for penalty in PENALTIES:
        predicted = np.empty(labels.shape)
        for recording in np.unique(recordings):
            mine = recordings == recording
            model = Ridge(alpha=penalty * size, fit_intercept=False).fit(design[~mine], labels[~mine])
            predicted[mine] = model.predict(design[mine])
        held.append(predicted)
        errors.append(((predicted - labels) ** 2).mean())
    best = int(np.argmin(errors))
    assert head.penalty == PENALTIES[best]
    np.testing.assert_allclose(head.thresholds, best_thresholds(held[best], labels), atol=1e-6)
    whole = Ridge(alpha=head.penalty * size, fit_intercept=False).fit(design, labels)
    np.testing.assert_allclose(head.weights, whole.coef_.T, atol=1e-6)


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_survives_its_state_and_scores_as_it_predicts(festival, name, calibrated):
    support, labels, recordings, tags = festival
    make = METHODS[name]
    method = make(calibrated=calibrated) if name in ("ml-pn", "ovr") else make()
    method.fit(support, labels, recordings, tags)
    again = make.from_state(*method.state())
    queries = np.random.default_rng(1).normal(size=(40, 24)) + 1
    np.testing.assert_array_equal(again.predict(queries), method.predict(queries))
    np.testing.assert_allclose(again.scores(queries), method.scores(queries), atol=1e-9)
    assert again.tags == tags
    scores, given = method.scores(queries), method.predict(queries)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert (scores[given == 1] >= 0.5).all()
    assert (scores[given == 0] <= 0.5).all()
