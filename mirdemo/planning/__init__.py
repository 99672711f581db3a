"""The plan: from what the stages found and a few assumptions to advice, with how sure it is and where it would turn.

>>> plan = make_plan(evidence(labels, recordings, tags, probes=[("spectral", probed, None)]), recordings=300)
>>> plan.advice.kind, plan.advice.word
('use', 'probably')
>>> [str(sentence) for sentence in two_sentences(plan)]
['Spectral statistics (as it is) probably saves time ...', 'This holds while ...']
"""

from __future__ import annotations

from mirdemo.planning.assumptions import CURRENCIES, LIMITS, NAMES, REASONS, Assumptions
from mirdemo.planning.errors import PlanError
from mirdemo.planning.of_reports import evidence
from mirdemo.planning.plan import Plan, make_plan
from mirdemo.planning.rule import RULE, Action, Advice
from mirdemo.planning.say import for_the_meeting, two_sentences
from mirdemo.planning.ways import Evidence, Growth, Heard, Way

__all__ = [
    "CURRENCIES",
    "LIMITS",
    "NAMES",
    "REASONS",
    "RULE",
    "Action",
    "Advice",
    "Assumptions",
    "Evidence",
    "Growth",
    "Heard",
    "Plan",
    "PlanError",
    "Way",
    "evidence",
    "for_the_meeting",
    "make_plan",
    "two_sentences",
]
