"""The published probe: an MLP on windows, five seeds, scores averaged by recording."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from probing_clips import made_up

from mirdemo.base.progress import silent
from mirdemo.scoring.metrics import roc_auc
from mirdemo.stages.probing import MlpSettings, ProbeError, compare, probe

QUICK = MlpSettings(hidden=32, epochs=25)


def published(layers, labels, recordings, **options):
    options = {"permutations": 0, "settings": QUICK, "seeds": (0, 1), **options}
    return probe(layers, labels, recordings, protocol="papaioannou2025", **options)


@pytest.fixture(scope="module")
def many():
    return made_up(n_recordings=60, heard=(0.0, 2.0), n_tags=2, seed=1)


@pytest.fixture(scope="module")
def report(many):
    return published(*many, permutations=49)


def test_it_reports_test_recordings_not_seen_in_training(report):
    sides = report.settings["recordings"]
    assert sum(sides.values()) == 60
    assert len(report.recordings) == len(report.labels) == sides["test"] == report.macro.figures.roc_auc.n
    assert report.scores.shape == (sides["test"], 2)
    assert report.macro.figures.roc_auc.value > 0.85
    assert report.macro.p_value <= 0.04
    assert report.layer_names == ("mean",)
    assert report.device
    assert "torch" in report.versions
    json.dumps(report.as_dict(), allow_nan=False)


def test_by_default_five_seeds_and_marbles_settings(many):
    found = probe(*many, protocol="papaioannou2025", permutations=0)
    assert found.seeds == (0, 1, 2, 3, 4)
    assert found.seed_deviation["roc_auc"] >= 0
    expected = {"hidden": 512, "dropout": 0.2, "rate": 1e-3, "batch": 64, "epochs": 100, "stop_patience": 10}
    assert expected.items() <= found.settings.items()


def test_a_seed_ends_the_same_whichever_are_trained_beside_it(many, report):
    alone = published(*many, seeds=(1,))
    assert alone.settings["epochs_trained"] == report.settings["epochs_trained"][1:]
    assert alone.settings["validation_roc_auc"][0] == pytest.approx(report.settings["validation_roc_auc"][1])
    first = published(*many, seeds=(0,))
    np.testing.assert_allclose((alone.scores + first.scores) / 2, report.scores, atol=1e-4)
    assert alone.by_seed == {}
    assert report.by_seed[1].roc_auc.value == pytest.approx(alone.macro.figures.roc_auc.value)
    assert report.by_seed[1].roc_auc.low == pytest.approx(alone.macro.figures.roc_auc.low)


def test_each_seeds_figures_stand_beside_their_mean(report):
    assert tuple(report.by_seed) == report.seeds
    for name in ("roc_auc", "average_precision", "f1", "micro_f1"):
        single = [getattr(figures, name) for figures in report.by_seed.values()]
        mean = getattr(report.macro.figures, name)
        assert np.mean([one.value for one in single]) == pytest.approx(mean.value)
        assert {one.n for one in single} == {mean.n}
    assert set(report.as_dict()["by_seed"]) == {"0", "1"}


def test_figures_are_the_mean_over_seeds_not_those_of_the_mean_score(many, report):
    alone = [published(*many, seeds=(seed,)) for seed in (0, 1)]
    values = [one.macro.figures.roc_auc.value for one in alone]
    assert report.macro.figures.roc_auc.value == pytest.approx(np.mean(values), abs=1e-6)
    assert report.seed_deviation["roc_auc"] == pytest.approx(np.std(values, ddof=1), abs=1e-6)


def test_training_stops_when_validation_no_longer_gains(many):
    patient = published(*many, settings=MlpSettings(hidden=32, epochs=100, stop_patience=2))
    assert max(patient.settings["epochs_trained"]) < 100
    assert published(*many, settings=MlpSettings(hidden=32, epochs=3)).settings["epochs_trained"] == [3, 3]


def test_a_seed_that_has_stopped_costs_the_others_nothing(many, report):
    """Two seeds that end at different times have at the end what each has alone."""
    from mirdemo.stages.published import mlp

    rows = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    chosen = MlpSettings(hidden=4, batch=8, epochs=9, stop_patience=2)

    def ended(*seeds: int) -> list[tuple[int, torch.Tensor]]:
        """Seed 0 is at its best in its first epoch, seed 1 in its fifth."""
        asked: dict[mlp.Mlp, int] = {}

        def figures(mlps):
            for one in mlps:
                asked[one] = asked.get(one, 0) + 1
            return [
                1 / asked[one] if seeds[list(asked).index(one)] == 0 else -abs(asked[one] - 5) for one in mlps
            ]

        mlps, courses = mlp.train(
            rows, (rows[:, :1] > 0).float(), seeds, chosen, chosen.rate, chosen.batch, figures, silent
        )
        return [
            (course.epochs, one.hidden_weight.detach()) for one, course in zip(mlps, courses, strict=True)
        ]

    both, alone = ended(0, 1), [*ended(0), *ended(1)]
    assert [epochs for epochs, _ in both] == [epochs for epochs, _ in alone] == [3, 7]
    for (_, found), (_, expected) in zip(both, alone, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_the_test_side_has_no_say_in_training(many, report):
    layers, labels, recordings = many
    tested = np.isin(recordings, report.recordings)[:, None]
    moved = published({name: rows + 100 * tested for name, rows in layers.items()}, labels, recordings)
    for name in ("epochs_trained", "validation_roc_auc"):
        assert moved.settings[name] == report.settings[name]


def test_the_mlp_learns_what_no_line_can_part():
    rng = np.random.default_rng(0)
    rows = rng.choice([-1.0, 1.0], (400, 2)) + 0.1 * rng.normal(size=(400, 2))
    labels = (rows.prod(1) > 0).astype(int)[:, None]
    found = published({"x": rows}, labels, np.arange(400), settings=MlpSettings(hidden=64, rate=1e-2))
    linear = probe({"x": rows}, labels, np.arange(400), permutations=0)
    assert found.macro.figures.roc_auc.value > 0.95
    assert linear.macro.figures.roc_auc.value < 0.7


def test_learned_layer_weights_turn_to_the_layer_that_hears(many):
    settings = MlpSettings(hidden=32, rate=1e-2, layer_weights="learned", epochs=30)
    found = published(*many, settings=settings)
    shares = found.settings["layer_shares"]
    assert shares["1"] > shares["0"]
    assert sum(shares.values()) == pytest.approx(1)
    assert found.layer_names == ("learned",)


def test_windows_are_trained_and_their_scores_averaged_by_recording(many):
    layers, labels, recordings = many
    rng = np.random.default_rng(0)
    windows = [
        {
            name: rows[i] + rng.normal(size=(3 if i % 2 else 1, rows.shape[1])).astype(np.float32)
            for name, rows in layers.items()
        }
        for i in range(len(labels))
    ]

    class Embeddings(SimpleNamespace):
        def __len__(self):
            return len(windows)

    embeddings = Embeddings(
        layers={name: np.stack([w[name].mean(0) for w in windows]) for name in layers},
        windows=windows.__getitem__,
    )
    found = published(embeddings, labels, recordings)
    assert len(found.scores) == found.settings["recordings"]["test"]
    flat = {name: np.concatenate([w[name] for w in windows]) for name in layers}
    times = [len(w["0"]) for w in windows]
    same = published(
        flat,
        labels.repeat(times, axis=0),
        recordings.repeat(times),
        split={
            side: np.unique(names) for side, names in sides_of(found, embeddings, labels, recordings).items()
        },
    )
    np.testing.assert_allclose(same.scores, found.scores, atol=1e-5)


def sides_of(found, embeddings, labels, recordings):
    """Names of the recordings on each side of the split that is drawn where none is given."""
    from mirdemo.scoring.folds import recording_folds

    parts = [test for _, test in recording_folds(np.unique(recordings, return_inverse=True)[1], labels, 5, 0)]
    assert set(recordings[parts[0]]) == set(found.recordings)
    return {
        "test": recordings[parts[0]],
        "valid": recordings[parts[1]],
        "train": recordings[np.concatenate(parts[2:])],
    }


def test_an_official_split_is_obeyed_by_recording_or_by_index(many):
    layers, labels, recordings = many
    names = np.unique(recordings)
    split = {"train": names[:35], "valid": names[35:45], "test": [*names[45:], "one whose audio is missing"]}
    by_name = published(layers, labels, recordings, split=split)
    index = {side: np.flatnonzero(np.isin(recordings, held)) for side, held in split.items()}
    by_index = published(layers, labels, recordings, split=index)
    assert set(by_name.recordings) == set(names[45:])
    np.testing.assert_array_equal(by_name.scores, by_index.scores)
    expected = np.array([labels[recordings == name].max(0) for name in by_name.recordings])
    np.testing.assert_array_equal(by_name.labels, expected)


def test_two_backbones_are_paired_on_the_test_side(many, report):
    layers, labels, recordings = many
    deaf = published({"0": layers["0"]}, labels, recordings)
    gap = compare(report, deaf).macro.roc_auc
    assert gap.low > 0
    assert gap.n == len(report.recordings)
    assert np.isfinite(roc_auc(report.labels.T, deaf.scores.T)).all()


def test_other_seeds_or_other_test_recordings_are_not_paired(report):
    renamed = np.array([f"other {name}" for name in report.recordings])
    for other in (replace(report, seeds=(0, 2)), replace(report, recordings=renamed)):
        with pytest.raises(ProbeError) as refused:
            compare(report, other)
        assert refused.value.sentence.code == "probing.not_paired"


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("probing.split_names", {"split": {"train": [0], "test": [1]}}),
        ("probing.side_empty", {"split": {"train": [0], "valid": [], "test": [2]}}),
        ("probing.split_shared", {"split": {"train": [0], "valid": [1], "test": [2]}}),
        ("probing.split_shared", {"split": {"train": [0], "valid": [2], "test": [1]}}),
        ("probing.split_shared", {"split": {"train": [2], "valid": [0], "test": [1]}}),
        ("probing.split_index", {"split": {"train": [0], "valid": [2], "test": [400]}}),
        ("probing.validation_one_sided", {"split": {"train": [0, 1], "valid": [2, 3], "test": [4, 5]}}),
    ],
)
def test_a_split_or_setting_that_cannot_be_is_refused(many, code, options):
    with pytest.raises(ProbeError) as refused:
        published(*many, **options)
    assert refused.value.sentence.code == code


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("probing.layer_weights", {"layer_weights": "best"}),
        ("probing.mlp_settings", {"epochs": 0}),
        ("probing.mlp_settings", {"hidden": 0}),
        ("probing.mlp_settings", {"stop_patience": 0}),
        ("probing.mlp_settings", {"dropout": 1.0}),
        ("probing.mlp_settings", {"plateau_factor": 0.0}),
        ("probing.mlp_settings", {"batch": 0}),
        ("probing.mlp_settings", {"rate": -1e-3}),
    ],
)
def test_settings_that_no_training_can_have_are_refused(code, given):
    with pytest.raises(ProbeError) as refused:
        MlpSettings(**given)
    assert refused.value.sentence.code == code


def test_groups_are_kept_whole_where_the_split_is_drawn(many):
    layers, labels, recordings = many
    pairs = np.array(
        [
            str(int(name) // 2) if str(name).isdigit() else name
            for name in map(str, np.unique(recordings, return_inverse=True)[1])
        ]
    )
    found = published(layers, labels, recordings, groups=pairs)
    tested = np.isin(recordings, found.recordings)
    assert set(pairs[tested]).isdisjoint(pairs[~tested])


def test_layers_of_unlike_size_have_no_mean_so_the_last_one_is_taken(many):
    layers, labels, recordings = many
    uneven = {"0": layers["0"], "1": layers["1"][:, :5]}
    found = published(uneven, labels, recordings)
    assert found.layer_names == ("1",)
    last = published({"1": uneven["1"]}, labels, recordings)
    np.testing.assert_array_equal(found.scores, last.scores)


def test_too_few_recordings_are_refused(many):
    layers, _, _ = many
    with pytest.raises(ProbeError) as refused:
        published({"0": layers["0"][:4]}, np.array([[1], [1], [0], [0]]), ["a", "a", "b", "b"])
    assert refused.value.sentence.code == "probing.too_few_to_split"
