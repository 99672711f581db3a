"""What more labelled recordings are worth: a better model, and a better choice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.futures import Futures, exponent_of, minutes
from mirdemo.planning.ways import Growth

#: After so large a share of the labels advised, it is time to ask again: a curve is a guess about what comes.
ASK_AGAIN = 0.2
#: Minutes, for the whole archive, under which labelling is not worth the trouble of a detour.
LEAST_WORTH = 10.0
#: At most so many times the recordings there are, where no learning curve says how far one can see.
WITHOUT_CURVE = 1.0
#: Standard error of the rise by the general law (``futures.EXPONENT``), over the rise.
SPREAD = 0.7
#: A curve that was measured and is flat is believed.
FLAT = "fewshot.no_forecast_flat"


def worth_of_knowing(gain: float, error: float, recordings: float, more: np.ndarray | float) -> np.ndarray:
    """What ``more`` recordings are worth for choosing between two ways, in units of ``gain``, for each use.

    gain: expected difference of the two; error: its standard error from ``recordings``

    With a flat prior the mean to come is normal around ``gain`` with deviation s = error sqrt(more / (recordings +
    more)), and choosing by it instead of now wins s [phi(u) - u (1 - Phi(u))], u = |gain| / s: the value of sample
    information for two actions (Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961).
    """
    more = np.asarray(more, np.float64)
    s = error * np.sqrt(more / (recordings + more))
    u = np.divide(abs(gain), s, out=np.full(s.shape, np.inf), where=s > 0)
    with np.errstate(invalid="ignore", over="ignore"):
        density = np.exp(-0.5 * u * u) / math.sqrt(2 * math.pi)
        beyond = 0.5 * np.vectorize(math.erfc, otypes=[float])(u / math.sqrt(2))
        return np.where(np.isfinite(u), s * (density - u * beyond), 0.0)


@dataclass(frozen=True, eq=False)
class Labels:
    """More labels of the music at hand.

    more: int64 (m,), 1 up to the reach; model, knowing: minutes that so many are worth for the whole archive, by a
    better model and by a better choice; cost: minutes to label them
    best: the number of most worth over cost, 0 where none is worth it (``LEAST_WORTH`` minutes over its cost); reach: the most that anything is said about
    model_counts: whether ``model`` says anything; by_law: by the general law, not by a curve of one's own
    """

    more: np.ndarray
    model: np.ndarray
    knowing: np.ndarray
    cost: np.ndarray
    best: int
    reach: int
    model_counts: bool
    by_law: bool

    @property
    def worth(self) -> np.ndarray:
        return self.model + self.knowing

    @property
    def net(self) -> np.ndarray:
        return self.worth - self.cost


def labels_worth(
    futures: Futures, growth: Growth | None, nets: np.ndarray, way: int, assumptions: Assumptions
) -> Labels:
    """From futures and a learning curve to the number of labels worth having.

    nets: (1 + n_draws, n_actions) net minutes saved on 100 recordings, by hand (0) among them; way: which one is
    labelled for
    """
    n, archive = futures.n_recordings, assumptions.recordings
    reach = _reach(n, growth, archive)
    more = np.arange(1, reach + 1)
    goes_on = growth is not None and growth.goes_on
    share = mended_by(futures, growth, way, more)
    gained = _rate(futures, way, share, assumptions) - _rate(futures, way, np.zeros(1), assumptions)
    model = archive * np.maximum(gained, 0)
    order = np.argsort(-nets[0], kind="stable")
    difference = nets[:, order[0]] - nets[:, order[1]] if nets.shape[1] > 1 else np.zeros(len(nets))
    known = worth_of_knowing(float(difference[0]), float(difference[1:].std()), n, more)
    knowing = archive / 100 * known
    cost = more * assumptions.hand_minutes
    net = model + knowing - cost
    best = int(more[np.argmax(net)]) if len(net) and net.max() >= LEAST_WORTH else 0
    return Labels(more, model, knowing, cost, best, reach, goes_on or bool(share.any()), not goes_on)


def _reach(n: int, growth: Growth | None, archive: float) -> int:
    """More recordings that anything is said about: never beyond the curve, nor more than there are."""
    far = growth.reach - n if growth is not None and growth.goes_on else WITHOUT_CURVE * n
    return int(max(0, min(far, archive)))


def mended(growth: Growth, n: int, more: np.ndarray | int) -> np.ndarray:
    """Share of today's mistakes that so many more recordings mend, by the curve: 0 to 1."""
    now = float(growth.at(n))
    rise = np.maximum(growth.at(n + np.asarray(more, np.float64)) - now, 0)
    return np.clip(rise / max(1 - now, 1e-9), 0, 1)


def mended_by(futures: Futures, growth: Growth | None, way: int, more: np.ndarray | int) -> np.ndarray:
    """Share of a way's mistakes that so many more recordings mend: by the curve, or by the general law."""
    n = futures.n_recordings
    if growth is not None and growth.goes_on:
        return mended(growth, n, more)
    if growth is not None and growth.refusal is not None and growth.refusal.code == FLAT:
        return np.zeros(np.shape(more))
    return 1 - (n / (n + np.asarray(more, np.float64))) ** exponent_of(futures.ways[way])


def _rate(futures: Futures, way: int, share: np.ndarray, assumptions: Assumptions) -> np.ndarray:
    """Expected minutes saved a recording after a share of the mistakes is mended."""
    right = futures.right[0, way] + futures.missed[0, way] * share
    wrong = futures.wrong[0, way] * (1 - share)
    return minutes(right, wrong, futures.tags_each, assumptions)


def with_labels(
    futures: Futures, growth: Growth | None, way: int, more: int, assumptions: Assumptions, seed: int = 1
) -> np.ndarray:
    """Draws of net minutes saved on 100 recordings after ``more`` labels, their cost included: (1 + n_draws,).

    The rise itself is uncertain: it is drawn around its expectation with the curve's own spread, never below zero.
    """
    share = np.full(len(futures.right), float(mended_by(futures, growth, way, more)))
    spread = growth.spread if growth is not None and growth.goes_on else SPREAD
    noise = np.random.default_rng(seed).standard_normal(len(share) - 1)
    share[1:] = np.clip(share[1:] * (1 + spread * noise), 0, 1)
    right, wrong = futures.better(way, share)
    saved = 100 * minutes(right, wrong, futures.tags_each, assumptions)
    return saved - 100 * more * assumptions.hand_minutes / assumptions.recordings


def labels_for_target(reached: np.ndarray, cost: float, missed: float) -> int:
    """How many more labels to gather at once for a target: the number that minimises cost k + missed (1 - F(k)).

    reached: (m + 1,) F(k), share of resampled curves at or above the target with k = 0 ... m more; cost: of one more
    label; missed: what is lost where the target is missed, in the same unit
    (Mahmood et al., Optimizing data collection for machine learning, NeurIPS 2022.)
    """
    reached = np.asarray(reached, np.float64)
    return int(np.argmin(cost * np.arange(len(reached)) + missed * (1 - reached)))


def reached(growth: Growth, n: int, most: int, target: float, draws: int = 500, seed: int = 2) -> np.ndarray:
    """F(k) for k = 0 ... most: share of curves that fit the measured points and reach the target there."""
    now = float(growth.at(n))
    rise = np.maximum(growth.at(n + np.arange(most + 1.0)) - now, 0)
    z = np.random.default_rng(seed).standard_normal((2, draws, 1))
    around = _error_now(growth)
    curves = now + around * z[0] + rise * np.maximum(1 + growth.spread * z[1], 0)
    return (curves >= target).mean(0)


def _error_now(growth: Growth) -> float:
    """Standard error of the last measured point, from its 90 % interval."""
    low, high = growth.low[-1], growth.high[-1]
    return 0.0 if low is None or high is None else (high - low) / (2 * 1.645)
