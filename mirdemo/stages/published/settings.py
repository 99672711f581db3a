"""What the published probe and the published fine-tuning have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MlpTraining:
    """The head of the published protocol, and when its training slows down and ends.

    Known from the paper (arXiv 2506.17055): an MLP. Not known: everything else. Where MARBLE (arXiv 2306.10548) publishes
    a value for its MagnaTagATune probe it is the default here.

    hidden: units of its one hidden layer, with ReLU; dropout: behind it
    epochs: at most
    plateau_factor: what the learning rates are multiplied by after more than ``plateau_patience`` epochs without a better
        validation ROC-AUC; 1 for never
    stop_patience: epochs without a better one after which training ends
    """

    hidden: int = 512
    dropout: float = 0.2
    epochs: int = 100
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    stop_patience: int = 10

    @property
    def possible(self) -> bool:
        """Whether a training can have these values."""
        return (
            min(self.hidden, self.epochs, self.stop_patience) >= 1
            and 0 <= self.dropout < 1
            and 0 < self.plateau_factor <= 1
            and self.plateau_patience >= 0
        )
