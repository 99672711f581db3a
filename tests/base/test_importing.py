"""Programs with threads import one thing at a time. In processes of their own, for it is set for all of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mirdemo

ROOT = Path(mirdemo.__file__).parents[1]

#: A package that imports its own module a while after it has begun, and what is imported of it meanwhile.
PACKAGE = {
    "around/__init__.py": "import time\nimport marks\nmarks.begun.set()\nmarks.other.wait(60)\ntime.sleep(0.3)\nfrom around import part\nwhole = part.half * 2\n",
    "around/part.py": "import around\nhalf = 21\n",
    "near/__init__.py": "",
    "near/deep/__init__.py": "",
    "near/deep/leaf.py": "def look():\n    from . import leaf\n    from .. import deep\n    from ..deep.leaf import look\n",
    "marks.py": "import threading\nbegun, other, hold = (threading.Event() for _ in range(3))\n",
    "slow.py": "import marks\nmarks.begun.set()\nassert marks.hold.wait(60)\nready = True\n",
}
BOTH = """
import importlib, sys, threading
from mirdemo.base import importing
if sys.argv[1] == "alone":
    importing.one_at_a_time()
    importing.one_at_a_time()
import marks
failed = []
def run(how):
    try:
        exec(how)
    except Exception as error:
        failed.append(type(error).__name__)
first = threading.Thread(target=run, args=("import around",))
first.start()
marks.begun.wait(60)
def beside(how):
    marks.other.set()
    run(how)
second = threading.Thread(target=beside, args=(sys.argv[2],))
second.start()
first.join(60), second.join(60)
print(failed, sys.modules["around"].whole if not failed else None)
"""
BESIDE = """
import asyncio, json.decoder, os, threading
from mirdemo.base import importing
importing.one_at_a_time()
import marks, near.deep.leaf
done = []
def there():
    import json.decoder
    from json import decoder, dumps
    near.deep.leaf.look()
    done.append("what is there")
async def loop():
    import colorsys
    done.append("an event loop")
def new():
    import sched
    done.append("what is new")
def begin(work):
    one = threading.Thread(target=work)
    one.start()
    return one
first = begin(lambda: __import__("slow"))
marks.begun.wait(60)
for work in (there, lambda: asyncio.run(loop())):
    begin(work).join(20)
last = begin(new)
last.join(0.3)
print(done)
if (child := os.fork()) == 0:  # where the thread that imports is not
    new()
    os._exit(done[-1:] != ["what is new"])
print(os.waitpid(child, 0)[1])
marks.hold.set()
first.join(60), last.join(60)
print(done)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("importing")
    for name, text in PACKAGE.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    return made


def told(folder: Path, code: str, *arguments: str) -> str:
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "how", ["import around.part", "from around.part import half", "importlib.import_module('around.part')"]
)
def test_two_threads_may_import_a_package_and_a_module_of_it(folder: Path, how: str):
    assert told(folder, BOTH, "alone", how) == "[] 42"
    together = (
        told(folder, BOTH, "together", how) for _ in range(5)
    )  # a busy machine may be too late for once
    assert any(said != "[] 42" for said in together), "Python does it by itself now: this can go"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes by fork here")
def test_meanwhile_only_what_is_new_waits_and_a_forked_process_does_not(folder: Path):
    before, child, after = told(folder, BESIDE).splitlines()
    assert before == "['what is there', 'an event loop']"
    assert child == "0"
    assert after == "['what is there', 'an event loop', 'what is new']"


def test_the_page_and_the_command_line_import_so(folder: Path):
    code = (
        "import builtins, runpy, sys\nsys.argv = ['mirdemo', '--help']\n{}\nprint('|', builtins.__import__)"
    )
    for begun in (
        "from mirdemo.web import page\npage._port = sys.exit\ntry:\n    page.serve()\nexcept SystemExit:\n    pass",
        "from mirdemo.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass",
    ):
        assert "_OneAtATime" in told(folder, code.format(begun)).rpartition("|")[2]
