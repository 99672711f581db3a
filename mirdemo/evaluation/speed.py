"""How fast every backbone is on this machine: by engine and precision, each measured in a process of its own.

Weights that are not here are drawn at random in the published shape, which is as fast: nothing is fetched. What is found is
kept beside what runs take here (``embedding.pace``), so that the page knows before its first click how long it will take.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base import processor, threads
from mirdemo.base.files import whole
from mirdemo.base.progress import Progress, silent
from mirdemo.embedding.pace import embedding, loading

if TYPE_CHECKING:
    from mirdemo.embedding.pace import Pace

#: Engine and precision, as ``load_backbone`` takes them, on a processor and on a GPU.
WAYS = {
    "cpu": (
        ("torch", "float32"),
        ("torch", "bfloat16"),
        ("openvino", "float32"),
        ("openvino", "bfloat16"),
        ("openvino-int8", "float32"),
    ),
    "cuda": (("torch", "float32"), ("torch", "bfloat16"), ("torch", "float16")),
}
#: Seconds of sound that are embedded, whole windows of them at least one; rounds of which the median is told.
SECONDS, ROUNDS = 30.0, 3
_FORMAT = "mirdemo-speed-1"


@dataclass(frozen=True)
class Speed:
    """One row of the table.

    backbone: of the registry; weights: ``"its own"`` or ``"random"``, of the published shape
    engine, precision: as rows of an embedding name them; device: ``"cpu"`` or a GPU's name
    usual: what ``load_backbone`` chooses here where nobody asks for device, precision or engine
    seconds_per_minute: of sound, the median of ``rounds``; least, most: of the rounds (no interval)
    load_seconds: with the files read before; first_load_seconds: the very first, conversion for another engine included;
        None where it was not timed
    peak_bytes: of the whole process while it embeds, without conversion; busy: threads of others, the mean of a minute
    """

    backbone: str
    weights: str
    engine: str
    precision: str
    device: str
    usual: bool
    seconds_per_minute: float
    least: float
    most: float
    rounds: int
    load_seconds: float
    first_load_seconds: float | None
    peak_bytes: int
    busy: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.backbone, self.engine, self.precision, self.device

    @property
    def real_time_factor(self) -> float:
        """Seconds of computing a second of sound."""
        return self.seconds_per_minute / 60


def measured(
    names: Sequence[str],
    *,
    device: str = "cpu",
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    ways: Sequence[tuple[str, str]] | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[list[Speed], list[str]]]:
    """Measure these backbones one after the other, each engine and precision in a process of its own.

    device: ``"cpu"`` or ``"cuda"``; seconds: of sound a round, at least one window; ways: of ``WAYS``, default all
    progress: told (done, all, ``"measuring"``)

    Gives a backbone's rows, and sentences about the ways it cannot go here, one backbone at a time. Of backbones of one shape
    whose weights are not here only the first is measured: its rows are the others', too.
    """
    from mirdemo.backbones import random_weights
    from mirdemo.backbones.registry import precisions

    chosen = list(dict.fromkeys(name if _is_here(name) else random_weights.shape(name) for name in names))
    ways = ways or WAYS[device]
    count = len(chosen) * (len(ways) + 1)
    with tempfile.TemporaryDirectory() as scratch:
        for number, name in enumerate(chosen):
            order = {
                "name": name,
                "folder": None if _is_here(name) else str(Path(scratch) / name),
                "device": device,
                "seconds": seconds,
                "rounds": rounds,
            }
            rows, refusals = [], []
            for at, (engine, dtype) in enumerate(ways):
                progress(number * (len(ways) + 1) + at, count, "measuring")
                if dtype not in precisions(name) or (engine != "torch" and len(precisions(name)) == 1):
                    continue  # a network of torch's alone, in one precision
                found = _one(order | {"engine": engine, "dtype": dtype}, Path(scratch))
                if isinstance(found, Speed):
                    rows.append(found)
                else:
                    refusals.append(found)
            progress(number * (len(ways) + 1) + len(ways), count, "measuring")
            unasked = {"engine": None, "dtype": "auto", "device": "auto", "rounds": 0}
            usual = _child(order | unasked, Path(scratch))
            chosen_here = usual.get("engine"), usual.get("precision"), usual.get("device")
            yield (
                [replace(row, usual=(row.engine, row.precision, row.device) == chosen_here) for row in rows],
                list(dict.fromkeys(refusals)),
            )
    progress(count, count, "measuring")


def _one(order: Mapping[str, Any], scratch: Path) -> Speed | str:
    first = None
    if order["engine"] != "torch":  # converted in a process of its own: embedding does not need that memory
        told = _child({**order, "rounds": 0}, scratch)
        if "refusal" in told:
            return told["refusal"]
        first = told["load_seconds"]
    told = _child(order, scratch)
    if "refusal" in told:
        return told["refusal"]
    return Speed(**told, usual=False, first_load_seconds=first)


def _is_here(name: str) -> bool:
    from mirdemo.backbones.registry import status

    return status(name).fetched


def _child(order: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    """What a process of its own answers. What is kept of networks of random weights goes with ``scratch``."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    surroundings = {**os.environ, "PYTHONPATH": path}
    if order["folder"] is not None:
        surroundings["MIRDEMO_HOME"] = str(scratch / "home")
    done = subprocess.run(
        [sys.executable, "-c", "from mirdemo.evaluation.speed import _answer; _answer()"],
        input=json.dumps(order),
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:  # it was killed, for its memory perhaps
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return {"refusal": f"the process ended with {done.returncode}: {last[:200]}"}
    return json.loads(lines[-1])


def _answer() -> None:
    """In the child: obey the order on standard input, answer in a line."""
    from mirdemo.base.sentences import MirdemoError

    threads.prepare()
    order = json.loads(sys.stdin.read())
    try:
        answer: dict[str, Any] = _timed(**order)
    except MirdemoError as refusal:
        answer = {"refusal": str(refusal)}
    print(json.dumps(answer), flush=True)


def _timed(
    name: str,
    folder: str | None,
    engine: str | None,
    dtype: str,
    device: str,
    seconds: float,
    rounds: int,
) -> dict[str, Any]:
    import numpy as np

    from mirdemo.backbones import BackboneError, load_backbone, random_weights
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import Clip

    busy = processor.load()[0]
    if folder is not None and not Path(folder).is_dir():
        with suppress(BackboneError):  # nothing is written of musicnn; of others the load below says why
            random_weights.checkpoint(name, Path(folder))

    began = time.perf_counter()
    if folder is None:
        backbone = load_backbone(name, None, device, dtype, engine=engine)
    else:
        backbone = random_weights.load(name, Path(folder), dtype, engine, device)
    load_seconds = time.perf_counter() - began
    spec = backbone.spec
    size = max(1, round(seconds / spec.window_seconds)) * spec.window_samples
    taken = []
    for turn in range(rounds + 1 if rounds else 0):
        noise = 0.1 * np.random.default_rng(turn).standard_normal(size).astype(np.float32)
        began = time.perf_counter()
        embed([Clip.of(noise, spec.sample_rate)], backbone)
        if turn:  # the first one warms up
            taken.append((time.perf_counter() - began) * 60 * spec.sample_rate / size)
    identity, place = backbone.identity, _device(backbone.device)
    peak = _peak_bytes()
    return {
        "backbone": name,
        "weights": "its own" if folder is None else "random",
        "engine": identity.engine,
        "precision": identity.dtype,
        "device": place,
        "seconds_per_minute": statistics.median(taken) if taken else 0.0,
        "least": min(taken, default=0.0),
        "most": max(taken, default=0.0),
        "rounds": rounds,
        "load_seconds": load_seconds,
        "peak_bytes": peak,
        "busy": busy,
    }


def _device(device: Any) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _peak_bytes() -> int:
    """This process's peak resident memory. Linux hands a parent's peak in ``ru_maxrss`` on to its children, not in its
    status."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# ---- what is kept -----------------------------------------------------------------------------------------------


def remember(rows: Sequence[Speed], pace: Pace) -> None:
    """Let the page know what is usual here: of each backbone, and of those of its shape."""
    from mirdemo.backbones.random_weights import shape
    from mirdemo.backbones.registry import specs

    for row in rows:
        if row.usual:
            for name in specs():
                if name == row.backbone or (row.weights == "random" and shape(name) == row.backbone):
                    pace.told(embedding(name), row.real_time_factor, row.busy)
                    pace.told(loading(name), row.load_seconds, row.busy)


def machine(device: str = "cpu") -> dict[str, Any]:
    """What a table is of: no name by which this machine could be found."""
    from importlib.metadata import version

    facts: dict[str, Any] = {
        "processor": processor.name(),
        "units": list(processor.units()),
        "cores": threads.cores(),
    }
    if device == "cuda":
        import torch

        facts["gpu"] = torch.cuda.get_device_name()
    return facts | {"system": f"{platform.system()} {platform.machine()}", "torch": version("torch")}


def file_name(facts: Mapping[str, Any]) -> str:
    """``MACHINE-torchVERSION``, without a suffix. One processor with other units is another machine."""
    place = facts.get("gpu") or " ".join([facts["processor"], *_newest(facts)])
    place = f"{place} {facts['cores']} cores"
    words = re.sub(r"\((?:r|tm)\)", "", place.lower())
    version = str(facts["torch"]).partition("+")[0]
    return f"{re.sub(r'[^a-z0-9.]+', '-', words).strip('-')}-torch{version}"


def _newest(facts: Mapping[str, Any]) -> list[str]:
    """The units that tell machines of one name apart: of each maker's line the last that is there."""
    held = facts.get("units", ())
    lines = (("avx2", "avx512f", "avx512_vnni", "avx512_bf16"), ("amx_bf16",), ("asimddp", "i8mm", "sve"))
    found = [[one for one in line if one in held] for line in lines]
    return [line[-1] for line in found if line]


def read(path: Path) -> list[Speed]:
    """The rows of a table; none where there is no file. Raises ValueError for one that is no table."""
    with suppress(ValueError, TypeError, KeyError):
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        if held["format"] == _FORMAT:
            return [Speed(**row) for row in held["rows"]]
    raise ValueError(f"{path.name} is no table of speeds")


def write(folder: Path, facts: Mapping[str, Any], rows: Sequence[Speed]) -> Path:
    """Write a machine's table as JSON and as a page, rows of before that were not measured again kept. Returns the page.

    Raises ValueError where another file has its name, OSError where nothing can be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(facts)}.json"
    held = {row.key: row for row in read(path)} | {row.key: row for row in rows}
    made = list(held.values())
    with whole(path) as part:
        value = {"format": _FORMAT, "machine": dict(facts), "rows": [asdict(row) for row in made]}
        part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    page = path.with_suffix(".md")
    with whole(page) as part:
        part.write_text(_page(facts, made), encoding="utf-8")
    return page


HEADER = (
    "backbone",
    "engine",
    "precision",
    "s a minute",
    "of rounds",
    "x real time",
    "load s",
    "first s",
    "peak MB",
    "weights",
)


def cells(row: Speed) -> tuple[str, ...]:
    return (
        row.backbone + ("*" if row.usual else ""),
        row.engine,
        row.precision,
        f"{row.seconds_per_minute:.2f}",
        f"{row.least:.2f} to {row.most:.2f}, n = {row.rounds}",
        f"{row.real_time_factor:.3f}",
        f"{row.load_seconds:.1f}",
        "" if row.first_load_seconds is None else f"{row.first_load_seconds:.0f}",
        f"{row.peak_bytes / 1e6:,.0f}",
        row.weights,
    )


def _page(facts: Mapping[str, Any], rows: Sequence[Speed]) -> str:
    place = f"{facts.get('gpu', '')} {facts['processor']}".strip()
    held = f", with {', '.join(facts['units'])}" if facts.get("units") else ""
    busy = f"{min(row.busy for row in rows):.1f} to {max(row.busy for row in rows):.1f}"
    lines = [
        f"# Speed: {place}, {facts['cores']} cores, torch {facts['torch']}",
        "",
        f"{facts['system']}{held}.",
        "Written by `python -m mirdemo speed --out benchmarks/results/speed`. Seconds that a minute of sound takes, the median of",
        "n rounds with the least and the most (no interval); x real time: seconds of computing a second of sound; load: with the",
        "files read before; first: the first load of all, conversion included; peak: memory of the whole process while it embeds.",
        "`*`: what is chosen here where nobody asks. Random weights have the published shape: they say how fast, and nothing else.",
        f"Other threads on this machine while it was measured: {busy}.",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
    ]
    order = sorted(rows, key=lambda row: (row.backbone, row.engine, row.precision))
    return "\n".join(lines + ["| " + " | ".join(cells(row)) + " |" for row in order]) + "\n"
