"""``tag``: a tagger that was taken home, asked on the command line about files and whole archives."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from commands.conftest import HERTZ, RATE, tone

from mirdemo import cli
from mirdemo.clips import LabelledClips
from mirdemo.clips.annotations import KINDS
from mirdemo.sound.audio import load_clip


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{tag}.wav" for tag in HERTZ]
    for seed, (path, hertz) in enumerate(zip(paths, HERTZ.values(), strict=True), start=20):
        soundfile.write(path, tone(hertz, 40, seed), RATE)
    return [str(path) for path in paths]


def test_each_tag_has_its_score_with_an_interval_over_windows(tagger: str, files: list[str], capsys) -> None:
    assert cli.main(["tag", *files, "--tagger", tagger, "--json"]) == cli.DONE
    said = json.loads(capsys.readouterr().out)
    assert {path: [one["tag"] for one in found["tags"]] for path, found in said.items()} == dict(
        zip(files, [["low"], ["high"]], strict=True)
    )
    for found in said.values():
        assert found["warnings"] == []
        (one,) = found["tags"]
        assert one["interval"]["low"] <= one["score"] <= one["interval"]["high"]
        assert one["interval"]["n"] >= 3
        assert one["interval"]["unit"] == "windows"


def test_a_short_recording_has_a_score_and_no_interval(tagger: str, tmp_path: Path, capsys) -> None:
    soundfile.write(tmp_path / "short.wav", tone(150, 2, 30), RATE)
    assert cli.main(["tag", str(tmp_path / "short.wav"), "--tagger", tagger, "--json"]) == cli.DONE
    (found,) = json.loads(capsys.readouterr().out).values()
    (one,) = found["tags"]
    assert (one["tag"], one["interval"]) == ("low", None)


def test_a_bad_file_is_named_and_the_others_are_tagged(
    tagger: str, files: list[str], tmp_path, capsys
) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("not sound")
    assert cli.main(["tag", str(bad), *files, "--tagger", tagger]) == cli.SOME_FAILED
    printed = capsys.readouterr()
    assert "bad.wav" in printed.err
    assert [line.rpartition(" ")[0] for line in printed.out.splitlines()] == [
        f"{path}: {tag}" for path, tag in zip(files, HERTZ, strict=True)
    ]


def test_half_a_file_is_told_wherever_its_tags_go(tagger: str, files: list[str], tmp_path, capsys) -> None:
    half = tmp_path / "half.wav"
    half.write_bytes(Path(files[0]).read_bytes()[: Path(files[0]).stat().st_size // 2])
    assert cli.main(["tag", str(half), "--tagger", tagger]) == cli.SOME_FAILED
    assert "half.wav: This file ends in the middle (20.0 of 40.0 s)" in capsys.readouterr().err
    assert cli.main(["tag", str(half), "--tagger", tagger, "--json"]) == cli.SOME_FAILED
    (found,) = json.loads(capsys.readouterr().out).values()
    assert "ends in the middle" in found["warnings"][0]
    out = tmp_path / "tags.csv"
    assert cli.main(["tag", str(half), "--tagger", tagger, "--csv", str(out), "--json"]) == cli.SOME_FAILED
    assert json.loads(capsys.readouterr().out)["incomplete"] == 1
    with out.open(encoding="utf-8-sig", newline="") as table:
        assert "ends in the middle" in next(csv.DictReader(table))["warnings"]


def test_another_track_can_be_asked_for(tagger: str, tmp_path: Path, capsys) -> None:
    film = tmp_path / "film.mka"
    with av.open(str(film), "w", format="matroska") as file:
        made = [file.add_stream("flac", rate=RATE, layout="mono") for _ in HERTZ]
        for track, hertz in zip(made, HERTZ.values(), strict=True):
            wave = (tone(hertz, 4, 40) * 32_767).astype(np.int16)
            for start in range(0, len(wave), 4_096):
                frame = av.AudioFrame.from_ndarray(wave[None, start : start + 4_096], "s16", "mono")
                frame.sample_rate, frame.pts = RATE, start
                file.mux(track.encode(frame))
            file.mux(track.encode(None))
    for wanted, tag in (([], "low"), (["--track", "1"], "low"), (["--track", "2"], "high")):
        assert cli.main(["tag", str(film), "--tagger", tagger, *wanted]) == cli.DONE
        said = capsys.readouterr()
        assert said.out.startswith(f"{film}: {tag} ")
        assert f"2 sound tracks. We used number {2 if tag == 'high' else 1}" in said.err
    assert cli.main(["tag", str(film), "--tagger", tagger, "--track", "3"]) == cli.SOME_FAILED
    assert "Choose one of these: 1, 2" in capsys.readouterr().err
    rows = tmp_path / "rows.npz"
    out = []
    for track in ("1", "2"):
        line = ["embed", str(film), "--track", track, "--out", str(rows), "--no-store"]
        assert cli.main(line) == cli.DONE
        with np.load(rows, allow_pickle=False) as found:
            out.append(found["layer/timbre"][0])
    assert np.abs(out[0] - out[1]).max() > 0.1


def test_an_archive_goes_on_where_it_stopped(tagger: str, files: list[str], tmp_path: Path, capsys) -> None:
    out = tmp_path / "tags.csv"
    for some in (files[:1], files):
        assert cli.main(["tag", *some, "--tagger", tagger, "--csv", str(out), "--json"]) == cli.DONE
    last = json.loads(capsys.readouterr().out.partition("}")[2])
    assert last == {"file": str(out), "tagged": 1, "kept": 1, "failed": 0, "incomplete": 0}
    with out.open(encoding="utf-8-sig", newline="") as table:
        assert [(row["file"], row["tags"]) for row in csv.DictReader(table)] == list(
            zip(files, HERTZ, strict=True)
        )


def test_folders_patterns_and_lists_name_an_archive(
    tagger: str, files: list[str], tmp_path: Path, capsys
) -> None:
    out = tmp_path / "tags.csv"
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / "list.txt").write_text("\n".join(files))
    for given in ([str(tmp_path)], [str(tmp_path / "*.wav")], ["--files", str(tmp_path / "list.txt")]):
        out.unlink(missing_ok=True)
        assert cli.main(["tag", *given, "--tagger", tagger, "--csv", str(out)]) == cli.DONE
        with out.open(encoding="utf-8-sig", newline="") as table:
            assert sorted(row["file"] for row in csv.DictReader(table)) == sorted(files)
    assert cli.main(["tag", files[0], str(tmp_path / "*.ogg"), "--tagger", tagger]) == cli.SOME_FAILED
    assert "No sound file is named" in capsys.readouterr().err
    assert cli.main(["tag", "--tagger", tagger]) == cli.USAGE


def test_a_bad_file_is_a_line_and_its_failure_is_told_again_until_it_is_mended(
    tagger: str, files: list[str], tmp_path: Path, capsys
) -> None:
    bad, out = tmp_path / "bad.wav", tmp_path / "tags.csv"
    bad.write_text("not sound")
    line = ["tag", str(bad), *files, "--tagger", tagger, "--csv", str(out)]
    for _ in range(2):
        assert cli.main(line) == cli.SOME_FAILED
    with out.open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [bool(row["problem"]) for row in rows] == [True, False, False]
    bad.write_bytes(Path(files[0]).read_bytes())
    assert cli.main([*line, "--retry"]) == cli.DONE
    assert cli.main([*line[:-2], "--retry"]) == cli.USAGE


def test_what_is_said_is_said_in_japanese(tagger: str, files: list[str], tmp_path: Path, capsys) -> None:
    half, out = tmp_path / "half.wav", tmp_path / "tags.csv"
    half.write_bytes(Path(files[0]).read_bytes()[: Path(files[0]).stat().st_size // 2])
    line = ["tag", str(half), "--tagger", tagger, "--language", "ja"]
    assert cli.main([*line, "--csv", str(out)]) == cli.SOME_FAILED
    printed = capsys.readouterr()
    assert "half.wav：このファイルは途中で終わっています" in printed.err
    assert "1 件にタグを付けました" in printed.out
    assert "途中で終わっています" in out.read_text(encoding="utf-8-sig")
    assert cli.main(["tag", str(half), "--tagger", "none.zip", "--language", "ja"]) == cli.REFUSED
    assert "自動タグ付けモデルがありません" in capsys.readouterr().err


def test_json_is_one_object_also_where_a_file_is_bad_or_its_name_no_text(
    tagger: str, files: list[str], tmp_path: Path, capsysbinary
) -> None:
    bad = tmp_path / os.fsdecode(b"caf\xe9.wav")
    bad.write_text("not sound")
    assert cli.main(["tag", str(bad), files[0], "--tagger", tagger, "--json"]) == cli.SOME_FAILED
    said = json.loads(capsysbinary.readouterr().out)
    assert [bool(found.get("problem")) for found in said.values()] == [True, False]
    assert cli.main(["tag", str(tmp_path / "*.ogg"), "--tagger", tagger, "--json"]) == cli.SOME_FAILED
    assert json.loads(capsysbinary.readouterr().out) == {}


def test_a_log_has_a_line_of_progress_with_the_time_left(monkeypatch, capsys) -> None:
    from mirdemo.commands import console

    clock = iter([0.0, 0.0, *(10.0 * i for i in range(1, 30))])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.speaking("ja"), console.progress_bar() as progress:
        for done in range(20, 40):
            progress(done, 1_000, "tagging")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0] == "mirdemo: タグを付けています：1000 件のうち 26 件、毎秒 0.1 件、残り 2:42:20"


def test_tags_are_written_into_files_only_when_asked_and_taken_back(
    tagger: str, files: list[str], tmp_path: Path, capsys
) -> None:
    mutagen = pytest.importorskip("mutagen", reason="an optional extra (requirements-tags.txt)")
    plain = tmp_path / "sound.au"
    soundfile.write(plain, tone(150, 2, 60), RATE)
    out, undo, sound = (
        tmp_path / "tags.csv",
        tmp_path / "undo.jsonl",
        [load_clip(file).sha256 for file in files],
    )
    contents = [Path(file).read_bytes() for file in files]
    line = ["tag", *files, str(plain), "--tagger", tagger, "--csv", str(out)]
    assert cli.main(line) == cli.DONE
    assert [Path(file).read_bytes() for file in files] == contents
    for wrong in (["--write-tags"], ["--undo", str(undo)]):
        assert cli.main([*line, *wrong]) == cli.USAGE
    capsys.readouterr()
    assert cli.main([*line, "--write-tags", "--undo", str(undo), "--field", "genre"]) == cli.SOME_FAILED
    printed = capsys.readouterr()
    assert "sound.au is of a kind that holds no tags" in printed.err
    assert "written into 2 files, 1 did not take them" in printed.err
    assert "Tagged: 0; there already: 3" in printed.out
    assert [mutagen.File(file).tags["TCON"].text for file in files] == [["low"], ["high"]]
    assert [load_clip(file).sha256 for file in files] == sound
    assert cli.main(["untag", str(undo), "--json"]) == cli.DONE
    assert json.loads(capsys.readouterr().out) == {"back": 2, "left": 0}
    assert not any(mutagen.File(file).tags for file in files)
    assert cli.main(["untag", str(out)]) == cli.REFUSED


def test_no_tagger_there_is_refused_in_a_sentence(files: list[str], tmp_path: Path, capsys) -> None:
    assert cli.main(["tag", *files, "--tagger", str(tmp_path / "none.zip")]) == cli.REFUSED
    assert "There is no tagger at none.zip" in capsys.readouterr().err


# ---- over time ------------------------------------------------------------------------------------------


@pytest.fixture
def procession(tmp_path: Path) -> str:
    """Low for 10 seconds, high for 10, low for 7."""
    path = tmp_path / "procession.wav"
    parts = [tone(HERTZ[tag], seconds, 30) for tag, seconds in (("low", 10), ("high", 10), ("low", 7))]
    soundfile.write(path, np.concatenate(parts), RATE)
    return str(path)


@pytest.mark.parametrize("kind", KINDS)
def test_tags_over_time_are_written_for_every_program_and_read_back(
    tagger: str, procession: str, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "new" / "out"
    done = cli.main(["tag", procession, "--tagger", tagger, "--over-time", str(out), "--as", kind])
    assert done == cli.DONE
    (written,) = out.iterdir()
    assert written.name == "procession" + KINDS[kind]
    labelled = LabelledClips.from_csv(written, {"procession.wav": procession})
    spans = [(c.start_seconds, round(c.start_seconds + c.seconds, 3)) for c in labelled.clips]
    told = dict(zip(spans, map(labelled.tags_of, range(len(labelled))), strict=True))
    assert told == {(0.0, 10.0): ("low",), (10.0, 20.0): ("high",), (20.0, 27.0): ("low",)}


def test_two_recordings_of_one_name_get_a_file_each(tagger: str, procession: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "procession.wav"
    soundfile.write(other, tone(HERTZ["high"], 3, 5), RATE)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    out = tmp_path / "out"
    files = [procession, str(other), str(broken)]
    assert cli.main(["tag", *files, "--tagger", tagger, "--over-time", str(out)]) != cli.DONE
    assert sorted(p.name for p in out.iterdir()) == ["procession (2).csv", "procession.csv"]
    lines = (out / "procession (2).csv").read_text("utf-8-sig").splitlines()
    assert lines == ["file,start,end,label", "procession.wav,0.000000,3.000000,high"]
    assert cli.main(["tag", *files, "--tagger", tagger, "--over-time", str(broken)]) != cli.DONE
    assert cli.main(["tag", *files, "--tagger", tagger, "--over-time", str(out), "--json"]) != cli.DONE


def test_labels_that_somebody_made_by_hand_beside_the_sound_are_not_written_over(
    tagger: str, procession: str, tmp_path: Path, capsys
) -> None:
    by_hand = Path(procession).with_suffix(".txt")
    by_hand.write_text("0.0\t5.0\tby hand\n")
    line = ["tag", procession, "--tagger", tagger, "--as", "audacity", "--over-time"]
    assert cli.main([*line, str(by_hand.parent)]) == cli.SOME_FAILED
    assert "says something else" in capsys.readouterr().err
    assert by_hand.read_text() == "0.0\t5.0\tby hand\n"
    for _ in range(2):  # what says the same is no hindrance
        assert cli.main([*line, str(tmp_path / "out")]) == cli.DONE
