"""How each tradition looks and is called on every chart: one colour and one shape, with a default for a stranger's.

Colour-blind-safe colours (Okabe and Ito 2008) for the traditions that the page has words for; others take the next of
``MORE`` (after Tol's muted scheme, 2021) in the order of the catalogue, and the words of their own corpus. The lightest
and darkest are changed until they stand out 3 to 1 on the page's light ground and on its dark one.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.elsewhere import ELSEWHERE, ElsewhereFacts
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.words.language import Speaker

COLOURS = {
    "western": "#0072B2",
    "greek": "#4A9BC8",
    "makam": "#C38700",
    "hindustani": "#D55E00",
    "carnatic": "#CC79A7",
    "festival": "#009E73",
    "beijing-opera": "#A65628",
}
SYMBOLS = {
    "western": "circle",
    "greek": "square",
    "makam": "diamond",
    "hindustani": "triangle-up",
    "carnatic": "cross",
    "festival": "star",
    "beijing-opera": "pentagon",
}
MORE = ("#B03A6E", "#999933", "#3FA08F", "#6F5FC4", "#AA4499")
MORE_SYMBOLS = ("triangle-down", "hexagon", "bowtie", "hourglass", "diamond-tall", "star-square")


def tradition_of(corpus: str) -> str:
    """Of a corpus of the catalogue its tradition; of ``controlled/makam`` what stands behind the slash."""
    known = catalogue().get(corpus)
    return known.tradition if known else corpus.rpartition("/")[2]


def in_order(traditions: Iterable[str]) -> list[str]:
    """Each tradition once: those with words of their own first, Western to distant, then the others as they come."""
    there = dict.fromkeys(traditions)
    return [*(t for t in COLOURS if t in there), *(t for t in there if t not in COLOURS)]


def colour(tradition: str) -> str:
    """``#rrggbb``"""
    return COLOURS.get(tradition) or MORE[_place(tradition) % len(MORE)]


def symbol(tradition: str) -> str:
    """Plotly's name of the shape."""
    return SYMBOLS.get(tradition) or MORE_SYMBOLS[_place(tradition) % len(MORE_SYMBOLS)]


def tradition_words(tradition: str, t: Speaker) -> str:
    """What the tradition is called in this language; escaped."""
    key = "evidence.tradition." + tradition
    if t.has(key):
        return str(t(key))
    known: list[CorpusFacts | ElsewhereFacts] = [*catalogue().values(), *ELSEWHERE.values()]
    said = (
        str(facts.tradition_title.get(t.language) or facts.tradition_title.get("en") or facts.title)
        for facts in known
        if facts.tradition == tradition
    )
    return str(escape(next(said, tradition)))


def music_words(tradition: str, t: Speaker) -> str:
    """``South Indian music (Carnatic)``: a tradition's music for a reader who does not know its name; escaped."""
    key = "evidence.music." + tradition
    if t.has(key):
        return str(t(key))
    return str(t("evidence.music", tradition=Markup(tradition_words(tradition, t))))


def short_words(corpus: str, t: Speaker) -> str:
    """A corpus on a narrow screen; its title where there is no shorter word; escaped."""
    key = "evidence.short." + corpus
    return (
        str(t(key))
        if t.has(key)
        else str(escape(catalogue()[corpus].title if corpus in catalogue() else corpus))
    )


def _place(tradition: str) -> int:
    others = in_order(facts.tradition for facts in catalogue().values())
    strange = [one for one in others if one not in COLOURS]
    return strange.index(tradition) if tradition in strange else len(strange)
