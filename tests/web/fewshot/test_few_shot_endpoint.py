"""``/tag`` and ``/few_shot``: what is kept between two calls, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from few_shot_sounds import sound

from mirdemo.web import models
from mirdemo.web.tabs.fewshot import endpoint

SHEET = "file,tags,recording\nd0.wav,drum,1\nf0.wav,flute,2\nd1.wav,drum,3\nf1.wav,flute,4\n"


@pytest.fixture
def files(tmp_path):
    """name -> path: two drums and two flutes to learn from, and one of each to ask about."""
    made = {}
    for kind in ("drum", "flute"):
        for i in range(3):
            clip = sound(kind, i)
            path = tmp_path / f"{kind[0]}{i}.wav"
            soundfile.write(path, clip.samples, clip.sample_rate)
            made[path.name] = path
    return made


@pytest.fixture
def computed(monkeypatch):
    """Numbers of clips that had to be computed, call by call of ``embed`` that had to compute any."""
    from mirdemo.embedding import embed as module

    counts, before = [], module._Run.embed_all

    def counting(self, clips):
        counts.extend([len(clips)] if len(clips) else [])
        return before(self, clips)

    monkeypatch.setattr(module._Run, "embed_all", counting)
    monkeypatch.setattr(endpoint, "SUPPORT", models.Memory(seconds=60.0))
    return counts


def ask(files, query):
    support = {name: files[name] for name in ("d0.wav", "f0.wav", "d1.wav", "f1.wav")}
    return endpoint.tag_files(support, SHEET, {query: files[query]}, "spectral", "")


def test_support_clips_are_computed_once_and_queries_are_not_kept(files, computed):
    first = ask(files, "d2.wav")
    assert first["answers"][0]["nearest"][0]["tags"] == ("drum",)
    assert computed == [4, 1]
    second = ask(files, "f2.wav")
    assert second["answers"][0]["nearest"][0]["tags"] == ("flute",)
    assert computed == [4, 1, 1]
    again = ask(files, "d2.wav")
    assert again == first
    assert computed == [4, 1, 1, 1]
    assert len(endpoint.SUPPORT._entries) == 4


def test_the_same_name_for_another_sound_is_another_clip(files, computed):
    ask(files, "d2.wav")
    other = np.random.default_rng(0).standard_normal(22_050).astype(np.float32) * 0.1
    soundfile.write(files["d0.wav"], other, 22_050)
    ask(files, "d2.wav")
    assert computed == [4, 1, 1, 1]


def test_half_a_file_is_told_in_the_callers_language_whether_it_teaches_or_asks(files):
    for name in ("d0.wav", "d2.wav"):
        whole = files[name].read_bytes()
        files[name].write_bytes(whole[: len(whole) * 3 // 4])
    support = {name: files[name] for name in ("d0.wav", "f0.wav", "d1.wav", "f1.wav")}
    said = endpoint.tag_files(
        support, SHEET, {name: files[name] for name in ("d2.wav", "f2.wav")}, "spectral", "", "ja"
    )
    half, whole = said["answers"]
    assert (half["incomplete"], whole["incomplete"]) == (True, False)
    assert [one["code"] for one in half["warnings"]] == ["audio.cut_short"]
    assert "このファイルは途中で終わっています" in half["warnings"][0]["says"]
    assert whole["warnings"] == []
    assert said["support"]["incomplete"] == ["d0.wav"]
    assert [one["clip"] for one in said["support"]["clip_warnings"]] == ["d0.wav"]
