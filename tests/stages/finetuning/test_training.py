"""Training on the cached prefix is training through the whole network, only quicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from finetuning.conftest import KINDS, tone, tones
from finetuning.plain_finetuning import FullForward, plain_losses

from mirdemo.base.progress import silent
from mirdemo.stages.finetuning import FineTuneError, FineTuneSettings, training
from mirdemo.stages.finetuning.heads import Prevalence
from mirdemo.stages.finetuning.memory import Room
from mirdemo.stages.finetuning.prefix_cache import PrefixCache
from mirdemo.stages.finetuning.step import augmented, pooled
from mirdemo.stages.finetuning.training import clip_means

SETTINGS = FineTuneSettings(epochs=3, batch=4, tail_rate=1e-4, head_rate=1e-2)
LABELS = np.array([[1, 0], [0, 0], [1, 1], [0, 0], [1, 0], [0, 1]], np.uint8)


def clips_for(backbone, seconds=(0.3,) * 6):
    rate = backbone.spec.sample_rate
    return [tone(300 + 400 * i, s, i, rate) for i, s in enumerate(seconds)]


def cached(clips, backbone, n_blocks=None, keeping="exact"):
    split = backbone.split(n_blocks)
    cache = PrefixCache.build(clips, backbone, split, keeping=keeping, memory_bytes=10**9, progress=silent)
    return cache, split


def trained(source, split, settings=SETTINGS, labels=LABELS, room=None, held_out=None, **more):
    room = room or Room(settings.batch)
    everything = np.arange(len(source.windows))
    start = pooled(split.tail, source, everything, room, "it")
    learn = everything if held_out is None else np.setdiff1d(everything, held_out)
    return training.train(
        source, split.tail, labels, learn, held_out, start, settings, room=room, title="it", **more
    )


class Recording:
    """A source that writes down which batches were asked for."""

    def __init__(self, source) -> None:
        self.source, self.windows, self.batches = source, source.windows, []

    def batch(self, indices):
        self.batches.append(indices)
        return self.source.batch(indices)


@pytest.mark.parametrize("kind", ["mert-95m", "mert-330m", "clap", "qwen2-audio"])
def test_losses_equal_those_of_training_through_the_whole_frozen_network(kind, loaded) -> None:
    backbone = loaded(kind)
    clips = clips_for(backbone)
    cache, split = cached(clips, backbone)
    source = Recording(cache)
    ours = trained(source, split).losses
    batches = source.batches[-len(ours) :]
    waves = torch.from_numpy(np.stack(FullForward(clips, backbone, split).waves))
    targets = torch.from_numpy(LABELS.astype(np.float32))
    theirs = plain_losses(backbone, split.n_blocks, waves, targets, batches, SETTINGS.epochs, SETTINGS)
    np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)
    assert np.mean(ours[:2]) - np.mean(ours[-2:]) > 0.01  # and it is a training


def test_losses_on_states_kept_in_half_precision_stay_near(mert) -> None:
    clips = clips_for(mert)
    exact, halved = (trained(*cached(clips, mert, keeping=keeping)).losses for keeping in ("exact", "half"))
    np.testing.assert_allclose(halved, exact, atol=1e-3)
    assert halved != exact


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_learns_and_its_tail_can_be_put_back(kind, loaded) -> None:
    backbone = loaded(kind)
    cache, split = cached(clips_for(backbone, (0.3, 0.3, 0.3)), backbone)
    before = {name: value.clone() for name, value in split.tail.state_dict().items()}
    settings = FineTuneSettings(epochs=2, batch=3, tail_rate=1e-4, head_rate=1e-2)
    result = trained(cache, split, settings, labels=LABELS[:3])
    assert result.losses[-1] < result.losses[0]
    for name, value in split.tail.state_dict().items():
        assert value.equal(before[name]), "the split's own tail must stay as it was"
    fresh = backbone.split(split.n_blocks).tail
    changed = dict(training.tail_state(result.tail))
    fresh.load_state_dict({name: torch.from_numpy(array) for name, array in changed.items()})
    batch = cache.batch(np.array([0]))
    samples = int(cache.windows.samples[0])
    assert fresh(batch, samples=samples).equal(result.tail(batch, samples=samples))
    assert not fresh(batch, samples=samples).equal(split.tail(batch, samples=samples))


def test_the_batch_norm_of_clap_keeps_its_statistics(loaded) -> None:
    backbone = loaded("clap")
    norm = backbone._audio.batch_norm
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    cache, split = cached(clips_for(backbone), backbone)
    trained(cache, split, FineTuneSettings(epochs=1))
    assert norm.running_mean.equal(mean)
    assert norm.running_var.equal(variance)
    assert not norm.training


def test_cutting_a_batch_into_parts_does_not_change_the_losses(mert) -> None:
    clips = clips_for(mert, (0.3, 0.2, 0.3, 0.25, 0.3, 0.2))
    cache, split = cached(clips, mert)
    whole = trained(cache, split, room=Room(4)).losses
    single = trained(cache, split, room=Room(1)).losses
    np.testing.assert_allclose(single, whole, atol=2e-5)


def test_out_of_memory_halves_the_batch_and_goes_on(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    whole = trained(cache, split).losses

    class Small(type(split.tail)):
        def forward(self, boundary, samples=None):
            if len(boundary) > 1:
                raise torch.OutOfMemoryError
            return super().forward(boundary, samples)

    split.tail.__class__ = Small
    room = Room(4)
    np.testing.assert_allclose(trained(cache, split, room=room).losses, whole, atol=2e-5)
    assert room.most == 1


def test_one_window_that_does_not_fit_is_said_in_a_sentence(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    start = pooled(split.tail, cache, np.arange(6), Room(4), "it")

    def never(indices):
        raise torch.OutOfMemoryError

    cache.batch = never
    with pytest.raises(FineTuneError) as error:
        training.train(
            cache, split.tail, LABELS, np.arange(6), None, start, SETTINGS, room=Room(4), title="it"
        )
    assert error.value.sentence.code == "finetuning.memory"


def test_other_failures_are_not_taken_for_a_lack_of_memory(mert) -> None:
    cache, split = cached(clips_for(mert), mert)

    def broken(indices):
        raise RuntimeError("sizes differ")

    cache.batch = broken
    with pytest.raises(RuntimeError, match="sizes differ"):
        pooled(split.tail, cache, np.arange(6), Room(4), "it")


def test_a_training_that_runs_away_ends_in_a_sentence(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    wild = FineTuneSettings(epochs=8, batch=6, tail_rate=1e30, head_rate=1e30)
    with pytest.raises(FineTuneError) as error:
        trained(cache, split, wild)
    assert error.value.sentence.code == "finetuning.diverged"


def logits(result, source, indices) -> np.ndarray:
    """Of windows, as tail and head stand."""
    rows = pooled(result.tail, source, indices, Room(4), "it")
    return result.head(rows).detach().double().numpy()


def test_early_stopping_gives_back_the_best_epoch(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    seen = []
    settings = FineTuneSettings(epochs=30, patience=2, batch=2, tail_rate=3e-3, head_rate=0.3)
    held_out = np.array([1, 4])
    result = trained(cache, split, settings, held_out=held_out, on_epoch=seen.append)
    losses = [epoch.held_out_loss for epoch in seen]
    assert result.epochs == len(seen) < 30
    assert losses[result.best_epoch - 1] == min(losses)
    assert result.epochs - result.best_epoch == 2
    weighted, prevalence = logits(result, cache, held_out), result.prevalence
    y = LABELS[held_out]
    each = prevalence.weight * y * np.logaddexp(0, -weighted) + (1 - y) * np.logaddexp(0, weighted)
    assert each.mean() == pytest.approx(min(losses), abs=1e-4)


def test_the_same_seed_trains_the_same_and_another_one_not(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    first, again = trained(cache, split).losses, trained(cache, split).losses
    assert first == again
    other = replace(SETTINGS, seed=1)
    assert trained(cache, split, other).losses != first


def test_learning_rates_of_tail_and_head_are_separate(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    slow = FineTuneSettings(epochs=1, batch=6, tail_rate=1e-12, head_rate=1e-2, weight_decay=0.0)
    result = trained(cache, split, slow)
    for (_, now), (_, then) in zip(
        result.tail.named_parameters(), split.tail.named_parameters(), strict=True
    ):
        torch.testing.assert_close(now, then, atol=1e-9, rtol=0)
    assert result.head.weight.abs().max() > 1e-3


def test_a_tag_that_cannot_be_learned_does_not_touch_the_others(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    constant = np.concatenate([LABELS, np.ones((6, 1), np.uint8)], 1)
    alone, beside = trained(cache, split), trained(cache, split, labels=constant)
    np.testing.assert_allclose(alone.losses, beside.losses, atol=1e-6)
    assert beside.prevalence.known.tolist() == [True, True, False]
    assert np.isfinite(logits(beside, cache, np.arange(6))).all()


def test_mixed_precision_trains_close_to_float32(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    whole = trained(cache, split).losses
    half = replace(SETTINGS, precision="bfloat16")
    mixed = trained(cache, split, half).losses
    np.testing.assert_allclose(mixed, whole, atol=0.05)
    assert mixed != whole


def test_weights_of_the_positives_follow_prevalence_within_bounds() -> None:
    labels = np.zeros((100, 4), np.uint8)
    labels[:20, 0] = labels[:1, 1] = labels[:99, 2] = 1
    prevalence = Prevalence.of(labels, largest=10.0)
    np.testing.assert_allclose(prevalence.weight, [4.0, 10.0, 0.1, 1.0])
    np.testing.assert_array_equal(prevalence.known, [True, True, True, False])


def test_an_untrained_head_says_each_tags_own_share(mert) -> None:
    """Without the weighting of the positives, and with no information, a score is the tag's prevalence."""
    cache, split = cached(clips_for(mert), mert)
    still = FineTuneSettings(epochs=1, batch=6, tail_rate=1e-12, head_rate=1e-12)
    result = trained(cache, split, still)
    values = logits(result, cache, np.arange(6)) - np.log(result.prevalence.weight)
    np.testing.assert_allclose(1 / (1 + np.exp(-values)), np.tile(LABELS.mean(0), (6, 1)), atol=1e-5)


def test_a_clips_logit_is_the_mean_over_its_windows() -> None:
    means = clip_means(np.array([[1.0], [2.0], [6.0]]), np.array([0, 2, 2]), 3)
    np.testing.assert_array_equal(means[[0, 2], 0], [1.0, 4.0])
    assert np.isnan(means[1, 0])


def test_augmentation_is_off_unless_asked_for() -> None:
    states, targets = torch.randn(4, 10, 3), torch.eye(4)
    same, labels = augmented(states, targets, FineTuneSettings(), np.random.default_rng(0))
    assert same is states
    assert labels is targets


def test_mixup_mixes_states_and_labels_alike() -> None:
    states = torch.arange(4.0)[:, None, None].expand(4, 5, 2)
    mixed, labels = augmented(states, torch.eye(4), FineTuneSettings(mixup=1.0), np.random.default_rng(1))
    torch.testing.assert_close(mixed[:, 0, 0], labels @ torch.arange(4.0))
    torch.testing.assert_close(labels.sum(1), torch.ones(4))
    assert not labels.equal(torch.eye(4))


def test_time_masking_blanks_one_span_with_the_mean_frame() -> None:
    states = torch.randn(8, 20, 3)
    masked, _ = augmented(states, torch.eye(8), FineTuneSettings(time_mask=0.5), np.random.default_rng(0))
    changed = (masked != states).any(2)
    assert changed.any()
    assert (changed.sum(1) <= 10).all()
    for row, window, original in zip(changed, masked, states, strict=True):
        places = torch.nonzero(row).flatten()
        if len(places):
            assert len(places) == places[-1] - places[0] + 1
            torch.testing.assert_close(window[places[0]], original.mean(0))


def test_augmented_training_still_learns(mert) -> None:
    cache, split = cached(clips_for(mert), mert)
    settings = FineTuneSettings(epochs=6, batch=6, tail_rate=1e-3, head_rate=3e-2, mixup=0.2, time_mask=0.2)
    losses = trained(cache, split, settings).losses
    assert losses[-1] < losses[0]


def test_every_window_is_seen_once_an_epoch(mert) -> None:
    labelled = tones(7)
    cache, split = cached(labelled.clips, mert)
    source = Recording(cache)
    trained(source, split, FineTuneSettings(epochs=2, batch=3), labels=labelled.labels)
    steps = list(source.batches[-6:])
    for epoch in (steps[:3], steps[3:]):
        assert sorted(np.concatenate(epoch).tolist()) == list(range(7))
