"""What a listening panel found, in words and rows: for the page, the report and the command line alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from mirdemo.planning.panel import HAND, Listeners, Panel, Results
from mirdemo.planning.panel.listeners import MachineHeard
from mirdemo.planning.panel.results import Heard, ProposerHeard, Verdict
from mirdemo.planning.say import DONE
from mirdemo.scoring.intervals import Interval, signed
from mirdemo.words.language import Speaker

Title = Callable[[str], str]


def proposer(t: Speaker, key: str, title: Title = str) -> Markup:
    """What a proposer is called: ``few_shot:spectral`` in words, labels, a tagger of the command line by its name."""
    if key == HAND:
        return t("panel.hand")
    kind, _, backbone = key.partition(":")
    if kind not in DONE or not backbone:
        return Markup.escape(key)
    return t.say(DONE[kind].filled(backbone=title(backbone)))


def in_range(t: Speaker, found: Interval, form: str = ".2f") -> Markup:
    """``0.42 to 0.68``, or that there is no interval."""
    if found.low is None or found.high is None:
        return t("panel.no_interval")
    return t("panel.range", low=_number(found.low, form), high=_number(found.high, form))


def of_all(t: Speaker, found: Heard) -> Markup:
    """``16 of 29 (0.42 to 0.68)``; with nothing to count, that."""
    if not found.n:
        return t("panel.none")
    return t("panel.k_of_n", k=found.right, of=found.n, range=in_range(t, found.share))


def alpha(t: Speaker, found: Interval | None) -> Markup:
    """An alpha with its interval."""
    if found is None or found.value is None:
        return t("panel.alpha.none")
    return t(
        "panel.alpha.is",
        value=_number(found.value),
        range=in_range(t, found),
        recordings=t("page.where.recordings", n=found.n),
    )


def _number(value: float, form: str = ".2f") -> str:
    return f"{value:{form}}".replace("-", "\N{MINUS SIGN}")


def ceiling(t: Speaker, one: ProposerHeard | MachineHeard, title: Title) -> Markup | None:
    """How far a proposer stands below the listeners' own agreement, in a sentence; None where nothing can be said."""
    found = one.to_ceiling
    if found is None or found.value is None:
        return None
    if found.low is None or found.high is None:
        word = "unknown"
    else:
        word = "below" if found.high < 0 else "above" if found.low > 0 else "same"
    return t(
        f"panel.ceiling.{word}",
        who=proposer(t, one.key, title),
        gap=signed(found.value),
        range=in_range(t, found),
    )


def people(t: Speaker, short: Listeners) -> Markup:
    """``3 listeners (A, B, C) answered 140 questions about 10 clips from 9 recordings.``"""
    return t(
        "panel.people",
        n=len(short.names),
        names=list(short.names),
        questions=t("panel.questions", n=short.answers),
        clips=t("page.where.clips", n=short.clips),
        recordings=t("page.where.recordings", n=short.recordings),
    )


def seconds(t: Speaker, short: Listeners) -> list[Markup]:
    """Measured seconds, where there are any."""
    said = []
    for name, found, n in (
        ("right", short.right_seconds, short.n_right),
        ("wrong", short.wrong_seconds, short.n_wrong),
    ):
        if found.value is not None:
            said.append(
                t(
                    f"panel.seconds.{name}",
                    value=f"{found.value:.1f}",
                    range=in_range(t, found, ".1f"),
                    n=n,
                )
            )
    return said


def lines(t: Speaker, short: Listeners, title: Title = str) -> list[Markup]:
    """Who listened, all of it in sentences: what the report says."""
    said = [people(t, short)]
    for one in short.machines:
        total = of_all(t, Heard(one.right, one.n, one.share))
        said.append(t("panel.machine", who=proposer(t, one.key, title), total=total))
    if len(short.names) > 1:
        said.append(t("panel.alpha.people", alpha=alpha(t, short.agreement)))
    for one in short.machines:
        said.append(t("panel.alpha.machine", who=proposer(t, one.key, title), alpha=alpha(t, one.agreement)))
        if (sentence := ceiling(t, one, title)) is not None:
            said.append(sentence)
    return [*said, *seconds(t, short)]


def tag_rows(t: Speaker, found: Results) -> list[dict[str, Any]]:
    """A row a tag: right when a machine says so, and there though it does not; of each machine."""
    tags = [one.tag for one in found.machines[0].tags]
    return [
        {
            "tag": tag,
            "machines": [
                {"said": of_all(t, one.tags[at].said), "unsaid": of_all(t, one.tags[at].unsaid)}
                for one in found.machines
            ],
        }
        for at, tag in enumerate(tags)
    ]


def verdict(t: Speaker, panel: Panel, one: Verdict, title: Title = str) -> dict[str, Any]:
    """One disagreement: who proposed the tag, and what listeners said."""
    by = [proposer(t, key, title) for key in one.by]
    return {
        "clip": one.clip,
        "name": panel.clips[one.clip].name,
        "tag": one.tag,
        "by": t("panel.by", names=by) if by else t("panel.by.nobody"),
        "said": t("panel.votes", right=one.right, wrong=one.wrong, cannot_tell=one.cannot_tell),
        "divided": one.divided,
    }


def preferred(t: Speaker, found: Results, title: Title = str) -> Markup | None:
    """Which of two descriptions listeners liked better; None where nobody was asked."""
    two = found.preferred
    if two is None or not two.first + two.second + two.same:
        return None
    names = [proposer(t, key, title) for key in two.keys]
    decided = t("panel.none") if two.share.value is None else in_range(t, two.share)
    return t(
        "panel.preferred",
        one=names[0],
        other=names[1],
        first=two.first,
        second=two.second,
        same=two.same,
        range=decided,
    )
