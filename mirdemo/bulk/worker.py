"""One worker: holds a backbone on each of its devices, reads, embeds, puts into the store, and answers in a few words.

A plain class that knows nothing of Ray; ``engine`` makes an actor of it. Rows and answers are JSON, so that what
crosses the cluster can be read.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.bulk.errors import BulkError
from mirdemo.bulk.run_folder import RunFolder
from mirdemo.bulk.sources import ClipFile
from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, Identity
    from mirdemo.sound.audio import Clip

#: A clip that so many workers ended at is given up.
TRIES = 3

#: Called once for each device of each worker, with ``"cpu"`` or ``"cuda:0"``, ...; must be picklable.
Load = Callable[[str], "Backbone"]


@dataclass(frozen=True)
class Named:
    """Loads a backbone by its name (``backbones.load_backbone``), in each worker."""

    name: str
    checkpoint: str | None = None
    dtype: str = "auto"
    engine: str | None = None

    def __call__(self, device: str) -> Backbone:
        from mirdemo.backbones import load_backbone

        return load_backbone(self.name, self.checkpoint, device, self.dtype, engine=self.engine)


@dataclass(frozen=True)
class Plan:
    """All a worker has to know.

    store, store_bytes: the shared folder of the embedding store, and its limit
    run: the folder of this run (``RunFolder``)
    identity: which backbone it must be; None: any
    """

    load: Load
    devices: tuple[str, ...]
    store: str
    store_bytes: int
    run: str
    identity: Identity | None = None


@dataclass
class _Job:
    """One clip of a task, and what is to be answered about it."""

    at: int
    file: ClipFile
    begun: int
    answer: dict[str, Any] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    incomplete: bool = False


class Worker:
    """Called with a batch ``{"row": JSON strings of {at, file}}``, answers ``{"answer": JSON strings}``.

    An answer is ``{at, clip_sha256, windows, computed, begun, worker, problem, warnings, incomplete, identity}``, or ``{refusal}`` where this
    worker cannot work at all: a sentence goes through, where an exception of an actor's constructor would not. A batch
    that is cancelled is answered in part.
    """

    def __init__(self, plan: Plan) -> None:
        self._run = RunFolder(plan.run)
        self._store = _Store(Path(plan.store), plan.store_bytes)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._backbones: list[Backbone] = []
        self._refusal: Sentence | None = None
        try:
            self._prepare(plan)
        except MirdemoError as refusal:
            self._refusal = refusal.sentence

    def _prepare(self, plan: Plan) -> None:
        if not self._run.is_there():
            raise BulkError(
                "{host} does not see {folder}. Give --store a folder that every machine shares.",
                code="bulk.not_shared",
                host=socket.gethostname(),
                folder=plan.store,
            )
        self._backbones = [plan.load(device) for device in plan.devices]
        self._identity = self._backbones[0].identity
        if plan.identity is not None:
            check_identity(self._identity, plan.identity, self._name)

    def __call__(self, batch: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
        if self._refusal is not None:
            answers: list[dict[str, Any]] = [{"refusal": asdict(self._refusal)}]
        else:
            jobs = [self._job(json.loads(row)) for row in batch["row"]]
            try:
                self._work(jobs)
            except Cancelled:
                self._store.settle()  # nothing goes on after the run
                jobs = [job for job in jobs if job.answer]
            same = {"worker": self._name, "identity": self._identity.as_dict()}
            answers = [
                {
                    "at": job.at,
                    "begun": job.begun,
                    "warnings": job.warnings,
                    "incomplete": job.incomplete,
                    **same,
                    **job.answer,
                }
                for job in jobs
            ]
        texts = [json.dumps(answer, ensure_ascii=False, default=str) for answer in answers]
        return {"answer": np.array(texts, dtype=object)}

    def _job(self, row: Mapping[str, Any]) -> _Job:
        return _Job(row["at"], ClipFile(**row["file"]), self._run.begun(row["at"]))

    def _work(self, jobs: Sequence[_Job]) -> None:
        """Answer every job. What no worker ended at yet goes first and together; the others one by one and alone, so
        that only the clip that ends workers is begun in vain."""
        fresh = [job for job in jobs if not job.begun]
        lanes = len(self._backbones)
        if lanes == 1:
            self._lane(self._backbones[0], fresh)
        else:
            with ThreadPoolExecutor(lanes) as pool:
                shares = [fresh[lane::lanes] for lane in range(lanes)]
                list(pool.map(self._lane, self._backbones, shares))
        for job in jobs:
            if job.begun >= TRIES:
                job.answer = _problem(
                    Sentence(
                        "{name} was given up: {count} workers ended in the middle of it. Look at this file, or give "
                        "the workers more memory.",
                        "bulk.given_up",
                        {"name": job.file.name, "count": job.begun},
                    )
                )
            elif job.begun:
                self._lane(self._backbones[0], [job])

    def _lane(self, backbone: Backbone, jobs: Sequence[_Job]) -> None:
        """Read these and embed them together on one device."""
        ready: list[tuple[_Job, Clip]] = []
        for job in jobs:
            if job.file.sha256 is not None and self._is_stored(job, job.file.sha256):
                continue
            self._run.begin(job.at)
            try:
                clip = job.file.clip()
            except MirdemoError as refusal:
                self._finish(job, _problem(refusal.sentence))
                continue
            job.warnings = [asdict(warning) for warning in clip.warnings]
            job.incomplete = clip.incomplete
            if not self._is_stored(job, clip.sha256):
                ready.append((job, clip))
        self._embed(backbone, ready)

    def _is_stored(self, job: _Job, sha256: str) -> bool:
        """Answer a job whose embedding is there already."""
        entry = self._store.get(self._identity, sha256)
        if entry is not None:
            self._finish(job, {"clip_sha256": sha256, "windows": len(entry.starts), "computed": False})
        return entry is not None

    def _embed(self, backbone: Backbone, ready: Sequence[tuple[_Job, Clip]]) -> None:
        if not ready:
            return
        try:
            made = embed([clip for _, clip in ready], backbone, store=self._store, progress=self._run.go_on)
        except Cancelled:
            raise
        except MirdemoError as refusal:
            if len(ready) == 1:
                self._finish(ready[0][0], _problem(refusal.sentence))
            else:  # which of them it was shows when each is alone
                for one in ready:
                    self._embed(backbone, [one])
            return
        self._store.settle()
        for (job, clip), entry in zip(ready, made.per_clip, strict=True):
            if clip.sha256 in self._store.refused:
                answer = _problem(
                    Sentence(
                        "The embedding of {name} could not be kept. Make room for the store, or give it more with "
                        "--store-gb.",
                        "bulk.not_kept",
                        {"name": job.file.name},
                    )
                )
            else:
                answer = {"clip_sha256": clip.sha256, "windows": len(entry.starts), "computed": True}
            self._finish(job, answer)

    def _finish(self, job: _Job, answer: dict[str, Any]) -> None:
        job.answer = answer
        self._run.finish(job.at)


class _Store(EmbeddingStore):
    """Writes beside the work: to wait until a disk has an entry takes a tenth of the time that a short clip takes.

    ``put`` says that a clip's rows are on their way; ``refused`` holds, once all is written, the clips that could not be
    kept: elsewhere the store is a cache, here it is where the results go.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        super().__init__(root, max_bytes)
        self.refused: set[str] = set()
        self._writer = ThreadPoolExecutor(1, "store")  # one, so that what was put first is there first
        self._error: Exception | None = None

    def put(self, identity: Identity, clip_sha256: str, entry: Any) -> bool:
        self.settle()  # what a killed worker had not written is one clip at most
        self._writer.submit(self._write, identity, clip_sha256, entry)
        return True

    def _write(self, identity: Identity, clip_sha256: str, entry: Any) -> None:
        try:
            kept = super().put(identity, clip_sha256, entry)
        except Exception as error:
            self._error = error
            raise
        (self.refused.discard if kept else self.refused.add)(clip_sha256)

    def settle(self) -> None:
        """Come back when all that was put until now is on the disk, or refused. Raises what writing raised."""
        self._writer.submit(bool).result()
        if self._error is not None:
            raise self._error


def check_identity(found: Identity, wanted: Identity, worker: str) -> None:
    """Raises BulkError if a worker's backbone is not the one whose rows are asked for."""
    if found == wanted:
        return
    theirs, ours = found.as_dict(), wanted.as_dict()
    raise BulkError(
        "The workers' backbones differ ({worker}: {differences}). Give --dtype, and the same weights to every machine.",
        code="bulk.other_backbone",
        worker=worker,
        differences=", ".join(
            f"{name} {str(theirs[name])[:12]} / {str(ours[name])[:12]}"
            for name in ours
            if theirs[name] != ours[name]
        ),
    )


def _problem(sentence: Sentence) -> dict[str, Any]:
    return {"clip_sha256": None, "problem": asdict(sentence)}
