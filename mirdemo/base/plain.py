"""Dataclasses and arrays as JSON and back: of kinds that are named beforehand, and of no others.

What is read may come from anybody. Nothing in it names code: a kind is looked up among those given, its fields must be
those of its dataclass and of the types that its hints say, and a sentence's template may only place its values.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from mirdemo.base.sentences import Sentence

Made = TypeVar("Made")

#: Arrays of more values than this are kept beside the JSON.
_INLINE = 2_048
_KIND = "$"
#: Types of arrays that may be told.
DTYPES = frozenset({"bool", "uint8", "int32", "int64", "float32", "float64"})
#: What a sentence's template may do with a value: place it, as a number with so many digits.
_FIELD = re.compile(r"\{[a-z_]{1,40}(?::,?(?:\.\d)?[fg%]?)?\}")


@dataclass(frozen=True)
class Coder:
    """How a kind that is no dataclass of plain parts is told: ``tell`` gives parts that can be, ``make`` takes them back.

    ``make`` raises ValueError, TypeError or KeyError for parts that do not fit.
    """

    name: str
    kind: type
    tell: Callable[[Any], Any]
    make: Callable[[Any], Any]


class Plain:
    """The kinds that may be told.

    kinds: dataclasses and named tuples, known by their class's name; coders: further ones
    """

    def __init__(self, kinds: Sequence[type], coders: Sequence[Coder] = ()) -> None:
        self._kinds = {kind.__name__: kind for kind in (*kinds, Sentence)}
        if len(self._kinds) < len({*kinds, Sentence}):
            raise ValueError("two kinds of one name")
        self._coders = {coder.name: coder for coder in coders}
        self._by_kind = {coder.kind: coder for coder in coders}

    def tell(self, value: Any, arrays: dict[str, np.ndarray]) -> Any:
        """JSON-ready. ``arrays`` takes the large ones, each under a name of its own. Raises TypeError for another kind."""
        tell = lambda one: self.tell(one, arrays)  # noqa: E731
        if value is None or isinstance(value, (bool, str)):
            return value
        coder = self._by_kind.get(type(value))
        if coder is not None:
            return {_KIND: coder.name, "of": tell(coder.tell(value))}
        if isinstance(value, np.ndarray):
            return _tell_array(value, arrays)
        if isinstance(value, np.generic):
            return tell(value.item())
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {_KIND: "float", "of": str(value)}
        name = type(value).__name__
        if self._kinds.get(name) is type(value):
            return {_KIND: name, **{key: tell(getattr(value, key)) for key in _names(type(value))}}
        if isinstance(value, list):
            return [tell(one) for one in value]
        if isinstance(value, tuple):
            return {_KIND: "tuple", "of": [tell(one) for one in value]}
        if isinstance(value, (set, frozenset)):
            return {_KIND: "set", "of": [tell(one) for one in sorted(value, key=repr)]}
        if isinstance(value, Mapping):
            if all(isinstance(key, str) and key != _KIND for key in value):
                return {key: tell(one) for key, one in value.items()}
            return {_KIND: "map", "of": [[tell(key), tell(one)] for key, one in value.items()]}
        raise TypeError(f"{type(value).__name__} is not told")

    def make(self, told: Any, arrays: Mapping[str, np.ndarray]) -> Any:
        """Back from what ``tell`` gave. Raises ValueError for anything that it did not."""
        try:
            return self._make(told, arrays)
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from error

    def _make(self, told: Any, arrays: Mapping[str, np.ndarray]) -> Any:
        if told is None or isinstance(told, (bool, str, int, float)):
            return told
        if isinstance(told, list):
            return [self._make(one, arrays) for one in told]
        if _KIND not in told:
            return {key: self._make(one, arrays) for key, one in told.items()}
        name = told[_KIND]
        if name == "array":
            return _make_array(told, arrays)
        if name == "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[told["of"]]
        if name == "tuple":
            return tuple(self._make(one, arrays) for one in told["of"])
        if name == "set":
            return frozenset(self._make(one, arrays) for one in told["of"])
        if name == "map":
            return {self._make(key, arrays): self._make(one, arrays) for key, one in told["of"]}
        if name in self._coders:
            return self._coders[name].make(self._make(told["of"], arrays))
        kind = self._kinds[name]
        parts = {key: self._make(one, arrays) for key, one in told.items() if key != _KIND}
        return _of_parts(kind, parts, self._hints(kind))

    def _hints(self, kind: type) -> Mapping[str, Any]:
        named: dict[str, Any] = dict(self._kinds)
        named |= {coder.kind.__name__: coder.kind for coder in self._coders.values()}
        named |= {"Mapping": Mapping, "Sequence": Sequence}
        try:
            hints = get_type_hints(kind, localns=named)
        except NameError:  # of a module that is only named for type checkers
            hints = {}
        return {name: hints.get(name, Any) for name in _names(kind)}


def of_parts(kind: type[Made], told: Any) -> Made:
    """A dataclass whose fields are plain, or a sentence, from a JSON object of its fields. Raises ValueError for one that lacks
    some, has others, or whose values are of other types."""
    if not isinstance(told, dict):
        raise ValueError(f"no {kind.__name__}")
    try:
        return _of_parts(kind, told, _plain_hints(cast(Hashable, kind)))
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _of_parts(kind: Any, parts: Mapping[str, Any], hints: Mapping[str, Any]) -> Any:
    if kind is Sentence:
        _check_sentence(parts)
    if not _required(kind) <= parts.keys() <= hints.keys():
        raise ValueError(f"{kind.__name__} has other parts")
    for key, part in parts.items():
        if not _fits(part, hints[key]):
            raise ValueError(f"{kind.__name__}.{key} is of another type")
    return kind(**parts)


@cache
def _plain_hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in _names(kind)}


def _names(kind: Any) -> tuple[str, ...]:
    """What a dataclass, or a named tuple, is made with."""
    if not is_dataclass(kind):
        return kind._fields
    return tuple(field.name for field in fields(kind) if field.init)


@cache
def _required(kind: Any) -> frozenset[str]:
    if not is_dataclass(kind):
        return frozenset(kind._fields) - frozenset(kind._field_defaults)
    return frozenset(
        f.name for f in fields(kind) if f.init and f.default is MISSING and f.default_factory is MISSING
    )


def _check_sentence(parts: Mapping[str, Any]) -> None:
    """A template places its values and does nothing else: ``str.format`` could reach into them."""
    template, values = parts.get("template"), parts.get("values", {})
    if not isinstance(template, str) or re.search(r"[{}]", _FIELD.sub("", template)):
        raise ValueError("a sentence of another form")
    if not isinstance(values, dict) or not all(map(_is_said, values.values())):
        raise ValueError("a sentence with other values")
    try:
        template.format(**values)
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("a sentence that lacks a value") from error


def _is_said(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_said, value))
    return isinstance(value, (str, int, float, Sentence)) and len(str(value)) <= 2_000


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a hinted type, down to the members of unions, tuples, lists and mappings."""
    origin: Any = get_origin(hint)
    within = get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in within)
    if hint in (None, types.NoneType):
        return value is None
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin is None:
        return not isinstance(hint, type) or isinstance(value, hint)
    if not isinstance(origin, type):
        return True  # a literal, and what else is none
    if not isinstance(value, origin):
        return False
    value = cast(Any, value)
    if origin is tuple and within:
        if len(within) == 2 and within[1] is Ellipsis:
            return all(_fits(one, within[0]) for one in value)
        return len(value) == len(within) and all(map(_fits, value, within))
    if issubclass(origin, Mapping) and within:
        return all(_fits(key, within[0]) and _fits(one, within[1]) for key, one in value.items())
    if origin in (list, set, frozenset) and within:
        return all(_fits(one, within[0]) for one in value)
    return True


def _tell_array(value: np.ndarray, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if value.dtype.kind == "U":
        return {_KIND: "array", "dtype": "str", "shape": list(value.shape), "of": value.ravel().tolist()}
    if value.dtype.name not in DTYPES:
        raise TypeError(f"an array of {value.dtype} is not told")
    if value.size > _INLINE:
        name = f"array-{len(arrays) + 1}"
        arrays[name] = np.ascontiguousarray(value)
        return {_KIND: "array", "in": name}
    flat = value.ravel().tolist()
    if value.dtype.kind == "f":
        flat = [one if math.isfinite(one) else None if math.isnan(one) else str(one) for one in flat]
    return {_KIND: "array", "dtype": value.dtype.name, "shape": list(value.shape), "of": flat}


def _make_array(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if "in" in told:
        return arrays[told["in"]]
    dtype, flat = told["dtype"], told["of"]
    if dtype == "str":
        if not all(isinstance(one, str) for one in flat):
            raise ValueError("an array of other values")
        return np.array(flat, dtype=np.str_ if flat else "<U1").reshape(told["shape"])
    if dtype not in DTYPES:
        raise ValueError("an array of another type")
    infinite = {"inf": math.inf, "-inf": -math.inf}
    values = [math.nan if one is None else infinite[one] if isinstance(one, str) else one for one in flat]
    return np.array(values, dtype=dtype).reshape(told["shape"])
