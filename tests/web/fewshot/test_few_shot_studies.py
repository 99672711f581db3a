"""What the few-shot tab measures and says: words that the figures bear, settings that are what they are called."""

from __future__ import annotations

import html as entities
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from few_shot_sounds import sound

from mirdemo.audio import Clip
from mirdemo.clips import LabelledClips
from mirdemo.fewshot import LCPrototypes, TagScore
from mirdemo.intervals import Interval
from mirdemo.web.fewshot import studies
from mirdemo.web.fewshot.shown import verdict
from mirdemo.web.fewshot.studies import Setting
from mirdemo.web.models import Memory


def quiet(done: int, total: int, phase: str) -> None:
    """A progress nobody watches."""


@pytest.mark.parametrize(
    ("value", "low", "recordings", "word"),
    [
        (0.9, 0.6, 5, "found"),
        (0.9, 0.4, 5, "unsure"),
        (0.9, None, 5, "unsure"),
        (0.5, 0.2, 5, "missed"),
        (0.3, 0.1, 5, "missed"),
        (0.9, 0.8, 2, "too_few"),
        (None, None, 5, "too_few"),
    ],
)
def test_a_tag_is_found_only_where_its_whole_interval_beats_giving_it_to_every_clip(
    value: float | None, low: float | None, recordings: int, word: str
):
    figure = Interval(value, low, None if low is None else 0.95, recordings)
    one = TagScore("drum", figure, None, None, clips=10, recordings=recordings)
    assert verdict(one, 30) == word  # a third of the clips: F1 of giving it to all is one half


def test_a_whitened_setting_is_scored_on_whitened_embeddings(labelled: LabelledClips, monkeypatch):
    class Noise:
        """A whitening that leaves nothing to hear."""

        def apply(self, embeddings):
            draw = np.random.default_rng(0)
            return SimpleNamespace(matrix=lambda layer: draw.normal(size=embeddings.matrix(layer).shape))

    monkeypatch.setattr("mirdemo.whitening.whitening_for", lambda identity: Noise())
    plain, white = (Setting("spectral", "timbre", whitened) for whitened in (False, True))
    found = studies.measure_layers(labelled, [plain, white], Memory(), quiet).choice
    assert found[plain].score.macro_f1.value > found[white].score.macro_f1.value + 0.2
    monkeypatch.setattr("mirdemo.whitening.whitening_for", lambda identity: None)
    without = studies.measure_layers(labelled, [plain, white], Memory(), quiet).choice
    assert [one.name for one in without.candidates] == [plain]


def test_queries_of_earlier_prototypes_are_not_suggested():
    rows = np.vstack([np.eye(4), np.full((1, 4), 0.5)])
    labels = np.vstack([np.eye(4, dtype=np.uint8), np.zeros((1, 4), np.uint8)])
    clips = SimpleNamespace(labels=labels, recordings=[f"recording {i}" for i in range(5)])
    method = LCPrototypes(unknown=False).fit(rows, labels)
    now, before = (SimpleNamespace(clips=clips, rows=rows, asking=method) for _ in range(2))
    asked = [SimpleNamespace(built=built, row=np.full(4, 0.4)) for built in (now, before)]
    found = studies.to_label_next(now, asked)
    assert sorted((one.row, one.answer is asked[0]) for one in found if one.row is not None) == [(4, False)]
    assert [one.answer for one in found if one.answer is not None] == asked[:1]


def test_a_name_that_is_markup_stays_text_on_the_map(do, visitor):
    made = [sound(kind, i) for i, kind in enumerate(("drum", "flute") * 3)]
    named = [Clip.of(clip.samples, clip.sample_rate, f"<i>{i}.wav") for i, clip in enumerate(made)]
    visitor.hold(LabelledClips.from_clips(named, [("drum",), ("flute",)] * 3, [str(i) for i in range(6)]))
    html = do("few-shot.build")
    assert "<i>" not in html
    drawn = json.loads(entities.unescape(re.search(r'"chart-few-shot-map" data-chart="([^"]*)"', html)[1]))
    said = [text for trace in drawn["data"] for text in trace.get("hovertext") or ()]
    assert sum("&lt;i&gt;" in text for text in said) == len(named)  # Plotly reads a markup of its own
    assert not any("<i>" in text for text in said)
