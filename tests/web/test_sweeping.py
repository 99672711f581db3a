"""What is to be cleared away is, again and again, whatever fails beside it."""

from __future__ import annotations

import threading

from waiting import PATIENCE

from mirdemo.web.frame.sweeping import keep_swept


def test_each_is_called_again_and_again_though_one_fails():
    calls, enough = [], threading.Event()

    def fails() -> None:
        calls.append("fails")
        raise OSError("gone")

    def works() -> None:
        calls.append("works")
        if len(calls) >= 6:
            enough.set()
            threading.Event().wait()  # no more of it: the other tests want the core

    thread = keep_swept(fails, works, every_seconds=0.001)
    assert enough.wait(PATIENCE)
    assert calls == ["fails", "works"] * 3
    assert thread.daemon, "else the process could not end"
