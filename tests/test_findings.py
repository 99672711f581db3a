"""Every finding says in its head what it is, installs pinned versions only, and is told in the documentation; and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FINDINGS = sorted((ROOT / "findings").iterdir())
finding = pytest.mark.parametrize("script", FINDINGS, ids=lambda path: path.stem)
#: What pip or npm is asked for: options and packages.
_INSTALLED = re.compile(r"(?:pip\"? install|npm install) (.+)")


def head(script: Path) -> str:
    return script.read_text(encoding="utf-8").split("set -euo pipefail")[0]


@finding
def test_the_head_says_what_one_would_guess_what_happens_and_why_it_matters(script: Path):
    said = head(script)
    assert said.startswith("#!/usr/bin/env bash\n# One would guess: ")
    for part in ("\n# What happens: ", "\n# Why it matters here: ", "\n# Seen 20", "Source: "):
        assert said.count(part) == 1, part


@finding
def test_what_is_installed_is_pinned_and_told_in_the_head(script: Path):
    text = script.read_text(encoding="utf-8")
    wanted = [
        word.strip("'\"")
        for line in _INSTALLED.findall(text)
        for word in line.split("#")[0].split()
        if re.match(r"['\"]?[A-Za-z]", word)
    ]
    assert wanted
    for package in wanted:
        name, version = re.fullmatch(r"([\w-]+)(?:\[\w+\])?(?:==|@)([\d.]+)", package).groups()
        for told in (name, version):
            assert told in head(script), package


def test_the_page_tells_each_finding_once_and_no_other():
    page = (ROOT / "docs/surprises.md").read_text(encoding="utf-8")
    told = re.findall(r"`bash findings/(\S+\.sh)`", page)
    assert sorted(told) == [script.name for script in FINDINGS]
