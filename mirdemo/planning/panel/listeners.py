"""Who listened, as a plan carries it along: names of their choice, how far the machine and they agree, seconds measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mirdemo.planning.assumptions import LIMITS
from mirdemo.planning.panel.answers import LONGEST_NAME, clean
from mirdemo.scoring.intervals import Interval

if TYPE_CHECKING:
    from mirdemo.planning.panel.results import Results

FORMAT = "mirdemo-listeners-1"
#: Answers of a kind from which on their median takes the place of what was assumed.
FEWEST_ANSWERS = 10
#: Assumptions of a plan that a panel measures.
SECONDS = ("accept_seconds", "mend_seconds")
_MOST = 1000


@dataclass(frozen=True)
class MachineHeard:
    """Of one tagger, by its key in the plan: right of n when it says so, the share, its alpha with the listeners."""

    key: str
    right: int
    n: int
    share: Interval
    agreement: Interval | None
    to_ceiling: Interval | None


@dataclass(frozen=True)
class Listeners:
    """A panel in short.

    names: of the listeners; clips, recordings, answers: how many; agreement: alpha among listeners
    right_seconds, wrong_seconds: medians, with their interval; n_right, n_wrong: answers behind them
    """

    names: tuple[str, ...]
    clips: int
    recordings: int
    answers: int
    machines: tuple[MachineHeard, ...]
    agreement: Interval | None
    right_seconds: Interval
    wrong_seconds: Interval
    n_right: int
    n_wrong: int

    @classmethod
    def of(cls, results: Results) -> Listeners:
        heard = {number for one in results.listeners for number, clip in one.clips.items() if clip.given}
        return cls(
            tuple(one.listener for one in results.listeners),
            len(heard),
            len({results.panel.clips[number].recording for number in heard}),
            results.n_answers,
            tuple(
                MachineHeard(m.key, m.said.right, m.said.n, m.said.share, m.agreement, m.to_ceiling)
                for m in results.machines
            ),
            results.agreement,
            results.right_seconds,
            results.wrong_seconds,
            results.n_right,
            results.n_wrong,
        )

    def measured(self) -> dict[str, float]:
        """Assumption -> seconds that were measured, where enough answers say so."""
        found = zip(
            SECONDS, (self.right_seconds, self.wrong_seconds), (self.n_right, self.n_wrong), strict=True
        )
        return {
            name: min(max(round(seconds.value, 1), LIMITS[name][0]), LIMITS[name][1])
            for name, seconds, n in found
            if seconds.value is not None and n >= FEWEST_ANSWERS
        }

    def as_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Listeners:
        """Raises ValueError, KeyError, TypeError or AttributeError for what ``as_dict`` does not write."""
        if plain["format"] != FORMAT or len(plain["names"]) > _MOST or len(plain["machines"]) > 2:
            raise ValueError
        return cls(
            tuple(clean(str(name), LONGEST_NAME) for name in plain["names"]),
            _count(plain["clips"]),
            _count(plain["recordings"]),
            _count(plain["answers"]),
            tuple(
                MachineHeard(
                    str(one["key"])[:300],
                    _count(one["right"]),
                    _count(one["n"]),
                    _interval(one["share"]),
                    _maybe(one["agreement"]),
                    _maybe(one["to_ceiling"]),
                )
                for one in plain["machines"]
            ),
            _maybe(plain["agreement"]),
            _interval(plain["right_seconds"]),
            _interval(plain["wrong_seconds"]),
            _count(plain["n_right"]),
            _count(plain["n_wrong"]),
        )


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10**7:
        raise ValueError
    return value


def _maybe(plain: Mapping[str, Any] | None) -> Interval | None:
    return None if plain is None else _interval(plain)


def _interval(plain: Mapping[str, Any]) -> Interval:
    value, low, high = (plain[name] for name in ("value", "low", "high"))
    for one in (value, low, high):
        if one is not None and (type(one) not in (int, float) or not -1e7 < one < 1e7):
            raise ValueError
    return Interval(
        value, low, high, _count(plain["n"]), float(plain["level"]), str(plain["method"]), str(plain["unit"])
    )
