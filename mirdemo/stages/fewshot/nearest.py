"""The nearest prototype, exactly and fast.

Distances are first estimated in float32 by one matrix product; every prototype that rounding could still
make the nearest is then measured again in float64. So the answer is that of float64 throughout and does not
depend on how queries are batched.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mirdemo.stages.fewshot.errors import FewShotError

Distance = Literal["cosine", "euclidean"]

#: Distances that differ by less than this (times the size of the data) are a tie: far above the rounding of
#: float64, far below that of the float32 embeddings themselves.
TIE = 1e-9
#: A mean whose members cancel out has no direction: below this fraction of their size it counts as zero.
VANISHING = 1e-7
_UNIT32 = 2.0**-24
_CHUNK = 1 << 23


class NearestPrototype:
    """Prototypes to measure distances from. Where several are equally near, the first one is nearest.

    prototypes: float64 (m, dim). size: the largest norm among the embeddings they are means of.
    distance: ``"cosine"`` (1 - cosine similarity, 0 to 2; a row of zeros is at 1 from everything)
        or ``"euclidean"``.
    """

    def __init__(self, prototypes: np.ndarray, distance: Distance, size: float) -> None:
        if distance not in ("cosine", "euclidean"):
            raise FewShotError(
                "{distance} is not a known distance. Choose cosine or euclidean.",
                code="fewshot.distance",
                distance=distance,
            )
        self.distance = distance
        self.size = size
        self._centre = np.zeros(prototypes.shape[1])
        self._scale = 1.0
        if distance == "euclidean":  # centred and scaled, float32 loses least
            self._centre = prototypes.mean(axis=0)
            self._scale = float(np.linalg.norm(prototypes - self._centre, axis=1).max()) or 1.0
        self._rows = self._prepare(prototypes)
        self._rows32 = self._rows.astype(np.float32)
        self._squares32 = np.einsum("md,md->m", self._rows32, self._rows32)

    def tie(self, least: np.ndarray) -> np.ndarray:
        """What separates a tie from a difference, (q,), where the nearest prototype is at ``least``."""
        if self.distance == "cosine":
            return np.full(len(least), TIE)
        return TIE * (max(self.size, self._scale) + least)

    def distances(self, queries: np.ndarray) -> np.ndarray:
        """float64 (q, dim) -> float64 (q, m), every distance."""
        prepared = self._prepare(queries)
        if self.distance == "cosine":
            return 1.0 - prepared @ self._rows.T
        squares = np.einsum("qd,qd->q", prepared, prepared)[:, None] + np.einsum(
            "md,md->m", self._rows, self._rows
        )
        out = squares - 2.0 * (prepared @ self._rows.T)
        # where nearly everything cancels, the difference itself is measured
        query, proto = np.nonzero(out < 1e-6 * squares)
        step = max(1, (1 << 22) // prepared.shape[1])
        for start in range(0, len(query), step):
            at = query[start : start + step], proto[start : start + step]
            part = prepared[at[0]] - self._rows[at[1]]
            out[at] = np.einsum("kd,kd->k", part, part)
        return self._scale * np.sqrt(out)

    def nearest(self, queries: np.ndarray, *, second: bool = False) -> tuple[np.ndarray, ...]:
        """The nearest prototype of each query.

        queries: float64 (q, dim). Returns index int64 (q,) and distance float64 (q,); with ``second`` also
        index and distance of the nearest other prototype (-1 and infinity where there is none).
        """
        results = [np.zeros(len(queries), np.int64), np.zeros(len(queries))]
        if second:
            results += [np.full(len(queries), -1, np.int64), np.full(len(queries), np.inf)]
        step = max(1, _CHUNK // len(self._rows))
        for start in range(0, len(queries), step):
            prepared = self._prepare(queries[start : start + step])
            rough, error = self._rough(prepared)
            index, distance = self._settle(prepared, rough, error)
            results[0][start : start + step], results[1][start : start + step] = index, distance
            if second and len(self._rows) > 1:
                rough[np.arange(len(rough)), index] = np.inf
                index, distance = self._settle(prepared, rough, error, without=index)
                results[2][start : start + step], results[3][start : start + step] = index, distance
        return tuple(results)

    def _prepare(self, rows: np.ndarray) -> np.ndarray:
        if self.distance == "euclidean":
            return (rows - self._centre) / self._scale
        norms = np.sqrt(np.einsum("qd,qd->q", rows, rows))[:, None]
        norms[norms <= VANISHING * self.size] = np.inf
        return rows / norms

    def _rough(self, prepared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Estimates that order the prototypes, float32 (q, m), and how far each row's may be off, (q,)."""
        rounding = (prepared.shape[1] + 8) * _UNIT32
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is measured exactly
            short = prepared.astype(np.float32)
            if self.distance == "cosine":
                return -(short @ self._rows32.T), np.full(len(short), 2 * rounding + 2 * TIE)
            norms = np.linalg.norm(prepared, axis=1)
            rough = self._squares32 - 2.0 * (short @ self._rows32.T)
        tie = TIE * (max(self.size / self._scale, 1.0) + 1.0 + norms)
        return rough, 4 * rounding * (1 + 2 * norms) + 2 * tie * (1 + norms) + tie**2

    def _settle(
        self, prepared: np.ndarray, rough: np.ndarray, error: np.ndarray, *, without: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Among all that may be nearest by the estimates: index and distance of the nearest, measured exactly."""
        with np.errstate(over="ignore", invalid="ignore"):
            bound = rough.min(axis=1) + 1.01 * error.astype(np.float32)
            # written this way round, a bound that is not a number keeps everything
            query, proto = np.divmod(np.flatnonzero(~(rough > bound[:, None])), rough.shape[1])
        if without is not None:
            others = proto != without[query]
            query, proto = query[others], proto[others]
        exact = np.empty(len(query))
        step = max(1, (1 << 22) // prepared.shape[1])
        for start in range(0, len(query), step):
            left = prepared[query[start : start + step]]
            right = self._rows[proto[start : start + step]]
            if self.distance == "cosine":
                exact[start : start + step] = 1.0 - np.einsum("kd,kd->k", left, right)
            else:
                left -= right
                exact[start : start + step] = self._scale * np.sqrt(np.einsum("kd,kd->k", left, left))
        rows = np.arange(len(prepared))
        least = np.minimum.reduceat(exact, np.searchsorted(query, rows))
        # nonzero lists a row's prototypes in their order: the first one within the tie wins
        tied = np.flatnonzero(exact <= (least + self.tie(least))[query])
        winner = tied[np.searchsorted(query[tied], rows)]
        return proto[winner], exact[winner]
