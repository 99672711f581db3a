"""Would the tests notice? One-line faults drawn at random, each tried on the tests that mirror the file it is in.

    python -m benchmarks.mutants [--n 100] [--seed 0] [--folder DIR] [--before "nice -n 5"]

Works in a copy of the checkout, never in the checkout itself. A fault is drawn in two steps: a file of ``mirdemo/`` outside
``web/``, by its lines, and a place in one of its functions: a comparison turned or its edge moved, an operator exchanged, a
number one larger, and for or, a ``not`` taken away, True for False, min for max. Run are the test files of the room's mirrored
folder that name the module; where they see nothing, the folder's others. Prints each fault with its answer, and the share
caught with its 90 % interval (Wilson); runs that took too long are in neither number. Survivors are to be read: some change
nothing that anybody could see.
"""

from __future__ import annotations

import argparse
import ast
import copy
import math
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Of one run of the tests.
SECONDS = 300
#: pytest's exit status where all tests were skipped or left out: nobody noticed anything.
NONE_RAN = 5
_TURNED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "argmax": "argmin",
    "argmin": "argmax",
    "sum": "max",
}


def mutated(node: ast.expr) -> ast.expr | None:
    """The same expression with a fault in it; None for what is left as it is."""
    new = copy.deepcopy(node)
    if isinstance(new, ast.Compare) and type(new.ops[0]) in _TURNED:
        new.ops[0] = _TURNED[type(new.ops[0])]()
    elif isinstance(new, (ast.BinOp, ast.BoolOp)) and type(new.op) in _TURNED:
        if isinstance(new, ast.BinOp) and any(
            isinstance(n, (ast.JoinedStr, ast.Constant)) and isinstance(getattr(n, "value", ""), str)
            for n in (new.left, new.right)
        ):
            return None
        new.op = _TURNED[type(new.op)]()
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.Not):
        return new.operand
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        new.value = not new.value
    elif isinstance(new, ast.Constant) and isinstance(new.value, (int, float)):
        new.value = new.value + 1
    elif isinstance(new, ast.Call) and isinstance(new.func, ast.Name) and new.func.id in _NAMES:
        new.func.id = _NAMES[new.func.id]
    elif isinstance(new, ast.Call) and isinstance(new.func, ast.Attribute) and new.func.attr in _NAMES:
        new.func.attr = _NAMES[new.func.attr]
    else:
        return None
    return new


def places(tree: ast.Module) -> Iterator[ast.expr]:
    """Expressions on one line of a function's body, annotations left out."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stack: list[ast.AST] = list(function.body)
            while stack:
                node = stack.pop()
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.JoinedStr)):
                    continue
                if isinstance(node, ast.AnnAssign):
                    stack += [node.value] if node.value else []
                    continue
                if (
                    isinstance(node, ast.expr)
                    and node.lineno == node.end_lineno
                    and mutated(node) is not None
                ):
                    yield node
                stack += ast.iter_child_nodes(node)


def drawn(n: int, seed: int) -> Iterator[tuple[Path, int, str, str, str]]:
    """(file, line, the expression, the fault, the whole new text) of so many faults, each place once."""
    rng = random.Random(seed)
    files = [p for p in sorted((ROOT / "mirdemo").rglob("*.py")) if "web" not in p.relative_to(ROOT).parts]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    seen = set()
    while len(seen) < n:
        (path,) = rng.choices(files, [texts[p].count("\n") for p in files])
        found = list(places(ast.parse(texts[path])))
        if not found:
            continue
        node = rng.choice(found)
        if (path, node.lineno, node.col_offset, node.end_col_offset) in seen:
            continue
        seen.add((path, node.lineno, node.col_offset, node.end_col_offset))
        new = mutated(node)
        assert new is not None
        assert node.end_col_offset is not None
        lines = texts[path].split("\n")
        line = lines[node.lineno - 1].encode()  # columns count bytes
        old, said = line[node.col_offset : node.end_col_offset].decode(), f"({ast.unparse(new)})"
        lines[node.lineno - 1] = (
            line[: node.col_offset] + said.encode() + line[node.end_col_offset :]
        ).decode()
        yield path.relative_to(ROOT), node.lineno, old, said, "\n".join(lines)


def mirrored(path: Path) -> tuple[list[Path], list[Path]]:
    """Test files that are to notice a fault in this file: those that name its module, and the others of its room."""
    parts = path.with_suffix("").parts[1:]
    folder = ROOT / "tests" / Path(*parts[:-1])
    while not list(folder.glob("test_*.py")):
        folder = folder.parent
    files = sorted(folder.glob("test_*.py") if folder == ROOT / "tests" else folder.rglob("test_*.py"))
    own = ".".join(["mirdemo", *parts]).removesuffix(".__init__")
    inside = f"from {own.rpartition('.')[0]} import {parts[-1]}"
    naming = [
        f
        for f in files
        if any(name in f.read_text(encoding="utf-8") for name in (own, inside))
        or f.stem == f"test_{parts[-1]}"
    ]
    return naming, [f for f in files if f not in naming]


def wilson(k: int, n: int, z: float = 1.645) -> tuple[float, float]:
    middle, half = k / n + z * z / 2 / n, z * math.sqrt(k / n * (1 - k / n) / n + z * z / 4 / n / n)
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--n", type=int, default=100)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--folder", type=Path, help="where the copy lies; default: a temporary folder")
    asked.add_argument("--before", default="", help="put before each run of the tests")
    given = asked.parse_args()
    copied = Path(given.folder or tempfile.mkdtemp()) / "mirdemo"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    command = [
        *shlex.split(given.before),
        "timeout",
        str(SECONDS),
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
    ]
    command += ["-p", "no:cacheprovider", "-m", "not browser"]
    caught = tried = 0
    for path, line, old, new, text in drawn(given.n, given.seed):
        whole = (copied / path).read_text(encoding="utf-8")
        (copied / path).write_text(text, encoding="utf-8")
        code, by = 0, ""
        for files in mirrored(path):
            if files and code == 0:
                by = " ".join(str(f.relative_to(ROOT)) for f in files)
                code = subprocess.run([*command, *by.split()], cwd=copied, capture_output=True).returncode
                code = 0 if code == NONE_RAN else code
        (copied / path).write_text(whole, encoding="utf-8")
        word = {0: "SURVIVED", 124: "too long"}.get(code, "caught  ")
        tried, caught = tried + (code != 124), caught + (code not in (0, 124))
        print(f"{word} {path}:{line}  {old}  ->  {new}   [{by}]", flush=True)
    low, high = wilson(caught, tried)
    print(f"{caught} of {tried} caught: {caught / tried:.0%} (90 %: {low:.0%} to {high:.0%})")
    if not given.folder:
        shutil.rmtree(copied.parent)


if __name__ == "__main__":
    main()
