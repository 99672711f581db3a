"""A plan in words."""

from __future__ import annotations

import pytest
from planned import RISING, evidence, way

from mirdemo.evidence.plan_words import switch_lines
from mirdemo.planning import make_plan
from mirdemo.words.language import LANGUAGES, speaker


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_assumption_that_turns_the_advice_has_its_line_also_where_one_end_does(language):
    plan = make_plan(evidence(way(0.6, 0.2), growth=RISING), recordings=2000)
    ends = [(switch.low is not None) + (switch.high is not None) for switch in plan.switches]
    assert {0, 1} <= set(ends)
    assert len(switch_lines(plan, speaker(language))) == sum(map(bool, ends))
