"""What benchmarks share that ``save`` simulated collections in a folder and make a ``table`` of them in seconds."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from threadpoolctl import threadpool_limits

from mirdemo.scoring import intervals


def command(doc: str, collections: int, *, sets: bool) -> argparse.ArgumentParser:
    """doc: the module's; collections: how many a cell by default; sets: whether constants of the intervals may be others"""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("what", choices=("save", "table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--collections", type=int, default=collections)
    if sets:
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    return parser


def prepared(given: argparse.Namespace) -> threadpool_limits:
    """To be entered around the work: one thread; tags that nobody has raise no warning; constants are as asked for."""
    warnings.simplefilter("ignore", RuntimeWarning)
    for name, _, value in (one.partition("=") for one in getattr(given, "set", ())):
        setattr(intervals, name, float(value))
    return threadpool_limits(1)
