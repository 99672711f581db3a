"""Random weights, for speed and shapes alone: matrices that keep a signal's size, small biases, and nothing else drawn."""

from __future__ import annotations

import pytest
import torch

from mirdemo.backbones.random_weights import random_state


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.matrix = torch.nn.Linear(400, 300)
        self.filters = torch.nn.Conv1d(50, 200, 8)
        self.norm = torch.nn.LayerNorm(500)
        self.register_buffer("steps", torch.arange(4).reshape(2, 2))


def test_matrices_are_drawn_by_their_fan_in_biases_small_and_nothing_else() -> None:
    network = Network()
    drawn = random_state(network, seed=3)
    for name, fan_in in (("matrix.weight", 400), ("filters.weight", 50 * 8)):
        assert drawn[name].std() == pytest.approx(fan_in**-0.5, rel=0.03)  # 80,000 and more values
        assert drawn[name].mean().abs() < 0.001
    for name in ("matrix.bias", "filters.bias", "norm.bias"):
        assert drawn[name].std() == pytest.approx(0.1, rel=0.2)
    assert drawn["norm.weight"].eq(1).all()
    assert drawn["steps"].equal(network.steps)
    again, other = random_state(network, seed=3), random_state(network, seed=4)
    assert all(again[name].equal(one) for name, one in drawn.items())
    assert not other["matrix.weight"].equal(drawn["matrix.weight"])
