"""What all waveform encoders share: in which precision their positional convolution is computed."""

from __future__ import annotations

import pytest
import torch

from mirdemo.backbones.waveform import exact_position


@pytest.mark.parametrize(("channels", "kept"), [(16, torch.bfloat16), (15, torch.float32)])
def test_only_groups_of_under_sixteen_channels_are_computed_in_float32(
    channels: int, kept: torch.dtype
) -> None:
    position = torch.nn.Sequential(torch.nn.Conv1d(4 * channels, 4 * channels, 8, groups=4)).bfloat16()
    assert exact_position(position)[0].weight.dtype == kept
