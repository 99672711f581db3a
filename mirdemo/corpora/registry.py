"""Name to corpus."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Literal

from mirdemo.base.files import expanded
from mirdemo.base.plugins import reason
from mirdemo.base.sentences import MirdemoError
from mirdemo.corpora.catalogue import Reader, brought_by, catalogue, reader_of
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.reader import SIDES, Corpus
from mirdemo.corpora.splits import changed_files, split_folder


def corpus_names() -> tuple[str, ...]:
    """The corpora of the catalogue, then the controlled ones as ``controlled/<tradition>``."""
    from mirdemo.corpora.synthetic import PREFIX
    from mirdemo.synth import TRADITIONS

    return (*catalogue(), *(PREFIX + tradition for tradition in TRADITIONS))


def open_corpus(
    name: str,
    data: str | Path | None = None,
    splits: str | Path | None = None,
    *,
    max_seconds: float | Literal["published"] | None = "published",
    mode: str = "full",
) -> Corpus:
    """A corpus: its items, split, tags and, with ``data``, its sound.

    name: one of ``corpus_names()``
    data: the user's folder with the corpus's audio (and, for Dunya's corpora, its JSON records)
    splits: a checkout of the published splits; None: fetched once and kept (``corpora.splits``). Files of it that are not
        the published ones make it a split of the user's own: ``Corpus.changed`` names them, ``setting`` says so
    max_seconds: how much of each item is heard, from its start; ``"published"``: as the study of 2023 cut it
        (150 s makam, 780 s Hindustani, 330 s Carnatic, the others whole); None: all of it
    mode: of the controlled corpora: full, pitch or timbre

    Raises CorpusError: unknown name, no folder, splits that are missing, changed or not as published, what another package's
    reader stumbles over, an item on no side.
    """
    if name not in corpus_names():
        raise CorpusError(
            "There is no corpus named {name}. Choose one of {names}.",
            code="corpora.unknown",
            name=name[:80],
            names=", ".join(corpus_names()),
        )
    if name not in catalogue():
        from mirdemo.corpora.synthetic import PREFIX, ControlledCorpus

        return ControlledCorpus(name.removeprefix(PREFIX), mode)
    if mode != "full":
        raise CorpusError(
            "Only the controlled corpora have modes, not {name}. Leave the mode out.",
            code="corpora.no_mode",
            name=name,
        )
    facts, reader = catalogue()[name], reader_of(name)
    folder = None if data is None else expanded(data)
    given = None if splits is None else expanded(splits)
    parted = split_folder(name, reader.SPLIT, given) if reader.SPLIT else given or folder
    if parted is None:
        raise CorpusError(
            "The split of {title} comes with its sound. Give the folder as --data.",
            code="corpora.no_data",
            title=facts.title,
        )
    corpus = _read(
        reader, facts, parted, folder, facts.max_seconds if max_seconds == "published" else max_seconds
    )
    if reader.SPLIT:
        corpus.changed = changed_files(name, reader.SPLIT, parted)
    if corpus.changed:
        corpus.setting = MappingProxyType({**corpus.setting, "split_files": "own"})
    return corpus


def _read(
    reader: Reader, facts: CorpusFacts, splits: Path, data: Path | None, max_seconds: float | None
) -> Corpus:
    """What the reader makes of the folders. Raises CorpusError: a stranger's reader may stumble over anything."""
    try:
        corpus = reader.read(facts, splits, data, max_seconds)
    except Exception as error:
        package = brought_by(reader)
        if package is None or isinstance(error, MirdemoError):
            raise
        raise CorpusError(
            "{corpus} could not be read in {folder} by the package that brings it, {package} ({reason}). Compare the "
            "folder with corpora layout {name}, or mend that package.",
            code="corpora.plugin",
            corpus=facts.title,
            folder=splits.name or str(splits),
            package=package,
            reason=reason(error),
            name=facts.name,
        ) from error
    for item in corpus.items.values():
        if item.side not in SIDES:
            raise CorpusError(
                "{id} of {corpus} is on a side named {side}. Name its side train, valid or test.",
                code="corpora.bad_side",
                id=item.id,
                corpus=facts.title,
                side=str(item.side)[:40],
            )
    return corpus
