"""How much longer does an embedding take while something else uses the cores, and how many callers does ``/tag`` serve?

    python benchmarks/busy_machine.py --old DIR [--turns 9] [--tag-seconds 20] [--clients 32]

DIR holds an older build (``git archive COMMIT | tar x -C DIR``), and both sides run in processes of their own,
prepared as their own page prepares itself. They take turns on this machine, so that what else runs on it meets both;
a "busy" turn runs beside as many processes in an endless loop as there are cores, ours to start and end.

1. Embedding, for each embedded backbone and a wave network of MERT-95M's shape with random weights: seven clips of
   2 s, and one of 30 s. Printed: the median and worst of a busy turn over the median quiet one, and old over new for
   quiet turns (1: as fast); the least processor time of any turn, which neighbours change least (threads that wait
   in a busy loop burn it, too).
2. ``/tag`` on a running page: ``--clients`` callers at once, each with its own eight support clips and another query of
   2 s each time, quiet and busy, the sides in turn. Printed: answers a second and the 95th percentile of their waits;
   who still waits at the end counts with the wait so far, so a percentile is a lower bound where many do.

"Quiet" is as quiet as the machine is: the load average is printed beside it. Medians over turns, no interval.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import itertools
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ("spectral", "mini-world", "mini-world-spectral")
SHAPES = {"7 x 2 s": (7, 2.0), "1 x 30 s": (1, 30.0)}
BACKBONE = "spectral"
SUPPORT = 8

#: Runs in each build: answers lines of name, clips and their seconds with what an embedding took.
EMBEDDER = """
import sys, time
sys.path[:0] = [ROOT, ROOT + "/tests/backbones", ROOT + "/tests"]
try:
    from mirdemo.base import threads
    threads.prepare()
except ImportError:
    pass  # the older build prepares nothing
import tempfile
from pathlib import Path
import numpy as np
from mirdemo import Clip, embed, load_backbone

loaded, scratch = {}, Path(tempfile.mkdtemp())
for line in sys.stdin:
    name, count, seconds = line.split()
    if name not in loaded:
        if name == "mert-95m":
            import tiny
            folder = tiny.mert_sized(scratch / name, "95m")
            loaded[name] = load_backbone(name, checkpoint=folder, device="cpu", dtype="float32")
        else:
            loaded[name] = load_backbone(name, device="cpu")
    backbone = loaded[name]
    rate = backbone.spec.sample_rate
    rng = np.random.default_rng()
    clips = [Clip.of(0.1 * rng.standard_normal(int(float(seconds) * rate)), rate) for _ in range(int(count))]
    began, burnt = time.perf_counter(), time.process_time()
    embed(clips, backbone)
    print("took", time.perf_counter() - began, time.process_time() - burnt, flush=True)
"""


def _spin() -> None:
    while True:
        pass


@contextlib.contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that do nothing but use a core."""
    busy = [multiprocessing.get_context("spawn").Process(target=_spin, daemon=True) for _ in range(count)]
    for process in busy:
        process.start()
    time.sleep(0.5 if busy else 0)
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.join()


class Embedder:
    """A build that embeds when asked."""

    def __init__(self, root: Path, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"ROOT = {str(root)!r}\n{EMBEDDER}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=_environment(home),
        )

    def seconds(self, name: str, shape: str) -> tuple[float, float]:
        """By the clock, and of processor time in all threads."""
        count, seconds = SHAPES[shape]
        self._process.stdin.write(f"{name} {count} {seconds}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("took"):
                return tuple(map(float, line.split()[1:]))
        raise RuntimeError("a build ended by itself; its error is above")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _environment(home: Path) -> dict[str, str]:
    """As it is, without what would decide about threads for the builds."""
    ours = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOMP_SPINCOUNT"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"MIRDEMO_HOME": str(home), "GRADIO_TEMP_DIR": str(home / "gradio"), "HF_HUB_OFFLINE": "1"}


def embedding(roots: dict[str, Path], names: list[str], turns: int, scratch: Path) -> list[dict[str, object]]:
    """One row a backbone and shape."""
    cores = os.cpu_count() or 1
    builds = {side: Embedder(root, scratch / side) for side, root in roots.items()}
    rows = []
    try:
        for name in names:
            for shape in SHAPES:
                took = {(side, busy): [] for side in builds for busy in (False, True)}
                burnt = {side: [] for side in builds}
                for build in builds.values():
                    build.seconds(name, shape)  # the first only loads and warms up
                for turn in range(turns):
                    for busy in (False, True):
                        with neighbours(cores if busy else 0):
                            order = list(builds) if turn % 2 else list(builds)[::-1]
                            for side in order:
                                clock, processor = builds[side].seconds(name, shape)
                                took[side, busy].append(clock)
                                burnt[side].append(processor)
                row: dict[str, object] = {"backbone": name, "clips": shape, "turns": turns}
                for side in builds:
                    quiet = statistics.median(took[side, False])
                    row[side] = {
                        "quiet_s": round(quiet, 4),
                        "least_processor_s": round(min(burnt[side]), 4),
                        "busy_over_quiet": round(statistics.median(took[side, True]) / quiet, 2),
                        "worst_over_quiet": round(max(took[side, True]) / quiet, 2),
                    }
                pairs = zip(took["old", False], took["new", False], strict=True)
                row["quiet_old_over_new"] = round(statistics.median(old / new for old, new in pairs), 2)
                rows.append(row)
                print(json.dumps(row), flush=True)
    finally:
        for build in builds.values():
            build.close()
    return rows


def _sound(seed: int) -> bytes:
    """Two seconds of a tone in noise, as a WAV file."""
    import soundfile

    rng, rate = np.random.default_rng(seed), 22_050
    time_axis = np.arange(2 * rate) / rate
    wave = 0.3 * np.sin(2 * np.pi * (220 + 110 * (seed % 2)) * time_axis) + 0.03 * rng.standard_normal(
        2 * rate
    )
    file = io.BytesIO()
    soundfile.write(file, wave.astype(np.float32), rate, format="WAV")
    return file.getvalue()


class Page:
    """A build's page, running."""

    def __init__(self, root: Path, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/gradio_api"
        surroundings = _environment(home) | {
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_SERVER_NAME": "127.0.0.1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=root, env=surroundings, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.5)
        raise RuntimeError("the page did not start")

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(row.split()[1]) * 1024 for row in status.splitlines() if row.startswith("VmRSS"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


async def _call(client, url: str, support: list[bytes], sheet: str, query: bytes) -> bool:
    """One call of ``/tag`` as gradio's clients make it: upload, ask, wait. True for an answer that holds tags."""
    files = [("files", (f"s{i}.wav", sound)) for i, sound in enumerate(support)]
    paths = (await client.post(f"{url}/upload", files=[*files, ("files", ("query.wav", query))])).json()
    names = [*(f"s{i}.wav" for i in range(len(support))), "query.wav"]
    sent = [
        {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        for path, name in zip(paths, names, strict=True)
    ]
    body = {"data": [sent[:-1], sheet, sent[-1], BACKBONE, "", "en"]}
    event = (await client.post(f"{url}/call/tag", json=body)).json()["event_id"]
    text = (await client.get(f"{url}/call/tag/{event}")).text
    return "event: complete" in text and '"tags"' in text


async def _load(url: str, clients: int, seconds: float) -> dict[str, object]:
    import httpx

    lines = [f"s{i}.wav,{'ab'[i % 2]},r{i}" for i in range(SUPPORT)]
    sheet = "\n".join(["file,tags,recording", *lines])
    waits: list[float] = []
    begun: dict[int, float] = {}
    failed = 0

    async def caller(number: int, client) -> None:
        nonlocal failed
        support = [_sound(10_000 * (number + 1) + seed) for seed in range(SUPPORT)]
        for turn in itertools.count(100):
            begun[number] = time.monotonic()
            failed += not await _call(client, url, support, sheet, _sound(10_000 * (number + 1) + turn))
            waits.append(time.monotonic() - begun.pop(number))

    async with httpx.AsyncClient(timeout=600, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        first = [_sound(seed) for seed in range(SUPPORT)]
        await _call(client, url, first, sheet, _sound(100))  # loads the backbone
        callers = asyncio.gather(*(caller(number, client) for number in range(clients)))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(callers, seconds)
    # Who was still waiting had waited at least so long.
    every = [*waits, *(time.monotonic() - since for since in begun.values())]
    return {
        "answers": len(waits),
        "answers_per_s": round(len(waits) / seconds, 2),
        "p95_s": round(float(np.quantile(every, 0.95)), 2),
        "median_s": round(statistics.median(every), 2),
        "still_waiting": len(begun),
        "failed": failed,
    }


def tagging(roots: dict[str, Path], clients: int, seconds: float, scratch: Path) -> list[dict[str, object]]:
    """Quiet and busy, the sides in turn; one page at a time."""
    rows = []
    for busy in (False, True):
        row: dict[str, object] = {"endpoint": "/tag", "clients": clients, "seconds": seconds, "busy": busy}
        for side, root in roots.items():
            page = Page(root, scratch / side)
            try:
                with neighbours((os.cpu_count() or 1) if busy else 0):
                    found = asyncio.run(_load(page.url, clients, seconds))
                row[side] = found | {"load": os.getloadavg()[0], "resident_mb": round(page.memory() / 1e6)}
            finally:
                page.close()
        if row["old"]["answers"]:  # else there is no ratio
            row["answers_ratio"] = round(row["new"]["answers"] / row["old"]["answers"], 2)
        row["p95_ratio"] = round(row["new"]["p95_s"] / row["old"]["p95_s"], 3)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, required=True, help="the folder of the build to compare with")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--backbones", nargs="*", default=[*EMBEDDED, "mert-95m"])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--tag-seconds", type=float, default=20.0, help="0: leave /tag out")
    asked = parser.parse_args()
    roots = {"old": asked.old.resolve(), "new": ROOT}
    print(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()}), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        if asked.backbones:
            embedding(roots, asked.backbones, asked.turns, Path(scratch))
        if asked.tag_seconds:
            tagging(roots, asked.clients, asked.tag_seconds, Path(scratch))
    print(json.dumps({"load": os.getloadavg()}))


if __name__ == "__main__":
    main()
