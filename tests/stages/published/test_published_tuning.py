"""Fine-tuning by the published protocol: the head reads what the probe reads, sides stay apart, a kill costs little."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from finetuning.conftest import tone, tones

from mirdemo import fine_tune
from mirdemo.backbones import BackboneError, load_backbone
from mirdemo.backbones.registry import specs
from mirdemo.base.progress import silent
from mirdemo.base.sentences import Cancelled
from mirdemo.scoring.intervals import LEVEL
from mirdemo.scoring.metrics import macro, roc_auc
from mirdemo.sound.audio import AudioError
from mirdemo.stages.finetuning import FineTuneError, FineTuneSettings, PublishedReport, PublishedSettings
from mirdemo.stages.finetuning.inputs import look_over
from mirdemo.stages.finetuning.step import Step
from mirdemo.stages.probing import ProbeError
from mirdemo.stages.published import checkpoint, training
from mirdemo.stages.published.layer_mean import LayerMean, boundary_with_rows, has_mean
from mirdemo.stages.published.tuning import PublishedJob

PUBLISHED = "papaioannou2025"
QUICK = PublishedSettings(epochs=3, batch=6, hidden=8, head_rate=1e-2)
SPLIT = {
    "train": [f"recording {i}" for i in range(8)],
    "valid": [f"recording {i}" for i in range(8, 12)],
    "test": [f"recording {i}" for i in range(12, 18)],
}


@pytest.fixture(scope="module")
def clips():
    return tones(18, clips=2, seconds=0.2)


def tuned(clips, backbone, settings=QUICK, split=SPLIT, **more) -> PublishedReport:
    return fine_tune(clips, backbone, protocol=PUBLISHED, settings=settings, split=split, **more)


@pytest.fixture(scope="module")
def told():
    """What the report's progress said."""
    return []


@pytest.fixture(scope="module")
def report(clips, loaded, told):
    progress = lambda *state: told.append(state)  # noqa: E731
    return tuned(clips, loaded("mert-95m"), replace(QUICK, epochs=12), progress=progress)


# ---- what the head reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mert-95m", "mert-330m", "qwen2-audio", "mini"])
def test_before_training_the_head_reads_the_mean_of_the_layers_that_the_probe_reads(kind, loaded):
    backbone = load_backbone("mini-west", device="cpu") if kind == "mini" else loaded(kind)
    assert has_mean(backbone)
    rate = backbone.spec.sample_rate
    waves = torch.from_numpy(np.stack([tone(400 + 200 * i, 0.5, i, rate).samples for i in range(2)]))
    expected = torch.stack(backbone.pool(backbone.hidden_states(waves))).mean(0)
    split = backbone.split()
    boundary = boundary_with_rows(backbone, split, waves)
    found = LayerMean(backbone, split)(boundary, samples=waves.shape[1])
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


def test_a_backbone_whose_layers_differ_in_size_is_read_at_its_last_layer(clips, loaded):
    report = tuned(clips, loaded("clap"), replace(QUICK, epochs=1))
    assert (report.layer, report.n_blocks) == ("joint", 1)


# ---- what it reports --------------------------------------------------------------------------------------


def test_the_heads_weights_begin_as_torch_lays_them_an_output_after_the_other(clips, mert, monkeypatch):
    begun = []

    def stop(step, mlp, *rest):
        begun.append(mlp)
        raise Cancelled

    monkeypatch.setattr(training, "train", stop)
    with pytest.raises(Cancelled):
        tuned(clips, mert)
    weight = begun[0].hidden_weight.detach().cpu()
    drawn = torch.Generator().manual_seed(QUICK.seed)
    laid = (2 * torch.rand((QUICK.hidden, len(weight)), generator=drawn) - 1) / len(weight) ** 0.5
    torch.testing.assert_close(weight, laid.T)


def test_the_report_is_about_the_test_recordings_alone(report, clips):
    assert sorted(report.recordings) == sorted(SPLIT["test"])
    assert report.n_recordings == {"train": 8, "valid": 4, "test": 6}
    assert report.scores.shape == report.labels.shape == (6, 2)
    figure = report.macro.figures.roc_auc
    assert figure.n == 6
    assert figure.value == pytest.approx(float(macro(roc_auc(report.labels.T, report.scores.T))))
    assert figure.low < figure.value <= figure.high
    assert (
        report.tag("high").figures.roc_auc.value > 0.7
    )  # low tones and high ones; labels of other rows: 0.5
    assert report.protocol == PUBLISHED
    assert {"numpy", "scipy", "torch", "mirdemo"} <= set(report.versions)
    assert min(report.seconds.values()) > 0
    assert json.loads(json.dumps(report.as_dict(), allow_nan=False))["layer"] == "mean"


def test_progress_counts_the_windows_that_training_has_seen_batch_by_batch(report, told):
    """Sixteen windows of the training side an epoch; where it ends early, what is left is done at once."""
    seen = [(done, whole) for done, whole, phase in told if phase == "training"]
    batches = [
        16 * epoch + first for epoch in range(len(report.curve)) for first in range(0, 16, QUICK.batch)
    ]
    assert list(dict.fromkeys(done for done, _ in seen)) == sorted({*batches, 16 * 12})
    assert {whole for _, whole in seen} == {16 * 12}
    for phase in {phase for _, _, phase in told}:
        done = [one for one, _, name in told if name == phase]
        assert done == sorted(done), phase


def test_training_hears_the_training_side_only_and_its_best_epoch_is_tested(report, clips, mert, monkeypatch):
    heard = []
    whole = training.train

    def watched(step, mlp, learn, *rest):
        heard.extend(clips.recordings[step.source.windows.clip_of[i]] for i in learn)
        return whole(step, mlp, learn, *rest)

    monkeypatch.setattr(training, "train", watched)
    tuned(clips, mert, replace(QUICK, epochs=1))
    assert set(heard) == set(SPLIT["train"])
    aucs = [epoch.held_out_auc for epoch in report.curve]
    assert report.best_epoch == 1 + int(np.argmax(aucs))
    assert report.validation_roc_auc == max(aucs)


def test_a_recordings_score_is_the_mean_over_all_its_windows(mert, tmp_path):
    long = [tone(300 + 900 * (i % 2), 5.5 if i == 5 else 0.2, i) for i in range(6)]
    labels = np.array([[i % 2] for i in range(6)])
    split = {"train": ["0", "1"], "valid": ["2", "3"], "test": ["4", "5"]}
    with PublishedJob(mert, tmp_path, replace(QUICK, epochs=1)) as job:
        job.read([clip.sha256 for clip in long], long.__getitem__, silent)
        report = job.train(
            look_over(long, labels, list("012345"), ["high"]), split, LEVEL, silent, lambda e: None
        )
        assert job.prefix.windows.clip_of.tolist() == [0, 1, 2, 3, 4, 5, 5]
        assert report.n_windows == 7
    assert report.scores.shape == (2, 1)


def test_the_same_settings_give_the_same_report_and_another_seed_another(clips, mert):
    first, again = (tuned(clips, mert) for _ in range(2))
    np.testing.assert_array_equal(first.scores, again.scores)
    other = tuned(clips, mert, replace(QUICK, seed=1))
    assert (other.scores != first.scores).any()


def test_half_precision_is_for_qwen2_audio_alone():
    in_half = {
        name for name, spec in specs().items() if PublishedSettings().for_steps(spec).precision == "auto"
    }
    assert in_half == {"qwen2-audio"}
    assert PublishedSettings().for_steps(specs()["mert-95m"]).precision == "float32"
    assert PublishedSettings(precision="bfloat16").for_steps(specs()["mert-95m"]).precision == "bfloat16"


def test_training_ends_without_a_better_epoch_and_both_rates_have_fallen(clips, mert, monkeypatch):
    """A rate of almost nothing: validation never gets better than in the first epoch."""
    rates = []
    whole = Step.__call__

    def watched(step, *rest):
        rates.append(tuple(group["lr"] for group in step.optimiser.param_groups))
        return whole(step, *rest)

    monkeypatch.setattr(Step, "__call__", watched)
    still = replace(QUICK, epochs=50, tail_rate=1e-30, head_rate=1e-20, stop_patience=6, plateau_patience=1)
    report = tuned(clips, mert, still)
    assert (report.epochs, report.best_epoch) == (7, 1)
    assert rates[0] == (1e-30, 1e-20)
    assert rates[-1] == pytest.approx((2.5e-31, 2.5e-21), rel=1e-6)


def test_groups_are_kept_whole_where_the_split_is_drawn(clips, mert):
    pairs = [str(int(name.split()[1]) // 2) for name in clips.recordings]
    of = dict(zip(clips.recordings, pairs, strict=True))
    found = tuned(
        clips.clips,
        mert,
        replace(QUICK, epochs=1),
        split=None,
        labels=clips.labels,
        recordings=clips.recordings,
        tags=clips.tags,
        groups=pairs,
    )
    tested = {of[name] for name in found.recordings}
    assert len(found.recordings) == 2 * len(tested)


# ---- a kill costs little ----------------------------------------------------------------------------------


def stopping(phase, after):
    """A progress that stops the work in a phase, after so many calls."""
    calls = []

    def progress(done, total, name):
        calls.extend([name] * (name == phase))
        if len(calls) > after:
            raise Cancelled

    return progress


@pytest.mark.parametrize(("phase", "after"), [("prefix", 20), ("training", 9)])
def test_a_stopped_job_goes_on_where_it_was_and_ends_the_same(
    clips, mert, tmp_path, monkeypatch, phase, after
):
    monkeypatch.setattr(checkpoint, "SAVE_SECONDS", 0.0)
    clock = SimpleNamespace(perf_counter=itertools.count().__next__)
    monkeypatch.setattr(training, "time", clock)
    settings = replace(QUICK, epochs=5)
    whole = tuned(clips, mert, settings)
    with pytest.raises(Cancelled):
        tuned(clips, mert, settings, folder=tmp_path, progress=stopping(phase, after))
    computed, epochs = [], []
    compute = boundary_with_rows
    monkeypatch.setattr(
        "mirdemo.stages.published.tuning.boundary_with_rows",
        lambda backbone, split, waves: computed.extend(waves) or compute(backbone, split, waves),
    )
    found = tuned(clips, mert, settings, folder=tmp_path, on_epoch=epochs.append)
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-6)
    assert [e.loss for e in found.curve] == pytest.approx([e.loss for e in whole.curve], abs=1e-6)
    assert (np.diff([e.seconds for e in found.curve]) > 0).all()  # those of the stopped job are counted in
    if phase == "prefix":
        assert 0 < len(computed) < len(clips)
    else:
        assert computed == []
        assert 0 < len(epochs) < 5
    assert list(tmp_path.iterdir()) == []


def test_a_line_torn_by_a_kill_is_computed_again(clips, mert, tmp_path):
    settings = replace(QUICK, epochs=1)
    whole = tuned(clips, mert, settings)
    with pytest.raises(Cancelled):
        tuned(clips, mert, settings, folder=tmp_path, progress=stopping("training", 0))
    (journal,) = tmp_path.glob("*/journal.jsonl")
    journal.write_bytes(journal.read_bytes()[:-40])
    with pytest.raises(Cancelled):  # writes lines behind the torn one
        tuned(clips, mert, settings, folder=tmp_path, progress=stopping("training", 0))
    found = tuned(clips, mert, settings, folder=tmp_path)
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-6)


def test_what_another_training_left_is_not_gone_on_with(clips, mert, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SAVE_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        tuned(clips, mert, folder=tmp_path, progress=stopping("training", 9))
    epochs = []
    other = clips.relabel(0, ["high"])
    tuned(other, mert, folder=tmp_path, on_epoch=epochs.append)
    assert len(epochs) == QUICK.epochs


def test_without_a_folder_nothing_stays_whatever_happens(clips, mert, own_home):
    tuned(clips, mert, replace(QUICK, epochs=1))
    with pytest.raises(Cancelled):
        tuned(clips, mert, progress=stopping("training", 3))
    assert list((own_home / "fine-tuning").iterdir()) == []


def test_two_processes_do_not_write_into_one_folder(mert, tmp_path):
    with PublishedJob(mert, tmp_path, QUICK), pytest.raises(FineTuneError) as refusal:
        PublishedJob(mert, tmp_path, QUICK)
    assert refusal.value.sentence.code == "finetuning.busy"
    PublishedJob(mert, tmp_path, QUICK).prefix.close()


def test_a_clip_that_cannot_be_read_is_named_and_the_others_go_on(clips, mert, tmp_path):
    def read(place):
        if place == 3:
            raise AudioError("{name} is empty.", code="audio.empty", name="three")
        return clips.clips[place]

    with PublishedJob(mert, tmp_path, QUICK) as job:
        done, refused = job.read([str(i) for i in range(6)], read, silent)
        assert (done, list(refused)) == (5, [3])
        assert job.prefix.windows.clip_of.tolist() == [0, 1, 2, 3, 4]


def test_fewer_windows_at_once_where_memory_runs_out(clips, mert, monkeypatch):
    whole = tuned(clips, mert, replace(QUICK, epochs=1))
    compute = boundary_with_rows
    most = []

    def small(backbone, split, waves):
        if len(waves) > 1:
            raise torch.OutOfMemoryError
        most.append(len(waves))
        return compute(backbone, split, waves)

    monkeypatch.setattr("mirdemo.stages.finetuning.boundary.CPU_BATCH_SECONDS", 20.0)
    monkeypatch.setattr("mirdemo.stages.published.tuning.boundary_with_rows", small)
    again = tuned(clips, mert, replace(QUICK, epochs=1))
    assert len(most) == len(clips)
    np.testing.assert_allclose(again.scores, whole.scores, atol=1e-5)


# ---- refusals ---------------------------------------------------------------------------------------------


def test_what_cannot_be_done_is_refused_in_a_sentence(clips, mert):
    with pytest.raises(FineTuneError) as unknown:
        fine_tune(clips, mert, protocol="other")
    assert unknown.value.sentence.code == "finetuning.no_protocol"
    with pytest.raises(FineTuneError) as wrong:
        fine_tune(clips, mert, protocol=PUBLISHED, settings=FineTuneSettings())
    assert wrong.value.sentence.code == "finetuning.settings"
    with pytest.raises(ProbeError) as shared:
        tuned(clips, mert, split={**SPLIT, "valid": SPLIT["train"]})
    assert shared.value.sentence.code == "probing.split_shared"
    with pytest.raises(BackboneError) as nothing:
        tuned(clips, load_backbone("spectral", device="cpu"))
    assert nothing.value.sentence.code == "backbone.no_tail"
    with pytest.raises(FineTuneError):
        PublishedSettings(dropout=1.0)
