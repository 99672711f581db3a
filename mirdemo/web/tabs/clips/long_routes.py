"""What a waveform on the page asks for: its outline, and its sound from anywhere. Only its visitor knows the address."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.web.frame.player import byte_range

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.sound.long import LongRecording
    from mirdemo.web.frame.session import Visitors

#: Columns of one outline at most.
MOST_COLUMNS = 4_000
_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_HEAD = 44


def routes(visitors: Visitors) -> list[Route]:
    """Outline, sound and spectrogram of every long recording that is open."""
    files = {"outline": outline, "sound.wav": sound, "spectrogram": spectrogram}
    return [_route(visitors, file, answer) for file, answer in files.items()]


def _route(visitors: Visitors, file: str, answer: Callable[[Request, LongRecording], Response]) -> Route:
    from starlette.responses import Response
    from starlette.routing import Route

    def take(request: Request) -> Response:
        visitor = visitors.by_sound_key(request.path_params["key"])
        if visitor is None:
            return Response(status_code=404)
        with visitor.lock:
            one = None if visitor.gone else visitor.long_sound(request.path_params["id"])
        if one is None:
            return Response(status_code=404)
        response = answer(request, one)
        response.headers.update(_HEADERS)
        return response

    return Route(f"/long/{{key}}/{{id}}/{file}", take, methods=["GET"])


def outline(request: Request, recording: LongRecording) -> Response:
    """``?from=&to=&columns=``: the lowest and highest of each column as signed bytes, on a square-root scale on which soft
    passages stay visible; 127 is the recording's largest magnitude."""
    from starlette.responses import Response

    asked = span_asked(request, recording)
    if asked is None:
        return Response(status_code=400)
    start, end, columns = asked
    values = recording.outline(start, end, columns) / max(recording.peaks.top, 1e-9)
    drawn = np.round(127 * np.sign(values) * np.sqrt(np.abs(values)))
    return Response(
        np.clip(drawn, -127, 127).astype(np.int8).tobytes(), media_type="application/octet-stream"
    )


def spectrogram(request: Request, recording: LongRecording) -> Response:
    """``?from=&to=&columns=``: rows of bytes, the lowest band first (``spectrogram.BANDS`` of them), 255 the strongest."""
    from starlette.responses import Response

    from mirdemo.sound.spectrogram import highest, picture

    asked = span_asked(request, recording)
    if asked is None:
        return Response(status_code=400)
    headers = {"X-Highest": f"{highest(recording.sample_rate):g}"}
    drawn = picture(recording, *asked)
    return Response(drawn.tobytes(), headers=headers, media_type="application/octet-stream")


def span_asked(request: Request, recording: LongRecording) -> tuple[float, float, int] | None:
    """The span and the number of columns that an address asks for; None where it is none of this recording."""
    query = request.query_params
    try:
        start, end = float(query["from"]), float(query["to"])
        columns = int(query["columns"])
    except (KeyError, ValueError):
        return None
    if not (
        math.isfinite(start) and math.isfinite(end) and 0 <= start < end <= recording.seconds_in_all + 1.0
    ):
        return None
    return (start, end, columns) if 1 <= columns <= MOST_COLUMNS else None


def sound(request: Request, recording: LongRecording) -> Response:
    """The recording as a WAV of 16 bits, or the bytes of it that are asked for, read from the disk as they are sent.

    ``?seconds=``: as if it ended there: what is played of one that grows must not become another file meanwhile.
    """
    from starlette.responses import Response, StreamingResponse

    frames = recording.frames
    with suppress(KeyError, ValueError, OverflowError):
        frames = max(min(frames, round(float(request.query_params["seconds"]) * recording.sample_rate)), 0)
    size = _HEAD + 2 * frames
    wanted = request.headers.get("range")
    first, last = byte_range(wanted, size)
    if first > last:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(
        _wav(recording, frames, first, last + 1), 206 if wanted else 200, headers, media_type="audio/wav"
    )


def _wav(recording: LongRecording, frames: int, start: int, stop: int) -> Iterator[bytes]:
    """Bytes ``start`` to ``stop`` of the recording's first ``frames`` as a WAV."""
    if start < _HEAD:
        yield wav_head(frames, recording.sample_rate)[start : min(stop, _HEAD)]
    begin = max(start - _HEAD, 0)
    left, skip = stop - max(start, _HEAD), begin % 2
    for block in recording.blocks(begin // 2, -(-(stop - _HEAD) // 2)):
        if not len(block):  # it was closed meanwhile
            return
        part = (np.clip(block, -1.0, 1.0) * 32_767).astype("<i2").tobytes()[skip : skip + left]
        skip, left = 0, left - len(part)
        yield part


def wav_head(frames: int, rate: int) -> bytes:
    """The header of a mono WAV of 16 bits, 44 bytes."""
    size = 2 * frames
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
