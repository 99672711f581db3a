"""``corpora`` and ``evaluate`` on tiny corpora in the layouts of the real ones."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from corpus_layouts import COUNTS, LYRA_TRAINING, make

from mirdemo import cli
from mirdemo.corpora.registry import open_corpus
from mirdemo.corpora.synthetic import ControlledCorpus
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.evaluation import EvaluationError, Request, evaluate
from mirdemo.evaluation.comparing import rows
from mirdemo.results.records import load, own_file, published

N_LYRA = LYRA_TRAINING + COUNTS["test"]
QUICK = Request(protocol="papaioannou2025", seeds=2)


@pytest.fixture(scope="module")
def spectral():
    from mirdemo.backbones import load_backbone

    return load_backbone("spectral")


@pytest.fixture
def lyra(tmp_path):
    return make("lyra", tmp_path)


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path / "store")


def command(data, checkout, *more):
    """The command that the evidence page names for its blanks, on a backbone that needs no download."""
    fixed = ["--method", "probe", "--protocol", "papaioannou2025"]
    return [
        "evaluate", "--corpus", "lyra", "--data", str(data), "--backbone", "spectral", *fixed,
        "--splits", str(checkout), "--seeds", "2", *more,
    ]  # fmt: skip


def test_the_command_that_the_evidence_page_names_is_understood():
    line = "evaluate --corpus lyra --data DIR --backbone mert-95m --method probe --protocol papaioannou2025"
    args = cli.parser().parse_args(line.split())
    assert (args.corpus, args.backbone, args.method, args.protocol) == (
        "lyra",
        "mert-95m",
        "probe",
        "papaioannou2025",
    )


def test_fine_tuning_with_workers_is_a_wrong_command_line(lyra, capsys):
    tuned = [*command(*lyra), "--workers", "2"]
    tuned[tuned.index("probe")] = "finetune"
    assert cli.main(tuned) == 2
    assert "Leave --workers out." in capsys.readouterr().err


def test_evaluate_writes_whole_records_and_prints_them_beside_the_published_row(lyra, capsys):
    assert cli.main(command(*lyra)) == cli.DONE
    said = capsys.readouterr().out
    assert "Spectral statistics (measured here, a split of your own)" in said
    assert "do not hold it against the others" in said
    assert "CultureMERT-95M (Kanatas et al. 2025)" in said
    assert "not ranked" in said
    assert "Lyra, ISMIR 2022" in said

    records = load(own_file()).records
    overall = {record.metric: record for record in records if record.tag is None and record.seed is None}
    assert set(overall) == {"roc_auc", "map", "macro_f1", "micro_f1"}
    for record in overall.values():
        assert (record.corpus, record.method, record.protocol) == ("lyra", "probe", "papaioannou2025")
        assert (record.source, record.split, record.layer) == ("measured", "test", "all")
        assert record.n == COUNTS["test"]
        assert record.setting["seeds"] == 2
        assert {"mirdemo", "torch", "numpy", "weights", "precision"} <= set(record.versions)
        assert record.hardware
        assert record.seconds > 0
        assert record.corpus_revision == open_corpus("lyra", *lyra).revision
    assert overall["roc_auc"].value > 0.7  # high partials and low ones; labels of other rows would give 0.5
    assert {record.tag for record in records if record.tag} == set(open_corpus("lyra", *lyra).tags) - {
        "genres--Traditional"  # on every test item: it has no ROC-AUC, but the other figures
    } | {
        record.tag for record in records if record.tag == "genres--Traditional" and record.metric != "roc_auc"
    }


def test_each_seed_of_the_published_probe_has_its_records_but_counts_for_nothing_by_itself(lyra, capsys):
    from mirdemo.results.records import measured

    assert cli.main(command(*lyra)) == cli.DONE
    assert capsys.readouterr().out.count("measured here") == 1
    own = [record for record in load(own_file()).records if record.seed is not None]
    assert {(record.seed, record.metric) for record in own} == {
        (seed, metric) for seed in (0, 1) for metric in ("roc_auc", "map", "macro_f1", "micro_f1")
    }
    (mean,) = measured().where(corpus="lyra", metric="roc_auc", tag=None)
    single = [record.value for record in own if record.metric == "roc_auc"]
    assert mean.value == pytest.approx(np.mean(single))
    assert not any(record.seed is not None for record in measured().where(corpus="lyra"))


def test_what_was_measured_is_not_measured_again_unless_told(lyra, capsys):
    assert cli.main(command(*lyra, "--json")) == cli.DONE
    first = json.loads(capsys.readouterr().out)
    assert (first["items"], first["embedded_now"]) == (N_LYRA, N_LYRA)
    assert first["new"] == len(first["records"]) > 0
    before = own_file().read_text()

    assert cli.main(command(*lyra, "--json")) == cli.DONE
    second = json.loads(capsys.readouterr().out)
    assert (second["new"], second["embedded_now"]) == (0, 0)
    assert second["records"] == first["records"]
    assert own_file().read_text() == before

    assert cli.main(command(*lyra, "--json", "--again")) == cli.DONE
    third = json.loads(capsys.readouterr().out)
    assert (third["new"], third["embedded_now"]) == (first["new"], 0)
    assert [r["value"] for r in third["records"]] == pytest.approx(
        [r["value"] for r in first["records"]], abs=1e-6
    )


KILLED = """
import os, signal, sys
from mirdemo import cli
from mirdemo.corpora.reader import RecordedCorpus
from mirdemo.evaluation import embedding
embedding.BATCH_SECONDS = 3.0
heard, whole = [], RecordedCorpus.read
def read(self, item_ids, take):
    def count(item_id, clip):
        heard.append(item_id)
        if len(heard) > 20:
            os.kill(os.getpid(), signal.SIGKILL)
        take(item_id, clip)
    return whole(self, item_ids, count)
RecordedCorpus.read = read
cli.main(sys.argv[1:])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_after_a_kill_nothing_is_embedded_or_decoded_twice(lyra, spectral, tmp_path, own_home):
    environment = {**os.environ, "MIRDEMO_HOME": str(own_home), "OMP_NUM_THREADS": "1"}
    root = tmp_path / "store"
    child = subprocess.run(
        [sys.executable, "-c", KILLED, *command(*lyra, "--store", str(root))],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()[-2000:]
    store = EmbeddingStore(root)
    kept = len(store)
    assert kept == 18  # six whole batches of three clips
    assert not own_file().exists()

    corpus, decoded = open_corpus("lyra", *lyra), []
    read = corpus.read
    corpus.read = lambda ids, take: read(ids, lambda i, clip: decoded.append(i) or take(i, clip))
    found = evaluate(corpus, spectral, QUICK, store=store)
    assert found.computed == N_LYRA - kept
    assert len(decoded) == N_LYRA - kept
    assert found.new == len(load(own_file()))

    decoded.clear()
    again = evaluate(corpus, spectral, QUICK, store=store, again=True)
    assert (again.computed, decoded) == (0, [])
    assert [r.value for r in again.records] == pytest.approx([r.value for r in found.records], abs=1e-6)


def test_a_corpus_that_moved_is_decoded_again_but_not_embedded_again(lyra, spectral, store, tmp_path):
    data, checkout = lyra
    request = Request(method="fewshot", shots=1, seeds=1)
    assert (
        evaluate(open_corpus("lyra", data, checkout), spectral, request, store=store).computed
        == COUNTS["test"]
    )
    moved = open_corpus("lyra", data.rename(tmp_path / "moved"), checkout)
    assert evaluate(moved, spectral, request, store=store, again=True).computed == 0


def test_missing_sound_is_refused_by_name_and_passed_over_only_when_told(tmp_path, spectral, store):
    data, checkout = make("makam", tmp_path)
    corpus = open_corpus("makam", data, checkout)
    lost = corpus.sides["train"][2]
    corpus.file(lost).unlink()
    corpus = open_corpus("makam", data, checkout)
    with pytest.raises(EvaluationError, match=lost) as refusal:
        evaluate(corpus, spectral, QUICK, store=store)
    assert refusal.value.sentence.code == "evaluation.missing"
    assert refusal.value.sentence.values["count"] == 1
    assert len(store) == 0

    from dataclasses import replace

    found = evaluate(corpus, spectral, replace(QUICK, allow_missing=True), store=store)
    assert found.left_out == (lost,)
    assert {record.setting["left_out"] for record in found.records} == {1}


def test_an_unreadable_file_stops_the_figures_but_not_the_embedding_of_the_others(tmp_path, spectral, store):
    data, checkout = make("fma", tmp_path)
    corpus = open_corpus("fma", data, checkout)
    broken = corpus.sides["test"][0]
    corpus.file(broken).write_bytes(b"no sound")
    with pytest.raises(EvaluationError, match=broken) as refusal:
        evaluate(corpus, spectral, QUICK, store=store)
    assert refusal.value.sentence.code == "evaluation.unreadable"
    assert len(store) == len(corpus.items) - 1
    assert not own_file().exists()


def test_a_corpus_without_its_folder_says_how_to_get_it(tmp_path, spectral, store):
    _, checkout = make("carnatic", tmp_path)
    with pytest.raises(EvaluationError, match="dunya") as refusal:
        evaluate(open_corpus("carnatic", None, checkout), spectral, QUICK, store=store)
    assert refusal.value.sentence.code == "evaluation.nothing"


def test_few_shot_episodes_come_from_the_test_side_alone(lyra, spectral, store):
    corpus = open_corpus("lyra", *lyra)
    request = Request(method="fewshot", shots=1, seeds=2)
    found = evaluate(corpus, spectral, request, store=store)
    assert found.n_items == len(store) == COUNTS["test"]
    overall = [r for r in found.records if r.tag is None and r.seed is None]
    assert {r.metric for r in overall} == {"macro_f1", "micro_f1"}
    assert {(r.setting["n_way"], r.setting["k_shot"], r.setting["seeds"]) for r in overall} == {
        (len(corpus.tags), 1, 2)
    }
    assert evaluate(corpus, spectral, request, store=store).new == 0
    more = evaluate(corpus, spectral, Request(method="fewshot", shots=1, ways=3, seeds=2), store=store)
    assert more.new > 0


@pytest.mark.parametrize("part", ["weights", "precision"])
def test_figures_of_other_weights_or_another_precision_are_not_taken_for_these(lyra, spectral, store, part):
    from dataclasses import replace

    from mirdemo.results.records import append

    corpus, request = open_corpus("lyra", *lyra), Request(method="fewshot", shots=1, seeds=1)
    measured = evaluate(corpus, spectral, request, store=store).records
    own_file().unlink()
    append((replace(one, versions={**one.versions, part: "another"}) for one in measured), own_file())
    assert evaluate(corpus, spectral, request, store=store).new == len(measured)
    assert evaluate(corpus, spectral, request, store=store).new == 0


def test_more_seeds_are_another_measurement(lyra, spectral, store):
    corpus = open_corpus("lyra", *lyra)
    for seeds in (1, 2):
        found = evaluate(corpus, spectral, Request(method="fewshot", shots=1, seeds=seeds), store=store)
        assert {one.setting["seeds"] for one in found.records if one.seed is None} == {seeds}


def test_the_live_protocol_keeps_items_of_one_source_together(tmp_path, spectral, store, monkeypatch):
    import mirdemo.stages.probing

    data, checkout = make("magnatagatune", tmp_path)
    corpus = open_corpus("magnatagatune", data, checkout)
    asked = {}
    whole = mirdemo.stages.probing.probe
    monkeypatch.setattr(
        mirdemo.stages.probing,
        "probe",
        lambda *a, **k: asked.update(recordings=a[2], **k) or whole(*a, n_folds=2, **k),
    )
    found = evaluate(corpus, spectral, Request(protocol="live"), store=store)
    assert not any("limit" in record.setting for record in found.records)
    assert asked["recordings"] == [corpus.items[i].source for i in corpus.sides["test"]]
    assert asked["split"] is None
    assert {record.layer for record in found.records} == {"chosen in each fold"}
    assert {record.protocol for record in found.records} == {"live"}


def test_controlled_corpora_go_the_same_way_and_say_their_mode(spectral, store):
    corpus = ControlledCorpus("makam", "pitch", sizes={"train": 4, "valid": 3, "test": 3})
    found = evaluate(corpus, spectral, QUICK, store=store)
    assert {(r.corpus, r.setting["mode"]) for r in found.records} == {("controlled/makam", "pitch")}
    assert found.computed == len(store) == 10


def test_a_limit_draws_the_same_items_each_time_and_is_part_of_the_record(lyra, spectral, store):
    corpus = open_corpus("lyra", *lyra)
    request = Request(method="fewshot", shots=1, seeds=1, limit=3)
    found = evaluate(corpus, spectral, request, store=store)
    assert found.n_items == len(store) == 3
    assert {record.setting["limit"] for record in found.records} == {3}
    evaluate(corpus, spectral, request, store=store, again=True)
    assert len(store) == 3
    assert evaluate(corpus, spectral, Request(method="fewshot", shots=1, seeds=1), store=store).new > 0


def test_a_limit_does_not_take_the_first_that_come():
    from mirdemo.evaluation import running

    corpus = SimpleNamespace(sides={"test": tuple(f"{i:02d}" for i in range(60))})
    chosen = running._wanted(corpus, Request(method="fewshot", limit=10))
    assert len(set(chosen)) == 10
    assert chosen == sorted(chosen)
    assert not set(chosen) <= set(corpus.sides["test"][:30])


def test_the_live_protocols_own_limit_is_in_the_record_where_it_binds(tmp_path, spectral, store, monkeypatch):
    corpus = open_corpus("fma", *make("fma", tmp_path))
    request = Request(method="fewshot", protocol="live", shots=1, seeds=1)
    assert not any("limit" in r.setting for r in evaluate(corpus, spectral, request, store=store).records)
    monkeypatch.setattr("mirdemo.evaluation.running.LIVE_LIMIT", 3)  # what a thousand is to the real ones
    found = evaluate(corpus, spectral, request, store=store)
    assert found.n_items == 3
    assert {record.setting["limit"] for record in found.records} == {3}


def test_too_few_items_for_a_figure_is_said_and_nothing_is_written(lyra, spectral, store):
    corpus = open_corpus("lyra", *lyra)
    with pytest.raises(EvaluationError) as refusal:
        evaluate(corpus, spectral, Request(protocol="live", limit=2), store=store)
    assert refusal.value.sentence.code == "evaluation.no_figure"
    assert not own_file().exists()


def test_whitened_embeddings_are_another_measurement(lyra, spectral, store):
    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.whitening import Whitening

    corpus = open_corpus("lyra", *lyra)
    clips = [corpus.clip(item_id) for item_id in corpus.sides["test"]]
    whitening = Whitening.fit(embed(clips, spectral, store=store), [0, 0, 1, 1])
    request = Request(method="fewshot", shots=1, seeds=1)
    plain = evaluate(corpus, spectral, request, store=store)
    whitened = evaluate(corpus, spectral, request, store=store, whitening=whitening)
    assert whitened.computed == 0
    assert whitened.new > 0
    assert {record.whitening for record in plain.records} == {None}
    assert {record.whitening for record in whitened.records} == {whitening.name}
    assert plain.strange is None
    assert whitened.strange is None, "it was fitted on these very clips"


@pytest.mark.parametrize(
    "request_", [Request(method="fewshot", shots=1, seeds=1), Request(protocol="live", seeds=1)]
)
def test_sound_unlike_that_of_the_whitenings_fit_is_told(request_, lyra, spectral, store):
    """In a published protocol, where rows are whitened as they come, and in the live probe, which whitens by itself."""
    from dataclasses import replace

    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.whitening import Whitening

    corpus = open_corpus("lyra", *lyra)
    clips = [corpus.clip(item_id) for item_id in corpus.sides["test"]]
    whitening = Whitening.fit(embed(clips, spectral, store=store), [0, 0, 1, 1])
    narrow = {name: replace(layer, scale=layer.scale / 100) for name, layer in whitening.layers.items()}
    found = evaluate(corpus, spectral, request_, store=store, whitening=replace(whitening, layers=narrow))
    assert found.strange is not None
    assert found.strange.code == "whitening.strange"


def test_the_mean_over_layers_is_the_mean_of_each_window(lyra, store, spectral):
    from dataclasses import replace

    from mirdemo.base.progress import silent
    from mirdemo.embedding.embed import embed
    from mirdemo.evaluation.embedding import embed_corpus, usual_layer
    from mirdemo.evaluation.sounds import SoundMemory

    corpus = open_corpus("lyra", *lyra)
    ids = corpus.sides["test"]
    even = [layer for layer in spectral.spec.layers if layer.name == "timbre"] * 2
    same = replace(spectral.spec, layers=(even[0], replace(even[1], name="again")))
    assert usual_layer(same, None) == "mean"
    assert usual_layer(spectral.spec, None) == "all"
    with pytest.raises(EvaluationError):
        usual_layer(spectral.spec, "mean")
    one = embed_corpus(
        corpus,
        ids,
        spectral,
        store=store,
        sounds=SoundMemory(),
        layer="timbre",
        whitening=None,
        progress=silent,
    )
    plain = embed([corpus.clip(i) for i in ids], spectral)
    assert one.embeddings.layer_names == ("timbre",)
    assert np.allclose(one.embeddings.matrix("timbre"), plain.matrix("timbre"), atol=1e-6)


def test_fine_tuning_is_measured_live_with_the_stage_of_the_page(tmp_path, loaded, store, monkeypatch):
    from mirdemo.stages import finetuning

    @dataclass(frozen=True)
    class Short(finetuning.FineTuneSettings):
        epochs: int = 1
        n_folds: int = 2

    monkeypatch.setattr(finetuning, "FineTuneSettings", Short)
    data, checkout = make("fma", tmp_path)
    split = checkout / "data/fma/split"  # more to cross-validate on
    np.save(split / "test.npy", np.concatenate([np.load(split / "train.npy"), np.load(split / "test.npy")]))
    np.save(split / "train.npy", np.load(split / "valid.npy"))
    np.save(split / "valid.npy", np.load(split / "valid.npy")[:0])
    corpus = open_corpus("fma", data, checkout)
    mert = loaded("mert-95m")
    found = evaluate(corpus, mert, Request(method="finetune", protocol="live"), store=store)
    overall = {record.metric: record for record in found.records if record.tag is None}
    assert {"roc_auc", "map", "macro_f1"} <= set(overall)
    assert overall["roc_auc"].setting["blocks"] == mert.tail_sizes.published
    assert overall["roc_auc"].n == 10
    assert evaluate(corpus, mert, Request(method="finetune", protocol="live"), store=store).new == 0


@pytest.mark.parametrize(
    "more", [["--protocol", "live", "--layer", "all"], ["--seeds", "2"], ["--backbone", "spectral"]]
)
def test_fine_tuning_that_has_no_stage_is_refused_in_a_sentence(lyra, checkpoint, capsys, more):
    loaded = ["--backbone", "mert-95m", "--checkpoint", str(checkpoint("mert-95m"))]
    chosen = more if "--backbone" in more else [*loaded, *more]
    assert cli.main([*command(*lyra), "--method", "finetune", "--seeds", "1", *chosen]) == cli.REFUSED
    assert "Fine-tuning" in (said := capsys.readouterr().err) or "has no layers that can be trained" in said
    assert not own_file().exists()


@pytest.fixture
def quick_training(monkeypatch):
    from mirdemo.stages import finetuning

    short = finetuning.PublishedSettings(epochs=4, batch=4, hidden=8, head_rate=1e-2)
    monkeypatch.setattr(finetuning, "PublishedSettings", lambda: short)


def test_fine_tuning_on_the_official_split_writes_whole_records(
    lyra, loaded, store, quick_training, monkeypatch
):
    from mirdemo.stages.published.tuning import PublishedJob

    corpus, mert, asked = open_corpus("lyra", *lyra), loaded("mert-95m"), {}
    whole = PublishedJob.train
    monkeypatch.setattr(
        PublishedJob,
        "train",
        lambda job, material, split, *rest: asked.update(split=split) or whole(job, material, split, *rest),
    )
    request = Request(method="finetune", protocol="papaioannou2025")
    found = evaluate(corpus, mert, request, store=store)
    ids = [item_id for side in ("train", "valid", "test") for item_id in corpus.sides[side]]
    assert {side: [ids[at] for at in places] for side, places in asked["split"].items()} == {
        side: list(corpus.sides[side]) for side in corpus.sides
    }
    overall = {record.metric: record for record in found.records if record.tag is None}
    assert set(overall) == {"roc_auc", "map", "macro_f1", "micro_f1"}
    for record in overall.values():
        assert (record.method, record.protocol, record.layer) == ("finetune", "papaioannou2025", "mean")
        assert (record.n, record.n_unit, record.split) == (COUNTS["test"], "recordings", "test")
        assert (record.setting["seeds"], record.setting["blocks"]) == (1, mert.tail_sizes.published)
        assert {"mirdemo", "torch", "numpy", "scipy", "weights", "precision"} <= set(record.versions)
        assert record.hardware
        assert record.seconds > 0
        assert record.low <= record.value <= record.high
    assert found.computed == N_LYRA
    assert not list(store.root.with_name("fine-tuning").iterdir())
    again = evaluate(corpus, mert, request, store=store)
    assert (again.new, again.computed, again.records) == (0, 0, found.records)


def test_a_stopped_fine_tuning_reads_no_item_twice_and_ends_the_same(lyra, loaded, store, quick_training):
    from mirdemo.base.sentences import Cancelled

    corpus, mert = open_corpus("lyra", *lyra), loaded("mert-95m")
    request = Request(method="finetune", protocol="papaioannou2025")
    whole = evaluate(corpus, mert, request, store=store)

    def stop(done, total, phase):
        if phase == "prefix" and done == 9:
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(corpus, mert, request, store=store, again=True, progress=stop)
    decoded = []
    read = corpus.clip
    corpus.clip = lambda item_id: decoded.append(item_id) or read(item_id)
    found = evaluate(corpus, mert, request, store=store, again=True)
    assert found.computed == len(decoded) == N_LYRA - 9
    assert [r.value for r in found.records] == pytest.approx([r.value for r in whole.records], abs=1e-6)


def test_an_item_that_cannot_be_decoded_stops_fine_tuning_by_name(tmp_path, loaded, store, quick_training):
    data, checkout = make("fma", tmp_path)
    corpus = open_corpus("fma", data, checkout)
    broken = corpus.sides["test"][0]
    corpus.file(broken).write_bytes(b"no sound")
    request = Request(method="finetune", protocol="papaioannou2025")
    with pytest.raises(EvaluationError, match=broken) as refusal:
        evaluate(corpus, loaded("mert-95m"), request, store=store)
    assert refusal.value.sentence.code == "evaluation.unreadable"
    assert not own_file().exists()


def test_a_split_that_repeats_items_is_refused(tmp_path, spectral, store):
    data, checkout = make("fma", tmp_path)
    split = checkout / "data/fma/split"
    np.save(
        split / "test.npy", np.concatenate([np.load(split / "test.npy"), np.load(split / "train.npy")[:1]])
    )
    with pytest.raises(EvaluationError) as refusal:
        evaluate(open_corpus("fma", data, checkout), spectral, QUICK, store=store)
    assert refusal.value.sentence.code == "evaluation.split_not_disjoint"


def test_published_rows_of_other_settings_do_not_stand_beside_few_shot_figures(lyra, spectral, store):
    corpus = open_corpus("lyra", *lyra)
    found = evaluate(corpus, spectral, Request(method="fewshot", shots=1, seeds=1), store=store)
    assert len(rows(found.records, published(), "lyra", "fewshot")) == 1


@pytest.mark.parametrize(
    "wrong", [["--seeds", "0"], ["--limit", "x"], ["--max-seconds", "-3"], ["--method", "guess"]]
)
def test_wrong_options_exit_with_2(wrong):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["evaluate", "--corpus", "lyra", *wrong])
    assert stopped.value.code == cli.USAGE


def test_corpora_lists_facts_licence_and_citation(capsys):
    assert cli.main(["corpora"]) == cli.DONE
    said = capsys.readouterr().out
    for words in ("MagnaTagATune", "CC-BY-NC-SA-3.0", "licence not stated", "DLfM 2014", "controlled/makam"):
        assert words in said
    assert cli.main(["corpora", "--json"]) == cli.DONE
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["corpora"]}
    assert listed["makam"]["recordings"] == {"train": 3709, "valid": 529, "test": 1059}
    assert listed["carnatic"]["licence"] is None


def test_corpora_check_names_what_is_wrong_and_says_so_by_its_exit_code(lyra, capsys):
    data, checkout = lyra
    line = ["corpora", "check", "lyra", "--data", str(data), "--splits", str(checkout)]
    assert cli.main(line) == 1
    said = capsys.readouterr()
    assert "2 sources have items on several sides" in said.out
    assert "Not the published split: training.tsv, test.tsv" in said.err
    assert "no sound" not in said.err
    (data / "yt-A_1.flac").unlink()
    assert cli.main(line) == 1
    said = capsys.readouterr()
    assert "piece-" in said.err
    assert cli.main([*line, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["whole"] is False


# ---- what must not be lost, and what must not stand unmarked ------------------------------------------------------


def test_results_that_cannot_be_written_are_found_before_anything_is_embedded(lyra, tmp_path, capsys):
    (tmp_path / "place").write_text("a file where a folder should be")
    place = tmp_path / "place" / "mine.jsonl"
    assert cli.main(command(*lyra, "--results", str(place))) == cli.REFUSED
    said = capsys.readouterr()
    assert "cannot be written" in said.err
    assert str(place) in said.err
    assert said.out == ""


def test_a_disk_that_fills_up_meanwhile_costs_the_file_and_not_the_figures(lyra, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mirdemo.evaluation.running.append", full)
    assert cli.main(command(*lyra)) == cli.REFUSED
    said = capsys.readouterr()
    assert "Spectral statistics (measured here" in said.out
    assert "No space left on device" in said.err
    assert str(own_file()) in said.err


def test_a_row_of_part_of_a_corpus_says_of_how_much(tmp_path, capsys):
    data, checkout = make("fma", tmp_path)
    corpus = open_corpus("fma", data, checkout)
    corpus.file(corpus.sides["train"][0]).unlink()
    assert cli.main(command(data, checkout, "--corpus", "fma", "--allow-missing")) == 1
    said = capsys.readouterr().out
    assert "measured here, a split of your own, 1 of 13 items left out" in said
    assert "do not hold it against the others" in said
    assert f"Left out: {corpus.sides['train'][0]}" in said


@pytest.mark.parametrize(
    ("more", "said", "partial"),
    [
        (("--limit", "3"), "at most 3 items a side", {"limit": 3}),
        (("--max-seconds", "1"), "the first 1 s of each item", {"max_seconds": 1.0}),
        (("--max-seconds", "whole"), "each item heard whole", {"max_seconds": "whole"}),
    ],
)
def test_a_row_of_fewer_or_other_sound_than_published_says_so(tmp_path, capsys, more, said, partial):
    line = command(
        *make("makam", tmp_path), "--corpus", "makam", "--method", "fewshot", "--shots", "1", *more
    )
    line[line.index("--protocol") + 1] = "live"
    for _ in ("measured", "measured before"):
        assert cli.main(line) == cli.DONE
        out = capsys.readouterr().out
        assert f"(measured here, a split of your own, {said})" in out
    assert {tuple(record.partial.items()) for record in load(own_file())} == {
        (("split_files", "own"), *partial.items())
    }


def test_a_limit_is_filled_up_with_items_that_are_there(tmp_path, spectral, store):
    from mirdemo.evaluation.running import _wanted

    data, checkout = make("makam", tmp_path)
    corpus = open_corpus("makam", data, checkout)
    whole = _wanted(corpus, Request(limit=3))
    gone = [i for i in whole if corpus.items[i].side == "train"][:2]
    for item_id in gone:
        corpus.file(item_id).unlink()
    part = open_corpus("makam", data, checkout)
    assert _wanted(part, Request(limit=3)) == whole, "what is measured is not derived from what lies there"
    asked = _wanted(part, Request(limit=3, allow_missing=True))
    there = [i for i in asked if i not in part.missing(asked)]
    assert {side: sum(part.items[i].side == side for i in there) for side in COUNTS} == dict.fromkeys(
        COUNTS, 3
    )
    assert set(gone) <= set(asked)


# ---- few-shot as published ------------------------------------------------------------------------------------


@pytest.fixture
def published_fma(tmp_path, monkeypatch):
    """FMA's fixture as if its files were the published ones: Rock and Folk are the vocabulary, Indie-Rock is novel."""
    from mirdemo.corpora import splits, vocabularies
    from mirdemo.evaluation import running

    known = {"fma": vocabularies.Vocabulary("fma", ("Rock", "Folk"), "", "", ("Indie-Rock",))}
    monkeypatch.setattr(splits, "published_checksums", dict)
    monkeypatch.setattr(vocabularies, "vocabularies", lambda: known)
    monkeypatch.setattr(running, "vocabularies", lambda: known)
    return make("fma", tmp_path)


@pytest.mark.parametrize(("tags", "ways", "chosen"), [("base", 2, 2), ("novel", 1, 1), ("both", 3, 3)])
def test_the_published_episodes_are_drawn_over_base_novel_or_both(
    published_fma, spectral, store, tags, ways, chosen
):
    corpus = open_corpus("fma", *published_fma)
    request = Request(method="fewshot", protocol="lcprotonets2024", tags=tags, ways=ways, shots=1)
    found = evaluate(corpus, spectral, request, store=store)
    whole = [r for r in found.records if r.tag is None and r.seed is None]
    assert {r.protocol for r in whole} == {"lcprotonets2024"}
    assert {(r.setting["n_way"], r.setting["tags"], r.setting["seeds"]) for r in whole} == {(chosen, tags, 1)}
    assert {r.seed for r in found.records if r.seed is not None} == {21}
    assert evaluate(corpus, spectral, request, store=store).new == 0


def test_the_head_and_n_of_few_shot_figures_are_those_of_its_episodes(published_fma, capsys):
    line = command(*published_fma, "--corpus", "fma", "--method", "fewshot", "--shots", "1", "--seeds", "1")
    episodes = ("--protocol", "lcprotonets2024", "--tags", "both", "--ways", "3")
    assert cli.main([*line, *episodes]) == cli.DONE
    said = capsys.readouterr().out
    assert "episodes of 3 tags (base and novel)" in said.splitlines()[0]
    (whole,) = [r for r in load(own_file()) if (r.seed, r.tag, r.metric) == (None, None, "macro_f1")]
    asked = next(r.n for r in load(own_file()) if r.seed is not None)
    assert whole.n == asked == COUNTS["test"] - whole.setting["n_support"]
    assert f"n {asked})" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--ways", "60"), "There are 2 base tags, not 60"),
        (("--ways", "3", "--tags", "novel"), "There are 1 novel tags, not 3"),
        (("--method", "probe"), "cannot be measured"),
    ],
)
def test_an_episode_that_cannot_be_is_refused_before_anything_is_embedded(
    published_fma, capsys, more, said, own_home
):
    line = command(
        *published_fma, "--corpus", "fma", "--method", "fewshot", "--protocol", "lcprotonets2024", *more
    )
    assert cli.main(line) == cli.REFUSED
    assert said in capsys.readouterr().err
    assert not list(own_home.rglob("*.npz"))


def test_novel_tags_that_no_test_item_has_are_refused(published_fma, spectral, store):
    data, checkout = published_fma
    corpus = open_corpus("fma", data, checkout)
    from types import MappingProxyType

    plain = {i: dataclasses.replace(item, labels=("Folk",)) for i, item in corpus.items.items()}
    corpus.items = MappingProxyType(plain)
    request = Request(method="fewshot", protocol="lcprotonets2024", tags="novel")
    with pytest.raises(EvaluationError) as refusal:
        evaluate(corpus, spectral, request, store=store)
    assert refusal.value.sentence.code == "evaluation.no_novel"
