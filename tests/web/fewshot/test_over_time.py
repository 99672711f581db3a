"""An answer over time, fetched by its visitor in every format."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.clips import LabelledClips
from mirdemo.clips.annotations import KINDS
from mirdemo.sound.audio import Clip
from mirdemo.sound.lossless import lossless
from mirdemo.web.frame.session import Visitors
from mirdemo.web.tabs.fewshot import over_time
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tagging import answer, build, spans

RATE = 8_000


def tone(hertz: float, seconds: float, name: str) -> Clip:
    noise = np.random.default_rng(int(hertz)).normal(scale=0.01, size=int(RATE * seconds))
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(len(noise)) / RATE) + noise
    return Clip.of(wave.astype(np.float32), RATE, name)


def test_every_kind_says_what_the_strip_shows_and_nobody_else_gets_it():
    visitors = Visitors()
    visitor, quiet = visitors.arrive(None, "p"), lambda *told: None
    clips = [tone(150 + i, 1.5, f"low{i}") for i in range(3)] + [
        tone(2_500 + i, 1.5, f"high{i}") for i in range(3)
    ]
    visitor.hold(LabelledClips.from_clips(clips, [["=low"]] * 3 + [["high, 高い"]] * 3))
    built = build(visitor.clips, "spectral", "timbre", visitor.memory, quiet, checked=False)
    query = Clip.of(np.concatenate([tone(152, 10, "").samples, tone(2_502, 7, "").samples]), RATE, "夜 1.wav")
    one = answer(built, query, visitor.memory, quiet)
    visitor.desk(FewShotDesk).answers = [one]
    shown = {
        (tag, start, end)
        for column, tag in enumerate(built.prototypes.tags)
        for start, end in spans(one, one.labels[:, column] > 0)
    }
    assert shown == {("=low", 0.0, 10.0), ("high, 高い", 10.0, 17.0)}
    client = TestClient(Starlette(routes=[over_time.route(visitors)]))
    links = over_time.links(visitor, one)
    assert len(links) == len(KINDS)
    for (_, address, name), kind in zip(links, KINDS, strict=True):
        got = client.get(f"/{address}")
        assert got.status_code == 200
        assert "no-store" in got.headers["cache-control"]
        assert name == "夜 1" + KINDS[kind]
        read = LabelledClips.from_csv(got.content, {"夜 1.wav": lossless(query)[1]}, name)
        told = {
            (read.tags_of(i), clip.start_seconds, clip.start_seconds + clip.seconds)
            for i, clip in enumerate(read.clips)
        }
        if kind in ("csv", "birdnet"):  # cells of tags keep a tag with a comma whole
            assert told == {((tag,), start, end) for tag, start, end in shown}
        else:
            assert {(start, end) for _, start, end in told} == {(start, end) for _, start, end in shown}
    address = links[0][1]
    other = visitors.arrive(None, "q")
    for wrong in (
        address.replace(visitor.sounds.key, other.sounds.key),
        address.replace("kind=csv", "kind=../x"),
        address.replace(query.sha256, "0" * 64),
    ):
        assert client.get(f"/{wrong}").status_code == 404


@pytest.mark.parametrize("seconds", [0.5, 5.0, 10.0, 12.5])
def test_segments_of_windows_cover_the_clip_once(seconds: float):
    from mirdemo.clips.segments import over_windows

    starts = [0.0] if seconds <= 5 else [*np.arange(0, seconds - 5, 5.0).tolist(), seconds - 5]
    found = over_windows(starts, 5.0, seconds, [[1, 0]] * len(starts), ("a", "b"))
    assert [(one.start, one.end, one.label) for one in found] == [(0.0, seconds, "a")]
