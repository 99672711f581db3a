"""``mini-world-spectral``: a clip measured by formula, beside what a small network makes of it.

The two err differently: statistics of the sound itself keep what tells one recording's instruments from another's, the
network holds where a room or a line has changed them. On real recordings the two side by side, whitened together, answer
few-shot queries better than either, clean and degraded (``benchmarks/embedded_on_real_sound.py``).
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import torch

from mirdemo.backbones import health, mini, spectral
from mirdemo.backbones.beside_facts import NETWORK, STATISTICS
from mirdemo.backbones.mini_facts import WIDTH
from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity
from mirdemo.backbones.spectral_facts import SPEC as SPECTRAL
from mirdemo.sound.resampling import resample

#: The length a row of each part has by construction, before it is divided by it. Every statistic has deviation 1 on the
#: sound its scale was fitted on, so a group's squared length is its squared share; the squares of mean and deviation of
#: a network's states add up to the mean squared length of its layer-normed frames, their width.
_STATISTICS_LENGTH = math.sqrt(sum(part.share**2 for part in STATISTICS.parts))
_NETWORK_LENGTH = math.sqrt(WIDTH)


class Beside(Backbone):
    """The loaded backbone: one layer, ``all`` of ``spectral`` and then the last layer of ``mini-world``, mean beside
    deviation, each divided by its typical length so that neither outweighs the other in a cosine."""

    window_threads = 1

    def __init__(self, spec: BackboneSpec, statistics: spectral.Spectral, network: mini.Mini) -> None:
        self.spec = spec
        self.device = network.device
        self._statistics, self._network = statistics, network
        self._index = SPECTRAL.layers.index(STATISTICS)
        parts = (statistics.identity.fingerprint, network.identity.fingerprint)
        lengths = (_STATISTICS_LENGTH, _NETWORK_LENGTH)
        local = network.identity.revision != NETWORK.revision
        self.identity = Identity(
            name=spec.name,
            revision="local" if local else spec.revision,
            fingerprint=hashlib.sha256(repr((spec.revision, parts, lengths)).encode()).hexdigest(),
            dtype="float32",
            sample_rate=spec.sample_rate,
            window_seconds=spec.window_seconds,
            pooling=spec.pooling,
        )

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """One (batch, 1, size) tensor: both parts already stand for the whole window."""
        with torch.no_grad():
            states = self._network.hidden_states(waves)[-1:]
            (network,) = self._network.pool(states)
            statistics = self._statistics.hidden_states(self._at_their_rate(waves))[self._index][:, 0]
            together = [statistics / _STATISTICS_LENGTH, network / _NETWORK_LENGTH]
            return [torch.cat(together, dim=1)[:, None]]

    def _at_their_rate(self, waves: torch.Tensor) -> torch.Tensor:
        """The waves as ``spectral`` wants them: (batch, samples) at 22.05 kHz."""
        rows = (
            resample(wave, self.spec.sample_rate, SPECTRAL.sample_rate)
            for wave in waves.float().cpu().numpy()
        )
        return torch.from_numpy(np.stack(list(rows)))


def load(spec: BackboneSpec, *, checkpoint: Path | None, device: str, dtype: str) -> Beside:
    """Both parts as they came with the software, or the network from ``checkpoint``.

    Raises BackboneError as ``mini.load`` does.
    """
    network = mini.load(NETWORK, checkpoint=checkpoint, device=device, dtype=dtype)
    statistics = spectral.load(SPECTRAL, checkpoint=None, device=str(network.device), dtype=dtype)
    backbone = Beside(spec, statistics, network)
    backbone.health = health.check(backbone)
    return backbone
