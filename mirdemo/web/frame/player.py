"""Listening: how a visitor's clips are heard, and by nobody else.

A clip is heard through ``listen/<key>/<clip>``: the key is random (32 bytes), belongs to one visitor and dies with
the visit; the sound is encoded from memory when first asked for and never touches the disk. Gradio's own file
cache would serve a copy on disk to whoever knows its address until a sweep hours later; a data URI would send every
clip with every redraw of the table. In a template: ``{{ player(sounds.track(clip)) }}`` (``templates/parts.html``);
``static/sound.js`` plays all of them through one audio element, so that one sound is heard at a time.
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.sound.mp3 import encode_mp3
from mirdemo.web.frame.limits import LIMITS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.sound.audio import Clip

#: One part of a file, as browsers ask for it; more digits than any file has bytes are not understood.
_RANGE = re.compile(r"bytes=(?P<start>[0-9]{0,15})-(?P<end>[0-9]{0,15})", re.ASCII | re.IGNORECASE)
#: Bars of a drawn waveform.
BARS = 64


@dataclass(frozen=True)
class Track:
    """What a template needs to draw a player.

    id: the clip, in acts and addresses;  name: for people;  url: where the sound is, relative to the page
    seconds: length;  path: outline of the waveform, an SVG path in a box of ``2 * bars`` by 100
    """

    id: str
    name: str
    url: str
    seconds: float
    path: str
    bars: int


class Sounds:
    """The sounds one visitor may listen to. Safe to use from several threads."""

    def __init__(self, max_preview_bytes: int = LIMITS.preview_bytes) -> None:
        self.key = secrets.token_urlsafe(32)
        self._max = max_preview_bytes
        self._lock = threading.Lock()
        self._clips: dict[str, Clip] = {}
        self._paths: dict[tuple[str, int], str] = {}
        self._encoded: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, clips: Iterable[Clip]) -> None:
        """Exactly these may be heard from now on."""
        with self._lock:
            self._clips = {clip.sha256: clip for clip in clips}
            self._paths = {key: path for key, path in self._paths.items() if key[0] in self._clips}
            for id in [id for id in self._encoded if id not in self._clips]:
                del self._encoded[id]

    def held_bytes(self) -> int:
        """Bytes of decoded sound held."""
        with self._lock:
            return sum(clip.samples.nbytes for clip in self._clips.values())

    def track(self, clip: Clip, *, bars: int = BARS, name: str | None = None) -> Track:
        """How to draw and hear a clip that is kept."""
        known = self._paths.get((clip.sha256, bars))
        path = known if known is not None else waveform(clip.samples, bars)
        self._paths[clip.sha256, bars] = path
        url = f"listen/{self.key}/{clip.sha256}"
        return Track(clip.sha256, clip.name if name is None else name, url, clip.seconds, path, bars)

    def mp3(self, id: str) -> bytes | None:
        """A clip as MP3, encoded when first asked for; None if this visitor has no such clip."""
        with self._lock:
            clip = self._clips.get(id)
            ready = self._encoded.get(id)
            if clip is None or ready is not None:
                return ready
        made = encode_mp3(clip)
        with self._lock:
            self._encoded[id] = made
            while sum(map(len, self._encoded.values())) > self._max and len(self._encoded) > 1:
                self._encoded.popitem(last=False)
        return made


def waveform(samples: np.ndarray, bars: int = BARS) -> str:
    """Outline of a waveform as one SVG path: ``bars`` upright strokes in a box of ``2 * bars`` by 100.

    samples: float32 (n,). Bar heights are peaks on a square-root scale, so that soft passages stay visible.
    """
    edges = np.linspace(0, len(samples), bars + 1).astype(int)
    peaks = np.array([np.abs(samples[a:b]).max(initial=0.0) for a, b in itertools.pairwise(edges)])
    return strokes(peaks)


def strokes(peaks: np.ndarray) -> str:
    """The path of ``waveform`` for peaks that are known: (bars,), each at least 0."""
    top = peaks.max(initial=0.0)
    heights = np.sqrt(peaks / top) * 48 if top > 0 else np.zeros(len(peaks))
    return "".join(f"M{2 * i + 1} {50 - h:.0f}V{50 + h:.0f}" for i, h in enumerate(np.maximum(heights, 1.0)))


def listen_route(under: Callable[[str], Sounds | None]) -> Route:
    """The address clips are heard at. Knows only sounds in memory: no file, no path.

    under: a visitor's key -> their sounds, None for nobody's (``session.Visitors.sounds``)
    """
    from starlette.responses import Response
    from starlette.routing import Route

    def listen(request: Request) -> Response:
        sounds = under(request.path_params["key"])
        sound = None if sounds is None else sounds.mp3(request.path_params["clip"])
        if sound is None:
            return Response(status_code=404)
        return _part(sound, request.headers.get("range"))

    return Route("/listen/{key}/{clip}", listen, methods=["GET"])


def _part(sound: bytes, wanted: str | None) -> Response:
    """The bytes asked for (browsers seek with ``Range: bytes=a-b``)."""
    from starlette.responses import Response

    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    first, last = byte_range(wanted, len(sound))
    if first > last:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(sound)}"})
    part = (first, last) != (0, len(sound) - 1) or (wanted or "").startswith("bytes=0-")
    status = 206 if part else 200
    if part:
        headers["Content-Range"] = f"bytes {first}-{last}/{len(sound)}"
    return Response(sound[first : last + 1], status, headers, media_type="audio/mpeg")


def byte_range(wanted: str | None, size: int) -> tuple[int, int]:
    """First and last byte of a ``Range`` header, first > last if there is no such part.

    Everything where it is absent, not understood or of several parts: so RFC 9110 (14.2) has it.
    """
    match = _RANGE.fullmatch(wanted.strip()) if wanted else None
    if match is None:
        return 0, size - 1
    start, end = match["start"], match["end"]
    if start:
        return int(start), min(int(end), size - 1) if end else size - 1
    if end:
        return max(0, size - int(end)), size - 1
    return 0, size - 1
