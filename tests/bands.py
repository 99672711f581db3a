"""A backbone of a few lines, without weights. The taggers in ``tests/golden`` were made with it, so it does not change."""

from __future__ import annotations

import torch

from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity, Layer

RATE = 8000


class Bands(Backbone):
    """Energy in bands of the spectrum."""

    def __init__(self, revision: str = "1", fingerprint: str = "f" * 64) -> None:
        self.spec = BackboneSpec(
            name="bands",
            title="Bands",
            family="test",
            licence="CC-BY-NC-4.0",
            parameters=0,
            sample_rate=RATE,
            window_seconds=0.5,
            layers=(Layer("low", 16), Layer("high", 16)),
            trained_on="nothing",
            min_samples=100,
            repository="someone/bands",
        )
        self.identity = Identity("bands", revision, fingerprint, "float32", RATE, 0.5, "mean")
        self.device = torch.device("cpu")

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        power = torch.nn.functional.adaptive_avg_pool1d(torch.fft.rfft(waves, n=4000).abs()[:, None], 32)
        level = torch.log1p(power)
        return [level[..., :16], level[..., 16:]]
