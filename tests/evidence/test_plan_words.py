"""A plan in words."""

from __future__ import annotations

import pytest
from planned import RISING, evidence, way

from mirdemo.base.sentences import Sentence
from mirdemo.evidence.plan_words import reasons, switch_lines
from mirdemo.planning import make_plan
from mirdemo.words.language import LANGUAGES, speaker


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_assumption_that_turns_the_advice_has_its_line_also_where_one_end_does(language):
    plan = make_plan(evidence(way(0.6, 0.2), growth=RISING), recordings=2000)
    ends = [(switch.low is not None) + (switch.high is not None) for switch in plan.switches]
    assert {0, 1} <= set(ends)
    assert len(switch_lines(plan, speaker(language))) == sum(map(bool, ends))


def test_reasons_follow_each_other_with_a_space_where_the_language_has_one() -> None:
    why = [Sentence("One thing.", "test.one"), Sentence("Another.", "test.two")]
    assert reasons(why, speaker("en")) == "One thing. Another."
    assert " " not in reasons([Sentence(one, "test.one") for one in ("一つ。", "二つ。")], speaker("ja"))
    assert reasons([], speaker("en")) == ""
