"""Simulated worlds: embedded recordings with tags that the layers hear to a known degree.

Layers share 20 latent directions whose strength decays; a recording has an effect (standard deviation 1) that its clips
share, a clip one of its own (0.7). A tag adds a direction, and each layer hears it to a degree of its own. Nothing of it
is music; it is as clustered, as correlated and as small as a town's collection, and its truth can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: The strengths of a world's tags, from nothing to heard without an error, where the design names no others.
STRENGTHS = (0.0, 0.7, 1.2, 1.8, 2.6, 5.0)


@dataclass(frozen=True)
class Collection:
    """layers: name -> (n_clips, size); labels: uint8 (n_clips, n_tags); recordings: int (n_clips,)"""

    layers: dict[str, np.ndarray]
    labels: np.ndarray
    recordings: np.ndarray


@dataclass(frozen=True)
class World:
    """One design.

    recordings, clips: how many, and how many clips each; share: of the recordings that have a tag
    strengths: a tag each; by_clip: tags differ within a recording (else all its clips have the same)
    layers, size: of the embeddings
    """

    recordings: int
    clips: int
    share: float = 0.25
    strengths: tuple[float, ...] = STRENGTHS
    by_clip: bool = False
    layers: int = 5
    size: int = 64
    seed: int = 0
    _drawn: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        per = "clip" if self.by_clip else "recording"
        return f"{self.recordings} recordings x {self.clips}, {self.having} with it, by {per}"

    @property
    def having(self) -> int:
        return max(2, round(self.share * self.recordings))

    def _fixed(self) -> dict[str, np.ndarray]:
        """What all collections of the world have in common: how layers see the latents, and the tags."""
        if not self._drawn:
            rng, n_tags = np.random.default_rng(self.seed), len(self.strengths)
            spectrum = 1 / np.sqrt(1 + np.arange(20))
            self._drawn["mixing"] = (
                rng.normal(size=(self.layers, 20, self.size))
                * spectrum[:, None]
                / np.sqrt(spectrum @ spectrum)
            )
            directions = rng.normal(size=(self.layers, n_tags, self.size))
            directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
            heard = rng.uniform(0.3, 1.0, (self.layers, n_tags))
            heard[rng.integers(self.layers, size=n_tags), np.arange(n_tags)] = 1.0
            self._drawn["tags"] = directions * (heard * np.asarray(self.strengths))[..., None] * 4
        return self._drawn

    @property
    def directions(self) -> np.ndarray:
        """(layers, n_tags, size): what each tag adds to a clip's row."""
        return self._fixed()["tags"]

    def draw(self, seed: int, recordings: int | None = None) -> Collection:
        """A collection. recordings: another size, for the truth; with the same share of each tag."""
        fixed, rng = self._fixed(), np.random.default_rng([self.seed, 1, seed])
        n, n_tags = recordings or self.recordings, len(self.strengths)
        having = self.having if recordings is None else max(2, round(self.having / self.recordings * n))
        of = np.repeat(np.arange(n), self.clips)
        if self.by_clip and self.clips > 1:
            labels = np.stack([rng.permutation(len(of)) < having * self.clips for _ in range(n_tags)], 1)
        else:
            labels = np.stack([rng.permutation(n) < having for _ in range(n_tags)], 1)[of]
        latent = rng.normal(size=(n, 20))[of] + 0.7 * rng.normal(size=(len(of), 20))
        layers = {
            str(i): (
                latent @ fixed["mixing"][i]
                + labels @ fixed["tags"][i]
                + rng.normal(size=(len(of), self.size))
            ).astype(np.float32)
            for i in range(self.layers)
        }
        return Collection(layers, labels.astype(np.uint8), of)


def table(
    recordings: tuple[int, ...] = (8, 12, 20, 40),
    clips: tuple[int, ...] = (1, 3),
    shares: tuple[float, ...] = (0.25, 0.5),
) -> list[World]:
    """The audit's designs: sizes x clips x shares x tags by recording or (with several clips) by clip."""
    return [
        World(n, k, share, by_clip=by_clip)
        for n in recordings
        for k in clips
        for share in shares
        for by_clip in ((False, True) if k > 1 else (False,))
    ]
