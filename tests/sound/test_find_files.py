"""Files, folders, patterns and lists: what is meant by them, on every system alike."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_files import ENCODERS, tone

from mirdemo.base.files import expanded
from mirdemo.sound.files import READ_SUFFIXES, FilesError, find_files, read_list


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sound of several endings, one without, and much that is none."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.WAV", "a.mp3", "notes.txt", "2024/c.flac", "2024/deep/d.wv", "2024/cover.jpg", "2024/old.ape",
        ".hidden.wav", ".git/e.wav", "2024/._c.flac", "f[1].wav", "日本.m4a",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    soundfile.write(tmp_path / "2024" / "untitled", np.zeros(100), 8_000, format="WAV")
    (tmp_path / "README").write_text("no sound")
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(*named: str) -> list[str]:
    found = find_files(named)
    assert found.problems == ()
    return list(found.files)


def test_a_folder_gives_its_sound_sorted_and_passes_over_the_rest(archive: Path):
    assert names("2024") == ["2024/c.flac", "2024/old.ape", "2024/untitled", "2024/deep/d.wv"]
    assert names(".")[:3] == ["a.mp3", "b.WAV", "f[1].wav"]
    assert not [name for name in names(str(archive)) if "/." in name.removeprefix(str(archive))]


def test_sound_of_an_unusual_ending_or_behind_a_dot_is_found(tmp_path: Path):
    for name in ("receiver.rec", "01. Intro", "2024.05.12 taiko", "a.spx", "a.dts"):
        soundfile.write(tmp_path / name, np.zeros(100), 8_000, format="WAV")
    for name in ("notes.rec", "01. Text", "cover.jpg"):
        (tmp_path / name).write_bytes(b"no sound" * 9)
    found = [Path(name).name for name in names(str(tmp_path))]
    assert found == ["01. Intro", "2024.05.12 taiko", "a.dts", "a.spx", "receiver.rec"]


FRAME, OTHER = (
    b"\xff\xfb\x90\x64".ljust(417, b"t"),
    b"\xff\xfb\x94\x64".ljust(384, b"t"),
)  # at 44.1 and 48 kHz


@pytest.mark.parametrize(
    ("content", "sound"),
    [
        ("1 taiko\n2 fue\n".encode("utf-16"), False),
        (b"text" * 50 + FRAME, False),
        (b"text" * 50 + 2 * FRAME, False),
        (b"text" * 50 + 4 * FRAME + b"text" * 500, False),
        (b"text" * 50 + 4 * (FRAME + OTHER), False),
        (b"#define " + 5 * (b"G" + b"a" * 187) + b"text" * 900, False),
        (b"#define " + 5 * (b"G" + b"1" * 187) + b"text" * 900, False),
        (b"text" * 50 + 6 * FRAME + b"text" * 50, True),
        (b"text" * 50 + 3 * FRAME, True),
        (b"text" * 50 + ENCODERS["aac"](tone(0.5, 48_000), 48_000), True),
        (b"text" * 50 + ENCODERS["mp3 vbr"](tone(0.5, 48_000, 2), 48_000), True),
        (b"text" * 50 + ENCODERS["mts"](tone(0.5, 48_000), 48_000), True),
    ],
)
def test_headers_that_stand_somewhere_by_chance_are_no_sound(tmp_path: Path, content: bytes, sound: bool):
    (tmp_path / "what is it").write_bytes(content)
    assert bool(find_files([str(tmp_path)]).files) is sound


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("*.mp3", ["a.mp3"]),
        ("**/*.flac", ["2024/c.flac"]),
        ("2024/**", ["2024/c.flac", "2024/deep/d.wv", "2024/old.ape", "2024/untitled"]),
        ("*", ["2024/c.flac", "2024/old.ape", "2024/untitled", "2024/deep/d.wv"]),
        ("20?4", ["2024/c.flac", "2024/old.ape", "2024/untitled", "2024/deep/d.wv"]),
        ("*.txt", ["notes.txt"]),
        ("[ab].*", ["a.mp3", "b.WAV"]),
    ],
)
def test_patterns_are_expanded_here(archive: Path, pattern: str, meant: list[str]):
    found = names(pattern)
    assert [name for name in found if "/" in name or pattern != "*"] == meant
    if pattern == "*":
        assert {"a.mp3", "b.WAV", "f[1].wav", "日本.m4a"} < set(found)
        assert "notes.txt" not in found
    absolute = [str(archive / name) for name in names(pattern)]
    assert names(str(archive / pattern)) == absolute


def test_what_exists_is_no_pattern_and_nothing_comes_twice(archive: Path):
    assert names("f[1].wav", "f[1].wav", "*.wav") == ["f[1].wav"]
    assert names("a.mp3", "*.mp3", "./a.mp3") == ["a.mp3"]


def test_a_file_that_is_not_there_is_left_to_its_reader(archive: Path):
    assert names("gone.wav", "README") == ["gone.wav", "README"]


def test_what_names_nothing_is_said(archive: Path):
    found = find_files(["empty", "*.ogg", "a.mp3"])
    assert found.files == ("a.mp3",)
    assert [(one.code, one.values["name"]) for one in found.problems] == [
        ("files.none_in_folder", "empty"),
        ("files.none_named", "*.ogg"),
    ]


def test_links_to_folders_are_told_and_lead_nowhere_twice(archive: Path):
    """Below ``**``, too, where a link upwards would give each file forty times."""
    (archive / "2024" / "deep" / "up").symlink_to("..")
    assert names("2024/**/*.wv", "2024/**/*.flac") == ["2024/deep/d.wv", "2024/c.flac"]
    assert names(".")[-3:] == ["2024/old.ape", "2024/untitled", "2024/deep/d.wv"]
    (archive / "empty" / "year").symlink_to("../2024")
    for named in ("empty", "empty/**", "empty/**/*.flac"):
        found = find_files([named])
        assert found.files == ()
        assert [(one.code, one.values["name"]) for one in found.problems] == [
            ("files.link_to_folder", "empty/year")
        ]
    assert find_files(["empty", "2024"]).problems == ()
    assert names("empty/year") == [
        "empty/year/c.flac",
        "empty/year/old.ape",
        "empty/year/untitled",
        "empty/year/deep/d.wv",
    ]


def test_a_folder_that_may_not_be_opened_is_told(archive: Path, monkeypatch: pytest.MonkeyPatch):
    scandir = os.scandir

    def closed(place: str):
        if Path(place).name == "deep":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", closed)  # rights do not bind root
    for named in ("2024", "2024/**/*.flac"):
        found = find_files([named])
        assert found.files[0] == "2024/c.flac"
        assert [(one.code, one.values["name"]) for one in found.problems] == [("files.closed", "2024/deep")]


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (b"\xef\xbb\xbfa.mp3\r\n\r\n  2024 \r\n", ["a.mp3", "  2024 "]),
        ("日本.m4a\na.mp3".encode(), ["日本.m4a", "a.mp3"]),
        (b"a\nb.wav\0c.wav\0", ["a\nb.wav", "c.wav"]),
        (b"", []),
    ],
)
def test_a_list_of_names_is_read(tmp_path: Path, content: bytes, meant: list[str]):
    (tmp_path / "list.txt").write_bytes(content)
    assert read_list(tmp_path / "list.txt") == meant
    assert read_list("-", content) == meant


def test_a_name_that_is_no_text_stays_what_it_is(tmp_path: Path):
    (found,) = read_list("-", b"caf\xe9.wav\n")
    path = tmp_path / found
    path.write_bytes(b"x")
    assert find_files([str(path)]).files == (str(path),)
    assert path.exists()


def test_a_playlist_names_files_from_its_own_folder(archive: Path):
    (archive / "2024" / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,x\nc.flac\n../a.mp3\n")
    assert find_files(read_list("2024/list.m3u8")).files == ("2024/c.flac", "2024/../a.mp3")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_list_that_windows_wrote_is_read(encoding: str):
    """PowerShell writes UTF-16 with its mark, and the Explorer copies paths in quotes."""
    mark = "" if encoding == "utf-16" else "\ufeff"
    assert read_list("-", f"{mark}a/b.mp3\r\n日本.m4a\r\n".encode(encoding)) == ["a/b.mp3", "日本.m4a"]


def test_names_in_quotes_and_addresses_are_the_files_that_are_there(tmp_path: Path):
    for name in ("a b.mp3", '"c".mp3', "d%20e.mp3"):
        (tmp_path / name).write_bytes(b"x")
    quoted = f'"{tmp_path}/a b.mp3"\r\n"none.mp3"\r\n{tmp_path}/"c".mp3\r\n'
    assert read_list("-", quoted.encode()) == [f"{tmp_path}/a b.mp3", '"none.mp3"', f'{tmp_path}/"c".mp3']
    (tmp_path / "list.m3u8").write_text(f"file://{tmp_path}/a%20b.mp3\na%20b.mp3\nd%20e.mp3\n")
    names = [f"{tmp_path}/a b.mp3", f"{tmp_path}/a b.mp3", f"{tmp_path}/d%20e.mp3"]
    assert read_list(tmp_path / "list.m3u8") == names


def test_a_name_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("~take.wav").write_bytes(b"x")
    assert find_files(["~take.wav", "~no one/b.wav"]).files == ("~take.wav", "~no one/b.wav")
    assert read_list("-", b"~take.wav\n") == ["~take.wav"]
    assert expanded("~") == Path.home()
    with pytest.raises(FilesError, match="cannot be read"):
        read_list("~no one/list.txt")


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(FilesError, match="cannot be read"):
            read_list(path)


def test_every_ending_that_a_test_of_decoding_reads_is_known():
    assert {".wv", ".tta", ".amr", ".ac3", ".mts", ".mpg", ".avi", ".flv", ".bwf"} <= READ_SUFFIXES
