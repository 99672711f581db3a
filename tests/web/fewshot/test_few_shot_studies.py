"""What the few-shot tab measures and says: words that the figures bear, settings that are what they are called."""

from __future__ import annotations

import html as entities
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from few_shot_sounds import sound
from plotly_known import known_to_plotly

from mirdemo.backbones.registry import specs
from mirdemo.clips import LabelledClips
from mirdemo.embedding.pace import Pace
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import verdict as scale
from mirdemo.sound.audio import Clip
from mirdemo.stages.fewshot import LCPrototypes, TagScore
from mirdemo.web import models
from mirdemo.web.models import Memory
from mirdemo.web.tabs.fewshot import charts, studies
from mirdemo.web.tabs.fewshot.shown import certainty
from mirdemo.web.tabs.fewshot.studies import Setting
from mirdemo.words.language import speaker


def quiet(done: int, total: int, phase: str) -> None:
    """A progress nobody watches."""


def scored(tag: str, auc: tuple, f1: tuple, clips: int, recordings: int, without: int = 8) -> TagScore:
    figures = (Interval(*one, recordings + without) for one in (f1, auc))
    return TagScore(tag, *figures, None, None, clips, recordings, without)


@pytest.mark.parametrize(
    ("auc", "f1", "recordings", "word", "off"),
    [
        ((0.95, 0.8, 0.99), (0.8, 0.6, 0.9), 5, "heard", False),
        ((0.95, 0.8, 0.99), (0.4, 0.2, 0.6), 5, "heard", True),
        ((0.8, 0.6, 0.9), (0.8, 0.6, 0.9), 5, "partly_heard", False),
        ((0.5, 0.3, 0.7), (0.3, 0.1, 0.5), 5, "not_heard", False),
        ((0.95, 0.8, 0.99), (0.8, 0.6, 0.9), 2, "too_few", False),
        ((None, None, None), (None, None, None), 5, "too_few", False),
    ],
)
def test_a_tags_word_is_that_of_the_one_scale_and_a_threshold_that_is_off_is_said(
    auc: tuple, f1: tuple, recordings: int, word: str, off: bool
):
    one = scored("drum", auc, f1, 10, recordings)
    assert one.verdict == word
    if auc[0] is not None:
        assert one.verdict == scale(one.roc_auc, None, recordings, 8)
    assert one.threshold_off(30) == off  # a third of the clips: F1 of giving it to all is one half


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("first", "last", "gain", "answer"),
    [
        ((0.45, 0.35, 0.55), (0.48, 0.35, 0.61), (0.03, -0.02, 0.08), "unclear"),
        ((0.45, 0.35, 0.55), (0.48, 0.35, 0.61), (0.03, 0.01, 0.05), "better"),
        ((0.78, 0.70, 0.86), (0.45, 0.40, 0.50), (-0.33, -0.4, -0.26), "worse"),
        ((0.45, None, None), (0.78, None, None), (0.33, None, None), "unclear"),
    ],
)
def test_the_learning_curve_calls_a_gain_one_only_where_its_interval_leaves_out_zero(
    first: tuple, last: tuple, gain: tuple, answer: str, language: str
):
    points = [
        SimpleNamespace(shots=shots, macro_f1=Interval(*figure, 20), clips=4.0)
        for shots, figure in ((1, first), (5, last))
    ]
    told = {"extrapolation": None, "repeats": 20, "n_recordings": 12}
    report = SimpleNamespace(points=points, gain=Interval(*gain, 20), **told)
    t = speaker(language)
    chart = charts.curve_chart(studies.Curve(None, report), t)
    assert known_to_plotly(chart.json)["data"]
    title = chart.title
    reached = charts.figure_words(points[-1].macro_f1, t("few-shot.no_interval"))
    low = f"{first[0]:.2f}"
    assert title == t(f"few-shot.curve.title.{answer}", first=1, last=5, low=low, high=reached)
    assert reached in title


@pytest.mark.parametrize(
    ("tags", "said"),
    [(("drum", "loud"), ["not_heard", "too_few"]), (("flute",), ["heard"]), (("new",), ["too_few"])],
)
def test_each_given_tag_has_the_verdict_of_its_own_score(tags: tuple, said: list):
    rows = (
        scored("drum", (0.45, 0.3, 0.6), (0.12, 0.0, 0.4), 5, 5),
        scored("flute", (0.9, 0.8, 0.97), (0.9, 0.7, 0.97), 5, 5),
        scored("loud", (0.5, None, None), (0.0, None, None), 1, 1),
    )
    score = SimpleNamespace(tags=rows, macro_f1=Interval(0.34, 0.2, 0.5, 10), chance_macro_f1=0.3)
    for known, words in ((score, said), (None, ["too_few"] * len(tags))):
        one = SimpleNamespace(given=tags, built=SimpleNamespace(score=known, clips=range(10)))
        found = certainty(one, speaker("en"))
        assert [code for _, code, *_ in found["tags"]] == words
        assert found["warning"] is None
    figures = [figure for *_, figure in certainty(one, speaker("en"))["tags"]]
    assert figures == [None] * len(tags), "no recordings to check by, no figure"


def test_a_whitened_setting_is_scored_on_whitened_embeddings(labelled: LabelledClips, monkeypatch):
    class Noise:
        """A whitening that leaves nothing to hear."""

        def apply(self, embeddings):
            draw = np.random.default_rng(0)
            return SimpleNamespace(matrix=lambda layer: draw.normal(size=embeddings.matrix(layer).shape))

    monkeypatch.setattr("mirdemo.embedding.whitening.whitening_for", lambda identity: Noise())
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(models, "PACE", known)
    plain, white = (Setting("spectral", "timbre", whitened) for whitened in (False, True))
    found = studies.measure_layers(labelled, [plain, white], Memory(), quiet).choice
    assert found[plain].score.macro_f1.value > found[white].score.macro_f1.value + 0.2
    assert known.expected(studies.COMPARING, 1.0) is not None, "learned"
    monkeypatch.setattr("mirdemo.embedding.whitening.whitening_for", lambda identity: None)
    without = studies.measure_layers(labelled, [plain, white], Memory(), quiet).choice
    assert [one.name for one in without.candidates] == [plain]


def test_a_backbone_that_may_take_minutes_is_compared_after_those_that_take_seconds():
    def in_order(chosen: str) -> list[str]:
        return list(dict.fromkeys(one.backbone for one in studies.candidates(chosen, {})))

    embedded = [name for name, spec in specs().items() if spec.embedded]
    assert in_order("mert-95m") == [*embedded, "mert-95m"]
    assert in_order(embedded[-1]) == [embedded[-1], *embedded[:-1]]


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
