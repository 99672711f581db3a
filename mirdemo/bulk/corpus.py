"""The items of a corpus, embedded by several workers before an evaluation looks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.bulk.errors import BulkError
from mirdemo.bulk.running import embed_files
from mirdemo.bulk.sources import ClipFile
from mirdemo.bulk.worker import Load
from mirdemo.bulk.workers import Workers
from mirdemo.corpora.reader import Corpus, RecordedCorpus

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.evaluation.sounds import SoundMemory


def embed_items(
    corpus: Corpus,
    item_ids: Sequence[str],
    load: Load,
    identity: Identity,
    *,
    store: EmbeddingStore,
    sounds: SoundMemory,
    workers: Workers,
    progress: Progress | None = None,
    tell: Callable[[Sentence], None] | None = None,
) -> int:
    """Put the embeddings of these items into ``store``, and what their files were found to hold into ``sounds``.

    An item whose file is missing or cannot be read is left to the evaluation, which says so in its own way.
    Returns how many clips went through a backbone now. Raises BulkError as ``embed_files`` does, and for a corpus that
    has no files.
    """
    if not isinstance(corpus, RecordedCorpus):
        raise BulkError(
            "{corpus} makes its sound itself, here. Leave the workers out.",
            code="bulk.no_files",
            corpus=corpus.facts.title,
        )
    keys, files = [], []
    for item_id in item_ids:
        path, key = corpus.file(item_id), corpus.sound_key(item_id)
        if path is not None and key is not None:
            whole = ClipFile.whole(path)
            start, end = corpus.times(item_id)
            keys.append(key)
            files.append(replace(whole, start_s=start, end_s=end))
    heard = sounds.known(keys)
    files = [replace(file, sha256=heard.get(key)) for key, file in zip(keys, files, strict=True)]
    report = embed_files(
        files, load, store=store, workers=workers, identity=identity, progress=progress, tell=tell
    )
    sounds.put(
        {
            key: record.clip_sha256
            for key, record in zip(keys, report.records, strict=True)
            if record.clip_sha256 is not None and not record.incomplete  # half a file is told again next time
        }
    )
    return report.computed
