"""Files and folders are there whole or not at all."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mirdemo.base.files import UNFINISHED, called, whole, whole_folder
from mirdemo.base.locks import locked


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_takes_its_place_when_it_is_complete(tmp_path, durable):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with whole(path, durable=durable) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        assert part.parent == tmp_path
        assert part.suffix == UNFINISHED
    assert path.read_text() == "new"
    assert names(tmp_path) == ["figures.json"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_a_failure_leaves_what_was_there_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "figures.json"
    path.write_text("old")

    def half_a_file() -> None:
        with whole(path) as part:
            part.write_text("half")
            raise error

    def half_a_folder() -> None:
        with whole_folder(tmp_path / "tagger") as folder:
            (folder / "half").write_text("half")
            raise error

    with pytest.raises(error):
        half_a_file()
    with pytest.raises(error):
        half_a_folder()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["figures.json"]


def test_a_block_that_writes_nothing_is_an_error_not_an_empty_file(tmp_path):
    with pytest.raises(FileNotFoundError), whole(tmp_path / "figures.json"):
        pass
    assert names(tmp_path) == []


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "figures.json"
    with whole(path) as first, whole(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # whose block ended last
    assert names(tmp_path) == ["figures.json"]


def test_a_name_as_long_as_the_disk_allows(tmp_path):
    path = tmp_path / ("太" * 80 + ".json")
    with whole(path) as part:
        part.write_text("x")
    assert names(tmp_path) == [path.name]


def test_a_folder_is_replaced_with_all_in_it(tmp_path):
    path = tmp_path / "tagger"
    for content in ("old", "new"):
        with whole_folder(path) as folder:
            (folder / content).write_text(content)
        assert names(path) == [content]
    assert names(tmp_path) == ["tagger"]


def test_a_folder_that_cannot_be_moved_into_place_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "tagger"
    path.mkdir()
    (path / "old").touch()
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.suffix == UNFINISHED:
            raise OSError("no room")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="no room"), whole_folder(path) as folder:
        (folder / "new").touch()
    assert names(tmp_path) == ["tagger"]
    assert names(path) == ["old"]


def test_a_lock_has_one_holder_among_threads(tmp_path):
    met: list[type] = []

    def ask() -> None:
        try:
            with locked(tmp_path / "lock", wait=False):
                met.append(type(None))
        except BlockingIOError:
            met.append(BlockingIOError)

    with locked(tmp_path / "lock"):
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    ask()
    assert met == [BlockingIOError, type(None)]


def test_a_lock_goes_with_the_process_that_held_it(tmp_path):
    code = (
        "import os, sys, pathlib; from mirdemo.base.locks import locked\n"
        "with locked(pathlib.Path(sys.argv[1])): os._exit(0)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "lock")], check=True, cwd=Path(__file__).parents[2]
    )
    with locked(tmp_path / "lock", wait=False):
        pass


@pytest.mark.parametrize("place", ["there", ".", "there/.."])
def test_a_file_does_not_take_the_place_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    with pytest.raises(IsADirectoryError) as refused, whole(place):
        raise AssertionError("nothing is written")
    assert Path(refused.value.filename) == Path(place)
    assert names(tmp_path) == ["there"]


def test_every_path_is_called_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "祭り").mkdir()
    monkeypatch.chdir(tmp_path / "祭り")
    assert [called(path) for path in (".", "", "..", "take.wav", "a/b.wav", Path("x/"))] == [
        "祭り",
        "祭り",
        tmp_path.name,
        "take.wav",
        "b.wav",
        "x",
    ]
    assert called("/")
