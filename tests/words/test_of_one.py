"""What may be about one thing says so: no "1 clips"."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import mirdemo
from mirdemo.base.sentences import Sentence
from mirdemo.evidence.panel_words import people
from mirdemo.words.language import speaker

#: Sentences whose count is 1 on an ordinary day: one file sent, one group of two clips, one file of a visit missing.
OF_ONE = {
    "audio.replaced": {"count": 1},
    "clips.few_recordings": {"tag": "taiko", "recordings": 1, "fewest": 3},
    "clips.grouped_by_name": {"clips": 2, "count": 1, "names": "night"},
    "clips.visit_waits": {"name": "visit.zip", "count": 1, "names": "a.wav"},
    "commands.tagged": {"tagged": 1, "kept": 1, "failed": 1, "incomplete": 1, "file": "out.csv"},
    "page.sheet_ready": {"n": 1},
    "page.visit_opened": {"name": "visit.zip", "n": 1},
    "page.visit_waits": {"n": 1},
}
MANY = re.compile(
    r"\b1 (?:\w+ )?(?:clips|files|recordings|questions|tags|values|places|answers|pieces|lack|were|are|have)\b"
)


def templates() -> dict[str, str]:
    """code -> template of the sentences that stand in the code."""
    found = {}
    for path in Path(mirdemo.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            named = {one.arg: one.value for one in node.keywords}
            code = named.get("code", node.args[1] if len(node.args) > 1 else None)
            if isinstance(code, ast.Constant) and code.value in OF_ONE:
                found[code.value] = node.args[0].value
    return found


def test_a_sentence_about_one_is_in_the_singular():
    told = templates()
    assert told.keys() == OF_ONE.keys()
    said = {code: str(Sentence(told[code], code, values)) for code, values in OF_ONE.items()}
    assert not [one for one in said.values() if MANY.search(one)]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("few-shot.long.share", {"length": "0:12", "percent": "30"}),
        ("panel.answered", {}),
        ("panel.label", {}),
        ("panel.holds", {"megabytes": "0.1"}),
        ("panel.questions", {}),
        ("panel.seconds.right", {"value": "3.0", "range": "2 to 4"}),
        ("panel.seconds.wrong", {"value": "3.0", "range": "2 to 4"}),
        ("fine-tune.chart.finding", {"up": 1, "better": 0, "worse": 0}),
    ],
)
def test_words_about_one_are_in_the_singular(key: str, values: dict[str, str]):
    assert not MANY.search(speaker("en")(key, n=1, **values))
    assert "2" in speaker("en")(key, n=2, **values)


def test_who_listened_is_told_in_the_singular_where_it_was_one():
    short = SimpleNamespace(names=["A"], answers=1, clips=1, recordings=1)
    t = speaker("en")
    assert str(people(t, short)) == "One listener (A) answered 1 question about 1 clip from 1 recording."
    assert (
        str(people(speaker("ja"), short))
        == "1 人（A）が、録音 1 件のクリップ 1 個について 1 問に答えました。"
    )
    assert str(
        t("panel.made", clips=t("page.where.clips", n=1), questions=t("panel.questions", n=1))
    ).startswith("1 clip, 1 question, in")
