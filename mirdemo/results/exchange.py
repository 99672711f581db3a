"""Results in the layouts of neighbours: MTEB's folder of results, and one table.

MTEB keeps ``<owner>__<model>/<revision>/<Task>.json`` beside a ``model_meta.json``; a file is one task, a list of scores a
split, each with its ``main_score`` (``mteb.results.TaskResult`` reads it; checked with mteb 2.18). What that layout has no
place for goes along under a key of our own, so that records come back exactly as they were. Figures of MTEB's own tasks keep
MTEB's name of the task; others are named after corpus, method and protocol, so none is taken for a task of MTEB's.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import pstdev
from typing import Any, Protocol, TextIO

from mirdemo.backbones.registry import specs
from mirdemo.base.files import whole
from mirdemo.base.spreadsheets import cell
from mirdemo.results.records import Result, ResultsError, from_dict

#: our key in a task's scores: the records themselves
OURS = "mirdemo"
META = "model_meta.json"
#: which metric is a task's main score: the first of these that there is
MAIN = ("roc_auc", "map", "accuracy", "macro_f1", "micro_f1")
#: music is in no language
LANGUAGES = ["zxx-Zxxx"]
UNKNOWN = "unknown"
#: of a results file of MTEB; the largest published ones have about 1 MB
_LARGEST = 16_000_000


class Task(Protocol):
    """What must be known of one of MTEB's tasks (``mirdemo.corpora.elsewhere``): its name there, and ours."""

    @property
    def mteb(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def unit(self) -> str: ...


def as_mteb(records: Iterable[Result], tasks: Iterable[Task] = ()) -> dict[str, dict[str, Any]]:
    """Place below a results folder -> what the file there holds. tasks: MTEB's own

    Figures of single tags stand under ``per_tag`` of their task, so that no mean over a task's scores counts them.
    """
    theirs = {task.name: task.mteb for task in tasks}
    parted: dict[tuple[str, str, str], list[Result]] = {}
    for record in records:
        model, revision = _model(record), record.revision or UNKNOWN
        parted.setdefault((model, revision, _task(record, theirs)), []).append(record)
    files: dict[str, dict[str, Any]] = {}
    for (model, revision, task), of in parted.items():
        folder = f"{_safe(model.replace('/', '__'))}/{_safe(revision)}"
        files[f"{folder}/{task}.json"] = _task_result(task, of)
        files[f"{folder}/{META}"] = {"name": model, "revision": revision}
    return dict(sorted(files.items()))


def write_mteb(records: Iterable[Result], folder: Path, tasks: Iterable[Task] = ()) -> int:
    """Write the files below a folder (``mteb.ResultCache`` takes the folder that holds a ``results``); returns how many."""
    files = as_mteb(records, tasks)
    for name, held in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as part:
            part.write_text(json.dumps(held, ensure_ascii=False, indent=2, allow_nan=False), encoding="utf-8")
    return len(files)


def read_mteb(place: Path, tasks: Iterable[Task] = ()) -> tuple[list[Result], dict[str, int]]:
    """The records of a results file or of every one below a folder, and task -> files of tasks that are not known here.

    Records of an export of ours come back as they were; of ``tasks``, which are MTEB's own, the accuracy becomes a
    record of the protocol ``maeb``. Raises ResultsError if there is no such place or a file is not MTEB's.
    """
    if not place.exists():
        raise ResultsError(
            "{place} is not there. Give a file or a folder of MTEB's results.",
            code="results.no_place",
            place=place.name or str(place),
        )
    files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    known = {task.mteb: task for task in tasks}
    found: list[Result] = []
    unknown: dict[str, int] = {}
    for path in files:
        if path.name == META:
            continue
        held = _held(path)
        made = list(_records(held, path, known))
        if not made:
            task = str(held.get("task_name"))
            unknown[task] = unknown.get(task, 0) + 1
        found += made
    return found, unknown


def write_csv(records: Iterable[Result], out: TextIO) -> int:
    """One row a figure, one column a field; settings and versions as JSON; influences left out. Returns how many."""
    names = [f.name for f in fields(Result) if f.name != "influences"]
    writer = csv.writer(out)
    writer.writerow(names)
    n = 0
    for record in records:
        values = (getattr(record, name) for name in names)
        writer.writerow(
            cell(json.dumps(dict(v), ensure_ascii=False, sort_keys=True) if v else None)
            if isinstance(v, Mapping)
            else cell(v)
            for v in values
        )
        n += 1
    return n


def _model(record: Result) -> str:
    """``owner/name`` as on the Hub where the backbone is there, else under an owner of ours."""
    if "/" in record.model:
        return record.model
    repository = {s.title: s.repository for s in specs().values()}.get(record.model)
    return repository or f"{OURS}/{record.model}"


def _task(record: Result, theirs: Mapping[str, str]) -> str:
    if record.protocol == "maeb" and record.corpus in theirs:
        return theirs[record.corpus]
    return _safe("-".join((OURS, record.corpus, record.method, record.protocol)))


def _safe(name: str) -> str:
    """A name that is one part of a path on every system."""
    plain = re.sub(r"[^\w.+\-]", "_", name, flags=re.ASCII)
    return plain if plain.strip(".") else "_"


def _task_result(task: str, records: list[Result]) -> dict[str, Any]:
    parted: dict[tuple[str, str], list[Result]] = {}
    for record in records:
        subset = _subset(record)
        parted.setdefault((record.split or "test", subset), []).append(record)
    scores: dict[str, list[dict[str, Any]]] = {}
    for (split, subset), of in parted.items():
        overall = {r.metric: r.value for r in of if r.tag is None}
        per_tag: dict[str, dict[str, float]] = {}
        for r in of:
            if r.tag is not None:
                per_tag.setdefault(r.tag, {})[r.metric] = r.value
        main = next((overall[m] for m in MAIN if m in overall), None)
        if main is None:  # single tags only: their mean in the metric that most of them have
            metric = max(
                {m for values in per_tag.values() for m in values}, key=lambda m: (_has(per_tag, m), m)
            )
            values = [one[metric] for one in per_tag.values() if metric in one]
            main = sum(values) / len(values)
        scores.setdefault(split, []).append(
            {
                **overall,
                **({"per_tag": per_tag} if per_tag else {}),
                "main_score": main,
                "hf_subset": subset,
                "languages": LANGUAGES,
                OURS: [r.as_dict() for r in of],
            }
        )
    first = records[0]
    return {
        "dataset_revision": first.corpus_revision or UNKNOWN,
        "task_name": task,
        "mteb_version": str(first.setting["mteb"]) if "mteb" in first.setting else None,
        "scores": scores,
        "evaluation_time": max((r.seconds for r in records if r.seconds is not None), default=None),
        "kg_co2_emissions": None,
    }


def _has(per_tag: Mapping[str, Mapping[str, float]], metric: str) -> int:
    return sum(metric in values for values in per_tag.values())


def _subset(record: Result) -> str:
    """What parts figures of one task: layer, whitening, seed and setting; ``default`` where nothing does."""
    plain = {"sd", "experiments", "mteb", "seeds", "n_tags", "support", "prevalence", "embedded", "read"}
    parts = {
        k: v
        for k, v in record.setting.items()
        if k not in plain and not k.startswith(("mean_", "n_proto", "n_supp"))
    }
    said = [f"{name}={value}" for name, value in sorted(parts.items())]
    for name in ("layer", "whitening", "seed"):
        if getattr(record, name) is not None:
            said.append(f"{name}={getattr(record, name)}")
    return ", ".join(said) or "default"


def _held(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        held = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(held, dict) or not isinstance(held["scores"], dict):
            raise ValueError("not a result of MTEB's")
        took = held.get("evaluation_time")
        if not isinstance(held["task_name"], str) or not isinstance(took, int | float | None):
            raise ValueError("not a result of MTEB's")
        for scores in held["scores"].values():
            if not isinstance(scores, list) or not all(isinstance(one, dict) for one in scores):
                raise ValueError("not a result of MTEB's")
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise _not_mteb(path) from error
    return held


def _not_mteb(path: Path) -> ResultsError:
    return ResultsError(
        "{file} is not a results file of MTEB. Give its folder of results, or one task's file.",
        code="results.not_mteb",
        file=path.name,
    )


def _records(held: Mapping[str, Any], path: Path, tasks: Mapping[str, Task]) -> Iterator[Result]:
    task = held["task_name"]
    for split, scores in held["scores"].items():
        for one in scores:
            if isinstance(one.get(OURS), list):
                for plain in one[OURS]:
                    if not isinstance(plain, dict):
                        raise ResultsError(
                            "This result cannot be used: {what}.", code="results.invalid", what=path.name
                        )
                    yield from_dict(plain)
            elif task in tasks and isinstance(one.get("accuracy"), int | float):
                try:
                    record = _maeb(held, str(split), one, path, tasks[task])
                except (OverflowError, TypeError) as error:
                    raise _not_mteb(path) from error
                yield record


def _maeb(held: Mapping[str, Any], split: str, one: Mapping[str, Any], path: Path, task: Task) -> Result:
    name, revision = _named(path)
    title = next(
        (s.title for s in specs().values() if (s.repository, s.revision) == (name, revision)),
        name,
    )
    runs = [
        float(run["accuracy"])
        for run in one.get("scores_per_experiment") or ()
        if isinstance(run, dict) and isinstance(run.get("accuracy"), int | float)
    ]
    version = one.get("mteb_version") or held.get("mteb_version")
    return Result(
        model=title,
        revision=revision,
        corpus=task.name,
        corpus_revision=str(held.get("dataset_revision") or "") or None,
        method="probe",
        protocol="maeb",
        split=split,
        metric="accuracy",
        value=float(one["accuracy"]),
        n=task.n,
        n_unit=task.unit,
        setting={
            **({"mteb": str(version)} if version else {}),
            **({"experiments": len(runs), "sd": round(pstdev(runs), 4)} if len(runs) > 1 else {}),
            **({"embedded": "by MTEB"} if title == "Qwen2-Audio" else {}),
        },
        source="published",
        citation="maeb2026",
        seconds=float(held["evaluation_time"]) if held.get("evaluation_time") else None,
        date=_day(held.get("date")),
    )


def _named(path: Path) -> tuple[str, str]:
    """Model and revision: from ``model_meta.json`` beside the file, else from the names of its folders."""
    try:
        meta = json.loads((path.parent / META).read_text(encoding="utf-8"))
        if isinstance(meta.get("name"), str) and meta["name"]:
            return meta["name"], str(meta.get("revision") or path.parent.name)
    except (OSError, ValueError, AttributeError):
        pass
    return path.parent.parent.name.replace("__", "/") or UNKNOWN, path.parent.name


def _day(date: Any) -> str | None:
    """ISO 8601 day of a time stamp or of ISO text."""
    try:
        if isinstance(date, int | float):
            return datetime.fromtimestamp(date, UTC).date().isoformat()
        return datetime.fromisoformat(str(date)).date().isoformat() if date else None
    except (ValueError, OverflowError, OSError):
        return None
