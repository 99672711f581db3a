"""TensorFlow's checkpoint files: what TensorFlow itself wrote, what the tests write, and what is neither."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from backbones.tiny import write_bundle

from mirdemo.backbones import tensor_bundle

#: Written by ``tf.compat.v1.train.Saver`` of TensorFlow 2.21.0: variables a/kernel (2, 3), a/kernel/Adam, a/bias (2,),
#: step (a whole number), a/half (float16).
DATA = "AADAPwAAIMAAOAAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAcAAAAAAAAA"
INDEX = (
    "AAAGCAEaAggBAAYPYS9iaWFzCAESBBICCAIoCDVKosQ2AgQRaGFsZggTEgQSAggBIAgoAjWOgdtvAgYVa2VybmVsCAESCBICCAISAggDIAooGDXA"
    "2z0XCAUVL0FkYW0IARIIEgIIAhICCAMgIigYNc/0X3wABA1zdGVwCAkSACA6KAg1u9efEQAAAAABAAAAAHgE7zcAAAAAAQAAAADA8qGwAAEDdACQ"
    "AQAAAAABAAAAAHmf76uVAQiiAQ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAV/uAiyR1R9s="
)


def written(folder: Path, index: bytes | None = None, data: bytes | None = None) -> tuple[Path, Path]:
    paths = folder / "index", folder / "data"
    paths[0].write_bytes(base64.b64decode(INDEX) if index is None else index)
    paths[1].write_bytes(base64.b64decode(DATA) if data is None else data)
    return paths


def test_what_tensorflow_wrote_is_read_and_what_is_not_wanted_left(tmp_path: Path) -> None:
    found = tensor_bundle.read(*written(tmp_path), wanted=lambda name: not name.endswith("/Adam"))
    assert sorted(found) == ["a/bias", "a/half", "a/kernel", "step"]
    np.testing.assert_array_equal(found["a/kernel"], np.arange(6, dtype=np.float32).reshape(2, 3))
    np.testing.assert_array_equal(found["a/bias"], np.float32([1.5, -2.5]))
    assert found["a/half"].dtype == np.float16
    assert found["a/half"][0] == 0.5
    assert found["step"].shape == ()
    assert found["step"] == 7


def test_many_tensors_over_many_blocks_come_back(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    tensors = {f"layer_{i}/kernel": draw.normal(size=(i, 3)).astype(np.float32) for i in range(1, 200)}
    paths = tmp_path / "index", tmp_path / "data"
    write_bundle(*paths, tensors)
    found = tensor_bundle.read(*paths, wanted=lambda _: True)
    assert found.keys() == tensors.keys()
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("cut", [0, 1, 47, 48, 100, 200])
def test_a_shortened_index_is_refused(cut, tmp_path: Path) -> None:
    paths = written(tmp_path, index=base64.b64decode(INDEX)[:cut])
    with pytest.raises(ValueError):
        tensor_bundle.read(*paths, wanted=lambda _: True)


def test_shortened_data_is_refused(tmp_path: Path) -> None:
    paths = written(tmp_path, data=base64.b64decode(DATA)[:-1])
    with pytest.raises(ValueError, match="step"):
        tensor_bundle.read(*paths, wanted=lambda _: True)
    assert "a/kernel" in tensor_bundle.read(*paths, wanted=lambda name: name != "step")


def test_a_compressed_block_is_refused(tmp_path: Path) -> None:
    index = bytearray(base64.b64decode(INDEX))
    index[0x90] = 1  # where the block of entries ends, which the handle before the footer says: 0x90 bytes
    with pytest.raises(ValueError, match="compressed"):
        tensor_bundle.read(*written(tmp_path, index=bytes(index)), wanted=lambda _: True)


def test_no_damaged_byte_does_more_than_raise_or_change_a_value(tmp_path: Path) -> None:
    whole = base64.b64decode(INDEX)
    draw = np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[draw.integers(len(whole))] = draw.integers(256)
        paths = written(tmp_path, index=bytes(damaged))
        try:
            found = tensor_bundle.read(*paths, wanted=lambda _: True)
        except ValueError:
            continue
        assert sum(tensor.nbytes for tensor in found.values()) <= 5 * 66


def test_fields_that_are_not_known_are_passed_over_as_protocol_buffers_ask() -> None:
    size = bytes([0x12, 0x02, 0x08, 0x03])  # a dimension, 3 long: the shape's field 2
    others = bytes([0x2A, 0x02, 0x08, 0x07, 0x18, 0x01])  # field 5, bytes that look like one, and 3, a number
    shape = size + others + size
    entry = bytes([0x08, 0x01, 0x12, len(shape)]) + shape + bytes([0x20, 0x05, 0x28, 36])
    assert tensor_bundle._entry(entry) == tensor_bundle._Entry(np.dtype("<f4"), (3, 3), 5, 36)


@pytest.mark.parametrize(
    ("block", "entries"),
    [
        (bytes([0, 1, 2]) + b"abb", [(b"a", b"bb")]),
        (bytes([0, 2, 1]) + b"abx" + bytes([1, 1, 1]) + b"cy", [(b"ab", b"x"), (b"ac", b"y")]),
        (bytes([0, 1, 3]) + b"abb", None),  # one byte more than there is
        (bytes([1, 1, 1]) + b"ab", None),  # shares with a key that was not there
    ],
)
def test_an_entry_fills_its_block_to_the_last_byte_and_no_further(block: bytes, entries) -> None:
    table = block + b"\0\0\0\0" + b"\1\0\0\0" + b"\0" * 5
    found = tensor_bundle._block(table, 0, len(block) + 8)
    if entries is None:
        with pytest.raises(ValueError, match="beyond its block"):
            list(found)
    else:
        assert list(found) == entries
    with pytest.raises(ValueError, match="beyond the end"):
        list(tensor_bundle._block(table[:-1], 0, len(block) + 8))
