"""From a folder laid out as on the Hub to weights in a network: read safely, matched strictly, or refused.

Nothing here runs code from a repository: configurations are JSON, weights are safetensors or pickles that
torch opens with ``weights_only=True``.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from mirdemo.backbones import files, hub, records
from mirdemo.backbones.spec import BackboneError, BackboneSpec, Identity

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.feature_extraction_utils import FeatureExtractionMixin

Network = TypeVar("Network", bound="PreTrainedModel")
Extractor = TypeVar("Extractor", bound="FeatureExtractionMixin")
Filled = TypeVar("Filled", bound=nn.Module)

#: Raised when the way a fingerprint is computed changes, so that remembered ones are not mixed with new ones.
_FINGERPRINT_VERSION = 1
#: The embedding of masked frames, by the name that all of its family give it.
MASK = "masked_spec_embed"
#: Memory left for the sound, the states and everything else.
_SPARE_BYTES = 300_000_000


def resolve_device(name: str) -> torch.device:
    """``"auto"`` (a CUDA GPU where there is one, else the CPU) or a device as torch writes it. Raises BackboneError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ImportError) as error:  # which of them depends on device and build
        raise BackboneError(
            "This machine has no device {device} that torch can use. Choose auto or cpu.",
            code="backbone.device",
            device=str(name)[:40],
        ) from error
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """``"auto"``: bfloat16 where the device is faster in it, else float32; otherwise the dtype of that name."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
    return torch.bfloat16 if has_bfloat16(device) else torch.float32


def resolve(device: str, dtype: str) -> tuple[torch.device, torch.dtype]:
    """Where and in what a backbone computes. Raises BackboneError."""
    target = resolve_device(device)
    return target, resolve_dtype(dtype, target)


def float32_only(dtype: str, title: str) -> None:
    """Raise BackboneError for another dtype: what a backbone says that is small enough to need none."""
    if dtype not in ("auto", "float32"):
        raise BackboneError(
            "{backbone} computes in float32 only, not in {dtype}. Choose float32 or auto.",
            code="backbone.float32_only",
            backbone=title,
            dtype=dtype,
        )


def has_bfloat16(device: torch.device) -> bool:
    """True if the device multiplies matrices of bfloat16 faster than those of float32.

    Intel's processors with AMX need that, which a host may hide: their AVX-512 alone does half as many products a second (one core
    of family 6, model 207 without AMX: 82 GFLOP/s beside 164 in float32, 1024 x 1024, torch 2.11, one run; see
    ``findings/bfloat16_slower_than_float32.sh``). They are told by float16, in which their AVX-512 computes, too. Cooper Lake, which
    never had AMX, is said to double them, and an AMD EPYC did three times as many.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        halves = "Intel" in str(able.get("cpu_name")) and able.get("avx512_fp16")
        return bool(able.get("amx_bf16") or able.get("bf16") or (able.get("avx512_bf16") and not halves))
    return False


def read_json(folder: Path, name: str, title: str) -> dict[str, Any]:
    """A JSON object in the folder. Raises BackboneError if it is missing or not one."""
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BackboneError(
            "{name} lacks the file {file}. Choose a repository that transformers can load.",
            code="backbone.file_missing",
            name=title,
            file=name,
        ) from error
    except (OSError, ValueError) as error:
        raise damaged(name, title) from error
    if not isinstance(value, dict):
        raise damaged(name, title)
    return value


def weight_files(spec: BackboneSpec, folder: Path) -> list[Path]:
    """The folder's weight files, chosen as in ``files.weights``. Raises BackboneError if there are none."""
    available = {path.name for path in folder.iterdir() if path.is_file()}
    return [folder / name for name in files.weights(spec, available, lambda name: folder / name)]


def read_state(paths: Sequence[Path], title: str, prefixes: tuple[str, ...] = ("",)) -> dict[str, Tensor]:
    """Tensors by name, those beginning with one of ``prefixes`` only and without it.

    They are mapped from the files, not read: a tensor costs memory when it is used. Raises BackboneError if a file
    is damaged, or is a pickle of anything but named tensors.
    """
    state: dict[str, Tensor] = {}
    for path in paths:
        reader = _read_safetensors if path.suffix == ".safetensors" else _read_pickled
        for name, tensor in reader(path, title):
            prefix = next((one for one in prefixes if name.startswith(one)), None)
            if prefix is not None:
                state[name.removeprefix(prefix)] = tensor
    return state


def encoder_state(
    state: Mapping[str, Tensor], prefixes: tuple[str, ...], beside: tuple[str, ...]
) -> dict[str, Tensor]:
    """The encoder's tensors under their own names, all else left out.

    prefixes: what may stand before them, tried in order; where one does, everything without it is left out
    beside: how the names of known heads and decoders begin, left out where there is no prefix
    The embedding of masked frames is always left out: some published checkpoints have it, some do not, and it is used in
    training only.
    """
    for prefix in prefixes:
        inside = {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)}
        if inside:
            break
    else:
        inside = {name: tensor for name, tensor in state.items() if not name.startswith(beside)}
    return {name: tensor for name, tensor in inside.items() if not name.endswith(MASK)}


def _read_safetensors(path: Path, title: str) -> Iterator[tuple[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            yield from ((name, opened.get_tensor(name)) for name in opened.keys())  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise damaged(path.name, title) from error


def _read_pickled(path: Path, title: str) -> Iterator[tuple[str, Tensor]]:
    try:
        # Only the zip form can be mapped; torch's older form is read whole.
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise BackboneError(
            "{file} of {name} holds more than weights, which could run as a program, and was not opened. "
            "Choose a copy in safetensors form.",
            code="backbone.unsafe",
            file=path.name,
            name=title,
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise damaged(path.name, title) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise damaged(path.name, title)
    yield from state.items()


def count(state: Mapping[str, Tensor]) -> int:
    """How many numbers the tensors hold."""
    return sum(tensor.numel() for tensor in state.values())


def damaged(file: str, title: str) -> BackboneError:
    """What is said of a file that is not what its name says."""
    return BackboneError(
        "The file {file} of {name} is damaged or not of its kind. Fetch it again.",
        code="backbone.damaged",
        file=file,
        name=title,
    )


def fill(network: Filled, state: Mapping[str, Tensor], title: str) -> Filled:
    """Put the weights into a network built on the meta device. Every name and shape must match, both ways.

    Raises BackboneError: a part left at random still gives plausible embeddings, so nothing is let pass.
    """
    try:
        missing, unexpected = network.load_state_dict(state, strict=False, assign=True)
    except RuntimeError as error:  # shapes
        raise BackboneError(
            "The weights of {name} do not have the shapes that its configuration says. Fetch it again.",
            code="backbone.shapes",
            name=title,
        ) from error
    if missing or unexpected:
        raise BackboneError(
            "The weights of {name} do not match its network: {missing} missing ({first_missing}), {unexpected} unknown "
            "({first_unexpected}). Choose a copy made for transformers.",
            code="backbone.keys",
            name=title,
            missing=len(missing),
            first_missing=missing[0] if missing else "-",
            unexpected=len(unexpected),
            first_unexpected=unexpected[0] if unexpected else "-",
        )
    empty = [name for name, buffer in network.named_buffers() if buffer.is_meta]
    if empty:  # such as rotary codes, which are computed when a network is built and which no file holds
        raise BackboneError(
            "{name} computes {first} itself ({count} such), which is not computed here. Choose another backbone.",
            code="backbone.empty_buffer",
            name=title,
            first=empty[0],
            count=len(empty),
        )
    return network.eval().requires_grad_(False)


def build(network: type[Network], config: Any) -> Network:
    """The network without memory for weights, to be filled. Safe beside other threads that build networks.

    With torch's fused attention where the class knows how; it gives what the plain form gives to 1e-5.
    """
    if network._supports_sdpa:
        config._attn_implementation = "sdpa"
    with torch.device("meta"):
        return network(config)


def place(network: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """The network's weights onto a device, in a precision."""
    network.to(device=device, dtype=dtype)


def feature_extractor(kind: type[Extractor], values: Mapping[str, Any]) -> Extractor:
    """transformers' feature extractor as the values of a preprocessor_config.json say (``preprocessing.read``)."""
    made = kind.from_dict(dict(values))
    assert isinstance(
        made, kind
    )  # and not a pair, which it gives where keys that it does not use are asked for
    return made


def extracted(extractor: Any, waves: Tensor, **how: Any) -> Mapping[str, Tensor]:
    """What a feature extractor makes of whole waves (batch, samples) at its own rate."""
    return extractor(
        list(waves.cpu().numpy()), sampling_rate=extractor.sampling_rate, return_tensors="pt", **how
    )


def configure(
    config_class: type[PreTrainedConfig] | None, values: Mapping[str, Any], title: str, **forced: Any
) -> Any:
    """A transformers configuration from the values it knows of; ``forced`` ones replace the file's.

    Unknown keys (``auto_map`` to remote code among them) are dropped. Raises BackboneError if a value is impossible.
    """
    from huggingface_hub.errors import StrictDataclassError

    assert config_class is not None  # every class of a network has one
    known = set(config_class.__dataclass_fields__) - {"model_type"}
    # Other names of fields, which older files of the same kind have.
    known |= {name for name, field in config_class.attribute_map.items() if field not in values}
    try:
        config = config_class(**{key: value for key, value in values.items() if key in known} | forced)
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise damaged("config.json", title) from error
    return config


def fingerprint(paths: Sequence[Path], state: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over names, types, shapes and bytes of the tensors, in the order of their names.

    Remembered by the SHA-256 of the files, whose own are remembered too: the second load reads nothing for it.
    """
    key = hashlib.sha256(
        "|".join(
            [str(_FINGERPRINT_VERSION), *sorted(state), *sorted(hub.sha256(path) for path in paths)]
        ).encode()
    ).hexdigest()
    known = records.read("fingerprints", key)
    if known is None:
        digest = hashlib.sha256()
        for name in sorted(state):
            tensor = state[name].contiguous()
            digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
        known = {"sha256": digest.hexdigest()}
        records.write("fingerprints", key, known)
    return known["sha256"]


def identify(
    spec: BackboneSpec, paths: Sequence[Path], state: Mapping[str, Tensor], dtype: torch.dtype
) -> Identity:
    """Identity of a backbone loaded from a local folder; what was fetched from the Hub gets its commit later."""
    return Identity(
        name=spec.name,
        revision="local",
        fingerprint=fingerprint(paths, state),
        dtype=str(dtype).removeprefix("torch."),
        sample_rate=spec.sample_rate,
        window_seconds=spec.window_seconds,
        pooling=spec.pooling,
    )


@contextmanager
def memory(
    title: str, state: Mapping[str, Tensor], device: torch.device, dtype: torch.dtype
) -> Iterator[None]:
    """Refuse before loading what this machine's memory cannot hold; say the same if it runs out anyway."""
    size = count(state) * dtype.itemsize
    shortage = BackboneError(
        "There is not enough memory for {name}, which needs about {megabytes} MB. Close other programs, or choose a "
        "smaller backbone.",
        code="backbone.memory",
        name=title,
        megabytes=f"{(size + _SPARE_BYTES) / 1e6:,.0f}",
    )
    if device.type == "cpu" and (free := available_memory()) is not None and free < size + _SPARE_BYTES:
        raise shortage
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise shortage from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):  # how torch's CPU allocator says it
            raise
        raise shortage from error


def available_memory() -> int | None:
    """Bytes that can still be used on this machine or in this container; None if it cannot be told (not Linux)."""
    try:
        rows = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    free = [int(row.split()[1]) * 1024 for row in rows if row.startswith("MemAvailable:")]
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        # Pages of files count as used but are given back when memory is short.
        statistics = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        cached = sum(
            int(row.split()[1]) for row in statistics if row.startswith(("inactive_file ", "active_file "))
        )
        free.append(limit - used + cached)
    except (OSError, ValueError):  # no such group, or "max": no limit
        pass
    return min(free, default=None)


def fuse_weight_norm(network: nn.Module) -> None:
    """Replace weight-normalised convolutions' two factors by their product: same function, computed once."""
    from torch.nn.utils import parametrize

    for module in network.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")
            module.requires_grad_(False)


def prepared(waves: Tensor, device: torch.device, spec: BackboneSpec) -> Tensor:
    """The waves as float32 on the device. Raises ValueError if they are not (batch, samples) of an allowed length."""
    if waves.ndim != 2 or not spec.min_samples <= waves.shape[1] <= spec.window_samples:
        raise ValueError(
            f"waves must be (batch, samples) with {spec.min_samples} to {spec.window_samples} samples, "
            f"not {tuple(waves.shape)}"
        )
    return waves.to(device=device, dtype=torch.float32)
