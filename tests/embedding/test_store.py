"""The embedding store: whole entries or none, within its limit, whoever writes and whenever they are killed."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirdemo.backbones.spec import Identity
from mirdemo.embedding.store import ClipEmbedding, EmbeddingStore

IDENTITY = Identity("hf:owner/../repo", "abc", "f" * 64, "float32", 24_000, 5.0, "mean")


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def entry(number: int, n_windows: int = 3, size: int = 64) -> ClipEmbedding:
    """Rows that tell which clip they belong to, so that a mixed-up or half entry shows."""
    starts = 5.0 * np.arange(n_windows)
    return ClipEmbedding(
        starts, {name: np.full((n_windows, size), number + k, np.float32) for k, name in enumerate("zay")}
    )


def assert_whole(found: ClipEmbedding, number: int) -> None:
    expected = entry(number, len(found.starts), found.layers["z"].shape[1])
    assert list(found.layers) == list(expected.layers)
    np.testing.assert_array_equal(found.starts, expected.starts)
    for name, rows in expected.layers.items():
        np.testing.assert_array_equal(found.layers[name], rows)
        assert found.layers[name].dtype == np.float32


def files(store: EmbeddingStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_an_entry_comes_back_as_it_went_in(tmp_path):
    store = EmbeddingStore(tmp_path)
    assert store.get(IDENTITY, sha(1)) is None
    assert store.put(IDENTITY, sha(1), entry(1))
    assert_whole(store.get(IDENTITY, sha(1)), 1)
    assert_whole(EmbeddingStore(tmp_path).get(IDENTITY, sha(1)), 1)
    assert len(store) == 1
    assert store.size() == sum(path.stat().st_size for path in files(store))


@settings(max_examples=25, deadline=None)
@given(
    layers=st.dictionaries(st.text(max_size=12), st.integers(1, 5), min_size=1, max_size=4),
    n_windows=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
def test_any_layer_names_sizes_and_values_come_back(tmp_path_factory, layers, n_windows, seed):
    rng = np.random.default_rng(seed)
    put = ClipEmbedding(
        rng.uniform(0, 1e4, n_windows),
        {name: rng.standard_normal((n_windows, size)).astype(np.float32) for name, size in layers.items()},
    )
    store = EmbeddingStore(tmp_path_factory.mktemp("store"))
    assert store.put(IDENTITY, sha(seed), put)
    got = store.get(IDENTITY, sha(seed))
    assert list(got.layers) == list(put.layers)
    np.testing.assert_array_equal(got.starts, put.starts)
    for name, rows in put.layers.items():
        np.testing.assert_array_equal(got.layers[name], rows)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "mert-95m"},
        {"revision": "abd"},
        {"fingerprint": "e" * 64},
        {"dtype": "bfloat16"},
        {"sample_rate": 16_000},
        {"window_seconds": 10.0},
        {"pooling": "max"},
    ],
)
def test_embeddings_of_another_backbone_are_never_given(tmp_path, other):
    store = EmbeddingStore(tmp_path)
    store.put(IDENTITY, sha(1), entry(1))
    assert store.get(replace(IDENTITY, **other), sha(1)) is None
    # not even if the file is moved to where the other's would be
    store.put(replace(IDENTITY, **other), sha(1), entry(2))
    first, second = (store._path(who, sha(1)) for who in (IDENTITY, replace(IDENTITY, **other)))
    first.replace(second)
    assert store.get(replace(IDENTITY, **other), sha(1)) is None
    assert not second.exists()


def test_a_clip_hash_cannot_name_another_place(tmp_path):
    store = EmbeddingStore(tmp_path / "store")
    for bad in ("../../escape", "", "A" * 64, "a" * 63 + "/"):
        with pytest.raises(ValueError, match="SHA-256"):
            store.put(IDENTITY, bad, entry(1))
    assert not (tmp_path / "store").exists()


def test_a_damaged_entry_counts_as_missing_and_is_removed(tmp_path):
    store = EmbeddingStore(tmp_path)
    rng = random.Random(0)
    for trial in range(120):
        store.put(IDENTITY, sha(1), entry(1))
        (path,) = files(store)
        content = bytearray(path.read_bytes())
        if trial % 3 == 0:
            content = content[: rng.randrange(len(content))]  # cut short, down to nothing
        elif trial % 3 == 1:
            place = rng.randrange(len(content))
            content[place] ^= 1 << rng.randrange(8)  # one bit, in the header or in the rows
        else:
            content = bytearray(rng.randbytes(rng.randrange(1, 200)))
        path.write_bytes(content)
        found = store.get(IDENTITY, sha(1))
        if found is None:
            assert not path.exists()
        else:  # a bit that carries no meaning
            assert_whole(found, 1)


@pytest.mark.parametrize(("written", "flipped"), [(b'\\"y\\"', b'\\"9\\"'), (b"[0.0, 5.0", b"[0.0, 1.0")])
def test_a_bit_in_a_layers_name_or_in_a_start_counts_as_damage(tmp_path, written, flipped):
    store = EmbeddingStore(tmp_path)
    store.put(IDENTITY, sha(1), entry(1))
    (path,) = files(store)
    content = path.read_bytes()
    assert content.count(written) == 1
    path.write_bytes(content.replace(written, flipped))
    assert store.get(IDENTITY, sha(1)) is None
    assert not path.exists()


def test_least_recently_used_entries_go_first_and_the_limit_holds(tmp_path):
    one = EmbeddingStore(tmp_path / "probe")
    one.put(IDENTITY, sha(0), entry(0))
    size = one.size()
    store = EmbeddingStore(tmp_path / "store", max_bytes=20 * size)
    for number in range(60):
        assert store.put(IDENTITY, sha(number), entry(number))
        assert store.get(IDENTITY, sha(0)) is not None, "an entry in constant use was evicted"
        assert store.size() <= 20 * size
    kept = [number for number in range(1, 60) if store.get(IDENTITY, sha(number)) is not None]
    assert kept == list(range(kept[0], 60)), "not the most recent ones were kept"
    assert len(kept) >= 14, "evicted more than needed"


def test_an_entry_too_large_for_the_store_is_refused_and_empties_nothing(tmp_path):
    store = EmbeddingStore(tmp_path, max_bytes=64_000)
    assert store.put(IDENTITY, sha(1), entry(1))
    assert not store.put(IDENTITY, sha(2), entry(2, n_windows=30))
    assert_whole(store.get(IDENTITY, sha(1)), 1)
    assert len(files(store)) == 1


def test_what_a_killed_writer_left_is_cleaned_up_but_not_what_is_being_written(tmp_path):
    store = EmbeddingStore(tmp_path)
    store.put(IDENTITY, sha(1), entry(1))
    folder = store._path(IDENTITY, sha(1)).parent
    old, fresh = folder / "old.tmp", folder / "fresh.tmp"
    for path in (old, fresh):
        path.write_bytes(b"half")
    an_hour_ago = time.time() - 3600
    os.utime(old, (an_hour_ago, an_hour_ago))
    assert EmbeddingStore(tmp_path).put(IDENTITY, sha(2), entry(2))
    assert not old.exists()
    assert fresh.exists()


def test_forgotten_clips_leave_nothing_of_any_backbone(tmp_path):
    store = EmbeddingStore(tmp_path)
    other = replace(IDENTITY, name="other")
    for who in (IDENTITY, other):
        for number in (1, 2):
            store.put(who, sha(number), entry(number))
    store.forget([sha(1)])
    assert [store.get(who, sha(1)) for who in (IDENTITY, other)] == [None, None]
    assert all(store.get(who, sha(2)) is not None for who in (IDENTITY, other))


def test_a_disk_that_refuses_never_stops_the_work(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    store = EmbeddingStore(in_the_way / "store")
    assert store.put(IDENTITY, sha(1), entry(1)) is False
    assert store.get(IDENTITY, sha(1)) is None
    assert in_the_way.read_text() == "not a folder"


def test_a_disk_that_fills_up_halfway_leaves_nothing_behind(tmp_path, monkeypatch):
    store = EmbeddingStore(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert store.put(IDENTITY, sha(1), entry(1)) is False
    assert files(store) == []


def test_the_store_lives_in_the_home_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("MIRDEMO_HOME", str(tmp_path / "home"))
    EmbeddingStore().put(IDENTITY, sha(1), entry(1))
    assert len(EmbeddingStore(tmp_path / "home" / "embeddings")) == 1


_WRITER = """
import random, sys
sys.path.insert(0, {tests!r})
from test_store import IDENTITY, EmbeddingStore, assert_whole, entry, sha
rng = random.Random(int(sys.argv[2]))
store = EmbeddingStore(sys.argv[1], max_bytes=int(sys.argv[3]))
print("ready", flush=True)
for _ in range(int(sys.argv[4])):
    number = rng.randrange(40)
    store.put(IDENTITY, sha(number), entry(number, n_windows=1 + rng.randrange(3)))
    asked = rng.randrange(40)
    found = store.get(IDENTITY, sha(asked))
    if found is not None:
        assert_whole(found, asked)
print("done", flush=True)
"""


def writer(root: Path, seed: int, max_bytes: int, count: int) -> subprocess.Popen:
    code = _WRITER.format(tests=str(Path(__file__).parent))
    arguments = [sys.executable, "-c", code, str(root), str(seed), str(max_bytes), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_after_the_clock_was_set_back_what_is_used_now_is_kept(tmp_path):
    store = EmbeddingStore(tmp_path, max_bytes=64_000)
    for number in range(40):
        store.put(IDENTITY, sha(number), entry(number))
    tomorrow = time.time() + 86_400
    for path in tmp_path.rglob("*.safetensors"):
        os.utime(path, (tomorrow, tomorrow))
    for number in range(40, 60):
        store.put(IDENTITY, sha(number), entry(number))
        assert store.get(IDENTITY, sha(40)) is not None, "what is in use went for what was noted tomorrow"


def test_two_processes_write_read_and_evict_at_once(tmp_path):
    limit = 64_000
    both = [writer(tmp_path, seed, limit, 250) for seed in (1, 2)]
    store, largest = EmbeddingStore(tmp_path, max_bytes=limit), 0
    while any(process.poll() is None for process in both):
        largest = max(largest, store.size())
        time.sleep(0.005)
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.split() == ["ready", "done"]
        assert err == "", "an entry was found damaged or could not be written"
    assert largest <= limit
    found = {number: store.get(IDENTITY, sha(number)) for number in range(40)}
    for number, got in found.items():
        if got is not None:
            assert_whole(got, number)
    assert sum(got is not None for got in found.values()) == len(store) > 10
    assert [path for path in files(store) if path.suffix == ".tmp"] == []


_KILLER = """
import os, random, signal, sys, time
sys.path.insert(0, {tests!r})
from test_store import IDENTITY, EmbeddingStore, entry, files, assert_whole, sha
rng = random.Random(0)
store = EmbeddingStore(sys.argv[1])
store.put(IDENTITY, sha(0), entry(0))  # everything is imported before the first fork
cut_short = 0
for trial in range(60):
    child = os.fork()
    if child == 0:
        while True:
            number = rng.randrange(40)
            store.put(IDENTITY, sha(number), entry(number, size=2_000))
    time.sleep(rng.uniform(0.0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for path in files(store):
        if path.suffix == ".tmp":
            cut_short += 1
            path.unlink()
    left = len(files(store))
    found = {{n: store.get(IDENTITY, sha(n)) for n in range(40)}}
    for number, got in found.items():
        if got is not None:
            assert_whole(got, number)
    # get() removes what is damaged: nothing may have been
    assert left == len(files(store)) == sum(got is not None for got in found.values())
print(cut_short, left)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_writer_killed_at_any_moment_leaves_only_whole_entries(tmp_path):
    code = _KILLER.format(tests=str(Path(__file__).parent))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "an entry was found damaged or could not be written"
    cut_short, entries = map(int, done.stdout.split())
    assert cut_short > 0, "no kill fell into a write: the test proves nothing"
    assert entries > 10
