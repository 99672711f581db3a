"""What is written today has the form of a file that is kept: who changes a format keeps a file of it, too."""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields
from pathlib import Path

import forms
import make_golden
import make_others
import pytest

import mirdemo
from mirdemo.results.records import Result

HERE = Path(__file__).parent
FOLDERS = sorted(path for path in HERE.iterdir() if path.is_dir() and path.name[:2] == "20")
SOURCE = Path(mirdemo.__file__).parent
_FORMAT = re.compile(r"\"(mirdemo-[a-z]+-\d+)\"")


@pytest.mark.parametrize("maker", [make_golden, make_others], ids=lambda maker: maker.__name__)
def test_files_of_today_have_the_form_of_one_that_is_kept(maker, tmp_path: Path):
    maker.main(tmp_path / "today")
    kept = [forms.of(folder) for folder in FOLDERS]
    today = forms.of(tmp_path / "today")
    assert today
    new = {
        name: sorted(form ^ next((one[name] for one in reversed(kept) if name in one), form))
        for name, form in today.items()
        if not any(one.get(name) == form for one in kept)
    }
    assert not new, f"keep files of today's form (tests/golden/README.md); what differs: {new}"


def test_kept_files_are_byte_for_byte_what_they_were():
    """``SHA256SUMS`` has a line for each, as ``sha256sum`` writes it: files are added, never changed."""
    lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    told = dict(reversed(line.split("  ", 1)) for line in lines)
    kept = [
        *HERE.glob("*.zip"),
        *(path for folder in FOLDERS for path in folder.rglob("*") if path.is_file()),
    ]
    there = {p.relative_to(HERE).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}
    assert len(there) > 100
    assert there == told


def test_every_format_that_the_code_names_is_kept():
    named = {
        name for path in SOURCE.rglob("*.py") for name in _FORMAT.findall(path.read_text(encoding="utf-8"))
    }
    assert len(named) > 6
    kept = b"".join(
        path.read_bytes() for folder in FOLDERS for path in folder.rglob("*") if path.is_file()
    ).decode("utf-8", errors="replace")
    assert {name for name in named if name not in kept} == set()


def test_a_result_of_every_field_is_kept():
    held = {name for folder in FOLDERS for name in forms.of(folder).get("results.jsonl", ())}
    told = {re.split(r"[.:\[]", one)[1] for one in held}
    assert {field.name for field in fields(Result)} <= told


def test_another_name_or_type_is_another_form(tmp_path: Path):
    found = []
    for text in (
        '{"a": {"b": 1}}',
        '{"a": {"b": 2.5}}',
        '{"a": {"c": 1}}',
        '{"a": {"b": "1"}}',
        '{"a": [1]}',
    ):
        (tmp_path / "x.json").write_text(text, encoding="utf-8")
        found.append(forms.of(tmp_path)["x.json"])
    assert found[0] == found[1]
    assert len(set(found)) == 4
