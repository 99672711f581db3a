"""Do the figures, intervals and words hold? Rates in simulated worlds whose truth is known, today's build beside an older.

    python -m benchmarks.truth [PART ...] [--collections 300] [--against 5e8638c] [--only TEXT] [--json FILE]

PART: modules of ``benchmarks/truths`` (default: all). Each is run twice with the same seeds, in processes of their own:
with this checkout's ``mirdemo`` and with that of the commit ``--against``, which ``git archive`` unpacks into a folder
that goes again (``--against ""``: today's alone). Prints a table a part: a row a design, today's rate, the older one's,
each with its Monte-Carlo standard error. ``--only``: rows whose name holds the text. Nothing is timed.

To add a part: ``benchmarks/truths/NAME.py`` with ``rates(collections) -> Iterator[Rate]``, see ``benchmarks/truths``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HELPERS = ("__init__", "worlds")


def parts() -> list[str]:
    """Names of the parts there are."""
    return sorted(
        path.stem for path in (ROOT / "benchmarks" / "truths").glob("*.py") if path.stem not in HELPERS
    )


def answer(part: str, collections: int) -> None:
    """One part's rates as lines of JSON, with whichever ``mirdemo`` is found first."""
    for rate in import_module(f"benchmarks.truths.{part}").rates(collections):
        print(json.dumps(asdict(rate)), flush=True)


def asked(part: str, collections: int, build: Path) -> Iterator[dict]:
    """The rates of a part in a process of its own, with the ``mirdemo`` that lies in ``build``."""
    path = os.pathsep.join([str(build), str(ROOT)])
    command = [sys.executable, __file__, part, "--collections", str(collections), "--answer"]
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, cwd=build, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            yield json.loads(line)
    finally:
        process.terminate()
        process.wait()
    if process.returncode > 0:
        raise SystemExit(f"{part} failed with the build in {build}")


def unpack(commit: str, folder: Path) -> None:
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, "mirdemo", "assets"], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


def shown(rate: dict | None) -> str:
    if rate is None:
        return f"{'–':>16}"
    by, unit = (100, " %") if rate["percent"] else (1, "")
    digits = 1 if rate["percent"] else 3
    return f"{by * rate['value']:8.{digits}f}{unit} ± {by * rate['error']:.{digits}f}"


def show(part: str, today: list[dict], before: list[dict], only: str) -> None:
    """The table of a part. The truth may differ a little between builds, so cells are paired by their order."""
    print(f"\n{part}: today | before (± one Monte-Carlo standard error)")
    earlier = dict(enumerate(before))
    cell = None
    for i, rate in enumerate(today):
        if only and only not in f"{rate['cell']} {rate['name']}":
            continue
        if rate["cell"] != cell:
            cell = rate["cell"]
            print(cell)
        print(f"    {rate['name']:40} {shown(rate):>20} | {shown(earlier.get(i)):>20}   n = {rate['n']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts())}")
    parser.add_argument("--collections", type=int, default=300)
    parser.add_argument("--against", default="5e8638c", metavar="COMMIT")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = set(given.parts) - set(parts())
    if unknown:
        parser.error(f"no part named {', '.join(sorted(unknown))}; there are {', '.join(parts())}")
    if given.answer:
        for part in given.parts:
            answer(part, given.collections)
        return
    kept = {}
    with tempfile.TemporaryDirectory() as folder:
        if given.against:
            unpack(given.against, Path(folder))
        for part in given.parts or parts():
            today = list(asked(part, given.collections, ROOT))
            before = list(asked(part, given.collections, Path(folder))) if given.against else []
            show(part, today, before, given.only)
            kept[part] = {"today": today, "before": before}
    if given.json:
        given.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
