"""What a run took per window, remembered on this machine, so that the next one's time is known before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.backbones import records
from mirdemo.stages.finetuning.versions import device_name

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec

_KIND = "fine-tuning-speed"


def remember(
    spec: BackboneSpec, blocks: int, device: str, precision: str, *, prefix: float, training: float
) -> None:
    """Keep what a finished run took: seconds a window, of the frozen part and of a step of training."""
    records.write(_KIND, _key(spec, blocks, device, precision), {"prefix": prefix, "training": training})


def remembered(spec: BackboneSpec, blocks: int, device: str, precision: str) -> dict[str, Any] | None:
    """Seconds a window: ``"prefix"`` and ``"training"``, the latter a window of a step; None without such a run."""
    return records.read(_KIND, _key(spec, blocks, device, precision))


def _key(spec: BackboneSpec, blocks: int, device: str, precision: str) -> str:
    sizes = "x".join(str(layer.size) for layer in spec.layers)  # a checkpoint of one's own may differ
    return f"{spec.name}-{sizes}-{blocks}-{device_name(device)}-{precision}"
