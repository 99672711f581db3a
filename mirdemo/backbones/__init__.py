"""What turns sound into hidden states."""

from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Identity, Layer

__all__ = ["Backbone", "BackboneError", "BackboneSpec", "Identity", "Layer"]
