"""What is wrong on the command line, or with the disk, is said in a line and never as a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TextIO

import pytest

from mirdemo import cli


@pytest.mark.parametrize(
    "argv",
    [
        ["fewshot", "evaluate", "clips", "--seeds", "three"],
        ["fewshot", "evaluate", "clips", "--seeds", "3,-4"],
        ["fewshot", "evaluate", "clips", "--shots", "0"],
        ["fewshot", "evaluate", "clips", "--ways", "-1"],
        ["embed", "a.wav", "--out", "a.npz", "--store-gb", "nan"],
        ["embed", "a.wav", "--out", "a.npz", "--store-gb", "-1"],
        ["embed", "a.wav", "--out", "a.npz", "--workers", "0"],
    ],
)
def test_a_number_that_makes_no_sense_is_a_wrong_command_line(argv: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(argv)
    assert stopped.value.code == cli.USAGE
    assert argv[-2] in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert cli.main(["demo-clips", str(tmp_path / "notes.txt" / "festival")]) == cli.REFUSED
    said = capsys.readouterr().err
    assert "notes.txt" in said
    assert "Choose another place." in said


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["report", "--out", "."], "."),
        (["report", "--out", "there"], "there"),
        (["untag", "."], "here is no undo file"),
        (["tag", ".", "--tagger", "."], "here is not a tagger"),
        (["embed", ".", "--out", "rows.npz"], "no sound file in here."),
        (["corpora", "check", "gtzan-mini", "--data", "."], "here holds no excerpt"),
    ],
)
def test_the_folder_one_is_in_is_named_and_never_written_over(
    argv: list[str], named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    (tmp_path / "here" / "there").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert cli.main(argv) in (cli.REFUSED, 1)
    said = capsys.readouterr().err
    assert named in said
    assert ".tmp" not in said
    assert [path.name for path in Path().iterdir()] == ["there"]


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_a_full_disk_is_told_and_other_failures_are_not_hidden(
    number: int, told: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    def fail(folder: Path) -> list[Path]:
        raise OSError(number, "as the system says it")

    monkeypatch.setattr("mirdemo.synth.festival.write_festival", fail)
    if not told:
        with pytest.raises(OSError, match="as the system says it"):
            cli.main(["demo-clips", str(tmp_path / "festival")])
        return
    assert cli.main(["demo-clips", str(tmp_path / "festival")]) == cli.REFUSED
    assert "no room left on the disk (as the system says it)" in capsys.readouterr().err


def full(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """A disk that takes half of each file of this ending."""
    write = Path.write_bytes

    def half(path: Path, content: bytes) -> int:
        if path.suffix != ending:
            return write(path, content)
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)


def test_a_demo_set_that_does_not_fit_leaves_no_half_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    full(monkeypatch, ".csv")  # the last file of the set
    assert cli.main(["demo-clips", str(tmp_path / "festival")]) == cli.REFUSED
    assert "no room left on the disk" in capsys.readouterr().err
    assert list((tmp_path / "festival").iterdir()) == []


def test_a_table_of_figures_that_does_not_fit_leaves_the_old_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    def fails(found: object, out: TextIO) -> int:
        out.write("model,corpus")
        out.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "figures.csv").write_text("of last year")
    monkeypatch.setattr("mirdemo.results.exchange.write_csv", fails)
    line = ["results", "export", "--format", "csv", "--source", "published", "--out"]
    assert cli.main([*line, str(tmp_path / "figures.csv")]) == cli.REFUSED
    assert "no room left on the disk" in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["of last year"]


def test_a_folder_of_figures_that_is_here_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["results", "export", "--format", "mteb", "--source", "published", "--corpus", "lyra", "--out"]
    assert cli.main([*line, "."]) == 0
    assert capsys.readouterr().out.endswith(f" files in {tmp_path.resolve()}.\n")
    assert cli.main([*line, "figures/"]) == 0
    assert capsys.readouterr().out.endswith(" files in figures.\n")


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (OSError(errno.ENOSPC, "full"), cli.REFUSED, "ディスクに空きがありません（full）。"),
        (PermissionError(errno.EACCES, "closed", "家"), cli.REFUSED, "家を使えません（closed）。"),
        (KeyboardInterrupt(), cli.INTERRUPTED, "中止しました。"),
    ],
)
def test_what_ends_a_command_is_said_in_its_language(
    failure: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fail(args: object) -> None:
        raise failure

    monkeypatch.setattr("mirdemo.commands.embed.asked_files", fail)
    assert cli.main(["embed", "a.wav", "--out", "a.npz", "--language", "ja"]) == code
    assert said in capsys.readouterr().err
