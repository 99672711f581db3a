"""The demonstration set: balanced, labelled truly, readable from its files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mirdemo.clips import LabelledClips
from mirdemo.synth import festival_clips, festival_queries, write_festival
from mirdemo.synth.festival import TAGS, festival


@pytest.fixture(scope="module")
def clips():
    return festival()


def test_there_are_36_clips_of_twenty_four_recordings_of_eight_to_ten_seconds(clips):
    assert len(clips) == 36
    assert len({one.recording for one in clips}) == 24
    assert all(8.0 <= one.clip.seconds <= 10.0 for one in clips)
    assert len({one.clip.sha256 for one in clips}) == 36


def test_every_tag_is_on_eight_clips_of_seven_recordings_and_on_fewer_than_half(clips):
    for tag in TAGS.values():
        carrying = [one for one in clips if tag in one.tags]
        assert 8 <= len(carrying) < 18, tag
        assert len({one.recording for one in carrying}) >= 7, tag


def test_a_clip_has_about_two_tags_and_drums_alone_have_no_scale(clips):
    assert 1.7 < np.mean([len(one.tags) for one in clips]) < 2.3
    melodic = {TAGS[name] for name in ("shinobue", "shamisen", "voice")}
    assert all(melodic & set(one.tags) for one in clips if TAGS["in"] in one.tags)
    assert sum(not melodic & set(one.tags) for one in clips) >= 5


def test_no_tag_is_the_opposite_of_another(clips):
    for a in TAGS.values():
        for b in TAGS.values():
            if a != b:
                assert any((a in one.tags) == (b in one.tags) for one in clips)


def test_the_procession_is_longer_than_a_window_and_its_players_change():
    procession = festival_queries()[2]
    assert procession.clip.seconds > 35
    assert {TAGS["shinobue"], TAGS["shamisen"], TAGS["voice"]} <= set(procession.tags)


def test_no_two_tags_are_always_together(clips):
    for a in TAGS.values():
        for b in TAGS.values():
            if a != b:
                assert {one.name for one in clips if a in one.tags} != {
                    one.name for one in clips if b in one.tags
                }


def test_clips_are_audible_and_unclipped(clips):
    for one in (*clips, *festival_queries()):
        samples = one.clip.samples
        assert np.abs(samples).max() <= 0.971
        assert np.sqrt(np.mean(samples**2)) > 10 ** (-32 / 20)


def test_taiko_is_heard_where_it_is_tagged(clips):
    """Energy below 110 Hz tells clips with the big drum from those without."""
    low = {}
    for one in clips:
        power = np.abs(np.fft.rfft(one.clip.samples)) ** 2
        low[one.name] = power[: int(110 * one.clip.seconds)].sum() / power.sum()
    with_drum = [
        share
        for one in clips
        for name, share in low.items()
        if name == one.name and TAGS["taiko"] in one.tags
    ]
    without = [
        share
        for one in clips
        for name, share in low.items()
        if name == one.name and TAGS["taiko"] not in one.tags
    ]
    assert min(with_drum) > 3 * max(without)


def test_as_labelled_clips_nothing_is_lost(clips):
    labelled = festival_clips()
    assert labelled.problems == ()
    assert set(labelled.tags) == set(TAGS.values())
    assert [labelled.tags_of(i) for i in range(36)] == [tuple(sorted(one.tags)) for one in clips]
    assert list(labelled.recordings) == [one.recording for one in clips]


def test_the_written_files_read_back_as_the_same_set(tmp_path):
    written = write_festival(tmp_path / "festival")
    assert all(path.is_file() for path in written)
    assert len(written) == 36 + 3 + 1
    sheet = tmp_path / "festival" / "labels.csv"
    with sheet.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [set(row) for row in rows] == [{"file", "tags", "recording"}] * 36
    back = LabelledClips.from_csv(sheet)
    made = festival_clips()
    assert back.tags == made.tags
    assert np.array_equal(back.labels, made.labels)
    assert np.abs(back.clips[3].samples - made.clips[3].samples).max() < 1e-4
    queries = sorted((tmp_path / "festival" / "queries").iterdir())
    assert len(queries) == 3
    assert not {path.name for path in queries} & {row["file"] for row in rows}


def test_a_disk_that_takes_nothing_is_told_as_itself_and_nothing_stays(tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(28, "no room")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OSError, match="no room"):
        write_festival(tmp_path)
    assert not list(tmp_path.iterdir())
