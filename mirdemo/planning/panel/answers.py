"""What listeners answer: the small file that comes back, read with all that can be wrong with it."""

from __future__ import annotations

import json
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mirdemo.base.sentences import Sentence
from mirdemo.planning.panel.drawing import Panel
from mirdemo.planning.panel.errors import PanelError

FORMAT = "mirdemo-answers-1"
RIGHT, WRONG, CANNOT_TELL = "right", "wrong", "cannot_tell"
VERDICTS = (RIGHT, WRONG, CANNOT_TELL)
#: Which of two descriptions is the better: the first, the second, or neither.
FIRST, SECOND, SAME = "first", "second", "same"
SIDES = (FIRST, SECOND, SAME)
#: Of a file, in bytes; of a listener's name and a missing word, in characters; missing words of a clip.
LARGEST, LONGEST_NAME, LONGEST_WORD, MOST_WORDS = 500_000, 60, 60, 8
#: Longest time on a clip that is kept, in tenths of a second.
_LONGEST_TENTHS = 36_000_000


@dataclass(frozen=True)
class OnClip:
    """One listener's answers about one clip.

    verdicts: one a question, None where it was left out; words: that are missing; side: ``FIRST``, ``SECOND`` or ``SAME``
    seconds: while the clip was in sight
    """

    verdicts: tuple[str | None, ...]
    words: tuple[str, ...] = ()
    side: str | None = None
    seconds: float = 0.0

    @property
    def given(self) -> bool:
        return any(self.verdicts) or bool(self.words) or self.side is not None


@dataclass(frozen=True)
class Answers:
    """One listener's answers to one panel.

    run: 16 hex digits, of one listener's going through the panel; saved: how often it was saved before and with this file
    clips: clip's number in the panel -> answers
    """

    panel: str
    run: str
    listener: str
    language: str = "en"
    saved: int = 1
    clips: Mapping[int, OnClip] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Questions answered."""
        return sum(verdict is not None for clip in self.clips.values() for verdict in clip.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """As the panel's page saves them."""
        plain = {
            "format": FORMAT,
            "panel": self.panel,
            "run": self.run,
            "listener": self.listener,
            "language": self.language,
            "saved": self.saved,
            "clips": [
                {
                    "clip": number,
                    "answers": list(clip.verdicts),
                    "words": list(clip.words),
                    "side": clip.side,
                    "tenths": round(10 * clip.seconds),
                }
                for number, clip in sorted(self.clips.items())
                if clip.given
            ],
        }
        return {**plain, "check": checksum(plain)}

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False)


def checksum(plain: Mapping[str, Any]) -> str:
    """CRC-32 of the answers without their ``check``, as ``JSON.stringify`` writes them: tells a slip, not a forger."""
    text = json.dumps(
        {key: value for key, value in plain.items() if key != "check"},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def clean(text: str, longest: int) -> str:
    """Typed text in one line, without what cannot be shown, no longer than that."""
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(unicodedata.normalize("NFKC", shown).split())[:longest].strip()


def read_answers(data: bytes | str, panel: Panel) -> Answers:
    """Answers to this panel. Raises PanelError, one sentence, for everything else."""
    if len(data) > LARGEST:
        raise PanelError(
            "This file is larger than {kilobytes} kB, so it is no answers file. Choose the one that the listener saved.",
            code="panel.answers_large",
            kilobytes=LARGEST // 1000,
        )
    plain = _json(data)
    if not isinstance(plain, Mapping) or not str(plain.get("format")).startswith("mirdemo-answers-"):
        raise PanelError(
            "This file holds no answers of a listening panel. Choose the one that the listener saved.",
            code="panel.no_answers",
        )
    if plain["format"] != FORMAT:
        raise PanelError(
            "These answers were saved by another version ({version}). Read them with that version.",
            code="panel.answers_version",
            version=str(plain["format"])[:40],
        )
    if plain.get("panel") != panel.id:
        raise PanelError(
            "These answers are to another panel. Read them with the key of that panel.",
            code="panel.other_panel",
        )
    try:
        intact = checksum(plain) == plain.get("check")
        answers = _read(plain, panel) if intact else None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        answers = None
    if answers is None:
        raise PanelError(
            "This answers file was changed after it was saved. Ask for it to be saved and sent again.",
            code="panel.answers_changed",
        )
    if not answers.n:
        raise PanelError(
            "{listener} has not answered anything yet in this file. Ask for it to be saved again at the end.",
            code="panel.answers_empty",
            listener=answers.listener,
        )
    return answers


def _json(data: bytes | str) -> Any:
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return json.loads(text.strip())
    except (ValueError, RecursionError):  # no UTF-8 and no JSON are ValueErrors both
        return None


def _read(plain: Mapping[str, Any], panel: Panel) -> Answers:
    """Raises ValueError, KeyError or TypeError for what the page does not write."""
    run, listener, language, saved = (plain[name] for name in ("run", "listener", "language", "saved"))
    if not isinstance(run, str) or not isinstance(listener, str) or type(saved) is not int or saved < 1:
        raise ValueError
    clips: dict[int, OnClip] = {}
    for one in plain["clips"]:
        number, verdicts, words, side, tenths = (
            one[name] for name in ("clip", "answers", "words", "side", "tenths")
        )
        if type(number) is not int or not 0 <= number < len(panel.clips) or number in clips:
            raise ValueError
        asked = panel.clips[number]
        if len(verdicts) != len(asked.questions) or any(v not in (*VERDICTS, None) for v in verdicts):
            raise ValueError
        if side not in (*SIDES, None) or (side is not None and not asked.sides):
            raise ValueError
        if type(tenths) is not int or not 0 <= tenths <= _LONGEST_TENTHS:
            raise ValueError
        if not isinstance(words, list) or len(words) > MOST_WORDS:
            raise ValueError
        said = tuple(dict.fromkeys(word for typed in words if (word := clean(typed, LONGEST_WORD))))
        clips[number] = OnClip(tuple(verdicts), said, side, tenths / 10)
    name, run = clean(listener, LONGEST_NAME) or "?", clean(run, 32)
    if not run:
        raise ValueError
    return Answers(panel.id, run, name, "ja" if language == "ja" else "en", saved, clips)


def joined(there: Sequence[Answers], more: Answers) -> tuple[tuple[Answers, ...], Sentence | None]:
    """With one more listener's answers, and what to say about it; None where nothing needs to be said.

    The same going through sent twice is one: what was saved later counts.
    """
    before = next((one for one in there if one.run == more.run), None)
    name = {"listener": more.listener, "n": more.n}
    if before is not None and (before == more or before.saved > more.saved):
        return tuple(there), Sentence(
            "The answers of {listener} are here already; nothing was changed.", "panel.sent_twice", name
        )
    if before is not None:
        return tuple(more if one is before else one for one in there), Sentence(
            "The answers of {listener} were saved anew; these count now ({n}).", "panel.saved_anew", name
        )
    namesake = any(one.listener == more.listener for one in there)
    said = Sentence(
        "Two listeners are called {listener}: they count as two. If it is one person, remove one.",
        "panel.namesakes",
        name,
    )
    return (*there, more), said if namesake else None
