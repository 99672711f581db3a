"""Clips, prototypes and queries in two dimensions: the two directions in which the clips differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mirdemo.web.tagging import Built


@dataclass(frozen=True, eq=False)
class Plane:
    """Principal component analysis of the support set, every row first scaled to unit length, as cosine distance does.

    centre: float64 (size,); axes: float64 (2, size), orthonormal or zero
    share: of the clips' variance that each axis holds, (2,), 0 to 1
    """

    centre: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Plane:
        """rows: (n, size), n >= 1. Axes that the clips do not span are zero."""
        unit = _unit(rows)
        centre = unit.mean(axis=0)
        _, singular, directions = np.linalg.svd(unit - centre, full_matrices=False)
        variance = singular**2
        kept = variance[:2] > 1e-12 * max(variance.sum(), 1e-300)
        axes = np.zeros((2, unit.shape[1]))
        axes[: len(kept)] = directions[:2] * kept[:, None]
        # the sign of a singular vector is arbitrary: the largest part points up, so that the map stays as it is
        for axis in axes:
            if axis[np.abs(axis).argmax()] < 0:
                axis *= -1
        share = np.zeros(2)
        share[: len(kept)] = variance[:2] * kept / max(variance.sum(), 1e-300)
        return cls(centre, axes, share)

    def place(self, rows: np.ndarray) -> np.ndarray:
        """(n, size) -> float64 (n, 2)."""
        return (_unit(rows) - self.centre) @ self.axes.T


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.atleast_2d(np.asarray(rows, np.float64))
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)


@dataclass(frozen=True)
class Star:
    """One prototype on the map.

    tags: its label set; named: the tags it stands for alone, i.e. whose clips all are behind it; they label it
    clip: row of the clip nearest to it among those behind it
    """

    tags: tuple[str, ...]
    named: tuple[str, ...]
    clip: int
    x: float
    y: float


def stars(built: Built, plane: Plane) -> list[Star]:
    """The prototypes, those that stand for whole tags last, so that they are drawn on top."""
    method = built.prototypes
    places = plane.place(method.prototypes)
    sets, members = method.label_sets.astype(bool), method.members
    rows = _unit(method.embeddings)
    means = _unit(method.prototypes)
    wholly: dict[int, list[str]] = {}
    for column, tag in enumerate(method.tags):
        behind = method.labels[:, column] == 1
        same = np.flatnonzero((members == behind[:, None]).all(axis=0) & sets[:, column])
        if len(same):
            wholly.setdefault(int(same[0]), []).append(tag)
    found = []
    for i in range(len(sets)):
        mine = np.flatnonzero(members[:, i])
        nearest = int(mine[np.argmax(rows[mine] @ means[i])])
        found.append(
            Star(
                method.tags_of(i), tuple(wholly.get(i, ())), nearest, float(places[i, 0]), float(places[i, 1])
            )
        )
    return sorted(found, key=lambda star: bool(star.named))
