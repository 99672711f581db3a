"""Training clips as spectrograms on disk: each clip twice, as rendered and disturbed.

A cache is one folder for each source and split: ``mel.npy`` (clips, 2, 500, 80), ``cq.npy`` (clips, 2, 250,
216), uint8 in half decibels over the floor, and ``clips.jsonl`` with what is known of each clip. Parts are
written by seed, so several processes may fill one cache and a killed run goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mirdemo.backbones.frontend import SAMPLE_RATE, Frontend
from mirdemo.base.files import whole
from mirdemo.synth.disturbing import disturb

SECONDS = 10.0
SCALE = 100.0  # one unit of the front end is 50 dB, so one step is half a decibel


def write_part(path: Path, clips: Iterable[tuple[NDArray[np.float32], dict[str, Any]]], seed: int) -> None:
    """Write one part: ``path`` with the suffixes ``.npz`` and ``.jsonl``. clips: waves of 10 s at 24 kHz with
    their facts."""
    frontend, rng = Frontend(), np.random.default_rng([seed, 77])
    mels, cqs, facts = [], [], []
    for wave, fact in clips:
        both = np.stack([wave, disturb(wave, SAMPLE_RATE, rng)])
        with torch.inference_mode():
            mel, cq = frontend(torch.from_numpy(both))
        mels.append(_pack(mel))
        cqs.append(_pack(cq))
        facts.append(json.dumps(fact, ensure_ascii=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".jsonl").write_text("\n".join(facts) + "\n", encoding="utf-8")
    with whole(path.with_suffix(".npz")) as partial, partial.open("wb") as file:
        np.savez(file, mel=np.stack(mels), cq=np.stack(cqs))


def read_parts(folder: Path, limit: int | None = None) -> tuple[NDArray, NDArray, list[dict[str, Any]]]:
    """All finished parts of a folder in name order: mel, cq (uint8) and facts, at most ``limit`` clips."""
    mels, cqs, facts = [], [], []
    for part in sorted(folder.glob("*.npz")):
        if part.name.endswith(".part.npz") or (limit is not None and len(facts) >= limit):
            continue
        with np.load(part, allow_pickle=False) as arrays:
            mels.append(arrays["mel"])
            cqs.append(arrays["cq"])
        lines = part.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        facts += [json.loads(line) for line in lines]
    return np.concatenate(mels)[:limit], np.concatenate(cqs)[:limit], facts[:limit]


def _pack(values: torch.Tensor) -> NDArray[np.uint8]:
    return (values.transpose(1, 2) * SCALE).round().clamp(0, 255).to(torch.uint8).numpy()
