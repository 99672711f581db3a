"""Backbones for workers that keep a diary, take their time, or end their process. Workers import this file."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from mirdemo.backbones import Backbone, BackboneError, load_backbone

#: A clip whose loudest sample is this much or more ends the process that embeds it.
DEADLY = 0.9


@dataclass(frozen=True)
class Diary:
    """Loads ``spectral``; every forward pass writes a line ``process windows`` to ``path`` before it begins.

    slow: seconds that a pass takes longer; meet: how many processes must be at work before any goes on
    """

    path: str
    slow: float = 0.0
    meet: int = 1

    def __call__(self, device: str) -> Backbone:
        backbone = load_backbone("spectral", None, device)
        whole = backbone.hidden_states

        def hidden_states(waves):
            with Path(self.path).open("a") as diary:
                diary.write(f"{os.getpid()} {len(waves)}\n")
            until = time.monotonic() + 120
            while len(set(read(Path(self.path)))) < self.meet and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(self.slow)
            if float(waves.abs().max()) >= DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(waves)

        backbone.hidden_states = hidden_states
        return backbone


@dataclass(frozen=True)
class Refusing:
    """Cannot be loaded."""

    def __call__(self, device: str) -> Backbone:
        raise BackboneError("{name} is not here. Get it.", code="test.not_here", name="It")


@dataclass(frozen=True)
class Broken:
    """Raises something nobody foresaw."""

    def __call__(self, device: str) -> Backbone:
        backbone = load_backbone("spectral", None, device)

        def hidden_states(waves):
            raise ZeroDivisionError("the sun is cold")

        backbone.hidden_states = hidden_states
        return backbone


def read(path: Path) -> list[int]:
    """The process of every forward pass so far."""
    if not path.exists():
        return []
    return [int(line.split()[0]) for line in path.read_text().splitlines()]
