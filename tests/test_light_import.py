"""Importing the package must stay quick: the heavy libraries come when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchaudio", "transformers", "sklearn", "scipy", "pandas", "gradio", "plotly")


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import mirdemo",
        "import mirdemo.backbones",
        "from mirdemo.backbones.registry import specs; specs()",
        "import mirdemo.sound.audio, mirdemo.clips",
        "import mirdemo.cli; mirdemo.cli.parser()",
    ],
)
def test_nothing_heavy_is_imported(statement: str):
    assert loaded_after(statement) == set()


def test_the_check_would_notice():
    assert "scipy" in loaded_after("import scipy")


def test_every_public_name_resolves():
    import mirdemo

    for name in mirdemo.__all__:
        assert getattr(mirdemo, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    import mirdemo

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mirdemo.nonsense


def test_the_help_loads_no_verb_and_no_numpy_and_a_verb_only_its_own():
    code = (
        "import sys\n"
        "from mirdemo.cli import main\n"
        "try:\n"
        "    main([*sys.argv[1:], '--help'])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "print('|', *sys.modules)"
    )
    for verb, absent in (
        ([], ("numpy", "importlib.metadata", "mirdemo.commands.backbones")),
        (["doctor"], ("mirdemo.commands.embed",)),
    ):
        done = subprocess.run([sys.executable, "-c", code, *verb], capture_output=True, text=True, check=True)
        told, _, loaded = done.stdout.rpartition("|")
        assert "--help" in told
        assert not set(absent) & set(loaded.split())


@pytest.mark.parametrize(("module", "ends"), [("mirdemo.web.page", 0), ("gradio", 1)])
def test_the_page_is_imported_without_the_stubs_that_gradio_writes_for_editors(module: str, ends: int):
    """Gradio alone shows that there is something to be left out."""
    code = f"import ast\nast.get_source_segment = None\nimport {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == ends, done.stderr
