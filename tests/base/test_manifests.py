"""A manifest that was changed, or is no plain JSON, is told from the one that was written."""

from __future__ import annotations

import hashlib
import json

import pytest

from mirdemo.base import manifests

WRITTEN = {"format": "one", "rows": [1, 2.5], "says": "笛"}
WHOLE = WRITTEN | {"checksum": manifests.checksum(WRITTEN)}


def test_a_manifest_is_known_again_whatever_its_layout():
    laid_out = json.dumps(dict(reversed(WHOLE.items())), ensure_ascii=True, indent=3).encode()
    assert manifests.unchanged(manifests.parsed(laid_out))


@pytest.mark.parametrize(
    "change",
    [
        {"rows": [1, 2.4]},
        {"more": None},
        {"checksum": None},
        {"rows": float("inf")},
        {"rows": {(1, 2): 3}},
    ],
)
def test_any_change_is_seen(change):
    assert not manifests.unchanged(WHOLE | change)


def test_one_without_a_checksum_is_not_taken_for_whole():
    assert not manifests.unchanged(WRITTEN)


@pytest.mark.parametrize(
    "text", [b"\xff{}", b"{", b'{"a": NaN}', b"[-Infinity]", b"[" * 100_000, b'"\\ud800"']
)
def test_what_is_no_plain_json_is_refused_in_one_way(text):
    with pytest.raises(ValueError):
        manifests.parsed(text)


def test_a_file_is_known_by_its_digest_alone():
    digest = hashlib.sha256(b"sound").hexdigest()
    assert manifests.is_of(b"sound", digest)
    assert not manifests.is_of(b"sounds", digest)
    assert not manifests.is_of(b"sound", None)
