"""Episodes: the published sampler with its quirk, the exact one, tag choice, F1 over episodes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from mirdemo.results.of_episodes import episode_results
from mirdemo.scoring.intervals import by_recording
from mirdemo.scoring.variances import PairedDifference, contrast
from mirdemo.stages.fewshot import (
    PUBLISHED_SEEDS,
    FewShotError,
    LCPrototypes,
    TagPrototypes,
    choose_tags,
    draw_support,
    evaluate_episodes,
)
from mirdemo.stages.fewshot.episodes import over_both, reference_support

tables = arrays(np.uint8, st.tuples(st.integers(3, 25), st.integers(1, 6)), elements=st.integers(0, 1))


@settings(max_examples=200, deadline=None)
@given(labels=tables, k=st.integers(1, 4), seed=st.integers(0, 999))
def test_the_exact_sampler_gives_every_tag_k_items_and_none_that_no_tag_needs(labels, k, seed):
    rows = draw_support(labels, k, np.random.default_rng(seed), "exact")
    assert len(set(rows.tolist())) == len(rows)
    counts, available = labels[rows].sum(axis=0), labels.sum(axis=0)
    assert (counts >= np.minimum(k, available)).all()
    for row in rows:
        without = counts - labels[row]
        assert (without < np.minimum(k, available)).any()


@settings(max_examples=200, deadline=None)
@given(labels=tables, k=st.integers(1, 4), seed=st.integers(0, 999))
def test_the_published_sampler_draws_no_item_that_carries_no_tag_and_none_twice(labels, k, seed):
    rows = draw_support(labels, k, np.random.default_rng(seed), "published")
    assert len(set(rows.tolist())) == len(rows)
    assert labels[rows].any(axis=1).all()
    single = labels.sum(axis=1) <= 1  # where items carry one tag each, nothing is counted twice
    if single.all():
        np.testing.assert_array_equal(labels[rows].sum(axis=0), np.minimum(k, labels.sum(axis=0)))


def test_the_published_sampler_leaves_some_tags_below_k_because_items_are_counted_twice():
    rng = np.random.default_rng(0)
    labels = (rng.random((40, 8)) < 0.4).astype(np.uint8)
    shots = np.array(
        [labels[draw_support(labels, 3, np.random.default_rng(s))].sum(axis=0) for s in range(200)]
    )
    assert (labels.sum(axis=0) >= 3).all()
    assert 1 <= shots.min() < 3
    exact = [
        labels[draw_support(labels, 3, np.random.default_rng(s), "exact")].sum(axis=0) for s in range(50)
    ]
    assert np.min(exact) == 3


def test_tags_are_chosen_as_published():
    base, novel = list("abcd"), list("wxyz")
    assert choose_tags(base, novel, 3, "base") == ("a", "b", "c")
    assert choose_tags(base, novel, 3, "novel") == ("w", "x", "y")
    assert choose_tags(base, novel, 3, "both") == ("a", "w", "x")
    assert choose_tags(base, novel, 6, "both") == ("a", "b", "c", "d", "w", "x")
    with pytest.raises(FewShotError) as refused:
        choose_tags(base, novel, 9, "both")
    assert refused.value.sentence.code == "fewshot.too_few_tags"
    with pytest.raises(FewShotError) as refused:
        choose_tags(base, [], 0, "novel")  # all that there are
    assert refused.value.sentence.code == "fewshot.no_tags_of_kind"


@pytest.mark.parametrize("protocol", ["lcprotonets2024", "papaioannou2025"])
def test_each_episode_is_that_seeds_support_set_and_scikit_learns_f1(festival, protocol):
    support, labels, _, tags = festival
    report = evaluate_episodes(support, labels, None, tags, k_shot=3, protocol=protocol)
    assert [e.seed for e in report.episodes] == list(PUBLISHED_SEEDS)
    used = labels.any(axis=1)
    for episode in report.episodes:
        drawn = (
            reference_support(labels[used], 3, episode.seed)
            if protocol == "lcprotonets2024"
            else draw_support(labels[used], 3, np.random.default_rng(episode.seed))
        )
        rows = np.flatnonzero(used)[drawn]
        np.testing.assert_array_equal(episode.support, rows)
        query = np.setdiff1d(np.flatnonzero(used), rows)
        said = LCPrototypes.published().fit(support[rows], labels[rows]).predict(support[query])
        assert episode.macro_f1 == pytest.approx(
            f1_score(labels[query], said, average="macro", zero_division=0)
        )
        assert episode.micro_f1 == pytest.approx(f1_score(labels[query], said, average="micro"))
        assert episode.n_query == len(query)
        assert episode.mean_predicted_tags == pytest.approx(said.sum(axis=1).mean())
        np.testing.assert_array_equal(episode.shots, labels[rows].sum(axis=0))
    values = [e.macro_f1 for e in report.episodes]
    assert report.macro_f1.value == pytest.approx(np.mean(values))
    assert report.macro_f1.low < np.mean(values) < report.macro_f1.high
    assert (report.macro_f1.n, report.macro_f1.unit) == (used.sum(), "recordings")


@pytest.mark.parametrize("protocol", ["lcprotonets2024", "live"])
def test_recordings_that_were_never_a_query_count_for_no_n_and_no_interval(festival, protocol):
    support, labels, recordings, tags = festival
    report = evaluate_episodes(support, labels, recordings, tags, protocol=protocol, seeds=(21,))
    (episode,) = report.episodes
    asked = np.setdiff1d(recordings[labels.any(axis=1)], recordings[episode.support])
    assert report.n_items == labels.any(axis=1).sum() > episode.n_query
    assert {f.n for f in (report.macro_f1, report.micro_f1, *report.tag_f1)} == {len(asked)}
    assert report.n_recordings == len(asked) < len(np.unique(recordings))

    # The same queries, with the support recordings' own rows taken out of the reckoning by hand.
    query = np.flatnonzero(np.isin(recordings, asked) & labels.any(axis=1))
    said = (
        LCPrototypes.published()
        .fit(support[episode.support], labels[episode.support])
        .predict(support[query])
    )
    hits, marks = 2 * (labels[query] * said).sum(axis=1), (labels[query] + said).sum(axis=1)
    moved = by_recording((hits - report.micro_f1.value * marks) / marks.sum(), recordings[query])
    expected = over_both(np.array([report.micro_f1.value]), moved[None])
    assert (report.micro_f1.low, report.micro_f1.high) == pytest.approx((expected.low, expected.high))


def test_a_recording_never_teaches_and_tests_at_once(festival):
    support, labels, recordings, tags = festival
    report = evaluate_episodes(support, labels, recordings, tags, protocol="live")
    for episode in report.episodes:
        taught = set(recordings[episode.support])
        left = [i for i in range(len(labels)) if labels[i].any() and recordings[i] not in taught]
        assert episode.n_query == len(left)


def test_held_out_in_turn_every_clip_is_asked_once_and_taught_by_no_clip_of_its_recording():
    asked: list[tuple[set[int], set[int]]] = []

    class Seen:
        name = "lc-prototypes"

        def fit(self, rows, labels, recordings, tags):
            self.taught = {int(row[0]) for row in rows}
            return self

        def predict(self, rows):
            asked.append((self.taught, {int(row[0]) for row in rows}))
            return np.ones((len(rows), 2), np.uint8)

    of = np.repeat([0, 1, 2], 4)  # three musicians, each with both tags
    table = np.tile([[1, 0], [0, 1]], (6, 1))
    rows = np.stack([np.arange(12.0), np.ones(12)], axis=1)
    report = evaluate_episodes(
        rows, table, of, ("a", "b"), make=Seen, protocol="live", k_shot=2, seeds=(0, 1), in_turn=True
    )
    assert len(asked) == 6
    for taught, queries in asked:
        assert {of[at] for at in taught}.isdisjoint({of[at] for at in queries})
        assert len(taught) == 4
    for seed in (0, 1):
        assert sorted(at for _, queries in asked[3 * seed : 3 * seed + 3] for at in queries) == list(
            range(12)
        )
    assert [e.n_query for e in report.episodes] == [12, 12]
    assert report.macro_f1.value == pytest.approx(2 / 3), (
        "half of what it says is right, all that is there is said"
    )
    assert report.macro_f1.n == 3
    assert report.episodes[0].supports == 3
    records = episode_results(report, model="Seen", corpus="musicians", layer="all", split="test")
    sizes = {record.setting["n_support"] for record in records if "n_support" in record.setting}
    assert sizes == {4.0}, "clips that teach at once, not those of all three turns"
    with pytest.raises(FewShotError) as refusal:
        evaluate_episodes(rows, table, np.zeros(12), ("a", "b"), protocol="live", in_turn=True)
    assert refusal.value.sentence.code == "fewshot.no_query"
    with pytest.raises(ValueError, match="in turn"):
        evaluate_episodes(rows, table, of, ("a", "b"), in_turn=True)


def test_a_tag_that_no_query_carries_counts_as_zero_only_in_the_published_protocol():
    rng = np.random.default_rng(1)
    labels = np.zeros((12, 2), np.uint8)
    labels[:, 0] = 1
    labels[0, 1] = 1  # its only carrier is always in the support set
    support = rng.normal(size=(12, 3))
    published = evaluate_episodes(support, labels, None, ["a", "b"], k_shot=2, seeds=[1, 2, 3])
    live = evaluate_episodes(support, labels, None, ["a", "b"], k_shot=2, seeds=[1, 2, 3], protocol="live")
    for one, other in zip(published.episodes, live.episodes, strict=True):
        assert np.isnan(one.tag_f1[1])
        assert one.macro_f1 == pytest.approx(one.tag_f1[0] / 2)
        assert other.macro_f1 == pytest.approx(other.tag_f1[0])
    assert published.tag_f1[1].value is None


def test_the_interval_of_one_episode_is_near_what_resampling_recordings_gives(festival):
    support, labels, recordings, tags = festival
    report = evaluate_episodes(support, labels, recordings, tags, seeds=[5])
    episode = report.episodes[0]
    query = [
        i
        for i in range(len(labels))
        if labels[i].any() and recordings[i] not in set(recordings[episode.support])
    ]
    said = (
        LCPrototypes.published()
        .fit(support[episode.support], labels[episode.support])
        .predict(support[query])
    )
    rng, drawn = np.random.default_rng(2), []
    names = np.unique(recordings[labels.any(axis=1)])
    for _ in range(800):
        weight = dict(zip(names, rng.multinomial(len(names), [1 / len(names)] * len(names)), strict=True))
        rows = [k for k, i in enumerate(query) for _ in range(weight[recordings[i]])]
        drawn.append(f1_score(labels[query][rows], said[rows], average="micro", zero_division=0))
    low, high = np.quantile(drawn, [0.05, 0.95])
    assert report.micro_f1.low == pytest.approx(low, abs=0.04)
    assert report.micro_f1.high == pytest.approx(high, abs=0.04)


def test_the_draw_of_the_support_sets_and_the_recordings_both_widen_the_interval(festival):
    support, labels, recordings, tags = festival
    noisy = support + np.random.default_rng(3).normal(size=support.shape)
    report = evaluate_episodes(noisy, labels, recordings, tags)
    values, influence = np.array([e.micro_f1 for e in report.episodes]), np.zeros((5, report.n_recordings))
    draws = over_both(values, influence)
    assert draws.high - draws.low == pytest.approx(2 * 2.1318 * values.std(ddof=1) / np.sqrt(5), rel=1e-3)
    whole = report.micro_f1
    assert whole.high - whole.low > draws.high - draws.low
    alone = over_both(np.array([0.5]), np.full((1, 4), 0.05) * [[1, -1, 1, -1]])
    assert alone.high - alone.low == pytest.approx(2 * 2.3534 * np.sqrt(4 * 0.05**2 * 4 / 3), rel=1e-3)
    assert over_both(values[:1], np.zeros((1, 2))).low is None


def test_reports_become_valid_records_that_carry_what_is_needed(festival):
    support, labels, recordings, tags = festival
    report = evaluate_episodes(support, labels, recordings, tags, make=TagPrototypes)
    records = episode_results(
        report, model="Spectral statistics", corpus="festival", layer="all", split="test"
    )
    whole = [r for r in records if r.seed is None and r.metric == "macro_f1"]
    assert len(whole) == 1
    assert whole[0].value == pytest.approx(report.macro_f1.value)
    assert (whole[0].low, whole[0].high, whole[0].level) == (
        report.macro_f1.low,
        report.macro_f1.high,
        report.macro_f1.level,
    )
    assert whole[0].setting["few_shot"] == "ML-PN"
    assert whole[0].setting["k_shot"] == 3
    assert {r.seed for r in records if r.metric == "micro_f1"} == {None, *PUBLISHED_SEEDS}
    assert {r.tag for r in records if r.metric == "f1"} == set(tags)
    assert all(r.source == "measured" and r.versions for r in records)


def test_unknown_tags_and_nothing_to_test_on_are_refused(festival):
    support, labels, recordings, tags = festival
    with pytest.raises(FewShotError) as refused:
        evaluate_episodes(support, labels, None, tags, base=["oud"])
    assert refused.value.sentence.code == "fewshot.unknown_tag"
    with pytest.raises(FewShotError) as refused:
        evaluate_episodes(support, labels, recordings, tags, k_shot=100)
    assert refused.value.sentence.code == "fewshot.no_query"


def as_the_published_code_draws(labels, k, seed):
    """The steps of the published sampler, written out with lists, for items that all have a tag."""
    random.seed(seed)
    of_item = [np.flatnonzero(row).tolist() for row in labels]
    order, carriers = [], {}
    for item, tags in enumerate(of_item):
        for tag in tags:
            if tag not in carriers:
                order.append(tag)
                carriers[tag] = []
            carriers[tag].append(item)
    selected = random.sample(order, len(order))
    counts = dict.fromkeys(selected, 0)
    support = set()
    for tag in selected:
        wanted = k - counts[tag]
        if wanted > 0:
            drawn = random.sample(tuple(set(carriers[tag]) & set(range(len(labels)))), wanted)
            support.update(drawn)
            for item in drawn:
                for other in of_item[item]:
                    counts[other] += 1
    return sorted(support)


@pytest.mark.parametrize("seed", [3, 21, 99])
@pytest.mark.parametrize("items", [40, 900])
def test_the_reference_support_set_is_the_one_that_the_published_code_draws(seed, items):
    labels = (np.random.default_rng(seed).random((items, 12)) < 0.3).astype(np.uint8)
    labels = labels[labels.any(axis=1)]
    assert reference_support(labels, 3, seed).tolist() == as_the_published_code_draws(labels, 3, seed)


def test_the_published_episodes_are_used_by_their_protocol_and_no_other():
    rng = np.random.default_rng(0)
    labels = (rng.random((60, 5)) < 0.4).astype(np.uint8)
    labels = labels[labels.any(axis=1)]
    rows = rng.normal(size=(len(labels), 8))
    by = {p: evaluate_episodes(rows, labels, protocol=p, seeds=(21,)) for p in ("lcprotonets2024", "live")}
    wanted = reference_support(labels, 3, 21).tolist()
    assert by["lcprotonets2024"].episodes[0].support.tolist() == wanted
    assert by["lcprotonets2024"].absent_tags == "zero"
    assert by["live"].sampler == "exact"


def test_a_tag_with_fewer_items_than_shots_gives_all_it_has():
    labels = np.array([[1, 0], [1, 0], [1, 1], [1, 0]], np.uint8)
    assert 2 in reference_support(labels, 3, 0)


def collection(rng: np.random.Generator, strengths: tuple[float, ...]) -> tuple[list, np.ndarray]:
    """Sixty recordings of ten tags, one each, heard by a backbone a strength: embeddings of each, labels."""
    tag = np.arange(60) % 10
    shared = rng.normal(size=(60, 16))
    centres = np.random.default_rng(7).normal(size=(10, 16))
    heard = [s * centres[tag] + 0.7 * shared + 0.9 * rng.normal(size=(60, 16)) for s in strengths]
    return heard, np.eye(10, dtype=np.uint8)[tag]


def test_influences_and_the_episodes_make_the_interval():
    (rows,), labels = collection(np.random.default_rng(0), (0.5,))
    report = evaluate_episodes(rows, labels, range(60), protocol="live")
    moved = report.influences["micro_f1"]
    assert len(moved) == report.n_recordings < 60
    of_recordings = moved @ moved * len(moved) / (len(moved) - 1)
    of_draws = np.var([e.micro_f1 for e in report.episodes], ddof=1) / len(report.episodes)
    apart = PairedDifference(
        1.0, report.micro_f1.known, moved, np.array([e.micro_f1 for e in report.episodes])
    )
    assert [v for v, _ in apart.variances()] == pytest.approx([moved @ moved, of_draws])
    half = (report.micro_f1.high - report.micro_f1.low) / 2
    assert 1.64 < half / (of_recordings + of_draws) ** 0.5 < 1.9
    assert report.micro_f1.known == pytest.approx(np.mean([e.micro_f1 for e in report.episodes]))


def test_a_paired_difference_of_two_backbones_holds_its_level():
    """The difference of two backbones on the same recordings and draws, as ``evidence.unheard`` makes it."""
    rng, found = np.random.default_rng(1), []
    for _ in range(80):
        heard, labels = collection(rng, (0.55, 0.3))
        one, other = (evaluate_episodes(rows, labels, range(60), protocol="live") for rows in heard)
        moved = one.influences["micro_f1"] - other.influences["micro_f1"]
        gaps = np.array([a.micro_f1 - b.micro_f1 for a, b in zip(one.episodes, other.episodes, strict=True)])
        found.append(contrast([PairedDifference(1.0, gaps.mean(), moved, gaps)]))
    true = np.mean([one.known for one in found])
    assert 0.05 < true < 0.3
    assert 0.8 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.99
