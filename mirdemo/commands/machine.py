"""What this machine has for mirdemo, found out by trying it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

#: Packages and what is not there without them. All but ``OPTIONAL`` come with mirdemo.
PACKAGES = {
    "numpy": "anything",
    "scipy": "intervals, resampling and the page",
    "soundfile": "reading recordings",
    "av": "reading MP3, AAC and video files",
    "torch": "embedding",
    "torchaudio": "the spectral backbone",
    "safetensors": "backbones and taggers",
    "transformers": "the backbones of the Hub",
    "huggingface-hub": "fetching backbones",
    "filelock": "writing results",
    "nltk": "agreement among listeners",
    "openpyxl": "label sheets from Excel",
    "threadpoolctl": "sharing the cores on a busy machine",
    "jinja2": "the page and the report",
    "pandas": "the evidence",
    "plotly": "charts",
    "gradio": "the page",
    "tqdm": "progress on the command line",
    "ray": "several workers (`embed --workers`, `evaluate --workers`)",
    "mutagen": "tags in the files' own metadata (`tag --write-tags`)",
    "openvino": "a second engine on processors (`--engine openvino`)",
}
OPTIONAL = ("ray", "mutagen", "openvino")
#: Seconds that the Hub is given to answer.
PATIENCE = 5.0
#: Less free disk than this, and a backbone from the Hub may not fit: the largest that has one file takes 1.3 GB.
ENOUGH_DISK = 3 * 10**9


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    state: ``"good"``; ``"note"``, all works and there is something to know; ``"missing"``, something does not work
    says: one sentence for people: what was found, and what to do where something is missing
    facts: the same for machines
    """

    name: str
    state: str
    says: str
    facts: dict[str, Any] = field(default_factory=dict)


def look(ask_hub: bool = True) -> Iterable[Finding]:
    """Everything, one after the other. Nothing is fetched; ask_hub: send the Hub one request."""
    checks: list[Callable[[], Finding]] = [
        python,
        packages,
        torch_build,
        gpu,
        threads,
        decoders,
        backbone,
        disk,
        caches,
    ]
    if ask_hub:
        checks.append(hub)
    for check in checks:
        try:
            yield check()
        except Exception as error:  # whatever a broken installation raises: it is what is looked for
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            yield Finding(check.__name__, "missing", f"could not be tried ({reason}). Install mirdemo again.")


def python() -> Finding:
    from mirdemo import __version__

    here = platform.python_version()
    facts = {"mirdemo": __version__, "python": here, "system": platform.platform(), "folder": str(_package())}
    says = f"mirdemo {__version__}, Python {here}, {platform.system()} {platform.machine()}"
    return Finding("python", "good", says, facts)


def packages() -> Finding:
    found = {name: _version(name) for name in PACKAGES}
    lacking = [name for name, version in found.items() if version is None]
    needed = [name for name in lacking if name not in OPTIONAL]
    if needed:
        whats = "; ".join(f"{name} (for {PACKAGES[name]})" for name in needed)
        return Finding(
            "packages", "missing", f"not installed: {whats}. Run `pip install` of mirdemo again.", found
        )
    says = f"{len(found) - len(lacking)} here"
    if lacking:
        whats = "; ".join(f"{name}, only for {PACKAGES[name]}" for name in lacking)
        return Finding("packages", "note", f"{says}; not installed: {whats}", found)
    return Finding("packages", "good", says, found)


def torch_build() -> Finding:
    import torch

    kind = f"CUDA {torch.version.cuda}" if torch.version.cuda else "ROCm" if torch.version.hip else "CPU"
    site = Path(torch.__file__).parents[1]
    for_gpus = sum(_size(site / name) for name in ("nvidia", "triton"))
    size = _size(site / "torch")
    facts = {"version": torch.__version__, "kind": kind, "bytes": size, "bytes_for_gpus": for_gpus}
    says = f"{torch.__version__}, built for {kind}, {size / 1e9:.1f} GB"
    if for_gpus and not torch.cuda.is_available():
        says += (
            f" and {for_gpus / 1e9:.1f} GB of CUDA libraries that nothing here can use; README says how to have the CPU "
            "build"
        )
        return Finding("torch", "note", says, facts)
    return Finding("torch", "good", says, facts)


def gpu() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("gpu", "good", "none; everything runs on the CPU", {"gpus": []})
    found = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    gpus = [{"name": g.name, "bytes": g.total_memory, "bfloat16": g.major >= 8} for g in found]
    return Finding(
        "gpu", "good", ", ".join(f"{g.name} ({g.total_memory / 1e9:.0f} GB)" for g in found), {"gpus": gpus}
    )


def threads() -> Finding:
    import torch

    from mirdemo.base.threads import COUNTS, OF_NUMPY, cores

    names = (*COUNTS, *OF_NUMPY, "OMP_WAIT_POLICY")
    chosen = {name: os.environ[name] for name in names if name in os.environ}
    units = torch.backends.cpu.get_cpu_capability()
    facts = {
        "cores": cores(),
        "torch_threads": torch.get_num_threads(),
        "vector_units": units,
        "environment": chosen,
    }
    says = f"{facts['torch_threads']} for torch on {facts['cores']} cores ({units})"
    if chosen:
        says += ", by " + ", ".join(f"{name}={value}" for name, value in chosen.items())
    return Finding("threads", "good", says, facts)


def decoders() -> Finding:
    """Reads two recordings that it makes: through libsndfile and through FFmpeg's libraries."""
    from mirdemo.sound.audio import load_clip

    read = {
        kind: load_clip(make(), f"tone.{kind}").seconds for kind, make in (("flac", _flac), ("m4a", _m4a))
    }
    facts = {"read_seconds": read, "ffmpeg_program": shutil.which("ffmpeg")}
    return Finding("decoders", "good", "WAV, FLAC, Ogg, MP3, AAC, ... (no ffmpeg program is needed)", facts)


def backbone() -> Finding:
    """The whole way once: a clip through a backbone that comes with the project."""
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import load_clip

    rows = embed([load_clip(_flac(), "tone.flac")], load_backbone("mini-world", device="cpu")).layers
    sizes = {name: len(row[0]) for name, row in rows.items()}
    return Finding("embedding", "good", f"mini-world gives its {len(sizes)} layers", {"layers": sizes})


def disk() -> Finding:
    from mirdemo.base.files import whole
    from mirdemo.base.home import home

    folder = home()
    facts: dict[str, Any] = {"home": str(folder), "bytes": _size(folder)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / "doctor") as tried:
            tried.write_bytes(b"x")
        (folder / "doctor").unlink()
    except OSError as error:
        says = f"{folder} cannot be written ({error.strerror}); choose another folder with MIRDEMO_HOME."
        return Finding("disk", "missing", says, facts)
    free = facts["free"] = shutil.disk_usage(folder).free
    says = f"{free / 1e9:.1f} GB free for {folder}, which holds {facts['bytes'] / 1e6:.0f} MB"
    return Finding("disk", "good" if free >= ENOUGH_DISK else "note", says, facts)


def caches() -> Finding:
    from mirdemo.backbones.hub import cache_folder
    from mirdemo.backbones.registry import specs, status

    folder = cache_folder()
    fetched = [name for name, spec in specs().items() if not spec.embedded and status(name).fetched]
    embedded = [name for name, spec in specs().items() if spec.embedded]
    facts = {"folder": str(folder), "fetched": fetched, "embedded": embedded}
    says = f"at hand: {', '.join([*embedded, *fetched])}; weights of the Hub lie in {folder}"
    return Finding("backbones", "good", says, facts)


def hub() -> Finding:
    """One small request. A machine without it does all but fetch backbones that are not here."""
    import urllib.error
    import urllib.request

    from huggingface_hub import constants

    address = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    facts: dict[str, Any] = {
        "address": address,
        "offline": constants.HF_HUB_OFFLINE,
        "token": "HF_TOKEN" in os.environ,
    }
    without = "backbones that are not here cannot be fetched; give --checkpoint DIR, or use those at hand"
    if constants.HF_HUB_OFFLINE:
        return Finding("hub", "note", f"HF_HUB_OFFLINE is set: {without}", facts | {"reached": False})
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/api/models?limit=1", timeout=PATIENCE):
            pass
    except urllib.error.HTTPError:  # it answers, be it with a refusal
        pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Finding(
            "hub", "note", f"{address} does not answer ({reason}): {without}", facts | {"reached": False}
        )
    return Finding("hub", "good", f"{address} answers", facts | {"reached": True})


def _package() -> Path:
    import mirdemo

    return Path(mirdemo.__file__).parent


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _size(folder: Path) -> int:
    """Bytes in a folder; 0 if there is none."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _tone() -> Any:
    import numpy as np

    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.float32)


def _flac() -> bytes:
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, _tone(), 24_000, format="FLAC")
    return file.getvalue()


def _m4a() -> bytes:
    import io

    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=24_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(_tone()[None], format="fltp", layout="mono")
        frame.sample_rate = 24_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
