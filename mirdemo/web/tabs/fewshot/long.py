"""A query of hours: tagged window by window while it is read, so that memory holds a minute of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.clips.annotations import KINDS
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web.frame import own_files
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.player import strokes
from mirdemo.web.frame.spools import SPOOLS, own_folder
from mirdemo.web.models import SHELF, Memory, embed_here
from mirdemo.web.tabs.fewshot import over_time, shown
from mirdemo.web.tabs.fewshot.desk import LongAnswer
from mirdemo.web.tagging import Built, heard, windows_of
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec
    from mirdemo.embedding.whitening import Whitening
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.frame.uploads import Upload

#: Seconds that are embedded together.
GROUP_SECONDS = 60.0
#: Bars of the drawn recording; the width of a lane, in which a run is never narrower than one.
BARS, LANE = 320, 1_000


def is_long(upload: Upload) -> bool:
    """Whether an upload lasts longer than a query that is held in memory, as far as its header says. Raises PageError."""
    from mirdemo.sound.decoding import Source, announced_seconds

    with Source.of(upload.path_within(LONG_LIMITS.max_bytes)) as source:
        seconds = announced_seconds(source)
        return source.size > LIMITS.upload_bytes or (seconds or 0.0) > 60 * LIMITS.query_minutes


def read_long(upload: Upload, progress: Progress) -> LongRecording:
    """One uploaded recording, decoded to the disk; the upload is deleted. Raises AudioError or PageError."""
    from mirdemo.sound.long import open_long

    try:
        path = upload.path_within(LONG_LIMITS.max_bytes)
        return open_long(path, upload.name, spool=partial(SPOOLS.make, own_folder()), progress=progress)
    finally:
        upload.delete()


def as_long(clip: Clip) -> LongRecording:
    """A clip that turned out longer than a query may be."""
    from mirdemo.sound.long import long_of

    return long_of(clip, partial(SPOOLS.make, own_folder()))


def answer_long(built: Built, recording: LongRecording, progress: Progress) -> LongAnswer:
    """What the prototypes say about each window, a minute at a time. Raises EmbeddingError or BackboneError."""
    labels: list[np.ndarray] = []
    unknown: list[np.ndarray] = []
    starts: list[float] = []
    rows: list[np.ndarray] = []
    for begins, seen in hear_long(recording, built.backbone, built.layer, built.whitening, progress):
        decided = built.prototypes.decide(seen)
        labels.append(decided.labels)
        unknown.append(decided.unknown)
        starts += begins
        rows.append(seen)
    return LongAnswer(
        recording,
        built,
        np.array(starts),
        min(spec(built.backbone).window_seconds, recording.seconds),
        np.concatenate(labels),
        np.concatenate(unknown),
        np.concatenate(rows),
    )


def hear_long(
    recording: LongRecording, backbone: str, layer: str, whitening: Whitening | None, progress: Progress
) -> Iterator[tuple[list[float], np.ndarray]]:
    """A minute after another: where its windows begin, in seconds, and their rows in a layer, float32 (n, size).

    The windows are those that ``embed`` cuts a clip into, from the same samples.
    """
    SHELF.take(backbone, progress)
    done = 0
    total = len(_windows(recording, spec(backbone)))
    for first, clip in _groups(recording, spec(backbone)):

        def told(now: int, of: int, phase: str, before: int = done) -> None:
            if phase == "embedding":
                progress(before + now, total, phase)

        embeddings = heard(embed_here([clip], backbone, Memory(), told), whitening)
        begins = [first + start for start in embeddings.window_starts(0).tolist()]
        done += len(begins)
        yield begins, windows_of(embeddings, layer)


def _windows(recording: LongRecording, backbone: BackboneSpec) -> list[tuple[int, int]]:
    from mirdemo.embedding.embed import windows

    rate = backbone.sample_rate
    return windows(math.ceil(recording.frames * rate / recording.sample_rate), rate, backbone)


def _groups(recording: LongRecording, backbone: BackboneSpec) -> Iterator[tuple[float, Clip]]:
    """The windows that follow each other, a minute at a time, as clips at the backbone's rate, each with its beginning in
    seconds; the last window, which is shifted back, by itself."""
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.resampling import resample

    rate, places = backbone.sample_rate, _windows(recording, backbone)
    at_once = max(1, round(GROUP_SECONDS / backbone.window_seconds))
    at = 0
    while at < len(places):
        stop = at + 1
        while stop < len(places) and stop - at < at_once and places[stop][0] == places[stop - 1][1]:
            stop += 1
        first, last = places[at][0], places[stop - 1][1]
        # A second around, whole seconds: exact at both rates, and what the filter needs.
        begin = max(first // rate - 1, 0)
        read = recording.read(begin, last / rate + 1)
        wave = resample(read, recording.sample_rate, rate)
        yield (
            first / rate,
            Clip.of(wave[first - begin * rate : last - begin * rate], rate, recording.name),
        )
        at = stop


def shown_long(visitor: Visitor, t: Speaker, id: str, one: LongAnswer) -> dict[str, Any]:
    """What the template draws: the recording, a lane for each tag, the files to take along."""
    whole = one.sound.seconds
    return {
        "id": id,
        "name": one.sound.name,
        "seconds": whole,
        "warnings": one.sound.warnings,
        "source": f"{own_files.place('long', visitor)}/{id}/sound.wav",
        "wave": strokes(np.abs(one.sound.outline(0.0, whole, BARS)).max(axis=1)),
        "bars": BARS,
        "width": LANE,
        "windows": len(one.starts),
        "window_seconds": one.window_seconds,
        "sure": {tag: (code, icon, word) for tag, code, icon, word, _ in shown.certainty(one, t)["tags"]},
        "lanes": [
            _lane(one, tag, one.labels[:, one.built.prototypes.tags.index(tag)] > 0) for tag in one.given
        ],
        "strange": _lane(one, None, one.unknown_windows) if one.unknown_windows.any() else None,
        "over_time": over_time.links_of(visitor, id, one.sound.name),
        "kinds": len(KINDS),
    }


def _lane(one: LongAnswer, tag: str | None, chosen: np.ndarray) -> dict[str, Any]:
    places, whole = one.places(chosen), one.sound.seconds
    seconds = sum(end - start for start, end in places)
    drawn = [(LANE * start / whole, max(LANE * (end - start) / whole, 1)) for start, end in places]
    path = "".join(f"M{left:.1f} 0h{wide:.1f}v1h-{wide:.1f}z" for left, wide in drawn)
    return {
        "tag": tag,
        "path": path,
        "starts": [round(start, 2) for start, _ in places],
        "places": len(places),
        "seconds": seconds,
        "percent": 100 * seconds / whole,
    }
