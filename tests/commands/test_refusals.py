"""What is wrong on the command line, or with the disk, is said in a line and never as a traceback."""

from __future__ import annotations

import errno
from pathlib import Path

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
    assert "as the system says it" in capsys.readouterr().err
