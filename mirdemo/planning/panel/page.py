"""The page that listeners answer on: one HTML file with sound, questions and words, that needs nothing else; or the same
within the page that made the panel, where sounds are fetched one by one and answers are handed in.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mirdemo.base.progress import Progress, silent
from mirdemo.planning.panel.answers import FORMAT as ANSWERS_FORMAT
from mirdemo.planning.panel.answers import LONGEST_NAME, LONGEST_WORD, MOST_WORDS
from mirdemo.planning.panel.drawing import Panel
from mirdemo.planning.panel.errors import PanelError
from mirdemo.sound.mp3 import encode_mp3
from mirdemo.words.language import LANGUAGES, words

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

#: What a panel's page may weigh, so that it can be sent by mail.
MAX_BYTES = 8_000_000
#: Kilobits a second of its sound: the most that fits.
QUALITIES = (96, 64, 48, 32)
#: Bytes of the page beside its sound, and of each clip's MP3 beside its frames.
_PAGE, _CLIP = 60_000, 900
FILES = Path(__file__).parent / "page_files"
#: Words of the page, in ``words/text/panel.LANGUAGE.json``.
PREFIX = "panel.page."


def quality(seconds: float, n_clips: int) -> int | None:
    """Kilobits a second at which so much sound fits on a page, None where none does."""
    return next((q for q in QUALITIES if expected_bytes(seconds, n_clips, q) <= MAX_BYTES), None)


def expected_bytes(seconds: float, n_clips: int, kilobits: int) -> int:
    """What a page with so much sound weighs, rather more than less."""
    return _PAGE + int((seconds * kilobits * 125 + n_clips * _CLIP) * 4 / 3)


def panel_page(
    panel: Panel, clips: Sequence[Clip], language: str = "en", *, progress: Progress = silent
) -> str:
    """The page as HTML.

    clips: those of the panel, in any order, others are passed over; language: to begin with, both can be chosen on it
    It holds the sound as MP3, the tags asked about and the panel's id; no name of a file, nobody's proposals.
    Raises PanelError where a clip is missing or the sound is too long to be sent by mail.
    """
    by_sound = {clip.sha256: clip for clip in clips}
    if any(clip.sha256 not in by_sound for clip in panel.clips):
        raise PanelError(
            "A clip of this panel is not here any more. Make the panel again.", code="panel.clip_missing"
        )
    kilobits = quality(panel.seconds, len(panel.clips))
    if kilobits is None:
        raise PanelError(
            "These clips last {minutes:.0f} minutes together, too long for a page of {megabytes} MB. Choose fewer or shorter clips.",
            code="panel.too_long",
            minutes=panel.seconds / 60,
            megabytes=MAX_BYTES // 1_000_000,
        )
    sounds = []
    for done, clip in enumerate(panel.clips):
        progress(done, len(panel.clips), "encoding")
        sounds.append(base64.b64encode(encode_mp3(by_sound[clip.sha256], kilobits)).decode())
    progress(len(panel.clips), len(panel.clips), "encoding")
    return _page(panel, sounds, language, media="blob:")


def page_within(panel: Panel, addresses: Sequence[str], language: str = "en", theme: str = "") -> str:
    """The same page to be shown in a frame of the page that made the panel, to which it hands the answers.

    addresses: of each clip's sound, relative to where this page is served; theme: ``light`` or ``dark``, else the device's
    """
    return _page(panel, addresses, language, media="'self'", inside=True, theme=theme)


def _page(
    panel: Panel, sounds: Sequence[str], language: str, *, media: str, inside: bool = False, theme: str = ""
) -> str:
    """sounds: MP3 in base64, or addresses where ``inside``"""
    held = {
        **panel.asked(),
        "answers": ANSWERS_FORMAT,
        "limits": {"name": LONGEST_NAME, "word": LONGEST_WORD, "words": MOST_WORDS},
        "languages": LANGUAGES,
        "language": language if language in LANGUAGES else "en",
        "words": {name: _words(name) for name in LANGUAGES},
        "inside": inside,
        "sounds": sounds,
    }
    script, style = _file("panel.js"), _file("panel.css")
    return _template().render(
        language=held["language"],
        theme=theme,
        media=Markup(media),
        words=_words(held["language"]),
        all_words={name: _words(name) for name in LANGUAGES},
        held=_as_data(held),
        script=Markup(script),
        style=Markup(style),
        script_hash=_digest(script),
        style_hash=_digest(style),
    )


def _words(language: str) -> dict[str, str]:
    return {key.removeprefix(PREFIX): text for key, text in words(language).items() if key.startswith(PREFIX)}


def _as_data(held: Mapping[str, Any]) -> Markup:
    """JSON that may stand within a script element: what could end it is written as an escape."""
    text = json.dumps(held, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _digest(text: str) -> Markup:
    """As a Content-Security-Policy names a script or style that stands in the page."""
    return Markup("sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


@cache
def _file(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


@cache
def _template():
    environment = Environment(
        loader=FileSystemLoader(FILES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("panel.html")
