"""What a panel found: how often each proposer is right, what it misses, how far people agree, and how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.clips.tags import same
from mirdemo.planning.panel.answers import FIRST, RIGHT, SAME, WRONG, Answers
from mirdemo.planning.panel.drawing import Panel
from mirdemo.scoring.agreement import Units, alpha, difference
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.shares import median, share


@dataclass(frozen=True)
class Heard:
    """Right ``right`` of ``n`` times by the listeners' verdicts; share: that share with its interval by recording."""

    right: int
    n: int
    share: Interval


@dataclass(frozen=True)
class TagHeard:
    """One tag of one proposer.

    said: where it gives the tag; unsaid: where it does not and the tag was asked about, how often it is there all the same
    """

    tag: str
    said: Heard
    unsaid: Heard


@dataclass(frozen=True)
class ProposerHeard:
    """One proposer. said, unsaid: over all tags; tags: those asked about, by name

    agreement: alpha with the listeners, each pair of it and a listener; to_ceiling: that minus the listeners' own alpha
    """

    key: str
    said: Heard
    unsaid: Heard
    tags: tuple[TagHeard, ...]
    agreement: Interval | None
    to_ceiling: Interval | None


@dataclass(frozen=True)
class Verdict:
    """What the listeners said to one question. verdict: by the majority of those who could tell, None where it is split
    or nobody could; right, wrong, cannot_tell: how many said so
    """

    clip: int
    tag: str
    by: tuple[str, ...]
    right: int
    wrong: int
    cannot_tell: int

    @property
    def verdict(self) -> str | None:
        if self.right == self.wrong:
            return None
        return RIGHT if self.right > self.wrong else WRONG

    @property
    def divided(self) -> bool:
        return bool(self.right and self.wrong)


@dataclass(frozen=True)
class Preferred:
    """How often each of two descriptions was the better, of ``n`` judgements; share: of the first among the decided."""

    keys: tuple[str, str]
    first: int
    second: int
    same: int
    share: Interval


@dataclass(frozen=True, eq=False)
class Results:
    """Of one panel.

    proposers: in the panel's order; agreement: alpha among listeners, None with one or where it says nothing
    verdicts: of every question that was answered; words: (missing word, how many typed it, clips), the most frequent first
    preferred: None unless two taggers were side by side; right_seconds, wrong_seconds: medians an answer
    n_right, n_wrong: answers behind them
    """

    panel: Panel
    listeners: tuple[Answers, ...]
    proposers: tuple[ProposerHeard, ...]
    agreement: Interval | None
    verdicts: tuple[Verdict, ...]
    words: tuple[tuple[str, int, tuple[int, ...]], ...]
    preferred: Preferred | None
    right_seconds: Interval
    wrong_seconds: Interval
    n_right: int
    n_wrong: int

    @property
    def n_answers(self) -> int:
        return sum(one.n for one in self.listeners)

    @property
    def machines(self) -> tuple[ProposerHeard, ...]:
        return tuple(one for one in self.proposers if one.key in self.panel.machines)

    def disagreements(self) -> tuple[Verdict, ...]:
        """Where listeners differ among themselves, or from a machine; those told by most listeners first."""
        machines = set(self.panel.machines)

        def against(one: Verdict) -> bool:
            said = machines & set(one.by)
            if one.verdict == RIGHT:
                return said != machines
            return one.verdict == WRONG and bool(said)

        found = [one for one in self.verdicts if one.divided or against(one)]
        return tuple(sorted(found, key=lambda one: (not one.divided, -(one.right + one.wrong))))


def results(panel: Panel, answers: Sequence[Answers]) -> Results | None:
    """None where nobody has answered.

    A question's verdict is that of most listeners who could tell; where they are as many on both sides there is none, and
    it counts as neither right nor wrong. Intervals are by recording (``scoring.shares.share``), so that several clips of one
    do not pretend to be several.
    """
    listeners = tuple(one for one in answers if one.n)
    if not listeners:
        return None
    asked = [(c, q) for c, clip in enumerate(panel.clips) for q in range(len(clip.questions))]
    given = np.array([[_value(one, c, q) for c, q in asked] for one in listeners], np.float64)
    groups = np.array([panel.clips[c].recording for c, _ in asked])
    verdicts = tuple(
        one
        for place, (c, q) in enumerate(asked)
        if (one := _verdict(panel, listeners, c, q, given[:, place])) is not None
    )
    people = Units(given, groups)
    proposers = []
    for key in panel.proposers:
        said = np.array([float(key in panel.clips[c].questions[q].by) for c, q in asked])
        beside = Units.paired_with(said, given, groups)
        proposers.append(
            ProposerHeard(
                key,
                _heard(panel, verdicts, key, True),
                _heard(panel, verdicts, key, False),
                tuple(
                    TagHeard(
                        tag, _heard(panel, verdicts, key, True, tag), _heard(panel, verdicts, key, False, tag)
                    )
                    for tag in sorted({one.tag for one in verdicts})
                ),
                alpha(beside),
                difference(beside, people) if len(listeners) > 1 else None,
            )
        )
    right, wrong = (_seconds(listeners, verdict) for verdict in (RIGHT, WRONG))
    return Results(
        panel=panel,
        listeners=listeners,
        proposers=tuple(proposers),
        agreement=alpha(people) if len(listeners) > 1 else None,
        verdicts=verdicts,
        words=_words(listeners),
        preferred=_preferred(panel, listeners),
        right_seconds=right[0],
        wrong_seconds=wrong[0],
        n_right=right[1],
        n_wrong=wrong[1],
    )


def _value(one: Answers, clip: int, question: int) -> float:
    """1 right, 0 wrong, NaN where it was not told."""
    there = one.clips.get(clip)
    return {RIGHT: 1.0, WRONG: 0.0}.get((there and there.verdicts[question]) or "", np.nan)


def _verdict(
    panel: Panel, listeners: Sequence[Answers], c: int, q: int, values: np.ndarray
) -> Verdict | None:
    answered = sum(c in one.clips and one.clips[c].verdicts[q] is not None for one in listeners)
    if not answered:
        return None
    right, wrong = int((values == 1).sum()), int((values == 0).sum())
    question = panel.clips[c].questions[q]
    return Verdict(c, question.tag, question.by, right, wrong, answered - right - wrong)


def _heard(panel: Panel, verdicts: Sequence[Verdict], key: str, said: bool, tag: str | None = None) -> Heard:
    """Over the questions to which this proposer says yes (or does not), how many listeners find right."""
    mine = [
        one
        for one in verdicts
        if (key in one.by) == said and one.verdict is not None and tag in (None, one.tag)
    ]
    right = [one.verdict == RIGHT for one in mine]
    groups = [panel.clips[one.clip].recording for one in mine]
    return Heard(sum(right), len(mine), share(np.array(right, float), np.ones(len(mine)), groups))


def _words(listeners: Sequence[Answers]) -> tuple[tuple[str, int, tuple[int, ...]], ...]:
    spelt: dict[str, str] = {}
    people: Counter[str] = Counter()
    where: dict[str, set[int]] = {}
    for one in listeners:
        typed = {(same(word), word, number) for number, clip in one.clips.items() for word in clip.words}
        for key, word, number in sorted(typed):
            spelt.setdefault(key, word)
            where.setdefault(key, set()).add(number)
        people.update({key for key, _, _ in typed})
    ordered = sorted(spelt, key=lambda key: (-people[key], -len(where[key]), key))
    return tuple((spelt[key], people[key], tuple(sorted(where[key]))) for key in ordered)


def _preferred(panel: Panel, listeners: Sequence[Answers]) -> Preferred | None:
    if len(panel.machines) != 2:
        return None
    one, other = panel.machines
    votes: list[tuple[str, str]] = []
    for answers in listeners:
        for number, clip in answers.clips.items():
            if clip.side is not None:
                shown = [key for key, _ in panel.clips[number].sides]
                key = SAME if clip.side == SAME else shown[0 if clip.side == FIRST else 1]
                votes.append((key, panel.clips[number].recording))
    decided = [(float(key == one), group) for key, group in votes if key != SAME]
    counted = Counter(key for key, _ in votes)
    hits, groups = [hit for hit, _ in decided], [group for _, group in decided]
    found = share(np.array(hits), np.ones(len(hits)), groups)
    return Preferred((one, other), counted[one], counted[other], counted[SAME], found)


def _seconds(listeners: Sequence[Answers], verdict: str) -> tuple[Interval, int]:
    """Seconds an answer of one kind takes: each clip's time in sight is shared by the answers given to it.

    The interval is over listeners where there are several, else over clips.
    """
    values, groups = [], []
    for place, one in enumerate(listeners):
        for number, clip in one.clips.items():
            answered = sum(given is not None for given in clip.verdicts)
            if not answered or not clip.seconds:
                continue
            for given in clip.verdicts:
                if given == verdict:
                    values.append(clip.seconds / answered)
                    groups.append(place if len(listeners) > 1 else number)
    unit = "listeners" if len(listeners) > 1 else "clips"
    return median(values, groups, unit=unit), len(values)
