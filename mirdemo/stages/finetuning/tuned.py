"""What comes out of fine-tuning: a head that decides, and the backbone with its tail exchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity, Layer
from mirdemo.scoring.metrics import THRESHOLD
from mirdemo.stages.fewshot.errors import check_embeddings
from mirdemo.stages.finetuning.errors import FineTuneError

if TYPE_CHECKING:
    import torch

#: The one layer of a fine-tuned backbone.
LAYER = "fine-tuned"
_TAIL = "tail/"


class TunedHead:
    """A fine-tuned tail as data, and the linear head that reads its output.

    A fitted ``FewShotMethod`` for a tagger, except that it cannot be fitted to embeddings.
    tags: (n_tags,); weights: float64 (size, n_tags); bias: float64 (n_tags,)
    n_blocks: how many trailing blocks the tail holds; tail: its tensors by name, float32 (or int64)
    """

    name = "fine-tuned"

    def __init__(
        self,
        tags: Sequence[str],
        weights: np.ndarray,
        bias: np.ndarray,
        n_blocks: int,
        tail: Mapping[str, np.ndarray],
    ) -> None:
        self.tags = tuple(str(tag) for tag in tags)
        self.weights = np.ascontiguousarray(
            weights, np.float64
        )  # one memory layout, the same last bit everywhere
        self.bias = np.asarray(bias, np.float64)
        self.n_blocks = int(n_blocks)
        self.tail = dict(tail)
        if self.weights.ndim != 2 or not (len(self.tags),) == self.bias.shape == self.weights.shape[1:]:
            raise ValueError("weights, bias and tags differ in their number")

    @property
    def size(self) -> int:
        """Of the rows it reads."""
        return len(self.weights)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """(q, size) pooled tail output, or its mean over windows -> float64 (q, n_tags) in 0..1."""
        logits = check_embeddings(queries, dim=self.size) @ self.weights + self.bias
        return 0.5 * (1 + np.tanh(0.5 * logits))

    def predict(self, queries: np.ndarray) -> np.ndarray:
        """(q, size) -> uint8 (q, n_tags)."""
        return (self.scores(queries) >= THRESHOLD).astype(np.uint8)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        arrays = {"weights": self.weights, "bias": self.bias}
        arrays |= {_TAIL + name: array for name, array in self.tail.items()}
        return {"tags": list(self.tags), "n_blocks": self.n_blocks}, arrays

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        tail = {name.removeprefix(_TAIL): a for name, a in arrays.items() if name.startswith(_TAIL)}
        return cls(settings["tags"], arrays["weights"], arrays["bias"], settings["n_blocks"], tail)

    def identity(self, base: Identity) -> Identity:
        """Of the fine-tuned backbone: everything that decides its output is in the fingerprint. Torch computes it."""
        text = f"{base.fingerprint}|{self.n_blocks}|{self._digest}"
        return replace(base.by_torch(), fingerprint=hashlib.sha256(text.encode()).hexdigest())

    @cached_property
    def _digest(self) -> str:
        """SHA-256 (hex) of the tail's tensors."""
        digest = hashlib.sha256()
        for name in sorted(self.tail):
            array = np.ascontiguousarray(self.tail[name])
            digest.update(f"{name}|{array.dtype}|{array.shape}|".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def tuned(self, base: Backbone) -> TunedBackbone:
        """The backbone it was made from, with this tail. Raises FineTuneError if the tail does not fit it."""
        return TunedBackbone(base, self)


class TunedBackbone(Backbone):
    """A backbone whose only layer is what a fine-tuned tail makes of the frozen prefix."""

    def __init__(self, base: Backbone, head: TunedHead) -> None:
        import torch

        self._split = base.split(head.n_blocks)
        try:
            self._split.tail.load_state_dict(
                {name: torch.from_numpy(array.copy()) for name, array in head.tail.items()}, strict=True
            )
        except RuntimeError as error:  # names or shapes
            raise FineTuneError(
                "The fine-tuned layers do not fit {name}. Load the backbone they were made from.",
                code="finetuning.other_tail",
                name=base.spec.title,
            ) from error
        self._split.tail.requires_grad_(False)
        self.spec: BackboneSpec = replace(
            base.spec, layers=(Layer(LAYER, head.size),), joint_size=0, tail_blocks=0
        )
        self.identity = head.identity(base.identity)
        self.device = base.device
        self.health = base.health
        self.warnings = base.torch_warnings

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """One layer with one frame: (batch, 1, size), pooled already."""
        import torch

        with torch.no_grad():
            return [self._split.tail(self._split.prefix(waves), samples=waves.shape[1])[:, None]]
