"""The command on the cards makes the networks that come with the software."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from mirdemo.backbones.mini_facts import SPECS, WEIGHTS
from training.train_mini import Plan, train


@pytest.mark.parametrize("name", [spec.name for spec in SPECS])
def test_what_is_trained_without_a_word_is_what_was_shipped(name):
    shipped = json.loads((WEIGHTS / name / "training.json").read_text(encoding="utf-8"))
    assert asdict(Plan(name)) == shipped["plan"]


@pytest.fixture
def cache(tmp_path):
    """Sixty clips of noise, each as rendered and disturbed, half of them with one tag and half with another."""
    folder = tmp_path / "soundfont-train"
    folder.mkdir()
    rng = np.random.default_rng(0)
    mel, cq = (rng.integers(0, 200, (60, 2, *shape), np.uint8) for shape in ((500, 80), (250, 216)))
    np.savez(folder / "00000.npz", mel=mel, cq=cq)
    facts = [
        {"clip": f"soundfont/{i}", "tags": [f"scale--{'ab'[i % 2]}"], "bpm": 100.0, "tonic_hz": 200.0}
        for i in range(60)
    ]
    (folder / "00000.jsonl").write_text("\n".join(map(json.dumps, facts)) + "\n", encoding="utf-8")
    return tmp_path


def test_a_seed_fixes_the_weights_and_the_statistics_of_sound_move_them(cache):
    plan = Plan("bands", 0, 60, steps=2, batch=4)

    def last(plan: Plan) -> torch.Tensor:
        return train(cache, plan)[0].blocks[-1].down.weight.detach()

    told, again, untold = last(plan), last(plan), last(replace(plan, statistics=0.0))
    assert torch.equal(told, again)
    assert not torch.allclose(told, untold)
