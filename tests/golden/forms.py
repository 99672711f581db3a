"""What a file is made of, whatever its values are: names and types, by which two files of one format are known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def of(folder: Path) -> dict[str, frozenset[str]]:
    """File of a folder -> its form. Cards, which are for people, have none."""
    readers = {".json": _json, ".jsonl": _lines, ".safetensors": _tensors}
    return {
        path.relative_to(folder).as_posix(): frozenset(readers[path.suffix](path))
        for path in sorted(folder.rglob("*"))
        if path.suffix in readers and path.name not in ("expected.json", "said.json")
    }


def _json(path: Path) -> Iterator[str]:
    return _within(json.loads(path.read_text(encoding="utf-8")))


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield from _within(json.loads(line))


def _tensors(path: Path) -> Iterator[str]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        for key, told in (file.metadata() or {}).items():
            yield f"header.{key}"
            if told[:1] in "[{":
                yield from _within(json.loads(told), f"header.{key}")
        for name in file.keys():  # noqa: SIM118 - a file, no dict
            array = file.get_tensor(name)
            yield f"{name}: {array.dtype} of {array.ndim}"


def _within(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _within(one, f"{place}.{key}")
    elif isinstance(value, list):
        yield f"{place}[]"
        for one in value:
            yield from _within(one, f"{place}[]")
    else:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        yield f"{place}: {'number' if number else type(value).__name__}"
