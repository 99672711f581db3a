"""A track of a film chosen by a real browser, which sends the file again from the visitor's own disk."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from driving import give, rows, wait_rows
from walking import WIDE, Walk


def write_film(path: Path) -> None:
    """Two sound tracks, 220 and 880 Hz, two seconds."""
    t = np.arange(96_000) / 48_000
    with av.open(str(path), "w", format="matroska") as file:
        made = [file.add_stream("pcm_s16le", rate=48_000, layout="mono") for _ in range(2)]
        for track, pitch in zip(made, (220, 880), strict=True):
            wave = (9_000 * np.sin(2 * np.pi * pitch * t)).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, 0
            file.mux(track.encode(frame))
            file.mux(track.encode(None))


def test_a_track_is_chosen_and_after_a_reload_the_page_says_how(visit, tmp_path: Path):
    write_film(tmp_path / "dance.mkv")
    page = visit()
    give(page, "clips.add", [tmp_path / "dance.mkv"])
    wait_rows(page, 1)
    first = rows(page).get_attribute("data-key")
    page.set_viewport_size(WIDE)
    w = Walk(page)
    read = "text=dance.mkv: track 2 was read."
    w.step("clips.track", w.choose("select.track-of", value="2"), read, until=read)
    w.ends()
    assert rows(page).get_attribute("data-key") != first
    assert page.input_value("select.track-of") == "2"
    page.reload()
    page.wait_for_selector("select.track-of")
    page.select_option("select.track-of", "1")
    page.wait_for_selector("text=This page has the file dance.mkv no longer.")
    assert page.input_value("select.track-of") == "2"
