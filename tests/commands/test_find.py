"""``find``: more like this on the command line, over a folder that is embedded once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirdemo import cli
from mirdemo.backbones import load_backbone
from mirdemo.base.locks import locked
from mirdemo.clips import LabelledClips
from mirdemo.commands import find
from mirdemo.commands.console import table
from mirdemo.embedding.embed import embed
from mirdemo.tagger import Tagger

RATE = 22_050


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Low and high tones, one recording of both; a file that is none."""
    folder = tmp_path / "archive"
    for kind, hertz in (("low", 110.0), ("high", 1_760.0)):
        (folder / kind).mkdir(parents=True)
        for i in range(3):
            soundfile.write(folder / kind / f"{kind}{i}.wav", tone(hertz * (1 + i / 40), 4, i), RATE)
    soundfile.write(folder / "both.wav", np.concatenate([tone(110, 12, 7), tone(1_760, 12, 8)]), RATE)
    soundfile.write(tmp_path / "query.wav", tone(1_800, 4, 9), RATE)
    return folder


def tone(hertz: float, seconds: float, seed: int) -> np.ndarray:
    t = np.arange(round(RATE * seconds)) / RATE
    return 0.3 * np.sin(2 * np.pi * hertz * t) + 0.01 * np.random.default_rng(seed).standard_normal(len(t))


def found(archive: Path, capsys, *more: str) -> list[dict]:
    query = archive.parent / "query.wav"
    assert cli.main(["find", str(query), "--in", str(archive), "--json", *more]) == cli.DONE
    return json.loads(capsys.readouterr().out)


def test_what_sounds_alike_comes_first_and_the_right_part_of_a_long_recording(archive: Path, capsys):
    hits = found(archive, capsys)
    assert len(hits) == 7
    high = [hit for hit in hits if "low" not in Path(hit["file"]).name]
    assert {Path(hit["file"]).name for hit in hits[:4]} == {"high0.wav", "high1.wav", "high2.wav", "both.wav"}
    (both,) = [hit for hit in high if hit["file"].endswith("both.wav")]
    assert both["start"] >= 10
    assert hits == sorted(hits, key=lambda hit: -hit["cosine"])
    several = found(archive, capsys, "--every-window", "--count", "50")
    assert len([hit for hit in several if hit["file"].endswith("both.wav")]) == 3


@pytest.mark.parametrize(
    ("cosines", "digits"),
    [
        ([0.9, 0.5, 0.4], 3),
        ([0.99998, 0.99997, 0.99996], 5),
        ([1.0, 1.0, 1.0], 3),
        ([1.0, 1.0, 1.0, 1.0, 0.9999999], 3),
        ([1.0, 1.0, 1.0, 0.99999], 6),
        ([0.2], 3),
    ],
)
def test_places_that_are_nearly_alike_are_told_apart(cosines: list[float], digits: int):
    assert find._digits(cosines) == digits


def test_what_is_embedded_once_is_not_embedded_again(archive: Path, tmp_path, capsys, monkeypatch):
    from mirdemo.embedding import filling

    computed, before = [], filling._rows
    monkeypatch.setattr(filling, "_rows", lambda *asked: computed.append(1) or before(*asked))
    first = found(archive, capsys, "--index", str(tmp_path / "index"))
    assert len(computed) == 7
    soundfile.write(archive / "new.wav", tone(1_790, 4, 20), RATE)
    (archive / "low" / "low0.wav").unlink()
    again = found(archive, capsys, "--index", str(tmp_path / "index"))
    assert len(computed) == 8
    names = [Path(hit["file"]).name for hit in again]
    assert "new.wav" in names[:5]
    assert "low0.wav" not in names
    assert len(first) == len(again) == 7
    query = str(tmp_path / "query.wav")
    assert cli.main(["find", query, "--in", str(tmp_path / "index"), "--json"]) == cli.DONE
    assert len(json.loads(capsys.readouterr().out)) == 8  # the folder of rows itself: all that is in it
    assert len(computed) == 8


def test_a_folder_of_rows_is_read_while_another_program_fills_it(archive: Path, tmp_path, capsys):
    found(archive, capsys, "--index", str(tmp_path / "index"))
    line = ["find", str(tmp_path / "query.wav"), "--in", str(tmp_path / "index"), "--json"]
    with locked(tmp_path / "index" / ".lock", wait=False):
        assert cli.main(line) == cli.DONE
    assert len(json.loads(capsys.readouterr().out)) == 7
    assert cli.main([*line, "--backbone", "spectral"]) == cli.REFUSED
    assert "were made otherwise" in capsys.readouterr().err


def test_the_query_is_not_its_own_answer(archive: Path, capsys):
    line = ["find", str(archive / "high" / "high0.wav"), "--in", str(archive), "--count", "3"]
    assert cli.main(line) == cli.DONE
    said = capsys.readouterr().out
    assert "high1.wav" in said
    assert "high0.wav" not in said
    assert "0:00-0:04" in said


def test_a_taggers_answer_stands_beside(archive: Path, tmp_path: Path, capsys):
    clips = LabelledClips.from_folder(archive)
    backbone = load_backbone("spectral")
    embeddings = embed(clips.clips, backbone)
    tagger = Tagger.make(embeddings, clips.labels, clips.recordings, clips.tags, layer="timbre")
    tagger.save(tmp_path / "tagger.zip")
    hits = found(archive, capsys, "--tagger", str(tmp_path / "tagger.zip"), "--count", "2")
    assert [[tag["tag"] for tag in hit["tags"]] for hit in hits] == [["high"], ["high"]]


def test_what_is_asked_wrongly_is_refused_before_anything_is_embedded(archive: Path, capsys, monkeypatch):
    from mirdemo.embedding import filling

    monkeypatch.setattr(filling, "_rows", lambda *asked: pytest.fail("embedded"))
    line = ["find", str(archive.parent / "query.wav"), "--in", str(archive)]
    assert cli.main([*line, "--tagger", str(archive / "none.zip")]) == cli.REFUSED
    assert cli.main([*line, "--engine", "steam"]) == cli.REFUSED
    assert "steam is not an engine" in capsys.readouterr().err


def test_what_cannot_be_read_is_said_and_the_rest_is_found(archive: Path, tmp_path: Path, capsys):
    (archive / "bad.wav").write_text("no sound")
    query = str(tmp_path / "query.wav")
    assert cli.main(["find", query, "--in", str(archive), "--count", "1"]) == cli.SOME_FAILED
    printed = capsys.readouterr()
    assert "bad.wav" in printed.err
    assert "high" in printed.out
    assert cli.main(["find", str(archive / "bad.wav"), "--in", str(archive)]) == cli.SOME_FAILED
    assert cli.main(["find", query, "--in", str(archive), "--layer", "nonsense"]) == cli.REFUSED
    assert "has no layer named nonsense" in capsys.readouterr().err
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    assert cli.main(["find", query, "--in", str(tmp_path), "--index", str(tmp_path / "notes")]) == cli.REFUSED


@pytest.mark.parametrize(
    ("language", "words"), [("en", "nothing was looked for"), ("ja", "何も探しませんでした")]
)
def test_where_no_query_can_be_read_nothing_is_embedded_for_it(
    archive: Path, tmp_path, capsys, monkeypatch, language: str, words: str
):
    monkeypatch.setattr("mirdemo.commands.find._looked_through", lambda *asked: pytest.fail("for nothing"))
    line = ["find", str(tmp_path / "gone.wav"), "--in", str(archive), "--language", language]
    assert cli.main(line) == cli.SOME_FAILED, "as embed and tag"
    said = capsys.readouterr().err
    assert "gone.wav" in said
    assert words in said


def test_columns_stay_aligned_behind_japanese_letters():
    text = table(("tag", "n"), [("太鼓 taiko", 1), ("が", 2), ("drum", 3)])
    assert text.splitlines() == ["tag         n", "太鼓 taiko  1", "が          2", "drum        3"]


def test_the_table_has_its_columns_in_the_language_of_the_command(archive: Path, tmp_path, capsys):
    line = ["find", str(tmp_path / "query.wav"), "--in", str(archive), "--language", "ja"]
    assert cli.main([*line, "--index", str(tmp_path / "index"), "--backbone", "spectral"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["コサイン", "区間", "ファイル"]
