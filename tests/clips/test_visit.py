"""A saved visit: everything comes back, or a sentence and nothing."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mirdemo.base.manifests import checksum
from mirdemo.base.sentences import Cancelled, Sentence
from mirdemo.clips import CLIP_LIMITS, ClipLimits, ClipsError, LabelledClips
from mirdemo.clips.visit import is_visit, read_visit, write_visit
from mirdemo.sound.audio import Clip

GOLDEN = Path(__file__).parents[1] / "golden"


def tone(pitch: float, name: str, seconds: float = 0.5, **more) -> Clip:
    wave = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(8_000 * seconds)) / 8_000)
    return Clip.of(wave.astype(np.float32), 8_000, name, **more)


def some() -> LabelledClips:
    """Two files called alike, a piece of a longer one, an odd name, a warning, no tags, Japanese, a formula."""
    night = tone(330, "night.mp3", 2.0)
    clips = [
        tone(220, "taiko.wav"),
        tone(230, "taiko.wav"),
        night.cut(0.5, 1.25),
        tone(440, "..\\笛: 一?.wav", warnings=(Sentence("Too {times:.0f}.", "audio.loud", {"times": 5.0}),)),
        tone(500, "=1+1.wav"),
    ]
    made = LabelledClips.from_clips(
        clips,
        [["taiko", "fast, very"], ["taiko"], ["voice"], ["笛", "none"], []],
        ["r1", "r2", "night", None, "=r"],
        ["evening", "evening", "", "", ""],
    )
    return made.set_session([0, 1], "evening")


def same(one: LabelledClips, other: LabelledClips) -> bool:
    told = [
        [
            [(c.sha256, c.name, c.start_seconds, [str(w) for w in c.warnings]) for c in set.clips],
            set.tags,
            set.labels.tolist(),
            set.recordings,
            set.sessions,
            [set._is_given(row) for row in range(len(set))],
        ]
        for set in (one, other)
    ]
    return told[0] == told[1]


def written(clips: LabelledClips, *args, **more) -> bytes:
    out = io.BytesIO()
    write_visit(out, clips, *args, **more)
    return out.getvalue()


def test_clips_labels_results_and_queries_come_back():
    clips, query, rows = some(), tone(700, "query.wav"), np.arange(6.0).reshape(2, 3)
    visit = read_visit(
        written(clips, {"plan": {"wage": 3}}, {"rows": rows}, [query, clips.clips[0]]), "v.zip"
    )
    assert same(visit.labelled(), clips)
    assert visit.parts == {"plan": {"wage": 3}}
    assert visit.arrays["rows"].tolist() == rows.tolist()
    assert set(visit.sounds) == {clip.sha256 for clip in (*clips.clips, query)}
    assert visit.missing == ()


def test_it_is_a_zip_of_labelled_clips_for_everybody():
    clips = some()
    data = written(clips, {"plan": {}}, {}, [tone(700, "query.wav")])
    plain = LabelledClips.from_zip(data, "v.zip")
    assert plain.problems == ()
    assert (plain.tags, plain.recordings, plain.sessions) == (clips.tags, clips.recordings, clips.sessions)
    assert plain.labels.tolist() == clips.labels.tolist()
    assert [clip.sha256 for clip in plain.clips] == [clip.sha256 for clip in clips.clips]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}, (
            "read by all, run by none"
        )
        assert archive.read("labels.csv").decode("utf-8-sig").startswith("file,tags,recording,session\r\n")


def test_an_empty_set_and_one_of_odd_names_alone_come_back():
    for clips in (LabelledClips(), LabelledClips.from_clips([tone(200, "...")], [[]])):
        assert same(read_visit(written(clips)).labelled(), clips)


def test_a_visit_packed_again_within_a_folder_is_read():
    data = written(some())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as was, zipfile.ZipFile(out, "w") as now:
        for name in was.namelist():
            now.writestr(f"my visit/{name}", was.read(name))
    assert same(read_visit(out.getvalue()).labelled(), some())


# ---- without sound --------------------------------------------------------------------------------------


def test_without_sound_the_files_are_matched_by_their_hash_under_any_name():
    clips = some()
    data = written(clips, with_sound=False)
    assert len(data) < 10_000
    visit = read_visit(data)
    assert [one.name for one in visit.missing] == [clip.name for clip in clips.clips]
    with pytest.raises(ClipsError) as waits:
        visit.labelled()
    assert waits.value.sentence.code == "clips.visit_waits"
    night = tone(330, "night.mp3", 2.0)  # the piece was cut from it
    others = [tone(p, f"renamed {p}.wav") for p in (220, 230, 440, 500)]
    visit = visit.found_among([*others, night])
    assert visit.missing == ()
    assert same(visit.labelled(), clips)


def test_without_sound_a_part_of_a_file_that_has_another_name_now_is_known_by_its_sound():
    night, other = tone(330, "night.mp3", 2.0), tone(350, "other.mp3", 2.0)
    parts = [night.cut(0.5, 1.25), night.cut(1.5, 2.0)]
    visit = read_visit(written(LabelledClips.from_clips(parts, [["a"], ["b"]]), with_sound=False))
    assert len(visit.found_among([other]).missing) == 2
    found = visit.found_among([other, replace(night, name="2024-08-13.mp3")])
    assert [clip.name for clip in found.labelled().clips] == ["night.mp3", "night.mp3"]
    assert [clip.sha256 for clip in found.labelled().clips] == [part.sha256 for part in parts]


def test_a_file_that_another_decoder_reads_a_little_differently_is_known_by_name_and_shape():
    clips = LabelledClips.from_clips([tone(220, "taiko.mp3"), tone(440, "flute.mp3")], [["a"], ["b"]])
    visit = read_visit(written(clips, with_sound=False))
    near = Clip.of(clips.clips[0].samples + np.float32(1e-6), 8_000, "taiko.mp3")
    other = Clip.of(np.linspace(1, 0, 5_600) * tone(440, "flute.mp3", 0.7).samples, 8_000, "flute.mp3")
    visit = visit.found_among([near, other])
    assert [one.name for one in visit.missing] == ["flute.mp3"]
    assert visit.new_ids() == {clips.clips[0].sha256: near.sha256}
    assert visit.without_missing().labelled().tags == ("a",)


# ---- what is wrong --------------------------------------------------------------------------------------


def changed(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def forged(files: dict[str, bytes], /, **more) -> None:
    """Another manifest, with a checksum that fits."""
    manifest = {**json.loads(files["visit.json"]), **more}
    for name, told in manifest["files"].items() if isinstance(manifest.get("files"), dict) else ():
        if name in files and isinstance(told, dict):
            told["sha256"] = hashlib.sha256(files[name]).hexdigest()
    manifest["checksum"] = checksum(manifest)
    files["visit.json"] = json.dumps(manifest).encode()


def sounds(files: dict[str, bytes], /, **more) -> list[dict]:
    return [{**one, **more} for one in json.loads(files["visit.json"])["sounds"]]


def put(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: content})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda files: files.pop("visit.json"), "lacks"),
        (lambda files: files.pop("labels.csv"), "lacks"),
        (lambda files: files.pop("results/plan.json"), "lacks"),
        (lambda files: files.pop("audio/taiko.wv"), "lacks"),
        (put("visit.json", b"[]"), "unreadable"),
        (put("visit.json", b"{"), "unreadable"),
        (put("visit.json", b"[" * 100_000), "unreadable"),
        (put("visit.json", b'{"format": "mirdemo-visit", "format_version": 1}'), "changed"),
        (put("labels.csv", b"file,tags,recording\n"), "changed"),
        (put("results/plan.json", b"{}"), "changed"),
        (lambda files: forged(files, format="zip"), "unreadable"),
        (lambda files: forged(files, format_version=2), "newer"),
        (lambda files: forged(files, format_version=True), "unreadable"),
        (lambda files: forged(files, format_version="1"), "unreadable"),
        (lambda files: forged(files, files=[]), "unreadable"),
        (lambda files: forged(files, sounds=[]), "unreadable"),
        (lambda files: forged(files, sounds=None), "unreadable"),
        (lambda files: forged(files, sounds=sounds(files)[1:]), "unreadable"),
        (lambda files: forged(files, sounds=sounds(files, sha256="0" * 64)), "changed"),
        (lambda files: forged(files, sounds=sounds(files, file="../../secret.wav")), "lacks"),
        (lambda files: forged(files, sounds=sounds(files, file="labels.csv")), "unreadable"),
        (lambda files: forged(files, sounds=sounds(files, sample_rate=0)), "unreadable"),
        (lambda files: forged(files, sounds=sounds(files, frames=10**15)), "unreadable"),
        (lambda files: forged(files, sounds=sounds(files, start_seconds=float(10**9))), "unreadable"),
        (lambda files: forged(files, sounds=sounds(files, name=7)), "unreadable"),
        (
            lambda files: forged(
                files, sounds=sounds(files, warnings=[{"template": "{a.b}", "code": "x", "values": {}}])
            ),
            "unreadable",
        ),
        (lambda files: (files.update({"labels.csv": b"nothing"}), forged(files)), "unreadable"),
        (lambda files: (files.update({"results/plan.json": b"{'"}), forged(files)), "unreadable"),
        (lambda files: (files.update({"results/plan.json": b'{"a": NaN}'}), forged(files)), "unreadable"),
        (
            lambda files: (files.update({"results/arrays.safetensors": b"\xff" * 99}), forged(files)),
            "unreadable",
        ),
    ],
)
def test_what_was_changed_is_refused_with_a_sentence(change, code: str):
    clips = some()
    data = changed(written(clips, {"plan": {"wage": 3}}, {"rows": np.zeros(3)}), change)
    with pytest.raises(ClipsError) as refused:
        read_visit(data, "v.zip")
    assert refused.value.sentence.code == f"clips.visit_{code}"


def test_a_size_that_lies_and_bytes_that_are_damaged_are_refused():
    data = bytearray(written(some(), {"plan": {}}))
    directory = data.rindex(b"PK\x01\x02")  # the last file's, visit.json
    lying = bytes(data[: directory + 24]) + (40).to_bytes(4, "little") + bytes(data[directory + 28 :])
    huge = bytes(data[: directory + 24]) + (2**31).to_bytes(4, "little") + bytes(data[directory + 28 :])
    data[data.index(b"audio/") + 60] ^= 0xFF
    for broken in (lying, huge, bytes(data), bytes(data[:-30]), b"PK\x03\x04"):
        with pytest.raises(ClipsError):
            read_visit(broken, "v.zip")


def test_bytes_changed_anywhere_never_open_something_else():
    clips = some()
    data = written(clips, {"plan": {"wage": 3}}, {"rows": np.zeros(3)}, with_sound=False)
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        broken = bytearray(data)
        for at in random.integers(len(broken), size=random.integers(1, 4)):
            broken[at] = random.integers(256)
        try:
            visit = read_visit(bytes(broken), "v.zip")
        except ClipsError:
            refused += 1
            continue
        assert [(e.sha256, e.tags, e.recording) for e in visit.entries] == [
            (clip.sha256, clips.tags_of(i), clips.recordings[i]) for i, clip in enumerate(clips.clips)
        ]
        assert visit.parts == {"plan": {"wage": 3}}
    assert refused > 100


def test_more_than_may_be_held_is_refused_as_a_whole():
    for limits in (ClipLimits(max_clips=3), ClipLimits(max_seconds=1.0), ClipLimits(max_tags=1)):
        with pytest.raises(ClipsError):
            read_visit(written(some()), limits=limits)


def test_a_visit_is_told_from_other_zips():
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("taiko/deep/visit.json", "{}")
    assert is_visit(written(some()))
    assert not is_visit(plain.getvalue())
    assert not is_visit(b"RIFF....WAVE")


def test_saving_can_be_stopped():
    def stop(done: int, total: int, phase: str) -> None:
        if done == 2:
            raise Cancelled()

    with pytest.raises(Cancelled):
        write_visit(io.BytesIO(), some(), progress=stop)


@pytest.mark.parametrize("name", ["visit-1.zip", "visit-1-hashes.zip"])
def test_visits_of_every_format_ever_saved_are_opened(name: str):
    """The files are kept byte for byte: a changed format needs a new one beside them."""
    digests = {
        "visit-1.zip": "6ae862e6ec043ba8b1de30dc757472a5796a4d99f0e542bee495402390edf0d7",
        "visit-1-hashes.zip": "892eacfc99a621ce9443980ea1bc7f8bebf0e8afb1fcc9e58f1718c48d16a840",
    }
    data = (GOLDEN / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == digests[name]
    visit = read_visit(data, name).found_among([*some().clips, tone(700, "query.wav")])
    assert same(visit.labelled(CLIP_LIMITS), some())
    assert visit.parts["plan"] == {"assumptions": {"wage": 3.0}, "rows": {"$": "array", "in": "rows"}}
    assert visit.arrays["rows"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
