"""Would the tests notice? One-line faults drawn at random, each tried on the tests that mirror the file it is in.

    python -m benchmarks.mutants [--n 100] [--seed 0] [--folder DIR] [--minutes 5] [--before "nice -n 5"]

Works in a copy of the checkout, never in the checkout itself. A fault is drawn in two steps: a file of ``mirdemo/`` outside
``web/`` and ``bulk/`` (whose tests need a browser and a cluster), by its lines, and a place in one of its functions: a
comparison turned or its edge moved, an operator exchanged, a number one larger, and for or, a ``not`` taken away, True for
False, min for max. Run are, with a limit of time each: the test files of the room's mirrored folder that name the module, the
one of its own name first, with the house's rules; where they see nothing, the folder's others. Prints each fault with its
answer, and the share caught with its 90 % interval (Wilson); runs that took too long are in neither number. Survivors are
to be read: some change nothing that anybody could see.

With ``--minutes`` it begins no new fault after so long. Called again with the same folder it goes on where it was, on the
copy that was made first.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import math
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Of one run of the tests.
SECONDS = 120
#: Whose tests drive a browser or start a cluster.
LEFT_OUT = ("web", "bulk")
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


def drawn(root: Path, n: int, seed: int) -> Iterator[tuple[Path, int, str, str, str]]:
    """(file, line, the expression, the fault, the whole new text) of so many faults, each place once."""
    rng = random.Random(seed)
    package = root / "mirdemo"
    files = [p for p in sorted(package.rglob("*.py")) if p.relative_to(package).parts[0] not in LEFT_OUT]
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
        yield path.relative_to(root), node.lineno, old, said, "\n".join(lines)


def mirrored(root: Path, path: Path) -> tuple[list[Path], list[Path]]:
    """Test files that are to notice a fault in this file: those that name its module, the one of its name first, and the
    others of its room."""
    parts = path.with_suffix("").parts[1:]
    folder = root / "tests" / Path(*parts[:-1])
    while not list(folder.glob("test_*.py")):
        folder = folder.parent
    files = sorted(folder.glob("test_*.py") if folder == root / "tests" else folder.rglob("test_*.py"))
    own = ".".join(["mirdemo", *parts]).removesuffix(".__init__")
    inside = f"from {own.rpartition('.')[0]} import {parts[-1]}"
    naming = [
        f
        for f in files
        if any(name in f.read_text(encoding="utf-8") for name in (own, inside))
        or f.stem == f"test_{parts[-1]}"
    ]
    naming.sort(key=lambda f: f.stem != f"test_{parts[-1]}")
    rules = [root / "tests" / "test_contracts.py"]
    return [*naming, *rules], [f for f in files if f not in (*naming, *rules)]


def wilson(k: int, n: int, z: float = 1.645) -> tuple[float, float]:
    middle, half = k / n + z * z / 2 / n, z * math.sqrt(k / n * (1 - k / n) / n + z * z / 4 / n / n)
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def tried(root: Path, path: Path, text: str, before: str) -> tuple[str, str]:
    """(what the tests said of this text in the file's place, which tests)."""
    command = [*shlex.split(before), "timeout", str(SECONDS), sys.executable, "-m", "pytest", "-x", "-q"]
    command += ["-p", "no:cacheprovider", "-m", "not browser"]
    kept = root.parent / "whole"
    kept.write_text(f"{path}\n{(root / path).read_text(encoding='utf-8')}", encoding="utf-8")
    (root / path).write_text(text, encoding="utf-8")
    code, by = 0, ""
    for files in mirrored(root, path):
        if files and code == 0:
            by = " ".join(str(f.relative_to(root)) for f in files)
            code = subprocess.run([*command, *by.split()], cwd=root, capture_output=True).returncode
            code = 0 if code == NONE_RAN else code
    restore(root)
    return {0: "SURVIVED", 124: "too long"}.get(code, "caught"), by


def restore(root: Path) -> None:
    """Put the file back that was tried last, also where that run was cut off."""
    kept = root.parent / "whole"
    if kept.exists():
        path, _, text = kept.read_text(encoding="utf-8").partition("\n")
        (root / path).write_text(text, encoding="utf-8")
        kept.unlink()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--n", type=int, default=100)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument(
        "--folder", type=Path, help="where the copy and the answers lie; default: a temporary one"
    )
    asked.add_argument("--minutes", type=float, default=math.inf, help="begin no new fault after so long")
    asked.add_argument("--before", default="", help="put before each run of the tests")
    given = asked.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    root, answers = folder / "mirdemo", folder / f"answers-{given.seed}.jsonl"
    if not root.exists():
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    restore(root)
    lines = answers.read_text(encoding="utf-8").splitlines() if answers.exists() else []
    words = [json.loads(line)["answer"] for line in lines]
    until = time.monotonic() + 60 * given.minutes
    for number, (path, line, old, new, text) in enumerate(drawn(root, given.n, given.seed)):
        if number < len(lines):
            continue
        if time.monotonic() > until:
            break
        word, by = tried(root, path, text, given.before)
        said = {"answer": word, "file": str(path), "line": line, "was": old, "is": new, "tests": by}
        with answers.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said, ensure_ascii=False) + "\n")
        words.append(word)
        print(f"{word:8} {path}:{line}  {old}  ->  {new}   [{by}]", flush=True)
    caught, known = words.count("caught"), len(words) - words.count("too long")
    if known:
        low, high = wilson(caught, known)
        print(f"{caught} of {known} caught: {caught / known:.0%} (90 %: {low:.0%} to {high:.0%})")
    print(f"{len(words)} of {given.n} tried, {words.count('too long')} took too long")
    if not given.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
