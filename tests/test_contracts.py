"""The house's rules, read from the code: imports run downwards only, and one thing has one home.

What breaks a rule today stands in a list below. A list may only shrink: whoever mends an entry strikes it, and a test
fails until that is done.
"""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: (module, what it imports from a room above its own)
UPWARDS: set[tuple[str, str]] = set()

#: Quantiles outside scoring/ and results/bias.py.
QUANTILES = {
    "mirdemo.stages.fewshot.extrapolation",
    "mirdemo.stages.fewshot.learning_curve",
}
RENAMES: set[str] = set()
FAMILIES = {
    "mirdemo.commands.backbones",
    "mirdemo.web.tabs.finetune.outlook",
}
RESULTS = {"mirdemo.web.tabs.evidence.yours"}

#: Lines of a function, its signature and docstring among them, that nobody needs to scroll for.
LINES = 80
#: (module, function) that is longer -> its lines. What it has to say of its arguments is most of each.
LONG = {
    ("mirdemo.stages.finetuning", "fine_tune"): 100,
    ("mirdemo.stages.probing", "probe"): 112,
}


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted((ROOT / "mirdemo").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All of it: what every rule walks through."""
    return tuple(ast.walk(tree))


def room(module: str) -> str:
    return [*module.split("."), ""][1]


def imports(module: str) -> Iterator[str]:
    """Modules of mirdemo that this one imports, wherever in it and be it for types only."""
    for node in nodes(modules()[module]):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == "mirdemo")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by dots; name the module in full"
            if node.module and node.module.split(".")[0] == "mirdemo":
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield inner if inner in modules() else node.module


@cache
def levels() -> dict[str, int]:
    """Room -> its level, as the page of the house says."""
    (line,) = [
        x
        for x in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
        if x.startswith("    base <")
    ]
    return {name.strip(): i for i, step in enumerate(line.split("<")) for name in step.split(",")}


def calls(module: str) -> Iterator[tuple[ast.expr, str, ast.Call]]:
    """(receiver, method, call) of each call of an attribute."""
    for node in nodes(modules()[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.value, node.func.attr, node


# ---- downwards only -------------------------------------------------------------------------------------


def test_every_room_has_its_level():
    rooms = {room(name) for name in modules()} - {"", "cli", "__main__"}
    assert rooms <= set(levels())


def test_imports_run_downwards_only():
    against = {
        (name, other)
        for name in modules()
        for other in imports(name)
        if room(name) in levels() and room(other) in levels() and levels()[room(other)] > levels()[room(name)]
    }
    assert against == UPWARDS


def in_order(arrows: dict[str, set[str]]) -> None:
    """Fails, naming the circle, where these arrows go round."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_rooms_make_no_circle():
    arrows: dict[str, set[str]] = {}
    for name in modules():
        for other in imports(name):
            if (name, other) not in UPWARDS and room(name) and room(other) not in ("", room(name)):
                arrows.setdefault(room(name), set()).add(room(other))
    in_order(arrows)


def test_files_make_no_circle():
    """Be it for types only: two files that need each other are one, or need a third."""
    in_order({name: {o for o in imports(name) if o in modules() and o != name} for name in modules()})


def test_only_the_page_knows_gradio():
    def knows(tree: ast.Module) -> bool:
        names = [a.name for n in nodes(tree) if isinstance(n, ast.Import) for a in n.names]
        names += [n.module or "" for n in nodes(tree) if isinstance(n, ast.ImportFrom)]
        return any(n.split(".")[0] == "gradio" for n in names)

    assert {room(name) for name, tree in modules().items() if knows(tree)} == {"web"}


@pytest.mark.parametrize(
    "named",
    [
        "import mirdemo.scoring.folds, mirdemo.scoring.intervals, mirdemo.words.language",
        "import mirdemo.sound.audio, mirdemo.clips",
        "import mirdemo.backbones, mirdemo.embedding.embed, mirdemo.embedding.store, mirdemo.embedding.whitening",
        "import mirdemo.stages.probing",
        "import mirdemo.stages.fewshot",
        "import mirdemo.stages.finetuning",
        "import mirdemo.tagger, mirdemo.results.bias, mirdemo.results.of_reports",
        "import mirdemo.cli; mirdemo.cli.parser()",
    ],
)
def test_naming_a_room_loads_no_decoder_no_torch_and_no_page(named: str):
    heavy = ("av", "soundfile", "torch", "transformers", "gradio")
    code = f"import sys\n{named}\nprint(*[m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- one home ---------------------------------------------------------------------------------------------


def test_quantiles_are_taken_in_one_room():
    """Of draws and of distributions: an interval computed elsewhere is another kind of interval."""
    names = {"quantile", "nanquantile", "percentile", "nanpercentile", "ppf", "isf", "stdtrit", "ndtri"}
    elsewhere = {
        name
        for name in modules()
        for receiver, method, _ in calls(name)
        if method in names
        and ast.unparse(receiver) != "torch"  # of sound, in the descriptors
        and room(name) != "scoring"
        and name != "mirdemo.results.bias"
    }
    assert elsewhere == QUANTILES


def test_files_are_renamed_into_place_in_one_room():
    def renames(receiver: ast.expr, method: str, call: ast.Call) -> bool:
        if ast.unparse(receiver) in ("os", "shutil"):
            return method in ("replace", "rename", "renames", "move")
        # A text's replace takes two, a data frame's rename names what it renames, a date's replace too.
        return method in ("replace", "rename") and len(call.args) == 1 and not call.keywords

    elsewhere = {n for n in modules() for call in calls(n) if renames(*call) and room(n) != "base"}
    assert elsewhere == RENAMES


def test_a_backbones_family_is_asked_for_in_one_room():
    """What others need to know of a family is a field of its spec. (A choice of the evidence has families of tags.)"""
    elsewhere = {
        name
        for name, tree in modules().items()
        for node in nodes(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "family"
        and ast.unparse(node.value) not in ("chosen", "selection")
        and room(name) != "backbones"
    }
    assert elsewhere == FAMILIES


def test_figures_become_records_in_one_room():
    def makes(tree: ast.Module) -> bool:
        taken = any(
            isinstance(n, ast.ImportFrom)
            and (n.module or "").startswith("mirdemo.results")
            and any(a.name == "Result" for a in n.names)
            for n in nodes(tree)
        )
        return taken and any(isinstance(n, ast.Call) and ast.unparse(n.func) == "Result" for n in nodes(tree))

    assert {n for n, tree in modules().items() if makes(tree) and room(n) != "results"} == RESULTS


def test_functions_can_be_seen_whole():
    found = {
        (name, node.name): (node.end_lineno or 0) - node.lineno + 1
        for name, tree in modules().items()
        for node in nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {what: lines for what, lines in found.items() if lines > LINES} == LONG


def hidden_builtins(tree: ast.Module) -> Iterator[str]:
    """``function: name`` where a comprehension has a name of its own for what the function calls elsewhere."""
    for function in nodes(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        inside = list(ast.walk(function))
        own = {
            name.id
            for made in inside
            if isinstance(made, ast.ListComp | ast.SetComp | ast.DictComp)
            for loop in made.generators
            for name in ast.walk(loop.target)
            if isinstance(name, ast.Name)
        }
        called = {
            call.func.id for call in inside if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        }
        yield from (f"line {function.lineno}: {name}" for name in own & called & set(dir(builtins)))


def test_comprehensions_hide_no_builtin_that_is_called_beside_them():
    """Python 3.12.1 takes the call for a name of its own, and raises UnboundLocalError (3.11.7 and 3.13.0 do not)."""
    found = {name: list(hidden_builtins(tree)) for name, tree in modules().items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_rules_would_notice(monkeypatch: pytest.MonkeyPatch):
    broken = ast.parse(
        "import numpy as np, os\nfrom mirdemo.web.page import serve\nfrom mirdemo.results.records import Result\n"
        "np.quantile([1], .5)\nos.replace('a', 'b')\npath.replace(other)\nspec.family\nResult(1)\n"
        "text.replace('a', 'b')\nfrom dataclasses import replace\nreplace(spec, a=1)\n"
        "def hides(ids):\n    return {id(one): [id for id in ids] for one in ids}\n"
        "def long():\n" + LINES * "    1\n"
    )
    more = {**modules(), "mirdemo.sound.new": broken}
    monkeypatch.setattr(sys.modules[__name__], "modules", lambda: more)
    for rule in (
        test_imports_run_downwards_only,
        test_quantiles_are_taken_in_one_room,
        test_files_are_renamed_into_place_in_one_room,
        test_a_backbones_family_is_asked_for_in_one_room,
        test_figures_become_records_in_one_room,
        test_rooms_make_no_circle,
        test_functions_can_be_seen_whole,
        test_comprehensions_hide_no_builtin_that_is_called_beside_them,
    ):
        with pytest.raises((AssertionError, pytest.fail.Exception), match=r"mirdemo\.sound\.new|sound"):
            rule()
    round_and_round = {
        "mirdemo.sound.new": "import mirdemo.sound.old",
        "mirdemo.sound.old": "import mirdemo.sound.new",
    }
    more = {name: ast.parse(text) for name, text in round_and_round.items()}
    with pytest.raises(pytest.fail.Exception, match=r"mirdemo\.sound\.new -> mirdemo\.sound\.old"):
        test_files_make_no_circle()


def test_the_levels_are_read():
    assert levels()["base"] == 0
    for lower, higher in pairwise(
        ["words", "sound", "backbones", "embedding", "clips", "stages", "tagger", "results"]
    ):
        assert levels()[lower] < levels()[higher]
