"""Tags by lot that few recordings have: how often does an interval over tags lie wholly above the chance printed beside it?

Nothing is heard, so every such interval is wrong, and 5 % would lie above by the nominal level. Twelve tags on two, three or
five recordings each, as where every tag of a collection is rare.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.truths import Rate, build, mean, share
from benchmarks.truths.worlds import World

TAGS = 12
METRICS = ("roc_auc", "average_precision", "f1")
#: Recordings, clips of each, recordings that have a tag.
DESIGNS = (
    (12, 1, 2),
    (20, 1, 2),
    (20, 3, 2),
    (40, 1, 2),
    (40, 1, 3),
    (40, 3, 3),
    (40, 1, 5),
    (100, 1, 2),
)


def rates(collections: int) -> Iterator[Rate]:
    for recordings, clips, having in DESIGNS:
        world = World(recordings, clips, having / recordings, strengths=(0.0,) * TAGS, layers=2)
        yield from above(world, collections)


def above(world: World, collections: int) -> Iterator[Rate]:
    """The share of collections whose macro interval lies wholly above chance, and the two beside each other."""
    probe = build("mirdemo.stages.probing", "mirdemo.probing").probe
    found: dict[str, list[Any]] = {name: [] for name in METRICS}
    for seed in range(collections):
        here = world.draw(seed)
        macro = probe(here.layers, here.labels, here.recordings, permutations=0).macro
        for name in METRICS:
            figure = getattr(macro.figures, name)
            found[name].append((figure.value, figure.low, getattr(macro.chance, name)))
    cell = f"{TAGS} tags, {world.name}"
    for name, figures in found.items():
        known = [(value, low, chance) for value, low, chance in figures if low is not None]
        yield share(f"{cell}, {name}", "above chance", [low > chance for _, low, chance in known])
        yield share(f"{cell}, {name}", "no interval", [low is None for _, low, _ in figures])
        yield mean(f"{cell}, {name}", "value", [value for value, _, _ in figures])
        yield mean(f"{cell}, {name}", "chance", [chance for _, _, chance in figures])
