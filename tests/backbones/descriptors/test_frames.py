"""The small sums that every group of statistics uses."""

from __future__ import annotations

import torch

from mirdemo.backbones.descriptors.frames import deviation, unit_sum


def test_a_deviation_is_of_the_whole_population_and_none_of_one_frame():
    assert deviation(torch.tensor([[1.0, -1.0]])).tolist() == [1.0]
    assert deviation(torch.ones(2, 1)).tolist() == [0.0, 0.0]


def test_shares_add_up_to_one_and_those_of_nothing_to_nothing():
    shares = unit_sum(torch.tensor([[[1.0, 0.0], [3.0, 0.0]]]))
    assert shares[0].tolist() == [[0.25, 0.0], [0.75, 0.0]]
