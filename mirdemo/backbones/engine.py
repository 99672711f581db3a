"""A second engine for networks on a processor: OpenVINO, where it is installed (``mirdemo[fast]``), proven and then used.

The network is converted once, from what it reads to the states of all its layers, and kept under ``mirdemo.base.home()``.
On its first load it runs the test sounds through both engines; it is used if it is faithful (cosine of every layer to torch's
in float32 at least ``FAITHFUL``; in bfloat16 the same, or ``ALLOWED``) and faster on this machine, and torch's own states are
used otherwise, and for fine-tuning always. Rows name their engine and precision (``Identity.engine``, ``dtype``), so no store
mixes two.

In eight bits it is computed only where somebody asks for it: its states are other ones. What it wins here stands in its proof;
what it costs a probe is measured by ``evaluation.engines`` and remembered with the proof.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from mirdemo.backbones import eight_bits, records
from mirdemo.backbones.spec import BackboneError
from mirdemo.base import memory, processor, threads
from mirdemo.base.files import whole_folder
from mirdemo.base.home import home
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence

if TYPE_CHECKING:
    from torch import Tensor

    from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity
    from mirdemo.backbones.split import NeuralBackbone

ENGINES = ("auto", "torch", "openvino", "openvino-int8")
#: The least cosine of any layer's states, whole test sounds, to torch's in float32; by the precision computed in.
FAITHFUL = {"float32": 0.9999, "int8": 0.999}
#: In bfloat16, where that asks for more than torch's own bfloat16 gives: what may be missing to a cosine of 1, as a multiple of
#: what torch misses. Both round what they multiply, at other places.
ALLOWED = 1.5
#: Units that add products of eight bits without overflow, the first that is there; without one nothing would be won.
EIGHT_BIT_UNITS = ("amx_int8", "avx512_vnni", "avx_vnni")
#: Changes with the test, so that older outcomes are not believed.
VERSION = 5
_ROUNDS = 3
#: Memory that conversion and proof take for a time, as a multiple of the weights in float32 (MERT-330M 1.9 in float32 and 2.7
#: in bfloat16, Qwen2-Audio's tower with its long windows 4.1; one run each).
_MEMORY = 4
_MODEL = "network.xml"


@dataclass(frozen=True)
class Proof:
    """What a converted network was found to be on this machine.

    engine: its name and version; precision: ``"float32"``, ``"bfloat16"`` or ``"int8"``
    cosine: to float32, the lowest of any layer on whole windows; least: what it has to be
    any_length: shorter windows are as faithful; else torch computes them
    seconds, seconds_torch: of a window, the least of ``_ROUNDS`` rounds, one engine after the other, since what else this
        machine does only adds to them; torch in float32, or in bfloat16 beside an engine in bfloat16
    conversion_seconds: what the first load took longer
    auc_change: the largest change of a probe's ROC-AUC, of any tag in any layer, and auc_recordings: of how many
        (``evaluation.engines``); None: not measured here
    """

    engine: str
    precision: str
    cosine: float
    least: float
    any_length: bool
    seconds: float
    seconds_torch: float
    conversion_seconds: float
    auc_change: float | None = None
    auc_recordings: int | None = None

    @property
    def faithful(self) -> bool:
        return self.cosine >= self.least

    @property
    def faster(self) -> float:
        """How many times as fast as torch."""
        return self.seconds_torch / self.seconds

    def wins(self, asked: bool) -> bool:
        """Whether it is used. asked: even where it is slower"""
        return self.faithful and (asked or self.faster > 1)


class Engine:
    """A converted network, compiled for this machine. ``states`` takes what ``NeuralBackbone.features`` gives."""

    def __init__(self, folder: Path, precision: str, proof: Proof | None = None) -> None:
        import openvino
        import torch

        core = openvino.Core()
        self.proof = proof
        self._compiled = core.compile_model(
            core.read_model(folder / _MODEL),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "PERFORMANCE_HINT": "LATENCY",
                # Bound to cores, two processes would share one and leave the other idle.
                "ENABLE_CPU_PINNING": False,
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
            },
        )

    def takes(self, samples: int, spec: BackboneSpec) -> bool:
        """Whether it computes waves of this length; torch does if not."""
        return self.proof is None or self.proof.any_length or samples == spec.window_samples

    def states(self, features: Tensor) -> list[Tensor]:
        """The states of every layer, float32 on the processor. Safe beside other threads."""
        import torch

        found = self._compiled.create_infer_request().infer({0: features.float().contiguous().numpy()})
        return [torch.from_numpy(found[i].copy()) for i in range(len(found))]


def installed(precision: str = "float32") -> str | None:
    """The engine's name and version, as ``Identity.engine`` has it; for eight bits with the units that add them, since other
    units may round otherwise. None where it is not installed, or has no units for this."""
    try:
        name = f"openvino {version('openvino')}"
    except PackageNotFoundError:
        return None
    if precision == "float32":
        return name
    if precision == "bfloat16":
        return name if _multiplies_bfloat16() else None
    import torch

    held = torch.cpu.get_capabilities()  # on every system, which ``processor.units`` cannot tell
    unit = next((one for one in EIGHT_BIT_UNITS if held.get(one)), None)
    return unit and f"{name}, 8 bits by rows on {unit}"


@cache
def _multiplies_bfloat16() -> bool:
    """Whether OpenVINO would; where this processor cannot it computes in float32, whatever it was told."""
    try:
        import openvino

        return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except Exception:  # an installation that is broken: torch goes on
        return False


def choose(backbone: Backbone, wanted: str = "auto", progress: Progress = silent) -> Proof | None:
    """Let a loaded backbone compute with the engine that ``wanted`` names, and say what it was found to be.

    wanted: ``"auto"`` (OpenVINO where it is installed, faithful and faster, in the backbone's own precision, float32 or
        bfloat16), ``"torch"``, ``"openvino"`` (also where it is slower), or ``"openvino-int8"`` (likewise, in eight bits, from
        float32; ``backbone.warnings`` then says what that wins and costs). None: nothing was tried.
    progress: phase ``"converting"``

    Raises BackboneError for an engine of OpenVINO's that cannot be had: not installed, a GPU or another precision, a backbone
    that is no transformer, too little memory to convert it, or a copy of it that is not faithful.
    """
    if wanted == "torch":
        return None  # and OpenVINO is not loaded to be asked what it could
    own = backbone.identity.dtype
    precision = "int8" if wanted == "openvino-int8" else own
    can = backbone.device.type == "cpu" and backbone.convertible
    can = can and (own == "float32" or (precision == "bfloat16" and installed("bfloat16") is not None))
    name = installed(precision if can else "float32")
    if wanted == "auto" and not (name and can):
        return None
    if name is None and precision == "int8" and installed():
        raise BackboneError(
            "This processor has no units for products of eight bits (VNNI), and int8 would not be faster. Use the engine openvino.",
            code="backbone.no_eight_bits",
        )
    if name is None:
        raise BackboneError(
            "OpenVINO is not installed here. Install it (pip install 'mirdemo[fast]'), or use the engine torch.",
            code="backbone.no_engine",
        )
    if not can:
        raise BackboneError(
            "{name} computes with torch alone: OpenVINO takes transformers on a processor in float32, or in bfloat16 where the "
            "processor multiplies that. Use the engine torch, or float32.",
            code="backbone.engine_unfit",
            name=backbone.spec.title,
        )
    network: NeuralBackbone = backbone  # type: ignore[assignment]  # what is convertible is one
    try:
        proof, engine = _proven(network, name, precision, wanted != "auto", progress)
    except Exception as error:  # a converter raises what it likes; torch goes on
        if wanted == "auto":
            return None
        if isinstance(error, BackboneError):
            raise
        raise BackboneError(
            "{name} could not be converted for OpenVINO ({reason}). Use the engine torch.",
            code="backbone.engine_failed",
            name=backbone.spec.title,
            reason=type(error).__name__,
        ) from error
    if wanted != "auto" and not proof.faithful:
        raise BackboneError(
            "OpenVINO gives other states for {name} (cosine {cosine}). Use the engine torch.",
            code="backbone.engine_unfaithful",
            name=backbone.spec.title,
            cosine=f"{proof.cosine:.4f}",
        )
    if engine is not None:
        network.engine = engine
        network.identity = replace(network.identity, engine=name, dtype=precision)
        if precision == "int8":
            network.warnings = (*network.warnings, _cost(proof, backbone.spec.name))
    return proof


def _cost(proof: Proof, backbone: str) -> Sentence:
    """What eight bits win and lose, as far as it was measured here."""
    facts = {"cosine": f"{proof.cosine:.4f}", "times": f"{proof.faster:.1f}"}
    if proof.auc_change is None:
        return Sentence(
            "Computed in int8: lowest cosine to float32 {cosine}, {times} times torch's speed in one short trial. What it "
            "changes in a probe was not measured here: python -m mirdemo engines {name} does.",
            "backbone.int8_unmeasured",
            facts | {"name": backbone},
        )
    return Sentence(
        "Computed in int8: lowest cosine to float32 {cosine}, {times} times torch's speed in one short trial. On n = {n} "
        "synthetic recordings a probe's ROC-AUC changed by at most {change} for any tag in any layer (no interval).",
        "backbone.int8_cost",
        facts | {"change": f"{proof.auc_change:.3f}", "n": proof.auc_recordings},
    )


def remember_cost(identity: Identity, change: float, recordings: int) -> Proof | None:
    """Keep beside a network's proof what it changes in a probe. identity: of a backbone that computes with the engine.

    None where there is no proof of it on this machine.
    """
    key = _key(identity)
    known = _recalled(key)
    if known is None:
        return None
    proof = replace(known, auc_change=change, auc_recordings=recordings)
    records.write("engine", key, asdict(proof))
    return proof


def _key(identity: Identity) -> str:
    """identity: with the engine and precision asked about"""
    import torch

    facts = (
        identity.fingerprint,
        identity.engine,
        identity.dtype,
        torch.__version__,
        threads.cores(),
        processor.units(),
        VERSION,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _folder(identity: Identity) -> Path:
    return home() / "engines" / _key(identity)


def _proven(
    backbone: NeuralBackbone, name: str, precision: str, asked: bool, progress: Progress
) -> tuple[Proof, Engine | None]:
    """What an earlier load found, or convert and test now; and the compiled network if it wins, else its files go.

    A network that could not be converted, or is not faithful, is tried again only when it is asked for.
    """
    identity = replace(backbone.identity, engine=name, dtype=precision)
    key, folder = _key(identity), _folder(identity)
    known = _recalled(key)
    if known is not None:
        if known.wins(asked) and (folder / _MODEL).is_file():
            return known, Engine(folder, precision, known)
        if not known.wins(asked) and not asked:
            return known, None
    if not (folder / _MODEL).is_file():
        _require_memory(backbone)
    progress(0, 0, "converting")
    began = time.perf_counter()
    try:
        reference = backbone.in_float32() if precision == "bfloat16" else backbone
        if not (folder / _MODEL).is_file():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with whole_folder(folder) as part:
                _convert(reference, part / _MODEL, precision)
        engine = Engine(folder, precision)
        proof = _tried(backbone, reference, engine, name, precision, began)
    except OSError:  # no room: another time, perhaps
        raise
    except Exception:
        spent = time.perf_counter() - began
        records.write("engine", key, asdict(Proof(name, precision, -1.0, 1.0, False, 1.0, 1.0, spent)))
        raise
    records.write("engine", key, asdict(proof))
    del reference
    memory.give_back()
    if proof.wins(asked):
        engine.proof = proof
        return proof, engine
    shutil.rmtree(folder, ignore_errors=True)
    return proof, None


def _require_memory(backbone: NeuralBackbone) -> None:
    """Refuse what would end in the middle, with all that runs beside it. Raises BackboneError."""
    from mirdemo.backbones.loading import available_memory

    held = {
        one for module in backbone.modules() for one in module.parameters()
    }  # some are in several modules
    needed, free = _MEMORY * 4 * sum(one.numel() for one in held), available_memory()
    if free is not None and free < needed:
        raise BackboneError(
            "There is not enough memory to convert {name} for OpenVINO, which takes about {megabytes} MB, once. Close other "
            "programs, or use the engine torch.",
            code="backbone.engine_memory",
            name=backbone.spec.title,
            megabytes=f"{needed / 1e6:,.0f}",
        )


def _recalled(key: str) -> Proof | None:
    try:
        return Proof(**(records.read("engine", key) or {}))
    except TypeError:  # none, or of another version
        return None


def _convert(backbone: NeuralBackbone, path: Path, precision: str = "float32") -> None:
    import logging
    import warnings

    import openvino
    import torch

    network = backbone.in_products() if precision == "int8" else backbone

    class Whole(torch.nn.Module):
        """From what the network reads to the states of all layers. Registered, so that its weights are constants."""

        def __init__(self) -> None:
            super().__init__()
            self.parts = torch.nn.ModuleList(network.modules())

        def forward(self, features: Tensor) -> tuple[Tensor, ...]:
            return tuple(network.states(network.enter(features)))

    given = backbone.features(_sounds(backbone.spec)[:2])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracing: what is not faithful shows when it is tried
        logging.getLogger("torch.jit").setLevel(logging.ERROR)
        # OpenVINO would have it traced anew to check the trace, which takes as long again: it is tried as a whole below.
        traced = torch.jit.trace(Whole().eval(), given, strict=False, check_trace=False)
        model = openvino.convert_model(traced, example_input=given)
    if precision == "int8":
        eight_bits.round_rows(model)
    openvino.save_model(model, path, compress_to_fp16=False)


def _tried(
    backbone: NeuralBackbone,
    reference: NeuralBackbone,
    engine: Engine,
    name: str,
    precision: str,
    began: float,
) -> Proof:
    """reference: the backbone in float32"""
    import torch

    sounds = _sounds(backbone.spec)
    converted = time.perf_counter() - began

    def theirs(waves: Tensor) -> Sequence[Tensor]:
        return engine.states(backbone.features(waves))

    def own(waves: Tensor) -> Sequence[Tensor]:
        return _states(backbone, waves)

    with backbone.computing(), torch.no_grad():
        whole = _states(reference, sounds)
        if precision == "bfloat16":
            least = min(FAITHFUL["float32"], 1 - ALLOWED * (1 - _agreement(own(sounds), whole)))
        else:
            least = FAITHFUL[precision]
        # Unlike numbers of rows: a number that tracing has frozen fails here.
        cosine = min(
            _agreement(theirs(sounds), whole),
            _agreement(theirs(sounds[:1]), [layer[:1] for layer in whole]),
        )
        del whole
        short = sounds[:1, : max(backbone.spec.min_samples, sounds.shape[1] // 3)]
        try:
            any_length = _agreement(theirs(short), _states(reference, short)) >= least
        except RuntimeError:
            any_length = False
        seconds: list[float] = []
        seconds_torch: list[float] = []
        for _ in range(_ROUNDS):
            seconds.append(_seconds(lambda: theirs(sounds[:1])))
            seconds_torch.append(_seconds(lambda: own(sounds[:1])))
    return Proof(name, precision, cosine, least, any_length, min(seconds), min(seconds_torch), converted)


def _states(reference: NeuralBackbone, waves: Tensor) -> list[Tensor]:
    return reference.states(reference.front(waves))


def _agreement(states: Sequence[Tensor], reference: Sequence[Tensor]) -> float:
    """The lowest cosine of any layer to the reference's, -1 for states of another shape or that are not finite."""
    lowest = 1.0
    for ours, theirs in zip(states, reference, strict=True):
        if ours.shape != theirs.shape or not bool(ours.isfinite().all()):
            return -1.0
        one, other = ours.double().flatten(), theirs.double().flatten()
        lowest = min(lowest, float(one @ other / (one.norm() * other.norm() + 1e-30)))
    return lowest


def _sounds(spec: BackboneSpec) -> Tensor:
    """Three unlike whole windows, float32 (3, samples): a glide with beats, noise that swells, a chord that ends early."""
    import torch

    seconds = torch.arange(spec.window_samples) / spec.sample_rate
    share = torch.linspace(0, 1, spec.window_samples)
    noise = torch.randn(spec.window_samples, generator=torch.Generator().manual_seed(0))
    glide = torch.sin(2 * torch.pi * (110 * seconds + 40 * seconds**2)) * (seconds * 2 % 1 < 0.5)
    chord = sum(torch.sin(2 * torch.pi * hertz * seconds) for hertz in (220.0, 277.2, 329.6))
    return torch.stack([0.3 * glide, 0.1 * noise * share, 0.1 * torch.as_tensor(chord) * (share < 0.7)])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
