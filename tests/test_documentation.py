"""The documentation is tested as the code is: what there is stands in it, and what it shows runs."""

from __future__ import annotations

import argparse
import inspect
import re
import shlex
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile

import mirdemo
from mirdemo.cli import main, parser

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def told() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def reference():
    import sys

    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import write_reference
    finally:
        sys.path.remove(str(ROOT / "docs"))
    return write_reference


# ---- what there is stands in it -------------------------------------------------------------------------


def test_the_reference_is_what_the_code_says():
    here = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert here == reference().written(), "run: python docs/write_reference.py"


def actions(one: argparse.ArgumentParser, called: str = ""):
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from actions(sub, f"{called} {name}".strip())
        else:
            yield called, action


def test_every_option_of_every_verb_is_told():
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for called, action in actions(parser()):
        if called and not isinstance(action, argparse._HelpAction):
            part = page.split(f"### `mirdemo {called}`\n")[1].split("\n### ")[0]
            for name in action.option_strings or [action.metavar]:
                assert f"`{name}" in part, f"{called} {name}"


def test_every_verb_stands_in_the_readme():
    from mirdemo.cli import VERBS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"python -m mirdemo {verb}" not in readme] == []


def test_every_endpoint_and_argument_is_told():
    writer = reference()
    found = {}
    for tab in sorted((ROOT / "mirdemo" / "web" / "tabs").glob("*/endpoint.py")):
        assert f"mirdemo.web.tabs.{tab.parent.name}.endpoint" in writer.ENDPOINTS
        found |= dict.fromkeys(re.findall(r"^    offer\((\w+)\)", tab.read_text(encoding="utf-8"), re.M))
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert found
    for name in found:
        assert f"### `/{name}`\n" in page
        assert f"`/{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_limit_is_told():
    from mirdemo.clips.limits import ClipLimits
    from mirdemo.sound.decoding.limits import AudioLimits
    from mirdemo.web.frame.limits import WebLimits

    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for kind in (ClipLimits, AudioLimits, WebLimits):
        assert [one.name for one in fields(kind) if f"`{one.name}`" not in page] == []
        assert all(one.name in inspect.getdoc(kind) for one in fields(kind))


def test_every_environment_variable_is_told():
    code = [
        *ROOT.glob("*.py"),
        *(p for f in ("mirdemo", "tests", "training", "benchmarks") for p in (ROOT / f).rglob("*.py")),
    ]
    texts = {path: path.read_text(encoding="utf-8") for path in code}
    ours = {name for text in texts.values() for name in re.findall(r"\bMIRDEMO_[A-Z]+(?:_[A-Z]+)*\b", text)}
    read = {
        name
        for path, text in texts.items()
        if path.is_relative_to(ROOT / "mirdemo")
        for name in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", text)
    }
    internal = {"PYTHONPATH", "SPACES_ZERO_GPU"}  # set by Python and by ZeroGPU
    assert "MIRDEMO_HOME" in ours & read
    assert sorted(name for name in (ours | read) - internal if name not in told()) == []


def test_every_file_that_is_linked_is_there():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


# ---- what it shows runs ---------------------------------------------------------------------------------


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def shown() -> list[str]:
    """Every command line of mirdemo in the pages: in blocks, in tables and in running text."""
    found: list[str] = []
    for page in PAGES:
        if page.name == "reference.md":  # which names verbs and shows none
            continue
        text = page.read_text(encoding="utf-8")
        lines = "\n".join(blocks(page)).replace("\\\n", " ").splitlines()
        lines += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        for line in lines:
            command = line.partition("#")[0].strip()
            if re.match(r"(python -m )?mirdemo [a-z]", command) and "VERB" not in command:
                found.append(command.split("mirdemo ", 1)[1])
    return sorted({re.sub(r"\s+", " ", command) for command in found})


@pytest.mark.parametrize("command", shown())
def test_a_command_that_is_shown_is_understood(command: str):
    if command.endswith(" ..."):  # stands for arguments: the verb is there
        assert command.removesuffix(" ...") in {called for called, _ in actions(parser())}
    else:
        assert parser().parse_args(shlex.split(command)).run


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder as the pages suppose it: recordings of two kinds, also in a folder a tag."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for tag, pitch in (("flute", 880.0), ("drum", 110.0)):
        (tmp_path / "recordings" / tag).mkdir(parents=True)
        for number in range(6):
            time = np.arange(24_000 * 2) / 24_000
            wave = 0.3 * np.sin(2 * np.pi * pitch * (1 + number / 50) * time) + 0.01 * rng.standard_normal(
                len(time)
            )
            path = tmp_path / "recordings" / tag / f"{tag}-{number}.wav"
            soundfile.write(path, wave.astype(np.float32), 24_000)
            if number < 2:
                for kind in ("mp3", "flac"):  # told apart by content, not by name
                    (tmp_path / f"{tag}-{number}.{kind}").write_bytes(path.read_bytes())
    return tmp_path


def run_as_shown(command: str, folder: Path) -> int:
    words = []
    for word in shlex.split(command):
        words += sorted(p.name for p in folder.glob(word)) if "*" in word else [word]
    return main(words)


#: Offline, on no corpus of somebody else and without a cluster. The others are understood, above.
RUNNABLE = ("backbones", "corpora", "report", "demo-clips", "doctor", "embed", "tag", "find")


def runnable() -> list[str]:
    return [
        c
        for c in shown()
        if c.split()[0] in RUNNABLE and "--workers" not in c and "..." not in c and "check" not in c
    ]


@pytest.mark.parametrize("command", runnable())
def test_a_command_that_is_shown_runs(
    command: str, recordings: Path, capsys: pytest.CaptureFixture, monkeypatch
):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    if "--tagger DIR" in command:
        clips = mirdemo.LabelledClips.from_folder("recordings")
        backbone = mirdemo.load_backbone("mini-world", device="cpu")
        embeddings = mirdemo.embed(clips.clips, backbone)
        layer = list(embeddings.layers)[-1]
        tagger = mirdemo.Tagger.make(
            embeddings, clips.labels, clips.recordings, clips.tags, layer=layer, spec=backbone.spec
        )
        tagger.save("DIR")
    if "--plan" in command:
        from planned import evidence, way

        from mirdemo.planning import make_plan

        plan = make_plan(evidence(way(0.7, 0.2)))
        (recordings / "plan.json").write_text(plan.as_json(), encoding="utf-8")
    assert run_as_shown(command, recordings) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


def test_every_kind_of_runnable_command_is_shown():
    assert {command.split()[0] for command in runnable()} == set(RUNNABLE)


def test_the_python_that_is_shown_runs(recordings: Path):
    (snippet,) = [block for block in blocks(ROOT / "README.md") if "import mirdemo" in block]
    names: dict = {}
    exec(snippet, names)
    assert names["report"].tags


def test_what_is_installed_is_there():
    """Every requirements file and extra that a page names."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"][
        "optional-dependencies"
    ]
    for name in re.findall(r"(?:-r|-c) (\S*requirements\S*\.txt)", told()):
        assert (ROOT / name).is_file()
    named = {extra for group in re.findall(r"\.\[([a-z,]+)\]", told()) for extra in group.split(",")}
    assert named
    assert named <= set(extras)
