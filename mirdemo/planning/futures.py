"""Futures that fit what was measured: draws of what each way would get right in the archive, paired by recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.ways import FINE_TUNE, Evidence, Way

DRAWS = 2000
#: Recordings' worth of belief that a way's suggestions fall as by chance. It draws figures of few recordings, and above
#: all the luckiest of several ways, towards nothing.
SCEPTICISM = 1.0
#: Another collection as large would train another model and is heard by it: the variance over recordings, times this.
#: Both are set by ``benchmarks/advice_regret.py``, on visitors other than those it reports.
RETRAINED = 1.7


@dataclass(frozen=True, eq=False)
class Futures:
    """Draws of each way's counts a recording.

    right, wrong, missed: float64 (n_draws, n_ways), tags a recording rightly given, wrongly given, missed; the first
    row is the expectation and no draw
    tags_each: tags a recording has; n_recordings: behind the draws
    """

    ways: tuple[Way, ...]
    right: np.ndarray
    wrong: np.ndarray
    missed: np.ndarray
    tags_each: float
    n_recordings: int

    @classmethod
    def of(cls, evidence: Evidence, draws: int = DRAWS, seed: int = 0) -> Futures:
        """Multivariate t around the measured means: each draw weighs the recordings anew, one weight for all ways, so
        that differences between ways keep their correlation. Right, wrong and missed of a way move together too.
        Recordings of one session get one weight, for they succeed and fail together."""
        ways, n, m = evidence.ways, evidence.n_recordings, evidence.n_units
        counts = np.stack(
            [np.stack([way.right.sum(1), way.wrong.sum(1), way.missed.sum(1)], 1) for way in ways], 1
        )  # (n, n_ways, 3)
        chance = np.stack([_by_chance(way) for way in ways])
        centre = (m * counts.mean(0) + SCEPTICISM * chance) / (m + SCEPTICISM)
        out = np.repeat(centre[None], draws + 1, axis=0)
        if m > 1:
            rng = np.random.default_rng(seed)
            weights = rng.standard_normal((draws, m))
            weights -= weights.mean(1, keepdims=True)
            scale = np.sqrt(RETRAINED * m / (n * n * (m - 1)) * (m - 1) / rng.chisquare(m - 1, draws))
            moved = np.tensordot(
                weights * scale[:, None], _together(counts - counts.mean(0), evidence.sessions), 1
            )
            # A way that made no mistake yet may make some: as much doubt as one recording gone by chance.
            doubt = np.abs(counts.mean(0) - chance) * np.sqrt(SCEPTICISM) / (m + SCEPTICISM)
            moved += rng.standard_normal((draws, len(ways), 1)) * doubt * np.sign(chance - counts.mean(0))
            out[1:] += moved
        right, wrong, missed = np.moveaxis(out, 2, 0)
        return cls(
            ways, np.maximum(right, 0), np.maximum(wrong, 0), np.maximum(missed, 0), evidence.tags_each, n
        )

    def saved(self, assumptions: Assumptions) -> np.ndarray:
        """Minutes saved on 100 recordings against tagging by hand, before what is paid once: (1 + n_draws, n_ways)."""
        return 100 * minutes(self.right, self.wrong, self.tags_each, assumptions)

    def better(self, way: int, share: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Right and wrong of a way after its mistakes have shrunk by a share (n_draws + 1,) or one number."""
        right = self.right[:, way] + self.missed[:, way] * share
        return right, self.wrong[:, way] * (1 - share)


def _together(each: np.ndarray, sessions: tuple[int, ...]) -> np.ndarray:
    """Sums over the recordings of a session, (n_recordings, ...) -> (n_sessions, ...); the same where none is known."""
    if not sessions:
        return each
    codes = np.unique(sessions, return_inverse=True)[1]
    out = np.zeros((codes.max() + 1, *each.shape[1:]))
    np.add.at(out, codes, each)
    return out


def minutes(right: np.ndarray, wrong: np.ndarray, tags_each: float, assumptions: Assumptions) -> np.ndarray:
    """Minutes saved on one recording: the net benefit of decision curves (Vickers and Elkin 2006), in minutes.

    A tag by hand takes its share of ``hand_minutes``; a right suggestion takes ``accept_seconds`` instead, a wrong one
    costs ``mend_seconds`` on top, and a missed tag is found by hand as before. So a machine that says nothing saves
    nothing, however often nothing is right.
    """
    by_hand = 60 * assumptions.hand_minutes / max(tags_each, 1e-9)
    return (right * (by_hand - assumptions.accept_seconds) - wrong * assumptions.mend_seconds) / 60


def once(way: Way, assumptions: Assumptions) -> tuple[float, float]:
    """What a way costs once: (minutes of a person, money for the machine)."""
    money = way.machine_seconds / 3600 * assumptions.gpu_price
    return (assumptions.setup_minutes if way.kind == FINE_TUNE else 0.0), money


def _by_chance(way: Way) -> np.ndarray:
    """(3,) right, wrong, missed if the same number of suggestions fell on recordings by chance."""
    said, there = way.said.mean(0), (way.right + way.missed).mean(0)
    return np.array([(said * there).sum(), (said * (1 - there)).sum(), ((1 - said) * there).sum()])
