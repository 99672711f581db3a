"""The whole run, seen from the process that asks for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
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
from mirdemo.sound.audio import of_file

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.store import EmbeddingStore

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
    progress: Progress | None = None,
    tell: Callable[[Sentence], None] | None = None,
) -> BulkReport:
    """Embed files with several workers, into ``store``.

    load: makes the backbone in each worker, e.g. ``Named("mert-95m")``
    store: in a folder that every machine shares; large enough for the result, or it lets go of what it was given
    workers: default two, without a GPU, on this machine
    identity: which backbone it must be; None: any, but the same in every worker
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
    records: dict[int, BulkRecord] = {}
    if identity is not None:
        for at, file in enumerate(sources):
            entry = store.get(identity, file.sha256) if file.sha256 is not None else None
            if entry is not None:
                records[at] = BulkRecord(file, file.sha256, len(entry.starts))
    todo = [at for at in range(len(sources)) if at not in records]
    if not todo:
        return BulkReport(identity, tuple(records[at] for at in range(len(sources))))

    phase = "starting"
    progress(len(records), len(sources), phase)
    engine.load_ray()
    run = _run_folder(store)
    root = str(store.root.absolute())
    plan = Plan(load, workers.devices, root, store.max_bytes, str(run.path.absolute()), identity)
    rows = [json.dumps({"at": at, "file": asdict(sources[at])}) for at in todo]
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
                        answer = json.loads(text)
                        if "refusal" in answer:
                            refusal = Sentence(**answer["refusal"])
                            raise BulkError(refusal.template, code=refusal.code, **refusal.values)
                        identity = _agreed(answer, identity)
                        records[answer["at"]] = record = _record(sources[answer["at"]], answer)
                        if record.problem is not None:
                            tell(record.problem)
                        for warning in record.warnings:
                            tell(of_file(record.file.name, warning))
                        phase = "embedding"
                    progress(len(records), len(sources), phase)
            finally:
                came.close()
    finally:
        run.remove()
    if len(records) < len(sources):
        raise BulkError(
            "{count} of {n} clips were not answered for. What was complete is in the store; start again to go on.",
            code="bulk.unanswered",
            count=len(sources) - len(records),
            n=len(sources),
        )
    return BulkReport(identity, tuple(records[at] for at in range(len(sources))))


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
