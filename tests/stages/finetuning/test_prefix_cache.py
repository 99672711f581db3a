"""The prefix's output is kept as it is, once, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from finetuning.conftest import tone

from mirdemo.base.progress import silent
from mirdemo.base.sentences import Cancelled
from mirdemo.stages.finetuning import FineTuneError, boundary
from mirdemo.stages.finetuning.boundary import Windows, is_faithful
from mirdemo.stages.finetuning.prefix_cache import PrefixCache
from mirdemo.stages.finetuning.prefix_file import PrefixFile


def build(clips, backbone, keeping="exact", memory_bytes=10**9, progress=silent):
    split = backbone.split()
    cache = PrefixCache.build(
        clips, backbone, split, keeping=keeping, memory_bytes=memory_bytes, progress=progress
    )
    return cache, split


@pytest.fixture(scope="module")
def clips():
    return [tone(300, 0.3, 0), tone(500, 5.7, 1), tone(700, 0.3, 2), tone(900, 0.2, 3)]


def alone(clip, window, backbone, split) -> torch.Tensor:
    from mirdemo.embedding.embed import cut

    wave = cut(clip.at(backbone.spec.sample_rate), backbone.spec)[1][window]
    return split.prefix(torch.from_numpy(wave.copy())[None])[0]


def test_each_window_has_the_states_it_has_alone(clips, mert) -> None:
    cache, split = build(clips, mert)
    assert cache.windows.clip_of.tolist() == [0, 1, 1, 2, 3]
    assert cache.windows.samples.tolist() == [7200, 120_000, 120_000, 7200, 4800]
    for index, (clip, window) in enumerate([(0, 0), (1, 0), (1, 1), (2, 0), (3, 0)]):
        expected = alone(clips[clip], window, mert, split)
        torch.testing.assert_close(cache.batch(np.array([index]))[0], expected, atol=1e-5, rtol=1e-5)
    pair = cache.batch(np.array([3, 0]))
    assert pair[0].equal(cache.batch(np.array([3]))[0])
    assert pair[1].equal(cache.batch(np.array([0]))[0])


def test_windows_are_those_that_embedding_cuts(clips, mert) -> None:
    from mirdemo.embedding.embed import embed

    embeddings = embed(clips, mert)
    counts = np.bincount(Windows.of(clips, mert.spec).clip_of)
    assert counts.tolist() == [len(embeddings.window_starts(i)) for i in range(len(clips))]


def test_half_precision_is_taken_where_room_is_short_and_the_tail_gives_the_same(clips, mert) -> None:
    exact, split = build(clips, mert, "auto")
    assert (exact.dtype, exact.place) == (torch.float32, "memory")
    longest = len(exact.windows) * exact.batch(np.array([1])).numel()
    cache, _ = build(clips, mert, "auto", memory_bytes=2 * longest)
    assert (cache.dtype, cache.place) == (torch.float16, "memory")
    assert exact.nbytes == 2 * cache.nbytes
    window = np.array([1])
    halved = split.tail(cache.batch(window)).detach()
    true = split.tail(exact.batch(window)).detach()
    assert 0 < (halved - true).norm() / true.norm() < boundary.FAITHFUL


def test_states_that_half_precision_would_break_stay_exact(clips, mert) -> None:
    split = mert.split()
    states = alone(clips[0], 0, mert, split)[None]
    assert is_faithful(states, split.tail, 7200)
    assert not is_faithful(states * 1e6, split.tail, 7200)  # beyond float16's range
    assert not is_faithful(states.bfloat16(), split.tail, 7200)  # half already
    torch.manual_seed(0)
    offset = 1000 * torch.ones(states.shape[-1])
    assert not is_faithful(states + offset, split.tail, 7200)  # what differs is rounded away


def test_a_half_precision_backbone_is_kept_bit_by_bit(clips, checkpoint) -> None:
    from mirdemo.backbones import load_backbone

    backbone = load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device="cpu", dtype="bfloat16")
    cache, split = build(clips[:1], backbone, "auto")
    assert cache.dtype == torch.bfloat16
    assert cache.batch(np.array([0]))[0].equal(alone(clips[0], 0, backbone, split))


def test_what_is_too_large_for_memory_goes_to_the_disk_and_leaves_no_file(clips, mert, own_home) -> None:
    exact, _ = build(clips, mert)
    cache, _ = build(clips, mert, memory_bytes=100)
    assert (exact.place, cache.place) == ("memory", "disk")
    for index in range(len(cache.windows)):
        assert cache.batch(np.array([index])).equal(exact.batch(np.array([index])))
    cache.close()
    assert not list((own_home / "fine-tuning").iterdir())


def test_where_the_system_keeps_mapped_files_closing_removes_all_of_them(
    clips, mert, own_home, monkeypatch
) -> None:
    def kept(self, missing_ok=False):
        raise PermissionError(13, "The file is in use")

    with monkeypatch.context() as windows:
        windows.setattr(Path, "unlink", kept)
        cache, _ = build(clips, mert, memory_bytes=100)
        assert len(list((own_home / "fine-tuning").iterdir())) == len({*cache.windows.samples.tolist()}) > 1
    cache.close()
    assert not list((own_home / "fine-tuning").iterdir())


def test_a_full_disk_is_said_before_anything_is_written(clips, mert, own_home, monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(FineTuneError) as error:
        build(clips, mert, memory_bytes=0)
    assert error.value.sentence.code == "finetuning.disk"
    assert not list((own_home / "fine-tuning").iterdir())


def test_stopping_in_the_middle_leaves_no_file(clips, mert, own_home) -> None:
    def progress(done, total, phase):
        if done >= 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        build(clips, mert, memory_bytes=0, progress=progress)
    assert not list((own_home / "fine-tuning").iterdir())


def test_prefix_windows_are_halved_where_memory_runs_out(mert, monkeypatch) -> None:
    short = [tone(300 + i, 0.3, i) for i in range(4)]
    monkeypatch.setattr(boundary, "CPU_BATCH_SECONDS", 20.0)
    split, sizes = mert.split(), []
    whole = split.prefix

    def small(waves):
        sizes.append(len(waves))
        if len(waves) > 1:
            raise torch.OutOfMemoryError
        return whole(waves)

    monkeypatch.setattr(split, "prefix", small)
    cache = PrefixCache.build(short, mert, split, keeping="exact", memory_bytes=10**9, progress=silent)
    assert sizes == [4, 2, 1, 1, 1, 1]
    assert len(cache.batch(np.arange(4))) == 4

    def never(waves):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(split, "prefix", never)
    with pytest.raises(FineTuneError) as error:
        PrefixCache.build(short, mert, split, keeping="exact", memory_bytes=10**9, progress=silent)
    assert error.value.sentence.code == "finetuning.memory"


def test_a_folder_of_states_is_made_with_those_above_it_and_is_one_programs_at_a_time(tmp_path) -> None:
    place = tmp_path / "of a corpus" / "of a backbone"
    first = PrefixFile(place, torch.device("cpu"))
    with pytest.raises(FineTuneError) as refused:
        PrefixFile(place, torch.device("cpu"))
    assert refused.value.sentence.code == "finetuning.busy"
    first.close()
    again = PrefixFile(place, torch.device("cpu"))
    assert (again.nbytes, again.dtype, again.seconds) == (0, None, 0.0)
    again.close()
