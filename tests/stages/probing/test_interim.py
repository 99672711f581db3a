"""What a probe tells while it works: honest figures, layer by layer and draw by draw, that end where the report does."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.base.sentences import Cancelled
from mirdemo.stages.probing import Interim, crossval, probe

CLIPS, LAYERS, DRAWS = 24, 3, (0, 1, 2, 3)


def asked() -> tuple[dict[str, np.ndarray], np.ndarray, list[str]]:
    """Three layers of which one knows the first tag; nobody knows the second."""
    random = np.random.default_rng(0)
    labels = np.stack([np.arange(CLIPS) % 2, random.permutation(np.arange(CLIPS) % 3 == 0)], 1).astype(
        np.uint8
    )
    layers = {str(i): random.normal(size=(CLIPS, 5)) for i in range(LAYERS)}
    layers["1"][:, 0] += 3 * labels[:, 0]
    return layers, labels, [f"r{i}" for i in range(CLIPS)]


def told(**more) -> tuple[list[Interim], object]:
    heard: list[Interim] = []
    report = probe(
        *asked(), layers=("0", "1", "2"), seeds=DRAWS, permutations=20, interim=heard.append, **more
    )
    return heard, report


def test_the_last_interim_is_the_answer_and_asking_for_them_changes_nothing():
    heard, report = told()
    silent = probe(*asked(), layers=("0", "1", "2"), seeds=DRAWS, permutations=20)
    assert [one.draws for one in heard] == [1, 2, 3, 4]
    assert heard[-1].tags == tuple(tag.figures for tag in report.tags)
    assert heard[-1].macro == report.macro.figures
    assert [tag.figures for tag in silent.tags] == [tag.figures for tag in report.tags]
    assert np.array_equal(silent.scores, report.scores)


def test_in_the_first_draw_it_comes_layer_by_layer(monkeypatch):
    monkeypatch.setattr(crossval, "BUDGET", 1)
    heard, _ = told()
    assert [(one.draws, one.layers) for one in heard] == [(1, 1), (1, 2), (1, 3), (2, 3), (3, 3), (4, 3)]
    first, second = heard[0].tags[0].roc_auc.value, heard[1].tags[0].roc_auc.value
    assert first < 0.8 < second, "the layer that knows it is the second"


def test_every_interim_figure_has_its_interval_and_fewer_draws_are_less_sure():
    heard, _ = told()
    for one in heard:
        for tag in one.tags:
            assert tag.roc_auc.low < tag.roc_auc.value <= tag.roc_auc.high
            assert tag.roc_auc.n == CLIPS
    width = [one.tags[1].roc_auc.high - one.tags[1].roc_auc.low for one in heard]
    assert width[0] > width[-1]


def test_who_listens_may_stop_it():
    def enough(_: Interim) -> None:
        raise Cancelled()

    with pytest.raises(Cancelled):
        probe(*asked(), seeds=DRAWS, interim=enough)
