"""Drawing a panel: which clips are heard, which tags are asked about, in which order; and its key, a file to keep.

What listeners get (``Panel.asked``) holds sound, tags and an order. Who proposed a tag, whether anybody did, and which
file a clip is from stand in the key alone, which stays with whoever made the panel.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.planning.panel.errors import PanelError

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

FORMAT = "mirdemo-panel-1"
#: The proposer whose tags were given by people: the labels that the clips came with.
HAND = "hand"
#: Clips of a panel where nothing else is said, and the most there can be; the most tags asked about on one of them.
USUAL, MOST, MOST_QUESTIONS = 20, 60, 12
#: Of a longer recording that nobody has labelled so many seconds are heard, from its middle.
HEARD_SECONDS = 15
#: Bytes of a key.
LARGEST_KEY = 4_000_000
#: Of a name in a key.
_LONGEST = 300


@dataclass(frozen=True, eq=False)
class Proposer:
    """Who gives tags: a tagger, or the labels.

    key: what it is called in results, ``HAND`` for labels; said: 0/1 (n_clips, n_tags), by models that had not heard
    the clip's recording
    """

    key: str
    said: np.ndarray


@dataclass(frozen=True)
class Question:
    """Is this tag right for this clip? by: keys of the proposers that say so; none: a decoy."""

    tag: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class PanelClip:
    """A clip of a panel with its questions in the order they are asked.

    sides: where two taggers describe it differently, their keys and all their tags, in the order they are shown; else none
    """

    sha256: str
    name: str
    recording: str
    seconds: float
    questions: tuple[Question, ...]
    sides: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Panel:
    """A panel as its maker knows it.

    id: 16 hex digits, of all that is asked and in which order; tags: all that could be asked about
    proposers: keys, the machines first
    """

    id: str
    tags: tuple[str, ...]
    proposers: tuple[str, ...]
    clips: tuple[PanelClip, ...]

    @property
    def machines(self) -> tuple[str, ...]:
        return tuple(key for key in self.proposers if key != HAND)

    @property
    def n_questions(self) -> int:
        return sum(len(clip.questions) for clip in self.clips)

    @property
    def seconds(self) -> float:
        """Of sound."""
        return sum(clip.seconds for clip in self.clips)

    def asked(self) -> dict[str, Any]:
        """All that listeners get but the sound: no name of a file, and not whose a tag is."""
        return {
            "format": FORMAT,
            "id": self.id,
            "clips": [
                {
                    "tags": [question.tag for question in clip.questions],
                    "sides": [list(tags) for _, tags in clip.sides] or None,
                }
                for clip in self.clips
            ],
        }

    # ---- the key ----------------------------------------------------------------------------------------

    def as_json(self) -> str:
        """The key: whose the tags are, and the names of the clips. Not for listeners."""
        return json.dumps({"format": FORMAT, "key": True, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Panel:
        """Raises PanelError for what is no key, is of another version, or was changed."""
        try:
            plain = json.loads(text) if len(text) <= LARGEST_KEY else None
        except (ValueError, RecursionError):
            plain = None
        if not isinstance(plain, Mapping) or not str(plain.get("format")).startswith("mirdemo-panel-"):
            raise PanelError(
                "This file is no key of a listening panel. Choose the key that was saved when the panel was made.",
                code="panel.no_key",
            )
        if plain["format"] != FORMAT:
            raise PanelError(
                "This key was saved by another version ({version}). Use that version, or make the panel again.",
                code="panel.key_version",
                version=str(plain["format"])[:40],
            )
        try:
            panel = cls(
                str(plain["id"]),
                _texts(plain["tags"]),
                _texts(plain["proposers"]),
                tuple(_read_clip(clip) for clip in plain["clips"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            panel = None
        if panel is None or not panel.clips or panel.id != _identity(panel):
            raise PanelError(
                "This key was changed after it was saved. Choose the file as it was saved.",
                code="panel.key_changed",
            )
        return panel


def _texts(plain: Any) -> tuple[str, ...]:
    if not isinstance(plain, list) or not all(isinstance(x, str) and len(x) <= _LONGEST for x in plain):
        raise ValueError
    return tuple(plain)


def _read_clip(plain: Mapping[str, Any]) -> PanelClip:
    sha256, name, recording = _texts([plain["sha256"], plain["name"], plain["recording"]])
    questions = tuple(Question(_texts([q["tag"]])[0], _texts(q["by"])) for q in plain["questions"])
    sides = tuple((_texts([key])[0], _texts(tags)) for key, tags in plain["sides"])
    if not 1 <= len(questions) <= MOST_QUESTIONS or len(sides) not in (0, 2):
        raise ValueError
    return PanelClip(sha256, name, recording, float(plain["seconds"]), questions, sides)


def _identity(panel: Panel) -> str:
    """Of everything in a panel, so that answers cannot be read by another key."""
    held = {**asdict(panel), "id": "", "format": FORMAT}
    return hashlib.sha256(json.dumps(held, sort_keys=True, ensure_ascii=True).encode()).hexdigest()[:16]


def middle(clip: Clip, seconds: int = HEARD_SECONDS) -> Clip:
    """The clip, or its middle where it is longer: what is heard is what is tagged."""
    from mirdemo.sound.audio import Clip

    length = seconds * clip.sample_rate
    if len(clip.samples) <= length:
        return clip
    start = (len(clip.samples) - length) // 2
    cut = clip.samples[start : start + length]
    return Clip.of(cut, clip.sample_rate, clip.name, start_seconds=start / clip.sample_rate)


# ---- drawing --------------------------------------------------------------------------------------------


def draw(
    clips: Sequence[Clip],
    recordings: Sequence[str],
    tags: Sequence[str],
    proposers: Sequence[Proposer],
    *,
    most: int = USUAL,
    seed: int = 0,
) -> Panel:
    """A panel of up to ``most`` clips: the tags that anybody proposes for them and as many decoys, in random order.

    clips: (n_clips,), recordings: (n_clips,), tags: (n_tags,); proposers: taggers, two at most, and the labels

    Recordings take turns, and among a recording's clips those come first whose tags have been asked about least. A decoy
    is a tag that nobody proposes for the clip; a clip without any proposal gets one. Of more than ``MOST_QUESTIONS`` a
    clip, half of them proposed, chance leaves some out. Where two taggers describe a clip differently, listeners are asked
    as the last thing which description is the better.
    Raises PanelError where there is nothing to ask.
    """
    machines = [proposer for proposer in proposers if proposer.key != HAND]
    if not machines or not len(clips) or not len(tags):
        raise PanelError(
            "There is nothing to ask about. A panel needs clips and a tagger that has not heard them.",
            code="panel.nothing",
        )
    if not 1 <= most <= MOST:
        raise PanelError("A panel has 1 to {most} clips. Choose fewer.", code="panel.too_many", most=MOST)
    rng = np.random.default_rng(seed)
    said = np.stack(
        [np.asarray(proposer.said, bool) for proposer in proposers]
    )  # (n_proposers, n_clips, n_tags)
    keys = [proposer.key for proposer in proposers]
    chosen = _choose(np.asarray(said.any(0)), recordings, min(most, len(clips)), rng)
    drawn = []
    for row in chosen:
        questions = _questions(said[:, row], keys, tags, rng)
        sides = _sides(said[:, row], keys, tags, rng) if len(machines) == 2 else ()
        clip = clips[row]
        drawn.append(
            PanelClip(
                clip.sha256,
                clip.name[:_LONGEST],
                str(recordings[row])[:_LONGEST],
                round(clip.seconds, 3),
                questions,
                sides,
            )
        )
    ordered = tuple(proposer.key for proposer in machines) + ((HAND,) if HAND in keys else ())
    panel = Panel("", tuple(map(str, tags)), ordered, tuple(drawn))
    return Panel(_identity(panel), panel.tags, panel.proposers, panel.clips)


def _choose(
    proposed: np.ndarray, recordings: Sequence[str], most: int, rng: np.random.Generator
) -> list[int]:
    """Rows of the clips to hear, in the order they are heard. proposed: bool (n_clips, n_tags)"""
    left, asked = list(rng.permutation(len(proposed))), np.zeros(proposed.shape[1])
    heard: Counter[str] = Counter()
    chosen: list[int] = []
    while left and len(chosen) < most:
        worth = [(-heard[recordings[row]], float((proposed[row] / (1 + asked)).sum())) for row in left]
        best = left.pop(worth.index(max(worth)))  # the first of equals, and these stand in random order
        chosen.append(int(best))
        heard[recordings[best]] += 1
        asked += proposed[best]
    return [chosen[at] for at in rng.permutation(len(chosen))]


def _questions(
    said: np.ndarray, keys: Sequence[str], tags: Sequence[str], rng: np.random.Generator
) -> tuple[Question, ...]:
    """said: bool (n_proposers, n_tags) of one clip"""
    proposed, free = (rng.permutation(np.flatnonzero(side)) for side in (said.any(0), ~said.any(0)))
    n_decoys = min(max(len(proposed), 1), len(free), MOST_QUESTIONS // 2)
    asked = rng.permutation(np.concatenate([proposed[: MOST_QUESTIONS - n_decoys], free[:n_decoys]]))
    return tuple(
        Question(str(tags[j]), tuple(key for key, own in zip(keys, said, strict=True) if own[j]))
        for j in asked.astype(int)
    )


def _sides(
    said: np.ndarray, keys: Sequence[str], tags: Sequence[str], rng: np.random.Generator
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    two = [
        (key, tuple(str(tags[j]) for j in rng.permutation(np.flatnonzero(own))))
        for key, own in zip(keys, said, strict=True)
        if key != HAND
    ]
    if set(two[0][1]) == set(two[1][1]):
        return ()
    return tuple(two[at] for at in rng.permutation(2))
