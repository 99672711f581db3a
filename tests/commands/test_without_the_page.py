"""Delete ``mirdemo/web`` and gradio: the command line still writes its report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFUSING = '''
import sys

class Refuses:
    """As if neither the page nor what it is built with were there."""

    def find_spec(self, name, path=None, target=None):
        if name == "mirdemo.web" or name.startswith("mirdemo.web.") or name.split(".")[0] == "gradio":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuses())
try:
    import mirdemo.web
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("the page is there after all")
from mirdemo.cli import main
raise SystemExit(main(sys.argv[1:]))
'''


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", REFUSING, *words], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_report_is_written(tmp_path, language):
    out = tmp_path / "report.html"
    done = run("report", "--out", str(out), "--language", language, "--metric", "map")
    assert done.returncode == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in text
    assert text.count('class="chart"') >= 6


def test_corpora_are_listed():
    done = run("corpora")
    assert done.returncode == 0, done.stderr
    assert "MagnaTagATune" in done.stdout
