"""The command on the cards makes the networks that come with the software."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from mirdemo.backbones.mini_facts import SPECS, WEIGHTS
from training.train_mini import Plan


@pytest.mark.parametrize("name", [spec.name for spec in SPECS])
def test_what_is_trained_without_a_word_is_what_was_shipped(name):
    shipped = json.loads((WEIGHTS / name / "training.json").read_text(encoding="utf-8"))
    assert asdict(Plan(name)) == shipped["plan"]
