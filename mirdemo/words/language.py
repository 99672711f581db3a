"""Every word of the page in every language it speaks.

The words lie in ``text/<part>.<language>.json``, one flat file a tab and language, so that several people can
write at once; a key is written ``<part>.<key>`` in templates. Refusals, warnings and verdicts are ``Sentence``s:
English stands where they are raised, the others in ``text/say.<room>.<language>.json`` (code -> template).
"""

from __future__ import annotations

import json
import logging
import numbers
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from mirdemo.base.sentences import Sentence

log = logging.getLogger(__name__)

TEXT = Path(__file__).parent / "text"
LANGUAGES = {"en": "English", "ja": "日本語"}
DEFAULT = "en"

#: Letters of scripts that are written from right to left, and what keeps a text's direction to itself (Unicode's annex 9).
_FROM_THE_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_ISOLATED, _SO_FAR = "\u2068", "\u2069"
_WIDE = "[\u3000-\u30ff\u3400-\u9fff\uff00-\uff60]"
_FIELD = re.compile(rf"(?P<before>(?<={_WIDE}) )?(?P<field>{{(?P<name>\w+)[^}}]*}})(?P<after> (?={_WIDE}))?")


@cache
def words(language: str) -> Mapping[str, str]:
    """All words of a language: ``"<part>.<key>" -> template``."""
    found: dict[str, str] = {}
    for path in sorted(TEXT.glob(f"*.{language}.json")):
        part = path.name.split(".")[0]
        if part != "say":
            entries = json.loads(path.read_text(encoding="utf-8"))
            found |= {f"{part}.{key}": template for key, template in entries.items()}
    return found


@cache
def sayings(language: str) -> Mapping[str, str]:
    """Templates of sentences by their code; empty for English, whose templates stand in the code."""
    found: dict[str, str] = {}
    for path in sorted(TEXT.glob(f"say.*.{language}.json")):
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def choose(wanted: str | None) -> str:
    """The language to begin with. ``wanted``: an Accept-Language header, e.g. ``"ja,en-US;q=0.7"``."""
    ranked = []
    for position, entry in enumerate((wanted or "").split(",")):
        tag, _, parameters = entry.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            quality = 0.0
        ranked.append((-quality, position, tag.split("-")[0].lower()))
    return next((tag for _, _, tag in sorted(ranked) if tag in LANGUAGES), DEFAULT)


class Speaker:
    """Says things in one language.

    Called with a key it gives the words, values filled in and escaped (``t("page.where.clips", n=3)``). Words may
    carry simple markup of ours; a value never can.
    """

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else DEFAULT
        self._words = words(self.language)

    def __call__(self, key: str, **values: Any) -> Markup:
        template = self._words[f"{key}.one"] if self._one(key, values) else self._words[key]
        filled = {name: self._value(value) for name, value in values.items()}
        return Markup(self._closed_up(template, filled).format(**filled))

    def _one(self, key: str, values: Mapping[str, Any]) -> bool:
        """English parts one from many: ``count`` and ``count.one``. Japanese needs only ``count``."""
        return values.get("n") == 1 and f"{key}.one" in self._words

    def _closed_up(self, template: str, values: Mapping[str, Any]) -> str:
        """Japanese parts its own letters from others by a space, not from each other: with ``18 秒``, ``{time} です``
        is ``18 秒です``."""
        if self.language != "ja":
            return template

        def close_up(found: re.Match[str]) -> str:
            value = str(values.get(found["name"], ""))
            before = "" if re.match(_WIDE, value[:1]) else found["before"] or ""
            after = "" if re.match(_WIDE, value[-1:]) else found["after"] or ""
            return f"{before}{found['field']}{after}"

        return _FIELD.sub(close_up, template)

    def has(self, key: str) -> bool:
        return key in self._words

    def say(self, sentence: Sentence) -> Markup:
        """A sentence in this language, its values escaped."""
        values = {name: self._value(value) for name, value in sentence.values.items()}
        template = sayings(self.language).get(sentence.code, sentence.template)
        template = escape(self._closed_up(template, values))
        try:
            return template.format(**values)
        except (KeyError, IndexError, ValueError):
            log.exception("the %s template of %s does not fit its values", self.language, sentence.code)
            return escape(str(sentence))

    def _value(self, value: Any) -> Any:
        """Values as they go into a template: sentences in this language, lists joined, text escaped."""
        if isinstance(value, Sentence):
            return self.say(value)
        if isinstance(value, (list, tuple, set, frozenset)):
            joint = "、" if self.language == "ja" else ", "
            return Markup(joint).join(self._value(item) for item in value)
        if isinstance(value, numbers.Number):
            return value
        # Else one that is written from right to left would turn round what stands beside it.
        return escape(f"{_ISOLATED}{value}{_SO_FAR}" if _FROM_THE_RIGHT.search(str(value)) else value)


@cache
def speaker(language: str) -> Speaker:
    """The speaker of a language (English for one we do not speak)."""
    return Speaker(language)
