"""The doctor says what is here, names what is missing with a way out, and answers by its exit code."""

from __future__ import annotations

import json
from collections import namedtuple

import pytest
from backbones.loopback_hub import LoopbackHub

from mirdemo.cli import main
from mirdemo.commands import machine


def told(capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, dict]:
    code = main(["doctor", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_machine_that_has_everything(capsys, own_home):
    with_text = main(["doctor", "--offline"])
    lines = capsys.readouterr().out.splitlines()
    assert with_text == 0
    assert [line.split()[1] for line in lines] == [
        "python", "packages", "torch", "gpu", "threads", "decoders", "embedding", "disk", "backbones",
    ]  # fmt: skip
    code, found = told(capsys, "--offline")
    assert code == 0
    assert {one["state"] for one in found.values()} <= {"good", "note"}
    read = found["decoders"]["facts"]["read_seconds"]
    assert read == pytest.approx({"flac": 1.0, "m4a": 1.0}, abs=0.1)
    assert found["embedding"]["facts"]["layers"]
    assert found["disk"]["facts"]["home"] == str(own_home)
    assert found["disk"]["facts"]["free"] > 0
    assert "doctor" not in {path.name for path in own_home.iterdir()}
    assert "mini-world" in found["backbones"]["facts"]["embedded"]
    assert found["backbones"]["facts"]["fetched"] == []
    assert found["torch"]["facts"]["bytes"] > 10**8


def test_graphics_cards_are_told_with_their_memory_and_whether_they_compute_bfloat16(monkeypatch):
    """Compute capability 8, Ampere, is the first that does."""
    import torch

    card = namedtuple("card", "name total_memory major")
    cards = [
        card("Old", 16_000_000_000, 7),
        card("Ampere", 40_000_000_000, 8),
        card("New", 80_000_000_000, 9),
    ]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(cards))
    monkeypatch.setattr(torch.cuda, "get_device_properties", cards.__getitem__)
    found = machine.gpu()
    assert found.says == "Old (16 GB), Ampere (40 GB), New (80 GB)"
    assert [one["bfloat16"] for one in found.facts["gpus"]] == [False, True, True]


def test_a_missing_package_is_named_with_what_it_is_for(capsys, monkeypatch):
    version = machine._version
    monkeypatch.setattr(
        machine, "_version", lambda name: None if name in ("gradio", "ray") else version(name)
    )
    code, found = told(capsys, "--offline")
    assert code == 1
    assert found["packages"]["state"] == "missing"
    assert "gradio (for the page)" in found["packages"]["says"]
    monkeypatch.setattr(machine, "_version", lambda name: None if name == "ray" else version(name))
    one = machine.packages()
    assert one.state == "note"
    assert "several workers" in one.says


def test_every_package_is_looked_for():
    from pathlib import Path

    lines = (Path(__file__).parents[2] / "requirements.txt").read_text().splitlines()
    needed = {line.split("==")[0] for line in lines if line and not line.startswith("#")}
    assert needed - {"anyio", "markupsafe"} == set(machine.PACKAGES) - set(machine.OPTIONAL)


def test_every_optional_package_is_looked_for():
    from pathlib import Path

    root = Path(__file__).parents[2]
    lines = [
        line
        for extra in ("bulk", "fast", "tags")
        for line in (root / f"requirements-{extra}.txt").read_text().splitlines()
    ]
    named = {line.split("==")[0].split("[")[0] for line in lines if line and not line.startswith("#")}
    assert named == set(machine.OPTIONAL)


def test_a_folder_that_cannot_be_written_is_missing_and_names_the_way_out(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MIRDEMO_HOME", str(tmp_path / "file" / "home"))
    code, found = told(capsys, "--offline")
    assert code == 1
    assert found["disk"]["state"] == "missing"
    assert "MIRDEMO_HOME" in found["disk"]["says"]


def test_a_decoder_that_raises_anything_is_missing(monkeypatch):
    def broken() -> bytes:
        raise ImportError("libsndfile.so: cannot open shared object file\nand more")

    monkeypatch.setattr(machine, "_flac", broken)
    found = {one.name: one for one in machine.look(ask_hub=False)}
    assert found["decoders"].state == "missing"
    assert "libsndfile.so" in found["decoders"].says
    assert "and more" not in found["decoders"].says
    assert found["disk"].state == "good"


def test_the_hub_is_asked_once_and_its_silence_is_no_fault(capsys, monkeypatch):
    with LoopbackHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert machine.hub().facts["reached"]
        assert len(hub.requests) == 1
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    code, found = told(capsys)
    assert code == 0
    assert found["hub"]["state"] == "note"
    assert "--checkpoint" in found["hub"]["says"]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert machine.hub().facts == {
        "address": "http://127.0.0.1:9",
        "offline": True,
        "token": False,
        "reached": False,
    }


def test_a_gpu_is_named(monkeypatch):
    import torch

    about = namedtuple("About", "name total_memory major")("H200", 150_000_000_000, 9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: about)
    one = machine.gpu()
    assert one.says == "H200 (150 GB)"
    assert one.facts["gpus"] == [{"name": "H200", "bytes": 150_000_000_000, "bfloat16": True}]


def test_cuda_libraries_without_a_gpu_are_told(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(
        machine, "_size", lambda folder: 10**9 if folder.name in ("nvidia", "triton") else 10**8
    )
    one = machine.torch_build()
    assert one.state == "note"
    assert "2.0 GB of CUDA libraries" in one.says
    monkeypatch.setattr(machine, "_size", lambda folder: 0 if folder.name in ("nvidia", "triton") else 10**8)
    assert machine.torch_build().state == "good"
