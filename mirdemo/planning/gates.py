"""Three gates, one a stage: heard? worth training? enough examples?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.futures import Futures, minutes
from mirdemo.planning.rule import SAVES, WORDS, Advice
from mirdemo.planning.ways import CURVE, FEWSHOT, FINE_TUNE, PROBE, TUNING, Evidence, Heard

PASS, FAIL, UNKNOWN, NOT_RUN = "pass", "fail", "cannot_tell", "not_run"
SURELY = dict(WORDS)[SAVES]


@dataclass(frozen=True)
class Gate:
    """One gate.

    stage: ``probe``, ``fine_tune`` or ``few_shot``; state: pass, fail, cannot_tell or not_run
    found: what was found, with its n; criterion: what would have to be found to pass
    seconds: of computing so far, None if none; next: what to do now, None after a pass
    """

    stage: str
    state: str
    found: Sentence
    criterion: Sentence
    seconds: float | None
    next: Sentence | None


def gates(evidence: Evidence, futures: Futures | None, advice: Advice) -> tuple[Gate, Gate, Gate]:
    """The three gates, in the order of the procedure."""
    return _heard(evidence), _training(evidence, futures), _examples(evidence, advice)


_HEARD = Sentence(
    "Passes if at least half of the tags are heard or partly heard; fails if every tag is surely not heard.",
    "planning.gate.heard.criterion",
)
_TRAINING = Sentence(
    "Passes if fine-tuning gets more right than the frozen layers in {share:.0f} % of futures; fails if in less than {less:.0f} %.",
    "planning.gate.training.criterion",
    {"share": 100 * SURELY, "less": 100 * (1 - SURELY)},
)
_EXAMPLES = Sentence(
    "Passes if time is saved in {share:.0f} % of futures and no further label is worth its cost.",
    "planning.gate.examples.criterion",
    {"share": 100 * SURELY},
)


def _heard(evidence: Evidence) -> Gate:
    heard = evidence.heard
    n = 0 if heard is None else sum(vars(heard).values())
    if heard is None or not n:
        found = Sentence("Not probed yet.", "planning.gate.heard.not_run")
        return Gate(PROBE, NOT_RUN, found, _HEARD, None, None)
    found = Sentence("Tags: {n}; {counts}.", "planning.gate.heard.found", {"n": n, "counts": _counts(heard)})
    if 2 * (heard.heard + heard.partly) >= n:
        return Gate(PROBE, PASS, found, _HEARD, evidence.seconds.get(PROBE), None)
    if heard.not_heard == n:
        following = Sentence(
            "Try another backbone on these clips; if none hears them, stay with hands.",
            "planning.gate.heard.fail",
        )
        return Gate(PROBE, FAIL, found, _HEARD, evidence.seconds.get(PROBE), following)
    following = Sentence(
        "Add recordings of the tags with the fewest, or try another backbone.", "planning.gate.heard.unknown"
    )
    return Gate(PROBE, UNKNOWN, found, _HEARD, evidence.seconds.get(PROBE), following)


def _counts(heard: Heard) -> Sentence:
    """``5 heard, 1 partly heard``: the words that some tag has."""
    words = (
        Sentence("{n} heard", "planning.gate.heard.n", {"n": heard.heard}),
        Sentence("{n} partly heard", "planning.gate.heard.n.partly", {"n": heard.partly}),
        Sentence("{n} perhaps heard", "planning.gate.heard.n.perhaps", {"n": heard.perhaps}),
        Sentence("{n} not heard", "planning.gate.heard.n.not", {"n": heard.not_heard}),
        Sentence("{n} with too few recordings to say", "planning.gate.heard.n.too_few", {"n": heard.too_few}),
    )
    there = [one for one in words if one.values["n"]]
    return reduce(
        lambda first, next: Sentence(
            "{first}, {next}", "planning.gate.heard.and", {"first": first, "next": next}
        ),
        there,
    )


def _training(evidence: Evidence, futures: Futures | None) -> Gate:
    tuned = next((i for i, way in enumerate(evidence.ways) if way.kind == FINE_TUNE), None)
    seconds = evidence.seconds.get(TUNING)
    if tuned is None or futures is None:
        found = Sentence("Not fine-tuned yet.", "planning.gate.training.not_run")
        return Gate(TUNING, NOT_RUN, found, _TRAINING, None, None)
    name = evidence.ways[tuned].backbone
    frozen = next(
        (i for i, way in enumerate(evidence.ways) if way.kind != FINE_TUNE and way.backbone == name), None
    )
    if frozen is None:
        found = Sentence(
            "{backbone} was fine-tuned, but not probed as it is.",
            "planning.gate.training.not_probed",
            {"backbone": name},
        )
        following = Sentence("Probe it too.", "planning.gate.training.probe")
        return Gate(TUNING, UNKNOWN, found, _TRAINING, seconds, following)
    mistakes = (futures.wrong + futures.missed)[1:]
    share = float((mistakes[:, tuned] < mistakes[:, frozen]).mean())
    found = Sentence(
        "Fine-tuning gets more right than the frozen layers in {share:.0f} % of the futures that fit {n} recordings.",
        "planning.gate.training.found",
        {"share": 100 * share, "n": futures.n_recordings},
    )
    if share >= SURELY:
        return Gate(TUNING, PASS, found, _TRAINING, seconds, None)
    if share <= 1 - SURELY:
        following = Sentence("Leave the backbone as it is.", "planning.gate.training.fail")
        return Gate(TUNING, FAIL, found, _TRAINING, seconds, following)
    following = Sentence(
        "Ask again with more recordings; until then the backbone as it is costs nothing.",
        "planning.gate.training.unknown",
    )
    return Gate(TUNING, UNKNOWN, found, _TRAINING, seconds, following)


def _examples(evidence: Evidence, advice: Advice) -> Gate:
    ran = evidence.ran
    seconds = sum(evidence.seconds.get(stage, 0.0) for stage in (FEWSHOT, CURVE)) or None
    if FEWSHOT not in ran and CURVE not in ran:
        found = Sentence("No tagger of examples and no learning curve yet.", "planning.gate.examples.not_run")
        return Gate(FEWSHOT, NOT_RUN, found, _EXAMPLES, None, None)
    if advice.using is None or advice.labels is None:
        found = Sentence("Too few recordings to say.", "planning.gate.examples.too_few")
        return Gate(FEWSHOT, UNKNOWN, found, _EXAMPLES, seconds, advice.why)
    share = advice.actions[advice.using].saves
    found = Sentence(
        "With {n} recordings, time is saved in {share:.0f} % of futures.",
        "planning.gate.examples.found",
        {"n": evidence.n_recordings, "share": 100 * share},
    )
    best = advice.labels.best
    if share >= SURELY and not best:
        return Gate(FEWSHOT, PASS, found, _EXAMPLES, seconds, None)
    if best:
        following = Sentence(
            "{more} more labelled recordings are worth their cost.",
            "planning.gate.examples.more",
            {"more": best},
        )
        return Gate(
            FEWSHOT, FAIL if advice.labels.model_counts else UNKNOWN, found, _EXAMPLES, seconds, following
        )
    following = Sentence(
        "More labels would not be worth their cost in this archive.", "planning.gate.examples.enough"
    )
    return Gate(FEWSHOT, UNKNOWN, found, _EXAMPLES, seconds, following)


@dataclass(frozen=True)
class NotRun:
    """A stage that was not run: what it would tell, and the most that it could be worth."""

    stage: str
    tells: Sentence
    at_most: float | None


_TELLS = {
    PROBE: Sentence("Probing says which tags the backbone hears at all.", "planning.tells.probe"),
    TUNING: Sentence(
        "Fine-tuning says whether training one or two layers gets more right.", "planning.tells.fine_tune"
    ),
    FEWSHOT: Sentence(
        "The few-shot tagger says what a handful of examples gives in use.", "planning.tells.few_shot"
    ),
    CURVE: Sentence("The learning curve says what more recordings would bring.", "planning.tells.curve"),
}


def not_run(
    evidence: Evidence, futures: Futures | None, advice: Advice, assumptions: Assumptions
) -> tuple[NotRun, ...]:
    """The stages left, each with a bound: a tagger without mistakes saves no more than that over what is advised."""
    bound = None
    if futures is not None and advice.actions:
        each, nothing = np.array([[futures.tags_each], [0.0]])
        perfect = 100 * float(minutes(each, nothing, futures.tags_each, assumptions)[0])
        bound = max(0.0, perfect - max(max(a.expected for a in advice.actions), 0.0))
    ran = evidence.ran
    return tuple(NotRun(stage, tells, bound) for stage, tells in _TELLS.items() if stage not in ran)
