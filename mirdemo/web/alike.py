"""More like this: what was asked about, the places that sound nearest to it, and how they are shown where it stands.

The search itself, and what can be done with what it finds, is ``tabs.fewshot.alike``; this is what both tabs draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec
from mirdemo.web.frame import own_files
from mirdemo.web.models import expected_of
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np

    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording
    from mirdemo.web.frame.session import Visitor

JOB = "alike"
#: Places shown.
SHOWN = 10


@dataclass(frozen=True, eq=False)
class Asked:
    """What others should sound like.

    anchor: where its list stands: ``clip-``, ``answer-``, ``open-`` or ``long-`` and an id
    sound: what is heard of it; span: where in ``name`` that is, seconds, None for the whole
    tags: what may be given to what is found; within: the long recording that it is a span of
    """

    anchor: str
    name: str
    sound: Clip
    span: tuple[float, float] | None
    tags: tuple[str, ...]
    whole: frozenset[str]
    within: LongRecording | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """A place that sounds like what was asked about.

    of: a clip's SHA-256, or a long recording; start, end: seconds within it; cosine: -1 to 1
    said: what the prototypes on the page say of it, None where there are none or nothing is near
    clip: SHA-256 of the clip that it is or was made
    """

    of: str | LongRecording
    start: float
    end: float
    cosine: float
    said: tuple[str, ...] | None
    clip: str | None = None


@dataclass(frozen=True, eq=False)
class Rows:
    """A long recording's windows: starts (n,) and length, seconds; rows float32 (n, size)"""

    starts: np.ndarray
    seconds: float
    rows: np.ndarray


@dataclass
class AlikeDesk:
    """What was asked last.

    number: of the question; places: None until they are known; windows: how many were compared
    ear: backbone and layer, as they are shown; unheard: long recordings that were not searched
    rows: (long recording, way of listening) -> what was heard of it, kept while it is open
    """

    number: int = 0
    asked: Asked | None = None
    places: list[Place] | None = None
    windows: int = 0
    ear: tuple[str, str] = ("", "")
    unheard: tuple[LongRecording, ...] = ()
    rows: dict[tuple[LongRecording, Hashable], Rows] = field(default_factory=dict)

    def held_bytes(self) -> int:
        return sum(one.rows.nbytes for one in self.rows.values())


def shown(visitor: Visitor, t: Speaker) -> Mapping[str, Any] | None:
    """What ``alike.html`` draws; None where nothing was asked."""
    from mirdemo.web.tabs.probe.shown import layer_words

    desk, job = visitor.desk(AlikeDesk), visitor.jobs.get(JOB)
    asked = desk.asked
    if asked is None:
        return None
    clips = visitor.clips
    at = {clip.sha256: row for row, clip in enumerate(clips.clips)}
    longs = {sound: id for id, sound in visitor.long_sounds().items()}
    found = [
        (f"{desk.number}-{index}", place, one)
        for index, place in enumerate(desk.places or ())
        if (one := _drawn(visitor, place, at, longs)) is not None
    ]
    unheard = [one for one in desk.unheard if one in longs]
    backbone, layer = desk.ear
    return {
        "anchor": asked.anchor,
        "name": asked.name,
        "span": asked.span,
        "job": job if job is not None and job.active else None,
        "known": desk.places is not None,
        "places": [
            one | {"id": id, "offered": [tag for tag in asked.tags if tag not in one["tags"]]}
            for id, _, one in found
        ],
        "tags": clips.tags,
        "unheard": [(one.name, one.seconds) for one in unheard],
        "takes": _takes(backbone, unheard) if unheard else None,
        "windows": desk.windows,
        "backbone": spec(backbone) if backbone else None,
        "layer": layer_words(t, layer) if layer else "",
    }


def _takes(backbone: str, sounds: list[LongRecording]) -> float | None:
    """Seconds until all of these are heard; None where the backbone was never timed here."""
    return expected_of(backbone, [one.seconds for one in sounds])


def _drawn(
    visitor: Visitor, place: Place, at: Mapping[str, int], longs: Mapping[LongRecording, str]
) -> dict[str, Any] | None:
    """A place for the template; None where its sound is gone."""
    clips = visitor.clips
    row = at.get(place.clip) if place.clip is not None else None
    one: dict[str, Any] = {"cosine": place.cosine, "said": place.said, "tags": ()}
    if row is not None:
        one |= {"tags": clips.tags_of(row), "recording": clips.recordings[row]}
    if isinstance(place.of, str):
        if row is None:
            return None
        clip = clips.clips[row]
        track = visitor.sounds.track(clip, bars=40)
        begins = clip.start_seconds
        whole = place.start <= 0 and place.end >= clip.seconds - 0.05
        return one | {
            "name": clip.name,
            "source": track.url,
            "play": (place.start, place.end),
            "seconds": clip.seconds,
            "span": None if whole and not begins else (begins + place.start, begins + place.end),
        }
    if place.of not in longs:
        return None
    return one | {
        "name": place.of.name,
        "source": f"{own_files.place('long', visitor)}/{longs[place.of]}/sound.wav",
        "play": (place.start, place.end),
        "seconds": place.of.seconds,
        "span": (place.start, place.end),
        "recording": one.get("recording"),
    }
