"""What every test stands on: a home of its own, no network, quiet libraries, nothing of the caller's surroundings."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

#: What the caller may have set for work with these libraries, or with this one. Ours to choose here, before any of
#: them is imported: they read their settings once.
_SURROUNDINGS = (
    "GRADIO_",
    "HF_",
    "HUGGINGFACE_",
    "HUGGING_FACE_",
    "MIRDEMO_",
    "RAY_",
    "SPACES_",
    "TORCH_",
    "TRANSFORMERS_",
)
_SINGLY = (
    "ACCELERATOR",
    "COLUMNS",
    "DO_NOT_TRACK",
    "FORCE_COLOR",
    "MEMORY",
    "NO_COLOR",
    "PYTHONWARNINGS",
    "SYSTEM",
    "SPACE_ID",
    "XDG_CACHE_HOME",
)
#: Said to the tests themselves: a folder of the caller's own recordings to try as well, and how much damage to try.
_KEPT = ("MIRDEMO_TEST_RECORDINGS", "MIRDEMO_TEST_MUTATIONS")

for _name in [n for n in os.environ if n.upper().startswith(_SURROUNDINGS) or n in _SINGLY]:
    if _name not in _KEPT:
        del os.environ[_name]
for _name in [n for n in os.environ if n.lower().endswith("_proxy")]:
    del os.environ[_name]  # the tests' own servers listen on this machine; nothing else is asked
# An empty cache: whether a backbone is here does not depend on what the caller has fetched.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="mirdemo-tests-")
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # the work of a test is small: threads would only wait for each other
# Else a cluster's workers stand still while other tests have the cores.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - so Ray calls it
os.environ["MIRDEMO_ENGINE"] = "torch"  # a conversion takes seconds; what tests the other engine asks for it
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

_HERE = Path(__file__).parent
#: Files of ten seconds and more, the longest first. They come before the others: begun last, one would keep its worker busy
#: while the other has nothing left.
LONG = (
    "browser/test_acts_in_browser.py",
    "browser/test_cut_in_browser.py",
    "bulk/test_bulk.py",
    "web/test_killed.py",
    "browser/test_walk_in_browser.py",
    "browser/test_page_in_browser.py",
    "browser/test_evidence_in_browser.py",
    "web/test_zerogpu.py",
    "web/test_finetune_tab.py",
    "web/test_told_everywhere.py",
    "backbones/test_families.py",
    "web/test_hosting.py",
    "backbones/test_engine.py",
    "browser/test_long_in_browser.py",
    "browser/test_sorting_in_browser.py",
    "web/test_hostile.py",
    "browser/test_panel_walk_in_browser.py",
    "browser/test_plan_in_browser.py",
    "stages/probing/test_coverage.py",
    "browser/test_visit_in_browser.py",
    "browser/test_probe_in_browser.py",
    "browser/test_training_in_browser.py",
    "evaluation/test_engines.py",
    "web/test_probe_tab.py",
    "web/test_keeping.py",
)

settings.register_profile("mirdemo", deadline=None)  # no test is timed: machines are noisy
settings.load_profile("mirdemo")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two for the whole suite, one thread each; none where files or folders are named, for these begin sooner so."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return 2 if whole and not config.option.collectonly else 0


#: Files whose tests share nothing but what their worker has for all browser tests: each goes where there is room.
APART = ("tests/browser/test_acts_in_browser.py", "tests/browser/test_walk_in_browser.py")


def _group(nodeid: str) -> str:
    """A file stays on one worker, with what its tests share. So do all tests that start clusters, which would take each
    other's cores."""
    file = nodeid.partition("::")[0]
    if file in APART:
        return nodeid
    return "bulk" if file.startswith("tests/bulk/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """By our own groups: the marks of ``--dist loadgroup`` are not seen (pytest-xdist 3.8.0 under pytest 9.2.0)."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByGroup(config, log)


def _place(nodeid: str) -> int:
    """The longest come first."""
    order = [f"tests/{file}" for file in LONG]
    file = nodeid.partition("::")[0]
    return order.index(file) if file in order else len(order)


#: What a test stands on that is a process of its own, and shares two cores with another worker's: what fails is tried once more,
#: and both are told (``-rR``).
OF_PROCESSES = {"ray_cluster", "spaces"}
OF_PROCESSES_ALONE = ("tests/browser/", "tests/web/test_killed.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid))
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.nodeid.startswith(OF_PROCESSES_ALONE) or fixtures & OF_PROCESSES:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Each test has an empty ``MIRDEMO_HOME``, so no test sees what another (or the user) left there."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MIRDEMO_HOME", str(folder))
    return folder
