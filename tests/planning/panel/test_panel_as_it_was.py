"""What listeners of known habits make of a panel is counted and told as it was on 1 December 2026.

``PYTHONPATH=.:tests:tests/planning/panel python tests/planning/panel/test_panel_as_it_was.py`` writes ``panel_as_it_was.json`` anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import remembered
from paneled import listener, panel

from mirdemo.evidence import panel_words
from mirdemo.planning.panel import Listeners, results
from mirdemo.planning.panel.page import expected_bytes, quality
from mirdemo.words.language import speaker

FILE = Path(__file__).with_name("panel_as_it_was.json")
HEARD = {
    "one": (0.0,),
    "two": (0.1, 0.3),
    "three": (0.0, 0.2, 0.5),
}


def told(name: str) -> dict[str, Any]:
    made = panel(two=name != "one")
    answers = [listener(made, f"listener {i}", errs, seed=i) for i, errs in enumerate(HEARD[name])]
    found = results(made, answers)
    short, t = Listeners.of(found), speaker("en")
    return {
        "results": {
            name: part for name, part in remembered.plain(found).items() if name not in ("panel", "answers")
        },
        "short": short.as_dict(),
        "lines": [str(one) for one in panel_words.lines(t, short)],
        "tags": [{key: str(value) for key, value in row.items()} for row in panel_words.tag_rows(t, found)],
        "page": [made.seconds, quality(made.seconds, 12), expected_bytes(made.seconds, 12, 96)],
    }


@pytest.mark.parametrize("name", HEARD)
def test_a_panel_is_counted_and_told_as_it_was(name: str):
    remembered.hold(told(name), remembered.kept(FILE)[name])


if __name__ == "__main__":
    remembered.write(FILE, {name: told(name) for name in HEARD})
