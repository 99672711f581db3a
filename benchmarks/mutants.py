"""Would the tests notice? One-line faults drawn at random, each tried on the tests that are likeliest to see it first.

    python -m benchmarks.mutants [--n 100] [--seed 0] [--folder DIR] [--minutes 5] [--limit 90]

Works in a copy of the checkout, never in the checkout itself. A fault is drawn in two steps: a file of ``mirdemo/`` outside
``web/`` and ``bulk/`` (whose tests need a browser and a cluster), by its lines, and a place in one of its functions: a
comparison turned or its edge moved, an operator exchanged, a number one larger, and for or, a ``not`` taken away, True for
False, min for max. The tests run in this order until one fails: those of the room's mirrored folder that name the function at
fault or one that calls it, the others of files that name its module, the house's rules, files elsewhere that name the module or
have such a function from its package, the room's other files, and those named after modules that import it. A test that fails
on the sound file, too, is left out and said.

One process imports the libraries once and forks for each fault, so that what is paid for is the tests. ``--limit`` is in
seconds of the processor; what no test saw until then counts as survived, and one test that ran for most of it (a loop without
end) is in neither number. Prints each fault with its answer, and the share caught with its 90 % interval (Wilson). Survivors
are to be read: some change nothing that anybody could see.

With ``--minutes`` it begins no new fault after so long. Called again with the same folder it goes on where it was, on the
copy that was made first.
"""

from __future__ import annotations

import argparse
import ast
import copy
import inspect
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Of the clock, for a test that waits for something that never comes; while this process is stopped it is not counted.
WAITS = 400
#: Of memory that a fault's tests may take: one that makes a length of a million times as many would end everything beside it.
MOST_BYTES = 8 << 30
#: A test that began so long before the limit, as a share of it, is what did not end.
ENDLESS = 0.5
#: Whose tests drive a browser or start a cluster.
LEFT_OUT = ("web", "bulk")
#: pytest's exit status where all tests were skipped or left out: nobody noticed anything.
NONE_RAN = 5
OPTIONS = ("-x", "-p", "no:cacheprovider", "-m", "not browser")
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


def mirrored(root: Path, path: Path, names: set[str]) -> list[list[Path]]:
    """Test files that are to notice a fault in this file: of its room those that name its module or one of ``names``, the
    house's rules, files elsewhere that name the module or have one of ``names`` from its package, the room's others."""
    parts = path.with_suffix("").parts[1:]
    tests = root / "tests"
    folder = tests / Path(*parts[:-1])
    while not list(folder.glob("test_*.py")):
        folder = folder.parent
    room = sorted(folder.glob("test_*.py") if folder == tests else folder.rglob("test_*.py"))
    own = ".".join(["mirdemo", *parts]).removesuffix(".__init__")
    inside = f"from {own.rpartition('.')[0]} import {parts[-1]}"
    package = f"from {own.rpartition('.')[0]} import "
    every = [f for f in sorted(tests.rglob("test_*.py")) if f.relative_to(tests).parts[0] != "browser"]
    naming = [
        f
        for f in every
        if f.stem == f"test_{parts[-1]}" or any(n in f.read_text(encoding="utf-8") for n in (own, inside))
    ]
    texts = {f: f.read_text(encoding="utf-8") for f in every if f not in naming and f not in room}
    naming += [f for f, text in texts.items() if package in text and _any_of(names).search(text)]
    naming.sort(key=lambda f: f.stem != f"test_{parts[-1]}")
    rules = [tests / "test_contracts.py"]
    likely = [f for f in naming if f in room]
    likely += [f for f in room if f not in naming and _any_of(names).search(f.read_text(encoding="utf-8"))]
    rest = [f for f in room if f not in likely and f not in rules]
    known = {*likely, *rest, *naming, *rules}
    return [
        [f for f in likely if f not in rules],
        rules,
        [f for f in naming if f not in room and f not in rules],
        rest,
        [f for f in _of_importers(root, own, inside) if f in every and f not in known],
    ]


def _of_importers(root: Path, own: str, inside: str) -> list[Path]:
    """Test files of the modules that import this one from another folder."""
    found = []
    for file in sorted((root / "mirdemo").rglob("*.py")):
        if own.rpartition(".")[0] == ".".join(file.relative_to(root).parts[:-1]):
            continue
        if any(f"{line} " in file.read_text(encoding="utf-8") for line in (f"from {own}", inside)):
            parts = file.relative_to(root / "mirdemo").parts
            found += sorted((root / "tests" / Path(*parts[:-1])).glob(f"*{file.stem}*.py"))
    return list(dict.fromkeys(found))


def _any_of(names: set[str]) -> re.Pattern[str]:
    return re.compile(r"\b(" + "|".join(map(re.escape, sorted(names))) + r")\b")


def callers(tree: ast.Module, line: int) -> set[str]:
    """Names of the function that holds this line, of its class, and of those of the file that lead to it."""
    bodies = {
        node: {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    found = {node.name for node in bodies if node.lineno <= line <= (node.end_lineno or 0)}
    while more := {node.name for node, names in bodies.items() if names & found} - found:
        found |= more
    return {name for name in found if not name.startswith("__")}


@dataclass(eq=False)
class Likeliest:
    """A plugin of pytest: which tests come first, which are left out, and what is written down of them.

    order: of files; names: a test whose text has one of them comes first in its file's lot
    """

    order: list[list[Path]]
    names: set[str]
    without: set[str]
    told: Path
    hub: str

    def pytest_configure(self) -> None:
        os.environ["HF_HOME"] = self.hub  # what the libraries that are loaded already go by

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list) -> None:
        """The house's own order comes before this one."""
        lots = {file: lot for lot, files in enumerate(self.order) for file in files}
        said = _any_of(self.names)

        def place(item: object) -> tuple[int, bool, bool]:
            try:
                text = inspect.getsource(item.function)
            except (AttributeError, OSError, TypeError):
                text = ""
            return lots.get(item.path, len(lots)), "fuzz" in item.path.stem, said.search(text) is None

        items[:] = sorted((item for item in items if item.nodeid not in self.without), key=place)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._say("at", nodeid)

    def pytest_collectreport(self, report: object) -> None:
        if report.failed:
            self._say("unread", report.nodeid)

    def pytest_runtest_logreport(self, report: object) -> None:
        if report.failed:
            self._say("failed", report.nodeid)

    def _say(self, word: str, nodeid: str) -> None:
        with self.told.open("a", encoding="utf-8") as file:
            file.write(f"{word} {time.process_time():.1f} {nodeid}\n")


def prepare(root: Path) -> str:
    """Load what the tests stand on, but nothing of the checkout. Returns the folder that stands for the Hub's cache."""
    import runpy

    runpy.run_path(
        str(root / "tests" / "conftest.py")
    )  # the surroundings that it chooses, before the libraries
    import av
    import plotly.graph_objects
    import scipy.linalg
    import scipy.signal
    import sklearn.linear_model
    import sklearn.metrics
    import torch
    from transformers import ASTModel, ClapModel, HubertModel

    del av, plotly, scipy, sklearn, torch, ASTModel, ClapModel, HubertModel
    return os.environ["HF_HOME"]


def run(root: Path, files: list[str], plugin: Likeliest, limit: float) -> tuple[int | None, list[list[str]]]:
    """pytest's exit status in a fork of this process, None where the limit ended it; and what it told, line by line."""
    plugin.told.write_text("", encoding="utf-8")
    child = os.fork()
    if child == 0:
        heard = os.open(root.parent / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(heard, 1)
        os.dup2(heard, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
        os.chdir(root)
        sys.path[0] = str(root)
        for name in [n for n in sys.modules if n.partition(".")[0] == "benchmarks"]:
            del sys.modules[name]  # the tests' is the copy's
        code = 70
        try:
            code = int(pytest.main([*OPTIONS, *files], [plugin]))
        finally:
            os._exit(code)
    waited = 0.0
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        time.sleep(0.1)
        waited += 0.1
        if waited > WAITS:
            os.kill(child, signal.SIGKILL)
            done = os.waitpid(child, 0)
            break
    told = [line.split(" ", 2) for line in plugin.told.read_text(encoding="utf-8").splitlines()]
    return (os.WEXITSTATUS(done[1]) if os.WIFEXITED(done[1]) else None), told


def wilson(k: int, n: int, z: float = 1.645) -> tuple[float, float]:
    middle, half = k / n + z * z / 2 / n, z * math.sqrt(k / n * (1 - k / n) / n + z * z / 4 / n / n)
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def tried(root: Path, path: Path, line: int, text: str, hub: str, limit: float) -> tuple[str, str]:
    """(what the tests said of this text in the file's place, which test, or what was left out).

    The likeliest files first and alone: reading all the others takes longer than most of their tests.
    """
    sound = (root / path).read_text(encoding="utf-8")
    (root.parent / "whole").write_text(f"{path}\n{sound}", encoding="utf-8")
    names = callers(ast.parse(sound), line)
    order = mirrored(root, path, names)
    without: set[str] = set()
    told = root.parent / "told"

    def asked(
        lots: list[list[Path]], whole: str, without: set[str], *more: str
    ) -> tuple[int | None, list[list[str]]]:
        (root / path).write_text(whole, encoding="utf-8")
        files = list(more) or [str(f.relative_to(root)) for lot in lots for f in lot]
        return run(root, files, Likeliest(lots, names, without, told, hub), limit)

    try:
        lots = order[:1] if order[0] else order
        while True:
            code, said = asked(lots, text, without)
            failed = [name for word, _, name in said if word == "failed"]
            if code in (0, NONE_RAN):
                if lots[-1] is order[-1]:
                    return "SURVIVED", " ".join(sorted(without))
                lots = order[1:]
            elif code is None:
                since = float(said[-1][1]) if said else 0.0
                return ("too long" if since < (1 - ENDLESS) * limit else "SURVIVED"), f"limit, at {said[-1:]}"
            elif failed:
                if asked(lots, sound, set(), failed[0])[0] == 0:
                    return "caught", failed[0]
                without.add(failed[0])
            elif not any(word == "unread" for word, _, _ in said):
                raise RuntimeError(
                    f"pytest ended with {code}: {(root.parent / 'output').read_text()[-2000:]}"
                )
            else:
                if (
                    asked(lots, sound, without, *(str(f) for lot in lots for f in lot), "--collect-only")[0]
                    != 0
                ):
                    raise RuntimeError(f"{path}: its tests cannot be read as they are")
                return "caught", "what cannot be imported"
    finally:
        restore(root)


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
    asked.add_argument("--limit", type=float, default=90, help="seconds of the processor for each fault")
    given = asked.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    root, answers = folder / "mirdemo", folder / f"answers-{given.seed}.jsonl"
    if not root.exists():
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    restore(root)
    lines = answers.read_text(encoding="utf-8").splitlines() if answers.exists() else []
    words = [json.loads(line)["answer"] for line in lines]
    hub = prepare(root)
    until = time.monotonic() + 60 * given.minutes
    for number, (path, line, old, new, text) in enumerate(drawn(root, given.n, given.seed)):
        if number < len(lines):
            continue
        if time.monotonic() > until:
            break
        word, by = tried(root, path, line, text, hub, given.limit)
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
