"""Fitting a whitening: what differs between synthetic performances heard again through other rooms and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mirdemo import __version__
from mirdemo.base.progress import Progress, silent
from mirdemo.embedding.whitening import RANK, SHRINKAGE, Whitening
from mirdemo.synth.disturbing import disturb
from mirdemo.synth.performance import plan
from mirdemo.synth.render import render
from mirdemo.synth.traditions import TRADITIONS

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.sound.audio import Clip


def fit_whitening(
    backbone: Backbone,
    *,
    performances: int = 180,
    renderings: int = 3,
    seed: int = 0,
    traditions: Sequence[str] | None = None,
    others: Sequence[Clip] = (),
    others_called: str = "own",
    shrinkage: float = SHRINKAGE,
    rank: int = RANK,
    progress: Progress | None = None,
) -> Whitening:
    """Fit a whitening for any backbone on the controlled corpora (train split), in memory, a batch at a time.

    performances: how many, spread evenly over ``traditions`` (all six if None); each is heard ``renderings`` times,
        the first as it was recorded, the others through ``mirdemo.synth.disturbing``
    others, others_called: further performances to be heard in the same way, and what the provenance calls them
    progress: told the performances done, others included, phase ``"whitening"``
    Save the result with ``.save(stored_path(backbone.identity))`` for ``whitening_for`` to find it.
    """
    together, groups = hear(
        backbone,
        performances=performances,
        renderings=renderings,
        seed=seed,
        traditions=traditions,
        others=others,
        progress=progress,
    )
    called = f"+{others_called}" if others else ""
    return Whitening.fit(
        together,
        groups,
        parts={layer.name: layer.parts for layer in backbone.spec.layers},
        shrinkage=shrinkage,
        rank=rank,
        provenance={
            "generator": f"controlled{called}-{__version__}",
            "traditions": list(traditions or TRADITIONS),
            "others": len(others),
            "seed": seed,
        },
    )


def hear(
    backbone: Backbone,
    *,
    performances: int = 180,
    renderings: int = 3,
    seed: int = 0,
    traditions: Sequence[str] | None = None,
    others: Sequence[Clip] = (),
    progress: Progress | None = None,
) -> tuple[Embeddings, NDArray[np.int64]]:
    """What a whitening is fitted on: every rendering embedded, and the number of its performance (n,). As ``fit_whitening``."""
    from mirdemo.embedding.embed import Embeddings, embed
    from mirdemo.sound.audio import Clip

    progress = progress or silent
    rate = 24_000 if backbone.spec.sample_rate <= 24_000 else 48_000  # what the synthesiser renders at
    names = tuple(traditions or TRADITIONS)
    rng = np.random.default_rng([seed, 9])
    seconds = min(max(backbone.spec.window_seconds, 5.0), 10.0)

    def synthesised(number: int) -> NDArray[np.float32]:
        tradition, at = names[number % len(names)], 500_000 + seed * 10_000 + number
        return render(plan(tradition, at, split="train", seconds=seconds), rate)

    count = performances + len(others)
    heard: list[Embeddings] = []
    for number in range(count):
        progress(number, count, "whitening")
        wave = synthesised(number) if number < performances else others[number - performances].at(rate)
        views = [wave, *(0.1 * disturb(wave, rate, rng) for _ in range(renderings - 1))]
        heard.append(embed([Clip.of(view, rate, "rendering") for view in views], backbone))
    progress(count, count, "whitening")
    together = Embeddings.of(
        backbone.identity,
        {name: matrix.shape[1] for name, matrix in heard[0].layers.items()},
        [clip_id for views in heard for clip_id in views.clip_ids],
        [entry for views in heard for entry in views.per_clip],
    )
    return together, np.repeat(np.arange(count), renderings)
