"""The text of tags and recording names: how it is split, cleaned, compared and bounded."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator

from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError

_BARS = re.compile(r"[|｜]")
_SEPARATORS = re.compile(r"[;,\n\r｜；，、]")
_ANY = re.compile(r"[|;,\n\r｜；，、]")
_QUOTED = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|'([^']*)'|“([^”]*)”|「([^」]*)」)\s*""")
_LONGEST_LIST = 20_000
#: What people and programs write where there is no tag.
_NONE = frozenset(
    {
        "na",
        "n/a",
        "n.a.",
        "k.a.",
        "s/o",
        "<na>",
        "#n/a",
        "#na",
        "#nv",
        "#value!",
        "#ref!",
        "nan",
        "none",
        "null",
        "nil",
        "[]",
        "()",
        "{}",
        "set()",
        "none of these",
        "-",
        "--",
        "–",
        "—",
        "なし",
        "無し",
        "無",
        "どれでもない",
        "該当なし",
    }
)
#: A list as programs print it: what it is called, its brackets, and in them words in quotes.
_PRINTED = re.compile(
    r"(?:(?:array|Index|set|frozenset|tuple|list)\()?(?:\[(?P<list>.*?)\]|\{(?P<set>.*?)\}|\((?P<tuple>.*?)\))(?:, dtype=[^)]*)?\)?",
    re.DOTALL,
)
_WORDS = re.compile(
    r"""\s*(?:[bru]?(?P<word>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?:None|nan|null|<NA>))\s*(?:,|$|(?=['"]))""",
    re.DOTALL,
)
_JOINERS = "\u200c\u200d"  # invisible, but they change how Persian and Indic words are written


def typed_tags(text: str, limits: ClipLimits = CLIP_LIMITS) -> tuple[str, ...]:
    """Tags as a person types them or a cell of a sheet holds them. Raises ``ClipsError``.

    Bars part tags where there are any (``voice, high | drum``); else commas, semicolons and line breaks do. A list as
    programs write it (``['voice', 'drum']``) is one too. A tag in quotes keeps what is within. ``NA``, ``none``,
    ``-`` and an empty list are no tags.
    """
    text = text.strip()
    printed = _printed_list(text)
    if printed is None:
        printed = _structured(text)
    if printed is not None:
        return clean_tags((tag for tag in printed if same(tag.strip()) not in _NONE), limits)
    inner = re.fullmatch(r"\[(.*)\]|\{(.*)\}|\((.*)\)", text, re.DOTALL)
    if inner and (inner[1] is not None or re.match(r"[({]\s*['\"]", text)):
        text = next(part for part in inner.groups() if part is not None)
    separators = _BARS if _has_bar(text) else _SEPARATORS
    found = _split(text, separators)
    return clean_tags((tag for tag, quoted in found if quoted or same(tag.strip()) not in _NONE), limits)


def _printed_list(text: str) -> list[str] | None:
    """The words of a list as Python, numpy, pandas or JSON print it, each in quotes; None if it is none."""
    found = _PRINTED.fullmatch(text) if len(text) < _LONGEST_LIST else None
    inner = next((part for part in found.groups() if part is not None), "").strip() if found else ""
    words, at = [], 0
    while at < len(inner):
        one = _WORDS.match(inner, at)
        if one is None:
            return None
        if one["word"] is not None:
            words.append(_unescaped(one["word"]))
        at = one.end()
    return words if words or (found and inner) else None


def _structured(text: str) -> list[str] | None:
    """The words of lists within a list, or of a table of tags and whether each holds (``{"voice": 1, "drum": 0}``); None where
    it is neither."""
    if text[:1] not in ("[", "{") or len(text) >= _LONGEST_LIST or text.count("[") + text.count("{") > 50:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    if isinstance(found, dict):
        if not all(
            isinstance(tag, str) and isinstance(there, (bool, int, float)) for tag, there in found.items()
        ):
            return None
        return [tag for tag, there in found.items() if there and there == there]
    words: list[str] = []
    for part in found if isinstance(found, list) else ():
        if not isinstance(part, list | tuple) or not all(isinstance(word, str) for word in part):
            return None
        words += part
    return words or None


def _unescaped(word: str) -> str:
    """What stands between the quotes, its escapes resolved as Python and JSON write them."""

    def sign(escape: re.Match[str]) -> str:
        if escape[1] is not None or escape[2] is not None:
            return chr(int(escape[1] or escape[2], 16))
        return {"n": "\n", "r": "\r", "t": "\t"}.get(escape[3], escape[3])

    text = re.sub(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", sign, word[1:-1], flags=re.DOTALL)
    return text.encode("utf-16", "surrogatepass").decode(
        "utf-16", "replace"
    )  # JSON writes some signs in two halves


def written_tags(tags: Iterable[str]) -> str:
    """Tags as one cell that ``typed_tags`` reads back."""
    return "|".join(_quoted(tag) for tag in tags)


def _has_bar(text: str) -> bool:
    """Whether a bar stands between pieces; within quotes it is part of a tag."""
    at = 0
    while at <= len(text):
        quoted = _QUOTED.match(text, at)
        if quoted and (quoted.end() == len(text) or _ANY.match(text, quoted.end())):
            at = quoted.end()
        found = _ANY.search(text, at)
        if found is None:
            return False
        if _BARS.match(found[0]):
            return True
        at = found.end()
    return False


def _split(text: str, separators: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """The pieces between separators, and whether they stood in quotes; what does is one piece."""
    at = 0
    while at <= len(text):
        quoted = _QUOTED.match(text, at)
        if quoted and (quoted.end() == len(text) or separators.match(text, quoted.end())):
            yield next(part for part in quoted.groups() if part is not None).replace('""', '"'), True
            at = quoted.end() + 1
            continue
        found = _outside(separators, text, at)
        yield text[at : found.start() if found else len(text)], False
        at = found.end() if found else len(text) + 1


def _outside(separators: re.Pattern[str], text: str, at: int) -> re.Match[str] | None:
    """The next separator that does not stand between parentheses: ``voice (high, male)`` is one tag."""
    found = separators.search(text, at)
    while found is not None and found[0] in ",，、":
        before, after = text[at : found.start()], text[found.end() :]
        opened = max(before.rfind("("), before.rfind("（"))
        closing = re.match(r"[^()（）;；|｜\r\n]*[)）]", after)
        if opened <= max(before.rfind(")"), before.rfind("）")) or closing is None:
            return found
        found = separators.search(text, found.end() + closing.end())
    return found


def _quoted(tag: str) -> str:
    plain = not re.search(r"[|｜;,；，、\[\](){}]", tag) and not _QUOTED.match(tag) and same(tag) not in _NONE
    return tag if plain and tag[:1] not in "\"'“「" else '"' + tag.replace('"', '""') + '"'


def clean_tags(tags: Iterable[str], limits: ClipLimits = CLIP_LIMITS) -> tuple[str, ...]:
    """Each tag cleaned, blanks left out, one spelling (the first) for tags that are equal.

    Raises ``ClipsError`` for a tag that is too long or cannot be shown, and for too many tags.
    """
    cleaned: dict[str, str] = {}
    for raw in tags:
        tag = clean_text(raw)
        if not tag:
            continue
        if len(tag) > limits.max_tag_length:
            raise ClipsError(
                "The tag {tag} is too long ({length} characters; at most {max_length}). Shorten it.",
                code="clips.tag_too_long",
                tag=tag[: limits.max_tag_length] + "…",
                length=len(tag),
                max_length=limits.max_tag_length,
            )
        cleaned.setdefault(same(tag), tag)
    if len(cleaned) > limits.max_tags_per_clip:
        raise ClipsError(
            "A clip has {count} tags; at most {max_count} are kept. Choose the most important ones.",
            code="clips.too_many_tags_on_clip",
            count=len(cleaned),
            max_count=limits.max_tags_per_clip,
        )
    return tuple(cleaned.values())


def clean_recording(text: str, limits: ClipLimits = CLIP_LIMITS) -> str:
    """The name of a recording, cleaned. Raises ``ClipsError`` if it is blank or too long."""
    recording = clean_text(text)
    if not recording or len(recording) > limits.max_recording_length:
        raise ClipsError(
            "A recording's name has 1 to {max_length} characters, not {length}. Choose another name.",
            code="clips.recording_name",
            length=len(recording),
            max_length=limits.max_recording_length,
        )
    return recording


def clean_text(text: str) -> str:
    """Text in one line: invisible format characters removed, Unicode NFKC, white space collapsed.

    Raises ``ClipsError`` for control characters and broken Unicode.
    """
    text = "".join(c for c in text if c in _JOINERS or unicodedata.category(c) != "Cf")
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise ClipsError(
            "A name holds characters that cannot be shown ({text}). Type it again.",
            code="clips.control_characters",
            text=ascii(text[:40]),
        )
    return text


def same(text: str) -> str:
    """What two tags have in common when they are the same tag: case and Unicode width do not count.

    A letter that stands alone keeps its case: it is a sign, and r and R are two svaras (komal and shuddha re).
    """
    plain = unicodedata.normalize("NFKC", text)
    if sum(not unicodedata.combining(sign) for sign in unicodedata.normalize("NFKD", plain)) == 1:
        return plain
    return unicodedata.normalize("NFKC", text.casefold())
