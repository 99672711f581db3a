"""The corpora that can be read here: every module of ``corpora/readers``, and what other installed packages bring.

Another package names a module of the same shape (``corpora/readers`` says which) under the entry-point group
``mirdemo.corpora``. One that cannot be imported is told in the log and left out: a stranger's fault empties no page.
"""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from mirdemo.corpora import readers
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.frames import STUDY
from mirdemo.corpora.reader import Corpus
from mirdemo.corpora.splits import Split

GROUP = "mirdemo.corpora"
log = logging.getLogger(__name__)


class Reader(Protocol):
    """A module of ``corpora/readers``."""

    FACTS: tuple[CorpusFacts, ...]
    SPLIT: Split | None

    def read(
        self, facts: CorpusFacts, splits: Path | None, data: Path | None, max_seconds: float | None
    ) -> Corpus: ...


@cache
def _found() -> Mapping[str, tuple[CorpusFacts, Reader]]:
    modules = [import_module(f"{readers.__name__}.{m.name}") for m in pkgutil.iter_modules(readers.__path__)]
    for point in entry_points(group=GROUP):
        try:
            modules.append(point.load())
        except Exception as error:  # another package's code
            log.warning("The corpora of %s cannot be used: %s", point.value, error)
    found = {facts.name: (facts, module) for module in reversed(modules) for facts in module.FACTS}
    first = [name for name in STUDY.traditions if name in found]
    return {name: found[name] for name in (*first, *sorted(found.keys() - set(first)))}


def catalogue() -> Mapping[str, CorpusFacts]:
    """Name -> facts of every corpus with recordings: the study's six in its order, then the others by name."""
    return MappingProxyType({name: facts for name, (facts, _) in _found().items()})


def reader_of(name: str) -> Reader:
    """The module that reads a corpus. Raises KeyError."""
    return _found()[name][1]
