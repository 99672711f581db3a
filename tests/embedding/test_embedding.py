"""embed(): exact windows, every layer pooled, the same row whatever is beside it, nothing half-done."""

from __future__ import annotations

import itertools
import json
import threading
import weakref
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mirdemo.backbones import registry
from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity, Layer
from mirdemo.base.sentences import Cancelled
from mirdemo.base.threads import Seats, limited
from mirdemo.embedding.embed import EmbeddingError, cut, embed, windows
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.sound.audio import Clip

RATE = 4_000
SPEC = BackboneSpec(
    name="toy",
    title="Toy",
    family="toy",
    licence=None,
    parameters=0,
    sample_rate=RATE,
    window_seconds=2.0,
    layers=(Layer("moments", 3), Layer("ends", 2)),
    trained_on="",
    min_samples=50,
)


class Toy(Backbone):
    """Two layers that can be worked out by hand; remembers what it was given."""

    def __init__(self, largest_batch: int = 10**6) -> None:
        self.spec = SPEC
        self.identity = Identity("toy", "1", "0" * 64, "float32", RATE, SPEC.window_seconds, "mean")
        self.device = torch.device("cpu")
        self.largest_batch = largest_batch
        self.batches: list[tuple[int, int]] = []
        self.inference: list[bool] = []
        self.alive: list[weakref.ref] = []
        self.most_alive = 0

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        self.most_alive = max(self.most_alive, sum(ref() is not None for ref in self.alive))
        if len(waves) > self.largest_batch:
            raise torch.OutOfMemoryError("out of memory")
        self.batches.append(tuple(waves.shape))
        self.inference.append(torch.is_inference_mode_enabled())
        first = torch.stack([waves, waves.square(), waves.abs()], dim=2)
        second = torch.stack([waves[:, :1], waves[:, -1:]], dim=2)
        self.alive += [weakref.ref(first), weakref.ref(second)]
        return [first, second]


def by_hand(window: np.ndarray) -> dict[str, np.ndarray]:
    w = window.astype(np.float64)
    return {
        "moments": np.array([w.mean(), (w**2).mean(), np.abs(w).mean()]),
        "ends": np.array([w[0], w[-1]]),
    }


def clip(seconds: float, seed: int, rate: int = RATE) -> Clip:
    rng = np.random.default_rng(seed)
    return Clip.of(rng.standard_normal(round(seconds * rate)) * 0.1, rate, f"clip {seed}")


CLIPS = [clip(5.5, 1), clip(0.7, 2), clip(2.0, 3), clip(0.7, 4), clip(4.0, 5), clip(0.01, 6), clip(1.999, 7)]


@settings(deadline=None)
@given(n=st.integers(1, 100_000), rate=st.integers(1, 200), seconds=st.floats(0.5, 30))
def test_windows_are_whole_cover_every_sample_and_only_the_last_overlaps(n, rate, seconds):
    spec = BackboneSpec("x", "", "", None, 0, rate, seconds, (), "")
    length = round(seconds * rate)
    if length < 1:
        return
    places = windows(n, rate, spec)
    assert places[0][0] == 0
    assert places[-1][1] == n
    assert all(stop - start == min(n, length) for start, stop in places)
    assert len(places) == max(1, -(-n // length))
    for (_, before), (start, _) in pairwise(places[:-1]):
        assert start == before
    if len(places) > 1:
        assert places[-2][0] < places[-1][0] <= places[-2][1]


def test_no_samples_have_no_windows():
    with pytest.raises(ValueError, match="at least one sample"):
        windows(0, RATE, SPEC)


def test_a_wave_below_the_least_is_repeated_only_up_to_the_least():
    wave = np.arange(20, dtype=np.float32)
    starts, waves = cut(wave, SPEC)
    assert starts.tolist() == [0.0]
    np.testing.assert_array_equal(waves[0], np.concatenate([wave, wave, wave[:10]]))
    _, (whole,) = cut(np.arange(50, dtype=np.float32), SPEC)
    assert len(whole) == 50


def test_rows_are_the_windows_means_in_the_order_of_the_clips():
    embeddings = embed(CLIPS, Toy())
    assert len(embeddings) == len(CLIPS)
    assert embeddings.layer_names == ("moments", "ends")
    assert embeddings.clip_ids == tuple(c.sha256 for c in CLIPS)
    assert embeddings.window_seconds == 2.0
    assert embeddings.window_starts(0).tolist() == [0.0, 2.0, 3.5]
    for i, given_clip in enumerate(CLIPS):
        _, waves = cut(given_clip.samples, SPEC)
        expected = [by_hand(wave) for wave in waves]
        for name in embeddings.layer_names:
            rows = np.stack([row[name] for row in expected])
            assert embeddings.windows(i)[name].dtype == embeddings.layers[name].dtype == np.float32
            np.testing.assert_allclose(embeddings.windows(i)[name], rows, atol=1e-6)
            np.testing.assert_allclose(embeddings.layers[name][i], rows.mean(0), atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_windows_of_many_clips_share_batches_of_one_length_and_nothing_is_padded(batch_size):
    toy = Toy()
    embed(CLIPS, toy, batch_size=batch_size)
    assert max(size for size, _ in toy.batches) <= batch_size
    seen = sorted(length for size, length in toy.batches for _ in range(size))
    assert seen == sorted([8000] * 6 + [2800, 2800, 50, 7996])
    if batch_size == 100:
        assert len(toy.batches) == 4, "windows of one length were not brought together"


@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(range(len(CLIPS))), batch_size=st.integers(1, 8), keep=st.integers(1, len(CLIPS))
)
def test_a_row_does_not_depend_on_the_clips_beside_it(order, batch_size, keep):
    alone = [embed([c], Toy()) for c in CLIPS]
    together = embed([CLIPS[i] for i in order[:keep]], Toy(), batch_size=batch_size)
    for row, i in enumerate(order[:keep]):
        for name in together.layer_names:
            np.testing.assert_allclose(together.layers[name][row], alone[i].layers[name][0], atol=1e-6)


@pytest.fixture(scope="module")
def tiny_mert(tmp_path_factory):
    from backbones import tiny

    folder = tiny.tiny_mert(tmp_path_factory.mktemp("checkpoint") / "mert")
    return registry.load_backbone("mert-95m", checkpoint=folder, device="cpu", dtype="float32")


def test_a_networks_row_is_the_same_alone_and_in_any_batch_to_1e_5(tiny_mert):
    clips = [clip(seconds, seed, 24_000) for seed, seconds in enumerate([7.0, 5.0, 1.3, 5.5])]
    together = embed(clips, tiny_mert, batch_size=4)
    turned = embed(clips[::-1], tiny_mert, batch_size=3).select([3, 2, 1, 0])
    assert together.clip_ids == turned.clip_ids
    for i, one in enumerate(clips):
        alone = embed([one], tiny_mert, batch_size=1)
        for name in together.layer_names:
            scale = np.linalg.norm(alone.layers[name])
            assert scale > 0
            for other in (together, turned):
                assert np.linalg.norm(other.layers[name][i] - alone.layers[name][0]) <= 1e-5 * scale


def test_a_short_clip_meets_the_network_at_its_own_length(tiny_mert):
    short = clip(1.3, 0, 24_000)
    with torch.inference_mode():
        states = tiny_mert.hidden_states(torch.from_numpy(short.samples.copy())[None])
    embeddings = embed([short], tiny_mert)
    for name, layer in zip(embeddings.layer_names, tiny_mert.pool(states), strict=True):
        np.testing.assert_allclose(embeddings.layers[name], layer.numpy(), rtol=1e-5, atol=1e-6)


def test_the_mean_over_layers_needs_layers_of_one_size(tiny_mert):
    embeddings = embed([clip(1.0, 0, 24_000)], tiny_mert)
    expected = np.mean(list(embeddings.layers.values()), axis=0)
    np.testing.assert_allclose(embeddings.matrix("mean"), expected, atol=1e-6)
    with pytest.raises(EmbeddingError) as raised:
        embed(CLIPS[:1], Toy()).matrix("mean")
    assert raised.value.sentence.code == "embedding.no_mean"


def test_a_layer_that_is_not_there_is_refused_with_those_that_are():
    embeddings = embed(CLIPS[:2], Toy())
    np.testing.assert_array_equal(embeddings.matrix("ends"), embeddings.layers["ends"])
    with pytest.raises(EmbeddingError, match="moments, ends") as raised:
        embeddings.matrix("12")
    assert raised.value.sentence.code == "embedding.no_layer"


def test_selecting_keeps_rows_ids_and_windows_together():
    embeddings = embed(CLIPS, Toy())
    chosen = embeddings.select(np.array([4, 0, 4]))
    assert chosen.clip_ids == tuple(CLIPS[i].sha256 for i in (4, 0, 4))
    np.testing.assert_array_equal(chosen.matrix("moments"), embeddings.matrix("moments")[[4, 0, 4]])
    np.testing.assert_array_equal(chosen.windows(1)["ends"], embeddings.windows(0)["ends"])
    assert chosen.window_starts(1).tolist() == embeddings.window_starts(0).tolist()


def test_no_clips_give_matrices_of_no_rows():
    embeddings = embed([], Toy())
    assert len(embeddings) == 0
    assert embeddings.matrix("moments").shape == (0, 3)


def test_a_clip_given_twice_is_embedded_once_and_has_two_rows():
    toy = Toy()
    embeddings = embed([CLIPS[2], CLIPS[2]], toy)
    assert toy.batches == [(1, 8000)]
    np.testing.assert_array_equal(embeddings.layers["ends"][0], embeddings.layers["ends"][1])


def test_a_clip_at_another_rate_is_resampled_and_counted_right():
    calls = []
    embeddings = embed([clip(4.1, 1, 6_000)], Toy(), progress=lambda *call: calls.append(call))
    assert embeddings.window_starts(0).tolist() == [0.0, 2.0, 2.1]
    assert calls[0] == (0, 3, "embedding")
    assert calls[-1] == (3, 3, "embedding")


def test_the_store_gives_what_it_has_and_only_the_rest_is_computed(tmp_path):
    store = EmbeddingStore(tmp_path)
    first = embed(CLIPS[:3], Toy(), store=store)
    assert len(store) == 3
    toy, calls = Toy(), []
    both = embed(CLIPS, toy, store=store, progress=lambda *call: calls.append(call))
    assert sum(size for size, _ in toy.batches) == 5
    assert calls[0] == (5, 10, "embedding")
    assert calls[-1] == (10, 10, "embedding")
    for name in first.layer_names:
        np.testing.assert_array_equal(both.layers[name][:3], first.layers[name])
    again = Toy()
    from_disk = embed(CLIPS, again, store=EmbeddingStore(tmp_path))
    assert again.batches == []
    for name in both.layer_names:
        np.testing.assert_array_equal(from_disk.layers[name], both.layers[name])
    for i in range(len(CLIPS)):
        np.testing.assert_array_equal(from_disk.window_starts(i), both.window_starts(i))


def test_the_store_never_gives_another_backbones_rows(tmp_path):
    store, other = EmbeddingStore(tmp_path), Toy()
    embed(CLIPS[:1], Toy(), store=store)
    other.identity = Identity("toy", "1", "1" * 64, "float32", RATE, SPEC.window_seconds, "mean")
    embed(CLIPS[:1], other, store=store)
    assert sum(size for size, _ in other.batches) == 3


def test_stopping_passes_and_leaves_whole_clips_in_the_store_and_no_others(tmp_path):
    for stop_at in range(8):
        store = EmbeddingStore(tmp_path / str(stop_at))

        def stop(done, total, phase, stop_at=stop_at):
            if done >= stop_at:
                raise Cancelled

        toy = Toy()
        with pytest.raises(Cancelled):
            embed(CLIPS, toy, store=store, progress=stop, batch_size=1)
        assert len(toy.batches) == stop_at
        whole = [store.get(toy.identity, c.sha256) for c in CLIPS]
        assert sum(len(e.starts) for e in whole if e is not None) <= stop_at
        rest = Toy()
        resumed = embed(CLIPS, rest, store=store)
        fresh = embed(CLIPS, Toy())
        assert sum(e is not None for e in whole) > 0 or stop_at < 1
        assert sum(size for size, _ in rest.batches) == 10 - sum(
            len(e.starts) for e in whole if e is not None
        )
        for name in fresh.layer_names:
            np.testing.assert_allclose(resumed.layers[name], fresh.layers[name], atol=1e-6)


def test_progress_is_told_of_every_batch_and_ends_at_the_total():
    calls = []
    embed(CLIPS, Toy(), progress=lambda *call: calls.append(call), batch_size=2)
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert {call[1:] for call in calls} == {(10, "embedding")}
    assert done[0] == 0
    assert done[-1] == 10
    assert max(b - a for a, b in pairwise(done)) <= 2


def test_a_batch_too_large_for_the_device_is_halved_until_it_fits():
    toy = Toy(largest_batch=3)
    embeddings = embed(CLIPS, toy, batch_size=16)
    assert max(size for size, _ in toy.batches) <= 3
    plain = embed(CLIPS, Toy())
    for name in plain.layer_names:
        np.testing.assert_allclose(embeddings.layers[name], plain.layers[name], atol=1e-6)


def test_one_window_too_large_for_the_device_is_a_sentence():
    with pytest.raises(EmbeddingError) as raised:
        embed(CLIPS[:1], Toy(largest_batch=0))
    assert raised.value.sentence.code == "embedding.memory"


def test_values_that_are_not_finite_are_a_sentence_and_never_stored(tmp_path):
    class Overflowing(Toy):
        def hidden_states(self, waves):
            return [layer * float("inf") for layer in super().hidden_states(waves)]

    store = EmbeddingStore(tmp_path)
    with pytest.raises(EmbeddingError, match="clip 3") as raised:
        embed([CLIPS[2]], Overflowing(), store=store)
    assert raised.value.sentence.code == "embedding.not_finite"
    assert len(store) == 0


def test_states_of_earlier_batches_are_let_go_and_torch_is_left_as_it_was():
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
    toy = Toy()
    embed([clip(60, 1)], toy, batch_size=2)
    assert len(toy.batches) == 15
    assert toy.most_alive == 0
    assert all(toy.inference)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled() is gradients


class Small(Toy):
    """Gains nothing from a second thread within a window."""

    window_threads = 1

    def __init__(self, meet: bool = False, fail_at: int | None = None) -> None:
        super().__init__()
        self._calls, self._second = itertools.count(), threading.Event()
        self._meet = meet
        self.met = False
        self._fail_at = fail_at
        self.threads: set[int] = set()
        self.within: set[int] = set()

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        self.threads.add(threading.get_ident())
        self.within.add(torch.get_num_threads())
        call = next(self._calls)
        if call == 1:
            self._second.set()
        elif call == 0 and self._meet:
            self.met = self._second.wait(5)
        if self._fail_at is not None and len(self.batches) >= self._fail_at:
            raise ValueError("a defect")
        return super().hidden_states(waves)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_small_windows_go_side_by_side_on_one_thread_each_and_give_the_same_rows(two_threads, monkeypatch):
    seats = Seats(2)
    monkeypatch.setattr("mirdemo.base.threads._seats", lambda: seats)
    small, calls = Small(meet=True), []
    found = embed(CLIPS, small, progress=lambda *call: calls.append(call[0]), batch_size=1)
    assert len(small.threads) == 2
    assert small.met  # the second began before the first had ended
    assert threading.get_ident() not in small.threads
    assert small.within == {1}
    assert calls == list(range(11))
    plain = embed(CLIPS, Toy(), batch_size=1)
    for name in plain.layer_names:
        np.testing.assert_array_equal(found.layers[name], plain.layers[name])
    assert torch.get_num_threads() == 2


def test_a_caller_with_one_thread_gets_no_more(two_threads):
    small = Small()
    with limited(1):
        embed(CLIPS, small, batch_size=1)
    assert small.threads == {threading.get_ident()}
    assert small.within == {1}


def test_a_single_window_is_computed_where_it_was_asked_for(two_threads):
    small = Small()
    embed(CLIPS[1:2], small)
    assert small.threads == {threading.get_ident()}
    assert small.within == {1}


def test_side_by_side_too_stopping_leaves_whole_clips_and_no_thread(two_threads, tmp_path):
    store = EmbeddingStore(tmp_path)

    def stop(done, total, phase):
        if done >= 3:
            raise Cancelled

    small, before = Small(), threading.active_count()
    with pytest.raises(Cancelled):
        embed(CLIPS, small, store=store, progress=stop, batch_size=1)
    assert threading.active_count() == before
    assert len(small.batches) <= 6  # what had begun ended, and nothing else began
    assert 1 <= len(store) <= 3


def test_side_by_side_too_a_failure_is_told_and_what_was_whole_is_kept(two_threads, tmp_path):
    store = EmbeddingStore(tmp_path)
    with pytest.raises(ValueError, match="a defect"):
        embed(CLIPS, Small(fail_at=4), store=store, batch_size=1)
    assert len(store) >= 1


def test_every_sentence_has_its_japanese():
    import re

    import mirdemo

    package = Path(mirdemo.__file__).parent
    japanese = json.loads((package / "words" / "text" / "say.embedding.ja.json").read_text(encoding="utf-8"))
    source = (package / "embedding" / "embed.py").read_text(encoding="utf-8") + (
        package / "backbones" / "spectral.py"
    ).read_text(encoding="utf-8")
    said = dict(re.findall(r'"([^"]*\{[^"]*)",\s*code="([a-z_.]+)"', source))
    assert set(japanese) == set(said.values())
    for template, code in said.items():
        fields = re.compile(r"\{(\w+)")
        assert set(fields.findall(japanese[code])) == set(fields.findall(template))
