"""A clip's file has several sound tracks: another one is read in the clip's place, from the file that the browser sends again."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import av
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from waiting import until

from mirdemo.clips import ClipsError, LabelledClips
from mirdemo.sound.audio import Clip, load_clip
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.session import Shown, Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.clips.tab import TAB


def film(*pitches: float) -> bytes:
    """A film's sound: a track for each pitch in Hz, one second at 48 kHz."""
    out = io.BytesIO()
    t = np.arange(48_000) / 48_000
    with av.open(out, "w", format="matroska") as file:
        made = [file.add_stream("pcm_s16le", rate=48_000, layout="mono") for _ in pitches]
        for track, pitch in zip(made, pitches, strict=True):
            wave = (9_000 * np.sin(2 * np.pi * pitch * t)).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, 0
            file.mux(track.encode(frame))
            file.mux(track.encode(None))
    return out.getvalue()


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wire:
    import gradio as gr

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    wire = Wire(Visitors(), Jobs())
    with gr.Blocks(), wire.panel(TAB.name):
        TAB.build(wire)
    return wire


@pytest.fixture
def visitor(page: Wire) -> Visitor:
    one = page.visitors.arrive(None, "page")
    one.shown["page"] = Shown("clips")
    clips = [
        Clip.of(np.ones(8_000, np.float32) / 2, 8_000, "a.wav"),
        load_clip(film(220.0, 880.0), "dance.mkv"),
    ]
    one.hold(LabelledClips.from_clips(clips, [["drum"], ["flute", "loud"]], ["one", "two"]))
    return one


def choose(page: Wire, visitor: Visitor, track: object, content: bytes | None) -> str:
    """Choose a track of the second clip and send its file; returns the tab."""
    files = []
    if content is not None:
        place = Path(get_upload_folder()) / secrets.token_hex(16) / secrets.token_hex(32)
        place.mkdir(parents=True)
        (place / "dance.mkv").write_bytes(content)
        files = [{"path": str(place / "dance.mkv"), "name": "dance.mkv"}]
    said = {"act": "clips.track", "clip": visitor.clips.clips[1].sha256, "value": track, "files": files}
    page._do(visitor, Act(said), "page")
    until(lambda: not any(job.active for job in visitor.jobs.values()))
    return page.views.rendered("clips", visitor)


def pitch(clip: Clip) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(clip.samples))) * clip.sample_rate / len(clip.samples))


def test_another_track_takes_the_place_of_the_clip_with_its_tags_and_can_be_taken_back(page, visitor):
    html = page.views.rendered("clips", visitor)
    assert html.count("data-resends") == 1
    assert "Track 1 of 2" in html
    html = choose(page, visitor, 2, film(220.0, 880.0))
    clips = visitor.clips
    assert pitch(clips.clips[1]) == pytest.approx(880.0, abs=2)
    assert clips.tags_of(1) == ("flute", "loud")
    assert clips.recordings == ("one", "two")
    assert '<option value="2" selected>' in html
    assert not [path for path in Path(get_upload_folder()).rglob("*") if path.is_file()]
    page._do(visitor, Act({"act": "page.undo"}), "page")
    assert pitch(visitor.clips.clips[1]) == pytest.approx(220.0, abs=2)


def test_of_a_piece_the_same_piece_of_another_track_is_read(page, visitor):
    clips = visitor.clips
    piece = clips.clips[1].cut(0.25, 0.75)
    visitor.hold(clips.exchange(1, piece))
    choose(page, visitor, 2, film(220.0, 880.0))
    made = visitor.clips.clips[1]
    assert pitch(made) == pytest.approx(880.0, abs=2)
    assert (made.start_seconds, made.seconds) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("track", "content", "code"),
    [
        (3, film(220.0, 880.0), "audio.no_such_track"),
        (1, film(220.0, 440.0, 880.0), "page.file_not_here"),
        (2, None, "page.file_not_here"),
        ("x", film(220.0, 880.0), "page.not_a_number"),
        (2, b"nothing", "audio.unknown"),
    ],
)
def test_what_cannot_be_read_is_told_and_nothing_changes(page, visitor, track, content, code):
    before = visitor.clips
    choose(page, visitor, track, content)
    assert visitor.clips is before
    assert visitor.notice.refusal
    told = visitor.notice.sentence.code
    assert told == code or (code == "audio.unknown" and told.startswith("audio."))


def test_a_sound_that_is_here_already_is_not_taken_twice(visitor):
    clips = visitor.clips
    with pytest.raises(ClipsError, match="already"):
        clips.exchange(1, clips.clips[0])
    assert clips.exchange(1, clips.clips[1]).clips == clips.clips
