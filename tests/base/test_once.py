"""Computed once for all who ask, kept up to a number, tried again after a failure."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mirdemo.base.once import Once


def test_all_who_ask_meanwhile_wait_for_one_making_and_others_do_not():
    kept: Once[str, object] = Once(4)
    begun, go, made = threading.Event(), threading.Event(), []

    def slowly() -> object:
        begun.set()
        assert go.wait(20)
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(8) as asking:
        first = asking.submit(kept.get, "slow", slowly)
        assert begun.wait(20)
        rest = [asking.submit(kept.get, "slow", slowly) for _ in range(6)]
        assert kept.get("quick", lambda: 7) == 7, "who asks for something else waits for nobody"
        go.set()
        assert {id(one.result(20)) for one in (first, *rest)} == {id(made[0])}
    assert len(made) == 1


def test_the_least_recently_used_goes_first():
    kept: Once[int, int] = Once(2)
    made: list[int] = []

    def ask(key: int) -> int:
        return kept.get(key, lambda: made.append(key) or key)

    for key in (1, 2, 1, 3, 1, 2):
        assert ask(key) == key
    assert made == [1, 2, 3, 2]
    assert len(kept) == 2


def test_after_a_failure_the_next_tries_again():
    kept: Once[str, int] = Once(2)

    def fail() -> int:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            kept.get("x", fail)
    assert len(kept) == 0
    assert kept.get("x", lambda: 3) == 3
