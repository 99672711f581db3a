"""How long fine-tuning will take, from what a window took here."""

from __future__ import annotations

import pytest

from mirdemo.backbones.registry import spec
from mirdemo.planning import durations
from mirdemo.planning.durations import duration_estimate, visits
from mirdemo.stages.finetuning.settings import FineTuneSettings

#: Two folds and then everything: half of the windows a fold, a fifth of which is held out first.
HALVES = FineTuneSettings(epochs=10, patience=2, n_folds=2, held_out=0.2)


def test_steps_see_the_windows_of_every_run():
    """At the least 3 epochs without those held out, then one, in each fold and on all; at the most ten of each."""
    least, most = visits(100, HALVES)
    assert least == pytest.approx(2 * 50 * (0.8 * 3 + 1) + 100)
    assert most == pytest.approx(2 * 50 * (0.8 + 1) * 10 + 100 * 10)


def test_what_a_window_took_here_is_taken_as_often_as_it_is_seen(monkeypatch):
    monkeypatch.setattr(durations, "remembered", lambda *key: {"prefix": 2.0, "training": 3.0})
    found = duration_estimate(100, spec("mert-95m"), HALVES)
    assert found.basis == "measured"
    assert found.prefix == 200
    assert (found.least, found.training) == pytest.approx([3 * seen for seen in visits(100, HALVES)])
    assert found.total == found.prefix + found.training
    assert found.soonest == found.prefix + found.least
