"""Which files of a repository a backbone needs: decided from the names, and an index where there is one.

Imports no torch: the page asks this about every backbone before any is loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from pathlib import Path

from mirdemo.backbones.spec import BackboneError, BackboneSpec

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
PICKLED = "pytorch_model.bin"

#: An index names files of its own folder, nothing else: no path leads out of it.
_SHARD = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.safetensors", re.ASCII)

#: How sound is prepared: in a file of its own, or in the one about all that a model reads, which comes first where both say it.
PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"

#: Besides the weights: files that are taken where they are.
_OPTIONAL = {
    "clap": ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
}
#: The part of the network that is used, where the repository holds more: what the names of its tensors may begin with.
_TOWER = ("audio_tower.", "model.audio_tower.")
_THINKERS = ("thinker.audio_tower.", "thinker.model.audio_tower.", *_TOWER)
PARTS: dict[str, tuple[str, ...]] = {
    "qwen2_audio": _TOWER,
    "audioflamingo3": _TOWER,
    "musicflamingo": _TOWER,
    "voxtral": _TOWER,
    "qwen2_5_omni": _THINKERS,
    "qwen2_5_omni_thinker": _TOWER,
    "qwen3_omni_moe": _THINKERS,
    "qwen3_omni_moe_thinker": _TOWER,
}
#: Repositories that hold nothing but a tower: their kind -> the whole model's. Its configuration is the whole config.json.
TOWERS = {
    "qwen2_audio_encoder": "qwen2_audio",
    "audioflamingo3_encoder": "audioflamingo3",
    "voxtral_encoder": "voxtral",
    "qwen2_5_omni_audio_encoder": "qwen2_5_omni",
    "qwen3_omni_moe_audio_encoder": "qwen3_omni_moe",
}
PARTS |= dict.fromkeys(TOWERS, ("",))


def family(spec: BackboneSpec, available: Collection[str], fetch: Callable[[str], Path]) -> str:
    """The family whose files a repository has: of a generic one what its config.json says, so that a copy of Qwen2-Audio
    fetches the shards of its tower and not those of its language model.
    """
    if spec.family != "generic" or "config.json" not in available:
        return spec.family
    try:
        kind = json.loads(fetch("config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return spec.family  # told when it is loaded
    return kind if kind in {*PARTS, *_OPTIONAL} else spec.family


def weights(spec: BackboneSpec, available: Collection[str], fetch: Callable[[str], Path]) -> list[str]:
    """The weight files to load, out of those there are.

    available: names of the repository's (or folder's) files
    fetch: gives a small file's path, fetching it where it is not here yet

    A file whose SHA-256 is known comes first, then one safetensors file, then the shards that the index lists
    for the part that is used, then the pickled form. Raises BackboneError if there is none.
    """
    known = [name for name in spec.weights_sha256 if name in available]
    if known:
        return known
    if SINGLE in available:
        return [SINGLE]
    if INDEX in available:
        return shards(fetch(INDEX), PARTS.get(family(spec, available, fetch), ("",)), spec.title)
    if PICKLED in available:
        return [PICKLED]
    raise BackboneError(
        "{name} comes without weights that can be loaded safely. "
        "It needs model.safetensors or pytorch_model.bin.",
        code="backbone.no_weights",
        name=spec.title,
    )


def shards(index: Path, prefixes: tuple[str, ...], title: str) -> list[str]:
    """Names of the shards that hold tensors beginning with one of ``prefixes``, sorted. Raises BackboneError."""
    try:
        placed = json.loads(index.read_text(encoding="utf-8"))["weight_map"].items()
        names = {shard for key, shard in placed if key.startswith(prefixes)}
        sound = bool(names) and all(_SHARD.fullmatch(name) for name in names)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        sound = False
    if not sound:
        raise BackboneError(
            "The index of {name} cannot be read. Fetch it again, or tell its owner.",
            code="backbone.bad_index",
            name=title,
        )
    return sorted(names)


def needed(spec: BackboneSpec, available: Collection[str], fetch: Callable[[str], Path]) -> list[str]:
    """Every file to fetch: configuration, tokenizer where used, weights. Raises BackboneError if one is missing."""
    prepared = [name for name in (PREPROCESSOR, PROCESSOR) if name in available]
    missing = [] if "config.json" in available else ["config.json"]
    missing += [] if prepared else [PREPROCESSOR]
    if missing:
        raise BackboneError(
            "{name} lacks the file {file}. Choose a repository that transformers can load.",
            code="backbone.file_missing",
            name=spec.title,
            file=missing[0],
        )
    chosen = weights(spec, available, fetch)
    optional = [name for name in _OPTIONAL.get(family(spec, available, fetch), ()) if name in available]
    index = [INDEX] if any(name not in (SINGLE, PICKLED, *spec.weights_sha256) for name in chosen) else []
    return ["config.json", *prepared, *optional, *index, *chosen]
