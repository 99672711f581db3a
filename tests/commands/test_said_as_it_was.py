"""What the verbs say of made-up recordings, in text, for machines and in Japanese, with their exit codes, is what it was on 1 December 2026.

``PYTHONPATH=.:tests:tests/backbones python tests/commands/test_said_as_it_was.py`` writes ``said_as_it_was.json`` anew. Times, versions and places of this
machine are blanked.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered
from commands.conftest import HERTZ, RATE, low_and_high, tone

from mirdemo.cli import main
from mirdemo.tagger import Tagger
from mirdemo.tagger.card import card
from mirdemo.tagger.table import Line, cell_of, sheet

FILE = Path(__file__).with_name("said_as_it_was.json")
TAG = ("--tagger", "tagger.zip")
#: In this order: a later one finds what an earlier one wrote.
LINES: dict[str, tuple[str, ...]] = {
    "tag": ("tag", "low.wav", "high.wav", "both.wav", *TAG),
    "tag for machines": ("tag", "both.wav", "short.wav", "none.wav", *TAG, "--json"),
    "tag in Japanese": ("tag", "both.wav", "cut.wav", "bad.wav", *TAG, "--language", "ja"),
    "tag into a table": ("tag", "low.wav", "both.wav", "bad.wav", *TAG, "--csv", "tags.csv"),
    "tag on": ("tag", "low.wav", "both.wav", "high.wav", *TAG, "--csv", "tags.csv", "--json"),
    "tag over time": ("tag", "both.wav", *TAG, "--over-time", "over", "--as", "audacity"),
    "embed": (
        "embed",
        "low.wav",
        "both.wav",
        "bad.wav",
        "--backbone",
        "spectral",
        "--out",
        "rows.npz",
        "--no-store",
    ),
    "find": ("find", "low.wav", "--in", ".", "--index", "index", "--backbone", "spectral", "--count", "3"),
    "find again": (
        "find",
        "short.wav",
        "--in",
        "index",
        "--backbone",
        "spectral",
        "--every-window",
        "--count",
        "4",
        "--json",
    ),
    "find in Japanese": (
        "find",
        "both.wav",
        "--in",
        "index",
        "--backbone",
        "spectral",
        "--language",
        "ja",
        *TAG,
    ),
    "backbones": ("backbones", "spectral", "mert-95m", "clap-music", "musicnn-msd"),
    "backbones for machines": ("backbones", "mini-world", "--json"),
    "a backbone that is none": ("backbones", "nothing"),
    "corpora": ("corpora",),
    "layout": ("corpora", "layout", "lyra"),
    "panel": (
        "panel",
        "make",
        "low.wav",
        "high.wav",
        "both.wav",
        *TAG,
        "--clips",
        "2",
        "--seconds",
        "1",
        "--json",
    ),
    "untag": ("untag", "none.jsonl"),
    "nothing": ("tag", "*.ogg", *TAG),
}


def made(folder: Path) -> None:
    import soundfile

    low_and_high("Low and high").save(folder / "tagger.zip")
    sounds = {
        **{name: tone(HERTZ[name], 4, 20) for name in HERTZ},
        "both": np.concatenate([tone(HERTZ["low"], 12, 31), tone(HERTZ["high"], 14.5, 32)]),
        "short": tone(HERTZ["high"], 0.3, 33),
    }
    for name, sound in sounds.items():
        soundfile.write(folder / f"{name}.wav", sound, RATE, subtype="FLOAT")
    whole = (folder / "low.wav").read_bytes()
    (folder / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "bad.wav").write_bytes(b"no sound at all" * 9)


def blanked(text: str, folder: Path) -> str:
    """Without what is of the day and of this machine; numbers with two figures behind the point."""
    text = text.replace(str(folder), "HERE").replace(str(Path.home()), "HOME")
    text = re.sub(r"\r[^\n]*?(?=[\r\n]|$)|\x1b\[[0-9;]*[A-Za-z]", "", text)
    text = re.sub(r"\b\d{4}\\?-\d{2}\\?-\d{2}\b|(?<![.\d])\b[0-9a-f]{8,64}\b|\b\d+\.\d+\.\d+\S*", "#", text)
    text = re.sub(r"\d+(?:\.\d+)? (s|seconds|ms|minutes|秒)\b", r"# \1", text)
    text = re.sub(r'("bytes": )\d+', r"\1#", text)  # of an MP3, by whichever encoder is here
    return re.sub(r"(\d\.\d)\d+", r"\1", text)


@contextlib.contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def said(folder: Path) -> dict[str, Any]:
    made(folder)
    found: dict[str, Any] = {}
    with standing_in(folder):
        for name, line in LINES.items():
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = main(list(line))
                except SystemExit as stop:
                    code = stop.code
            found[name] = [code, blanked(out.getvalue(), folder), blanked(err.getvalue(), folder)]
        written = ["tags.csv", *sorted(str(path) for path in Path("over").iterdir())]
        found["written"] = {name: blanked(Path(name).read_text(encoding="utf-8"), folder) for name in written}
        manifest = json.loads(Tagger.load("tagger.zip").contents()["tagger.json"])
        found["cards"] = {language: blanked(card(manifest, language), folder) for language in ("en", "ja")}
    lines = [
        Line("a.wav", 61.239, "low", scores=(0.51239, 0.0)),
        Line("=b.wav", 0.005, "", True, True, "two\nlines", scores=(1.0, 0.49996)),
        Line("c.wav", None, problem="no sound"),
    ]
    found["sheet"] = [sheet(lines, ("low", "high\n"), "mark").decode("utf-8-sig"), cell_of("-a\nb.wav")]
    return found


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRDEMO_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("COLUMNS", "100")
        return said(tmp_path_factory.mktemp("said"))


@pytest.mark.parametrize("name", [*LINES, "written", "cards", "sheet"])
def test_a_verb_says_what_it_said(name: str, now: dict[str, Any]):
    remembered.hold(now[name], remembered.kept(FILE)[name])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        os.environ.update(MIRDEMO_HOME=home, COLUMNS="100")
        remembered.write(FILE, said(Path(folder)))
