"""The spectral backbone: statistics of timbre, pitch and rhythm, measured by formula, no weights.

Each group of statistics (``mirdemo.backbones.descriptors``) is a layer, already one row a window.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import torch

from mirdemo.backbones import loading
from mirdemo.backbones.descriptors import statistics
from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Identity
from mirdemo.backbones.spectral_facts import GROUPS, SHARES, UNIONS, VERSION
from mirdemo.backbones.spectral_scale import CENTRES, SCALES

#: Statistics beyond this many deviations say no more than "extreme" (digital silence, a single click).
_LIMIT = 5.0


class Spectral(Backbone):
    """The loaded backbone.

    A layer's row is its group's statistics, each brought to mean 0 and deviation 1 by constants fitted once on
    synthetic sound (``training/fit_spectral_scale.py``), cut off at five deviations. ``sound`` and ``all`` are groups
    side by side (``spectral_facts.UNIONS``), each divided by the square root of its size and times its entry in
    ``SHARES``, so that in a cosine a group counts by the square of its share, not by how many statistics it happens to
    have.
    """

    window_threads = 1

    def __init__(self, spec: BackboneSpec, device: torch.device) -> None:
        self.spec = spec
        self.device = device
        self.identity = Identity(
            name=spec.name,
            revision=VERSION,
            fingerprint=hashlib.sha256(repr((VERSION, CENTRES, SCALES, SHARES, UNIONS)).encode()).hexdigest(),
            dtype="float32",
            sample_rate=spec.sample_rate,
            window_seconds=spec.window_seconds,
            pooling=spec.pooling,
        )
        self._centres = {name: torch.tensor(CENTRES[name], device=device) for name in GROUPS}
        self._scales = {name: torch.tensor(SCALES[name], device=device) for name in GROUPS}

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """One (batch, 1, size) tensor a layer: the statistics are already those of the whole window."""
        with torch.no_grad():
            waves = waves.to(self.device, torch.float32)
            # One wave at a time: a transform of several rounds otherwise than one alone, and a logarithm near
            # silence shows it.
            each = [statistics(wave[None]) for wave in waves]
            raw = {name: torch.cat([one[name] for one in each]) for name in GROUPS}
            groups = {
                name: ((raw[name] - self._centres[name]) / self._scales[name]).clamp(-_LIMIT, _LIMIT)
                for name in GROUPS
            }
            weighted = {name: SHARES[name] / math.sqrt(size) * groups[name] for name, size in GROUPS.items()}
            unions = [torch.cat([weighted[name] for name in names], dim=1) for names in UNIONS.values()]
        return [layer[:, None] for layer in (*groups.values(), *unions)]


def load(spec: BackboneSpec, *, checkpoint: Path | None, device: str, dtype: str) -> Spectral:
    """The spectral backbone. Raises BackboneError for a checkpoint (it has no weights) or a dtype but float32."""
    if checkpoint is not None:
        raise BackboneError(
            "{backbone} has no weights to load. Leave the checkpoint out.",
            code="spectral.checkpoint",
            backbone=spec.title,
        )
    loading.float32_only(dtype, spec.title)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Spectral(spec, torch.device(device))
