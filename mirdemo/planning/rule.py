"""The rule: from futures to one piece of advice. Printed on the page (``RULE``), measured by ``benchmarks/advice_regret.py``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.futures import Futures, minutes, once
from mirdemo.planning.labels import LEAST_WORTH, Labels, labels_worth, with_labels
from mirdemo.planning.ways import FINE_TUNE, Evidence, Way

STOP, BY_HAND, LABEL, USE = "stop", "by_hand", "label", "use"
#: Words by the share of futures in which the action saves time.
SAVES, PROBABLY, MAY, CANNOT_TELL = "saves", "probably", "may", "cannot_tell"
WORDS = ((SAVES, 0.9), (PROBABLY, 0.7), (MAY, 0.5))
#: Two ways are told apart where one is the better in so large a share of futures.
APART = 0.8
FEWEST_RECORDINGS = 3

RULE: tuple[Sentence, ...] = (
    Sentence(
        "Where the backbone fails its health check, or no tag is in {fewest} recordings and missing from {fewest}: stop, and say why.",
        "planning.rule.stop",
        {"fewest": FEWEST_RECORDINGS},
    ),
    Sentence(
        'Else the action with the most minutes saved in expectation, all it costs counted in. It "saves" time if it does so in {saves:.0f} % '
        'of the futures that fit the recordings, "probably saves" in {probably:.0f} %, "may save" in {may:.0f} %; below that nothing is claimed.',
        "planning.rule.best",
        {"saves": 90, "probably": 70, "may": 50},
    ),
    Sentence(
        "A tag whose suggestions take more time than they save, by more than the standard error and also if they fell by "
        "chance, is left to hands, where that saves more on recordings that had no part in choosing it.",
        "planning.rule.tags",
    ),
    Sentence(
        "Where more labels are worth at least {least:.0f} minutes more than they cost, and without them time is not surely "
        "saved, or with them surely more: label that many first.",
        "planning.rule.label",
        {"least": LEAST_WORTH},
    ),
    Sentence(
        "Of actions that cannot be told apart (neither is the better in {apart:.0f} % of futures), the cheapest.",
        "planning.rule.cheapest",
        {"apart": 100 * APART},
    ),
    Sentence("Where every action saves less than it costs: stay with hands.", "planning.rule.hands"),
)


@dataclass(frozen=True, eq=False)
class Saving:
    """Minutes saved on 100 recordings against tagging by hand, in all futures.

    net: (1 + n_draws,), expectation first
    """

    net: np.ndarray

    @property
    def expected(self) -> float:
        return float(self.net[0])

    @property
    def saves(self) -> float:
        """Share of futures in which time is saved."""
        return float((self.net[1:] > 0).mean())

    @property
    def dots(self) -> np.ndarray:
        """Twenty futures that stand for all, in minutes, ascending: the means of twenty equal shares."""
        return np.array([part.mean() for part in np.array_split(np.sort(self.net[1:]), 20)])

    @property
    def nine_in_ten(self) -> tuple[float, float]:
        """Minutes between which nine of ten futures lie."""
        ordered = np.sort(self.net[1:])
        cut = len(ordered) // 20
        return float(ordered[cut]), float(ordered[-cut - 1])


@dataclass(frozen=True, eq=False)
class Action(Saving):
    """One thing that could be done; what it saves has all its costs counted in.

    kind: ``USE``, ``LABEL`` or ``BY_HAND``; way: its index among the ways, None by hand; more: recordings to label
    once_minutes, once_money: what it costs once; best: share of futures in which it is the best of all
    tags: which ones the way is used for, by their place; None for all. The others are left to hands.
    """

    kind: str
    way: int | None
    more: int = 0
    once_minutes: float = 0.0
    once_money: float = 0.0
    best: float = 0.0
    tags: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class TagSaving(Saving):
    """What one tag saves by a way, before what the way costs once.

    having: recordings with the tag; given: whether the way ever gave it; by_machine: whether it is advised so
    """

    tag: str
    having: int
    given: bool
    by_machine: bool


@dataclass(frozen=True, eq=False)
class Advice:
    """What the rule says.

    kind: ``STOP``, ``BY_HAND``, ``LABEL`` or ``USE``; action: which of ``actions``, None where it stops
    word: one of ``WORDS`` or ``CANNOT_TELL``, about the way that is (or would be) used
    why: the sentence behind a stop; labels: what more labels are worth; None where nothing was measured
    certainty: minutes on 100 recordings that knowing everything would be worth
    """

    kind: str
    word: str
    actions: tuple[Action, ...]
    action: int | None
    using: int | None
    labels: Labels | None
    certainty: float
    why: Sentence | None = None

    @property
    def turns_on(self) -> tuple[str, int | None, bool]:
        """What must stay the same for the advice to be the same: what is done and by which way."""
        chosen = None if self.action is None else self.actions[self.action].way
        return self.kind, chosen, self.word in (SAVES, PROBABLY)


def stopped(evidence: Evidence) -> Sentence | None:
    """Why nothing can be said at all; None where something can."""
    if not evidence.ways:
        return Sentence("Nothing has been measured yet. Probe your clips first.", "planning.stop.nothing")
    if all(way.sick is not None for way in evidence.ways):
        return evidence.ways[0].sick
    enough = [
        min(there, absent) >= FEWEST_RECORDINGS
        for there, absent in zip(evidence.having, evidence.lacking, strict=True)
    ]
    if not any(enough):
        return Sentence(
            "No tag is in {fewest} recordings and missing from {fewest} others, so nothing that was measured holds for new "
            "recordings. Add recordings until one tag is.",
            "planning.stop.few",
            {"fewest": FEWEST_RECORDINGS},
        )
    return None


def decide(
    evidence: Evidence, futures: Futures | None, assumptions: Assumptions, *, labels: bool = True
) -> Advice:
    """Apply ``RULE``.

    evidence: of one way at least, else the advice is to stop; futures: of the same evidence, (1 + n_draws, n_ways) each,
    the expectation first, None where ``stopped`` says why there are none
    assumptions: within ``LIMITS``; labels: whether more labels are thought about

    Returns the advice with every action that is open: by hand first, then each way that is not sick, then labelling where
    it pays. Their savings are minutes on 100 recordings against tagging by hand, (1 + n_draws,), all costs counted in, and
    negative where an action costs more than it saves; shares are 0 to 1. Same arguments, same advice. Raises nothing of its own:
    ``Evidence`` and ``Assumptions`` refuse what is impossible when they are made.

    Expected saving decides and the share of futures chooses the word: the net benefit of decision curves (Vickers and
    Elkin 2006) under uncertainty; worth of labels and certainty after Raiffa and Schlaifer (1961), see ``labels_worth``;
    words by size and certainty after GRADE guideline 26 (Santesso et al. 2020).
    """
    why = stopped(evidence)
    if why is not None or futures is None:
        return Advice(STOP, CANNOT_TELL, (), None, None, None, 0.0, why)
    futures = futures.sparing(assumptions)
    actions = [
        _use(futures, index, assumptions) for index, way in enumerate(evidence.ways) if way.sick is None
    ]
    by_hand = Action(np.zeros(len(futures.right)), BY_HAND, None)
    best = _cheapest_of_equals(actions, futures.ways)
    found = None
    if labels:
        nets = np.stack([action.net for action in (by_hand, *actions)], 1)
        assert best.way is not None  # only work by hand has none
        found = labels_worth(futures, evidence.growth, nets, best.way, assumptions)
        if found.best and found.model_counts:
            net = with_labels(futures, evidence.growth, best.way, found.best, assumptions)
        else:
            net = best.net - 100 * found.best * assumptions.hand_minutes / assumptions.recordings
        if found.best:
            paid = best.once_minutes + found.best * assumptions.hand_minutes
            actions.append(replace(best, kind=LABEL, more=found.best, once_minutes=paid, net=net))
    everything = _with_shares((by_hand, *actions))
    certainty = _certainty(everything)
    using = next(i for i, action in enumerate(everything) if action.kind == USE and action.way == best.way)
    word = _word(everything[using])
    label = next((i for i, action in enumerate(everything) if action.kind == LABEL), None)
    better = label is not None and everything[label].expected > max(everything[using].expected, 0)
    unsure = word != SAVES
    if label is not None and (unsure or (better and _apart(everything[label], everything[using]))):
        return Advice(LABEL, word, everything, label, using, found, certainty)
    if everything[using].expected <= 0:
        return Advice(BY_HAND, word, everything, 0, using, found, certainty)
    return Advice(USE, word, everything, using, using, found, certainty)


def _use(futures: Futures, index: int, assumptions: Assumptions) -> Action:
    work, money = once(futures.ways[index], assumptions)
    saved = 100 * minutes(futures.right[:, index], futures.wrong[:, index], futures.tags_each, assumptions)
    paid = 100 * (work + assumptions.minutes_of(money)) / assumptions.recordings
    kept = futures.kept[index]
    tags = None if kept.all() else tuple(np.flatnonzero(kept).tolist())
    return Action(saved - paid, USE, index, once_minutes=work, once_money=money, tags=tags)


def _cheapest_of_equals(actions: list[Action], ways: tuple[Way, ...]) -> Action:
    """The best in expectation, or the cheapest of those that cannot be told from it."""
    best = max(actions, key=lambda action: action.expected)
    equals = [action for action in actions if action is best or not _apart(best, action)]

    def price(action: Action) -> tuple[float, float]:
        assert action.way is not None
        return action.once_minutes, action.once_money if ways[action.way].kind == FINE_TUNE else 0.0

    cheapest = min(price(action) for action in equals)
    return max((action for action in equals if price(action) == cheapest), key=lambda action: action.expected)


def _apart(better: Action, other: Action) -> bool:
    return float((better.net[1:] > other.net[1:]).mean()) >= APART


def _word(action: Action) -> str:
    return next((word for word, least in WORDS if action.saves >= least), CANNOT_TELL)


def _with_shares(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Each with the share of futures in which it is the best; ties go to the earlier one."""
    winner = np.argmax(np.stack([action.net[1:] for action in actions], 1), axis=1)
    shares = np.bincount(winner, minlength=len(actions)) / len(winner)
    return tuple(replace(action, best=float(share)) for action, share in zip(actions, shares, strict=True))


def _certainty(actions: tuple[Action, ...]) -> float:
    """E[max] - max E over what can be done now: the most that any further look could be worth, for 100 recordings."""
    now = np.stack([action.net[1:] for action in actions if action.kind != LABEL], 1)
    return float(max(now.max(1).mean() - now.mean(0).max(), 0.0))
