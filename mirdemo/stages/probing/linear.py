"""L2-penalised logistic regression for every fold and tag of a layer at once, and its closed-form sibling.

The problem is scikit-learn's ``LogisticRegression(C=1 / penalty)`` on ``StandardScaler`` features: minimise
``sum(log-loss) + penalty / 2 * |w|^2`` with a free intercept. With fewer clips than dimensions it is cheapest in the
dual, where a layer enters only through the kernel between its clips (Gram matrix, clips x clips), which all tags of a
fold share. Non-linear conjugate gradients solve it, in the kernel's inner product, preconditioned with the exact inverse
for even weights; every step is two batched matrix products for all folds, layers and tags.

That inverse is also the solution of ridge regression on the labels, from which come scores
that are linear in the labels: hundreds of permuted labels cost one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: The intercept enters the kernel as a constant of so many penalties: in effect it is free.
FREE = 1e4
#: See ``even_inverse``.
SHARE = 0.1
#: Stop where no clip's logit would be moved by more than this part of the largest error: about as close as, or closer
#: than, scikit-learn's default tolerance comes.
TOLERANCE = 3e-2
#: Steps that suffice as a rule, and the most where they do not.
STEPS, MOST_STEPS = 40, 300
#: In these steps one look along the line is enough; before, and where it takes longer, it takes two.
NEAR = range(5, 20)


def standardised_kernels(rows: np.ndarray, train: np.ndarray, *, scale: bool = True) -> np.ndarray:
    """Inner products of one layer's ``standardised`` rows: float64 (n_folds, n, n)."""
    kernels = np.empty((len(train), len(rows), len(rows)))
    for kernel, standard in zip(kernels, standardised(rows, train, scale=scale), strict=True):
        kernel[:] = standard @ standard.T
    return kernels


def standardised(rows: np.ndarray, train: np.ndarray, *, scale: bool) -> Iterator[np.ndarray]:
    """One layer's rows as each fold's training side standardises them, float32 (n, d), fold after fold.

    rows: (n, d) finite; train: bool (n_folds, n), True on the training side
    scale: divide each dimension by its deviation there; otherwise all by their common root mean square
    A dimension that is constant on a training side is zero there.
    """
    rows = np.asarray(rows, dtype=np.float64)
    rows = rows - rows.mean(0)
    spread = rows.std(0)
    if scale:
        rows = np.divide(rows, spread, out=np.zeros_like(rows), where=spread > 0)
        spread = (spread > 0).astype(np.float64)
    share = train / train.sum(1, keepdims=True)
    mean = share @ rows  # (n_folds, d)
    variance = np.maximum(share @ rows**2 - mean**2, 0)
    varies = variance > 1e-12 * spread**2
    if not scale:
        variance = np.broadcast_to(variance.mean(1, keepdims=True), variance.shape)
    factor = np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=varies)
    single = rows.astype(np.float32)
    for centre, by in zip(mean.astype(np.float32), factor.astype(np.float32), strict=True):
        yield (single - centre) * by


@dataclass(frozen=True, eq=False)
class Sides:
    """The training sides of many folds, padded to one length, so that folds of any size are solved together.

    index: (n_folds, m) the training clips, then zeros; valid: bool (n_folds, m), False on the padding
    """

    index: np.ndarray
    valid: np.ndarray

    @classmethod
    def of(cls, train: np.ndarray) -> Sides:
        """train: bool (n_folds, n)."""
        longest = int(train.sum(1).max())
        order = np.argsort(~train, axis=1, kind="stable")[:, :longest]
        valid = np.take_along_axis(train, order, 1)
        return cls(np.where(valid, order, 0), valid)

    def across(self, kernels: np.ndarray) -> np.ndarray:
        """Kernels between all clips and the training clips: (b, n, n) -> (b, n, m)."""
        taken = np.take_along_axis(kernels, self.index[:, None, :], 2)
        taken *= self.valid[:, None, :]
        return taken

    def within(self, across: np.ndarray, penalty: float) -> np.ndarray:
        """The rows of ``across`` that are training clips, with the intercept: (b, n, m) -> (b, m, m)."""
        taken = np.take_along_axis(across, self.index[:, :, None], 1) + FREE * penalty
        taken *= self.valid[:, :, None] & self.valid[:, None, :]
        return taken


def intercepts(coefficients: np.ndarray, penalty: float) -> np.ndarray:
    """(b, m, n_tags) -> (b, n_tags); logits are ``across @ coefficients`` and this."""
    return FREE * penalty * coefficients.sum(1)


def even_inverse(within: np.ndarray, valid: np.ndarray, penalty: float) -> np.ndarray:
    """Inverse of ``K + ridge * I``: ridge regression, or logistic regression if all clips weighed the same.

    within: (b, m, m); valid: bool (b, m). The ridge is what fits clips of even weight: ``4 * penalty`` where nothing is
    decided, and where clips are told apart easily, and so weigh little, ``SHARE`` of their mean squared length.
    """
    diagonal = np.einsum("bii->bi", within) - FREE * penalty * valid
    ridge = np.maximum(4 * penalty, SHARE * diagonal.sum(1) / valid.sum(1))
    system = within.copy()
    np.einsum("bii->bi", system)[:] += ridge[:, None]
    return np.linalg.inv(system)


def logistic(
    within: np.ndarray, inverse: np.ndarray, valid: np.ndarray, targets: np.ndarray, penalty: float
) -> np.ndarray:
    """Dual coefficients of L2-penalised logistic regression.

    within: (b, m, m) kernels of the training sides, intercept included; inverse: their ``even_inverse``
    valid: bool (b, m); targets: 0/1 (b, m, n_tags)
    Returns (b, m, n_tags): ``across @ coefficients`` plus ``intercepts`` are the logits. Where a side has only one kind
    of label there is no finite solution, and the coefficients are zero.
    """
    there = valid[..., None].astype(np.float64)
    count = (targets * there).sum(1, keepdims=True)
    there = there * ((count > 0) & (count < there.sum(1, keepdims=True)))
    y = targets * there
    coefficients, done = _descend(within, inverse, y, there, penalty, STEPS)
    if not done.all():  # directions that no clip depends on have grown: damp them and begin again
        left = ~done
        kernel = within[left]
        least = 1e-4 * np.einsum("bii->bi", kernel).mean(1)[:, None, None]
        damped = inverse[left] - least * inverse[left] @ np.linalg.inv(
            kernel + least * np.eye(kernel.shape[1])
        )
        coefficients[left], _ = _descend(kernel, damped, y[left], there[left], penalty, MOST_STEPS)
    return coefficients


def _descend(
    kernel: np.ndarray, inverse: np.ndarray, y: np.ndarray, there: np.ndarray, penalty: float, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Up to ``most`` steps of conjugate gradients. Returns the coefficients and which folds are done, (b,)."""
    coefficients, logits = np.zeros_like(y), np.zeros_like(y)
    direction, image, last = np.zeros_like(y), np.zeros_like(y), np.zeros_like(y)
    energy = np.ones_like(y[:, :1])
    done = np.zeros(len(y), dtype=bool)
    for step in range(most):
        chance = sigmoid(logits) * there
        wrong = chance - y
        gradient = penalty * coefficients
        gradient += wrong
        better = inverse @ gradient
        lifted = kernel @ better  # the gradient without directions that no clip's logit depends on
        if step % 2 == 0 or step == most - 1:
            done = (np.abs(lifted).max(1) <= TOLERANCE * np.abs(wrong).max(1)).all(1)
            if done.all():
                break
        slope = _dot(lifted, gradient)
        turn = np.maximum(
            _divide(_dot(lifted, gradient - last), energy), 0
        )  # Polak-Ribiere, restarting below 0
        turn = np.where(turn * _dot(image, gradient) < slope, turn, 0)  # only ever downhill
        direction *= turn
        direction -= better
        image *= turn
        image -= lifted
        energy, last = slope, gradient
        mixed, bent = penalty * _dot(direction, logits), penalty * _dot(direction, image)
        length = step_length(logits, chance, image, y, there, mixed, bent, twice=step not in NEAR)
        coefficients += length * direction
        logits += length * image
    return coefficients, done


def step_length(
    logits: np.ndarray,
    chance: np.ndarray,
    image: np.ndarray,
    y: np.ndarray,
    there: np.ndarray,
    mixed: np.ndarray,
    bent: np.ndarray,
    *,
    twice: bool,
) -> np.ndarray:
    """About the best length of each problem's step, (b, 1, n_tags): one or two Newton steps on the slope along it.

    image: (b, m, n_tags), what a step of length 1 does to the logits; mixed, bent: (b, 1, n_tags), the penalty's slope and
    curvature along it
    """
    square = image * image
    first = -_divide(_dot(chance - y, image) + mixed, _dot(chance * (there - chance), square) + bent)
    if not twice:
        return first
    chance = sigmoid(logits + first * image) * there
    slope = _dot(chance - y, image) + mixed + first * bent
    second = first - _divide(slope, _dot(chance * (there - chance), square) + bent)
    return np.where(second > 0, second, first / 4)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * logits))


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("bmt,bmt->bt", a, b)[:, None]


def _divide(above: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.divide(above, under, out=np.zeros_like(above), where=under > 0)
