"""Whoever reports progress begins at none, never goes back and ends at the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sound_files import by_soundfile

from mirdemo.base.progress import Progress
from mirdemo.clips.labelled import LabelledClips
from mirdemo.scoring.permutation import fixed_test, refit_test
from mirdemo.search.nearest import nearest
from mirdemo.stages.fewshot.episodes import evaluate_episodes
from mirdemo.stages.fewshot.layer_choice import choose_layer
from mirdemo.stages.fewshot.learning_curve import learning_curve

ROWS = np.random.default_rng(0).normal(size=(16, 4))
LABELS = (np.arange(16)[:, None] % np.array([2, 3]) == 0).astype(np.uint8)
RECORDINGS = np.arange(16) // 2
NIGHT = [
    (f"{i}.wav", by_soundfile(np.sin(np.arange(800)[:, None] * (i + 1) / 9), 8000, "WAV")) for i in range(3)
]

#: The phase and, where it is a number of things, the whole.
REPORTING: dict[str, tuple[int | None, Callable[[Progress], object]]] = {
    "reading": (3, lambda progress: LabelledClips.from_files(NIGHT, "drum", progress=progress)),
    "layers": (
        2,
        lambda progress: choose_layer({"a": ROWS, "b": ROWS}, LABELS, RECORDINGS, progress=progress),
    ),
    "episodes": (
        3,
        lambda progress: evaluate_episodes(
            ROWS, LABELS, RECORDINGS, k_shot=1, protocol="live", seeds=(0, 1, 2), progress=progress
        ),
    ),
    "learning curve": (
        8,
        lambda progress: learning_curve(ROWS, LABELS, RECORDINGS, shots=(1, 2), repeats=4, progress=progress),
    ),
    "permuting": (
        99,
        lambda progress: fixed_test(
            ROWS.T[None, None, :2], LABELS, RECORDINGS, 99, np.random.default_rng(0), progress=progress
        ),
    ),
    "permuting, trained again": (
        99,
        lambda progress: refit_test(
            np.eye(16)[None], LABELS, RECORDINGS, 99, np.random.default_rng(0), progress=progress
        ),
    ),
    "searching": (16, lambda progress: nearest(ROWS, ROWS[:2], 3, progress=progress)),
}


@pytest.mark.parametrize("what", REPORTING)
def test_it_begins_at_none_never_goes_back_and_ends_at_the_whole(what: str):
    whole, work = REPORTING[what]
    told: list[tuple[int, int, str]] = []
    work(lambda *state: told.append(state))
    assert {phase for _, _, phase in told} == {what.partition(",")[0]}
    assert {total for _, total, _ in told} == {whole}
    done = [one for one, _, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, whole)
