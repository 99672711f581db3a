"""The groups are measured on the wave that was given, each on what it is about."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mirdemo.backbones.descriptors import statistics
from mirdemo.backbones.descriptors.frames import RATE
from mirdemo.backbones.spectral_facts import GROUPS


def measured(*waves: np.ndarray) -> dict[str, np.ndarray]:
    found = statistics(torch.from_numpy(np.stack(waves).astype(np.float32)))
    return {name: group.numpy() for name, group in found.items()}


def test_every_group_has_its_size_in_the_order_of_the_facts():
    found = measured(*np.random.default_rng(0).standard_normal((2, RATE // 10)))
    assert {name: group.shape for name, group in found.items()} == {n: (2, s) for n, s in GROUPS.items()}
    assert list(found) == list(GROUPS)


def test_a_tone_with_an_offset_crosses_zero_twice_a_period():
    time = np.arange(2 * RATE) / RATE
    (outline,) = measured(0.3 * np.sin(2 * np.pi * 997 * time) + 0.5)["shape"]
    assert np.exp(outline[12]) == pytest.approx(2 * 997 / RATE, rel=0.02)


@pytest.mark.parametrize("louder", ["dark", "bright"])
def test_what_grows_louder_and_darker_at_once_has_its_first_two_coefficients_move_together(louder):
    white = np.random.default_rng(0).standard_normal(4 * RATE)
    dark = np.convolve(white, np.ones(40) / 40**0.5, mode="same")
    half = np.sin(2 * np.pi * np.arange(4 * RATE) / RATE) > 0
    loud, quiet = (dark, 0.05 * white) if louder == "dark" else (white, 0.05 * dark)
    (together,) = measured(np.where(half, loud, quiet))["correlation"]
    assert together[0] * (1 if louder == "dark" else -1) > 0.7
