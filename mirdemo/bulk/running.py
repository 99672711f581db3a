"""The whole run, seen from the process that asks for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
    sources = [heard.known(file) for file in sources]
    records: dict[int, BulkRecord] = {}
    if identity is not None:
        for at, file in enumerate(sources):
            entry = store.get(identity, file.sha256) if file.sha256 is not None else None
            if entry is not None:
                records[at] = BulkRecord(file, file.sha256, len(entry.starts))
    todo = _in_turn(sources, records)
    if not todo:
        return _report(identity, records, len(sources))

    phase = "starting"
    progress(len(records), len(sources), phase)
    engine.load_ray()
    run = _run_folder(store)
    root = str(store.root.absolute())
    plan = Plan(load, workers.devices, root, store.max_bytes, str(run.path.absolute()), identity)
    rows = [json.dumps({"at": at, "file": vars(sources[at])}) for at in todo]
    try:
        with engine.cluster(workers, tell) as ray:
            came = engine.answers(
                ray,
                rows,
                Worker,
                plan,
                workers,
                rows_per_task=_rows_per_task(len(rows), workers),
                stop=run.remove,
            )
            try:
                for text in came:
                    if text is not None:
                        answer = _opened(text)
                        identity = _agreed(answer, identity)
                        records[answer["at"]] = record = _record(sources[answer["at"]], answer)
                        heard.add(record)
                        _say(record, tell)
                        phase = "embedding"
                    progress(len(records), len(sources), phase)
            finally:
                heard.keep()
                came.close()
    finally:
        run.remove()
    return _report(identity, records, len(sources))


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

    def known(self, file: ClipFile) -> ClipFile:
        key = self._key(file)
        found = None if self._sounds is None or key is None else self._sounds.get(key)
        return file if found is None else replace(file, sha256=found)

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
