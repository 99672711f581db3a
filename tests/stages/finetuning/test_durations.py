"""How long a training will take is said before it: from steps timed here, sizes, or a run that was finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirdemo import fine_tune
from mirdemo.planning.durations import duration_estimate
from mirdemo.stages.finetuning import FineTuneSettings

QUICK = FineTuneSettings(epochs=2, batch=6, n_folds=3)


def test_durations_are_timed_here_and_grow_with_the_work(mert, loaded) -> None:
    one = duration_estimate(10, mert, QUICK)
    assert one.basis == "timed"
    assert min(one.prefix, one.training) > 0
    assert one.total == one.prefix + one.training
    assert one.prefix < one.soonest < one.total
    patient = duration_estimate(10, mert, replace(QUICK, epochs=20, patience=19))
    stopped = (patient.soonest - patient.prefix) / patient.training
    assert stopped == pytest.approx(
        (2 * (0.8 * 20 + 1) + 1) / (20 * (2 * 1.8 + 1))
    )  # two thirds of the windows in three rounds, less a fifth while the best epoch is sought; then all once
    large = duration_estimate(10, loaded("mert-330m").spec, QUICK)
    assert large.basis == "sizes"  # it is not loaded here
    more = duration_estimate(1000, loaded("mert-330m").spec, replace(QUICK, epochs=20))
    assert more.prefix > 20 * large.prefix
    assert more.training > 200 * large.training
    cuda = duration_estimate(10, mert.spec, QUICK, device="cuda")
    import torch

    assert cuda.basis == ("sizes" if torch.cuda.is_available() else "sizes on the cpu")


def test_a_finished_run_is_believed_more_than_a_timed_step(labelled, mert) -> None:
    report = fine_tune(labelled, mert, settings=QUICK)
    estimate = duration_estimate(report.n_windows, mert.spec, QUICK)
    assert estimate.basis == "measured"
    assert estimate.prefix == pytest.approx(report.seconds["prefix"])
    spent = sum(report.seconds[phase] for phase in ("start", "folds", "final"))
    assert 0.3 * spent < estimate.training < 4 * spent
    assert duration_estimate(12, mert.spec, QUICK, blocks=1).basis == "sizes"
