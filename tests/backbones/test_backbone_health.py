"""Health: a collapsed backbone is shown as sick with its reason, a sound one is not, and the outcome is recalled."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from backbones.conftest import KINDS
from safetensors.torch import load_file, save_file

from mirdemo.backbones import health, load_backbone


def changed(checkpoint, kind, tmp_path, change):
    """The backbone of a kind with its weights changed."""
    folder = tmp_path / "changed"
    shutil.copytree(checkpoint(kind), folder)
    (path,) = [*folder.glob("*.bin"), *folder.glob("model.safetensors")]
    pickled = path.suffix == ".bin"
    state = torch.load(path, weights_only=True) if pickled else load_file(path)
    change(state)
    (torch.save if pickled else save_file)(state, path)
    return load_backbone(KINDS[kind][0], checkpoint=folder, device="cpu", dtype="float32")


def outcome(backbone) -> dict[str, bool]:
    return {name: passed for name, _, passed in backbone.health.checks}


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_backbone_is_well(kind, loaded) -> None:
    backbone = loaded(kind)
    assert backbone.health.ok, backbone.health
    assert backbone.health.reason("X") is None
    assert backbone.health.fingerprint == backbone.identity.fingerprint
    assert outcome(backbone)["keys"]
    assert outcome(backbone)["finite"]
    assert ("prompts" in outcome(backbone)) == (kind == "clap")


def test_a_network_that_gives_the_same_for_every_sound_is_sick_and_still_loads(checkpoint, tmp_path) -> None:
    def collapse(state) -> None:
        state["encoder.layers.2.final_layer_norm.weight"].zero_()
        state["encoder.layers.2.final_layer_norm.bias"].fill_(1.0)

    backbone = changed(checkpoint, "mert-95m", tmp_path, collapse)
    assert not backbone.health.ok
    assert outcome(backbone)["separation"] is False
    reason = backbone.health.reason("MERT")
    assert reason.code == "backbone.sick.separation"
    assert str(reason).startswith("MERT puts a sine and noise no further apart")


def test_a_network_that_hardly_moves_is_sick(checkpoint, tmp_path) -> None:
    """All that differs between sounds is a thousandth of what is common to them."""

    def freeze(state) -> None:
        state["encoder.layers.2.final_layer_norm.weight"].fill_(1e-3)
        state["encoder.layers.2.final_layer_norm.bias"].fill_(1.0)

    assert not changed(checkpoint, "mert-95m", tmp_path, freeze).health.ok


def test_a_joint_space_that_puts_all_prompts_in_one_place_is_sick(checkpoint, tmp_path) -> None:
    def collapse(state) -> None:
        state["text_projection.linear2.weight"].mul_(0.01)
        state["text_projection.linear2.bias"].fill_(1.0)

    backbone = changed(checkpoint, "clap", tmp_path, collapse)
    assert outcome(backbone) == {"keys": True, "finite": True, "sounds": True, "prompts": False}
    assert backbone.health.reason("CLAP").code == "backbone.sick.prompts"


def test_a_joint_space_that_puts_all_sounds_in_one_place_is_sick(checkpoint, tmp_path) -> None:
    def collapse(state) -> None:
        state["audio_projection.linear2.weight"].mul_(0.1)
        state["audio_projection.linear2.bias"].fill_(1.0)

    backbone = changed(checkpoint, "clap", tmp_path, collapse)
    assert outcome(backbone)["sounds"] is False
    assert backbone.health.reason("CLAP").code == "backbone.sick.sounds"


def test_numbers_that_are_not_finite_are_sick(checkpoint, tmp_path) -> None:
    backbone = changed(
        checkpoint,
        "hubert",
        tmp_path,
        lambda state: state["hubert.encoder.layer_norm.bias"].fill_(float("nan")),
    )
    assert outcome(backbone) == {"keys": True, "finite": False}
    assert backbone.health.reason("H").code == "backbone.sick.finite"


def test_the_outcome_is_recalled_for_the_same_weights_only(checkpoint, tmp_path, monkeypatch) -> None:
    first = load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="float32")
    asked = []
    probe = health._sounds
    monkeypatch.setattr(health, "_sounds", lambda backbone: asked.append(backbone) or probe(backbone))
    again = load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="float32")
    assert again.health == first.health
    assert asked == []
    load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="bfloat16")
    changed(checkpoint, "mert-95m", tmp_path, lambda state: state["encoder.layer_norm.bias"].add_(0.1))
    assert len(asked) == 2


def test_a_spoilt_record_is_not_believed(checkpoint, own_home) -> None:
    load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="float32")
    (record,) = (own_home / "backbones" / "health").iterdir()
    record.write_text('{"ok": true}', encoding="utf-8")
    again = load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="float32")
    assert len(again.health.checks) == 3


@pytest.mark.parametrize(
    ("sine", "noise", "other", "joint", "checked"),
    [
        ((1.0, 0.0), (0.89, 0.456), (0.0, 0.0), False, ("sounds", 0.89, True)),
        ((1.0, 0.0), (0.91, 0.4146), (0.91, 0.0), False, ("separation", 1.02, False)),
        ((10.0, 0.0), (11.5, 0.0), (12.5, 0.0), False, ("separation", 1.5, True)),
        ((10.0, 0.0), (11.5, 0.0), (12.51, 0.0), False, ("separation", 1.485, False)),
        ((99.0, 0.0), (100.0, 0.0), (100.0, 0.0), False, ("separation", 1e12, True)),
        ((99.1, 0.0), (100.0, 0.0), (100.0, 0.0), False, ("separation", 0.9e12, False)),
        ((1.0, 0.0), (0.91, 0.4146), (0.91, 0.0), True, ("sounds", 0.91, False)),
    ],
)
def test_two_sounds_are_told_apart_by_their_directions_or_half_as_far_again_as_two_noises(
    sine, noise, other, joint, checked
) -> None:
    """Of a joint space the direction alone counts; elsewhere a hundredth of the length is the least."""

    class Told:
        spec = SimpleNamespace(sample_rate=100, window_samples=1000, joint_size=2 if joint else None)
        asked: ClassVar[list[tuple[int, ...]]] = []

        def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
            self.asked.append(tuple(waves.shape))
            return [torch.tensor([sine, noise] if len(waves) == 2 else [other])]

        def pool(self, states: list[torch.Tensor]) -> list[torch.Tensor]:
            return states

    found = health._sounds(Told())
    assert found[0] == ("finite", 1.0, True)
    assert found[1][::2] == checked[::2]
    assert found[1][1] == pytest.approx(checked[1], rel=0.01)
    assert Told.asked[0] == (2, 200), "two seconds"
