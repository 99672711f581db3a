"""What turns sound into hidden states."""

from mirdemo.backbones.registry import Status, load_backbone, specs, status
from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Identity, Layer

__all__ = [
    "Backbone",
    "BackboneError",
    "BackboneSpec",
    "Identity",
    "Layer",
    "Status",
    "load_backbone",
    "specs",
    "status",
]
