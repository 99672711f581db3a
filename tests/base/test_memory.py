"""Memory: the least of what the machine, the container and the Space say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mirdemo.base import memory

MACHINE = 64 * 2**30


@pytest.mark.parametrize(
    ("files", "told", "expected"),
    [
        ({}, None, MACHINE),
        ({"memory.max": "17179869184\n"}, None, 16 * 2**30),
        ({"memory.max": "max\n"}, None, MACHINE),
        ({"memory/memory.limit_in_bytes": "1073741824\n"}, None, 2**30),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None, MACHINE),
        ({"memory.max": "something else"}, "16Gi", 16 * 2**30),
        ({"memory.max": "17179869184\n"}, "2Gi", 2 * 2**30),
        ({}, "1.5G", 1_500_000_000),
        ({}, "a lot", MACHINE),
        ({}, "", MACHINE),
        ({}, "0Gi", MACHINE),
        ({}, "512", 512),
    ],
)
def test_the_least_that_is_said_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], told: str | None, expected: int
):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": MACHINE // 4096, "SC_PAGE_SIZE": 4096}.__getitem__)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.given(tmp_path, {} if told is None else {"MEMORY": told}) == expected


def test_a_system_that_says_nothing_has_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "sysconf")
    assert memory.given(tmp_path, {}) is None
