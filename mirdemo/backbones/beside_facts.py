"""What is known about ``mini-world-spectral`` before it is loaded. Imports no torch."""

from __future__ import annotations

import math

from mirdemo.backbones.mini_facts import SPECS as MINIS
from mirdemo.backbones.spec import BackboneSpec, Layer, Part
from mirdemo.backbones.spectral_facts import SPEC as SPECTRAL

NETWORK = next(spec for spec in MINIS if spec.name == "mini-world")
#: The layer of ``spectral`` that stands beside the network's last one.
STATISTICS = next(layer for layer in SPECTRAL.layers if layer.name == "all")

#: Both halves count alike: the parts of the network as much together as all groups of statistics.
_HALF = math.sqrt(sum(part.share**2 for part in STATISTICS.parts) / len(NETWORK.layers[-1].parts))
_PARTS = (*STATISTICS.parts, *(Part(part.size, _HALF) for part in NETWORK.layers[-1].parts))

SPEC = BackboneSpec(
    name="mini-world-spectral",
    title="Mini-World + spectral",
    family="beside",
    licence="Apache-2.0",
    parameters=NETWORK.parameters,
    sample_rate=NETWORK.sample_rate,
    window_seconds=NETWORK.window_seconds,
    layers=(Layer("together", sum(part.size for part in _PARTS), _PARTS),),
    trained_on=f"{NETWORK.trained_on}; the statistics beside it on nothing",
    min_samples=NETWORK.min_samples,
    revision=f"beside-2+{SPECTRAL.revision}+{NETWORK.revision}",
    pooling=f"{SPECTRAL.pooling}+{NETWORK.pooling}",
    citation="the last layer of Mini-World, trained by this project, beside the statistics of Spectral statistics",
)
