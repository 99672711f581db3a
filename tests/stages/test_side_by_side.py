"""A row a tag, a column a stage: the words are those that each stage gives by the one scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mirdemo.scoring.intervals import Interval
from mirdemo.stages.fewshot import LCPrototypes, leave_recordings_out
from mirdemo.stages.probing import probe
from mirdemo.stages.side_by_side import FEW_SHOT, PROBE, Cell, Row, side_by_side

TAGS = ("clear", "lot")


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


def test_each_stage_says_its_own_word_and_what_was_not_run_is_left_out(found):
    probed, score = found
    clear, lot = side_by_side(TAGS, probed=probed, few_shot=score)
    assert set(clear.cells) == {PROBE, FEW_SHOT}
    for row in (clear, lot):
        assert row.cells[PROBE].word == probed.tag(row.tag).verdict
        assert row.cells[FEW_SHOT].word == next(s for s in score.tags if s.tag == row.tag).verdict
        assert row.cells[PROBE].roc_auc == probed.tag(row.tag).figures.roc_auc
    assert clear.cells[PROBE].word in ("heard", "partly_heard")
    assert lot.cells[PROBE].word not in ("heard", "partly_heard")
    assert set(side_by_side(TAGS, few_shot=score)[0].cells) == {FEW_SHOT}
    assert side_by_side(("unknown",), probed=probed) == (Row("unknown", {}),)


def test_a_tag_that_is_heard_but_given_to_everybody_has_its_threshold_off(found):
    probed, _ = found
    one = probed.tags[0]
    spread = replace(one.figures, f1=replace(one.figures.f1, value=one.chance.f1))
    off = replace(probed, tags=(replace(one, figures=spread), *probed.tags[1:]))
    assert side_by_side(TAGS, probed=off)[0].cells[PROBE].threshold_off
    assert not side_by_side(TAGS, probed=probed)[0].cells[PROBE].threshold_off
    lot = probed.tags[1]  # not heard, so nothing hangs on a threshold
    worse = replace(lot, figures=replace(lot.figures, f1=replace(lot.figures.f1, value=0.0)))
    silent = replace(probed, tags=(one, worse))
    assert not side_by_side(TAGS, probed=silent)[1].cells[PROBE].threshold_off


def test_stages_agree_where_they_say_one_word():
    auc = Interval(0.9, 0.8, 0.95, 12)
    heard, partly, silent = (Cell(word, auc, False) for word in ("heard", "partly_heard", "too_few"))
    assert Row("a", {"probe": heard, "few_shot": heard}).agreed
    assert Row("a", {"probe": heard, "few_shot": silent}).agreed
    assert not Row("a", {"probe": heard, "few_shot": partly}).agreed
