"""A tagger on labelled recordings: by a sheet or by folders, each figure with its interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirdemo import cli
from mirdemo.evaluation.taggers import by_folders, by_sheet
from mirdemo.sound import audio

RATE = 22_050
TAGS = ("drum", "flute")


def sound(kind: str, seed: int, seconds: float = 1.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    if kind == "drum":
        beat = t % (0.2 + 0.02 * rng.random())
        wave = np.sin(2 * np.pi * (70 + 20 * rng.random()) * beat) * np.exp(-14 * beat)
    else:
        wave = np.sin(2 * np.pi * (500 + 60 * rng.random()) * t)
    return (0.3 * wave + 0.004 * rng.normal(size=len(t))).astype(np.float32)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory) -> Path:
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import Clip
    from mirdemo.tagger import Tagger

    kinds = TAGS * 3
    clips = [Clip.of(sound(kind, i), RATE, f"{kind}{i}.wav") for i, kind in enumerate(kinds)]
    labels = np.array([[kind == tag for tag in TAGS] for kind in kinds], np.uint8)
    made = Tagger.make(
        embed(clips, load_backbone("spectral")), labels, [str(i) for i in range(6)], TAGS, layer="timbre"
    )
    return made.save(tmp_path_factory.mktemp("tagger") / "tagger.zip")


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Four drums and four flutes in folders of that name, one file without, and one that is no sound."""
    root = tmp_path_factory.mktemp("archive")
    for i, kind in enumerate(TAGS * 4):
        (root / kind).mkdir(exist_ok=True)
        soundfile.write(root / kind / f"take {chr(97 + i)} {kind}.wav", sound(kind, 50 + i), RATE)
    (root / "flute" / "letter.wav").write_text("no sound")
    return root


def evaluated(capsys, tagger: Path, *more: object) -> tuple[int, dict]:
    code = cli.main(["evaluate", "--tagger", str(tagger), "--json", *map(str, more)])
    return code, json.loads(capsys.readouterr().out)


def test_folders_are_labels_and_a_file_that_cannot_be_read_is_told(tagger, archive, capsys):
    code, found = evaluated(capsys, tagger, archive)
    assert code == 1, "the letter is no sound"
    assert found["failed"] == 1
    score = found["score"]
    assert (score["n_clips"], [one["tag"] for one in score["tags"]]) == (8, list(TAGS))
    assert score["roc_auc"]["value"] == 1.0
    assert score["roc_auc"]["low"] is not None
    assert [one["clips"] for one in score["tags"]] == [4, 4]
    (archive / "flute" / "letter.wav").unlink()
    code = cli.main(["evaluate", "--tagger", str(tagger), str(archive)])
    said = capsys.readouterr().out
    assert code == 0
    assert "8 clips of 8 recordings" in said
    assert "ROC-AUC" in said
    assert "(0." in said, "figures have intervals"


def test_patterns_and_lists_with_a_sheet_whose_labels_are_wrong_score_badly(
    tagger, archive, tmp_path, capsys
):
    names = sorted(path.name for path in archive.rglob("take*.wav"))
    rows = [f"{name},{'flute' if 'drum' in name else 'DRUM; sasara'},{i}" for i, name in enumerate(names)]
    sheet = tmp_path / "labels.csv"
    sheet.write_text("\n".join(["file,tags,recording", *rows, "gone.wav,drum,x"]), encoding="utf-8")
    code, found = evaluated(capsys, tagger, str(archive / "**" / "*.wav"), "--labels", sheet)
    assert code == 0
    assert found["score"]["roc_auc"]["value"] == 0.0
    assert found["foreign"] == {"sasara": 4}
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(str(archive / "drum" / name) for name in names if "drum" in name))
    code, found = evaluated(capsys, tagger, "--files", listed)
    assert code == 0
    assert (found["absent"], found["score"]["n_clips"]) == (["flute"], 4)


def test_spans_of_a_recording_are_clips_of_it(tagger, tmp_path, capsys):
    both = np.concatenate([sound("drum", 90, 3.0), sound("flute", 91, 3.0)])
    soundfile.write(tmp_path / "both.wav", both, RATE)
    soundfile.write(tmp_path / "other.wav", both[::-1].copy(), RATE)
    sheet = tmp_path / "spans.csv"
    sheet.write_text(
        "file,start,end,tags\nboth.wav,0,3,drum\nboth.wav,3,6,flute\nother.wav,0,3,flute\nother.wav,3,6,drum\n"
    )
    _, found = evaluated(capsys, tagger, tmp_path / "*.wav", "--labels", sheet)
    assert (found["score"]["n_clips"], found["score"]["n_recordings"]) == (4, 2)
    assert found["score"]["roc_auc"]["value"] == 1.0


def test_rows_of_one_file_are_put_together_as_labelled_clips_are(
    tagger, archive, tmp_path, capsys, monkeypatch
):
    """A line a tag, and labels over time that overlap: nothing lacks a tag that another row gives it."""
    sheet = tmp_path / "lines.csv"
    sheet.write_text("file,tags,recording\na.wav,drum,r\nb.wav,flute,\na.wav,Flute,\na.wav,FLUTE,\n")
    (a, b) = by_sheet(sheet, ["a.wav", "b.wav"], print)
    assert (a.tags, a.recording, b.tags) == (("drum", "FLUTE"), "r", ("flute",))
    sheet.write_text("file,start,end,tags\na.wav,2,4,drum\na.wav,,,flute\n")
    cut = by_sheet(sheet, ["a.wav"], print)
    assert [(one.start, one.end, one.tags) for one in cut] == [
        (0.0, 2.0, ("flute",)), (2.0, 4.0, ("drum", "flute")), (4.0, None, ("flute",))
    ]  # fmt: skip
    soundfile.write(tmp_path / "a.wav", sound("drum", 90, 6.0), RATE)
    loaded, load = [], audio.load_clip
    monkeypatch.setattr(audio, "load_clip", lambda *args, **more: loaded.append(args) or load(*args, **more))
    code, found = evaluated(capsys, tagger, tmp_path / "a.wav", "--labels", sheet)
    assert (code, found["score"]["n_clips"], len(loaded)) == (0, 3, 1), "decoded once for all of its pieces"
    sheet.write_text("file,start,end,tags\na.wav,0,4,drum\na.wav,5,5,flute\n")
    assert evaluated(capsys, tagger, tmp_path / "a.wav", "--labels", sheet)[0] == 1, "a label of a moment"


@pytest.mark.parametrize(
    "asked", [["x"], ["--corpus", "lyra", "--tagger", "x", "y"], ["--corpus", "lyra", "y.wav"], []]
)
def test_what_is_neither_a_corpus_nor_a_tagger_is_refused(asked: list[str], capsys):
    assert cli.main(["evaluate", *asked]) == 2
    assert "--tagger DIR" in capsys.readouterr().err


def test_labels_that_fit_nothing_are_refused_in_a_sentence(tagger, archive, tmp_path, capsys):
    (tmp_path / "bell").mkdir()
    soundfile.write(tmp_path / "bell" / "a.wav", sound("flute", 3), RATE)
    assert cli.main(["evaluate", "--tagger", str(tagger), str(tmp_path)]) == 3
    assert "drum, flute" in capsys.readouterr().err
    assert [one.tags for one in by_folders([str(tmp_path / "bell" / "a.wav")], [str(tmp_path)])] == [
        ("bell",)
    ]
    told: list[object] = []
    sheet = tmp_path / "s.csv"
    sheet.write_text("file,tags\nb.wav,x\n")
    assert by_sheet(sheet, [str(tmp_path / "bell" / "a.wav")], told.append) == []
    assert len(told) == 2
