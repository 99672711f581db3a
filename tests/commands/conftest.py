"""Tiny backbones with a tail to train."""

from __future__ import annotations

from backbones.conftest import KINDS, checkpoint, loaded

__all__ = ["KINDS", "checkpoint", "loaded"]
