"""Tags of other traditions beside the model's own other tags."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mirdemo.results.records import Result, elsewhere
from mirdemo.results.within import INSTRUMENTS, NEAREST, NEAREST_OF_KIND, STYLES, beside

KIND = frozenset(f"k{i}" for i in range(8))


def records(special: float, spread: float = 0.0) -> tuple[list[Result], dict[str, int]]:
    """Forty plain tags whose average precision rises with their number, and one special."""
    random = np.random.default_rng(0)
    support = {**{f"p{i}": 10 * (i + 1) for i in range(32)}, **{f"k{i}": 15 * (i + 1) for i in range(8)}}
    values = {tag: 0.2 * np.log10(n) + random.normal(0, 0.01) for tag, n in support.items()}
    support["special"] = 100
    values["special"] = special
    made = [
        Result(
            model="m",
            corpus="magnatagatune",
            method="probe",
            protocol="mgphot",
            metric="map",
            tag=tag,
            value=float(np.clip(value, 0, 1)),
            setting={"sd": spread, "seeds": 5},
            source="published",
            citation="mgphot2025",
        )
        for tag, value in values.items()
    ]
    return made, support


def test_a_tag_as_good_as_others_of_its_rarity_is_not_told_apart_from_them():
    made, support = records(0.4)
    (one,) = beside(made, support, {"special": KIND})
    assert one.minus["rarity"].known == pytest.approx(0, abs=0.02)
    assert one.minus["rarity"].n == NEAREST
    assert one.minus["kind"].n == NEAREST_OF_KIND
    assert one.minus["mean"].n == 40


def test_a_tag_that_is_missed_lies_surely_below_and_one_that_shines_surely_above():
    for value, sign in ((0.1, -1), (0.8, 1)):
        made, support = records(value)
        (one,) = beside(made, support, {"special": KIND})
        for minus in one.minus.values():
            low, high = minus.ends
            assert sign * low > 0
            assert sign * high > 0


def test_runs_that_disagree_widen_the_interval():
    widths = []
    for spread in (0.0, 0.2):
        made, support = records(0.4, spread)
        (one,) = beside(made, support, {"special": KIND})
        low, high = one.minus["rarity"].ends
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_nine_in_ten_intervals_hold_how_far_a_tag_lies_from_others_of_its_rarity():
    """What is held against the like of itself lies within nine in ten of the intervals."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        values = random.normal(0.5, 0.1, 41).clip(0, 1)
        support = {f"p{i}": 100 + i for i in range(40)} | {"special": 100}
        made, _ = records(0.4)
        made = [
            replace(made[0], tag=tag, value=float(v), setting={})
            for tag, v in zip(support, values, strict=True)
        ]
        (one,) = beside(made, support, {"special": frozenset()})
        centre = float(values[-1]) - 0.5  # how far this tag lies from the mean of all such tags
        low, high = one.minus["rarity"].ends
        held += low <= centre <= high
    assert 0.85 < held / 300 < 0.95


def test_the_kinds_are_tags_that_were_published_and_the_tag_itself_is_in_none():
    tags = {r.tag for r in elsewhere() if r.protocol == "mgphot" and r.tag}
    assert tags >= STYLES | INSTRUMENTS
    assert not (STYLES & INSTRUMENTS)
    assert not ({"indian", "sitar"} & (STYLES | INSTRUMENTS))
