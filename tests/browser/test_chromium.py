"""How the browser of these tests is started."""

from __future__ import annotations

import psutil


def test_what_playwright_switches_off_is_switched_off_here_too(chromium) -> None:
    """Of two lists Chromium takes the last."""
    head = "--disable-features="
    started = [one.cmdline() for one in psutil.Process().children(recursive=True)]
    lists = [
        [set(part.removeprefix(head).split(",")) for part in line if part.startswith(head)]
        for line in started
        if "--remote-debugging-pipe" in line and not any(part.startswith("--type=") for part in line)
    ]
    assert lists
    for playwrights, ours in lists:
        assert playwrights <= ours
