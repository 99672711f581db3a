"""Several workers give what one process gives, whatever ends in the middle."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from backbones.tiny import tiny_musicnn
from bulk_backbones import Broken, Diary, Refusing, read
from corpus_layouts import COUNTS, make
from waiting import until

from mirdemo import cli
from mirdemo.backbones import load_backbone
from mirdemo.base.sentences import Cancelled
from mirdemo.bulk import BulkError, ClipFile, Named, Workers, embed_files, engine, running
from mirdemo.bulk.run_folder import RunFolder
from mirdemo.bulk.running import CLIPS_PER_TASK
from mirdemo.bulk.worker import TRIES, Plan, Worker
from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.evaluation.sounds import SoundMemory
from mirdemo.sound.audio import load_clip

ROOT = Path(__file__).parents[2]
SPECTRAL = Named("spectral")
ONE = Workers(1)


@pytest.fixture(scope="module")
def spectral():
    return load_backbone("spectral")


def assert_as_local(found, paths, backbone):
    """The rows of ``found`` are those of a plain ``embed`` of these files, with the one thread that a worker has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        local = embed([load_clip(path) for path in paths], backbone)
    finally:
        torch.set_num_threads(threads)
    assert found.identity == local.identity
    assert found.clip_ids == local.clip_ids
    assert found.layer_names == local.layer_names
    for name, rows in local.layers.items():
        np.testing.assert_allclose(found.layers[name], rows, rtol=1e-6, atol=1e-6)
    for i in range(len(local)):
        np.testing.assert_array_equal(found.window_starts(i), local.window_starts(i))


def folders(store):
    return [path.name for path in store.root.iterdir() if path.name.startswith("run-")]


# --- with a cluster -------------------------------------------------------------------------------------------------


def test_two_workers_give_the_rows_of_one_process_and_say_which_file_failed(
    ray_cluster, store, make_clips, spectral, tmp_path
):
    paths = make_clips(14)
    bad = tmp_path / "bad.wav"
    bad.write_text("not sound")
    gone = tmp_path / "gone.wav"
    files = [*paths[:5], bad, *paths[5:], gone, *paths[:6]]  # both workers meet the same clips, too
    seen, said = [], []
    report = embed_files(
        files,
        Diary(str(tmp_path / "diary"), meet=2),
        store=store,
        progress=lambda *told: seen.append(told),
        tell=said.append,
    )
    assert [Path(record.file.path) for record in report.records] == files
    assert_as_local(report.embeddings(store), [*paths, *paths[:6]], spectral)
    assert [record.windows for record in report.records[:5]] == [2, 1, 1, 1, 1]
    assert [problem.code for problem in report.problems] == ["audio.unknown", "audio.missing"]
    assert {sentence.code for sentence in said} == {"audio.unknown", "audio.missing"}
    assert 14 <= report.computed <= 20
    assert len(store) == 14
    assert [path for path in store.root.rglob("*") if path.is_file() and path.suffix != ".safetensors"] == []
    assert len(report.by_worker) == 2
    assert sum(report.by_worker.values()) == len(files)
    assert os.getpid() not in {int(name.rsplit(":", 1)[1]) for name in report.by_worker}
    assert seen[0] == (0, 22, "starting")
    assert seen[-1] == (22, 22, "embedding")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert folders(store) == []


def test_a_killed_worker_loses_nothing_stored_and_repeats_at_most_what_it_had_in_hand(
    ray_cluster, store, make_clips, spectral, tmp_path
):
    paths, diary = make_clips(24, first=2), tmp_path / "diary"
    killed, kept = [], {}

    def kill_one(done: int, total: int, phase: str) -> None:
        passes = read(diary)
        stored = list(store.root.rglob("*.safetensors"))  # which a slow disk has later
        if not killed and len(passes) >= 6 and stored:
            kept.update({path: path.stat().st_ino for path in stored})
            os.kill(passes[-1], signal.SIGKILL)
            killed.append(passes[-1])

    report = embed_files(paths, Diary(str(diary), slow=0.15, meet=2), store=store, progress=kill_one)
    assert killed, "nothing was killed: the test proves nothing"
    assert report.problems == ()
    assert_as_local(report.embeddings(store), paths, spectral)
    windows = sum(record.windows for record in report.records)
    repeated = len(read(diary)) - windows
    assert windows == len(paths)
    # one in hand, and one that the disk had not taken yet
    assert 0 <= repeated <= 2, f"{repeated} windows of {windows} went through a backbone twice"
    assert {path: path.stat().st_ino for path in kept} == kept, "what was stored was written again"
    assert 1 <= report.begun_again <= CLIPS_PER_TASK
    assert len(store) == len(paths)


def test_a_clip_that_ends_every_worker_is_given_up_and_the_others_are_not(
    ray_cluster, store, make_clips, spectral, tmp_path
):
    paths, deadly = make_clips(5), make_clips(1, level=0.95, name="deadly")
    diary = tmp_path / "diary"
    report = embed_files([*paths[:2], *deadly, *paths[2:]], Diary(str(diary)), store=store, workers=ONE)
    assert [problem.code for problem in report.problems] == ["bulk.given_up"]
    assert report.records[2].problem.values == {"name": "deadly-0.wav", "count": TRIES}
    assert_as_local(report.embeddings(store), paths, spectral)
    assert len(read(diary)) <= 6 + 2 * TRIES


def test_a_run_is_cancelled_within_a_batch_and_goes_on_where_it_stopped(
    ray_cluster, store, make_clips, spectral, tmp_path
):
    """What is stored is not computed again by the second, nor decoded where its hash is known."""
    paths, diary = make_clips(20), tmp_path / "diary"

    def cancel(done: int, total: int, phase: str) -> None:
        if len(read(diary)) >= 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        embed_files(paths, Diary(str(diary), slow=0.15), store=store, progress=cancel)
    began, stored = len(read(diary)), len(store)
    assert 0 < stored < len(paths)
    assert folders(store) == []

    clips = [load_clip(path) for path in paths]
    held = store.held(spectral.identity, {clip.sha256 for clip in clips})
    known = next(at for at, clip in enumerate(clips) if clip.sha256 in held)
    files = [ClipFile(str(path)) for path in paths]
    files[known] = ClipFile(str(tmp_path / "moved.wav"), sha256=clips[known].sha256)
    again = tmp_path / "again"
    report = embed_files(files, Diary(str(again)), store=store, workers=ONE)
    assert [record.computed for record in report.records] == [clip.sha256 not in held for clip in clips]
    assert len(read(again)) == sum(record.windows for record in report.records if record.computed)
    assert len(read(diary)) == began, "a worker went on after the cancel"
    assert_as_local(report.embeddings(store), paths, spectral)


@pytest.mark.parametrize(
    ("load", "code", "words"),
    [
        pytest.param(Refusing(), "test.not_here", "It is not here", id="in its own sentence"),
        pytest.param(Broken(), "bulk.worker_failed", "the sun is cold", id="with its reason"),
    ],
)
def test_what_no_worker_can_do_ends_the_run_and_the_next_finds_all_processors_free(
    ray_cluster, store, make_clips, load, code: str, words: str
):
    with pytest.raises(BulkError, match=words) as refusal:
        embed_files(make_clips(2), load, store=store, workers=ONE)
    assert refusal.value.sentence.code == code
    assert folders(store) == []
    # the error, which is held here, holds no worker
    until(lambda: ray_cluster.available_resources().get("CPU") == 2)


def test_the_command_writes_what_it_writes_alone(ray_cluster, make_clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(engine, "load_ray", lambda: print("as Ray does when a worker dies") or ray_cluster)
    paths = list(map(str, make_clips(5)))
    whole = Path(paths[4]).read_bytes()
    Path(paths[4]).write_bytes(whole[: len(whole) // 2])
    bad = tmp_path / "bad.wav"
    bad.write_text("not sound")
    alone, together = tmp_path / "alone.npz", tmp_path / "together.npz"
    assert cli.main(["embed", *paths, "--out", str(alone), "--no-store"]) == cli.SOME_FAILED
    assert "clip-4.wav: This file ends in the middle" in capsys.readouterr().err
    line = ["embed", *paths[:3], str(bad), *paths[3:], "--workers", "2", "--store", str(tmp_path / "store")]
    assert cli.main([*line, "--out", str(together), "--json"]) == cli.SOME_FAILED
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert (said["clips"], said["failed"], said["incomplete"], said["embedded_now"]) == (5, 1, 1, 5)
    assert sum(said["by_worker"].values()) == 6
    assert "bad.wav" in captured.err
    assert "clip-4.wav: This file ends in the middle" in captured.err
    assert "as Ray does" in captured.err
    with np.load(alone, allow_pickle=False) as one, np.load(together, allow_pickle=False) as many:
        assert one.files == many.files
        for name in one.files:
            if name.startswith("layer/"):
                np.testing.assert_allclose(many[name], one[name], rtol=1e-6, atol=1e-6)
            else:
                np.testing.assert_array_equal(many[name], one[name])


def test_an_evaluation_by_workers_gives_the_records_of_one_alone_and_needs_them_once(
    ray_cluster, tmp_path, capsys, monkeypatch
):
    data, checkout = make("lyra", tmp_path)
    line = [
        "evaluate", "--corpus", "lyra", "--data", str(data), "--splits", str(checkout), "--backbone", "spectral",
        "--method", "fewshot", "--shots", "1", "--seeds", "1", "--json",
    ]  # fmt: skip

    def run(*more: str) -> dict:
        assert cli.main([*line, *more]) == cli.DONE
        return json.loads(capsys.readouterr().out)

    places = {kind: str(tmp_path / kind) for kind in ("alone", "together")}
    alone = run("--store", places["alone"], "--results", str(tmp_path / "alone.jsonl"))
    monkeypatch.setenv(
        "MIRDEMO_HOME", str(tmp_path / "other-home")
    )  # which sound a file holds is not known there
    together = [
        "--store",
        places["together"],
        "--results",
        str(tmp_path / "together.jsonl"),
        "--workers",
        "1",
    ]
    first = run(*together)
    assert first["embedded_now"] == alone["embedded_now"] == COUNTS["test"]
    assert len(EmbeddingStore(places["together"])) == COUNTS["test"]
    assert [r["value"] for r in first["records"]] == pytest.approx(
        [r["value"] for r in alone["records"]], abs=1e-6
    )

    monkeypatch.setattr(engine, "load_ray", lambda: pytest.fail("Ray was asked for"))
    assert run(*together, "--again")["embedded_now"] == 0


def test_more_workers_than_fit_are_said_and_none_that_fits_is_refused(ray_cluster, store, make_clips):
    said = []
    with engine.cluster(Workers(count=5), said.append):
        pass
    assert [(sentence.code, sentence.values["room"]) for sentence in said] == [("bulk.fewer", 2)]
    with pytest.raises(BulkError, match="1000 processors") as refusal:
        embed_files(make_clips(1), SPECTRAL, store=store, workers=Workers(cpus=1000))
    assert refusal.value.sentence.code == "bulk.no_room"
    assert folders(store) == []


def test_a_cluster_that_does_not_answer_is_refused_at_once(make_clips, tmp_path, capsys, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is an optional extra (requirements-bulk.txt)")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda *told, **more: pytest.fail("Ray waits five minutes"))
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        line = ["embed", str(make_clips(1)[0]), "--out", str(tmp_path / "rows.npz"), "--workers", "1"]
        assert cli.main([*line, "--ray-address", address]) == cli.REFUSED
    assert "No Ray cluster could be reached" in capsys.readouterr().err


ALONE = """
import json, sys
from pathlib import Path
from mirdemo.bulk import Named, Workers, embed_files
from mirdemo.embedding.store import EmbeddingStore
if __name__ == "__main__":
    report = embed_files(sys.argv[2:], Named("spectral"), store=EmbeddingStore(sys.argv[1]), workers=Workers(1))
    import psutil, ray
    left = [p.cmdline()[:1] for p in psutil.Process().children(recursive=True)]
    print(json.dumps([report.computed, ray.is_initialized(), left]))
"""


def test_a_run_starts_a_cluster_of_its_own_from_any_folder_and_leaves_no_process(tmp_path, make_clips):
    pytest.importorskip("ray", reason="Ray is an optional extra (requirements-bulk.txt)")
    script = tmp_path / "script.py"
    script.write_text(ALONE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "RAY_ADDRESS")}
    done = subprocess.run(
        [
            sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = sys.argv[1:];"
            "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')",
            str(script), str(tmp_path / "store"), *map(str, make_clips(3)),
        ],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == [3, False, []]


# --- without one ----------------------------------------------------------------------------------------------------


def rows(files):
    from dataclasses import asdict

    batch = [json.dumps({"at": at, "file": asdict(ClipFile.whole(file))}) for at, file in enumerate(files)]
    return {"row": batch}


def answers(worker, files):
    return [json.loads(text) for text in worker(rows(files))["answer"]]


@pytest.fixture
def run_folder(store):
    return RunFolder.create(store.root)


def plan(store, run_folder, load=SPECTRAL, devices=("cpu",), **more):
    return Plan(load, devices, str(store.root), store.max_bytes, str(run_folder.path), **more)


def test_a_worker_with_two_devices_uses_both(store, run_folder, make_clips, spectral):
    used = []

    def load(device):
        backbone = load_backbone("spectral", None, "cpu")
        whole = backbone.hidden_states
        backbone.hidden_states = lambda waves: used.append(device) or whole(waves)
        return backbone

    paths = make_clips(4)
    worker = Worker(plan(store, run_folder, load, Workers(gpus=2).devices))
    found = answers(worker, paths)
    assert set(used) == {"cuda:0", "cuda:1"}
    assert [answer["at"] for answer in found] == [0, 1, 2, 3]
    local = embed([load_clip(path) for path in paths], spectral)
    assert [answer["clip_sha256"] for answer in found] == list(local.clip_ids)
    assert list(run_folder.path.iterdir()) == []


def test_clips_that_workers_ended_at_are_embedded_alone_so_that_no_other_is_blamed(
    store, run_folder, make_clips
):
    batches = []

    def load(device):
        backbone = load_backbone("spectral", None, "cpu")
        whole = backbone.hidden_states
        backbone.hidden_states = lambda waves: (
            batches.append(len(list(run_folder.path.iterdir()))) or whole(waves)
        )
        return backbone

    paths = make_clips(5)
    for at, times in ((1, 1), (2, TRIES), (3, TRIES - 1)):
        for _ in range(times):
            run_folder.begin(at)
    found = answers(Worker(plan(store, run_folder, load)), paths)
    assert [answer["begun"] for answer in found] == [0, 1, TRIES, TRIES - 1, 0]
    assert [answer.get("problem", {}).get("code") for answer in found] == [
        None,
        None,
        "bulk.given_up",
        None,
        None,
    ]
    # under way when a window was computed: first the notes of all, at the end one clip beside what was given up
    assert batches[-1] == 2


def test_a_worker_whose_run_was_ended_begins_nothing(store, run_folder, make_clips):
    worker = Worker(plan(store, run_folder))
    run_folder.remove()
    assert answers(worker, make_clips(2)) == []
    assert len(store) == 0


def test_a_store_that_a_worker_does_not_see_is_refused(store, run_folder, make_clips):
    run_folder.remove()
    (answer,) = answers(Worker(plan(store, run_folder)), make_clips(2))
    assert answer["refusal"]["code"] == "bulk.not_shared"


def test_a_worker_says_what_is_to_be_known_of_a_file(store, run_folder, make_clips):
    half, whole = make_clips(2)
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    for computed in (True, False):  # also where the rows are in the store already
        first, second = answers(Worker(plan(store, run_folder)), [half, whole])
        assert [warning["code"] for warning in first["warnings"]] == ["audio.cut_short"]
        assert (first["incomplete"], first["computed"]) == (True, computed)
        assert (second["warnings"], second["incomplete"]) == ([], False)


def test_a_worker_with_another_backbone_is_refused(store, run_folder, make_clips, spectral):
    from dataclasses import replace

    other = replace(spectral.identity, dtype="bfloat16")
    (answer,) = answers(Worker(plan(store, run_folder, identity=other)), make_clips(1))
    assert answer["refusal"]["code"] == "bulk.other_backbone"
    assert "dtype float32 / bfloat16" in answer["refusal"]["values"]["differences"]


def test_rows_are_written_beside_the_work_and_are_on_the_disk_before_the_answer(
    store, run_folder, make_clips, spectral, monkeypatch
):
    """Here the disk takes the first entry only once the next batch is computed."""
    computing = threading.Event()
    written, put = [], EmbeddingStore.put

    def slowly(store, identity, sha256, entry):
        assert computing.wait(60)
        written.append(sha256)
        return put(store, identity, sha256, entry)

    monkeypatch.setattr(EmbeddingStore, "put", slowly)

    def load(device):
        backbone = load_backbone("spectral", None, "cpu")
        whole, batches = backbone.hidden_states, []

        def states(waves):
            batches.append(len(waves))
            if len(batches) == 2:
                computing.set()
            return whole(waves)

        backbone.hidden_states = states
        return backbone

    first, second = answers(Worker(plan(store, run_folder, load)), make_clips(2))
    assert sorted(written) == sorted([first["clip_sha256"], second["clip_sha256"]])
    assert all(store.get(spectral.identity, sha256) is not None for sha256 in written)


def test_what_writing_raises_ends_the_worker_and_is_no_answer(store, run_folder, make_clips, monkeypatch):
    def broken(*_):
        raise MemoryError

    monkeypatch.setattr(EmbeddingStore, "put", broken)
    with pytest.raises(MemoryError):
        answers(Worker(plan(store, run_folder)), make_clips(1))


def test_an_embedding_that_cannot_be_kept_is_a_problem_not_a_row(tmp_path, make_clips):
    small = EmbeddingStore(tmp_path / "small", max_bytes=1_000)
    run_folder = RunFolder.create(small.root)
    (answer,) = answers(Worker(plan(small, run_folder)), make_clips(1))
    assert answer["problem"]["code"] == "bulk.not_kept"
    assert answer["clip_sha256"] is None


def test_a_clip_that_gives_no_finite_values_does_not_take_its_neighbours_with_it(
    store, run_folder, make_clips
):
    def load(device):
        backbone = load_backbone("spectral", None, "cpu")
        whole = backbone.hidden_states
        backbone.hidden_states = lambda waves: [
            state * float("nan") if float(waves.abs().max()) > 0.9 else state for state in whole(waves)
        ]
        return backbone

    paths = [*make_clips(2), *make_clips(1, level=0.95, name="hot"), *make_clips(1, name="last")]
    found = answers(Worker(plan(store, run_folder, load)), paths)
    assert [(answer.get("problem") or {}).get("code") for answer in found] == [
        None, None, "embedding.not_finite", None,
    ]  # fmt: skip
    assert len(store) == 3


def test_a_corpus_that_makes_its_own_sound_needs_no_workers(store, spectral):
    from mirdemo.bulk.corpus import embed_items
    from mirdemo.corpora.synthetic import ControlledCorpus
    from mirdemo.evaluation.sounds import SoundMemory

    with pytest.raises(BulkError) as refusal:
        embed_items(
            ControlledCorpus("makam"), ["test-0"], SPECTRAL, spectral.identity,
            store=store, sounds=SoundMemory(), workers=ONE,
        )  # fmt: skip
    assert refusal.value.sentence.code == "bulk.no_files"


def test_everything_known_and_stored_needs_no_cluster(store, make_clips, spectral, monkeypatch):
    monkeypatch.setattr(engine, "load_ray", lambda: pytest.fail("Ray was asked for"))
    clips = [load_clip(path) for path in make_clips(2)]
    embed(clips, spectral, store=store)
    files = [ClipFile(f"/nowhere/{clip.name}", sha256=clip.sha256) for clip in clips]
    report = embed_files(files, SPECTRAL, store=store, identity=spectral.identity)
    assert [record.clip_sha256 for record in report.records] == [clip.sha256 for clip in clips]
    assert report.computed == 0
    assert_as_local(report.embeddings(store), make_clips(2), spectral)
    assert embed_files([], SPECTRAL, store=store).records == ()


def test_rows_that_the_store_let_go_are_missed_not_invented(store, make_clips, spectral):
    clips = [load_clip(path) for path in make_clips(2)]
    embed(clips, spectral, store=store)
    files = [ClipFile("/nowhere", sha256=clip.sha256) for clip in clips]
    report = embed_files(files, SPECTRAL, store=store, identity=spectral.identity)
    store.forget([clips[1].sha256])
    with pytest.raises(BulkError, match="1 clips are no longer") as refusal:
        report.embeddings(store)
    assert refusal.value.sentence.code == "bulk.evicted"


def test_without_ray_the_package_imports_and_says_how_to_install_it(
    store, make_clips, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    path = str(make_clips(1)[0])
    with pytest.raises(BulkError, match=r"pip install -r requirements-bulk\.txt") as refusal:
        embed_files([path], SPECTRAL, store=store)
    assert refusal.value.sentence.code == "bulk.no_ray"
    assert not store.root.exists()
    line = ["embed", path, "--out", str(tmp_path / "rows.npz"), "--workers", "2"]
    assert cli.main(line) == cli.REFUSED
    assert "requirements-bulk.txt" in capsys.readouterr().err
    assert not (tmp_path / "rows.npz").exists()


def test_importing_it_imports_neither_ray_nor_torch():
    code = "import sys, mirdemo.bulk, mirdemo.cli; mirdemo.cli.parser(); print(sorted({'ray', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"cpus": 0},
        {"gpus": -1},
        {"gpus": 1.5},
        {"gpus": float("nan")},
        {"gpus": float("inf")},
    ],
)
def test_workers_that_nobody_can_have_are_refused(wrong):
    with pytest.raises(BulkError):
        Workers(**wrong)


def test_devices_follow_the_gpus():
    assert Workers(gpus=0).devices == ("cpu",)
    assert Workers(gpus=0.5).devices == ("cuda:0",)
    assert Workers(gpus=2).devices == ("cuda:0", "cuda:1")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--gpus-per-worker", "1"],
        ["--ray-address", "auto"],
        ["--workers", "2", "--no-store"],
        ["--workers", "2", "--device", "cuda:1"],
        ["--workers", "2", "--device", "cpu", "--gpus-per-worker", "1"],
    ],
)
def test_arguments_that_contradict_each_other_are_a_wrong_command_line(wrong, make_clips, tmp_path, capsys):
    line = ["embed", str(make_clips(1)[0]), "--out", str(tmp_path / "rows.npz"), *wrong]
    assert cli.main(line) == cli.USAGE
    assert capsys.readouterr().err.startswith("mirdemo: ")


def test_a_store_that_cannot_be_written_is_refused(tmp_path, make_clips):
    pytest.importorskip("ray", reason="Ray is an optional extra (requirements-bulk.txt)")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(BulkError) as refusal:
        embed_files(make_clips(1), SPECTRAL, store=EmbeddingStore(in_the_way / "store"))
    assert refusal.value.sentence.code == "bulk.no_store"


@pytest.fixture
def here(monkeypatch):
    """Workers in this process, without Ray; what they decode is counted."""
    import contextlib

    decoded: list[str] = []
    clip = ClipFile.clip

    def answers(ray, rows, worker, plan, workers, *, rows_per_task, stop):
        working = worker(plan)
        for row in rows:
            yield from working({"row": [row]})["answer"]

    monkeypatch.setattr(engine, "load_ray", lambda: None)
    monkeypatch.setattr(engine, "cluster", lambda workers, tell: contextlib.nullcontext())
    monkeypatch.setattr(engine, "answers", answers)
    monkeypatch.setattr(ClipFile, "clip", lambda file: decoded.append(file.path) or clip(file))
    return decoded


def test_what_is_in_the_store_is_not_decoded_again_by_a_later_run(
    here, store, make_clips, spectral, tmp_path
):
    paths = make_clips(4)

    def run():
        here.clear()
        return embed_files(
            paths, SPECTRAL, store=store, workers=ONE, sounds=SoundMemory(tmp_path / "sounds.sqlite")
        )

    assert run().computed == 4
    assert len(here) == 4
    again = run()
    assert (again.computed, here) == (0, [])
    assert_as_local(again.embeddings(store), paths, spectral)
    make_clips(1, level=0.2)  # the first file has changed
    assert run().computed == 1
    assert here == [str(paths[0])]
    store.forget([load_clip(paths[1]).sha256])  # known, but its rows are gone
    assert run().computed == 1
    assert here == [str(paths[1])]


def test_a_run_that_is_stopped_remembers_what_it_has_heard_and_goes_on_with_the_rest(
    here, store, make_clips, tmp_path
):
    paths = make_clips(4)
    sounds = SoundMemory(tmp_path / "sounds.sqlite")

    def stopped_after(n: int) -> list[str]:
        def stop(done: int, total: int, phase: str) -> None:
            if done == n:
                raise Cancelled

        here.clear()
        with pytest.raises(Cancelled):
            embed_files(paths, SPECTRAL, store=store, workers=ONE, sounds=sounds, progress=stop)
        return here

    assert stopped_after(2) == [str(path) for path in paths[:2]]
    assert stopped_after(1) == [str(paths[2])], "begun with what was not heard yet"
    here.clear()
    embed_files(paths, SPECTRAL, store=store, workers=ONE, sounds=sounds)
    assert here == [str(paths[3])]


def test_a_run_that_goes_on_asks_for_all_at_once_and_reads_nothing_again(
    here, store, make_clips, spectral, tmp_path, monkeypatch
):
    """Counted, not timed: of a million stored files neither an entry is read, nor does one go to a worker, nor to SQLite alone."""
    paths, sounds = make_clips(12), SoundMemory(tmp_path / "sounds.sqlite")
    embed_files(paths[:10], SPECTRAL, store=store, workers=ONE, sounds=sounds)
    monkeypatch.setattr(running, "MANY_HEARD", 5)
    given, read, asked = [], [], []
    answers, get = engine.answers, EmbeddingStore.get

    def counted(ray, rows, *rest, **more):
        given.append(len(rows))
        return answers(ray, rows, *rest, **more)

    monkeypatch.setattr(engine, "answers", counted)
    monkeypatch.setattr(EmbeddingStore, "get", lambda self, *one: read.append(one) or get(self, *one))
    base = sounds._open()
    base.set_trace_callback(lambda text: asked.append(text) if text.startswith("SELECT") else None)
    here.clear()
    report = embed_files(paths, SPECTRAL, store=store, workers=ONE, sounds=sounds)
    assert (report.computed, given, len(here), len(asked)) == (2, [2], 2, 1)
    assert not {sha256 for _, sha256 in read} & {record.clip_sha256 for record in report.records[:10]}
    assert report.identity == spectral.identity

    for _ in range(2):  # nothing is new: one file says whose rows they are
        given.clear(), read.clear(), asked.clear(), here.clear()
        report = embed_files(paths, SPECTRAL, store=store, workers=ONE, sounds=sounds)
        assert (report.computed, given, len(read), len(here), len(asked)) == (0, [1], 1, 0, 1)
    assert_as_local(report.embeddings(store), paths, spectral)
    store.forget([record.clip_sha256 for record in report.records[3:6]])
    given.clear()
    assert embed_files(paths, SPECTRAL, store=store, workers=ONE, sounds=sounds).computed == 3
    assert given == [1, 3]


def test_a_backbone_out_of_a_package_goes_through_workers_too(
    ray_cluster, make_clips, tmp_path, capsys, monkeypatch
):
    """musicnn, with random weights laid out as its package has them."""
    monkeypatch.setattr(engine, "load_ray", lambda: ray_cluster)
    weights = tiny_musicnn(tmp_path / "checkpoint")
    asked = ["embed", *map(str, make_clips(3)), "--backbone", "musicnn-msd", "--checkpoint", str(weights)]
    alone, together = tmp_path / "alone.npz", tmp_path / "together.npz"
    assert cli.main([*asked, "--out", str(alone), "--no-store"]) == 0
    workers = ["--workers", "1", "--store", str(tmp_path / "store"), "--out", str(together)]
    assert cli.main([*asked, *workers]) == 0
    assert "Clips: 3. Layers: 7." in capsys.readouterr().out
    with np.load(alone, allow_pickle=False) as one, np.load(together, allow_pickle=False) as many:
        assert one.files == many.files
        np.testing.assert_array_equal(many["identity"], one["identity"])
        for name in ("layer/timbral", "layer/penultimate", "layer/logits"):
            assert np.ptp(one[name], axis=0).max() > 0
            np.testing.assert_allclose(many[name], one[name], rtol=1e-4, atol=1e-5)
