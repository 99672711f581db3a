"""The parts of ``benchmarks/truth.py``: simulated collections whose truth is known, and what the product says of them.

A part is a module here with one function, ``rates(collections) -> Iterator[Rate]``. It runs against today's build and
against an older one, so it asks for the product's modules through ``build``, by their names now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Rate:
    """One number of a table.

    cell: the design, a row of the table; name: what was measured, a column
    value: NaN where it does not apply; error: its Monte-Carlo standard error; n: collections (or tags) behind it
    percent: shown as a percentage
    """

    cell: str
    name: str
    value: float
    error: float
    n: int
    percent: bool = True


def share(cell: str, name: str, hits: Any, groups: int | None = None) -> Rate:
    """The share of ``hits`` (booleans) as a rate. groups: collections they come from, if each gave several."""
    hits = np.asarray(hits, dtype=float).ravel()
    n = groups or len(hits)
    value = float(hits.mean()) if len(hits) else float("nan")
    return Rate(cell, name, value, (max(value * (1 - value), 0) / max(n, 1)) ** 0.5, n)


def mean(cell: str, name: str, values: Any) -> Rate:
    """The mean of ``values`` as a rate that is no percentage."""
    values = np.asarray(values, dtype=float).ravel()
    values = values[np.isfinite(values)]
    n = len(values)
    error = float(values.std(ddof=1) / n**0.5) if n > 1 else float("nan")
    return Rate(cell, name, float(values.mean()) if n else float("nan"), error, n, percent=False)


def build(*names: str) -> Any:
    """The first module of ``names`` that this build has, e.g. ``build("mirdemo.scoring.folds", "mirdemo.clips.folds")``.

    Raises ImportError if it has none of them.
    """
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError as missing:
            if not name.startswith(str(missing.name)):
                raise
    raise ImportError(f"this build has none of {', '.join(names)}")
