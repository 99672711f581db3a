"""What is known about the two embedded networks before they are loaded. Imports no torch.

How they were made, and what they were measured to do: ``assets/backbones/*/README.md`` and ``training/README.md``.
"""

from __future__ import annotations

from mirdemo.backbones.spec import BackboneSpec, Layer, Part
from mirdemo.base.assets import ASSETS

#: A folder a network: weights, configuration, how it was trained, its card.
WEIGHTS = ASSETS / "backbones"
#: Changes with every new pair of weights; part of their identity.
VERSION = "mini-4"

WIDTH = 160
DEPTH = 4

#: A row is the mean of a window's states and their deviation over time.
MEAN_AND_DEVIATION = (Part(WIDTH), Part(WIDTH))


def _spec(name: str, title: str, trained_on: str) -> BackboneSpec:
    layers = ("input", *map(str, range(1, DEPTH + 1)))
    return BackboneSpec(
        name=name,
        title=title,
        family="mini",
        states_a_second=25.0,
        licence="Apache-2.0",
        parameters=1_872_531,
        sample_rate=24_000,
        window_seconds=10.0,
        layers=tuple(Layer(layer, 2 * WIDTH, MEAN_AND_DEVIATION) for layer in layers),
        trained_on=trained_on,
        min_samples=6_000,
        revision=VERSION,
        pooling="mean+std",
        tail_blocks=2,
        citation="trained by this project, see its card in assets/backbones",
    )


SPECS = [
    _spec("mini-west", "Mini-West", "synthetic Western music only"),
    _spec("mini-world", "Mini-World", "synthetic music of six traditions"),
]
