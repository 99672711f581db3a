"""What the embedded backbones were measured to do on real recordings, as far as the page goes by it.

``benchmarks/embedded_on_real_sound.py`` writes the file: ten Western genres, accuracy, 90 % intervals over recordings.
Imports no torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mirdemo.base.assets import ASSETS

FILE = ASSETS / "backbones" / "on_real_sound.json"


@dataclass(frozen=True)
class FewShotAccuracy:
    """How many queries a backbone's last layer, whitened, gives their genre from three recordings a genre.

    backbone: its name; value, low, high: share of clean queries, 0 to 1; n: recordings
    """

    backbone: str
    value: float
    low: float
    high: float
    n: int


def best_for_few_shot() -> FewShotAccuracy | None:
    """The embedded backbone that answers most queries, clean and degraded counted alike; None if none was measured."""
    from mirdemo.backbones.registry import specs

    found = _measured(FILE)
    rows = {
        name: found["figures"][f"{name}+wccn"]
        for name, spec in specs().items()
        if spec.embedded and f"{name}+wccn" in found.get("figures", {}) and _is_of(found, name, spec.revision)
    }
    if not rows:
        return None
    best = max(rows, key=lambda name: rows[name]["3-shot"][0] + rows[name]["3-shot degraded"][0])
    value, low, high = rows[best]["3-shot"]
    return FewShotAccuracy(best, value, low, high, found["n"])


def whitening_helps(backbone: str, stage: str, layer: str) -> bool:
    """Whether the whitening that comes with a backbone was measured to help.

    Few-shot queries are often heard through another room or line than the support set: it helps where degraded queries
    are answered better and clean ones not worse. A probe learns from and is tested on recordings of one kind: it helps
    where clean ones are read better and degraded ones not worse. As far as the intervals tell, paired by recording;
    False where nobody measured it, or with another revision of the backbone.

    stage: ``"few-shot"`` or ``"probe"``; layer: one of the backbone's, or ``"mean"``
    """
    from mirdemo.backbones.registry import specs

    found = _measured(FILE)
    effect = found.get("whitening", {}).get(backbone, {}).get(stage, {}).get(layer)
    if effect is None or backbone not in specs() or not _is_of(found, backbone, specs()[backbone].revision):
        return False
    better, kept = ("degraded", "clean") if stage == "few-shot" else ("clean", "degraded")
    (_, low, _), (_, _, high) = effect[better], effect[kept]
    return low > 0 and high >= 0


def _is_of(found: Mapping[str, Any], backbone: str, revision: str | None) -> bool:
    """Whether what was measured is this revision of the backbone."""
    return found["whitening"].get(backbone, {}).get("revision") == revision


@cache
def _measured(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
