"""What is known about ``mini-world-spectral`` before it is loaded. Imports no torch."""

from __future__ import annotations

from mirdemo.backbones.mini_facts import SPECS as MINIS
from mirdemo.backbones.spec import BackboneSpec, Layer
from mirdemo.backbones.spectral_facts import SPEC as SPECTRAL

NETWORK = next(spec for spec in MINIS if spec.name == "mini-world")
#: The layer of ``spectral`` that stands beside the network's last one.
STATISTICS = next(layer for layer in SPECTRAL.layers if layer.name == "sound")

SPEC = BackboneSpec(
    name="mini-world-spectral",
    title="Mini-World + spectral",
    family="beside",
    licence="Apache-2.0",
    parameters=NETWORK.parameters,
    sample_rate=NETWORK.sample_rate,
    window_seconds=NETWORK.window_seconds,
    layers=(Layer("together", STATISTICS.size + NETWORK.layers[-1].size),),
    trained_on=f"{NETWORK.trained_on}; the statistics beside it on nothing",
    min_samples=NETWORK.min_samples,
    revision=f"beside-1+{SPECTRAL.revision}+{NETWORK.revision}",
    pooling=f"{SPECTRAL.pooling}+{NETWORK.pooling}",
    citation="the last layer of Mini-World, trained by this project, beside MFCC, spectral contrast (Jiang et al. 2002), "
    "onset strength and level measured by formula",
)
