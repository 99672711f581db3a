"""How far do today's audio foundation models carry for our music, and what carries them further?

The public names are loaded when first used, so that ``import mirdemo`` stays light::

    clip = mirdemo.load_clip("dance.mp3")
    backbone = mirdemo.load_backbone("spectral")
    embeddings = mirdemo.embed([clip], backbone)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME_OF = {
    "load_clip": "sound.audio",
    "Clip": "sound.audio",
    "AudioError": "sound.audio",
    "LabelledClips": "clips",
    "load_backbone": "backbones",
    "Backbone": "backbones",
    "BackboneError": "backbones",
    "embed": "embedding.embed",
    "Embeddings": "embedding.embed",
    "EmbeddingStore": "embedding.store",
    "LCPrototypes": "stages.fewshot",
    "probe": "stages.probing",
    "ProbeReport": "stages.probing",
    "fine_tune": "stages.finetuning",
    "FineTuneReport": "stages.finetuning",
    "Tagger": "tagger",
}

__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'mirdemo' has no attribute {name!r}")
    return getattr(import_module(f"mirdemo.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
