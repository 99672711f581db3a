"""Tags into the files' own metadata: the sound stays what it was to the byte, what stood there stays, and all goes back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from sound_damage import mutations
from text_damage import text_damaged

from mirdemo.sound.audio import load_clip
from mirdemo.tagger import TaggerError
from mirdemo.tagger.writing import UndoFile, sound_digest, take_back, write_tags

mutagen = pytest.importorskip("mutagen", reason="an optional extra (requirements-tags.txt)")

RATE = 44_100
KINDS = ("wav", "aiff", "tta", "flac", "ogg", "oga", "opus", "mp3", "m4a", "wv", "wma")
_BY_FFMPEG = {
    "mp3": "mp3",
    "m4a": "aac",
    "opus": "libopus",
    "wv": "wavpack",
    "wma": "wmav2",
    "tta": "tta",
    "oga": "flac",
}
_FORMATS = {"m4a": "ipod", "wma": "asf", "oga": "ogg"}


def music(path: Path, kind: str) -> Path:
    rng = np.random.default_rng(1)
    wave = (0.2 * np.sin(np.arange(2 * RATE) / 20) + 0.02 * rng.standard_normal(2 * RATE)).astype(np.float32)
    if kind not in _BY_FFMPEG:
        soundfile.write(path, wave, RATE, format=kind.upper())
        return path
    rate = 48_000 if kind == "opus" else RATE
    with av.open(str(path), "w", format=_FORMATS.get(kind, kind)) as file:
        stream = file.add_stream(_BY_FFMPEG[kind], rate=rate, layout="mono")
        stream.bit_rate = 96_000
        frame = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.codec_context.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


_COLUMNS = {
    "wav": 0,
    "aiff": 0,
    "tta": 0,
    "mp3": 0,
    "flac": 1,
    "ogg": 1,
    "oga": 1,
    "opus": 1,
    "m4a": 2,
    "wv": 3,
    "wma": 4,
}
_NAMES = {
    "grouping": ("TIT1", "grouping", "\xa9grp", "Grouping", "WM/ContentGroupDescription"),
    "genre": ("TCON", "genre", "\xa9gen", "Genre", "WM/Genre"),
    "title": ("TIT2", "title", "\xa9nam", "Title", "Title"),
}


def read(path: Path, field: str = "grouping") -> list[str]:
    """As other programs find it: by the name that each kind of metadata has for it."""
    found = (mutagen.File(path).tags or {}).get(_NAMES[field][_COLUMNS[path.suffix[1:]]], [])
    return [str(value) for value in getattr(found, "text", found)]


@pytest.mark.parametrize("kind", KINDS)
def test_tags_are_added_the_sound_stays_and_all_goes_back(tmp_path: Path, kind: str):
    path = music(tmp_path / f"matsuri.{kind}", kind)
    told: list = []
    before, clip, packets = read(path), load_clip(path), sound_digest(path)
    content = path.read_bytes()
    with UndoFile(tmp_path / "undo.jsonl") as undo:
        assert write_tags(path, ["笛", "drum, big", "笛"], undo)
        assert not write_tags(path, ["笛"], undo)  # it is there already
        assert write_tags(path, ["late"], undo)
    assert read(path) == [*before, "笛", "drum, big", "late"]
    assert path.read_bytes() != content
    assert sound_digest(path) == packets
    assert load_clip(path).sha256 == clip.sha256
    assert load_clip(path).warnings == clip.warnings
    assert take_back(undo, told.append) == (1, 0)
    assert read(path) == before
    assert sound_digest(path) == packets
    assert take_back(undo, told.append) == (0, 0)
    assert told == []
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([path.name, "undo.jsonl"])


@pytest.mark.parametrize("kind", ["mp3", "flac", "m4a", "wv", "wav"])
def test_what_stands_there_stays(tmp_path: Path, kind: str):
    path = music(tmp_path / f"a.{kind}", kind)
    file = mutagen.File(path, easy=True)
    if kind == "wav":
        from mutagen.id3 import TCON, TIT2

        file.add_tags()
        file.tags.add(TIT2(encoding=3, text=["お囃子"]))
        file.tags.add(TCON(encoding=3, text=["Folk"]))
    else:
        if file.tags is None:
            file.add_tags()
        file["title" if kind != "wv" else "Title"] = ["お囃子"]
        file["genre" if kind != "wv" else "Genre"] = ["Folk"]
    file.save()
    with UndoFile(tmp_path / "undo.jsonl") as undo:
        write_tags(path, ["taiko"], undo, "genre")
    assert read(path, "genre") == ["Folk", "taiko"]
    take_back(undo, print)
    assert read(path, "genre") == ["Folk"]
    assert read(path, "title") == ["お囃子"]


def test_an_id3_tag_keeps_its_version(tmp_path: Path):
    path = music(tmp_path / "a.mp3", "mp3")
    from mutagen.id3 import ID3, TIT2

    for version in (3, 4):
        tags = ID3()
        tags.add(TIT2(encoding=1, text=["x"]))
        tags.save(path, v2_version=version)
        with UndoFile(tmp_path / "undo.jsonl") as undo:
            write_tags(path, ["笛", "taiko"], undo)
        assert ID3(path).version[:2] == (2, version)
        assert read(path) == ["笛", "taiko"]
        take_back(undo, print)
        (tmp_path / "undo.jsonl").unlink()


def id3v1(title: bytes, comment: bytes, genre: int) -> bytes:
    """The older tag of MP3 files, in whatever encoding."""
    return (
        b"TAG"
        + title.ljust(30, b"\0")
        + bytes(60)
        + b"1999"
        + comment.ljust(28, b"\0")
        + bytes((0, 7, genre))
    )


@pytest.mark.parametrize("end", [id3v1(b"Ondo", b"by hand", 17), id3v1("太鼓".encode("cp932"), b"", 255)])
def test_the_older_tag_at_an_mp3s_end_stays_and_all_goes_back(tmp_path: Path, end: bytes):
    """Also where its writer's machine was a Japanese one; its comment is not lost, and no newer tag is left behind."""
    path = music(tmp_path / "a.mp3", "mp3")
    mutagen.File(path).delete()
    path.write_bytes(path.read_bytes() + end)
    content = path.read_bytes()
    genre = read(path, "genre")
    with UndoFile(tmp_path / "undo.jsonl") as undo:
        assert write_tags(path, ["taiko"], undo)
        assert write_tags(path, ["笛"], undo, "genre")
    assert read(path) == ["taiko"]
    assert read(path, "genre") == [*genre, "笛"]
    assert path.read_bytes()[-128:] == end
    assert take_back(undo, print) == (2, 0)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_metadata_that_two_fields_began_goes_with_both(tmp_path: Path, kind: str):
    path = music(tmp_path / f"a.{kind}", kind)
    if kind == "mp3":
        mutagen.File(path).delete()
    content = path.read_bytes()
    with UndoFile(tmp_path / "undo.jsonl") as undo:
        write_tags(path, ["taiko"], undo, "genre")
        write_tags(path, ["taiko"], undo)
    assert take_back(undo, print) == (2, 0)
    assert path.read_bytes() == content


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch):
    path = music(tmp_path / "a.flac", "flac")
    content = path.read_bytes()
    monkeypatch.setattr("mirdemo.tagger.writing.os.access", lambda place, how: False)  # as for all but root
    with UndoFile(tmp_path / "undo.jsonl") as undo, pytest.raises(TaggerError, match="Permission denied"):
        write_tags(path, ["taiko"], undo)
    assert path.read_bytes() == content
    assert undo.changes() == []


def test_what_was_changed_since_is_left_alone(tmp_path: Path):
    path, told = music(tmp_path / "a.flac", "flac"), []
    with UndoFile(tmp_path / "undo.jsonl") as undo:
        write_tags(path, ["taiko"], undo)
    file = mutagen.File(path)
    file["grouping"] = ["by hand"]
    file.save()
    assert take_back(undo, told.append) == (0, 1)
    assert [one.code for one in told] == ["tagger.changed_since"]
    assert read(path) == ["by hand"]
    path.unlink()
    assert take_back(undo, told.append) == (0, 1)
    assert told[-1].code == "tagger.file_gone"


@pytest.mark.parametrize("name", ["a.au", "a.txt", "a.caf", "gone.flac"])
def test_a_kind_without_tags_is_refused_and_stays_what_it_is(tmp_path: Path, name: str):
    path = tmp_path / name
    if name == "a.txt":
        path.write_text("no sound")
    elif name != "gone.flac":
        soundfile.write(path, np.zeros(RATE, np.float32), RATE, format=path.suffix[1:].upper())
    content = path.read_bytes() if path.exists() else None
    with UndoFile(tmp_path / "undo.jsonl") as undo, pytest.raises(TaggerError, match="Nothing was written"):
        write_tags(path, ["taiko"], undo)
    assert (path.read_bytes() if path.exists() else None) == content
    assert (tmp_path / "undo.jsonl").read_bytes() == b""


@pytest.mark.parametrize("size", [0xFFFFFFFF, 2_000], ids=["streamed", "of a part"])
def test_a_wav_whose_header_does_not_fit_is_refused_and_stays(tmp_path: Path, size: int):
    """A recorder that wrote to a pipe, or was cut off; mutagen stumbles over one and loses what it wrote to the other."""
    path = music(tmp_path / "a.wav", "wav")
    data = bytearray(path.read_bytes())
    data[4:8] = min(size + 36, 0xFFFFFFFF).to_bytes(4, "little") if size > 2_000 else data[4:8]
    data[40:44] = size.to_bytes(4, "little")
    path.write_bytes(data)
    with UndoFile(tmp_path / "undo.jsonl") as undo, pytest.raises(TaggerError, match="Nothing was written"):
        write_tags(path, ["taiko"], undo)
    assert path.read_bytes() == data
    assert (tmp_path / "undo.jsonl").read_bytes() == b""


def test_a_library_that_would_change_the_sound_is_found_out(tmp_path: Path, monkeypatch):
    from mutagen.flac import FLAC

    path = music(tmp_path / "a.flac", "flac")
    content, save = path.read_bytes(), FLAC.save

    def spoiling(self, *more):
        save(self, *more)
        spoilt = bytearray(Path(self.filename).read_bytes())
        spoilt[-2000] ^= 1
        Path(self.filename).write_bytes(spoilt)

    monkeypatch.setattr(FLAC, "save", spoiling)
    with (
        UndoFile(tmp_path / "undo.jsonl") as undo,
        pytest.raises(TaggerError, match="without changing its sound"),
    ):
        write_tags(path, ["taiko"], undo)
    assert path.read_bytes() == content
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.flac", "undo.jsonl"]


def test_a_killed_writer_leaves_what_can_be_undone(tmp_path: Path, monkeypatch):
    """The note comes first: where the change did not, there is nothing to undo, and nobody is told of a fault."""
    path = music(tmp_path / "a.flac", "flac")

    def killed(self, other):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt), UndoFile(tmp_path / "undo.jsonl") as undo:
            write_tags(path, ["taiko"], undo)
    assert len(undo.changes()) == 1
    assert take_back(undo, print) == (0, 0)


def test_an_undo_file_with_half_a_line_is_gone_on_with(tmp_path: Path):
    """What a full disk leaves: the line was never carried out, and the next one stands by itself."""
    first, second = (music(tmp_path / f"{name}.flac", "flac") for name in "ab")
    place = tmp_path / "undo.jsonl"
    with UndoFile(place) as undo:
        write_tags(first, ["taiko"], undo)
    place.write_bytes(place.read_bytes() + b'{"file": "/c')
    with UndoFile(place) as undo:
        write_tags(second, ["taiko"], undo)
    assert [Path(change.file).name for change in undo.changes()] == ["a.flac", "b.flac"]
    assert take_back(undo, print) == (2, 0)


def test_a_link_stays_a_link_and_rights_stay(tmp_path: Path):
    path = music(tmp_path / "a.flac", "flac")
    path.chmod(0o640)
    link = tmp_path / "link.flac"
    link.symlink_to(path)
    with UndoFile(tmp_path / "undo.jsonl") as undo:
        write_tags(link, ["taiko"], undo)
    assert link.is_symlink()
    assert read(path) == ["taiko"]
    assert os.stat(path).st_mode & 0o777 == 0o640  # noqa: PTH116


@pytest.mark.parametrize(
    "content", [b"nonsense\n", b"nonsense", b"[]\n", b'{"file": 1}\n', json.dumps({"file": "x", "field": "eval", "before": [], "after": [], "tagged": True}).encode() + b"\n"]
)  # fmt: skip
def test_what_is_no_undo_file_is_refused_and_not_written_to(tmp_path: Path, content: bytes):
    place = tmp_path / "undo.jsonl"
    place.write_bytes(content)
    with pytest.raises(TaggerError, match="no undo file"):
        take_back(UndoFile(place), print)
    with pytest.raises(TaggerError, match="no undo file"), UndoFile(place):
        pass
    assert place.read_bytes() == content


def test_a_mutated_undo_file_is_read_or_refused(tmp_path: Path):
    path, read = tmp_path / "undo.jsonl", 0
    song = music(tmp_path / "a.flac", "flac")
    with UndoFile(path) as undo:
        write_tags(song, ["taiko", "笛"], undo)
        write_tags(song, ["slow"], undo, "genre")
    whole = path.read_bytes()
    for number in range(tries := mutations(200)):
        path.write_bytes(text_damaged(whole, np.random.default_rng(number)))
        try:
            found = UndoFile(path).changes()
        except TaggerError as refusal:
            said = str(refusal)
        else:
            said, read = ".", read + 1
            assert all(isinstance(one.file, str) for one in found)
        assert said.endswith(".")
    assert 0 < read < tries
