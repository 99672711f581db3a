"""What a run has to say: one small record a clip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirdemo.base.sentences import Sentence
from mirdemo.bulk.errors import BulkError
from mirdemo.bulk.sources import ClipFile
from mirdemo.embedding.embed import Embeddings

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.store import EmbeddingStore


@dataclass(frozen=True)
class BulkRecord:
    """What became of one clip.

    clip_sha256, windows: of what is in the store now; None and 0 where there is a problem, windows 0, too, where it was in the
        store already and no worker had to read it
    computed: True if it went through the backbone in this run; False if it was in the store already
    begun: how many times a worker had begun it before, and ended in the middle
    worker: ``host:process``, empty where no worker was needed
    problem: why there is no embedding
    warnings: what is to be known of the file, where it was read in this run; incomplete: a part of it is missing
    """

    file: ClipFile
    clip_sha256: str | None
    windows: int = 0
    computed: bool = False
    begun: int = 0
    worker: str = ""
    problem: Sentence | None = None
    warnings: tuple[Sentence, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True, eq=False)
class BulkReport:
    """identity: of the backbone, the same for every worker; None where no clip could be embedded

    records: one a file, in the order they were given
    """

    identity: Identity | None
    records: tuple[BulkRecord, ...] = field(repr=False)

    @property
    def problems(self) -> tuple[Sentence, ...]:
        return tuple(record.problem for record in self.records if record.problem is not None)

    @property
    def incomplete(self) -> int:
        """How many clips were embedded of whose files a part is missing."""
        return sum(record.incomplete for record in self.records)

    @property
    def computed(self) -> int:
        """How many clips went through the backbone in this run."""
        return sum(record.computed for record in self.records)

    @property
    def begun_again(self) -> int:
        """How many clips were begun more than once because a worker ended in the middle."""
        return sum(record.begun > 0 for record in self.records)

    @property
    def by_worker(self) -> dict[str, int]:
        """Worker -> clips it answered for."""
        return dict(sorted(Counter(record.worker for record in self.records if record.worker).items()))

    def embeddings(self, store: EmbeddingStore) -> Embeddings:
        """The rows of the clips without a problem, in order, as ``embed`` would give them.

        Raises BulkError if there is none, or if the store had to let some of them go.
        """
        ids = [record.clip_sha256 for record in self.records if record.clip_sha256 is not None]
        if self.identity is None or not ids:
            raise BulkError(
                "None of these files could be embedded. See what was said of each.", code="bulk.none"
            )
        entries = [store.get(self.identity, clip_id) for clip_id in ids]
        found = [entry for entry in entries if entry is not None]
        if lost := len(entries) - len(found):
            raise BulkError(
                "The embeddings of {count} clips are no longer in the store, which keeps {gigabytes:g} GB. "
                "Give it more with --store-gb and start again.",
                code="bulk.evicted",
                count=lost,
                gigabytes=store.max_bytes / 1e9,
            )
        sizes = {name: rows.shape[1] for name, rows in found[0].layers.items()}
        return Embeddings.of(self.identity, sizes, ids, found)
