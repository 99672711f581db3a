"""Tiny backbones of every family."""

from __future__ import annotations

from finetuning.conftest import KINDS, checkpoint, loaded, mert

__all__ = ["KINDS", "checkpoint", "loaded", "mert"]
