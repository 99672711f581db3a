"""SEW and SEW-D: wav2vec 2.0 with its layers at half the rate (arXiv 2109.06870).

Behind the convolutions, neighbouring frames are averaged and their position added by a convolution of the same stride; what
the last layer gives is spread over twice as many frames again. Where the number of frames is odd, transformers appends one
frame of zeros then, which is of no sound and left out here. SEW-D's layers have DeBERTa's attention, with positions that all
layers share.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mirdemo.backbones import loading, waveform
from mirdemo.backbones.spec import BackboneSpec, Identity
from mirdemo.backbones.split import Trunk

if TYPE_CHECKING:
    from transformers import SEWDModel, SEWModel
    from transformers.models.sew_d.modeling_sew_d import SEWDTransformerEncoder

_NETWORKS = {"sew": "SEWModel", "sew-d": "SEWDModel"}
_PREFIXES = {"sew": ("sew.",), "sew-d": ("sew_d.",)}
_BESIDE = ("lm_head.", "projector.", "classifier.", "layer_weights")


class SqueezedTrunk(Trunk):
    """Layers at half the rate, then the states of each spread over the frames it is of.

    spread: the module that does so
    positions: SEW-D's, which all layers share: its encoder without its layers; None in SEW
    """

    def __init__(
        self, blocks: Sequence[nn.Module], spread: nn.Module, positions: SEWDTransformerEncoder | None
    ) -> None:
        super().__init__(blocks)
        self.spread = spread
        self.positions = positions

    def step(self, index: int, states: Tensor) -> Tensor:
        if self.positions is None:
            return self.blocks[index](states)
        return self.blocks[index](
            states,
            torch.ones(len(states), 1, 1, states.shape[1], dtype=torch.long, device=states.device),
            relative_pos=self.positions.get_rel_pos(states),
            rel_embeddings=self.positions.get_rel_embedding(),
        )

    def finish(self, states: Tensor) -> Tensor:
        return self.spread(states)

    def cut(self, blocks: Sequence[nn.Module]) -> SqueezedTrunk:
        return SqueezedTrunk(blocks, self.spread, self.positions)

    def tail(self, n_blocks: int) -> Trunk:
        part = super().tail(n_blocks)
        if part.positions is not None:
            part.positions.requires_grad_(False)  # the frozen layers' too
        return part


class SqueezedBackbone(waveform.WaveReader):
    """``network`` is a ``SEWModel`` or ``SEWDModel`` with its weights."""

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: SEWModel | SEWDModel,
        device: torch.device,
        dtype: torch.dtype,
        *,
        normalise: bool,
    ) -> None:
        encoder: Any = network.encoder
        positions = None
        layers = getattr(encoder, "layers", None)
        if layers is None:  # SEW-D
            positions, layers = encoder.encoder, encoder.encoder.layer
            positions.layer = nn.ModuleList()
        trunk = SqueezedTrunk(list(layers), encoder.upsample, positions)
        # A network without its layers is placed below; they are placed with the rest of the trunk.
        loading.place(trunk, device, dtype)
        super().__init__(spec, identity, network, trunk, device, dtype, normalise=normalise)
        self._norm = network.layer_norm
        self._projection = network.feature_projection if network.project_features else nn.Identity()
        self._average = encoder.pool
        self._position = waveform.exact_position(encoder.pos_conv_embed)
        self._entry_norm = getattr(encoder, "layer_norm", nn.Identity())

    def enter(self, features: Tensor) -> Tensor:
        states = self._projection(self._norm(self.convolved(features))).transpose(1, 2)
        position = self._position(states.to(next(self._position.parameters()).dtype)).to(self.dtype)
        averaged = self._average(states)
        frames = min(averaged.shape[-1], position.shape[-1])
        return self._entry_norm((averaged[..., :frames] + position[..., :frames]).transpose(1, 2))


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> SqueezedBackbone:
    """Load from a folder with config.json, preprocessor_config.json and weights.

    Layers: ``input`` (what the first layer reads), ``1``, ``2``, ...; the last at the full rate. Raises BackboneError.
    """
    import transformers

    values = loading.read_json(checkpoint, "config.json", spec.title)
    kind = str(values.get("model_type"))
    paths = loading.weight_files(spec, checkpoint)
    state = loading.encoder_state(loading.read_state(paths, spec.title), _PREFIXES[kind], _BESIDE)
    return waveform.assemble(
        spec,
        checkpoint,
        getattr(transformers, _NETWORKS[kind]),
        values | {"mask_time_prob": 0.0, "mask_feature_prob": 0.0},
        paths,
        state,
        device,
        dtype,
        backbone_class=SqueezedBackbone,
    )
