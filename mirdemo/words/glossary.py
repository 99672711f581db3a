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
_TAG = re.compile(r"""(<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>)""")
_NAME = re.compile(r"<(/?)([a-z][a-z0-9]*)")
#: Within these nothing is marked: a button in a button cannot be pressed, and a visitor's own words (``bdi``) are not ours.
_CLOSED = frozenset(
    [
        "a",
        "bdi",
        "button",
        "code",
        "label",
        "option",
        "pre",
        "script",
        "select",
        "style",
        "summary",
        "svg",
        "textarea",
        "title",
    ]
)
#: These never end.
_EMPTY = frozenset(("br", "hr", "img", "input"))
#: Nor in what is not to be seen, and where a template says so.
_UNSEEN = re.compile(r"""\s(hidden(?=[\s>])|data-unmarked|class="(?:[^"]*\s)?hidden[\s"])""")
#: Where one begins to read anew, so that every term opens once more; what is folded away leaves what follows as it was.
_PARTS = frozenset(("section", "figure", "details", "dialog"))
_HEADINGS = frozenset(("h1", "h2", "h3"))
#: A heading of a table that sorts it is a button itself: it tells its term beside what it does.
_SORTS = re.compile(r'<button\b[^>]*\sclass="sort"')


@dataclass(frozen=True)
class Term:
    """key: the same in every language; name: as a heading; forms: as it stands in texts; says: one or two sentences"""

    key: str
    name: str
    forms: tuple[str, ...]
    says: str

    @property
    def plain(self) -> tuple[str, ...]:
        """The forms as they are looked up, their first letter small."""
        return tuple(map(_plain, self.forms))


def finds_terms(language: str) -> str:
    """The pattern that finds terms in a text, for what is put together on the page: with one group, which scripts read too."""
    return _finder(language)[0].pattern


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
    """A text or a whole region of the page with every term in it made a button (one that lines break in as in text) that opens
    its sentence, each once in a part (under a heading, in a section, in a figure, within what unfolds).

    text: escaped unless it is Markup; tags, links, buttons and a visitor's own words in it stay
    """
    pieces = _TAG.split(str(escape(text)))
    told: list[set[str]] = [set()]
    closed, depth = "", 0  # the element within which nothing is marked, and how many of its name are open
    for i, piece in enumerate(pieces):
        if i % 2 == 0:
            if piece and not closed and not piece.isspace():
                pieces[i] = _opened(piece, language, told[-1])
            continue
        named = _NAME.match(piece)
        if named is None:
            continue
        ends, name = named.groups()
        if closed:
            depth += 0 if name != closed else -1 if ends else 1
            closed = closed if depth else ""
        elif ends:
            if name in _PARTS and len(told) > 1:
                told.pop()
        elif name in _CLOSED or (name not in _EMPTY and _UNSEEN.search(piece)):
            closed, depth = name, 1
            if _SORTS.match(piece) and (key := _finder(language)[1].get(_plain(pieces[i + 1].strip()))):
                pieces[i] = f'{piece[:-1]} data-term="{key}">'
        elif name in _PARTS:
            told.append(set())
        elif name in _HEADINGS:
            told[-1] = set()
    return Markup("".join(pieces))


def _opened(text: str, language: str, told: set[str]) -> str:
    """told: the terms that open already; those that open here are added"""
    made, at = [], 0
    for begins, ends, key in _found(text, language):
        if key in told:
            continue
        told.add(key)
        word = text[begins:ends]
        made += [
            text[at:begins],
            f'<span role="button" tabindex="0" class="term" data-term="{key}">{word}</span>',
        ]
        at = ends
    return "".join([*made, text[at:]])


def _found(text: str, language: str) -> tuple[tuple[int, int, str], ...]:
    """Where terms stand in an escaped text without tags: from, to and which."""
    bare = text.strip()
    if bare not in _our_words(language):
        return _looked_for(text, language)
    begins = text.index(bare)
    return tuple((begins + a, begins + b, key) for a, b, key in _found_in_ours(bare, language))


@cache
def _our_words(language: str) -> frozenset[str]:
    """All that can be looked through once for every visitor: words that nothing of anybody has been filled into, which would be
    kept beyond a visit."""
    parts = (part.strip() for one in words(language).values() for part in _TAG.split(one)[::2])
    return frozenset(part for part in parts if "{" not in part)


@cache
def _found_in_ours(text: str, language: str) -> tuple[tuple[int, int, str], ...]:
    return _looked_for(text, language)


def _looked_for(text: str, language: str) -> tuple[tuple[int, int, str], ...]:
    pattern, by_form = _finder(language)
    return tuple((*match.span(), by_form[_plain(match[1])]) for match in pattern.finditer(text))


@cache
def _finder(language: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """What finds a term in a text, the longest form first, and form -> key."""
    by_form = {form: term.key for term in terms(language) for form in term.plain}
    forms = sorted({form for term in terms(language) for form in term.forms}, key=len, reverse=True)
    # Most places are passed over for their letter, or for standing within a word, without asking of every form.
    first = re.escape("".join(sorted({letter for form in forms for letter in form[0] + form[0].upper()})))
    begins = f"(?=[{first}])(?<![A-Za-z0-9](?=[A-Za-z0-9]))"
    # With its genitive, for a line may end behind a button.
    return re.compile(f"{begins}({'|'.join(map(_bounded, forms))})(?:(?:'|&#39;)s)?"), by_form


def _bounded(form: str) -> str:
    """A form as a pattern that finds it as a word of its own."""
    if re.fullmatch("[ァ-ヶー]+", form):
        return f"(?<![ァ-ヶー])(?<!自動){re.escape(form)}(?![ァ-ヶー])"  # 自動タグ付け is a word of its own
    if re.fullmatch("[一-龥]", form):
        return f"(?<![一-龥]){re.escape(form)}(?![一-龥])"
    if not form.isascii():
        return re.escape(form)
    first = form[0]
    head = f"[{first.upper()}{first}]" if first.islower() else re.escape(first)
    if form == "p":
        return r"(?<![A-Za-z0-9_.&-])p(?= ?(?:[=<]|&lt;|under\b|が|は|値))"
    return rf"(?<![A-Za-z0-9_.&-]){head}{re.escape(form[1:])}(?![A-Za-z0-9_-])"


def _plain(form: str) -> str:
    return form[:1].lower() + form[1:]
