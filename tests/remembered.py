"""Figures and sentences kept beside a test, against which what is computed now is held: a change of what is told is seen.

A module with ``FILE`` and ``everything()`` (name -> what JSON takes) calls ``write`` where it is run as a program, with
``PYTHONPATH=.:tests`` and what else ``pyproject.toml`` names. Whoever changes a figure on purpose writes the file anew, and reads in its
difference what moved. Floats are kept with nine figures and held with a tolerance, so that another machine may add in another order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mirdemo.base.sentences import Sentence

#: What is of the machine and the day, in whatever report it stands.
NOT_KEPT = frozenset({"seconds", "machine_seconds", "versions", "identity", "cache", "device"})
#: Of more numbers than so many only sums are kept, each counting by its place, so that no two can be exchanged.
MOST = 64


def plain(found: Any) -> Any:
    """As JSON takes it: reports by their fields, sentences as they read, long arrays as sums, NaN as text."""
    if isinstance(found, Sentence):
        return str(found)
    if is_dataclass(found):
        return {
            field.name: plain(getattr(found, field.name))
            for field in fields(found)
            if field.name not in NOT_KEPT and field.repr
        }
    if isinstance(found, np.ndarray) and found.size > MOST and found.dtype.kind in "fiub":
        return summed(found)
    if isinstance(found, np.ndarray | np.generic):
        found = found.tolist()
    if isinstance(found, Mapping):
        return {str(name): plain(value) for name, value in found.items() if name not in NOT_KEPT}
    if isinstance(found, list | tuple):
        return [plain(value) for value in found]
    if isinstance(found, float):
        return float(f"{found:.9g}") if math.isfinite(found) else str(found)
    if isinstance(found, PurePath | bytes | frozenset | set):
        return str(sorted(found) if isinstance(found, frozenset | set) else found)
    if found is None or isinstance(found, str | int):
        return found
    raise TypeError(f"{type(found).__name__} is not kept: say which of its figures are")


def summed(found: np.ndarray) -> list[Any]:
    """Of many numbers their shape, sums in which each counts by its place, over the sum of what they are without a sign, and that
    one: a tolerance is a share of the whole, and no sum that happens to be small is held to what rounding leaves of it."""
    known = np.nan_to_num(found.astype(np.float64).ravel(), nan=-7.0, posinf=-8.0, neginf=-9.0)
    waves = np.sin(np.outer(np.arange(1, 4), 1 + np.arange(len(known))))
    total = float(np.abs(known).sum())
    return [list(found.shape), plain((waves @ known / (total or 1.0)).tolist()), plain(total)]


def differences(found: Any, was: Any, rel: float, at: str = "") -> list[str]:
    """Where the two differ, in words; both as ``plain`` makes them."""
    if isinstance(found, Mapping) and isinstance(was, Mapping):
        keys = [*was, *(key for key in found if key not in was)]
        return [
            line
            for key in keys
            for line in (
                differences(found[key], was[key], rel, f"{at}/{key}")
                if key in found and key in was
                else [f"{at}/{key}: {'new' if key in found else 'gone'}"]
            )
        ]
    if isinstance(found, list) and isinstance(was, list) and len(found) == len(was):
        return [
            line
            for i, (one, other) in enumerate(zip(found, was, strict=True))
            for line in differences(one, other, rel, f"{at}[{i}]")
        ]
    numbers = [isinstance(one, int | float) and not isinstance(one, bool) for one in (found, was)]
    same = math.isclose(found, was, rel_tol=rel, abs_tol=rel) if all(numbers) else found == was
    return [] if same else [f"{at}: {was!r} became {found!r}"]


def hold(found: Any, was: Any, rel: float = 1e-6) -> None:
    """Raise AssertionError with the first differences."""
    lines = differences(plain(found), was, rel)
    assert not lines, "\n".join(lines[:12])


def kept(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def write(file: Path, everything: Mapping[str, Any]) -> None:
    """A line a name, so that a difference shows which moved."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(plain(found), ensure_ascii=False)}"
        for name, found in everything.items()
    ]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
