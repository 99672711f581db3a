"""Futures that fit what was measured: draws of what each way would get right in the archive, paired by recording."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.ways import FEW_SHOT, FINE_TUNE, Evidence, Way

DRAWS = 2000
#: Recordings' worth of belief that a way's suggestions fall as by chance. It draws figures of few recordings, and above
#: all the luckiest of several ways, towards nothing.
SCEPTICISM = 1.0
#: Another collection as large would train another model and is heard by it: the variance over recordings, times this.
#: Both are set by ``benchmarks/advice_regret.py``, on visitors other than those it reports.
RETRAINED = 1.7
#: Mistakes fall with recordings as n ** -exponent, where no curve of one's own says more. As measured on 80 simulated
#: visitors with controlled recordings other than those that ``benchmarks/advice_regret.py`` reports (probe 0.21 +/- 0.02,
#: few-shot tagger 0.08 +/- 0.01 for 20 more recordings).
EXPONENT, EXPONENT_FEW_SHOT = 0.2, 0.1


@dataclass(frozen=True, eq=False)
class Futures:
    """Draws of each way's counts a recording.

    right, wrong, missed: float64 (n_draws, n_ways), tags a recording rightly given, wrongly given, missed; the first
    row is the expectation and no draw
    tags_each: tags a recording has; n_recordings: behind the draws
    kept: bool (n_ways, n_tags), the tags each way is used for; the others are left to hands
    """

    ways: tuple[Way, ...]
    right: np.ndarray
    wrong: np.ndarray
    missed: np.ndarray
    tags_each: float
    n_recordings: int
    kept: np.ndarray
    luck: _Luck

    @classmethod
    def of(cls, evidence: Evidence, draws: int = DRAWS, seed: int = 0) -> Futures:
        """Multivariate t around the measured means: each draw weighs the recordings anew, one weight for all ways, so
        that differences between ways keep their correlation. Right, wrong and missed of a way move together too.
        Recordings of one session get one weight, for they succeed and fail together."""
        luck = _Luck.of(evidence, draws, seed)
        counts = luck.counts.sum(-1)
        kept = np.ones((len(evidence.ways), len(evidence.tags)), bool)
        return cls._drawn(
            evidence.ways, luck, counts, luck.chance.sum(-1), evidence.tags_each, evidence.n_recordings, kept
        )

    @classmethod
    def _drawn(
        cls,
        ways: tuple[Way, ...],
        luck: _Luck,
        counts: np.ndarray,
        chance: np.ndarray,
        tags_each: float,
        n: int,
        kept: np.ndarray,
    ) -> Futures:
        right, wrong, missed = np.maximum(luck.draws(counts, chance), 0).transpose(2, 0, 1)
        return cls(ways, right, wrong, missed, tags_each, n, kept, luck)

    def thin(self, draws: int) -> Futures:
        """The same with fewer draws."""
        right, wrong, missed = (part[: draws + 1] for part in (self.right, self.wrong, self.missed))
        luck = self.luck.thin(draws)
        return replace(self, right=right, wrong=wrong, missed=missed, luck=luck)

    def sparing(self, assumptions: Assumptions) -> Futures:
        """The same, but each way is used only for the tags that pay: one whose suggestions take more time than they
        save, by more than the standard error, is left to hands. One that would pay if its suggestions fell by chance is
        kept: where nothing is heard, a recording that was left out of learning is judged worse than by chance, for
        leaving it out tips the balance against it. (Without these two cautions, leaving tags out lost 2.5
        minutes on 100 recordings, 1.4 to 3.8, 89 simulated visitors.)

        Which tags pay is judged from all recordings. What that saves is judged, recording by recording, with the tags
        that the other sessions alone would have chosen (leave one out), for a choice looks too good on what it was made
        from. Where leaving tags out does not save more then, a way keeps all its tags.
        """
        gain, loss = _worth(self.tags_each, assumptions)
        luck, m = self.luck, self.luck.m
        net = luck.counts[:, :, 0] * gain - luck.counts[:, :, 1] * loss  # (n, n_ways, n_tags)
        chance = luck.chance[:, 0] * gain - luck.chance[:, 1] * loss
        if m < 2:
            return self

        def pays(total: np.ndarray, sessions: int) -> np.ndarray:
            expected = (total + SCEPTICISM * chance) / (sessions + SCEPTICISM)
            return (expected + error * np.sqrt(m / sessions) >= 0) | (chance >= 0)

        error = luck.error(net, chance)
        chosen = pays(net.mean(0) * m, m)
        worse = chosen.any(1) & ~chosen.all(1)
        if not worse.any():
            return self
        without = net.sum(0) - luck.own_session(net)
        others = len(net) - luck.own_session(np.ones(len(net)))
        by_others = pays(without * ((m - 1) / np.maximum(others, 1))[:, None, None], m - 1)
        spared = np.where(by_others.any(2, keepdims=True), by_others, True)
        gained = (net * spared).mean(0).sum(-1) - net.mean(0).sum(-1)
        worse &= gained > 0
        if not worse.any():
            return self
        spared |= ~worse[None, :, None]
        counts = np.einsum("nwct,nwt->nwc", luck.counts, spared)
        by_chance = np.einsum("wct,wt->wc", luck.chance, spared.mean(0))
        kept = chosen | ~worse[:, None]
        return self._drawn(self.ways, luck, counts, by_chance, self.tags_each, self.n_recordings, kept)

    def tag_minutes(self, way: int, assumptions: Assumptions) -> np.ndarray:
        """Minutes saved on 100 recordings by each tag of a way, were it used for it: (1 + n_draws, n_tags)."""
        gain, loss = _worth(self.tags_each, assumptions)
        luck = self.luck
        net = luck.counts[:, way, 0] * gain - luck.counts[:, way, 1] * loss
        chance = luck.chance[way, 0] * gain - luck.chance[way, 1] * loss
        return 100 * luck.draws(net, chance, way)

    def saved(self, assumptions: Assumptions) -> np.ndarray:
        """Minutes saved on 100 recordings against tagging by hand, before what is paid once: (1 + n_draws, n_ways)."""
        return 100 * minutes(self.right, self.wrong, self.tags_each, assumptions)

    def better(self, way: int, share: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Right and wrong of a way after its mistakes have shrunk by a share (n_draws + 1,) or one number."""
        right = self.right[:, way] + self.missed[:, way] * share
        return right, self.wrong[:, way] * (1 - share)


@dataclass(frozen=True, eq=False)
class _Luck:
    """What draws are made of: the same for whatever is counted, so that all of it stays paired.

    counts: float64 (n_recordings, n_ways, 3, n_tags), right, wrong and missed; chance: (n_ways, 3, n_tags), the same a
    recording if as many suggestions fell by chance
    weights: (n_draws, m), of sessions; session: (n_recordings,) which one a recording is of; m: how many there are
    doubt: (n_draws, n_ways), standard normal
    """

    counts: np.ndarray
    chance: np.ndarray
    weights: np.ndarray
    session: np.ndarray
    m: int
    doubt: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence, draws: int, seed: int) -> _Luck:
        ways, n, m = evidence.ways, evidence.n_recordings, evidence.n_units
        counts = np.stack([_from_all(way) for way in ways], 1)
        chance = np.stack([_by_chance(*counts[:, i].mean(0)) for i in range(len(ways))])
        session = np.unique(evidence.sessions, return_inverse=True)[1] if evidence.sessions else np.arange(n)
        if m < 2:
            return cls(counts, chance, np.zeros((draws, m)), session, m, np.zeros((draws, len(ways))))
        rng = np.random.default_rng(seed)
        weights = rng.standard_normal((draws, m))
        weights -= weights.mean(1, keepdims=True)
        scale = np.sqrt(RETRAINED * m / (n * n * (m - 1)) * (m - 1) / rng.chisquare(m - 1, draws))
        return cls(
            counts, chance, weights * scale[:, None], session, m, rng.standard_normal((draws, len(ways)))
        )

    def thin(self, draws: int) -> _Luck:
        return _Luck(self.counts, self.chance, self.weights[:draws], self.session, self.m, self.doubt[:draws])

    def draws(self, each: np.ndarray, chance: np.ndarray, way: int | None = None) -> np.ndarray:
        """each: (n_recordings, ...), chance: (...) -> (1 + n_draws, ...), the expectation first. way: which one they
        are of; None where their first axis but one is of all ways."""
        mean = each.mean(0)
        out = np.repeat(
            ((self.m * mean + SCEPTICISM * chance) / (self.m + SCEPTICISM))[None],
            len(self.weights) + 1,
            axis=0,
        )
        out[1:] += np.tensordot(self.weights, self._together(each - mean), 1)
        # A way that made no mistake yet may make some: as much doubt as one recording gone by chance.
        doubt = (self.doubt if way is None else self.doubt[:, way])[..., None]
        out[1:] += doubt * ((chance - mean) * np.sqrt(SCEPTICISM) / (self.m + SCEPTICISM))
        return out

    def error(self, each: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Standard error of what is drawn: each (n_recordings, ...), chance (...) -> (...)."""
        mean, n, m = each.mean(0), len(each), self.m
        over = RETRAINED * m / (n * n * (m - 1)) * (self._together(each - mean) ** 2).sum(0)
        return np.sqrt(over + SCEPTICISM * ((chance - mean) / (m + SCEPTICISM)) ** 2)

    def own_session(self, each: np.ndarray) -> np.ndarray:
        """Of each recording, the sum over its session: (n_recordings, ...)."""
        return self._together(each)[self.session]

    def _together(self, each: np.ndarray) -> np.ndarray:
        """Sums over the recordings of a session: (n_recordings, ...) -> (m, ...)."""
        if self.m == len(each):
            return each[np.argsort(self.session)] if len(each) else each
        out = np.zeros((self.m, *each.shape[1:]))
        np.add.at(out, self.session, each)
        return out


def _worth(tags_each: float, assumptions: Assumptions) -> tuple[float, float]:
    """Minutes that a right suggestion saves, and that a wrong one costs."""
    by_hand = 60 * assumptions.hand_minutes / max(tags_each, 1e-9)
    return (by_hand - assumptions.accept_seconds) / 60, assumptions.mend_seconds / 60


def right_saves(tags_each: float, assumptions: Assumptions) -> float:
    """Minutes that one right suggestion saves where a recording has ``tags_each`` tags; negative where accepting it takes
    longer than giving it by hand."""
    return _worth(tags_each, assumptions)[0]


def minutes(right: np.ndarray, wrong: np.ndarray, tags_each: float, assumptions: Assumptions) -> np.ndarray:
    """Minutes saved on one recording: the net benefit of decision curves (Vickers and Elkin 2006), in minutes.

    A tag by hand takes its share of ``hand_minutes``; a right suggestion takes ``accept_seconds`` instead, a wrong one
    costs ``mend_seconds`` on top, and a missed tag is found by hand as before. So a machine that says nothing saves
    nothing, however often nothing is right.
    """
    gain, loss = _worth(tags_each, assumptions)
    return right * gain - wrong * loss


def once(way: Way, assumptions: Assumptions) -> tuple[float, float]:
    """What a way costs once: (minutes of a person, money for the machine)."""
    money = way.machine_seconds / 3600 * assumptions.gpu_price
    return (assumptions.setup_minutes if way.kind == FINE_TUNE else 0.0), money


def exponent_of(way: Way) -> float:
    return EXPONENT_FEW_SHOT if way.kind == FEW_SHOT else EXPONENT


def _from_all(way: Way) -> np.ndarray:
    """Right, wrong and missed of a model that learned from all recordings, by the law by which mistakes fall:
    (n_recordings, 3, n_tags)."""
    left = way.learned_from ** exponent_of(way)
    missed = way.missed * left
    return np.stack([way.right + way.missed - missed, way.wrong * left, missed], 1)


def _by_chance(right: np.ndarray, wrong: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """(3, n_tags) right, wrong, missed if the same number of suggestions fell on recordings by chance; each (n_tags,)."""
    said, there = right + wrong, right + missed
    return np.array([said * there, said * (1 - there), (1 - said) * there])
