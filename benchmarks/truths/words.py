"""The live probe's words: which there are for tags of every strength, and what must not change them.

Worlds of 12, 20 and 40 recordings with three clips each, five tags on a quarter of the recordings. ``heard`` and the like:
the share of tags with that word, by strength. ``changes by``: the share of tags whose word is another one after the
recordings were renamed (and so come in another order), with other draws of the folds, or beside one more tag by lot.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.truths import Rate, build, share
from benchmarks.truths.worlds import World

STRENGTHS = (0.0, 0.7, 1.2, 1.8, 5.0)
#: Of the collections, those on which changes are tried: each costs three more probes.
CHANGED = 0.2


def rates(collections: int) -> Iterator[Rate]:
    probe = build("mirdemo.stages.probing", "mirdemo.probing").probe
    for world in (World(n, 3, strengths=STRENGTHS) for n in (12, 20, 40)):
        words, small, changes = [], [], {"names": [], "seed": [], "another tag": []}
        for seed in range(collections):
            here, rng = world.draw(seed), np.random.default_rng(seed)
            said = probe(here.layers, here.labels, here.recordings)
            words.append([tag.verdict for tag in said.tags])
            small.append([tag.p_value is not None and tag.p_value < 0.05 for tag in said.tags])
            if seed >= CHANGED * collections:
                continue
            names = rng.permutation(1000)[here.recordings]
            lot = (rng.permutation(world.recordings) < world.having)[here.recordings]
            others = {
                "names": probe(here.layers, here.labels, names),
                "seed": probe(
                    here.layers, here.labels, here.recordings, seeds=range(1000, 1000 + len(said.seeds))
                ),
                "another tag": probe(here.layers, np.column_stack([here.labels, lot]), here.recordings),
            }
            for by, other in others.items():
                changes[by] += [
                    one.verdict != two.verdict
                    for one, two in zip(said.tags, other.tags[: len(said.tags)], strict=True)
                ]
        words, small = np.array(words), np.array(small)
        for k, strength in enumerate(STRENGTHS):
            for word in ("heard", "partly_heard", "perhaps_heard", "not_heard", "too_few"):
                yield share(f"{world.name}, strength {strength:g}", word, words[:, k] == word)
            yield share(f"{world.name}, strength {strength:g}", "p under .05", small[:, k])
        found = np.isin(words, ("heard", "partly_heard"))
        yield share(world.name, "p under .05 but too few", (words == "too_few")[small])
        yield share(world.name, "page with a false one", found[:, 0])
        yield share(
            world.name, "of those found, without signal", np.tile(np.arange(5) == 0, (len(found), 1))[found]
        )
        for by, changed in changes.items():
            yield share(world.name, f"changes by {by}", changed, groups=len(changed) // len(STRENGTHS))
