"""Somebody else's backbone, whole: how loud each of a window's sixteen bands is, from its spectrum."""

from __future__ import annotations

from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity, Layer

SPECS = (
    BackboneSpec(
        name="drone-bands",
        title="Drone bands",
        family="drone",
        licence="CC0-1.0",
        parameters=0,
        sample_rate=16_000,
        window_seconds=2.0,
        layers=(Layer("bands", 16),),
        trained_on="nothing",
    ),
)


def load(spec, *, checkpoint, device, dtype):
    import torch

    class Bands(Backbone):
        def __init__(self):
            self.spec, self.device = spec, torch.device("cpu")
            self.identity = Identity(spec.name, "1", "0" * 64, "float32", 16_000, 2.0, spec.pooling)

        def hidden_states(self, waves):
            spectrum = torch.fft.rfft(waves).abs()[:, 1:]
            size = spectrum.shape[1] // 16 * 16
            return [spectrum[:, :size].reshape(len(waves), 1, 16, -1).mean(-1).log1p()]

    return Bands()
