"""The words follow their stated rule, and every sentence has its Japanese."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import numpy as np
import pytest

import mirdemo
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import (
    ALPHA,
    PERHAPS,
    RULE,
    SCALE,
    WORDS,
    best_possible,
    by_chance,
    corrected,
    more_for,
    page,
    verdict,
)


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
        (0.45, 0.95, 0.04, 10, 20, "perhaps_heard"),
        (0.80, 0.95, 0.04, 10, 20, "perhaps_heard"),
        (0.45, 0.72, 0.04, 10, 20, "perhaps_heard"),
        (0.20, 0.95, 0.05, 10, 20, "too_few"),
        (0.20, 0.60, 0.01, 10, 20, "not_heard"),
        (0.17, 0.94, 0.01, 10, 20, "partly_heard"),
        (0.45, 0.95, None, 10, 20, "too_few"),
        (None, None, 0.01, 10, 20, "too_few"),
        # On the edge itself.
        (0.75, 0.95, 0.01, 10, 20, "heard"),
        (0.80, 0.95, 0.03, 10, 20, "perhaps_heard"),
        (0.50, 0.90, None, 10, 20, "too_few"),
        (0.35, 0.75, 0.40, 10, 20, "too_few"),
        (0.80, 0.95, 0.01, 3, 3, "heard"),
    ],
)
def test_a_word_by_the_rule(low, high, p, with_tag, without, word):
    value = None if low is None else (low + high) / 2
    assert verdict(Interval(value, low, high, with_tag + without), p, with_tag, without) == word


@pytest.mark.parametrize("value", [0.3, 0.5, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("reach", [0.0, 0.1, 0.6])
def test_what_is_not_chance_never_reads_too_few(value, reach):
    auc = Interval(value, max(value - reach, 0), min(value + reach, 1), 9)
    word = verdict(auc, 0.049, 3, 6)
    assert word == ("perhaps_heard" if value > 0.5 else "not_heard")


def test_among_many_tags_one_that_is_better_than_chance_by_itself_is_perhaps_heard():
    aucs = [Interval(0.8, 0.55, 0.95, 20)] * 20
    words, paged = page(aucs, [0.02] + [0.5] * 19, [8] * 20, [12] * 20)
    assert paged[0] > PERHAPS
    assert words == ("perhaps_heard", *["too_few"] * 19)
    assert page(aucs[:1], [0.02], [8], [12])[0] == ("partly_heard",)


def test_a_tag_by_lot_is_found_in_at_most_three_of_a_hundred():
    """A permutation test's p-value is at most ``p`` with a probability of at most ``p``."""
    assert ALPHA <= 0.03
    p = np.random.default_rng(0).random(4000)
    auc = Interval(0.7, 0.55, 0.9, 20)
    found = [verdict(auc, one, 8, 12) in ("heard", "partly_heard") for one in p]
    assert np.mean(found) < 0.036


def test_a_page_lets_in_what_benjamini_and_hochberg_do_and_what_is_no_chance_by_itself():
    from scipy.stats import false_discovery_control

    rng = np.random.default_rng(0)
    for n in (1, 2, 10, 30):
        p = rng.random(n) ** 3
        let_in = corrected(p) < ALPHA
        np.testing.assert_array_equal(let_in, (false_discovery_control(p) < 0.1) & (p < ALPHA))
    assert corrected([0.02])[0] == 0.02
    held = corrected([0.001, np.nan, 0.04])
    assert np.isnan(held[1])
    assert (held >= [0.001, np.nan, 0.04])[[0, 2]].all()


def test_the_share_by_chance_is_what_uniform_p_values_give():
    assert by_chance(["heard", "too_few", "partly_heard"], [0.002, 0.6, 0.02]) == pytest.approx(0.06)
    assert by_chance(["too_few"], [0.6]) == 0
    assert by_chance(["heard"], [None]) == 0


def test_the_best_possible_word_is_that_of_a_perfect_ranking():
    assert best_possible(2, 30) == "too_few"
    assert best_possible(3, 3) == "too_few"  # one of twenty ways to hand the tag out
    assert best_possible(4, 4) == "partly_heard"
    assert best_possible(12, 12) == "heard"
    words = [[SCALE.index(best_possible(a, b)) for b in range(3, 25)] for a in range(3, 25)]
    assert (np.diff(words, axis=0) <= 0).all()  # more recordings never make it worse
    assert (np.diff(words, axis=1) <= 0).all()
    assert (np.array(words) == np.array(words).T).all()


def test_what_more_recordings_allow_is_the_fewest():
    assert sum(more_for("partly_heard", 3, 3)) == 1
    assert more_for("heard", 12, 12) == (0, 0)
    having, lacking = more_for("heard", 3, 5)
    assert best_possible(3 + having, 5 + lacking) == "heard"
    assert having + lacking > 0
    total = having + lacking - 1
    assert all(best_possible(3 + a, 5 + total - a) != "heard" for a in range(total + 1))


def test_every_sentence_is_there_in_japanese_with_the_same_fields():
    package = Path(mirdemo.__file__).parent
    table = {}
    for room in ("probing", "scoring"):
        table |= json.loads((package / "words" / "text" / f"say.{room}.ja.json").read_text(encoding="utf-8"))
    source = "".join(
        path.read_text(encoding="utf-8")
        for room in ("scoring", "stages/probing", "stages/published")
        for path in (package / room).glob("*.py")
    )
    codes = set(re.findall(r'"((?:probing|scoring)\.[a-z_0-9]+)"', source))
    assert codes == set(table)
    for said in (RULE, *WORDS.values()):
        assert fields(said.template) == fields(table[said.code])
    for code in codes - {RULE.code, *(word.code for word in WORDS.values())}:
        template = re.search(r'((?:"[^"\n]*"\s*)+),\s*(?:code=)?"' + re.escape(code) + '"', source).group(1)
        assert fields(template) == fields(table[code]), code


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template.replace('"', "")) if name}
