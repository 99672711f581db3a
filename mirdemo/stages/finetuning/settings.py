"""How a tail is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirdemo.stages.finetuning.errors import FineTuneError
from mirdemo.stages.published.settings import MlpTraining

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
KEEPING = ("auto", "exact", "half")


def settings_refused() -> FineTuneError:
    """The error for settings that no training can have."""
    return FineTuneError(
        "These settings make no training: use at least 1 epoch and 2 folds, rates above 0, shares between 0 and 1, and "
        "a precision that is there.",
        code="finetuning.settings",
    )


@dataclass(frozen=True)
class FineTuneSettings:
    """Everything that can be chosen about the training. The published study (arXiv 2506.17055) says which layers are
    trained and that the loss is binary cross-entropy; rates, epochs and batches are not known, so these are ours.

    epochs: at most; patience: epochs without a lower held-out loss after which it ends
    batch: windows in one step
    tail_rate, head_rate: the highest learning rates of AdamW, of the pretrained blocks and of the linear head
        that teaches them
    warm_up: share of the steps in which the rates rise; then they fall along a cosine
    clip_norm: longest gradient, over all weights together
    largest_weight: how much more (or less) a tag's positives may count than its negatives
    penalty: of the head that decides, L2 as 1 / C; the live probe's
    held_out: share of the training recordings that is kept back to find the best epoch; then all are trained on
    mixup: alpha of the Beta distribution that two windows' boundary states and labels are mixed by; 0 for none
    time_mask: longest share of a window's frames that is blanked at the boundary; 0 for none
    precision: of the tail's arithmetic. ``"auto"``: mixed on a GPU (bfloat16, or float16 where it has none), float32
        on the CPU
    keeping: of the prefix's output. ``"exact"``: in the backbone's own precision; ``"half"``: in float16; ``"auto"``:
        exact, but in float16 where it would be larger than ``memory_bytes`` and the tail gives the same to 1e-4
    memory_bytes: a prefix output that is larger goes to the disk
    n_folds, seed: of the cross-validation; the same as the probe's give the same folds
    """

    epochs: int = 20
    patience: int = 5
    batch: int = 16
    tail_rate: float = 5e-5
    head_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    clip_norm: float = 1.0
    largest_weight: float = 10.0
    penalty: float = 1.0
    held_out: float = 0.2
    mixup: float = 0.0
    time_mask: float = 0.0
    precision: str = "auto"
    keeping: str = "auto"
    memory_bytes: int = 2_000_000_000
    n_folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        fits = (
            min(self.epochs, self.patience, self.batch) >= 1
            and min(self.tail_rate, self.head_rate, self.clip_norm, self.penalty) > 0
            and min(self.weight_decay, self.mixup, self.memory_bytes) >= 0
            and 0 <= self.warm_up < 1
            and 0 <= self.time_mask < 1
            and 0 < self.held_out < 1
            and self.largest_weight >= 1
            and self.n_folds >= 2
            and self.seed >= 0
            and self.precision in PRECISIONS
            and self.keeping in KEEPING
        )
        if not fits:
            raise settings_refused()


@dataclass(frozen=True)
class PublishedSettings(MlpTraining):
    """The training of the published fine-tuning (arXiv 2506.17055).

    Known from the paper: which blocks are trained (``BackboneSpec.tail_blocks``), binary cross-entropy, one run, the
    official split, half precision for Qwen2-Audio. Not known, and ours: everything else. Head, epochs, plateau and stop are
    the published probe's (``MlpTraining``); batch, clipping and the lower rate of the pretrained blocks are those of the
    live fine-tuning. Adam trains both.

    tail_rate, head_rate: learning rates
    batch: windows in one step
    layers: what the head reads: ``"mean"``: the mean over all layers, frozen and trained, as the published probe
        reads them, where they have one size, else the last; ``"last"``: the last layer
    precision: of the tail's arithmetic. ``"published"``: half (bfloat16, or float16 where the GPU has none) for
        Qwen2-Audio on a GPU, float32 otherwise; or as in ``FineTuneSettings``
    keeping: of the prefix's output on the disk: ``"exact"``, ``"half"``, or ``"auto"``: in float16 where the head then
        reads the same to 1e-4
    """

    batch: int = 16
    tail_rate: float = 5e-5
    head_rate: float = 1e-3
    clip_norm: float = 1.0
    layers: str = "mean"
    precision: str = "published"
    keeping: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        fits = (
            self.possible
            and self.batch >= 1
            and min(self.tail_rate, self.head_rate, self.clip_norm) > 0
            and self.seed >= 0
            and self.layers in ("mean", "last")
            and self.precision in ("published", *PRECISIONS)
            and self.keeping in KEEPING
        )
        if not fits:
            raise settings_refused()

    def for_steps(self, spec: BackboneSpec) -> FineTuneSettings:
        """The part that single steps obey, for this backbone."""
        precision = self.precision
        if precision == "published":
            precision = "auto" if spec.tuned_in_half else "float32"
        return FineTuneSettings(
            epochs=self.epochs,
            batch=self.batch,
            tail_rate=self.tail_rate,
            head_rate=self.head_rate,
            weight_decay=0.0,
            clip_norm=self.clip_norm,
            largest_weight=1.0,
            precision=precision,
            seed=self.seed,
        )
