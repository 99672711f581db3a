"""Stage 2 from clips to a verdict."""

from __future__ import annotations

import json
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from finetuning.conftest import tone, tones

from mirdemo import fine_tune
from mirdemo.backbones import BackboneError, load_backbone
from mirdemo.base.sentences import Cancelled
from mirdemo.clips import LabelledClips
from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.scoring.intervals import difference
from mirdemo.scoring.labelling import LabellingError
from mirdemo.stages.finetuning import (
    NOT_WORTH_IT,
    WORTH_IT,
    FineTuneError,
    FineTuneSettings,
    procedure,
    training,
)
from mirdemo.stages.probing import compare, probe

QUICK = FineTuneSettings(epochs=2, batch=6, n_folds=3)


@pytest.fixture(scope="module")
def probed(labelled, loaded):
    embeddings = embed(labelled.clips, loaded("mert-95m"))
    return probe(
        embeddings,
        labelled.labels,
        labelled.recordings,
        tags=labelled.tags,
        n_folds=3,
        permutations=0,
        seeds=[0],  # one draw of the folds, as fine-tuning has
    )


@pytest.fixture(scope="module")
def seen():
    return {"progress": [], "epochs": []}


@pytest.fixture(scope="module")
def report(labelled, loaded, probed, seen):
    return fine_tune(
        labelled,
        loaded("mert-95m"),
        settings=QUICK,
        probe_report=probed,
        embedding_seconds=2.0,
        progress=lambda *state: seen["progress"].append(state),
        on_epoch=seen["epochs"].append,
    )


def test_folds_are_those_of_the_probe(labelled, mert, probed, report, monkeypatch) -> None:
    np.testing.assert_array_equal(report.folds, probed.folds[:1])
    assert report.n_folds == 3
    assert sorted(set(report.folds[0].tolist())) == [0, 1, 2]
    monkeypatch.setattr(procedure.Job, "run", lambda self, *rest: self.fold_of)
    drawn = fine_tune(labelled, mert, settings=QUICK)  # without the probe's report
    np.testing.assert_array_equal(drawn, probed.folds[0])
    other = fine_tune(labelled, mert, settings=replace(QUICK, seed=5))
    again = probe(
        embed(labelled.clips, mert),
        labelled.labels,
        labelled.recordings,
        tags=labelled.tags,
        n_folds=3,
        seeds=[5],
        permutations=0,
    )
    np.testing.assert_array_equal(other, again.folds[0])
    assert (other != drawn).any()


def test_gains_are_the_paired_differences_from_the_probe(report, probed) -> None:
    """The figures are those of ``compare``, the width that of two trainings of one backbone."""
    expected = compare(report, probed)
    for name in ("roc_auc", "average_precision", "f1"):
        one, other = (side.estimates[name].row(0) for side in (report, probed))
        assert getattr(report.macro.gain, name) == difference(one.macro(), other.macro(), report.level).at()
        assert getattr(report.macro.gain, name).value == getattr(expected.macro, name).value
        for k, tag in enumerate(report.tags):
            assert getattr(tag.gain, name) == difference(one, other, report.level).at(k)
            assert getattr(tag.gain, name).value == getattr(expected.tags[tag.tag], name).value
    assert report.macro.gain.micro_f1.value == expected.macro.micro_f1.value
    assert report.macro.probed == probed.macro.figures
    for one in report.tags:
        assert one.probed == probed.tag(one.tag).figures
    assert report.macro.gain.roc_auc.n == report.n_recordings == 12


def test_the_head_alone_is_the_probe_of_the_untrained_last_layer(report, probed) -> None:
    layer = probed.layer_names[-1] if probed.layer_names[-1] != "mean" else probed.layer_names[-2]
    for mine, theirs in zip((report.macro, *report.tags), (probed.macro, *probed.tags), strict=True):
        of_layer = theirs.by_layer[layer].roc_auc.value
        assert mine.untrained.roc_auc.value == pytest.approx(
            of_layer, abs=0.03
        )  # few pairs: one turned counts
        added = mine.figures.roc_auc.value - mine.untrained.roc_auc.value
        assert mine.added.roc_auc.value == pytest.approx(added)


def test_a_tail_that_stands_still_adds_exactly_nothing(labelled, mert, probed) -> None:
    """Law: figures are of the tail, not of how far its head got."""
    still = replace(QUICK, epochs=1, tail_rate=1e-30, weight_decay=0.0)
    report = fine_tune(labelled, mert, settings=still, probe_report=probed)
    np.testing.assert_allclose(report.scores, report.untrained_scores, atol=1e-6)
    for one in (report.macro, *report.tags):
        assert one.added.roc_auc.value == 0
        assert one.added.roc_auc.low <= 0 <= one.added.roc_auc.high
        assert one.verdict != WORTH_IT


def test_of_several_probes_the_best_is_the_one_to_beat(labelled, mert, probed) -> None:
    def worth(auc):
        figures = replace(probed.macro.figures, roc_auc=replace(probed.macro.figures.roc_auc, value=auc))
        return replace(probed, macro=replace(probed.macro, figures=figures))

    plain, whitened = worth(0.6), replace(worth(0.7), whitening="world", seeds=(0, 1))
    short = replace(QUICK, epochs=1)
    for probes in ((plain, whitened), (whitened, plain)):
        report = fine_tune(labelled, mert, settings=short, probe_report=probes)
        assert report.probe_whitening == "world"
    assert fine_tune(labelled, mert, settings=short, probe_report=plain).probe_whitening is None


def test_a_clip_is_scored_by_models_that_have_not_heard_its_recording(labelled, mert, probed, monkeypatch):
    heard = []
    train = training.train

    def watched(source, tail, labels, learn, held_out, *rest, **more):
        clips = source.windows.clip_of[learn if held_out is None else np.r_[learn, held_out]]
        heard.append({labelled.recordings[i] for i in clips})
        if held_out is not None:
            held = {labelled.recordings[i] for i in source.windows.clip_of[held_out]}
            assert held
            assert not held & {labelled.recordings[i] for i in source.windows.clip_of[learn]}
        return train(source, tail, labels, learn, held_out, *rest, **more)

    monkeypatch.setattr(training, "train", watched)
    report = fine_tune(labelled, mert, settings=replace(QUICK, epochs=1), probe_report=probed)
    for fold in range(3):
        tested = {labelled.recordings[i] for i in np.flatnonzero(report.folds[0] == fold)}
        assert heard[2 * fold] == heard[2 * fold + 1] == set(labelled.recordings) - tested
    assert heard[6] == set(labelled.recordings)  # what is taken home


def test_folds_that_differ_in_base_rate_do_not_order_clips(mert) -> None:
    same = tone(500, 0.3, 0)
    labels = np.array([[1], [1], [1], [0], [0], [0], [0]])
    idle = replace(QUICK, epochs=1, tail_rate=1e-9, head_rate=1e-9)
    report = fine_tune([same] * 7, mert, labels, [f"recording {i}" for i in range(7)], ["x"], settings=idle)
    rates = [labels[report.folds[0] != fold].mean() for fold in range(3)]
    assert np.ptp(rates) > 0.05  # of the training sides
    assert np.ptp(report.scores) < 1e-4


def test_the_report_says_what_was_done(report, labelled) -> None:
    assert (report.n_clips, report.n_recordings, report.n_windows) == (12, 12, 12)
    assert report.n_blocks == 2
    assert len(report.epochs) == 3
    assert report.final_epochs == int(np.median(report.epochs))
    assert {"prefix", "folds", "final"} <= set(report.seconds)
    parts = ("prefix", "start", "folds", "final")
    assert report.from_nothing["fine_tuned"] == pytest.approx(sum(report.seconds[part] for part in parts))
    assert report.from_nothing["probed"] > 2.0
    assert report.tag_names == labelled.tags
    assert report.scores.shape == report.probed_scores.shape == (12, 2)
    assert ((report.scores >= 0) & (report.scores <= 1)).all()
    assert report.cache["place"] == "memory"
    text = json.dumps(report.as_dict(), allow_nan=False)
    assert json.loads(text)["verdict"] == report.verdict


def test_progress_has_phases_and_an_end_in_sight(report, seen) -> None:
    phases = list(dict.fromkeys(phase for _, _, phase in seen["progress"]))
    assert phases == ["prefix", "training"]
    for phase in phases:
        states = [(done, total) for done, total, name in seen["progress"] if name == phase]
        assert states == sorted(states)
        assert states[-1][0] == states[-1][1]


def test_each_training_has_its_part_of_the_progress_by_the_windows_it_learns_from() -> None:
    """Without what is held out, then on the whole side, of every fold; then on everything."""
    windows = SimpleNamespace(clip_of=np.array([0, 0, 1, 2, 2, 2, 2, 3]))
    job = SimpleNamespace(fold_of=np.array([0, 1, 2, 1]), n_folds=3, settings=FineTuneSettings(held_out=0.25))
    runs = [(fold, again) for fold in range(3) for again in (False, True)] + [(3, False)]
    planned = [procedure.Job._planned(job, SimpleNamespace(windows=windows), *run) for run in runs]
    assert [mine for _, mine, _ in planned] == [4.5, 6, 4.5, 6, 3, 4, 8]
    assert [before for before, _, _ in planned] == [0, 4.5, 10.5, 15, 21, 24, 28]
    assert {everything for _, _, everything in planned} == {36}


def test_every_epoch_is_told_with_its_loss_and_held_out_figures(report, seen) -> None:
    assert tuple(seen["epochs"]) == report.curve
    assert [epoch.run for epoch in report.curve] == sorted(epoch.run for epoch in report.curve)
    assert {epoch.runs for epoch in report.curve} == {4}
    for epoch in report.curve:
        assert epoch.loss > 0
        assert (epoch.held_out_auc is None) == (epoch.run == 3 or epoch.again)
        assert epoch.held_out_auc is None or 0 <= epoch.held_out_auc <= 1


def test_every_round_is_trained_once_more_on_its_whole_side_for_its_best_epoch(report) -> None:
    for run in range(3):
        again = [epoch.epoch for epoch in report.curve if epoch.run == run and epoch.again]
        assert again == list(range(1, report.epochs[run] + 1))
    assert not any(epoch.again for epoch in report.curve if epoch.run == 3)


def test_the_same_settings_give_the_same_report(labelled, mert, probed, report) -> None:
    again = fine_tune(labelled, mert, settings=QUICK, probe_report=probed)
    np.testing.assert_array_equal(again.scores, report.scores)
    assert [epoch.loss for epoch in again.curve] == [epoch.loss for epoch in report.curve]


def test_without_a_probe_it_probes_first_and_uses_the_store(labelled, mert, probed, tmp_path) -> None:
    store, phases = EmbeddingStore(tmp_path), []
    report = fine_tune(
        labelled,
        mert,
        settings=replace(QUICK, epochs=1),
        store=store,
        progress=lambda done, total, phase: phases.append(phase),
    )
    assert list(dict.fromkeys(phases)) == ["embedding", "probing", "prefix", "training"]
    np.testing.assert_allclose(report.probed_scores, probed.scores, atol=1e-4)
    assert store.get(mert.identity, labelled.clips[0].sha256) is not None
    assert report.from_nothing["probed"] >= report.seconds["embedding"]


def test_costs_are_those_from_nothing_though_the_embeddings_were_there(labelled, mert, tmp_path) -> None:
    store, short = EmbeddingStore(tmp_path), replace(QUICK, epochs=1)
    first = fine_tune(labelled, mert, settings=short, store=store)
    second = fine_tune(labelled, mert, settings=short, store=store)
    assert second.seconds["embedding"] < 0.5 * first.seconds["embedding"]  # read, not computed
    through = second.seconds["prefix"] + second.seconds["start"]
    assert second.from_nothing["probed"] >= through > second.seconds["embedding"]
    assert second.from_nothing["fine_tuned"] >= through + second.seconds["folds"]


def test_fine_tuning_that_ruins_the_backbone_is_called_not_worth_it(mert) -> None:
    """The probe hears the tone at once; a rate far too high leaves the tail deaf."""
    both = tones(40, seconds=0.1)
    high = [["high"] * ("high" in both.tags_of(row)) for row in range(len(both))]
    clips = LabelledClips.from_clips(both.clips, high, both.recordings)
    ruinous = FineTuneSettings(epochs=2, batch=4, n_folds=5, tail_rate=100.0, warm_up=0.0)
    report = fine_tune(clips, mert, settings=ruinous)
    assert report.macro.probed.roc_auc.value > 0.8
    assert report.macro.gain.roc_auc.high < 0
    assert report.verdict == NOT_WORTH_IT
    assert report.tag("high").verdict == NOT_WORTH_IT
    assert "not worth it" in str(report.sentence)


@pytest.mark.parametrize("phase", ["prefix", "training"])
def test_stopping_frees_everything(labelled, mert, probed, own_home, monkeypatch, phase) -> None:
    kept = []
    build, new_head = procedure.PrefixCache.build, training.new_head

    def building(*args, **more):
        kept.append(weakref.ref(args[2].tail))
        cache = build(*args, **more)
        kept.extend([weakref.ref(cache), *map(weakref.ref, cache._stores.values())])
        return cache

    def heading(*args):
        head = new_head(*args)
        kept.append(weakref.ref(head))
        return head

    monkeypatch.setattr(procedure.PrefixCache, "build", building)
    monkeypatch.setattr(training, "new_head", heading)

    def progress(done, total, name):
        if name == phase and done > total // 3:
            raise Cancelled

    before = mert.trunk
    with pytest.raises(Cancelled) as stopped:
        fine_tune(
            labelled,
            mert,
            settings=replace(QUICK, memory_bytes=0),
            probe_report=probed,
            progress=progress,
        )
    assert stopped.value is not None  # still held, with its traceback
    assert len(kept) >= (1 if phase == "prefix" else 4)
    assert [reference for reference in kept if reference() is not None] == []
    assert not list((own_home / "fine-tuning").iterdir())
    assert mert.trunk is before


def test_too_few_recordings_to_hold_any_out_run_every_epoch(mert) -> None:
    report = fine_tune(tones(4), mert, settings=replace(QUICK, n_folds=2))
    assert [sentence.code for sentence in report.warnings] == ["finetuning.none_held_out"]
    assert report.epochs == (2, 2)
    assert {epoch.held_out_loss for epoch in report.curve} == {None}


def test_a_tag_on_every_clip_is_left_out_with_a_warning(mert) -> None:
    clips = tones(6)
    labels = np.concatenate([clips.labels, np.ones((6, 1), np.uint8)], 1)
    report = fine_tune(
        clips.clips,
        mert,
        labels,
        clips.recordings,
        [*clips.tags, "always"],
        settings=replace(QUICK, epochs=1),
    )
    assert [sentence.code for sentence in report.warnings] == ["finetuning.one_sided"]
    assert np.isnan(report.scores[:, 2]).all()
    assert report.tag("always").figures.roc_auc.value is None
    assert "always" not in report.head.tags
    json.dumps(report.as_dict(), allow_nan=False)


def test_clips_longer_and_shorter_than_a_window_train_together(mert) -> None:
    clips = [tone(300 + 900 * (i % 2), 5.5 if i == 0 else 0.1 + 0.05 * i, i) for i in range(6)]
    labelled = LabelledClips.from_clips(clips, [["high"] * (i % 2) for i in range(6)])
    report = fine_tune(labelled, mert, settings=replace(QUICK, epochs=1, n_folds=2))
    assert (report.n_clips, report.n_windows) == (6, 7)
    assert np.isfinite(report.scores).all()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("scoring.no_tags", {"labels": np.zeros((12, 0))}),
        ("scoring.not_binary", {"labels": np.full((12, 2), 2)}),
        ("scoring.counts_differ", {"recordings": ["a", "b"]}),
        ("scoring.tags_differ", {"tags": ["one"]}),
        ("finetuning.differ", {"labels": np.eye(11, 2), "recordings": [str(i) for i in range(11)]}),
        ("finetuning.one_recording", {"recordings": ["a"] * 12}),
        ("finetuning.one_recording", {"groups": ["evening"] * 12}),
        ("finetuning.nothing_to_learn", {"labels": np.ones((12, 2))}),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_a_sentence(labelled, mert, code, change) -> None:
    given = {"labels": labelled.labels, "recordings": labelled.recordings, "tags": labelled.tags} | change
    with pytest.raises((FineTuneError, LabellingError)) as error:
        fine_tune(labelled.clips, mert, **given, settings=QUICK)
    assert error.value.sentence.code == code


@pytest.mark.parametrize("beside", ["labels", "recordings", "tags", "groups"])
def test_labelled_clips_with_labels_beside_them_are_refused_in_a_sentence(labelled, mert, beside) -> None:
    with pytest.raises(FineTuneError) as error:
        fine_tune(labelled, mert, **{beside: getattr(labelled, beside)}, settings=QUICK)
    assert error.value.sentence.code == "finetuning.labelled"


def test_sessions_are_never_parted_and_are_what_intervals_count(labelled, mert) -> None:
    evenings = tuple(f"evening {i // 3}" for i in range(len(labelled)))
    report = fine_tune(replace(labelled, sessions=evenings), mert, settings=replace(QUICK, epochs=1))
    for evening in set(evenings):
        assert len({int(f) for f, e in zip(report.folds[0], evenings, strict=True) if e == evening}) == 1
    added = report.macro.added.roc_auc
    assert (added.n, added.unit) == (len(set(evenings)), "sessions")
    assert report.n_recordings == len(labelled)
    beside = fine_tune(
        labelled.clips,
        mert,
        labelled.labels,
        labelled.recordings,
        labelled.tags,
        groups=evenings,
        settings=replace(QUICK, epochs=1),
    )
    np.testing.assert_array_equal(report.scores, beside.scores)


def test_a_probe_of_something_else_is_refused(labelled, mert, loaded, probed) -> None:
    others = [
        (tones(11), mert, probed),
        (labelled, loaded("mert-330m"), probed),
        (labelled, mert, replace(probed, recordings=probed.recordings[::-1])),
        (labelled, mert, replace(probed, protocol="papaioannou2025", folds=None)),
    ]
    for clips, backbone, report in others:
        with pytest.raises(FineTuneError) as error:
            fine_tune(clips, backbone, settings=QUICK, probe_report=report)
        assert error.value.sentence.code == "finetuning.other_probe"


def test_a_level_that_is_none_is_refused(labelled, mert) -> None:
    with pytest.raises(FineTuneError) as error:
        fine_tune(labelled, mert, level=1.5)
    assert error.value.sentence.code == "finetuning.level"


def test_a_backbone_without_layers_to_train_says_so(labelled) -> None:
    with pytest.raises(BackboneError) as error:
        fine_tune(labelled, load_backbone("spectral", device="cpu"))
    assert error.value.sentence.code == "backbone.no_tail"


def test_what_a_window_took_is_remembered_for_the_next_run(monkeypatch) -> None:
    told = {}
    monkeypatch.setattr(procedure.pace, "remember", lambda *key, **took: told.update(took))
    job = SimpleNamespace(
        seconds={"prefix": 4.0, "start": 1.0, "folds": 10.0, "final": 2.0},
        visits=26,
        backbone=SimpleNamespace(spec=None, device="cpu"),
        split=SimpleNamespace(n_blocks=2),
        settings=FineTuneSettings(),
    )
    procedure.Job._remember_pace(job, 8)
    assert told == {"prefix": 0.5, "training": 0.5}
