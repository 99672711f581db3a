"""The plan in sentences, all of them computed: two for the page, three for the meeting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mirdemo.base.sentences import Sentence
from mirdemo.planning.futures import right_saves
from mirdemo.planning.labels import ASK_AGAIN
from mirdemo.planning.plan import Plan
from mirdemo.planning.rule import BY_HAND, CANNOT_TELL, LABEL, MAY, PROBABLY, SAVES, STOP, USE, Action
from mirdemo.planning.switching import Switch, Turn
from mirdemo.planning.ways import AS_IT_IS, FEW_SHOT, FINE_TUNE, OTHER
from mirdemo.words.durations import time_of

#: What a backbone is called to a reader.
Title = Callable[[str], str]
FUTURES = 20
#: Tags that a sentence names; of more it says how many.
MOST_NAMED = 3

_AS_IT_IS = Sentence("{backbone} (as it is)", "planning.way.as_it_is")
#: Kind of way -> what it is called, by its backbone.
DONE = {
    AS_IT_IS: _AS_IT_IS,
    FEW_SHOT: Sentence("{backbone} (few-shot tagger)", "planning.way.few_shot"),
    OTHER: _AS_IT_IS,
    FINE_TUNE: Sentence("{backbone} (fine-tuned)", "planning.way.fine_tune"),
}
_VERBS = {
    SAVES: Sentence("saves time", "planning.word.saves"),
    PROBABLY: Sentence("probably saves time", "planning.word.probably"),
    MAY: Sentence("may save time", "planning.word.may"),
    CANNOT_TELL: Sentence("cannot be said to save time", "planning.word.cannot_tell"),
}


def name_of(plan: Plan, action: Action, title: Title = str) -> Sentence:
    """What an action is called."""
    if action.kind == BY_HAND:
        return Sentence("All by hand", "planning.way.by_hand")
    assert action.way is not None  # only work by hand has none
    way = plan.evidence.ways[action.way]
    named = _for_its_tags(plan, action, DONE[way.kind].filled(backbone=title(way.backbone)))
    if action.kind == LABEL and action.more == 1:
        return Sentence("1 more recording, then: {way}", "planning.way.label_one", {"way": named})
    if action.kind == LABEL:
        return Sentence(
            "{more} more recordings, then: {way}", "planning.way.label", {"more": action.more, "way": named}
        )
    return named


def _for_its_tags(plan: Plan, action: Action, named: Sentence) -> Sentence:
    """With the tags it is used for, where that is not all of them."""
    if action.tags is None:
        return named
    tags = plan.evidence.tags
    if len(action.tags) <= MOST_NAMED:
        values = {"way": named, "tags": [tags[i] for i in action.tags]}
        return Sentence("{way} for {tags} only", "planning.way.for_tags", values)
    values = {"way": named, "kept": len(action.tags), "of": len(tags)}
    return Sentence("{way} for {kept} of {of} tags", "planning.way.for_some", values)


def cost_of(plan: Plan, action: Action) -> Sentence:
    """What an action costs once, in words."""
    money = plan.assumptions.money(action.once_money)
    counts = money != plan.assumptions.money(0)
    if action.once_minutes and counts:
        return Sentence(
            "{time} of work and {money}",
            "planning.cost.both",
            {"time": time_of(action.once_minutes), "money": money},
        )
    if action.once_minutes:
        return Sentence("{time} of work", "planning.cost.work", {"time": time_of(action.once_minutes)})
    if counts:
        return Sentence("{money} of computing", "planning.cost.money", {"money": money})
    return Sentence("next to nothing", "planning.cost.nothing")


def verb(word: str) -> Sentence:
    return _VERBS[word]


def two_sentences(plan: Plan, title: Title = str) -> tuple[Sentence, ...]:
    """The recommendation, and the condition under which it holds; where nothing is recommended, why and what to do."""
    advice = plan.advice
    if advice.kind == STOP:
        return (
            Sentence("Nothing is recommended: {why}", "planning.advice.stop", {"why": advice.why}),
            _what_helps(plan),
        )
    assert advice.using is not None
    using = advice.actions[advice.using]
    first = {
        "way": name_of(plan, using, title),
        "verb": verb(advice.word),
        "k": round(FUTURES * using.saves),
        "of": FUTURES,
        "n": plan.evidence.n_recordings,
        "time": time_of(using.expected),
    }
    if advice.kind == LABEL:
        label = advice.actions[advice.action]
        where = plan.tags_to_label()
        values = first | {
            "more": label.more,
            "first": max(1, round(ASK_AGAIN * label.more)),
            "tags": list(where),
            "cost": time_of(label.more * plan.assumptions.hand_minutes),
        }
        if advice.word == CANNOT_TELL:
            begin = Sentence(
                "With {n} recordings we cannot tell whether a machine saves time: it does in {k} of {of} futures.",
                "planning.advice.label.cannot_tell",
                values,
            )
        else:
            begin = Sentence(
                "{way} {verb} in {k} of {of} futures that fit your {n} recordings; labelling comes first.",
                "planning.advice.label",
                values,
            )
        if where:
            then = Sentence(
                "Label {more} more recordings, above all of {tags} (about {cost}), and ask again on the way, first after {first}.",
                "planning.advice.label.then",
                values,
            )
        else:
            then = Sentence(
                "Label {more} more recordings (about {cost}), and ask again on the way, first after {first}.",
                "planning.advice.label.then_any",
                values,
            )
        return begin, then
    if advice.kind == BY_HAND:
        begin = Sentence(
            "Stay with hands: {way} saves time in {k} of {of} futures that fit your {n} recordings.",
            "planning.advice.by_hand",
            first,
        )
        return begin, _condition(plan, title)
    if advice.word == CANNOT_TELL:
        return (
            Sentence(
                "With {n} recordings we cannot tell: {way} saves time in {k} of {of} futures, and nothing is recommended.",
                "planning.advice.cannot_tell",
                first,
            ),
            _what_helps(plan),
        )
    begin = Sentence(
        "{way} {verb} in {k} of {of} futures that fit your {n} recordings: about {time} per 100 recordings, for {cost}.",
        "planning.advice.use",
        first | {"cost": cost_of(plan, using)},
    )
    return begin, _condition(plan, title)


def _condition(plan: Plan, title: Title) -> Sentence:
    """The nearest turn of the advice, after the tags that it leaves to hands."""
    nearest = next((s for s in plan.switches if s.low is not None or s.high is not None), None)
    if nearest is None:
        holds = Sentence(
            "Each assumption may be 20 times larger or smaller without changing that.",
            "planning.condition.none",
        )
    else:
        holds = condition(plan, nearest, title)
    advice = plan.advice
    left = (
        [] if advice.kind != USE or advice.using is None else plan.left_to_hands(advice.actions[advice.using])
    )
    if not left:
        return holds
    if len(left) <= MOST_NAMED:
        return Sentence(
            "By hand as before: {tags}. {holds}", "planning.condition.left", {"tags": left, "holds": holds}
        )
    values = {"n": len(left), "holds": holds}
    return Sentence("The other {n} tags by hand as before. {holds}", "planning.condition.others", values)


_BETWEEN = {
    "hand_minutes": Sentence(
        "tagging one recording by hand takes {range} minutes", "planning.while.hand_minutes"
    ),
    "mend_seconds": Sentence(
        "taking back a wrong suggestion takes {range} seconds", "planning.while.mend_seconds"
    ),
    "accept_seconds": Sentence(
        "accepting a right suggestion takes {range} seconds", "planning.while.accept_seconds"
    ),
    "recordings": Sentence("{range} recordings are waiting", "planning.while.recordings"),
    "setup_minutes": Sentence("fine-tuning takes a person {range} minutes", "planning.while.setup_minutes"),
    "wage": Sentence("an hour of work costs {range}", "planning.while.wage"),
    "gpu_price": Sentence("an hour of a GPU costs {range}", "planning.while.gpu_price"),
}


def condition(plan: Plan, switch: Switch, title: Title = str) -> Sentence:
    """``This holds while tagging one recording by hand takes more than 1.4 minutes; below that: stay with hands.``"""
    held = replace(_BETWEEN[switch.name], values={"range": range_of(switch)})
    return Sentence(
        "This holds while {condition}; {beyond}.",
        "planning.condition",
        {"condition": held, "beyond": beyond(plan, switch, title)},
    )


def beyond(plan: Plan, switch: Switch, title: Title = str) -> Sentence:
    """What is advised past the ends of a switching range: ``below that: stay with hands``. For a switch that has an end."""
    below, above = (
        None if end is None else _instead(plan, end, title) for end in (switch.below, switch.above)
    )
    if above is None:
        return Sentence("below that: {below}", "planning.beyond.below", {"below": below})
    if below is None:
        return Sentence("above that: {above}", "planning.beyond.above", {"above": above})
    if switch.below == switch.above:
        return Sentence("else: {else}", "planning.beyond.same", {"else": above})
    return Sentence(
        "below that: {below}; above: {above}", "planning.beyond.both", {"below": below, "above": above}
    )


def _instead(plan: Plan, turn: Turn, title: Title) -> Sentence:
    if turn.kind == BY_HAND:
        return Sentence("stay with hands", "planning.instead.hands")
    if turn.kind == LABEL:
        return Sentence("label more recordings first", "planning.instead.label")
    if turn.word == CANNOT_TELL or turn.way is None:
        return Sentence("nothing can be claimed", "planning.instead.cannot_tell")
    way = plan.evidence.ways[turn.way]
    values = {"way": DONE[way.kind].filled(backbone=title(way.backbone)), "verb": verb(turn.word)}
    return Sentence("{way} {verb}", "planning.instead.use", values)


def range_of(switch: Switch) -> Sentence:
    low, high = (None if end is None else _figure(end) for end in (switch.low, switch.high))
    if high is None:
        return Sentence("more than {low}", "planning.range.more", {"low": low})
    if low is None:
        if switch.name == "recordings":  # they are counted
            return Sentence("fewer than {high}", "planning.range.fewer", {"high": high})
        return Sentence("less than {high}", "planning.range.less", {"high": high})
    return Sentence("between {low} and {high}", "planning.range.between", {"low": low, "high": high})


def _figure(value: float) -> str:
    """Two figures, without an exponent: ``1.4``, ``23``, ``1,500``."""
    if value >= 100:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"{float(f'{value:.2g}'):g}"


def _what_helps(plan: Plan) -> Sentence:
    """What to do where nothing can be said: which recordings are lacking."""
    few = [
        (tag, max(3 - there, 0), max(3 - absent, 0))
        for tag, there, absent in zip(
            plan.evidence.tags, plan.evidence.having, plan.evidence.lacking, strict=True
        )
    ]
    few = [one for one in few if one[1] or one[2]]
    if not plan.evidence.ways:
        return Sentence("Add clips and probe them; that alone makes a first plan.", "planning.helps.probe")
    if few:
        tag, more, without = min(few, key=lambda one: (one[1] + one[2], one[0]))
        return Sentence(
            "The shortest way on: {recordings}.",
            "planning.helps.tag",
            {"recordings": _recordings(tag, more, without)},
        )
    return Sentence(
        "More labelled recordings help most; a recording of another day or player teaches more than a second clip of the same.",
        "planning.helps.more",
    )


def _recordings(tag: str, more: int, without: int) -> Sentence:
    """As many with a tag, and as many without it; one of the two at least."""
    values = {"tag": tag, "more": more, "without": without}
    having = (
        Sentence("1 more recording with {tag}", "planning.helps.with_one", values)
        if more == 1
        else Sentence("{more} more recordings with {tag}", "planning.helps.with", values)
    )
    lacking = (
        Sentence("1 more recording without {tag}", "planning.helps.without_one", values)
        if without == 1
        else Sentence("{without} more recordings without {tag}", "planning.helps.without", values)
    )
    if more and without:
        return Sentence("{one} and {other}", "planning.helps.both", {"one": having, "other": lacking})
    return having if more else lacking


def for_the_meeting(plan: Plan, title: Title = str) -> tuple[Sentence, Sentence, Sentence]:
    """Three to say aloud: the result, its condition, the next step."""
    advice = plan.advice
    first, second = two_sentences(plan, title)
    if advice.kind == STOP:
        after = Sentence("Until then the recordings are tagged by hand.", "planning.meeting.until_then")
        return first, second, after
    if advice.kind == LABEL:
        known = Sentence(
            "Knowing for certain would be worth at most {time} per 100 recordings.",
            "planning.meeting.certainty",
            {"time": time_of(advice.certainty)},
        )
        return first, known, second
    if nothing_to_save(plan):
        step = Sentence(
            "Accepting a right suggestion takes as long as tagging by hand, so even a tagger without mistakes would save "
            "nothing; the next step is to time both on ten recordings.",
            "planning.meeting.nothing",
        )
    elif advice.kind == BY_HAND or advice.word == CANNOT_TELL:
        step = Sentence(
            "The next step costs little: try another backbone on the same {n} recordings before giving up.",
            "planning.meeting.other",
            {"n": plan.evidence.n_recordings},
        )
    elif advice.labels is not None and advice.labels.best:
        step = Sentence(
            "The next step is to use it on the first {first} recordings and to check every suggestion; {more} more labelled "
            "recordings would still be worth their cost.",
            "planning.meeting.use_and_label",
            {"first": _trial(plan), "more": advice.labels.best},
        )
    else:
        step = Sentence(
            "The next step is to use it on the first {first} recordings, to check every suggestion, and to time it.",
            "planning.meeting.use",
            {"first": _trial(plan)},
        )
    return first, second, step


def nothing_to_save(plan: Plan) -> bool:
    """Whether accepting a right suggestion takes as long as giving the tag by hand."""
    return plan.futures is not None and right_saves(plan.futures.tags_each, plan.assumptions) <= 0


def _trial(plan: Plan) -> int:
    """Recordings to begin with: a tenth of the archive, at least five, at most fifty."""
    return int(min(plan.assumptions.recordings, max(5, min(50, round(plan.assumptions.recordings / 10)))))
