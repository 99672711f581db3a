"""What undisturbed sound is like: numbers that follow the sound, standardised, and the loss that asks for them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from augmenting import augment
from objectives import Heads, Targets, pooled, statistics_loss
from sound_statistics import GROUPS, LIMIT, Standard, sound_statistics

from mirdemo.backbones.frontend import FLOOR_DB, N_CONSTANT_Q, N_MELS
from mirdemo.backbones.mini_network import MiniConfig

CLIPS = 6


@pytest.fixture
def spectrograms() -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(3)
    return torch.rand(CLIPS, N_MELS, 200, generator=rng), torch.rand(CLIPS, N_CONSTANT_Q, 100, generator=rng)


def test_a_filter_moves_means_and_valleys_alone(spectrograms):
    mel, cq = spectrograms
    before = dict(zip(GROUPS, sound_statistics(mel, cq), strict=True))
    assert {name: rows.shape for name, rows in before.items()} == {
        "timbre": (CLIPS, 80), "correlation": (CLIPS, 66), "modulation": (CLIPS, 96), "contrast": (CLIPS, 24)
    }  # fmt: skip
    tilt = torch.linspace(0.0, 0.3, N_MELS)[None, :, None]
    after = dict(zip(GROUPS, sound_statistics(mel + tilt, cq + 0.1), strict=True))
    for name in ("correlation", "modulation"):
        torch.testing.assert_close(after[name], before[name], atol=1e-4, rtol=1e-4)
    assert (after["timbre"] - before["timbre"])[:, :20].abs().max() > 1
    torch.testing.assert_close(after["timbre"][:, 20:], before["timbre"][:, 20:], atol=1e-3, rtol=1e-3)
    change = (after["contrast"] - before["contrast"])[:, :12]
    torch.testing.assert_close(change[:, :6], torch.zeros(CLIPS, 6), atol=1e-4, rtol=0)
    torch.testing.assert_close(change[:, 6:], torch.full((CLIPS, 6), -0.1 * FLOOR_DB), atol=1e-3, rtol=0)


def test_a_level_that_goes_up_and_down_shows_at_its_speed(spectrograms):
    mel, cq = spectrograms
    seconds = torch.arange(200) / 50.0
    beaten = 0.01 * mel + 0.5 * torch.sin(2 * torch.pi * 4.0 * seconds)
    modulation = sound_statistics(beaten, cq)[GROUPS.index("modulation")].view(CLIPS, 16, 6)
    assert modulation.argmax(dim=2).unique().tolist() == [3], "4 Hz lies between 2.8 and 5.6"


def test_standardised_statistics_have_mean_nought_and_deviation_one_and_an_end(spectrograms):
    rows = sound_statistics(*spectrograms)
    standard = Standard(rows)
    assert standard.sizes == [80, 66, 96, 24]
    for group in standard(rows):
        torch.testing.assert_close(group.mean(0), torch.zeros(group.shape[1]), atol=1e-3, rtol=0)
        torch.testing.assert_close(group.std(0), torch.ones(group.shape[1]), atol=1e-3, rtol=0)
    far = standard([group + 1e6 for group in rows])
    assert {float(group.max()) for group in far} == {LIMIT}


def test_the_loss_counts_groups_alike_and_is_nought_where_all_is_told():
    config = MiniConfig()
    targets = Targets([{"clip": f"a-{i}", "tags": [f"mode--{'ab'[i % 2]}"], "bpm": 0.0} for i in range(60)])
    heads = Heads(config, targets, 5).eval()
    output = SimpleNamespace(states=[torch.rand(2, 7, config.width)])
    with torch.no_grad():
        told = heads.statistics(pooled(output.states[-1]))
        assert statistics_loss(output, heads, told.split([4, 1], dim=1)).item() == 0.0
        small = told + torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0])
        large = told + torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0])
        losses = [
            statistics_loss(output, heads, wrong.split([4, 1], dim=1)).item() for wrong in (small, large)
        ]
    assert losses == pytest.approx([0.5, 0.5])


def test_the_plain_crop_is_cut_from_what_was_rendered_and_nothing_is_done_to_it():
    rng = torch.Generator().manual_seed(1)
    rendered = (
        torch.rand(CLIPS, 500, N_MELS, generator=rng),
        torch.rand(CLIPS, 250, N_CONSTANT_Q, generator=rng),
    )
    disturbed = rendered[0] + 0.3, rendered[1] + 0.3
    one = augment(*disturbed, 100, torch.Generator().manual_seed(0), rendered)
    for clip in range(CLIPS):
        cut = one.plain[0][clip].T
        places = torch.cdist(cut, rendered[0][clip]).argmin(dim=1)
        torch.testing.assert_close(cut, rendered[0][clip, places])
        assert bool((places.diff() >= 0).all()), "in order"
        shift, at = int(one.shift[clip]), int(places[0]) // 2
        kept = slice(max(0, shift), N_CONSTANT_Q + min(0, shift))
        from_ = slice(kept.start - shift, kept.stop - shift)
        nearest = rendered[1][clip, at - 1 : at + 2, from_]
        gap = (nearest - one.plain[1][clip, kept, 0]).abs().amax(dim=1).min()
        assert gap == 0, "turned like the one that is heard"
