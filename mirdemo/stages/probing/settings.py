"""The probes' settings."""

from __future__ import annotations

from dataclasses import dataclass

from mirdemo.stages.probing.errors import ProbeError
from mirdemo.stages.published.settings import MlpTraining

#: How many draws of the folds the live probe averages over, and up to how many times as many where there are few clips: there
#: words hang on the draw the most, and a draw costs the least.
DRAWS, TIMES_OF_FEW = 10, 3
_FEW_CLIPS = 180


def draws_of(n_clips: int) -> tuple[int, ...]:
    """The draws of the folds that the live probe averages over: thirty up to 60 clips, twenty up to 90, else ten."""
    return tuple(range(DRAWS * min(max(_FEW_CLIPS // n_clips, 1), TIMES_OF_FEW)))


@dataclass(frozen=True)
class MlpSettings(MlpTraining):
    """The MLP probe of the published protocol.

    Known from the paper (arXiv 2506.17055): binary cross-entropy, the mean over layers, five seeds. As MARBLE (arXiv
    2306.10548) publishes them for its MagnaTagATune probe: Adam at ``rate``, ``batch`` windows in one step.

    layer_weights: ``"mean"`` as the paper; ``"learned"``: a softmax over layers learned along, as MARBLE
    standardise: each dimension by the training windows' mean and deviation. Ours: backbones differ in scale
    Raises ProbeError where no training can have these values.
    """

    rate: float = 1e-3
    batch: int = 64
    layer_weights: str = "mean"
    standardise: bool = True

    def __post_init__(self) -> None:
        if not (self.possible and self.batch >= 1 and self.rate > 0):
            raise ProbeError(
                "These settings make no probe: at least 1 epoch, hidden unit, window in a step and epoch of patience, a "
                "rate above 0, shares between 0 and 1.",
                code="probing.mlp_settings",
            )
        if self.layer_weights not in ("mean", "learned"):
            raise ProbeError(
                "Layer weights are mean or learned, not {given}.",
                code="probing.layer_weights",
                given=self.layer_weights,
            )
