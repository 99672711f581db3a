"""Somebody else's package brings a backbone without a line of ours; a broken one is told and takes nothing down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mirdemo import embed
from mirdemo.backbones import BackboneError, load_backbone
from mirdemo.backbones.registry import GROUP, spec, specs, status
from mirdemo.base import plugins
from mirdemo.sound.audio import Clip

FOREIGN = Path(__file__).parent / "foreign"
NAME = "drone-bands"


def distribution(folder: Path, name: str, module: str, source: str) -> None:
    """What pip leaves of a package with one module, named under the group."""
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{module} = {module}\n", encoding="utf-8")


@pytest.fixture
def installed(monkeypatch):
    """Folders put where Python looks for packages."""

    def install(*folders: Path) -> None:
        for folder in folders:
            monkeypatch.syspath_prepend(str(folder))
        plugins.plugged.cache_clear()

    yield install
    monkeypatch.undo()
    plugins.plugged.cache_clear()
    for module in [name for name, m in sys.modules.items() if name.startswith(("drone_", "their_"))]:
        del sys.modules[module]


def verb(*arguments: str, folders: tuple[Path, ...]) -> subprocess.CompletedProcess[str]:
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[2], *folders)))}
    return subprocess.run(
        [sys.executable, "-m", "mirdemo", *arguments], env=there, capture_output=True, text=True, check=False
    )


def test_an_installed_package_is_listed_by_the_command_line(tmp_path):
    distribution(tmp_path, "their-models", "their_models", "import no_such_library\n")
    done = verb("backbones", "--json", folders=(FOREIGN, tmp_path))
    assert done.returncode == 0
    listed = {one["name"]: one for one in json.loads(done.stdout)}
    assert listed[NAME]["licence"] == "CC0-1.0"
    assert "mini-west" in listed
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("mirdemo: their-models brings")
    assert "no_such_library" in done.stderr


def test_it_embeds_as_ours_do(installed):
    installed(FOREIGN)
    assert list(specs())[-1] == NAME
    assert status(NAME).fetched
    noise = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)
    clips = [Clip.of(noise, 16_000, "noise"), Clip.of(0 * noise, 16_000, "silence")]
    rows = embed(clips, load_backbone(NAME, device="cpu")).layers["bands"]
    assert rows.shape == (2, 16)
    assert rows[0].min() > 1 > rows[1].max() == 0


def test_the_page_lists_and_offers_it(installed):
    installed(FOREIGN)
    from mirdemo.web.tabs.about.tab import show
    from mirdemo.web.tabs.finetune.outlook import trainable
    from mirdemo.web.tabs.probe.shown import backbone_words
    from mirdemo.words.language import speaker

    words = speaker("en")
    assert NAME in [one["spec"].name for one in show(None, words)["backbones"]]
    assert "Drone bands" in str(backbone_words(words, NAME))
    assert not trainable(specs()[NAME])


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_library", "no_such_library"),
        ("raise SystemExit(3)", "SystemExit"),
        ("SPECS = ()", "no function load"),
        ("SPECS = [1]\ndef load(): ...", "tuple of BackboneSpec"),
        ("def load(): ...", "tuple of BackboneSpec"),
        (
            "from mirdemo.backbones.mini_facts import SPECS\nSPECS = tuple(SPECS)\ndef load(): ...",
            "mini-west is the name",
        ),
        (
            "from drone_backbone import SPECS\nfrom dataclasses import replace\n"
            "SPECS = (replace(SPECS[0], name='../up'),)\ndef load(): ...",
            "cannot be named",
        ),
        (
            "from drone_backbone import SPECS\nfrom dataclasses import replace\n"
            "SPECS = (replace(SPECS[0], layers=()),)\ndef load(): ...",
            "no layers",
        ),
    ],
)
def test_a_broken_one_is_told_in_a_sentence_and_the_others_stay(installed, tmp_path, caplog, source, reason):
    own = set(specs())
    distribution(tmp_path, "their-models", "their_models", source)
    installed(FOREIGN, tmp_path)
    assert set(specs()) == {*own, NAME}
    assert specs()["mini-west"].family == "mini"
    (told,) = [r.args[0] for r in caplog.records if r.name == plugins.__name__]
    assert told.code == "base.plugin"
    assert str(told).startswith("their-models brings their_models")
    assert reason in str(told)
    assert "\n" not in str(told)


@pytest.mark.parametrize("body", ["return 1 / 0", "return None"])
def test_one_that_cannot_be_loaded_is_refused_in_a_sentence(installed, tmp_path, body):
    source = f"from drone_backbone import SPECS\ndef load(spec, **more):\n    {body}\n"
    distribution(tmp_path, "their-models", "their_models", source)
    installed(FOREIGN, tmp_path)
    with pytest.raises(BackboneError) as refused:
        load_backbone(NAME, device="cpu")
    assert refused.value.sentence.code == "backbone.plugin"
    assert refused.value.sentence.values["package"] == "their-models"


def test_without_the_package_its_name_is_unknown():
    with pytest.raises(BackboneError) as refused:
        spec(NAME)
    assert refused.value.sentence.code == "backbone.unknown"
