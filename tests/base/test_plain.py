"""Results as JSON and back: what was told comes back equal, and nothing else is made."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest

from mirdemo.base import plain
from mirdemo.base.plain import Coder, Plain
from mirdemo.base.sentences import Sentence


class Setting(NamedTuple):
    name: str
    on: bool


@dataclass(frozen=True, eq=False)
class Inner:
    value: float | None
    array: np.ndarray


@dataclass(frozen=True)
class Outer:
    inner: Inner
    by_name: Mapping[str, tuple[Inner, ...]]
    said: Sentence | None = None
    rest: dict = field(default_factory=dict)


PLAIN = Plain([Inner, Outer, Setting])


def through(value, plain: Plain = PLAIN):
    arrays: dict[str, np.ndarray] = {}
    told = json.loads(json.dumps(plain.tell(value, arrays), allow_nan=False))
    return plain.make(told, arrays)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, 0.1, "鉦", [1, [2]], (1, ("a",)), {"a": (1,)}, frozenset({"a", "b"})),
        *({Setting("x", True): 1}, {(1, 2): None}),
        Setting("mean", False),
        Sentence("{n:.1f} of {name}", "a.b", {"n": 2.0, "name": "x"}),
    ],
)
def test_plain_values_come_back_equal_and_of_their_kind(value):
    back = through(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("size", [0, 3, 5_000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "bool"])
def test_arrays_come_back_bit_by_bit(size: int, dtype: str):
    array = (np.random.default_rng(size).normal(size=(size, 2)) * 3).astype(dtype)
    if size and dtype.startswith("float"):
        array[0], array[-1] = (np.nan, np.inf), (-np.inf, 0.1)
    back = through(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array, equal_nan=dtype.startswith("float"))


def test_names_in_an_array_come_back():
    assert through(np.array(["夜", "second"])).tolist() == ["夜", "second"]


def test_a_report_comes_back_with_its_parts():
    inner = Inner(math.inf, np.arange(4.0))
    back = through(Outer(inner, {"a": (inner, inner)}, Sentence("{n}.", "c", {"n": 1}), {"k": [1]}))
    assert back.inner.value == math.inf
    assert back.by_name["a"][1].array.tolist() == [0, 1, 2, 3]
    assert (str(back.said), back.rest) == ("1.", {"k": [1]})


def test_a_coder_tells_what_is_no_dataclass():
    plain = Plain([], [Coder("hex", bytes, bytes.hex, bytes.fromhex)])
    assert through({"x": b"\x01\xff"}, plain) == {"x": b"\x01\xff"}


def test_what_is_not_named_is_not_told():
    with pytest.raises(TypeError):
        PLAIN.tell(object(), {})
    with pytest.raises(TypeError):
        Plain([Outer]).tell(Inner(1.0, np.zeros(1)), {})


INNER = {"$": "Inner", "value": 1.0, "array": {"$": "array", "dtype": "float64", "shape": [1], "of": [1.0]}}
SAID = {"$": "Sentence", "code": "a", "values": {"name": "x"}}


@pytest.mark.parametrize(
    "told",
    [
        {"$": "Popen", "args": "x"},
        {"$": ["Inner"]},
        {"$": "tuple"},
        {"$": "map", "of": [[{"a": 1}, 1]]},
        {"$": "float", "of": "1"},
        {"$": "array", "in": "array-9"},
        {"$": "array", "dtype": "object", "shape": [1], "of": [1]},
        {"$": "array", "dtype": "float64", "shape": [3], "of": [1.0]},
        {"$": "array", "dtype": "uint8", "shape": [1], "of": [300]},
        {"$": "array", "dtype": "str", "shape": [1], "of": [1]},
        {"$": "array", "dtype": "float32", "shape": [10**12], "of": [1.0]},
        INNER | {"more": 1},
        {"$": "Inner", "value": 1.0},
        INNER | {"value": "1"},
        INNER | {"value": True},
        INNER | {"array": [1.0]},
        {"$": "Outer", "inner": 3, "by_name": {}},
        {"$": "Outer", "inner": INNER, "by_name": {"a": {"$": "tuple", "of": [1]}}},
        {"$": "Outer", "inner": INNER, "by_name": []},
        SAID | {"template": "{name.__class__}"},
        SAID | {"template": "{name[0]}"},
        SAID | {"template": "{name!r:>99999999}"},
        SAID | {"template": "{0}"},
        SAID | {"template": "{name:99999999}"},
        SAID | {"template": "{other}"},
        SAID | {"template": "{name:.2f}"},
        SAID | {"template": "{name:,d}", "values": {"name": 1}},
        SAID | {"template": "{name}", "values": {"name": {"a": 1}}},
        SAID | {"template": "{name}", "values": {"name": "x" * 9999}},
    ],
    ids=lambda told: json.dumps(told)[:60],
)
def test_what_nobody_told_is_refused(told):
    with pytest.raises(ValueError):
        PLAIN.make(told, {})


def test_lists_too_deep_are_refused():
    told: list = []
    for _ in range(20_000):
        told = [told]
    with pytest.raises(ValueError):
        PLAIN.make(told, {})


@pytest.mark.parametrize(
    ("hint", "fit", "do_not"),
    [
        (Any, (None, 1, []), ()),
        (None, (None,), (0, "")),
        (int, (0, -3), (True, 1.0, "1", None)),
        (float, (0, 0.5), (True, "1", None)),
        (bool, (True,), (1, None)),
        (str, ("", "a"), (1, None, ["a"])),
        (float | None, (None, 1), ("", True)),
        (Literal["a", "b"], ("a",), ()),  # which word it is, its reader asks
        (tuple, ((1, "a"),), ([1],)),
        (tuple[int, str], ((1, "a"),), ((1,), (1, 2), ("a", 1), (1, "a", 2), [1, "a"])),
        (tuple[int, ...], ((), (1, 2)), ((1, "a"), [1], ("a", 1))),
        (list[int], ([], [1]), ([1, "a"], (1,))),
        (frozenset[str], (frozenset("a"),), (frozenset([1]), {"a"})),
        (Mapping[str, int], ({}, {"a": 1}), ({1: 1}, {"a": "b"}, {"a": 1, "b": None}, [])),
        (dict, ({1: 2},), ([],)),
        (Inner, (Inner(1.0, np.zeros(1)),), ({"value": 1.0},)),
    ],
)
def test_a_part_is_taken_where_it_is_of_the_type_that_its_field_says(hint, fit, do_not):
    assert [value for value in fit if not plain._fits(value, hint)] == []
    assert [value for value in do_not if plain._fits(value, hint)] == []
