"""The live probe for more clips than dimensions: the same problem as ``linear``, solved in the dimensions.

What a fold needs of its training side are sums over clips: products of dimensions (dim x dim) and of dimensions with labels.
They are made once for each fold's test side, and a training side is what the others add up to, so nothing here grows with the
square of the clips. Where steps are needed, the folds take them together: a fold's clips are multiplied once for all the
training sides that hold them, in their own units, and what a side's standardising changes is put into its weights.
One layer at a time, and ``TAGS_AT_ONCE`` of its tags: memory is that of a few copies of its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import ssyrk

from mirdemo.scoring.metrics import roc_auc
from mirdemo.scoring.permutation import permuted_auc
from mirdemo.stages.probing.linear import FREE, MOST_STEPS, SHARE, TOLERANCE

#: What steps need of memory is some eight numbers for each of these and each clip, as often as there are folds.
TAGS_AT_ONCE = 50


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer; draws are those of the folds.

    logits: (n_draws, n_tags, n_clips), as ``crossval.Solved.logits``
    inner: (n_draws, n_folds, n_tags), as ``crossval.Solved.inner``
    observed, under: ROC-AUC of the ridge probe's scores, the mean over draws: (n_tags,) with the labels and (permutations,
        n_tags) with permuted ones; empty where none was asked for
    """

    logits: np.ndarray
    inner: np.ndarray
    observed: np.ndarray
    under: np.ndarray


def solve(
    rows: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    penalty: float,
    donors: np.ndarray | None = None,
    *,
    scale: bool,
    tick: Callable[[], None] = lambda: None,
) -> Layer:
    """rows: (n_clips, size); labels: 0/1 (n_clips, n_tags)

    folds: int (n_draws, n_clips); donors: int (permutations, n_clips), as ``permutation.exchange`` gives; None for no test
    tick: called before each piece of work, a fold's or a lot of permutations; what it raises passes
    """
    levelled = _levelled(rows, scale)
    draws = []
    for fold_of in folds:
        tick()
        draws.append(_Draw.of(*levelled, fold_of, penalty, scale))
    observed = under = np.empty(0)
    if donors is not None:

        def scores(many: np.ndarray) -> np.ndarray:
            tick()
            return np.mean([draw.ridge(many) for draw in draws], axis=0)

        observed, under = permuted_auc(scores, labels, donors)
    table = labels.astype(np.float64)
    return Layer(
        np.stack([draw.logistic(table, penalty, tick) for draw in draws]),
        np.stack([draw.inner(labels, tick) for draw in draws]),
        observed,
        under,
    )


def trained(rows: np.ndarray, table: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, n_tags) and intercepts (n_tags,) of the probe that all these clips train.

    rows: float32 (n, d), standardised; table: 0.0 or 1.0 (n, n_tags)
    """
    n, size = rows.shape
    constant = float(np.sqrt(FREE * penalty))
    products = np.empty((size + 1, size + 1))
    products[:-1, :-1] = _crossed(rows)
    products[-1, :-1] = products[:-1, -1] = constant * rows.sum(0, dtype=np.float64)
    products[-1, -1] = n * constant**2
    ridge = max(4 * penalty, SHARE * float(np.trace(products[:-1, :-1])) / n)
    system = cho_factor(_ridged(products, ridge), lower=True, overwrite_a=True)
    side = _Side(None, np.zeros(size), np.ones(size), system)
    (solved,) = _descend([rows], [table], [side], constant, penalty)
    return solved[:-1], constant * solved[-1]


@dataclass(frozen=True, eq=False)
class _Draw:
    """One layer and one draw of folds.

    rows: float32 (n, d), as ``_levelled`` gives them, which all draws share
    tests: each fold's test clips; products: (n_folds, d, d) of the rows' dimensions there; sums: (n_folds, d)
    centre, factor: (n_folds, d), which bring a training side to mean 0 and deviation 1
    ridge_of: (n_folds,), as in ``linear.even_inverse``; constant: the intercept's dimension, see ``linear.FREE``
    systems: the Cholesky factors of each training side's products with that ridge, the intercept's dimension last
    """

    rows: np.ndarray
    tests: list[np.ndarray]
    products: np.ndarray
    sums: np.ndarray
    centre: np.ndarray
    factor: np.ndarray
    ridge_of: np.ndarray
    constant: float
    systems: list[tuple[np.ndarray, bool]]

    @classmethod
    def of(
        cls, rows: np.ndarray, spread: np.ndarray, fold_of: np.ndarray, penalty: float, scale: bool
    ) -> _Draw:
        """rows, spread: as ``_levelled`` gives them"""
        tests = [np.flatnonzero(fold_of == fold) for fold in range(int(fold_of.max()) + 1)]
        products = np.stack([_crossed(rows[test]) for test in tests]).astype(np.float64)
        sums = np.stack([rows[test].sum(0, dtype=np.float64) for test in tests])
        left = len(rows) - np.array([len(test) for test in tests])[:, None]
        centre = (sums.sum(0) - sums) / left
        every = products.sum(0)
        squares = np.einsum("fdd->fd", products)
        variance = np.maximum((squares.sum(0) - squares) / left - centre**2, 0)
        varies = variance > 1e-12 * spread**2
        length = np.where(varies, variance, 0).sum(1) if not scale else None
        if not scale:
            variance = np.broadcast_to(variance.mean(1, keepdims=True), variance.shape)
        factor = np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=varies)
        diagonal = varies.sum(1) if length is None else length / variance[:, 0]
        ridges = np.maximum(4 * penalty, SHARE * diagonal)
        constant = float(np.sqrt(FREE * penalty))
        draw = cls(rows, tests, products, sums, centre, factor, ridges, constant, [])
        for side, (own, total) in enumerate(zip(products, sums, strict=True)):
            whole = draw._standard_products(
                side, every - own, sums.sum(0) - total, len(rows) - len(tests[side])
            )
            draw.systems.append(cho_factor(_ridged(whole, ridges[side]), lower=True, overwrite_a=True))
        return draw

    def _product(self, side: int, fold: int) -> np.ndarray:
        """Products of dimensions over the test clips of ``fold``, standardised by the training side of ``side``."""
        return self._standard_products(side, self.products[fold], self.sums[fold], len(self.tests[fold]))

    def _standard_products(self, side: int, products: np.ndarray, sums: np.ndarray, count: int) -> np.ndarray:
        """The same of any clips, with the intercept's dimension (d + 1, d + 1).

        products, sums: of ``count`` clips' dimensions, (d, d) and (d,)
        """
        centre, by = self.centre[side], self.factor[side]
        crossed = np.outer(sums, centre)
        inside = products - crossed - crossed.T + count * np.outer(centre, centre)
        out = np.empty((len(by) + 1, len(by) + 1))
        out[:-1, :-1] = inside * by * by[:, None]
        out[-1, :-1] = out[:-1, -1] = self.constant * by * (sums - count * centre)
        out[-1, -1] = count * self.constant**2
        return out

    def _with_labels(self, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the clips of each fold: dimensions times labels (n_folds, d, m), and labels' sums (n_folds, m)."""
        single = table.astype(np.float32)
        products = np.stack([self.rows[test].T @ single[test] for test in self.tests])
        return products, np.stack([table[test].sum(0) for test in self.tests])

    def _right(self, side: int, products: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """One fold's, or a sum of folds': standardised by a training side, with the intercept's dimension, (d + 1, m)."""
        inside = self.factor[side][:, None] * (products - np.outer(self.centre[side], counts))
        return np.concatenate([inside, self.constant * counts[None]])

    def _standard(self, side: int, clips: np.ndarray) -> np.ndarray:
        """Rows as that training side standardises them, float32 (clips, d)."""
        standard = self.rows[clips]
        standard -= self.centre[side].astype(np.float32)
        standard *= self.factor[side].astype(np.float32)
        return standard

    def ridge(self, many: np.ndarray) -> np.ndarray:
        """Labels (m, n) -> out-of-fold scores of ridge regression, without intercept, (m, n)."""
        table = np.ascontiguousarray(many.T, dtype=np.float64)
        products, counts = self._with_labels(table)
        out = np.empty(table.shape)
        for side, test in enumerate(self.tests):
            right = self._right(side, products.sum(0) - products[side], counts.sum(0) - counts[side])
            weights = cho_solve(self.systems[side], right)[:-1].astype(np.float32)
            out[test] = self._standard(side, test) @ weights
        return out.T

    def inner(self, labels: np.ndarray, tick: Callable[[], None]) -> np.ndarray:
        """(n_folds, n_tags), as ``crossval.Solved.inner``: within a training side each other fold is left out in turn."""
        table = labels.astype(np.float64)
        products, counts = self._with_labels(table)
        found = []
        for side in range(len(self.tests)):
            tick()
            others = [fold for fold in range(len(self.tests)) if fold != side]
            parts = {fold: self._product(side, fold) for fold in others}
            whole = np.sum(list(parts.values()), axis=0)
            scores = np.zeros(table.shape)
            right = self._right(side, sum(products[k] for k in others), sum(counts[k] for k in others))
            for fold in others:
                clips, n_rest = self.tests[fold], sum(len(self.tests[k]) for k in others if k != fold)
                if not n_rest:
                    continue
                system = cho_factor(_ridged(whole - parts[fold], self.ridge_of[side]), overwrite_a=True)
                weights = cho_solve(system, right - self._right(side, products[fold], counts[fold]))
                given = sum(counts[k] for k in others if k != fold) / n_rest
                scores[clips] = (
                    self._standard(side, clips) @ weights[:-1].astype(np.float32)
                    + self.constant * weights[-1]
                    - given
                )
            learn = np.concatenate([self.tests[fold] for fold in others])
            found.append(roc_auc(labels[learn].T, scores[learn].T))
        return np.stack(found)

    def logistic(self, table: np.ndarray, penalty: float, tick: Callable[[], None]) -> np.ndarray:
        """Out-of-fold logits (n_tags, n), NaN for a tag where a training side has only one kind of clip."""
        blocks = [self.rows[test] for test in self.tests]
        tables = [table[test] for test in self.tests]
        sides = [
            _Side(*one)
            for one in zip(range(len(blocks)), self.centre, self.factor, self.systems, strict=True)
        ]
        lots = (slice(at, at + TAGS_AT_ONCE) for at in range(0, table.shape[1], TAGS_AT_ONCE))
        solved = np.concatenate(
            [
                _descend(blocks, [one[:, lot] for one in tables], sides, self.constant, penalty, tick)
                for lot in lots
            ],
            axis=2,
        )
        logits = np.empty(table.shape)
        for test, block, side, weights in zip(self.tests, blocks, sides, solved, strict=True):
            plain, base = side.plain(weights[:-1])
            logits[test] = block @ plain.astype(np.float32) + base
        bases = self.constant * solved[:, -1]
        known = sum(one.sum(0) for one in tables) - np.stack([one.sum(0) for one in tables])
        left = len(table) - np.array([len(test) for test in self.tests])[:, None]
        bases[(known == 0) | (known == left)] = np.nan
        return (logits + bases.mean(0)).T


def _levelled(rows: np.ndarray, scale: bool) -> tuple[np.ndarray, np.ndarray]:
    """Brought to mean 0 (and, scaled, deviation 1) over all clips, float32 (n, d); and each dimension's deviation then."""
    mean, spread = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    by = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0) if scale else 1.0
    levelled = ((rows - mean.astype(np.float32)) * np.float32(by)).astype(np.float32, copy=False)
    return levelled, (spread > 0).astype(np.float64) if scale else spread


def _ridged(products: np.ndarray, ridge: float) -> np.ndarray:
    products[np.diag_indices_from(products)] += ridge
    return products


def _crossed(rows: np.ndarray) -> np.ndarray:
    """rows.T @ rows, float32 (d, d): half of it is computed."""
    half = ssyrk(1.0, rows.T)
    return half + np.triu(half, 1).T


@dataclass(frozen=True, eq=False)
class _Side:
    """A training side: all blocks of clips but one.

    without: the number of that block; None: there is none
    centre, factor: (d,), which bring it to mean 0 and deviation 1; system: as in ``_Draw.systems``
    """

    without: int | None
    centre: np.ndarray
    factor: np.ndarray
    system: tuple[np.ndarray, bool]

    def plain(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights of standardised dimensions (d, m) -> of the rows' own (d, m), and what is added to their products (m,)."""
        plain = self.factor[:, None] * weights
        return plain, -self.centre @ plain


class _Together:
    """Problems of a training side and a tag each, side by side on the same blocks.

    side, tag: (m,) of each problem still at work; where: of each block, which problems learn from it
    logits, image, y, chance, wrong: of each block, float32 (clips, problems there): as it stands, what a step of length 1 does
        to it, the labels, and the probability and its error at the logits
    """

    def __init__(
        self, blocks: list[np.ndarray], tables: list[np.ndarray], sides: list[_Side], constant: float
    ) -> None:
        self._blocks, self._sides, self._constant = blocks, sides, constant
        counts = np.stack([table.sum(0) for table in tables])
        held = np.array([[number != side.without for number in range(len(blocks))] for side in sides])
        known, clips = held @ counts, held @ [len(block) for block in blocks]
        # of one kind of clip there is nothing to learn
        self.side, self.tag = np.nonzero((known > 0) & (known < clips[:, None]))
        self._held = held
        self.where = self._places()
        self.y = [
            table[:, self.tag[at]].astype(np.float32) for table, at in zip(tables, self.where, strict=True)
        ]
        self.logits = [np.zeros_like(y) for y in self.y]
        self.image = [np.zeros_like(y) for y in self.y]
        self.chance = self.wrong = self.lifted = self.y

    def _places(self) -> list[np.ndarray]:
        return [np.flatnonzero(held[self.side]) for held in self._held.T]

    def _of_sides(self) -> list[tuple[_Side, slice]]:
        """Each side and its problems."""
        ends = np.searchsorted(self.side, np.arange(len(self._sides) + 1))
        return [
            (side, slice(*ends[i : i + 2])) for i, side in enumerate(self._sides) if ends[i] < ends[i + 1]
        ]

    def _sum(self, parts: list[np.ndarray]) -> np.ndarray:
        """(..., problems there) of each block -> float64 (..., m)."""
        out = np.zeros((*parts[0].shape[:-1], len(self.side)))
        for at, part in zip(self.where, parts, strict=True):
            out[..., at] += part
        return out

    def gradient(self) -> np.ndarray:
        """Of the log-loss, float64 (d + 1, m), the intercept's dimension last."""
        self.chance = [_sigmoid(logits) for logits in self.logits]
        self.wrong = [chance - y for chance, y in zip(self.chance, self.y, strict=True)]
        plain = self._sum(
            [(wrong.T @ block).T for wrong, block in zip(self.wrong, self._blocks, strict=True)]
        )
        counts = self._sum([wrong.sum(0) for wrong in self.wrong])
        out = np.empty((len(plain) + 1, len(self.side)))
        for side, at in self._of_sides():
            out[:-1, at] = side.factor[:, None] * (plain[:, at] - np.outer(side.centre, counts[at]))
        out[-1] = self._constant * counts
        return out

    def better(self, gradient: np.ndarray) -> np.ndarray:
        """The step that would end it if all clips weighed the same, (d + 1, m). ``lifted`` is then what it does to logits."""
        out, plain, base = np.empty_like(gradient), np.empty_like(gradient[:-1]), np.empty(len(self.side))
        for side, at in self._of_sides():
            out[:, at] = cho_solve(side.system, gradient[:, at], check_finite=False)
            plain[:, at], base[at] = side.plain(out[:-1, at])
        base += self._constant * out[-1]
        single, base = plain.astype(np.float32), base.astype(np.float32)
        self.lifted = [
            block @ single[:, at] + base[at] for block, at in zip(self._blocks, self.where, strict=True)
        ]
        return out

    def unfinished(self) -> np.ndarray:
        """Problems in which that step moves some clip by more than ``TOLERANCE`` of the largest error, bool (m,)."""
        moved, off = np.zeros(len(self.side)), np.zeros(len(self.side))
        for at, lifted, wrong in zip(self.where, self.lifted, self.wrong, strict=True):
            moved[at] = np.maximum(moved[at], np.abs(lifted).max(0))
            off[at] = np.maximum(off[at], np.abs(wrong).max(0))
        return moved > TOLERANCE * off

    def keep(self, left: np.ndarray) -> None:
        """Set the others aside: what a step costs grows with its problems."""
        for name in ("logits", "image", "y", "chance", "wrong", "lifted"):
            parts = getattr(self, name)
            setattr(self, name, [part[:, left[at]] for part, at in zip(parts, self.where, strict=True)])
        self.side, self.tag = self.side[left], self.tag[left]
        self.where = self._places()

    def turn(self, turn: np.ndarray) -> None:
        """The next direction: so much of the last one, and against ``lifted``."""
        for image, lifted, at in zip(self.image, self.lifted, self.where, strict=True):
            image *= turn[at].astype(np.float32)
            image -= lifted

    def length(self, mixed: np.ndarray, bent: np.ndarray) -> np.ndarray:
        """About the best length of each problem's step, (m,), and goes it: two Newton steps on the slope along it.

        mixed, bent: (m,), the penalty's slope and curvature along it
        """
        first = -np.divide(*self._along(self.chance, mixed, bent))
        ahead = [
            _sigmoid(logits + first[at].astype(np.float32) * image)
            for logits, image, at in zip(self.logits, self.image, self.where, strict=True)
        ]
        second = first - np.divide(*self._along(ahead, mixed + first * bent, bent))
        length = np.where(second > 0, second, first / 4)
        for logits, image, at in zip(self.logits, self.image, self.where, strict=True):
            logits += length[at].astype(np.float32) * image
        return length

    def _along(
        self, chance: list[np.ndarray], mixed: np.ndarray, bent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Slope and curvature of the whole loss along the direction, (m,) each, where clips have these probabilities."""
        slopes, curves = [], []
        for here, y, image in zip(chance, self.y, self.image, strict=True):
            slopes.append(np.einsum("nm,nm->m", here - y, image))
            here = here - here * here
            here *= image
            curves.append(np.einsum("nm,nm->m", here, image))
        return self._sum(slopes) + mixed, self._sum(curves) + bent


def _descend(
    blocks: list[np.ndarray],
    tables: list[np.ndarray],
    sides: list[_Side],
    constant: float,
    penalty: float,
    tick: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Weights (n_sides, d + 1, n_tags), the intercept's last, by the conjugate gradients of ``linear``, all sides and tags side
    by side until each has arrived.

    blocks: float32 (n, d) each; tables: their labels, 0/1 (n, n_tags)
    """
    found = np.zeros((len(sides), blocks[0].shape[1] + 1, tables[0].shape[1]))
    together = _Together(blocks, tables, sides, constant)
    weights, direction, last = (np.zeros((found.shape[1], len(together.side))) for _ in range(3))
    energy = np.ones(len(together.side))
    for _ in range(MOST_STEPS):
        tick()
        gradient = together.gradient() + penalty * weights
        better = together.better(gradient)
        left = together.unfinished()
        found[together.side[~left], :, together.tag[~left]] = weights[:, ~left].T
        if not left.any():
            return found
        if not left.all():
            together.keep(left)
            weights, direction, last, gradient, better = (
                one[:, left] for one in (weights, direction, last, gradient, better)
            )
            energy = energy[left]
        slope = (better * gradient).sum(0)
        turn = np.maximum(
            np.divide(
                (better * (gradient - last)).sum(0), energy, out=np.zeros_like(energy), where=energy > 0
            ),
            0,
        )
        turn = np.where(turn * (direction * gradient).sum(0) < slope, turn, 0)
        direction = turn * direction - better
        together.turn(turn)
        energy, last = slope, gradient
        length = together.length(
            penalty * (direction * weights).sum(0), penalty * (direction * direction).sum(0)
        )
        weights = weights + length * direction
    found[together.side, :, together.tag] = weights.T
    return found


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """In single precision, of which numbers beyond 80 say no more."""
    out = np.clip(logits, -80, 80)
    np.negative(out, out=out)
    np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)
