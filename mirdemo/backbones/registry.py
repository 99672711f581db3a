"""Name to backbone: the facts of every backbone, and the one way to load one.

Importing this module imports neither torch nor transformers; a family's module is imported when one of
its backbones is loaded.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Layer, state_layers
from mirdemo.base.files import expanded
from mirdemo.base.plugins import Plugin, plugged, reason
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import MirdemoError

if TYPE_CHECKING:
    from mirdemo.backbones.health import Health

#: ``hf:OWNER/REPO``; the Hub's own rule for the two names (letters, digits, ``-._``, no ``--`` or ``..``,
#: at most 96 characters, no leading or trailing ``-`` or ``.``)
_PART = r"[A-Za-z0-9_](?:(?!--|\.\.)[A-Za-z0-9._-]){0,94}(?<![.-])"
_HUB_NAME = re.compile(rf"hf:({_PART}/{_PART})", re.ASCII)

DTYPES = ("auto", "float32", "bfloat16", "float16")

_MERT_CITATION = "Li et al., MERT, ICLR 2024 (arXiv 2306.00107)"
_CULTUREMERT_CITATION = "Kanatas, Papaioannou & Potamianos, CultureMERT, ISMIR 2025 (arXiv 2506.17818)"
_CLAP_CITATION = "Wu et al., LAION-CLAP, ICASSP 2023 (arXiv 2211.06687)"
_CLAP_STAGES = tuple(Layer(f"stage-{i}", size) for i, size in enumerate((128, 256, 512, 1024, 1024), start=1))


def _mert_95m(name: str, title: str, repository: str, trained_on: str, citation: str) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        title=title,
        family="mert",
        states_a_second=75.0,
        licence="CC-BY-NC-4.0",
        parameters=94_400_000,
        sample_rate=24_000,
        window_seconds=5.0,
        layers=state_layers(12, 768),
        trained_on=trained_on,
        repository=repository,
        download_bytes=378_000_000,
        tail_blocks=2,
        citation=citation,
    )


def _clap(name: str, title: str, repository: str, revision: str, trained_on: str) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        title=title,
        family="clap",
        states_a_second=25.6,
        licence="Apache-2.0",
        parameters=194_000_000,
        sample_rate=48_000,
        window_seconds=10.0,
        layers=(*_CLAP_STAGES, Layer("joint", 512)),
        trained_on=trained_on,
        repository=repository,
        revision=revision,
        download_bytes=776_000_000,
        joint_size=512,
        tail_blocks=1,
        pads=True,
        citation=_CLAP_CITATION,
    )


_HUB_SPECS = (
    replace(
        _mert_95m(
            "mert-95m", "MERT-v1-95M", "m-a-p/MERT-v1-95M", "mostly Western popular music", _MERT_CITATION
        ),
        revision="12af15fef9d0ac838c3f475bfbbf26d2060dd4f5",
        weights_sha256={
            "pytorch_model.bin": "a2b8b747f72c06e0595aeae41ae5473f4364938c6b39b2c58be38c48e6bd3fcd"
        },
    ),
    BackboneSpec(
        name="mert-330m",
        title="MERT-v1-330M",
        family="mert",
        states_a_second=75.0,
        licence=None,  # early cards say MIT, later ones CC BY-NC; nobody has settled it
        parameters=315_000_000,
        sample_rate=24_000,
        window_seconds=5.0,
        layers=state_layers(24, 1024),
        trained_on="mostly Western popular music",
        repository="m-a-p/MERT-v1-330M",
        revision="5240c2708a5acaee1007f43fb9735c7dcd0b78c9",
        download_bytes=1_260_000_000,
        tail_blocks=1,
        citation=_MERT_CITATION,
    ),
    _mert_95m(
        "culturemert-95m",
        "CultureMERT-95M",
        "ntua-slp/CultureMERT-95M",
        "MERT-95M, then Turkish makam, Hindustani, Carnatic and Greek music",
        _CULTUREMERT_CITATION,
    ),
    _mert_95m(
        "culturemert-ta-95m",
        "CultureMERT-TA-95M",
        "ntua-slp/CultureMERT-TA-95M",
        "MERT-95M models of four traditions, merged by task arithmetic",
        _CULTUREMERT_CITATION,
    ),
    _clap(
        "clap-music",
        "CLAP-Music",
        "laion/larger_clap_music",
        "a0b4534a14f58e20944452dff00a22a06ce629d1",
        "music with captions",
    ),
    replace(
        _clap(
            "clap-music-speech",
            "CLAP-Music&Speech",
            "laion/larger_clap_music_and_speech",
            "195c3a3e68faebb3e2088b9a79e79b43ddbda76b",
            "music and speech with captions",
        ),
        weights_sha256={
            "pytorch_model.bin": "d4e5cf6317c7521ca62c11b524f5646565310e040129fe35719cad661696d745"
        },
    ),
    BackboneSpec(
        name="qwen2-audio",
        title="Qwen2-Audio",
        family="qwen2_audio",
        licence="Apache-2.0",
        parameters=637_000_000,
        sample_rate=16_000,
        window_seconds=30.0,
        layers=state_layers(32, 1280),
        trained_on="speech, sounds and music with text; here its audio tower alone",
        repository="Qwen/Qwen2-Audio-7B",
        revision="dd84470756e6277a71d4d7188773a43cde92696e",
        # The tower is 1.27 GB, but only whole shards can be checked; a shard holds at most 4 GB.
        download_bytes=4_000_000_000,
        tail_blocks=1,
        tuned_in_half=True,
        citation="Chu et al., Qwen2-Audio, 2024 (arXiv 2407.10759)",
    ),
)


#: Entry points under which another package names a module with ``SPECS``, a tuple of ``BackboneSpec``, and
#: ``load(spec, *, checkpoint, device, dtype) -> Backbone``; importing it should import no torch.
GROUP = "mirdemo.backbones"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def specs() -> dict[str, BackboneSpec]:
    """Facts of every named backbone, embedded ones first, other packages' last, without importing torch."""
    brought = {s.name: s for plugin in plugged(GROUP, _check) for s in plugin.module.SPECS}
    own = _own_specs()
    return own | {name: s for name, s in brought.items() if name not in own}


def _check(module: Any) -> None:
    """Raise ValueError unless this is a module that brings backbones."""
    brought = getattr(module, "SPECS", None)
    if not isinstance(brought, tuple) or not all(isinstance(one, BackboneSpec) for one in brought):
        raise ValueError("SPECS is no tuple of BackboneSpec")
    if not callable(getattr(module, "load", None)):
        raise ValueError("there is no function load")
    own = _own_specs()
    for one in brought:
        if not _NAME.fullmatch(one.name):
            raise ValueError(f"a backbone cannot be named {one.name!r}")
        if one.name in own:
            raise ValueError(f"{one.name} is the name of a backbone that mirdemo has")
        if not one.layers:
            raise ValueError(f"{one.name} has no layers")


def _brought(name: str) -> Plugin | None:
    """Which package brings this backbone; None for one of ours."""
    if name in _own_specs():
        return None
    found = [p for p in plugged(GROUP, _check) if any(s.name == name for s in p.module.SPECS)]
    return found[-1] if found else None


def _own_specs() -> dict[str, BackboneSpec]:
    from mirdemo.backbones.beside_facts import SPEC as beside
    from mirdemo.backbones.mini_facts import SPECS as minis
    from mirdemo.backbones.musicnn_facts import SPECS as musicnn
    from mirdemo.backbones.spectral_facts import SPEC as spectral

    return {spec.name: spec for spec in (spectral, *minis, beside, *musicnn, *_HUB_SPECS)}


def spec(name: str) -> BackboneSpec:
    """Facts of one backbone.

    name: one of ``specs()``, or ``hf:OWNER/REPO``, whose sample rate, window, layers and parameters are only
        known once it is loaded (the spec of the loaded backbone has them).
    Raises BackboneError for any other name.
    """
    known = specs()
    if name in known:
        return known[name]
    match = _HUB_NAME.fullmatch(name)
    if match is None:
        raise BackboneError(
            "There is no backbone named {name}. Choose one of {names}, or hf:OWNER/REPO.",
            code="backbone.unknown",
            name=name[:100],
            names=", ".join(known),
        )
    repository = match.group(1)
    return BackboneSpec(
        name=name,
        title=repository,
        family="generic",
        licence=None,
        parameters=None,
        sample_rate=16_000,
        window_seconds=10.0,
        layers=(),
        trained_on="",
        repository=repository,
        tail_blocks=1,
    )


def precisions(name: str) -> tuple[str, ...]:
    """In which a backbone may compute: small ones and descriptors in float32 alone, and with torch alone."""
    single = spec(name).embedded or spec(name).family == "musicnn"
    return ("float32",) if single else DTYPES[1:]


def load_backbone(
    name: str,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    dtype: str = "auto",
    progress: Progress = silent,
    engine: str | None = None,
) -> Backbone:
    """Load a backbone, fetching it first where it has to be.

    name: one of ``specs()`` or ``hf:OWNER/REPO``
    checkpoint: a local folder laid out as on the Hub, or as in the package the weights come in; nothing is fetched then
    device: ``"auto"`` (a GPU where there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...
    dtype: ``"auto"`` (bfloat16 where processor or GPU are faster in it, else float32), ``"float32"``,
        ``"bfloat16"``, ``"float16"``
    progress: told the bytes fetched, phase ``"fetching"``
    engine: ``"torch"``, ``"openvino"``, or ``"auto"`` (OpenVINO on a processor, where it is installed, faithful and faster:
        ``backbones.engine``, which converts a network the first time, phase ``"converting"``); ``"openvino-int8"``: in eight
        bits, with other states, never chosen by itself; None: what ``MIRDEMO_ENGINE`` says, else ``"auto"``

    Raises BackboneError, one sentence for each thing that can go wrong.
    """
    facts = spec(name)
    if dtype not in DTYPES:
        raise BackboneError(
            "{dtype} is not a precision. Choose one of {choices}.",
            code="backbone.dtype",
            dtype=str(dtype)[:40],
            choices=", ".join(DTYPES),
        )
    from mirdemo.backbones import engine as engines

    engine = engine or os.environ.get("MIRDEMO_ENGINE") or "auto"
    if engine not in engines.ENGINES:
        raise BackboneError(
            "{engine} is not an engine. Choose one of {choices}.",
            code="backbone.engine",
            engine=str(engine)[:40],
            choices=", ".join(engines.ENGINES),
        )
    plugin = _brought(name)
    try:
        backbone = _load(facts, checkpoint, device, dtype, progress)
        if plugin is not None and not isinstance(backbone, Backbone):
            raise TypeError(f"load gives a {type(backbone).__name__}, no Backbone")
    except Exception as error:
        if plugin is None or isinstance(error, MirdemoError):
            raise
        raise BackboneError(
            "{name} could not be loaded by the package that brings it, {package} ({reason}). Choose another backbone, or "
            "mend that package.",
            code="backbone.plugin",
            name=facts.title,
            package=plugin.package,
            reason=reason(error),
        ) from error
    engines.choose(backbone, engine, progress)
    return backbone


def _load(
    facts: BackboneSpec, checkpoint: str | Path | None, device: str, dtype: str, progress: Progress
) -> Backbone:
    plugin = _brought(facts.name)
    family = import_module(f"mirdemo.backbones.{facts.family}") if plugin is None else plugin.module
    if checkpoint is not None:
        folder = expanded(checkpoint)
        if not folder.is_dir():
            raise BackboneError(
                "{path} is not a folder. Give the folder that holds the backbone's config.json and weights.",
                code="backbone.no_folder",
                path=str(checkpoint),
            )
        return family.load(facts, checkpoint=folder, device=device, dtype=dtype)

    from mirdemo.backbones import health, hub, wheels

    if facts.embedded:
        backbone = family.load(facts, checkpoint=None, device=device, dtype=dtype)
    elif facts.wheel is not None:
        folder = wheels.fetch(facts, progress)
        backbone = family.load(facts, checkpoint=folder, device=device, dtype=dtype)
        backbone.identity = replace(backbone.identity, revision=facts.revision)
    else:
        fetched = hub.fetch(facts, progress)
        backbone = family.load(facts, checkpoint=fetched.folder, device=device, dtype=dtype)
        backbone.spec = replace(backbone.spec, revision=fetched.revision)
        backbone.identity = replace(backbone.identity, revision=fetched.revision)
        backbone.warnings = fetched.warnings
    if backbone.health is not None:
        health.remember(facts.name, backbone.health)
    return backbone


@dataclass(frozen=True)
class Status:
    """What can be said about a backbone on this machine without loading it or asking the network.

    fetched: its files are all here (always True for embedded backbones)
    fetch_bytes: what a first use still has to fetch, 0 if fetched, None if not known yet
    revision: commit that would be used, None where it is not known yet
    health: outcome of the last health check made here, None if there was none
    """

    fetched: bool
    fetch_bytes: int | None
    revision: str | None
    health: Health | None


def status(name: str) -> Status:
    """Look the backbone up in the local caches only. Raises BackboneError for an unknown name."""
    from mirdemo.backbones import health, hub, wheels

    facts = spec(name)
    if facts.embedded or (facts.wheel is not None and wheels.local(facts.wheel) is not None):
        return Status(True, 0, facts.revision, health.last(name))
    if facts.wheel is not None:
        return Status(False, facts.download_bytes, facts.revision, health.last(name))
    local = hub.local(facts)
    if local is not None:
        return Status(True, 0, local.revision, health.last(name))
    return Status(False, facts.download_bytes or None, hub.known_revision(facts), health.last(name))
