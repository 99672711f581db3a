"""Fetching, by huggingface_hub's real code, from a Hub on loopback: what is needed, verified, or a clear sentence."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from backbones import loopback_hub, tiny
from huggingface_hub import file_download, hf_hub_download

from mirdemo.backbones import BackboneError, load_backbone, registry, status
from mirdemo.backbones import hub as fetching
from mirdemo.base.sentences import Cancelled

LARGE = "mert-330m"  # pinned, hash not known
UNPINNED = "culturemert-95m"


@pytest.fixture
def mert(checkpoint) -> Path:
    return checkpoint("mert-330m")


def served(running: loopback_hub.LoopbackHub, name: str, folder: Path) -> loopback_hub.Repository:
    spec = registry.spec(name)
    return running.add(spec.repository, folder, spec.revision)


def load(name: str):
    return load_backbone(name, device="cpu", dtype="float32")


def refusal(name: str) -> str:
    with pytest.raises(BackboneError) as error:
        load(name)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return error.value.sentence.code


def hub_cache() -> Path:
    return fetching.cache_folder()


def cached(pattern: str = "*") -> list[Path]:
    """Files of the cache that hold content (what is left of a download shows here)."""
    return [path for path in fetching.cache_folder().glob(f"models--*/blobs/{pattern}") if path.is_file()]


def test_a_pinned_backbone_is_fetched_whole_and_only_what_is_needed(hub, mert, tmp_path, waves) -> None:
    folder = tmp_path / "repository"
    shutil.copytree(mert, folder)
    for name in ("README.md", "modeling_MERT.py", "MERT-v1-330M_fairseq.pt"):
        (folder / name).write_bytes(b"not needed" * 5000)
    served(hub, LARGE, folder)
    before = status(LARGE)
    assert (before.fetched, before.fetch_bytes) == (False, registry.spec(LARGE).download_bytes)
    backbone = load(LARGE)
    assert hub.fetched("m-a-p/MERT-v1-330M") == {
        "config.json",
        "preprocessor_config.json",
        "pytorch_model.bin",
    }
    assert backbone.identity.revision == backbone.spec.revision == registry.spec(LARGE).revision
    assert backbone.warnings == ()
    after = status(LARGE)
    assert (after.fetched, after.fetch_bytes, after.revision) == (True, 0, registry.spec(LARGE).revision)
    assert after.health == backbone.health
    local = load_backbone(LARGE, checkpoint=mert, device="cpu", dtype="float32")
    sound = waves(backbone)
    for ours, theirs in zip(backbone.hidden_states(sound), local.hidden_states(sound), strict=True):
        assert ours.equal(theirs)


def test_only_the_shards_that_hold_the_tower_are_fetched(hub, tmp_path) -> None:
    served(hub, "qwen2-audio", tiny.tiny_qwen2_audio(tmp_path / "qwen"))
    load("qwen2-audio")
    assert hub.fetched("Qwen/Qwen2-Audio-7B") == {
        "config.json",
        "preprocessor_config.json",
        "model.safetensors.index.json",
        "model-00002-of-00005.safetensors",
        "model-00003-of-00005.safetensors",
    }


def test_clap_brings_its_tokenizer(hub, checkpoint) -> None:
    served(hub, "clap-music", checkpoint("clap"))
    backbone = load("clap-music")
    assert backbone.text(["a flute"]).shape == (1, 24)


def test_the_second_load_asks_the_network_nothing(hub, mert) -> None:
    served(hub, LARGE, mert)
    first = load(LARGE)
    hub.requests.clear()
    second = load(LARGE)
    assert hub.requests == []
    hub.close()
    assert load(LARGE).identity == second.identity == first.identity


def test_any_repository_of_a_known_kind_is_fetched_and_its_commit_recorded(hub, checkpoint) -> None:
    repository = hub.add("someone/my-hubert", checkpoint("hubert"))
    backbone = load("hf:someone/my-hubert")
    assert backbone.identity.revision == repository.main
    assert [layer.name for layer in backbone.spec.layers] == ["input", "1", "2", "3"]
    hub.close()
    assert load("hf:someone/my-hubert").identity == backbone.identity
    assert status("hf:someone/my-hubert").fetched


def test_a_backbone_without_a_pin_keeps_the_commit_it_was_first_fetched_at(hub, mert, tmp_path) -> None:
    repository = hub.add(registry.spec(UNPINNED).repository, mert)
    first = repository.main
    assert status(UNPINNED).revision is None
    assert load(UNPINNED).identity.revision == first
    assert status(UNPINNED).revision == first

    repository = hub.add(
        registry.spec(UNPINNED).repository, loopback_hub.next_version(mert, tmp_path / "next")
    )
    shutil.rmtree(hub_cache())
    again = load(UNPINNED)
    assert again.identity.revision == first != repository.main
    assert [sentence.code for sentence in again.warnings] == ["backbone.moved"]
    assert first[:12] in str(again.warnings[0])


def test_a_commit_that_is_gone_is_replaced_with_a_warning(hub, mert, tmp_path) -> None:
    repository = hub.add(registry.spec(UNPINNED).repository, mert)
    first = repository.main
    load(UNPINNED)
    hub.add(registry.spec(UNPINNED).repository, loopback_hub.next_version(mert, tmp_path / "next"))
    del repository.commits[first]
    shutil.rmtree(hub_cache())
    again = load(UNPINNED)
    assert again.identity.revision == repository.main != first
    assert [sentence.code for sentence in again.warnings] == ["backbone.replaced"]


def test_weights_with_another_checksum_than_the_known_one_are_removed(hub, checkpoint) -> None:
    """mert-95m's SHA-256 is known, and a tiny random checkpoint has another."""
    served(hub, "mert-95m", checkpoint("mert-95m"))
    for _ in range(2):
        assert refusal("mert-95m") == "backbone.checksum"
        digest = hashlib.sha256((checkpoint("mert-95m") / "pytorch_model.bin").read_bytes()).hexdigest()
        assert cached(digest) == []
        assert list(hub_cache().glob("models--*/snapshots/*/pytorch_model.bin")) == []
        assert not status("mert-95m").fetched


def test_weights_spoilt_on_the_way_are_removed_and_fetched_again_next_time(hub, mert) -> None:
    repository = served(hub, LARGE, mert)
    right = (mert / "pytorch_model.bin").read_bytes()
    repository.spoilt["pytorch_model.bin"] = right[:-1] + bytes([right[-1] ^ 1])
    assert refusal(LARGE) == "backbone.checksum"
    assert cached(hashlib.sha256(right).hexdigest()) == []
    repository.spoilt.clear()
    assert load(LARGE).health.ok


def test_weights_spoilt_in_the_cache_are_fetched_anew(hub, mert) -> None:
    served(hub, LARGE, mert)
    first = load(LARGE)
    (blob,) = cached(hashlib.sha256((mert / "pytorch_model.bin").read_bytes()).hexdigest())
    blob.write_bytes(b"short")
    assert not status(LARGE).fetched
    assert load(LARGE).identity == first.identity


def test_files_that_another_tool_fetched_are_used_after_a_check(hub, mert, monkeypatch) -> None:
    served(hub, LARGE, mert)
    spec = registry.spec(LARGE)
    for name in ("config.json", "preprocessor_config.json", "pytorch_model.bin"):
        hf_hub_download(
            spec.repository, name, revision=spec.revision, endpoint=hub.url, cache_dir=hub_cache()
        )
    assert status(LARGE).fetched
    hub.close()
    assert load(LARGE).identity.revision == spec.revision


def test_progress_counts_the_bytes_of_all_files(hub, mert) -> None:
    served(hub, LARGE, mert)
    told: list[tuple[int, int, str]] = []
    load_backbone(LARGE, device="cpu", progress=lambda *step: told.append(step))
    names = ("config.json", "preprocessor_config.json", "pytorch_model.bin")
    total = sum((mert / name).stat().st_size for name in names)
    assert told[0] == (0, total, "fetching")
    assert told[-1] == (total, total, "fetching")
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)


def test_a_cancelled_download_leaves_nothing_half_done(hub, mert) -> None:
    served(hub, LARGE, mert)

    def stop(done: int, total: int, phase: str) -> None:
        if done > 10_000:
            raise Cancelled

    with pytest.raises(Cancelled):
        load_backbone(LARGE, device="cpu", progress=stop)
    assert cached("*.incomplete") == []
    assert list(hub_cache().glob("models--*/snapshots/*/pytorch_model.bin")) == []
    assert not status(LARGE).fetched
    assert load(LARGE).health.ok


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub, mert, monkeypatch) -> None:
    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    repository = served(hub, LARGE, mert)
    size = (mert / "pytorch_model.bin").stat().st_size
    monkeypatch.setattr(file_download.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    repository.broken_after["pytorch_model.bin"] = size // 2 + 1
    assert load(LARGE).health.ok
    assert hub.ranges[0] == f"bytes={size // 2 // 1000 * 1000}-"


def test_a_connection_that_keeps_breaking_leaves_nothing_half_done(hub, mert, monkeypatch) -> None:
    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    repository = served(hub, LARGE, mert)
    repository.broken_after["pytorch_model.bin"] = 0
    assert refusal(LARGE) == "backbone.unreachable"
    assert cached("*.incomplete") == []
    assert not status(LARGE).fetched


def test_a_hub_that_cannot_be_reached_is_said(hub, monkeypatch) -> None:
    hub.close()
    assert refusal(LARGE) == "backbone.unreachable"
    assert refusal(UNPINNED) == "backbone.unreachable"


def test_a_repository_that_is_gone_is_said(hub) -> None:
    assert refusal(LARGE) == "backbone.gone"
    assert refusal("hf:nobody/nothing") == "backbone.gone"


def test_a_gated_repository_is_said(hub, mert) -> None:
    served(hub, LARGE, mert).gated = True
    assert refusal(LARGE) == "backbone.gated"


def test_a_pinned_commit_that_is_gone_is_said(hub, mert) -> None:
    hub.add(registry.spec(LARGE).repository, mert, "0" * 40)
    assert refusal(LARGE) == "backbone.revision_gone"


def test_a_repository_without_loadable_weights_is_said(hub, checkpoint, tmp_path) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(checkpoint("hubert"), folder)
    (folder / "model.safetensors").rename(folder / "model.h5")
    hub.add("someone/keras", folder)
    assert refusal("hf:someone/keras") == "backbone.no_weights"
    (folder / "preprocessor_config.json").unlink()
    assert refusal("hf:someone/keras") == "backbone.file_missing"
    assert cached() == []


def test_a_disk_too_small_is_noticed_before_the_download(hub, mert, monkeypatch) -> None:
    served(hub, LARGE, mert)
    usage = namedtuple("usage", "total used free")
    for free in (1000, fetching.SPARE_BYTES):  # a download may not take the room that everything else needs
        monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path, free=free: usage(1, 1, free))
        assert refusal(LARGE) == "backbone.disk_full"
        assert cached() == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "backbone.disk_full"),
        (errno.EROFS, "backbone.cache_unwritable"),
        (None, "backbone.broke_off"),
    ],
)
def test_a_disk_that_fails_during_the_download_leaves_nothing(number, code, hub, mert, monkeypatch) -> None:
    served(hub, LARGE, mert)

    def fail(url, temp_file, **settings):
        temp_file.write(b"half")
        raise OSError(number, "failed") if number else OSError("Consistency check failed")

    with monkeypatch.context() as patched:
        patched.setattr(file_download, "http_get", fail)
        assert refusal(LARGE) == code
    assert cached() == []
    assert load(LARGE).health.ok


def test_a_recorded_checksum_holds_for_small_files_too(hub, mert, tmp_path) -> None:
    """The Hub names no SHA-256 for small files: the one seen at the first download is held to."""
    repository = served(hub, LARGE, mert)
    load(LARGE)
    shutil.rmtree(hub_cache())
    config = (mert / "config.json").read_bytes()
    repository.spoilt["config.json"] = config.replace(b" ", b"\t")
    assert refusal(LARGE) == "backbone.checksum"


def test_the_facts_of_the_registry_are_what_is_checked_against(hub, mert) -> None:
    served(hub, LARGE, mert)
    digest = hashlib.sha256((mert / "pytorch_model.bin").read_bytes()).hexdigest()
    right = replace(registry.spec(LARGE), weights_sha256={"pytorch_model.bin": digest})
    assert fetching.fetch(right).revision == right.revision
    wrong = replace(right, weights_sha256={"pytorch_model.bin": "0" * 64})
    shutil.rmtree(hub_cache())
    with pytest.raises(BackboneError, match="checksum"):
        fetching.fetch(wrong)
