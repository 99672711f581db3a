"""What more examples would bring: the learning curve, its extrapolation, and what to label next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.folds import hold_out
from mirdemo.scoring.intervals import LEVEL, Interval
from mirdemo.scoring.variances import added
from mirdemo.stages.fewshot.errors import (
    FewShotError,
    check_embeddings,
    check_labelling,
    check_recordings,
)
from mirdemo.stages.fewshot.extrapolation import Extrapolation, extrapolate, fit_power_law
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.prototypes import LCPrototypes

SHOTS = (1, 2, 3, 5, 8, 13, 20, 30, 50)
METHOD = "t over repeated held-out recordings, corrected for overlap (Nadeau and Bengio 2003)"


@dataclass(frozen=True)
class CurvePoint:
    """With ``shots`` recordings a tag.

    macro_f1: mean over repeats; its interval allows for repeats sharing recordings
    clips, recordings: mean size of the support set
    tags_reaching: share of tags that have so many recordings to learn from (the others give all they have)
    """

    shots: int
    macro_f1: Interval
    clips: float
    recordings: float
    tags_reaching: float


@dataclass(frozen=True)
class TagGain:
    """One tag: how many recordings it has, its F1 with all it could learn from, and what as many again may add.

    gain: expected rise in F1, an extrapolation; None where the tag has too few points for one
    """

    tag: str
    recordings: int
    f1: Interval
    gain: Interval | None


@dataclass(frozen=True, eq=False)
class CurveSoFar:
    """What a learning curve under way has measured, of ``done`` of ``repeats`` repeats; the first counts once it has a point.

    points: as in the whole curve, at least one; of fewer than three repeats without an interval
    most: the most recordings a tag that a point is sought of
    """

    points: tuple[CurvePoint, ...]
    most: int
    done: int
    repeats: int


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """How good a tagger is with few and with more recordings a tag.

    points: measured, ascending shots
    gain: macro-F1 of the last point minus that of the first, -1 to 1, paired by repeat; None with fewer than two points
    extrapolation: what the points suggest beyond them, or the sentence that says why nothing is suggested
    gains: tags, the one that would gain most from more examples first
    left_out: tags in fewer than two recordings, which can be learned from or tested on, but not both
    """

    method: str
    points: tuple[CurvePoint, ...]
    gain: Interval | None
    extrapolation: Extrapolation | Sentence
    gains: tuple[TagGain, ...]
    left_out: tuple[str, ...]
    repeats: int
    held_out: float
    n_clips: int
    n_recordings: int
    seed: int
    seconds: float


def learning_curve(
    embeddings: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None = None,
    *,
    tags: Sequence[str] | None = None,
    make: Callable[[], FewShotMethod] = LCPrototypes,
    shots: Sequence[int] = SHOTS,
    repeats: int = 20,
    held_out: float = 1 / 3,
    seed: int = 0,
    progress: Progress = silent,
    interim: Callable[[CurveSoFar], None] | None = None,
) -> LearningCurve:
    """Learn from 1, 2, 3, 5, ... recordings a tag and test on held-out recordings, many times.

    Each repeat holds out a share ``held_out`` of the recordings, puts the others in a random order and gives
    each tag its first k of them, all clips of a recording together; "none of these" counts as a tag here. So
    the supports of one repeat contain one another. A point is measured while at least half of the tags have k
    recordings to learn from.

    interim: told each point of the first repeat as it is measured, then all points after every further repeat

    Raises FewShotError for fewer than three recordings, and if no tag has two, one to learn from and one to test on.
    """
    started = time.perf_counter()
    rows = check_embeddings(embeddings)
    table, codes, names = check_labelling(labels, len(rows), recordings, tags)
    carried = _by_recording(table, codes)
    usable = carried.sum(axis=0) >= 2
    left_out = tuple(tag for tag, use in zip(names, usable, strict=True) if not use)
    if len(carried) < 3:
        raise FewShotError(
            "A learning curve needs clips from at least three recordings, and there are {n}. Add recordings.",
            code="fewshot.curve_recordings",
            n=len(carried),
        )
    if not usable.any():
        raise FewShotError(
            "No tag has two recordings, one to learn from and one to test on. Add a second recording of a tag.",
            code="fewshot.curve_too_few",
        )
    names = tuple(tag for tag, use in zip(names, usable, strict=True) if use)
    table, carried = table[:, usable], carried[:, usable]
    shots = tuple(sorted({int(k) for k in shots if 1 <= k < carried.sum(axis=0).max()}))

    def tell(so_far: _Repeated, n: int) -> None:
        if interim is not None:
            so_far = so_far.first(n)
            done, ratio = so_far.measured(), so_far.ratio(len(carried))
            if done:
                interim(CurveSoFar(so_far.points(shots, done, ratio, len(carried)), shots[-1], n, repeats))

    found = _repeated(rows, table, codes, names, make, shots, repeats, held_out, seed, progress, tell)
    macro, done, ratio = found.macro, found.measured(), found.ratio(len(carried))
    points = found.points(shots, done, ratio, len(carried))
    gain = resampled(macro[:, done[-1]] - macro[:, done[0]], ratio, least=-1.0) if len(done) > 1 else None
    complete = [at for at in done if _mean(found.reach[:, at]) == 1.0]
    known = np.array([shots[at] for at in complete])
    beyond = extrapolate(known, macro[:, complete], float(np.sqrt(1 + repeats * ratio)))
    exponent = beyond.exponent if isinstance(beyond, Extrapolation) else None
    gains = _gains(names, carried.sum(axis=0), found.f1, np.array(shots), found.most, ratio, exponent)
    return LearningCurve(
        method=make().name,
        points=points,
        gain=gain,
        extrapolation=beyond,
        gains=gains,
        left_out=left_out,
        repeats=repeats,
        held_out=held_out,
        n_clips=len(rows),
        n_recordings=len(carried),
        seed=seed,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, eq=False)
class _Repeated:
    """What each repeat measured, NaN where it has no point.

    f1: (repeats, shots, tags); reach, clips, used: (repeats, shots), the share of tags that have so many recordings, the
        clips and the recordings of the support set
    most: (repeats, tags), recordings there were to learn from; tested: (repeats,), recordings held out
    """

    f1: np.ndarray
    reach: np.ndarray
    clips: np.ndarray
    used: np.ndarray
    most: np.ndarray
    tested: np.ndarray

    def first(self, n: int) -> _Repeated:
        """The first ``n`` repeats."""
        return _Repeated(
            self.f1[:n], self.reach[:n], self.clips[:n], self.used[:n], self.most[:n], self.tested[:n]
        )

    @property
    def macro(self) -> np.ndarray:
        """(repeats, shots), the mean F1 over tags."""
        return _mean(self.f1, axis=2)

    def measured(self) -> list[int]:
        """Which shots more than half of the repeats have a point of."""
        return np.flatnonzero(np.isfinite(self.macro).sum(axis=0) > len(self.f1) / 2).tolist()

    def ratio(self, n_recordings: int) -> float:
        """Recordings tested on over all others."""
        tested = float(self.tested.mean())
        return tested / (n_recordings - tested)

    def points(
        self, shots: Sequence[int], done: Sequence[int], ratio: float, recordings: int
    ) -> tuple[CurvePoint, ...]:
        return tuple(
            CurvePoint(
                shots[at],
                resampled(self.macro[:, at], ratio, recordings),
                float(_mean(self.clips[:, at])),
                float(_mean(self.used[:, at])),
                float(_mean(self.reach[:, at])),
            )
            for at in done
        )


def _repeated(
    rows: np.ndarray,
    table: np.ndarray,
    codes: np.ndarray,
    names: tuple[str, ...],
    make: Callable[[], FewShotMethod],
    shots: tuple[int, ...],
    repeats: int,
    held_out: float,
    seed: int,
    progress: Progress,
    tell: Callable[[_Repeated, int], None],
) -> _Repeated:
    """tell: told what is measured so far, and in how many repeats"""
    carried = _by_recording(table, codes)
    with_negatives = np.hstack([carried, _by_recording(~np.any(table, axis=1, keepdims=True), codes)])
    f1 = np.full((repeats, len(shots), len(names)), np.nan)
    reach, clips, used = (np.full((repeats, len(shots)), np.nan) for _ in range(3))
    most = np.zeros((repeats, len(names)), np.int64)
    tested = np.zeros(repeats)
    found = _Repeated(f1, reach, clips, used, most, tested)
    for repeat in range(repeats):
        train, test = hold_out([str(code) for code in codes], table, held_out, seed + repeat)
        order = np.random.default_rng([seed, repeat]).permutation(np.unique(codes[train]))
        tested[repeat] = len(np.unique(codes[test]))
        most[repeat] = carried[order].sum(axis=0)
        for at, k in enumerate(shots):
            progress(repeat * len(shots) + at, repeats * len(shots), "learning curve")
            share = float((most[repeat] >= k).mean())
            chosen = order[_first_of_each(with_negatives[order], k)]
            support = np.flatnonzero(np.isin(codes, chosen))
            if share < 0.5 or not table[support].any():
                continue
            method = make().fit(rows[support], table[support], codes[support], names)
            f1[repeat, at] = _f1(table[test], method.predict(rows[test]))
            reach[repeat, at], clips[repeat, at], used[repeat, at] = share, len(support), len(chosen)
            if repeat == 0:
                tell(found, 1)
        if repeat > 0:
            tell(found, repeat + 1)
    progress(repeats * len(shots), repeats * len(shots), "learning curve")
    return found


#: Half the square of the normal quantile of a 90 % interval.
_MORE = 1.353


def resampled(
    values: np.ndarray, ratio: float, recordings: int | None = None, *, least: float = 0.0
) -> Interval:
    """Mean of a figure over repeated random splits, with the corrected resampled t interval.

    values: (repeats,), ``least`` (0, or -1 for a difference) to 1, NaN where a repeat gave none.
    ratio: recordings tested on over all others.
    recordings: that the figure, a share, is of; its variance is at least that of a share of so many, with ``_MORE`` on either
    side (Agresti and Coull, The American Statistician 52, 1998): repeats that all agree are no proof. None: of a difference.
    Repeats share recordings, so the variance of their mean is (1/J + ratio) times theirs, not 1/J times
    (Nadeau and Bengio, Machine Learning 52, 2003).
    """
    values = values[np.isfinite(values)]
    n = len(values)
    if not n:
        return Interval(None, None, None, 0, LEVEL, METHOD, "repeats")
    variance = float(values.var(ddof=1)) * (1 / n + ratio) if n >= 3 else 0.0
    if recordings is not None:
        size = recordings + 2 * _MORE
        near = (float(values.mean()) * recordings + _MORE) / size
        variance = max(variance, near * (1 - near) / size)
    parts = [(variance, n - 1.0)] if n >= 3 else []
    return added(float(values.mean()), parts, n, method=METHOD, unit="repeats", least=least)


@dataclass(frozen=True)
class Suggestion:
    """An unlabelled clip worth labelling: its row, what the tagger hesitates between, and by how little."""

    row: int
    margin: float
    tags: tuple[str, ...]
    runner_up: tuple[str, ...] | None
    unknown: bool


def label_next(
    method: LCPrototypes,
    unlabelled: np.ndarray,
    recordings: Sequence | np.ndarray | None = None,
    *,
    count: int = 10,
) -> list[Suggestion]:
    """Which unlabelled clips to label next: (q, dim) -> at most ``count``, the most doubtful first.

    Margin sampling (Scheffer, Decomain and Wrobel 2001): the smallest margin between the two nearest label
    sets. At most one clip of a recording, because its others would teach the same.
    """
    rows = check_embeddings(unlabelled)
    codes = check_recordings(recordings, len(rows))
    decision = method.decide(rows)
    order = np.argsort(decision.margin, kind="stable")
    _, first = np.unique(codes[order], return_index=True)
    chosen = order[np.sort(first)][:count]
    return [
        Suggestion(
            row=int(i),
            margin=float(decision.margin[i]),
            tags=method.tags_of(int(decision.label_set[i])),
            runner_up=None if decision.runner_up[i] < 0 else method.tags_of(int(decision.runner_up[i])),
            unknown=bool(decision.unknown[i]),
        )
        for i in chosen
    ]


def _gains(
    names: tuple[str, ...],
    counts: np.ndarray,
    f1: np.ndarray,
    shots: np.ndarray,
    most: np.ndarray,
    ratio: float,
    exponent: float | None,
) -> tuple[TagGain, ...]:
    """What as many recordings again may add to each tag, by the macro curve's exponent and the tag's own height."""
    out = []
    for j, tag in enumerate(names):
        reached = shots <= most[:, j].min()
        last = np.flatnonzero(np.isfinite(f1[:, :, j]).any(axis=0))
        now = (
            resampled(f1[:, last[-1], j], ratio, int(counts[j])) if len(last) else resampled(np.zeros(0), 1.0)
        )
        gain = None
        if exponent is not None and reached.sum() >= 3:
            gain = _gain(f1[:, reached, j], shots[reached], int(counts[j]), exponent, ratio)
        out.append(TagGain(tag, int(counts[j]), now, gain))
    return tuple(
        sorted(out, key=lambda g: (g.gain is None, -((g.gain and g.gain.value) or 0.0), g.recordings))
    )


def _gain(f1: np.ndarray, shots: np.ndarray, have: int, exponent: float, ratio: float) -> Interval | None:
    """Rise in F1 from ``have`` to twice as many recordings: (repeats, points), (points,) -> Interval."""
    repeats = np.flatnonzero(np.isfinite(f1).all(axis=1))
    if len(repeats) < 3:
        return None
    draws = np.random.default_rng(0).integers(0, len(repeats), (500, len(repeats)))
    means = np.vstack([f1[repeats].mean(axis=0), f1[repeats][draws].mean(axis=1)])
    _, slope, _ = fit_power_law(shots, means, np.array([exponent]))
    rise = slope * (have**-exponent - (2.0 * have) ** -exponent)
    widening = np.sqrt(1 + len(repeats) * ratio)
    drawn = rise[0] + widening * (rise[1:] - rise[0])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    value = float(rise[0])
    method = "power law, bootstrap over repeats"
    return Interval(
        value, max(0.0, min(low, value)), min(1.0, max(high, value)), len(repeats), LEVEL, method, "repeats"
    )


def _by_recording(table: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """0/1 (n, t), codes (n,) -> uint8 (recordings, t): which recordings carry a tag anywhere."""
    out = np.zeros((codes.max() + 1, table.shape[1]), np.uint8)
    np.maximum.at(out, codes, table.astype(np.uint8))
    return out


def _first_of_each(carried: np.ndarray, k: int) -> np.ndarray:
    """bool (recordings,): the first k of each column."""
    return ((carried == 1) & (np.cumsum(carried, axis=0, dtype=np.int64) <= k)).any(axis=1)


def _f1(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """F1 of each tag, (n, t) against (n, t) -> (t,); NaN for a tag that no clip carries."""
    from mirdemo.scoring.metrics import f1

    return f1(truth.T, said.T)


def _mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    from mirdemo.scoring.metrics import macro

    return macro(values, axis)
