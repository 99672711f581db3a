"""Samples in a file without a name: exact, gone with whoever holds them, and refused in words where there is no room."""

from __future__ import annotations

import errno
import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from mirdemo.sound.audio import AudioError
from mirdemo.sound.spool import Spool


def test_what_was_written_is_read_back_exactly_from_anywhere(tmp_path: Path):
    spool, samples = Spool(tmp_path), np.random.default_rng(1).normal(size=10_000).astype(np.float32)
    for block in np.array_split(samples, 7):
        spool.append(block)
    assert (len(spool), spool.bytes) == (10_000, 40_000)
    np.testing.assert_array_equal(spool.read(0, 10_000), samples)
    np.testing.assert_array_equal(spool.read(9_990, 20_000), samples[9_990:])
    np.testing.assert_array_equal(spool.read(-5, 3), samples[:3])
    assert len(spool.read(20_000, 30_000)) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_it_has_no_name_and_its_room_is_given_back_with_it(tmp_path: Path):
    spool = Spool(tmp_path)
    spool.append(np.zeros(1_000, np.float32))
    assert list(tmp_path.iterdir()) == []
    number = spool._file.fileno()
    assert os.fstat(number).st_size == 4_000
    del spool
    gc.collect()
    with pytest.raises(OSError):
        os.fstat(number)


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path):
    spool = Spool(tmp_path, "procession.wav")

    class Full:
        def seek(self, place: int) -> None:
            raise OSError(errno.ENOSPC, "full")

    spool._file = Full()
    with pytest.raises(AudioError) as refused:
        spool.append(np.zeros(3, np.float32))
    assert refused.value.sentence.code == "audio.no_disk"
    with pytest.raises(AudioError):
        Spool(tmp_path / "nowhere")


def test_the_room_is_asked_before_anything_is_written(tmp_path: Path):
    def room(more: int) -> None:
        raise AudioError("{more} bytes", code="full", more=more)

    spool = Spool(tmp_path, room=room)
    with pytest.raises(AudioError):
        spool.append(np.zeros(3, np.float32))
    assert len(spool) == 0
