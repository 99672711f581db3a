"""What one epoch did, for the page's live curve and the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """run: the fold, from 0; ``runs - 1`` is the final training on all recordings
    epoch: from 1; epochs: planned
    loss: mean over the training windows seen in it; held_out_loss, held_out_auc: on the held-out recordings, None
        where none are held out
    seconds: since the run began
    again: the fold is trained once more, on its whole training side, for as many epochs as were best
    """

    run: int
    runs: int
    epoch: int
    epochs: int
    loss: float
    held_out_loss: float | None
    held_out_auc: float | None
    seconds: float
    again: bool = False
