"""With what and where something was trained."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def versions() -> dict[str, str]:
    """Package -> version, of those that decide the figures."""
    from mirdemo import __version__

    return {"mirdemo": __version__} | {name: version(name) for name in ("numpy", "scipy", "torch")}


def device_name(device: torch.device | str) -> str:
    """A device's own name: the processor of a GPU, ``"cpu"`` for the CPU."""
    import torch

    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
