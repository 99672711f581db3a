"""The whole run, seen from the process that asks for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.bulk import engine
from mirdemo.bulk.errors import BulkError
from mirdemo.bulk.report import BulkRecord, BulkReport
from mirdemo.bulk.run_folder import RunFolder
from mirdemo.bulk.sources import ClipFile
from mirdemo.bulk.worker import Load, Plan, Worker, check_identity
from mirdemo.bulk.workers import Workers
from mirdemo.embedding.rows import stamp_of
from mirdemo.sound.audio import of_file

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.evaluation.sounds import SoundMemory

#: Clips that a worker takes at once, for each of its devices: enough to fill a GPU's batch from clips of 30 s, few
#: enough that a worker that ends repeats little.
CLIPS_PER_TASK = 4
#: So many files that were heard before are looked up in the store together, not by a worker each.
MANY_HEARD = 1000


def embed_files(
    files: Sequence[ClipFile | str | os.PathLike[str]],
    load: Load,
    *,
    store: EmbeddingStore,
    workers: Workers | None = None,
    identity: Identity | None = None,
    sounds: SoundMemory | None = None,
    progress: Progress | None = None,
    tell: Callable[[Sentence], None] | None = None,
) -> BulkReport:
    """Embed files with several workers, into ``store``.

    load: makes the backbone in each worker, e.g. ``Named("mert-95m")``
    store: in a folder that every machine shares; large enough for the result, or it lets go of what it was given
    workers: default two, without a GPU, on this machine
    identity: which backbone it must be; None: any, but the same in every worker
    sounds: remembers what whole files were found to hold, so that a later run does not decode what is in the store; a file that
        has changed, or of which something was to be told, is read again
    progress: told (clips done, clips in all, ``"starting"`` until the first is done, then ``"embedding"``), at least
        once a second. A ``Cancelled`` it raises passes: workers stop within a batch, complete clips stay in the store
    tell: told at once what people should know: each clip that failed, and why; what is to be known of
        a file that was read, such as a missing end; fewer workers than asked for

    The same rows as ``embed`` gives with as many threads as a worker has processors (1e-6; else 1e-5). A clip that
    cannot be read or embedded becomes a problem of the report. A worker that is killed is replaced by Ray, and repeats
    only what had not reached the store; a clip that ends workers again and again is given up. What an earlier run
    completed is not computed again.

    Raises BulkError: Ray missing, no cluster, no room, a store that is not shared or cannot be written, backbones that
    differ between workers, a worker that fails for a reason of its own; and what ``load`` raises in a worker.
    """
    workers, progress, tell = workers or Workers(), progress or silent, tell or (lambda sentence: None)
    sources = [file if isinstance(file, ClipFile) else ClipFile.whole(file) for file in files]
    heard = _Heard(sounds)
    sources = heard.known(sources)
    records: dict[int, BulkRecord] = {}
    if identity is not None:
        _recall(store, identity, sources, records)
    todo = _in_turn(sources, records)
    if not todo:
        return _report(identity, records, len(sources))

    phase = "starting"
    progress(len(records), len(sources), phase)
    engine.load_ray()
    _run_folder(store).remove()  # a store that cannot be written is refused before a cluster is started
    with engine.cluster(workers, tell) as ray:
        try:
            while todo:
                share = _first_share(sources, todo) if identity is None else todo
                with closing(_answers(ray, load, store, workers, identity, sources, share)) as came:
                    for answer in came:
                        if answer is not None:
                            identity = _agreed(answer, identity)
                            records[answer["at"]] = record = _record(sources[answer["at"]], answer)
                            heard.add(record)
                            _say(record, tell)
                            phase = "embedding"
                        progress(len(records), len(sources), phase)
                if len(share) == len(todo) or identity is None:
                    break
                _recall(store, identity, sources, records)
                todo = _in_turn(sources, records)
        finally:
            heard.keep()
    return _report(identity, records, len(sources))


def _answers(
    ray: ModuleType,
    load: Load,
    store: EmbeddingStore,
    workers: Workers,
    identity: Identity | None,
    sources: Sequence[ClipFile],
    share: Sequence[int],
) -> Generator[dict[str, Any] | None, None, None]:
    """What workers answer of these files, as it comes; None where nothing came for a while. Closed, it ends their run."""
    run = _run_folder(store)
    folder, root = str(run.path.absolute()), str(store.root.absolute())
    came = engine.answers(
        ray,
        [json.dumps({"at": at, "file": vars(sources[at])}) for at in share],
        Worker,
        Plan(load, workers.devices, root, store.max_bytes, folder, identity),
        workers,
        rows_per_task=_rows_per_task(len(share), workers),
        stop=run.remove,
    )
    try:
        for text in came:
            yield None if text is None else _opened(text)
    finally:
        came.close()
        run.remove()


def _recall(
    store: EmbeddingStore, identity: Identity, sources: Sequence[ClipFile], records: dict[int, BulkRecord]
) -> None:
    """Add records of the files whose sound is known and in the store: no worker looks at them."""
    known = {
        at: file.sha256 for at, file in enumerate(sources) if file.sha256 is not None and at not in records
    }
    held = store.held(identity, set(known.values()))
    records.update({at: BulkRecord(sources[at], sha256) for at, sha256 in known.items() if sha256 in held})


def _first_share(sources: Sequence[ClipFile], todo: Sequence[int]) -> Sequence[int]:
    """What workers begin with while nobody knows whose rows they give: what was not heard yet. Then the store is asked for all
    the others at once, where they are many enough to pay for a second start; ``todo`` is in turn."""
    fresh = sum(sources[at].sha256 is None for at in todo)
    return todo[: max(fresh, 1)] if len(todo) - fresh >= MANY_HEARD else todo


def _in_turn(sources: Sequence[ClipFile], records: Mapping[int, BulkRecord]) -> list[int]:
    """Places of the files that are left. What was heard before is likely to be in the store and comes last, so that a run
    that goes on begins with what there is to do."""
    todo = [at for at in range(len(sources)) if at not in records]
    return sorted(todo, key=lambda at: sources[at].sha256 is not None)


def _say(record: BulkRecord, tell: Callable[[Sentence], None]) -> None:
    if record.problem is not None:
        tell(record.problem)
    for warning in record.warnings:
        tell(of_file(record.file.name, warning))


def _report(identity: Identity | None, records: Mapping[int, BulkRecord], n: int) -> BulkReport:
    if len(records) < n:
        raise BulkError(
            "{count} of {n} clips were not answered for. What was complete is in the store; start again to go on.",
            code="bulk.unanswered",
            count=n - len(records),
            n=n,
        )
    return BulkReport(identity, tuple(records[at] for at in range(n)))


def _opened(text: str) -> dict[str, Any]:
    """A worker's answer. Raises BulkError with what it refuses by."""
    answer: dict[str, Any] = json.loads(text)
    if "refusal" in answer:
        refusal = Sentence(**answer["refusal"])
        raise BulkError(refusal.template, code=refusal.code, **refusal.values)
    return answer


class _Heard:
    """What whole files were found to hold, between runs."""

    #: Written together: each time costs a transaction on the disk.
    AT_ONCE = 256

    def __init__(self, sounds: SoundMemory | None) -> None:
        self._sounds = sounds
        self._new: dict[str, str] = {}

    def known(self, files: Sequence[ClipFile]) -> list[ClipFile]:
        """These, with what they were found to hold."""
        if self._sounds is None:
            return list(files)
        keys = [self._key(file) for file in files]
        found = self._sounds.known(key for key in keys if key is not None)
        return [
            replace(file, sha256=found[key]) if key is not None and key in found else file
            for file, key in zip(files, keys, strict=True)
        ]

    def add(self, record: BulkRecord) -> None:
        """Nothing of a file of which something is to be told: it is told again next time."""
        key = self._key(record.file)
        if (
            key is not None
            and record.clip_sha256 is not None
            and not record.incomplete
            and not record.warnings
        ):
            self._new[key] = record.clip_sha256
            if len(self._new) >= self.AT_ONCE:
                self.keep()

    def keep(self) -> None:
        if self._sounds is not None and self._new:
            self._sounds.put(self._new)
        self._new = {}

    def _key(self, file: ClipFile) -> str | None:
        """None for a section, and for a file that says what it holds or is not there."""
        stamp = "" if file.sha256 is not None or file.start_s is not None else stamp_of(file.path, file.track)
        return f"whole:{file.path}|{stamp}" if stamp else None


def _run_folder(store: EmbeddingStore) -> RunFolder:
    try:
        return RunFolder.create(store.root)
    except OSError as error:
        raise BulkError(
            "{folder} cannot be written ({reason}). Give --store another folder.",
            code="bulk.no_store",
            folder=str(store.root),
            reason=error.strerror or type(error).__name__,
        ) from error


def _rows_per_task(n_rows: int, workers: Workers) -> int:
    """Fewer where there are few, so that every worker has several turns and all end at about the same time."""
    full = CLIPS_PER_TASK * len(workers.devices)
    return max(1, min(full, n_rows // (4 * workers.count)))


def _agreed(answer: dict[str, Any], identity: Identity | None) -> Identity:
    from mirdemo.backbones.spec import Identity

    found = Identity(**answer["identity"])
    if identity is not None:
        check_identity(found, identity, answer["worker"])
    return found


def _record(file: ClipFile, answer: dict[str, Any]) -> BulkRecord:
    problem = answer.get("problem")
    return BulkRecord(
        file,
        answer["clip_sha256"],
        answer.get("windows", 0),
        answer.get("computed", False),
        answer["begun"],
        answer["worker"],
        None if problem is None else Sentence(**problem),
        tuple(Sentence(**warning) for warning in answer["warnings"]),
        answer["incomplete"],
    )
