"""The probes' settings."""

from __future__ import annotations

from dataclasses import dataclass

#: Draws of the folds that the live probe averages over.
DRAWS = tuple(range(10))


@dataclass(frozen=True)
class MlpSettings:
    """The MLP probe of the published protocol.

    Known from the paper (arXiv 2506.17055): an MLP, binary cross-entropy, the mean over layers, five seeds. Not known:
    everything else. Where MARBLE (arXiv 2306.10548) publishes a value for its MagnaTagATune probe it is the default
    here: one hidden layer of 512 with ReLU, dropout 0.2, Adam at 1e-3, batches of 64, at most 100 epochs, the rate
    halved after 3 epochs and the end after 10 without a better validation ROC-AUC.

    layer_weights: ``"mean"`` as the paper; ``"learned"``: a softmax over layers learned along, as MARBLE
    standardise: each dimension by the training windows' mean and deviation. Ours: backbones differ in scale
    """

    hidden: int = 512
    dropout: float = 0.2
    rate: float = 1e-3
    batch: int = 64
    epochs: int = 100
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    stop_patience: int = 10
    layer_weights: str = "mean"
    standardise: bool = True
