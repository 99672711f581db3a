"""What a run took per window, remembered on this machine, so that the next one's time is known before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.backbones import records
from mirdemo.stages.finetuning.versions import device_name

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec
    from mirdemo.stages.finetuning.prefix_cache import PrefixCache
    from mirdemo.stages.finetuning.procedure import Job

_KIND = "fine-tuning-speed"


def remember(job: Job, cache: PrefixCache) -> None:
    """Keep what a finished run took."""
    trained = job.seconds["folds"] + job.seconds["final"] + job.seconds["start"]
    records.write(
        _KIND,
        _key(job.backbone.spec, job.split.n_blocks, str(job.backbone.device), job.settings.precision),
        {"prefix": job.seconds["prefix"] / len(cache.windows), "training": trained / job.visits},
    )


def remembered(spec: BackboneSpec, blocks: int, device: str, precision: str) -> dict[str, Any] | None:
    """Seconds a window: ``"prefix"`` and ``"training"``, the latter a window of a step; None without such a run."""
    return records.read(_KIND, _key(spec, blocks, device, precision))


def _key(spec: BackboneSpec, blocks: int, device: str, precision: str) -> str:
    sizes = "x".join(str(layer.size) for layer in spec.layers)  # a checkpoint of one's own may differ
    return f"{spec.name}-{sizes}-{blocks}-{device_name(device)}-{precision}"
