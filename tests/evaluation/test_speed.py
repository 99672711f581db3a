"""The table of speeds: measured in processes of their own, kept by machine and torch, believed by the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mirdemo.backbones import BackboneError, random_weights
from mirdemo.base import processor
from mirdemo.cli import main
from mirdemo.embedding.pace import Pace, embedding, loading
from mirdemo.evaluation import speed
from mirdemo.evaluation.speed import HEADER, Speed, cells

ROW = Speed(
    backbone="mert-95m",
    weights="random",
    engine="torch",
    precision="float32",
    device="cpu",
    usual=True,
    seconds_per_minute=6.0,
    least=5.0,
    most=9.0,
    rounds=3,
    load_seconds=4.0,
    first_load_seconds=None,
    peak_bytes=900_000_000,
    busy=0.0,
)
FACTS = {
    "processor": "Some(R) Xeon(R) CPU @ 2.10GHz",
    "cores": 2,
    "system": "Linux x86_64",
    "torch": "2.11.0+cpu",
}


def still() -> Pace:
    return Pace(load=lambda: (0.0, 0.0), cores=2)


def test_processors_of_one_name_with_other_units_have_tables_of_their_own(tmp_path):
    """A host that hides the matrix units sells the same processor at a fraction of the speed."""
    cores = tmp_path / "cpuinfo"
    cores.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni avx512_bf16 avx512_fp16\n" * 2)
    hidden = processor.units(cores)
    assert hidden == ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16")
    assert processor.units(tmp_path / "none") == ()
    shown = [*hidden, "amx_bf16"]
    names = [speed.file_name(FACTS | {"units": units}) for units in (hidden, shown, [])]
    assert names[0] == "some-xeon-cpu-2.10ghz-avx512-bf16-2-cores-torch2.11.0"
    assert names[2] == "some-xeon-cpu-2.10ghz-2-cores-torch2.11.0"
    assert len(set(names)) == 3
    first, _ = (speed.write(tmp_path, FACTS | {"units": units}, [ROW]) for units in (hidden, shown))
    assert "Linux x86_64, with avx2, avx512f" in first.read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("*.md"))) == 2


def test_one_command_measures_writes_and_lets_the_page_know(tmp_path, capsys):
    """The whole way, with the smallest backbone: a child measures, two files are written, the pace is known."""
    out = tmp_path / "table"
    asked = ["speed", "mini-west", "--engines", "torch", "--seconds", "5", "--rounds", "1", "--json"]
    assert main([*asked, "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    (row,) = told["rows"]
    assert (row["backbone"], row["engine"], row["precision"], row["weights"]) == (
        "mini-west", "torch", "float32", "its own",
    )  # fmt: skip
    assert row["usual"]
    assert 0 < row["least"] <= row["seconds_per_minute"] <= row["most"]
    assert row["peak_bytes"] > 10**8
    page, table = sorted(out.iterdir(), key=lambda path: path.suffix, reverse=True)
    assert (page.suffix, table.suffix, page.stem) == (".md", ".json", table.stem)
    assert table.stem.endswith(f"torch{told['machine']['torch'].partition('+')[0]}")
    assert "| mini-west* | torch | float32 |" in page.read_text()
    assert still().expected(embedding("mini-west"), 60) == pytest.approx(row["seconds_per_minute"], rel=0.9)
    assert still().expected(loading("mini-west"), 1) > 0


def test_rows_measured_before_stay_and_the_same_way_is_measured_anew(tmp_path):
    speed.write(tmp_path, FACTS, [ROW, replace(ROW, precision="bfloat16", usual=False)])
    page = speed.write(tmp_path, FACTS, [replace(ROW, seconds_per_minute=12.0)])
    assert page.name == "some-xeon-cpu-2.10ghz-2-cores-torch2.11.0.md"
    held = speed.read(page.with_suffix(".json"))
    assert [(row.precision, row.seconds_per_minute) for row in held] == [("float32", 12.0), ("bfloat16", 6.0)]
    assert "| mert-95m* | torch | float32 | 12.00 | 5.00 to 9.00, n = 3 | 0.200 |" in page.read_text()
    other_fields = json.dumps({"format": "mirdemo-speed-1", "rows": [{"backbone": "mert-95m"}]})
    for damaged in ('{"rows": []}', "[]", "nothing", other_fields):
        page.with_suffix(".json").write_text(damaged)
        with pytest.raises(ValueError, match="no table"):
            speed.write(tmp_path, FACTS, [ROW])


def test_what_is_usual_is_known_of_every_backbone_of_that_shape(own_home):
    speed.remember([ROW, replace(ROW, engine="openvino 1", usual=False, seconds_per_minute=1.0)], still())
    for name in ("mert-95m", "culturemert-95m", "culturemert-ta-95m"):
        assert still().expected(embedding(name), 60) == pytest.approx(6.0)
        assert still().expected(loading(name), 1) == pytest.approx(4.0)
    assert still().expected(embedding("mert-330m"), 60) is None


def test_backbones_of_one_shape_are_one():
    assert random_weights.shape("culturemert-ta-95m") == "mert-95m"
    assert random_weights.shape("clap-music-speech") == "clap-music"
    assert random_weights.shape("mert-330m") == "mert-330m"
    assert random_weights.shape("hf:some/encoder") == "hf:some/encoder"


def test_a_shape_that_is_not_known_is_no_checkpoint(tmp_path: Path):
    with pytest.raises(BackboneError, match="backbones hf:some/encoder --check"):
        random_weights.checkpoint("hf:some/encoder", tmp_path / "none")


def test_what_is_no_backbone_and_what_is_no_engine_is_refused(capsys):
    assert main(["speed", "nothing"]) == 3
    assert main(["speed", "spectral", "--engines", "abacus"]) == 2
    assert "abacus" in capsys.readouterr().err


def test_small_backbones_are_asked_for_what_they_can_alone(monkeypatch):
    asked = []

    def answer(order, scratch):
        asked.append((order["engine"], order["dtype"]))
        return {k: v for k, v in vars(ROW).items() if k not in ("usual", "first_load_seconds")}

    monkeypatch.setattr(speed, "_child", answer)
    ((rows, refusals),) = speed.measured(["mini-west"])
    assert asked == [("torch", "float32"), (None, "auto")]
    assert (len(rows), refusals) == (1, [])


def test_a_way_that_cannot_go_is_told_and_the_others_are_measured(monkeypatch):
    def answer(order, scratch):
        if order["engine"] == "openvino":
            return {"refusal": "OpenVINO is not installed here."}
        made = {k: v for k, v in vars(ROW).items() if k not in ("usual", "first_load_seconds")}
        return made | {
            "engine": "torch",
            "precision": "float32" if order["dtype"] == "auto" else order["dtype"],
        }

    monkeypatch.setattr(speed, "_child", answer)
    ways = [("torch", "float32"), ("torch", "bfloat16"), ("openvino", "float32")]
    ((rows, refusals),) = speed.measured(["mert-95m", "culturemert-95m"], ways=ways)
    assert [(row.precision, row.usual) for row in rows] == [("float32", True), ("bfloat16", False)]
    assert refusals == ["OpenVINO is not installed here."]


def test_on_a_machine_that_would_compute_elsewhere_no_row_of_the_processor_is_usual(monkeypatch):
    """Else the page of a machine with a GPU would tell the processor's times before the first click."""

    def answer(order, scratch):
        made = {k: v for k, v in vars(ROW).items() if k not in ("usual", "first_load_seconds")}
        return made | {"device": "Some GPU" if order["device"] == "auto" else order["device"]}

    monkeypatch.setattr(speed, "_child", answer)
    ((rows, _),) = speed.measured(["mert-95m"], ways=[("torch", "float32")])
    assert [(row.device, row.usual) for row in rows] == [("cpu", False)]


def test_figures_are_told_also_where_the_table_cannot_be_written(tmp_path, monkeypatch, capsys):
    def measured(names, **how):
        yield [ROW], []

    monkeypatch.setattr(speed, "measured", measured)
    (tmp_path / "taken").write_text("a file")
    (tmp_path / f"{speed.file_name(speed.machine())}.json").write_text("a file of another kind")
    for folder, why in ((tmp_path / "taken", "taken cannot be used"), (tmp_path, "is no table of speeds")):
        assert main(["speed", "mert-95m", "--out", str(folder)]) == 3
        told = capsys.readouterr()
        assert "mert-95m*" in told.out
        assert why in told.err


def test_a_row_of_the_table_says_its_figures_as_its_head_says():
    row = Speed(
        "b",
        "its own",
        "torch",
        "float32",
        "cpu",
        True,
        12.345,
        11.0,
        13.456,
        3,
        1.25,
        None,
        1_234_567_890,
        0.5,
    )
    assert row.real_time_factor == pytest.approx(12.345 / 60)
    told = dict(zip(HEADER, cells(row), strict=True))
    assert told["backbone"] == "b*"
    assert told["s a minute"] == "12.35"
    assert told["of rounds"] == "11.00 to 13.46, n = 3"
    assert told["x real time"] == "0.206"
    assert (told["load s"], told["first s"], told["peak MB"]) == ("1.2", "", "1,235")
    assert cells(replace(row, usual=False, first_load_seconds=8.6))[:1] + cells(
        replace(row, first_load_seconds=8.6)
    )[7:8] == ("b", "9")
