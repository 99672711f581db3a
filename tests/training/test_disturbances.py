"""What the networks are trained with: disturbances that keep their laws, and targets that follow them."""

from __future__ import annotations

import pytest
import torch
from augmenting import _room, augment
from objectives import Targets

from mirdemo.backbones.frontend import N_CONSTANT_Q, N_MELS
from mirdemo.synth.rhythm import tempo_word


def test_a_room_adds_its_share_of_power_and_falls_by_sixty_decibels_in_its_time():
    power = torch.zeros(2, 100, 1)
    power[:, 0] = 1.0
    heard = _room(power, torch.tensor([0.8, 0.4]), torch.tensor([2.0, 0.5]), 50.0)[:, :, 0]
    assert heard[:, 0].tolist() == [1.0, 1.0]
    assert heard[:, 1:].sum(1).tolist() == pytest.approx([2.0, 0.5], rel=0.01)
    # 0.8 s are 40 frames, 0.4 s are 20
    decay = [
        10 * torch.log10(heard[row, 1] / heard[row, 1 + frames]).item() for row, frames in ((0, 40), (1, 20))
    ]
    assert decay == pytest.approx([60.0, 60.0], abs=0.1)


def test_a_dry_room_changes_nothing():
    power = torch.rand(1, 50, 3)
    torch.testing.assert_close(_room(power, torch.tensor([1.0]), torch.tensor([0.0]), 25.0), power)


def test_the_same_seed_gives_the_same_crop_and_another_another():
    mel, cq = torch.rand(4, 500, N_MELS), torch.rand(4, 250, N_CONSTANT_Q)

    def crop(seed: int):
        return augment(mel, cq, 100, torch.Generator().manual_seed(seed))

    one, again, other = crop(0), crop(0), crop(1)
    assert one.mel.shape == (4, N_MELS, 200)
    assert one.cq.shape == (4, N_CONSTANT_Q, 100)
    assert bool(one.cq.isfinite().all())
    torch.testing.assert_close(one.cq, again.cq)
    assert not torch.allclose(one.cq, other.cq)


def facts(number: int, bpm: float | None) -> dict:
    tags = [f"mode--{'Rast' if number % 2 else 'Saba'}"]
    if bpm:
        tags.append(f"tempo--{tempo_word(bpm)}")
    return {"clip": f"makam-full-train-{number}", "tags": tags, "bpm": bpm, "tonic_hz": 200.0}


def test_tempo_tags_follow_the_speed_and_others_do_not():
    known = [facts(i, (150.0, 220.0, 300.0)[i % 3]) for i in range(90)] + [facts(90, None)]
    targets = Targets(known)
    chosen, speed = torch.tensor([0, 0, 1, 90]), torch.tensor([1.0, 1.3, 1.3, 1.3])
    tags = targets.tags_at(chosen, speed)
    column = {name: i for i, name in enumerate(targets.names)}
    assert tags[:, column["tempo--Slow"]].tolist() == [1, 0, 0, -1]
    assert tags[:, column["tempo--Medium"]].tolist() == [0, 1, 0, -1]
    assert tags[:, column["tempo--Fast"]].tolist() == [0, 0, 1, -1]
    assert tags[:, column["mode--Rast"]].tolist() == [0, 0, 1, 0]
    assert targets.tags[0, column["tempo--Slow"]] == 1  # what is kept is left alone


def test_rare_tags_weigh_more():
    known = [facts(i, 150.0) for i in range(200)]
    for i in range(0, 200, 10):
        known[i]["tags"][0] = "mode--Segah"
    targets = Targets(known)
    weight = dict(zip(targets.names, targets.weight.tolist(), strict=True))
    assert weight["mode--Segah"] == pytest.approx(3.0, abs=0.01)  # one in ten: the root of 0.9 / 0.1
    assert weight["mode--Rast"] < weight["mode--Segah"]
