"""The stages' reports of made-up rows hold the figures, words and warnings that they held on 1 December 2026.

``PYTHONPATH=.:tests:tests/stages/probing python tests/stages/test_stages_as_they_were.py`` writes ``as_they_were.json`` anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered
from probing_clips import made_up

from mirdemo.planning.of_reports import evidence
from mirdemo.stages.fewshot import (
    METHODS,
    LCPrototypes,
    TagPrototypes,
    choose_layer,
    evaluate_episodes,
    label_next,
    learning_curve,
    leave_recordings_out,
)
from mirdemo.stages.probing import apply_probe, compare, probe

FILE = Path(__file__).with_name("as_they_were.json")


class Rows(dict):
    """Layer -> rows, as much of ``Embeddings`` as a probe that is carried on asks for."""

    def __len__(self) -> int:
        return len(next(iter(self.values())))

    def matrix(self, layer: str) -> np.ndarray:
        return np.mean(list(self.values()), axis=0) if layer == "mean" else self[layer]


def supports(n: int = 48, noise: float = 0.9) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Clips of two a recording, four tags around centres of their own, some clips with two tags or none."""
    rng = np.random.default_rng(7)
    labels = np.zeros((n, 4), np.uint8)
    recordings = np.repeat([f"recording {i:02}" for i in range(n // 2)], 2)
    for i in range(n):
        labels[i, (i // 2) % 4] = 1
        if (i // 2) % 3 == 0:
            labels[i, (i // 2 + 1) % 4] = 1
    labels[n - 8 : n - 4] = 0
    rows = labels @ rng.normal(size=(4, 24)) + noise * rng.normal(size=(n, 24)) + 1.5
    return rows.astype(np.float32), labels, recordings, ("drum", "flute", "shamisen", "voice")


def probed(only: Sequence[str] = (), **more: Any) -> Any:
    """only: layers; all of them if none is named, where layers that tie for a tag are told apart by a machine's rounding alone"""
    layers, labels, names = made_up(16, clips=2, size=12)
    labels[:, 2] = names == names[0]  # a tag that one recording has
    heard = {name: layers[name] for name in only or layers}
    return probe(heard, labels, names, tags=["a", "b", "rare"], n_folds=4, permutations=40, **more)


def probing() -> Any:
    return probed(seeds=[0, 1])


def sessions() -> Any:
    """One draw, whole sessions of two recordings, another penalty."""
    return probed(["1"], seeds=[3], penalty=10.0, groups=[f"{i // 4}" for i in range(32)])


def comparing() -> Any:
    layers, labels, names = made_up(16, clips=2, size=12)
    asked = {"n_folds": 4, "permutations": 0, "seeds": [0], "clips": [str(i) for i in range(32)]}
    reports = [probe({name: layers[name]}, labels, names, **asked) for name in ("1", "2")]
    return compare(*reports)


def applied() -> Any:
    layers = made_up(16, clips=2, size=12)[0]
    new = {name: rows[:5] + 0.1 for name, rows in layers.items()}
    said = apply_probe(probed(["1"], seeds=[0]), Rows(layers), Rows(new))
    return said[:, :2]  # where one recording has a tag, another machine's solver ends up to .0008 elsewhere


def curve() -> Any:
    rows, labels, recordings, tags = supports()
    return learning_curve(rows, labels, recordings, tags=tags, repeats=4)


def layers() -> Any:
    rows, labels, recordings, tags = supports()
    rng = np.random.default_rng(0)
    noisy = {
        name: rows + noise * rng.normal(size=rows.shape) for name, noise in (("low", 4.0), ("high", 1.0))
    }
    return choose_layer(noisy, labels, recordings, tags=tags)


def check(make: Callable[[], Any]) -> Callable[[], Any]:
    def found() -> Any:
        rows, labels, recordings, tags = supports()
        return leave_recordings_out(rows, labels, recordings, make, tags=tags)

    return found


def decided(make: Callable[[], Any]) -> Callable[[], Any]:
    def found() -> Any:
        rows, labels, recordings, tags = supports()
        method = make().fit(rows[:40], labels[:40], recordings[:40], tags=tags)
        more = [method.decide(rows[36:])] if isinstance(method, LCPrototypes) else []
        return [method.predict(rows[36:]), method.scores(rows[36:]), method.state(), *more]

    return found


def suggested() -> Any:
    rows, labels, recordings, tags = supports()
    method = LCPrototypes().fit(rows[:24], labels[:24], recordings[:24], tags=tags)
    return label_next(method, rows[24:], recordings[24:], count=5)


def episodes() -> Any:
    rows, labels, recordings, tags = supports()
    asked = {"base": tags[:2], "novel": tags[2:], "k_shot": 2, "seeds": (0, 1)}
    return [
        evaluate_episodes(rows, labels, recordings, tags, kind=kind, protocol=protocol, **asked)
        for kind, protocol in (
            ("base", "papaioannou2025"),
            ("both", "papaioannou2025"),
            ("novel", "lcprotonets2024"),
        )
    ]


def gathered() -> Any:
    """The reports as a plan takes them."""
    rows, labels, recordings, tags = supports()
    said = probe({"0": rows}, labels, recordings, tags=tags, n_folds=4, permutations=20, seeds=[0])
    check = leave_recordings_out(rows, labels, recordings, LCPrototypes, tags=tags)
    return evidence(
        labels,
        recordings,
        tags,
        probes=[("spectral", said, None)],
        few_shot=("spectral", check.predicted, 2.0),
        few_shot_score=check.score,
        curve=curve(),
        groups=[name[:-1] for name in recordings],
    )


CASES: dict[str, Callable[[], Any]] = {
    "probing": probing,
    "sessions": sessions,
    "comparing": comparing,
    "applied": applied,
    "curve": curve,
    "layers": layers,
    **{f"self-check {make.__name__}": check(make) for make in (LCPrototypes, TagPrototypes)},
    **{f"decided {make.__name__}": decided(make) for make in METHODS.values()},
    "suggested": suggested,
    "episodes": episodes,
    "gathered": gathered,
}


@pytest.mark.parametrize("name", CASES)
def test_a_stage_reports_what_it_reported(name: str):
    remembered.hold(CASES[name](), remembered.kept(FILE)[name], rel=1e-4)


if __name__ == "__main__":
    remembered.write(FILE, {name: make() for name, make in CASES.items()})
