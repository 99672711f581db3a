"""Split for fine-tuning: prefix and tail together are the backbone, and only the tail learns."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from backbones.conftest import KINDS

from mirdemo.backbones import BackboneError, generic, load_backbone, registry


@pytest.mark.parametrize("kind", KINDS)
def test_tail_of_prefix_is_the_pooled_last_layer(kind, loaded, waves) -> None:
    backbone = loaded(kind)
    sound = waves(backbone, 1.3)
    expected = backbone.pool(backbone.hidden_states(sound))[-1]
    for n_blocks in range(backbone.tail_sizes.minimum, backbone.tail_sizes.maximum + 1):
        split = backbone.split(n_blocks)
        boundary = split.prefix(sound)
        assert not boundary.requires_grad
        pooled = split.tail(boundary, samples=sound.shape[1])
        torch.testing.assert_close(pooled, expected, atol=1e-5, rtol=1e-5)
        split.tail.train()  # no dropout is left anywhere
        torch.testing.assert_close(
            split.tail(boundary, samples=sound.shape[1]), expected, atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("kind", ["qwen2-audio", "whisper", "ast"])
def test_a_whole_window_needs_no_length(kind, loaded) -> None:
    backbone = loaded(kind)
    sound = torch.randn(1, backbone.spec.window_samples, generator=torch.Generator().manual_seed(0))
    split = backbone.split()
    expected = backbone.pool(backbone.hidden_states(sound))[-1]
    torch.testing.assert_close(split.tail(split.prefix(sound)), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "published"),
    [("mert-95m", 2), ("mert-330m", 1), ("clap", 1), ("qwen2-audio", 1), ("hubert", 1)],
)
def test_the_published_tail_is_the_default(kind, published, loaded) -> None:
    backbone = loaded(kind)
    assert backbone.tail_sizes.published == published
    split = backbone.split()
    assert split.n_blocks == published
    assert len(split.tail.blocks) == published


def test_the_clap_tail_is_the_last_stage_the_norm_and_both_projection_layers(loaded) -> None:
    names = {name.split(".")[0] for name, _ in loaded("clap").split().tail.named_parameters()}
    assert names == {"blocks", "norm", "projection"}
    assert not any(
        isinstance(module, torch.nn.BatchNorm2d) for module in loaded("clap").split().tail.modules()
    )


def test_the_qwen2_audio_and_330m_tails_hold_the_final_norm(loaded) -> None:
    for kind in ("qwen2-audio", "mert-330m"):
        assert {"norm.weight", "norm.bias"} <= {
            name for name, _ in loaded(kind).split().tail.named_parameters()
        }


@pytest.mark.parametrize("kind", KINDS)
def test_training_the_tail_leaves_the_backbone_as_it_was(kind, loaded, waves) -> None:
    backbone = loaded(kind)
    sound = waves(backbone, 0.5)
    before = [state.clone() for state in backbone.hidden_states(sound)]
    split = backbone.split(1)
    boundary = split.prefix(sound)
    trained = [parameter for parameter in split.tail.parameters() if parameter.requires_grad]
    start = split.tail(boundary, samples=sound.shape[1]).detach()
    optimiser = torch.optim.SGD(trained, lr=0.1)
    target = torch.roll(start, 1, dims=1)
    losses = []
    for _ in range(3):
        optimiser.zero_grad()
        loss = (split.tail(boundary, samples=sound.shape[1]) - target).square().mean()
        loss.backward()
        assert all(parameter.grad is not None for parameter in trained)
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    for now, then in zip(backbone.hidden_states(sound), before, strict=True):
        assert now.equal(then)


def test_wavlm_position_bias_stays_frozen_in_a_tail_without_the_first_layer(loaded) -> None:
    backbone = loaded("wavlm")
    assert not any(p.requires_grad for p in backbone.split(1).tail.position.parameters())
    assert all(p.requires_grad for p in backbone.split(3).tail.position.parameters())


@pytest.mark.parametrize("count", [0, -1, 4])
def test_a_number_of_blocks_out_of_range_is_refused(count, loaded) -> None:
    with pytest.raises(BackboneError) as error:
        loaded("mert-95m").split(count)
    assert error.value.sentence.code == "backbone.tail_size"


def test_facts_that_say_nothing_of_a_tail_leave_the_last_block(checkpoint) -> None:
    silent = replace(registry.spec("hf:somebody/hubert"), tail_blocks=0)
    backbone = generic.load(silent, checkpoint=checkpoint("hubert"), device="cpu", dtype="float32")
    assert (backbone.tail_sizes.published, backbone.spec.tail_blocks) == (1, 1)
    assert backbone.split().n_blocks == 1


def test_a_backbone_without_layers_to_train_says_so() -> None:
    backbone = load_backbone("spectral", device="cpu")
    assert backbone.tail_sizes is None
    with pytest.raises(BackboneError) as error:
        backbone.split()
    assert error.value.sentence.code == "backbone.no_tail"


def test_the_tail_of_a_half_precision_backbone_trains_in_float32(checkpoint, waves) -> None:
    backbone = load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="bfloat16")
    split = backbone.split()
    boundary = split.prefix(waves(backbone))
    assert boundary.dtype == torch.bfloat16
    assert {parameter.dtype for parameter in split.tail.parameters()} == {torch.float32}
    assert split.tail(boundary).dtype == torch.float32
    assert copy.deepcopy(split.tail)(boundary).equal(split.tail(boundary))


@pytest.mark.parametrize("kind", ["mert-95m", "mert-330m", "qwen2-audio"])
def test_blocks_work_on_as_many_states_a_second_as_the_facts_say(kind, loaded) -> None:
    backbone = loaded(kind)
    seconds = backbone.spec.window_seconds
    with torch.inference_mode():
        states = backbone.front(torch.zeros(1, round(seconds * backbone.spec.sample_rate)))
    assert states.shape[1] == pytest.approx(backbone.spec.states_a_second * seconds, abs=1)
