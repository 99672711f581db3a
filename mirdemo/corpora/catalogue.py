"""The corpora that can be read here: every module of ``corpora/readers``, and what other installed packages bring.

Another package names a module of the same shape (``corpora/readers`` says which) under the entry-point group
``mirdemo.corpora``. One that cannot be used is told in a sentence and left out: a stranger's fault empties no page.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from mirdemo.base.plugins import plugged
from mirdemo.corpora import readers
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.frames import STUDY
from mirdemo.corpora.reader import Corpus
from mirdemo.corpora.splits import Split

GROUP = "mirdemo.corpora"


class Reader(Protocol):
    """A module of ``corpora/readers``."""

    FACTS: tuple[CorpusFacts, ...]
    SPLIT: Split | None

    def read(
        self, facts: CorpusFacts, splits: Path | None, data: Path | None, max_seconds: float | None
    ) -> Corpus: ...


@cache
def _found() -> tuple[Mapping[str, CorpusFacts], Mapping[str, Reader]]:
    """Name -> facts and name -> module, in one order."""
    modules = [import_module(f"{readers.__name__}.{m.name}") for m in pkgutil.iter_modules(readers.__path__)]
    modules += [plugin.module for plugin in plugged(GROUP, _check)]
    found = {facts.name: (facts, module) for module in reversed(modules) for facts in module.FACTS}
    first = [name for name in STUDY.traditions if name in found]
    names = (*first, *sorted(found.keys() - set(first)))
    return (
        MappingProxyType({name: found[name][0] for name in names}),
        MappingProxyType({name: found[name][1] for name in names}),
    )


def _check(module: Any) -> None:
    """Raise ValueError unless this is a reader's module."""
    facts = getattr(module, "FACTS", None)
    if not isinstance(facts, tuple) or not all(isinstance(one, CorpusFacts) for one in facts):
        raise ValueError("FACTS is no tuple of CorpusFacts")
    if not callable(getattr(module, "read", None)):
        raise ValueError("there is no function read")
    if not isinstance(getattr(module, "SPLIT", ""), Split | None):
        raise ValueError("SPLIT is neither a Split nor None")


def catalogue() -> Mapping[str, CorpusFacts]:
    """Name -> facts of every corpus with recordings: the study's six in its order, then the others by name."""
    return _found()[0]


def reader_of(name: str) -> Reader:
    """The module that reads a corpus. Raises KeyError."""
    return _found()[1][name]


def brought_by(reader: Reader) -> str | None:
    """The package that brings this module by an entry point; None for one of ours."""
    return next((p.package for p in plugged(GROUP, _check) if p.module is reader), None)
