"""The terms of the page, each with a sentence: one list for all tabs, marked where they stand.

``text/glossary.<language>.json`` holds three words a term: its name, the forms under which it stands in texts (``a|b``)
and the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

from mirdemo.words.language import words

PART = "glossary."
#: Within these nothing is marked: a button in a button cannot be pressed.
_CLOSED = re.compile(r"(<(a|button|code|summary|label|select)\b.*?</\2>|<[^>]*>)", re.DOTALL)


@dataclass(frozen=True)
class Term:
    """key: the same in every language; name: as a heading; forms: as it stands in texts; says: one or two sentences"""

    key: str
    name: str
    forms: tuple[str, ...]
    says: str


@cache
def terms(language: str) -> tuple[Term, ...]:
    """All terms of a language, by name."""
    known = words(language)
    keys = [
        k.removeprefix(PART).removesuffix(".says")
        for k in known
        if k.startswith(PART) and k.endswith(".says")
    ]
    found = (
        Term(
            key,
            known[f"{PART}{key}.name"],
            tuple(known[f"{PART}{key}.forms"].split("|")),
            known[f"{PART}{key}.says"],
        )
        for key in keys
    )
    return tuple(sorted(found, key=lambda term: term.name.casefold()))


def mark(text: str, language: str) -> Markup:
    """A text with every term in it made a button that opens its sentence, each term once.

    text: words of ours, or anything else, which is escaped unless it is Markup; tags, links and buttons in it stay
    """
    ours = isinstance(text, Markup) and str(text) in _our_words(language)
    return _marked_words(str(text), language) if ours else _marked(text, language)


@cache
def _our_words(language: str) -> frozenset[str]:
    """All that can be marked once for every visitor: words that nothing of anybody has been filled into."""
    return frozenset(words(language).values())


@cache
def _marked_words(text: str, language: str) -> Markup:
    return _marked(Markup(text), language)


def _marked(text: str, language: str) -> Markup:
    pattern, by_form = _finder(language)
    told: set[str] = set()

    def button(match: re.Match[str]) -> str:
        key = by_form[_plain(match[1])]
        if key in told:
            return match[0]
        told.add(key)
        return f'<button type="button" class="term" data-term="{key}">{match[0]}</button>'

    pieces = _CLOSED.split(str(escape(text)))
    # Of every three pieces the first is text, the second what is left alone, the third the name of its tag.
    return Markup(
        "".join(pattern.sub(button, p) if i % 3 == 0 else p or "" for i, p in enumerate(pieces) if i % 3 < 2)
    )


@cache
def _finder(language: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """What finds a term in a text, the longest form first, and form -> key."""
    by_form = {_plain(form): term.key for term in terms(language) for form in term.forms}
    forms = sorted({form for term in terms(language) for form in term.forms}, key=len, reverse=True)
    # With its genitive, for a line may end behind a button.
    return re.compile(f"({'|'.join(map(_bounded, forms))})(?:(?:'|&#39;)s)?"), by_form


def _bounded(form: str) -> str:
    """A form as a pattern that finds it as a word of its own."""
    if re.fullmatch("[ァ-ヶー]+", form):
        return f"(?<![ァ-ヶー]){re.escape(form)}(?![ァ-ヶー])"
    if re.fullmatch("[一-龥]", form):
        return f"(?<![一-龥]){re.escape(form)}(?![一-龥])"
    if not form.isascii():
        return re.escape(form)
    first = form[0]
    head = f"[{first.upper()}{first}]" if first.islower() else re.escape(first)
    if form == "p":
        return r"(?<![A-Za-z0-9_.&-])p(?= ?[=<])"
    return rf"(?<![A-Za-z0-9_.&-]){head}{re.escape(form[1:])}(?![A-Za-z0-9_-])"


def _plain(form: str) -> str:
    return form[:1].lower() + form[1:]
