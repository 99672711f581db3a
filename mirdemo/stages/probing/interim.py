"""What a live probe has found while it still works: figures with their intervals, and no word yet.

Words need the permutation test and every draw of the folds. Until then each figure is that of the draws so far, its
interval widened for being trained on so few; in the first draw it chooses among the layers worked through so far,
on training sides alone as ever, so that no interim figure is flattered either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.intervals import Intervals
from mirdemo.stages.probing.figures import measure
from mirdemo.stages.probing.report import Figures


@dataclass(frozen=True)
class Interim:
    """Figures so far.

    draws, layers: how many of them these figures rest on, of n_draws and n_layers; more than one draw: of all layers
    tags: (n_tags,) the headline of each tag;  macro: their mean
    """

    draws: int
    n_draws: int
    layers: int
    n_layers: int
    tags: tuple[Figures, ...]
    macro: Figures


def interim(
    headlines: Sequence[np.ndarray],
    labels: np.ndarray,
    groups: np.ndarray,
    *,
    n_draws: int,
    layers: int,
    n_layers: int,
    n_folds: int,
    level: float,
    unit: str,
) -> Interim:
    """From the draws so far. headlines: logits (n_tags, n_clips) each; labels: (n_clips, n_tags); groups: (n_clips,)"""
    scores = 0.5 * (1 + np.tanh(0.5 * np.stack(headlines)))[:, None]
    found, _ = measure(scores, labels, groups)
    estimates = {name: one.trained_again(n_folds, len(headlines)) for name, one in found.items()}
    of_tags = {name: one.intervals(level, unit) for name, one in estimates.items() if name != "micro_f1"}
    means: dict[str, Intervals] = {
        name: (one if name == "micro_f1" else one.macro()).intervals(level, unit)
        for name, one in estimates.items()
    }
    return Interim(
        draws=len(headlines),
        n_draws=n_draws,
        layers=layers,
        n_layers=n_layers,
        tags=tuple(
            Figures(**{name: one.at(0, k) for name, one in of_tags.items()}) for k in range(labels.shape[1])
        ),
        macro=Figures(**{name: one.at(0) for name, one in means.items()}),
    )
