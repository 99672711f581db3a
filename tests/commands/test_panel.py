"""``panel``: a page and its key from recordings and a tagger; answers read back, into labels and into a plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from commands.conftest import HERTZ, RATE, tone
from planned import evidence, way

from mirdemo.cli import main
from mirdemo.clips import LabelledClips
from mirdemo.commands.panel import _names
from mirdemo.planning import Plan, make_plan
from mirdemo.planning.panel import Answers, Panel
from mirdemo.planning.panel.answers import OnClip


@pytest.fixture
def here(tmp_path: Path, tagger: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for i in range(6):
        tag = ("low", "high")[i % 2]
        soundfile.write(f"night{i}-{tag}.wav", tone(HERTZ[tag], 4, 20 + i), RATE)
    files = [str(path) for path in sorted(tmp_path.glob("*.wav"))]
    assert main(["panel", "make", *files, "--tagger", tagger, "--seconds", "2"]) == 0
    return tmp_path


def answered(panel: Panel, name: str, run: int, seconds: float = 8.0) -> Answers:
    """Everything by the names of the files, in which the truth stands."""
    clips = {
        number: OnClip(
            tuple("right" if f"-{q.tag}" in clip.name else "wrong" for q in clip.questions), (), None, seconds
        )
        for number, clip in enumerate(panel.clips)
    }
    return Answers(panel.id, str(run), name, clips=clips)


def test_a_recording_that_is_not_whole_is_heard_and_told_as_by_the_other_verbs(
    here: Path, tagger: str, capsys: pytest.CaptureFixture
):
    whole = Path("night0-low.wav").read_bytes()
    Path("half.wav").write_bytes(whole[: 44 + (len(whole) - 44) // 2])
    capsys.readouterr()
    made = [
        "half.wav",
        "night1-high.wav",
        "--tagger",
        tagger,
        "--seconds",
        "1",
        "--json",
        "--key",
        "half.json",
    ]
    assert main(["panel", "make", *made]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["clips"] == 2
    assert json.loads(out)["failed"] == 1
    assert "half.wav: This file ends in the middle" in err


def test_from_recordings_to_answers_labels_and_a_plan(here: Path, capsys: pytest.CaptureFixture):
    panel = Panel.from_json(Path("panel-key.json").read_bytes())
    assert len(panel.clips) == 6
    assert {clip.seconds for clip in panel.clips} == {2.0}
    page = Path("panel.html").read_text(encoding="utf-8")
    assert panel.id in page
    assert "night" not in page
    assert "tagger" not in page.split('id="panel">')[1].split('"words"')[0]
    for run, name in enumerate(("Aki", "Ben")):
        Path(f"{name}.json").write_text(answered(panel, name, run).as_json(), encoding="utf-8")
    Path("letter.json").write_text("Dear all")
    Path("plan.json").write_text(make_plan(evidence(way(0.7, 0.2))).as_json(), encoding="utf-8")
    capsys.readouterr()
    sent = ["Aki.json", "letter.json", "Ben.json", "Aki.json"]
    into = ["--labels", "labels.csv", "--plan", "plan.json", "--json"]
    code = main(["panel", "read", "panel-key.json", *sent, *into])
    assert code == 1  # the letter
    out, err = capsys.readouterr()
    assert "letter.json" in err
    assert "here already" in err
    found = json.loads(out)
    assert found["listeners"]["names"] == ["Aki", "Ben"]
    assert found["listeners"]["machines"][0]["right"] == found["listeners"]["machines"][0]["n"] == 6
    assert found["disagreements"] == []
    labelled = LabelledClips.from_csv(Path("labels.csv"), here)
    assert all(f"-{labelled.tags_of(row)[0]}" in clip.name for row, clip in enumerate(labelled.clips))
    plan = Plan.from_json(Path("plan.json").read_bytes())
    assert plan.listeners.names == ("Aki", "Ben")
    assert plan.assumptions.accept_seconds == 4.0  # eight seconds a clip, two questions on it


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_says_what_was_found_in_words(here: Path, language: str, capsys: pytest.CaptureFixture):
    panel = Panel.from_json(Path("panel-key.json").read_bytes())
    Path("a.json").write_text(answered(panel, "花子", 1).as_json(), encoding="utf-8")
    capsys.readouterr()
    assert main(["panel", "read", "panel-key.json", "a.json", "--language", language]) == 0
    out = capsys.readouterr().out
    assert "花子" in out
    assert ("right in 6 of 6" if language == "en" else "6 回中 6 回") in out
    assert "&" not in out


def test_the_report_of_the_plan_says_who_listened(here: Path):
    panel = Panel.from_json(Path("panel-key.json").read_bytes())
    for run, name in enumerate(("Aki", "<b>Ben</b>")):
        Path(f"{run}.json").write_text(answered(panel, name, run).as_json(), encoding="utf-8")
    Path("plan.json").write_text(make_plan(evidence(way(0.7, 0.2))).as_json(), encoding="utf-8")
    assert main(["panel", "read", "panel-key.json", "0.json", "1.json", "--plan", "plan.json"]) == 0
    assert main(["report", "--plan", "plan.json", "--out", "report.html"]) == 0
    html = Path("report.html").read_text(encoding="utf-8")
    assert "Aki" in html
    assert "&lt;b&gt;Ben" in html
    assert "<b>Ben" not in html
    assert "Measured: the median of 12 answers" in html


def test_two_taggers_are_judged_on_the_same_clips(here: Path, tagger: str):
    files = [str(path) for path in sorted(here.glob("*.wav"))]
    two = ["--tagger", tagger, "--beside", tagger, "--clips", "3", "--key", "two.json"]
    assert main(["panel", "make", *files, *two]) == 0
    panel = Panel.from_json(Path("two.json").read_bytes())
    assert panel.machines == ("tagger (1)", "tagger (2)")
    assert all(question.by in ((), panel.machines) for clip in panel.clips for question in clip.questions)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (["--out", "same", "--key", "same"], 2),
        (["--out", "no/such/folder.html", "--key", "new.json"], 2),
        (["--out", "panel.html", "--key", "no/such/folder.json"], 2),
        (["--clips", "61", "--key", "new.json"], 3),
        (["--clips", "0", "--key", "new.json"], 2),
    ],
)
def test_what_cannot_be_made_is_a_sentence_and_writes_nothing(
    here: Path, tagger: str, more: list[str], status: int
):
    before = Path("panel-key.json").read_bytes()
    try:
        code = main(["panel", "make", "night0-low.wav", "night1-high.wav", "--tagger", tagger, *more])
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code == status
    assert Path("panel-key.json").read_bytes() == before
    assert not Path("new.json").exists()


@pytest.mark.parametrize("named", ["none/*.wav", "letter.wav"])
def test_what_names_no_recording_is_said_once(
    here: Path, tagger: str, named: str, capsys: pytest.CaptureFixture
):
    Path("letter.wav").write_text("Dear all")
    capsys.readouterr()
    assert main(["panel", "make", named, "--tagger", tagger, "--key", "new.json", "--json"]) == 3
    said = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(said) == 1, said
    assert "nothing to ask" not in said[0]
    assert not Path("new.json").exists()


def test_the_key_of_a_panel_that_is_out_is_not_written_over(
    here: Path, tagger: str, capsys: pytest.CaptureFixture
):
    before = [Path(name).read_bytes() for name in ("panel.html", "panel-key.json")]
    assert main(["panel", "make", "night0-low.wav", "night1-high.wav", "--tagger", tagger]) == 3
    assert "answers cannot be read without it" in capsys.readouterr().err
    assert [Path(name).read_bytes() for name in ("panel.html", "panel-key.json")] == before


def test_without_answers_that_can_be_read_nothing_is_written(here: Path):
    Path("letter.json").write_text("Dear all")
    assert main(["panel", "read", "panel-key.json", "letter.json", "none.json", "--labels", "l.csv"]) == 1
    assert not Path("l.csv").exists()
    assert main(["panel", "read", "nothing.json", "letter.json"]) == 2
    assert main(["panel", "read", "letter.json", "letter.json"]) == 3


def test_what_a_tagger_was_made_from_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    from mirdemo import embed, load_backbone, load_clip
    from mirdemo.stages.fewshot import LCPrototypes
    from mirdemo.synth.festival import festival_clips, write_festival
    from mirdemo.tagger import Tagger

    monkeypatch.chdir(tmp_path)
    write_festival("festival")
    clips = festival_clips()
    some = [row for row, recording in enumerate(clips.recordings) if recording.startswith(("bon", "yatai"))]
    made = Tagger.make(
        embed([clips.clips[row] for row in some], load_backbone("spectral")),
        clips.labels[some],
        [clips.recordings[row] for row in some],
        clips.tags,
        layer="timbre",
        method=LCPrototypes(unknown=False),
    )
    made.save("tagger.zip")
    assert all(made.has_learned(load_clip(Path("festival") / clips.clips[row].name)) for row in some)
    assert (
        main(
            [
                "panel",
                "make",
                "festival/b*.flac",
                "festival/h*.flac",
                "--tagger",
                "tagger.zip",
                "--seconds",
                "1",
            ]
        )
        == 0
    )
    names = [clip.name for clip in Panel.from_json(Path("panel-key.json").read_bytes()).clips]
    assert names
    assert not any(name.startswith("bon") for name in names)
    assert "the tagger was made from their recordings" in capsys.readouterr().err
    assert (
        main(
            [
                "panel",
                "make",
                "festival/bon*.flac",
                "--tagger",
                "tagger.zip",
                "--key",
                "k.json",
                "--out",
                "p.html",
            ]
        )
        == 3
    )
    assert not Path("p.html").exists()


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/jazz.tagger", "b/rock.tagger"], ["jazz", "rock"]),
        (["a/jazz.tagger", "b/jazz.tagger"], ["jazz (1)", "jazz (2)"]),
        (["/"], ["tagger"]),
    ],
)
def test_taggers_are_called_by_their_files_and_numbered_where_these_are_called_alike(files, names):
    assert _names([object()] * len(files), files) == names
