"""Rows of many files in one folder: what is read is what was written, whatever ended the writing."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_damage import damaged, mutations
from text_damage import json_damaged, read_or_refused, text_damaged

from mirdemo.backbones import load_backbone
from mirdemo.base.sentences import Cancelled, Sentence
from mirdemo.embedding import streaming
from mirdemo.embedding.embed import embed
from mirdemo.embedding.filling import fill, sizes_of
from mirdemo.embedding.rows import FileRows, RowFolder, RowsError, stamp_of, write_npz
from mirdemo.embedding.streaming import GROUP_CLIPS, embed_stream
from mirdemo.search import find
from mirdemo.sound.audio import Clip, load_clip
from mirdemo.words.durations import time_of
from mirdemo.words.language import speaker

RATE = 22_050
SIZES = {"a": 3, "b": 2}


@pytest.fixture(scope="module")
def spectral():
    return load_backbone("spectral")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Five of unlike length and sound; the third is half a file, the fourth none."""
    made = []
    for i, seconds in enumerate((1.0, 13.0, 2.0, 0.0, 1.5)):
        path = tmp_path / f"{i}.wav"
        noise = np.random.default_rng(i).standard_normal(round(seconds * RATE)).astype(np.float32)
        soundfile.write(path, 0.1 * noise, RATE)
        made.append(str(path))
    Path(made[2]).write_bytes(Path(made[2]).read_bytes()[:50_000])
    Path(made[3]).write_bytes(b"no sound")
    return made


def numbered(first: int, count: int) -> dict[str, np.ndarray]:
    return {
        name: (100.0 * first + np.arange(count * size, dtype=np.float32)).reshape(count, size)
        for name, size in SIZES.items()
    }


def written(folder: RowFolder) -> None:
    for i, count in enumerate((2, 0, 1, 3)):
        problem = None if count else Sentence("{name} is bad.", "test.bad", {"name": "x"})
        folder.append(
            FileRows(f"{i}.wav", f"{i}:0", 0, count, f"{i}" * 64, (0.5,) * count, 2.0, problem=problem),
            numbered(i, count),
        )


def test_what_is_read_is_what_was_written(tmp_path, spectral):
    with RowFolder.writing(tmp_path / "r", spectral.identity, SIZES, "window") as folder:
        written(folder)
    found = RowFolder.reading(tmp_path / "r")
    assert (found.identity, dict(found.layers), found.each, found.count) == (
        spectral.identity, SIZES, "window", 6,
    )  # fmt: skip
    assert [(f.path, f.first, f.count) for f in found.files.values()] == [
        ("0.wav", 0, 2), ("1.wav", 2, 0), ("2.wav", 2, 1), ("3.wav", 3, 3),
    ]  # fmt: skip
    assert found.files == folder.files
    assert str(found.files["1.wav"].problem) == "x is bad."
    for name in SIZES:
        expected = np.concatenate([numbered(i, count)[name] for i, count in ((0, 2), (2, 1), (3, 3))])
        np.testing.assert_array_equal(found.matrix(name), expected)


@pytest.mark.parametrize("lost", ["half a line", "a row", "a line"])
def test_what_a_killed_writer_left_is_cut_off_and_the_rest_goes_on(tmp_path, spectral, lost):
    place = tmp_path / "r"
    with RowFolder.writing(place, spectral.identity, SIZES, "window") as folder:
        written(folder)
    victim = place / ("0.f32" if lost == "a row" else "files.jsonl")
    content = victim.read_bytes()
    keep = content[: content[:-1].rfind(b"\n") + 1] if lost == "a line" else content[:-5]
    victim.write_bytes(keep)
    with RowFolder.writing(place, spectral.identity, SIZES, "window") as again:
        assert (again.count, list(again.files)) == (3, ["0.wav", "1.wav", "2.wav"])
        again.append(FileRows("4.wav", "4:0", 0, 1, starts=(0.0,)), numbered(4, 1))
    found = RowFolder.reading(place)
    for name in SIZES:
        expected = np.concatenate([numbered(i, count)[name] for i, count in ((0, 2), (2, 1), (4, 1))])
        np.testing.assert_array_equal(found.matrix(name), expected)


def test_a_folder_of_something_else_is_left_alone(tmp_path, spectral):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "letter.txt").write_text("dear")
    for use in (
        lambda: RowFolder.reading(tmp_path / "r"),
        lambda: RowFolder.writing(tmp_path / "r", spectral.identity, SIZES, "clip").__enter__(),
        lambda: RowFolder.reading(tmp_path / "none"),
    ):
        with pytest.raises(RowsError):
            use()
    assert [p.name for p in (tmp_path / "r").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "rows.json").write_text("{"),
        lambda place: (place / "rows.json").write_text(json.dumps({"format": "mirdemo-rows-9"})),
        lambda place: (place / "rows.json").write_text("[]"),
        lambda place: (place / "files.jsonl").write_text('{"count": -1, "path": "x"}\n'),
        lambda place: (place / "files.jsonl").write_text("nonsense\n"),
        lambda place: (place / "files.jsonl").write_bytes(b"\xff\xfe\n"),
    ],
)
def test_a_damaged_folder_is_refused_in_a_sentence(tmp_path, spectral, change):
    with RowFolder.writing(tmp_path / "r", spectral.identity, SIZES, "window") as folder:
        written(folder)
    change(tmp_path / "r")
    with pytest.raises(RowsError):
        RowFolder.reading(tmp_path / "r")


def test_a_mutated_folder_is_read_whole_or_refused_and_never_written_to_by_half(tmp_path, spectral):
    """Of what is read every place can be found and every sentence said; what is refused stays what it is."""
    place, read = tmp_path / "r", 0
    with RowFolder.writing(place, spectral.identity, SIZES, "window") as folder:
        written(folder)
    whole = {name: (place / name).read_bytes() for name in ("rows.json", "files.jsonl", "0.f32", "1.f32")}
    lines = [json.loads(line) for line in whole["files.jsonl"].splitlines()]
    lines[2]["warnings"] = [{"template": "{n} s", "code": "test.n", "values": {"n": 3}}]
    facts = json.loads(whole["rows.json"])
    for number in range(tries := mutations(200)):
        rng = np.random.default_rng(number)
        now = dict(whole)
        match number % 4:
            case 0:
                now["rows.json"] = json.dumps(json_damaged(facts, rng)).encode()
            case 1:
                name = ("rows.json", "files.jsonl")[number % 8 == 1]
                now[name] = text_damaged(whole[name], rng)
            case 2:
                told = (json.dumps(line) + "\n" for line in json_damaged(lines, rng))
                now["files.jsonl"] = "".join(told).encode()
            case 3:
                name = ("0.f32", "1.f32", "files.jsonl")[int(rng.integers(3))]
                now[name] = damaged(whole[name], whole["0.f32"], rng)
        for name, content in now.items():
            (place / name).write_bytes(content)
        found = read_or_refused(lambda: RowFolder.reading(place), RowsError)
        if found is None:
            with pytest.raises(RowsError), RowFolder.writing(place, spectral.identity, SIZES, "window"):
                pass
            assert {name: (place / name).read_bytes() for name in now} == now
            continue
        read += 1
        for layer, size in found.layers.items():
            hits = find(found, layer, np.ones((1, size), np.float32), 9, every_window=True)
            assert all(time_of(hit.start) and time_of(hit.end) for hit in hits)
        said = [one for file in found.files.values() for one in (*file.warnings, file.problem) if one]
        assert all(speaker("ja").say(one) for one in said)
    assert tries // 10 < read < tries


def test_other_rows_and_another_writer_are_refused(tmp_path, spectral):
    with (
        RowFolder.writing(tmp_path / "r", spectral.identity, SIZES, "window"),
        pytest.raises(RowsError, match="another program"),
    ):
        RowFolder.writing(tmp_path / "r", spectral.identity, SIZES, "window").__enter__()
    with pytest.raises(RowsError, match="made otherwise"):
        RowFolder.writing(tmp_path / "r", spectral.identity, SIZES, "clip").__enter__()


def test_a_stream_gives_what_embed_gives_and_says_why_a_source_gave_nothing(files, spectral):
    groups = list(embed_stream(files, load_clip, spectral))
    rows = [row for group in groups for row in group.rows()]
    assert [source for source, _, _ in rows] == files
    assert [clip.code for _, clip, _ in rows if isinstance(clip, Sentence)] == ["audio.unknown"]
    whole = embed([load_clip(path) for path in files if not path.endswith("3.wav")], spectral)
    for name, matrix in whole.layers.items():
        found = np.concatenate([group.embeddings.matrix(name) for group in groups])
        np.testing.assert_allclose(found, matrix, rtol=1e-5, atol=1e-5)


def test_a_clip_that_a_backbone_cannot_take_is_a_sentence_and_its_neighbours_are_embedded(spectral):
    spoilt = load_backbone("spectral")
    whole = spoilt.hidden_states
    spoilt.hidden_states = lambda waves: [
        state * float("nan") if float(waves.abs().max()) > 0.9 else state for state in whole(waves)
    ]
    tones = [level * np.sin(np.arange(RATE) / 9, dtype=np.float32) for level in (0.5, 1.0, 0.4)]
    clips = [Clip.of(tone, RATE, f"{i}.wav") for i, tone in enumerate(tones)]
    (group,) = embed_stream(range(3), clips.__getitem__, spoilt)
    assert [isinstance(clip, Sentence) for clip in group.clips] == [False, True, False]
    assert group.clips[1].code == "embedding.not_finite"
    assert len(group.embeddings) == 2


def test_few_files_are_read_ahead_and_none_after_the_end(files, spectral):
    """Whoever stops after the first group has not had the whole archive decoded."""
    read, clip = [], load_clip(files[0])
    lock = threading.Lock()

    def reading(source: int) -> Clip:
        with lock:
            read.append(source)
        return clip

    stream = embed_stream(range(10_000), reading, spectral)
    assert len(next(stream).clips) == GROUP_CLIPS
    stream.close()
    assert len(read) < 200
    large = embed_stream(range(10_000), reading, spectral, size=lambda source: 10**9)
    read.clear()
    next(large)
    large.close()
    assert len(read) <= GROUP_CLIPS + 1


def test_a_folder_is_filled_once_and_a_changed_file_again(tmp_path, files, spectral):
    sizes, told = sizes_of(spectral.spec), []
    with RowFolder.writing(tmp_path / "r", spectral.identity, sizes, "clip") as folder:
        first = fill(folder, files, spectral, tell=told.append)
        assert (first.computed, first.kept, first.failed, first.incomplete) == (4, 0, 1, 1)
        assert {one.code for one in told} == {"audio.of_file", "audio.unknown"}
        again = fill(folder, files, spectral)
        assert (again.computed, again.kept, again.failed, again.incomplete) == (0, 4, 1, 1)
    soundfile.write(files[3], np.random.default_rng(9).standard_normal(RATE) * 0.1, RATE)
    soundfile.write(files[0], np.random.default_rng(8).standard_normal(RATE // 2) * 0.1, RATE)
    with RowFolder.writing(tmp_path / "r", spectral.identity, sizes, "clip") as folder:
        mended = fill(folder, files, spectral)
        assert (mended.computed, mended.kept, mended.failed) == (2, 3, 0)
        write_npz(tmp_path / "r.npz", folder, files, {"clip": np.array(files)})
    local = embed([load_clip(path) for path in files], spectral)
    with np.load(tmp_path / "r.npz", allow_pickle=False) as found:
        assert found["clip"].tolist() == files
        for name, matrix in local.layers.items():
            np.testing.assert_allclose(found[f"layer/{name}"], matrix, rtol=1e-5, atol=1e-5)


def test_windows_of_one_layer_with_their_starts(tmp_path, files, spectral):
    with RowFolder.writing(
        tmp_path / "r", spectral.identity, sizes_of(spectral.spec, "timbre"), "window"
    ) as folder:
        fill(folder, files, spectral)
    found = RowFolder.reading(tmp_path / "r")
    local = embed([load_clip(files[1])], spectral)
    line = found.files[files[1]]
    assert line.count == len(local.window_starts(0)) > 1
    assert line.starts == tuple(local.window_starts(0))
    np.testing.assert_allclose(
        found.matrix("timbre")[line.first : line.first + line.count],
        local.windows(0)["timbre"],
        rtol=1e-5,
        atol=1e-5,
    )


def test_what_was_stopped_goes_on(tmp_path, files, spectral, monkeypatch):
    from mirdemo.embedding import streaming

    monkeypatch.setattr(streaming, "GROUP_CLIPS", 2)

    def stop(done, total, phase):
        if done == 2:
            raise Cancelled

    sizes = sizes_of(spectral.spec)
    with (
        pytest.raises(Cancelled),
        RowFolder.writing(tmp_path / "r", spectral.identity, sizes, "clip") as folder,
    ):
        fill(folder, files, spectral, progress=stop)
    with RowFolder.writing(tmp_path / "r", spectral.identity, sizes, "clip") as folder:
        assert list(folder.files) == files[:2]
        assert fill(folder, files, spectral).computed == 2


def test_a_stamp_tells_a_changed_file_and_another_track(files):
    before = stamp_of(files[0])
    assert stamp_of(files[0], 2) != before
    Path(files[0]).write_bytes(b"other")
    assert stamp_of(files[0]) != before
    assert stamp_of("none.wav") == ""


@pytest.mark.parametrize(("cores", "readers"), [(1, 1), (2, 2), (3, 3), (4, 4), (64, 4)])
def test_as_many_read_as_there_are_cores_and_four_at_most(cores: int, readers: int, monkeypatch):
    begun = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers: int, **more: str) -> None:
            begun.append(workers)
            super().__init__(workers, **more)

    monkeypatch.setattr(streaming.threads, "cores", lambda: cores)
    monkeypatch.setattr(streaming, "ThreadPoolExecutor", Pool)
    assert list(streaming.embed_stream([], lambda source: None, None)) == []
    assert begun == [readers]
