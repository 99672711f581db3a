"""A small panel and listeners of known habits, for tests."""

from __future__ import annotations

import numpy as np

from mirdemo.planning.panel import CANNOT_TELL, HAND, RIGHT, WRONG, Answers, Panel, Proposer, draw
from mirdemo.planning.panel.answers import OnClip
from mirdemo.sound.audio import Clip

RATE = 16_000
TAGS = ("drum", "flute", "voice", "<b>鉦</b>", "slow", "fast")


def clips(n: int = 12, seconds: float = 0.5) -> list[Clip]:
    rng = np.random.default_rng(0)
    return [
        Clip.of(0.1 * rng.standard_normal(int(seconds * RATE)).astype(np.float32), RATE, f"secret-{i}.wav")
        for i in range(n)
    ]


def recordings(n: int = 12) -> list[str]:
    return [f"evening-{i // 2}" for i in range(n)]


def truth(n: int = 12) -> np.ndarray:
    return (np.random.default_rng(1).random((n, len(TAGS))) < 0.4).astype(np.uint8)


def tagger(key: str = "few_shot:spectral", right: float = 0.8, n: int = 12, seed: int = 2) -> Proposer:
    flipped = np.random.default_rng(seed).random((n, len(TAGS))) > right
    return Proposer(key, np.where(flipped, 1 - truth(n), truth(n)).astype(np.uint8))


def panel(two: bool = False, labels: bool = True, n: int = 12, **more) -> Panel:
    proposers = [tagger()] + ([tagger("few_shot:mini-world", 0.6, seed=3)] if two else [])
    proposers += [Proposer(HAND, truth())] if labels else []
    return draw(clips(n), recordings(n), TAGS, proposers, **more)


def listener(made: Panel, name: str = "Aki", errs: float = 0.0, seed: int = 0, **more) -> Answers:
    """Answers by the labels, but for a share of ``errs``; every tenth answer is "cannot tell"."""
    rng, right, names = np.random.default_rng(seed), truth(), [clip.sha256 for clip in clips()]
    given = {}
    for number, clip in enumerate(made.clips):
        row = names.index(clip.sha256)
        verdicts = []
        for question in clip.questions:
            there = bool(right[row, TAGS.index(question.tag)]) != (rng.random() < errs)
            verdicts.append(CANNOT_TELL if rng.random() < 0.1 else RIGHT if there else WRONG)
        side = "first" if clip.sides else None
        given[number] = OnClip(tuple(verdicts), ("bell",) if number < 3 else (), side, 12.0)
    run = f"{seed:016x}"
    return Answers(**{"panel": made.id, "run": run, "listener": name, "clips": given, **more})
