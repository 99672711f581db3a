"""A tagger on labelled recordings: by a sheet or by folders, each figure with its interval."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirdemo import cli
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import listen
from mirdemo.clips.in_question import InQuestion
from mirdemo.clips.likeness import LookAlikes
from mirdemo.evaluation.taggers import by_folders, by_sheet, evaluate_tagger
from mirdemo.sound import audio
from mirdemo.tagger import Tagger

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


@pytest.fixture(autouse=True)
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These sounds are so alike that they would be taken for one performance; here they are many, unless a test undoes it."""
    monkeypatch.setattr("mirdemo.clips.heard.look_alikes", lambda *given: LookAlikes(None, 0.4))
    monkeypatch.setattr("mirdemo.clips.heard.copies", lambda *given: [])


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
    assert "Clips: 8, of recordings: 8 (" in said
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
    sheet.write_text(
        "file,start,end,tags,recording,session\na.wav,0,2,drum,first,e\na.wav,2,4,drum,second,f\n"
    )
    assert [(one.recording, one.session) for one in by_sheet(sheet, ["a.wav"], print)] == [
        ("first", "e"),
        ("second", "f"),
    ]
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


def test_the_report_speaks_the_language_of_the_command(tagger, archive, tmp_path, capsys):
    write(tmp_path, qa="drum", wb="sasara")
    cli.main(["evaluate", "--tagger", str(tagger), "--language", "ja", str(archive), str(tmp_path)])
    said = capsys.readouterr().out.replace("take ", "")
    lines = [re.sub(r"ROC-AUC|F1|mAP|drum|flute|sasara|[\d.,() %]", "", line) for line in said.splitlines()]
    assert len(lines) > 6
    assert not [line for line in lines if re.search("[A-Za-z]", line)]


def test_what_the_names_of_files_put_together_is_told(tagger, tmp_path):
    write(tmp_path, night_part1="drum", night_part2="drum", qa="flute", wb="flute")
    told: list[Sentence] = []
    labelled = by_folders(sorted(map(str, tmp_path.rglob("*.wav"))), [str(tmp_path)])
    evaluate_tagger(labelled, Tagger.load(tagger), tell=told.append)
    assert [(one.code, one.values["clips"], one.values["count"]) for one in told] == [
        ("evaluation.by_their_names", 2, 1)
    ]


def write(folder: Path, seconds: float = 1.5, **names: str) -> None:
    for seed, (name, kind) in enumerate(names.items(), start=200):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / kind / f"{name}.wav", sound(kind, seed, seconds), RATE)


def test_recordings_are_counted_as_the_stages_count_them(tagger, tmp_path, capsys, monkeypatch):
    """Parts of nothing, and what sounds as if cut from one performance, are one recording until a sheet says of which."""
    write(
        tmp_path,
        part1="drum",
        part2="drum",
        part3="flute",
        part4="flute",
        qa="drum",
        wb="flute",
        ec="drum",
        rd="flute",
    )
    monkeypatch.undo()
    labelled = LabelledClips.from_folder(tmp_path)
    labelled.hear(listen(labelled.clips))
    code, found = evaluated(capsys, tagger, tmp_path)
    assert code == 0
    assert found["score"]["n_recordings"] == len(set(labelled.groups)) < 6
    assert found["in_question"] == InQuestion.of(labelled).as_dict()
    assert found["in_question_says"] == str(InQuestion.of(labelled).sentence)
    names = sorted(path.name for path in tmp_path.rglob("*.wav"))
    sheet = tmp_path / "labels.csv"
    rows = [f"{name},{next(tmp_path.rglob(name)).parent.name},{name}" for name in names]
    sheet.write_text("\n".join(["file,tags,recording", *rows]))
    _, found = evaluated(capsys, tagger, tmp_path / "**" / "*.wav", "--labels", sheet)
    assert (found["score"]["n_recordings"], found["in_question"]) == (8, None)


def test_what_the_tagger_was_made_from_is_left_out_and_alone_is_no_result(tagger, archive, tmp_path, capsys):
    """With all clips of its recordings, whether the tagger was made from them or not."""
    for i, kind in enumerate(TAGS * 3):
        (tmp_path / kind).mkdir(exist_ok=True)
        soundfile.write(tmp_path / kind / f"{kind}{i}.wav", sound(kind, i), RATE, subtype="FLOAT")
    assert cli.main(["evaluate", "--tagger", str(tagger), str(tmp_path)]) == 3
    said = capsys.readouterr()
    assert "6 clips" in said.err
    assert "1.00" not in said.out + said.err
    code, found = evaluated(capsys, tagger, tmp_path, archive)
    assert (code, found["own"], found["score"]["n_clips"], found["tells"]) == (0, 6, 8, True)
    names = sorted(path.name for path in [*tmp_path.rglob("*.wav"), *archive.rglob("*.wav")])
    recording = {"drum0.wav": "one", names[-1]: "one"}
    rows = [f"{name},{'flute' if 'flute' in name else 'drum'},{recording.get(name, name)}" for name in names]
    sheet = tmp_path / "labels.csv"
    sheet.write_text("\n".join(["file,tags,recording", *rows]))
    _, found = evaluated(capsys, tagger, tmp_path, archive, "--labels", sheet)
    assert (found["own"], found["score"]["n_clips"]) == (7, 7)
    cli.main(["evaluate", "--tagger", str(tagger), str(tmp_path), str(archive)])
    assert "no test of it: 6." in capsys.readouterr().out


def test_a_tagger_that_does_not_tell_what_it_was_made_from_is_said_to(tagger, archive, tmp_path, capsys):
    old = replace(Tagger.load(tagger), learned=frozenset()).save(tmp_path / "old.zip")
    assert cli.main(["evaluate", "--tagger", str(old), str(archive)]) == 0
    assert "does not tell which recordings it was made from" in capsys.readouterr().out


def test_where_nothing_can_be_read_that_is_what_is_said(tagger, tmp_path, capsys):
    (tmp_path / "drum").mkdir()
    (tmp_path / "drum" / "letter.wav").write_text("no sound")
    assert cli.main(["evaluate", "--tagger", str(tagger), str(tmp_path)]) == cli.SOME_FAILED
    assert "None of these recordings could be read" in capsys.readouterr().err


def test_of_many_tags_ten_are_named_to_who_has_none_of_them(tmp_path, capsys):
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import Clip
    from mirdemo.tagger import Tagger

    tags = tuple(f"tag {chr(97 + i)}" for i in range(12))
    clips = [Clip.of(sound("flute", i, 0.5), RATE, f"{i}.wav") for i in range(24)]
    labels = np.tile(np.eye(12, dtype=np.uint8), (2, 1))
    made = Tagger.make(
        embed(clips, load_backbone("spectral")), labels, [str(i) for i in range(24)], tags, layer="timbre"
    )
    (tmp_path / "bell").mkdir()
    soundfile.write(tmp_path / "bell" / "a.wav", sound("flute", 99), RATE)
    assert cli.main(["evaluate", "--tagger", str(made.save(tmp_path / "t.zip")), str(tmp_path / "bell")]) == 3
    assert f"({', '.join(tags[:10])})" in capsys.readouterr().err
