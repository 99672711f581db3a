"""The command line does what its help says, and its exit codes mean something."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from mirdemo import cli


@pytest.fixture
def recordings(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for name in ("one.wav", "two.flac"):
        path = tmp_path / name
        soundfile.write(path, rng.normal(0, 0.1, 22050 * 2).astype("float32"), 22050)
        paths.append(str(path))
    return paths


def test_backbones_lists_every_name_with_size_and_licence(capsys):
    assert cli.main(["backbones", "--json"]) == cli.DONE
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(listed) >= {
        "spectral",
        "mini-world-spectral",
        "mert-95m",
        "mert-330m",
        "culturemert-95m",
        "clap-music",
        "qwen2-audio",
    }
    assert listed["spectral"]["fetch_bytes"] == listed["mini-world-spectral"]["fetch_bytes"] == 0
    assert listed["mert-95m"]["fetched"] is False
    assert listed["mert-95m"]["licence"] == "CC-BY-NC-4.0"


def test_an_unknown_backbone_is_refused_in_a_sentence(capsys):
    assert cli.main(["backbones", "nonsense"]) == cli.REFUSED
    said = capsys.readouterr().err
    assert "There is no backbone named nonsense" in said
    assert "Traceback" not in said


def test_embed_writes_one_row_a_recording_and_layer(recordings, tmp_path, capsys):
    out = tmp_path / "rows.npz"
    assert cli.main(["embed", recordings[0], "--out", str(out)]) == cli.DONE
    assert "Rows of spectral in" in (said := capsys.readouterr().out)
    assert "Clips: 1." in said
    assert cli.main(["embed", *recordings, "--out", str(out), "--json"]) == cli.DONE
    said = json.loads(capsys.readouterr().out)
    with np.load(out, allow_pickle=False) as rows:
        assert rows["clip"].tolist() == ["one.wav", "two.flac"]
        for name, size in said["layers"].items():
            assert rows[f"layer/{name}"].shape == (2, size)
        assert json.loads(str(rows["identity"]))["name"] == "spectral"


def test_embed_names_a_bad_file_goes_on_and_says_so_by_its_exit_code(recordings, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_text("not sound")
    out = tmp_path / "rows.npz"
    assert cli.main(["embed", str(bad), *recordings, "--out", str(out)]) == cli.SOME_FAILED
    assert "bad.wav" in capsys.readouterr().err
    with np.load(out, allow_pickle=False) as rows:
        assert len(rows["clip"]) == 2


def test_embed_leaves_nothing_when_no_file_can_be_read(tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_text("not sound")
    assert cli.main(["embed", str(bad), "--out", str(tmp_path / "rows.npz")]) == cli.SOME_FAILED
    assert [p.name for p in tmp_path.iterdir()] == ["bad.wav"]


def test_embed_that_was_stopped_goes_on_and_leaves_only_its_rows(recordings, tmp_path, monkeypatch, capsys):
    from mirdemo.embedding import filling, streaming

    out = tmp_path / "out" / "rows.npz"
    out.parent.mkdir()
    monkeypatch.setattr(streaming, "GROUP_CLIPS", 1)
    line = ["embed", *recordings, "--out", str(out), "--no-store"]
    computed, before = [], filling._rows

    def stopping(folder, embeddings, row):
        computed.append(row)
        if len(computed) == 2:
            raise KeyboardInterrupt
        return before(folder, embeddings, row)

    monkeypatch.setattr(filling, "_rows", stopping)
    assert cli.main(line) == cli.INTERRUPTED
    assert [path.name for path in out.parent.iterdir()] == ["rows.npz.rows"]
    assert cli.main(line) == cli.DONE
    assert len(computed) == 3  # the first is not computed again
    assert [path.name for path in out.parent.iterdir()] == ["rows.npz"]
    with np.load(out, allow_pickle=False) as rows:
        assert rows["clip"].tolist() == ["one.wav", "two.flac"]
    computed.clear()
    monkeypatch.setattr(filling, "_rows", lambda *asked: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli.main(line) == cli.INTERRUPTED
    monkeypatch.setattr(filling, "_rows", before)
    assert cli.main([*line, "--backbone", "mini-world"]) == cli.DONE  # begun with another backbone


def test_embed_refuses_a_place_it_cannot_write(recordings, tmp_path):
    assert cli.main(["embed", *recordings, "--out", str(tmp_path / "no" / "rows.npz")]) == cli.USAGE
    assert cli.main(["embed", *recordings, "--out", str(tmp_path / "rows.pkl")]) == cli.USAGE


@pytest.mark.parametrize(
    ("option", "name"),
    [("models", "MERT-v1-95M~MERT-95M"), ("corpora", "nope"), ("metric", "accuracy"), ("sources", "mine")],
)
def test_a_report_of_what_is_not_there_is_no_report_of_everything(tmp_path, capsys, option, name):
    out = str(tmp_path / "r.html")
    assert cli.main(["report", "--out", out, f"--{option}", name, "--language", "ja"]) == cli.USAGE
    assert f"--{option} に {name.rpartition('~')[2]} という名前はありません" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_report_writes_one_file(tmp_path, capsys):
    out = tmp_path / "report.html"
    assert cli.main(["report", "--out", str(out), "--language", "ja", "--json"]) == cli.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["bytes"] == out.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_wrong_command_line_exits_with_2():
    with pytest.raises(SystemExit) as stopped:
        cli.main(["dance"])
    assert stopped.value.code == cli.USAGE
