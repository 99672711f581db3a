"""What the page says of time before a click is learned from what this server did, and knows what is done already."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mirdemo.web.models import Memory, Pace


def clip(name: str, seconds: float) -> SimpleNamespace:
    return SimpleNamespace(sha256=name, seconds=seconds)


class Kept(Memory):
    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def get(self, identity, clip_sha256):
        return "there" if clip_sha256 in self._names else None


def test_nothing_is_promised_before_anything_was_timed():
    assert Pace().expected("spectral", [clip("a", 10)], Kept()) is None


def test_time_is_of_what_is_not_there_yet_and_follows_the_server():
    pace = Pace()
    pace.learn("spectral", "one", 100.0, 10.0)
    clips = [clip("a", 30), clip("b", 50)]
    assert pace.expected("spectral", clips, Kept()) == pytest.approx(8.0)
    assert pace.expected("spectral", clips, Kept("b")) == pytest.approx(3.0)
    assert pace.expected("spectral", clips, Kept("a", "b")) == 0
    pace.learn("spectral", "one", 100.0, 30.0)  # slower now
    assert pace.expected("spectral", clips, Kept()) == pytest.approx(16.0)
    assert pace.expected("mini-world", clips, Kept()) is None


def test_a_moment_of_sound_teaches_nothing():
    pace = Pace()
    pace.learn("spectral", "one", 1.0, 10.0)
    assert pace.expected("spectral", [clip("a", 10)], Kept()) is None
