"""What an installed mirdemo holds: every file of the package, and ``assets/`` inside it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import mirdemo
from mirdemo.base.assets import ASSETS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def told() -> dict:
    """What setup.py tells setuptools. In a process of its own: setuptools changes what others import."""
    if find_spec("setuptools") is None:
        pytest.skip("setuptools is not here")
    asked = (
        "import json, runpy, setuptools\n"
        "setuptools.setup = lambda **said: print(json.dumps(said))\n"
        "runpy.run_path('setup.py')\n"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def folders(*roots: str) -> set[Path]:
    """Folders with files that git keeps, of these folders."""
    listed = subprocess.run(["git", "ls-files", *roots], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return {Path(line).parent for line in listed.stdout.splitlines()}


def test_every_folder_of_the_package_and_of_the_assets_is_installed(told: dict):
    shipped = {Path(*name.split(".")) for name in told["packages"]}
    assert folders("mirdemo") <= shipped
    inside = {Path("mirdemo") / folder for folder in folders("assets")}
    assert {f for f in inside if "." not in f.name} <= shipped
    assert told["package_dir"] == {"mirdemo.assets": "assets"}


def test_nothing_else_is_installed(told: dict):
    assert {name.split(".")[0] for name in told["packages"]} == {"mirdemo"}


def test_versions_stand_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["project"]["dynamic"]) == {"version", "dependencies", "optional-dependencies"}
    named = [project["tool"]["setuptools"]["dynamic"]["dependencies"]["file"]]
    named += [
        part["file"] for part in project["tool"]["setuptools"]["dynamic"]["optional-dependencies"].values()
    ]
    pins: dict[str, str] = {}
    for (file,) in named:
        for line in (ROOT / file).read_text().splitlines():
            if line.partition("#")[0].strip():
                package, _, pin = line.partition("==")
                assert pin, f"{file}: {line} is not pinned"
                assert package not in pins, f"{package} is pinned twice"
                pins[package] = pin
    tests = (ROOT / "tests/requirements.txt").read_text()
    assert set(re.findall(r"^-r \.\./(.+)$", tests, re.M)) == {file for (file,) in named}
    assert f"sdk_version: {pins['gradio']}\n" in (ROOT / "README.md").read_text()


def test_a_space_runs_the_python_that_all_this_is_tested_with():
    """The oldest that is promised: what runs there runs on later ones sooner than the other way round."""
    told = re.search(r'^python_version: "(.+)"$', (ROOT / "README.md").read_text(), re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert told is not None
    assert project["requires-python"] == f">={told[1]}"


def test_the_assets_are_found_where_they_lie():
    package = Path(mirdemo.__file__).parent
    assert ASSETS in (package / "assets", package.parent / "assets")
    assert (ASSETS / "results" / "published.jsonl").is_file()


def test_no_two_test_files_have_one_name():
    """pytest imports them by name: of two, the whole suite takes one, and stops at the other."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
