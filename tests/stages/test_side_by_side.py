"""A row a tag, a column a stage and backbone: the words are each stage's own, and where they differ a sentence says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mirdemo.scoring.intervals import Interval
from mirdemo.stages.fewshot import LCPrototypes, leave_recordings_out
from mirdemo.stages.probing import probe
from mirdemo.stages.side_by_side import (
    ALIKE,
    FEW_SHOT,
    OTHER_BACKBONE,
    OTHER_WAY,
    PROBE,
    UNSURE,
    Cell,
    Column,
    cells,
    side_by_side,
)

TAGS = ("clear", "lot")
HIGH, LOW = Interval(0.9, 0.8, 0.95, 12), Interval(0.7, 0.6, 0.79, 12)
NONE = Interval(None, None, None, 12)


@pytest.fixture(scope="module")
def found():
    """Sixteen recordings of two clips; one tag is in the rows, the other was drawn by lot."""
    rng = np.random.default_rng(3)
    of = np.repeat(np.arange(16), 2)
    labels = np.stack([np.arange(16) % 2, rng.permutation(np.arange(16) % 2)], 1)[of].astype(np.uint8)
    rows = rng.normal(size=(16, 12))[of] + 0.5 * rng.normal(size=(32, 12)) + 3
    rows[:, 0] += 6 * labels[:, 0]
    probed = probe({"all": rows}, labels, of, tags=TAGS)
    return probed, leave_recordings_out(rows, labels, of, LCPrototypes, tags=TAGS).score


def test_each_stage_says_its_own_word_and_a_tag_that_it_does_not_know_is_left_out(found):
    probed, score = found
    by_probe, by_examples = cells(probed, TAGS), cells(score, TAGS)
    for place, tag in enumerate(TAGS):
        assert by_probe[place].word == probed.tag(tag).verdict
        assert by_probe[place].roc_auc == probed.tag(tag).figures.roc_auc
        assert by_examples[place].word == next(s for s in score.tags if s.tag == tag).verdict
    assert by_probe[0].word in ("heard", "partly_heard")
    assert by_probe[1].word not in ("heard", "partly_heard")
    assert cells(probed, ("unknown",)) == (None,)
    row = side_by_side(TAGS, [Column(PROBE, "a", by_probe), Column(FEW_SHOT, "a", (None, None))])[0]
    assert row.cells == (by_probe[0], None)
    assert row.why == ()


def test_a_tag_that_is_heard_but_given_to_everybody_has_its_threshold_off(found):
    probed, _ = found
    one = probed.tags[0]
    spread = replace(one.figures, f1=replace(one.figures.f1, value=one.chance.f1))
    off = replace(probed, tags=(replace(one, figures=spread), *probed.tags[1:]))
    assert cells(off, TAGS)[0].threshold_off
    assert not cells(probed, TAGS)[0].threshold_off
    lot = probed.tags[1]  # not heard, so nothing hangs on a threshold
    worse = replace(lot, figures=replace(lot.figures, f1=replace(lot.figures.f1, value=0.0)))
    assert not cells(replace(probed, tags=(one, worse)), TAGS)[1].threshold_off


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([("a", "heard", HIGH), ("b", "heard", LOW)], ()),
        ([("a", "heard", HIGH), ("a", "partly_heard", HIGH)], (ALIKE,)),
        ([("a", "heard", HIGH), ("a", "partly_heard", LOW)], (OTHER_WAY,)),
        ([("a", "heard", HIGH), ("b", "partly_heard", LOW)], (OTHER_BACKBONE,)),
        ([("a", "heard", HIGH), ("b", "too_few", LOW)], (UNSURE,)),
        ([("a", "heard", HIGH), ("a", "not_heard", LOW), ("b", "too_few", NONE)], (OTHER_WAY, UNSURE)),
    ],
)
def test_no_two_words_of_a_tag_stand_together_without_the_reason(said, why):
    columns = [Column(PROBE, backbone, (Cell(word, auc, False),)) for backbone, word, auc in said]
    assert side_by_side(("one",), columns)[0].why == why
