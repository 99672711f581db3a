"""The words follow their stated rule, and every sentence has its Japanese."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest

import mirdemo
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import RULE, WORDS, verdict


@pytest.mark.parametrize(
    ("low", "high", "p", "with_tag", "without", "word"),
    [
        (0.80, 0.95, 0.01, 10, 20, "heard"),
        (0.60, 0.95, 0.01, 10, 20, "partly_heard"),
        (0.35, 0.65, 0.40, 10, 20, "not_heard"),
        (0.35, 0.85, 0.40, 10, 20, "too_few"),
        (0.80, 0.95, 0.01, 2, 20, "too_few"),
        (0.80, 0.95, 0.01, 10, 2, "too_few"),
        (0.80, 0.95, 0.20, 10, 20, "too_few"),
        (0.80, 0.95, None, 10, 20, "heard"),
        (0.45, 0.70, None, 10, 20, "not_heard"),
        (0.20, 0.60, 0.01, 10, 20, "not_heard"),
        (0.17, 0.94, 0.01, 10, 20, "too_few"),
        (None, None, 0.01, 10, 20, "too_few"),
    ],
)
def test_a_word_by_the_rule(low, high, p, with_tag, without, word):
    value = None if low is None else (low + high) / 2
    assert verdict(Interval(value, low, high, with_tag + without), p, with_tag, without) == word


def test_every_sentence_is_there_in_japanese_with_the_same_fields():
    package = Path(mirdemo.__file__).parent
    table = json.loads((package / "words" / "text" / "say.probing.ja.json").read_text(encoding="utf-8"))
    source = "".join(
        path.read_text(encoding="utf-8")
        for room in ("scoring", "stages/probing")
        for path in (package / room).glob("*.py")
    )
    codes = set(re.findall(r'"(probing\.[a-z_0-9]+)"', source))
    assert codes == set(table)
    for said in (RULE, *WORDS.values()):
        assert fields(said.template) == fields(table[said.code])
    for code in codes - {RULE.code, *(word.code for word in WORDS.values())}:
        template = re.search(r'((?:"[^"\n]*"\s*)+),\s*(?:code=)?"' + re.escape(code) + '"', source).group(1)
        assert fields(template) == fields(table[code]), code


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template.replace('"', "")) if name}
