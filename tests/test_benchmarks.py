"""Every script of ``benchmarks/`` starts in both ways that are written of them, as a path and as a module, and says what it takes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.truths.rare import TAGS, above
from benchmarks.truths.worlds import World

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))

#: Runs each script with --help in a child of its own that has nothing of ours loaded, but what is slow to load is there already.
STARTER = """
import contextlib, importlib.util, io, os, runpy, sys
for slow in ("numpy", "scipy.stats", "sklearn.linear_model", "torch", "pandas"):
    if importlib.util.find_spec(slow):
        __import__(slow)
way, root, *scripts = sys.argv[1:]
elsewhere = [path for path in sys.path[1:] if os.path.abspath(path) != root]
for script in scripts:
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    sys.argv, said = [script, "--help"], io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            if way == "path":
                sys.path[:] = [f"{root}/benchmarks", *elsewhere]
                runpy.run_path(f"{root}/benchmarks/{script}.py", run_name="__main__")
            else:
                sys.path[:] = [root, *elsewhere]
                runpy.run_module(f"benchmarks.{script}", run_name="__main__")
        outcome = "ran on"
    except SystemExit as end:
        outcome = f"ended with {end.code or 0}" if "usage:" in said.getvalue() else "said nothing"
    except BaseException as error:
        outcome = repr(error)
    print(f"{script}: {outcome}", flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="starts its children by fork")
@pytest.mark.parametrize("way", ["path", "module"])
def test_every_benchmark_says_what_it_takes(way: str, tmp_path: Path) -> None:
    where = tmp_path if way == "path" else ROOT
    asked = [sys.executable, "-c", STARTER, way, str(ROOT), *SCRIPTS]
    answer = subprocess.run(asked, cwd=where, capture_output=True, text=True, timeout=300, check=True)
    said = dict(line.split(": ", 1) for line in answer.stdout.splitlines() if ": " in line)
    assert said == dict.fromkeys(SCRIPTS, "ended with 0"), answer.stderr[-2000:]


def test_every_benchmark_that_is_written_of_is_there() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/**/*.md")]
    named = {
        (page.name, name)
        for page in pages
        for name in re.findall(r"python (?:-m )?benchmarks[./](\w+)", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert {(page, name) for page, name in named if name not in SCRIPTS} == set()


def test_mean_average_precision_of_rare_tags_by_lot_is_hardly_ever_surely_above_chance() -> None:
    """The part ``rare`` of ``benchmarks/truth.py`` on one small design."""
    world = World(20, 1, 2 / 20, strengths=(0.0,) * TAGS, layers=1)
    found = {(rate.cell.rsplit(", ", 1)[1], rate.name): rate for rate in above(world, 40)}
    assert found["average_precision", "above chance"].n == 40
    assert found["average_precision", "above chance"].value <= 0.1
    assert found["roc_auc", "above chance"].value <= 0.2
    assert found["average_precision", "chance"].value == pytest.approx(0.223, abs=0.001)


def test_a_fault_is_also_tried_on_tests_of_what_imports_its_module() -> None:
    """States on disk are the fine-tuning's, and the published protocol's tests alone fill them."""
    from benchmarks.mutants import mirrored

    file = Path("mirdemo/stages/finetuning/prefix_file.py")
    wanted = ROOT / "tests" / "stages" / "published" / "test_published_tuning.py"
    assert mirrored(ROOT, file, {"_write"})[-1] == [wanted]
