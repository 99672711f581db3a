"""The text of tags and recording names: how it is split, cleaned, compared and bounded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError

_TYPED_SEPARATORS = re.compile(r"[|;,\n｜；，、]")
_SHEET_SEPARATORS = re.compile(r"[|;｜；]")
_JOINERS = "\u200c\u200d"  # invisible, but they change how Persian and Indic words are written


def typed_tags(text: str, limits: ClipLimits = CLIP_LIMITS) -> tuple[str, ...]:
    """Tags as a person types them, between commas, semicolons, bars or new lines. Raises ``ClipsError``."""
    return clean_tags(_TYPED_SEPARATORS.split(text), limits)


def sheet_tags(cell: str, limits: ClipLimits = CLIP_LIMITS) -> tuple[str, ...]:
    """Tags of one cell of a sheet, between bars or semicolons. Raises ``ClipsError``."""
    return clean_tags(_SHEET_SEPARATORS.split(cell), limits)


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
    """What two tags have in common when they are the same tag: case and Unicode width do not count."""
    return unicodedata.normalize("NFKC", text.casefold())
