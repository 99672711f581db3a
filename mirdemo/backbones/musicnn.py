"""musicnn: small convolutional networks that were trained to tag Western music, read from their published checkpoint.

Pons et al., "End-to-end learning for music audio tagging at scale", ISMIR 2018 (the network), and Pons and Serra 2019 (the
package ``musicnn``, ISC licence). Its own program needs an old numpy: on a current one its half precision overflows at
loud frames. So only its weights are taken (``backbones/wheels.py``), and the network is written out here: filters as high as
timbres (7 frames by 38 or 67 mel bands) beside filters as long as beats (128, 64, 32 frames of one band), each with its
maximum over the bands; three layers over time, the last two added to what they read; maximum and mean over a patch; two
dense layers. Every activation is rectified before its batch norm.

What it hears: 16 kHz, power of 512 samples every 256 under a Hann window, 96 mel bands after Slaney, ``log10(10000 x + 1)``.
A window is what a patch of 187 frames covers, so that no frame reaches beyond it. The package cuts its patches out of the
spectrogram of a whole recording, and only the very first of its frames sees zeros before the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirdemo.backbones import health, loading, tensor_bundle
from mirdemo.backbones import musicnn_facts as facts
from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Identity

#: What the optimiser kept beside the weights.
_OPTIMISER = ("/Adam", "/Adam_1", "beta1_power", "beta2_power")
#: The package's names of variables count layers in the order they were made.
_CONVOLUTIONS = (
    *(f"timbral.{i}.convolution" for i in range(len(facts.TIMBRAL_BANDS))),
    *(f"temporal.{i}.convolution" for i in range(len(facts.TEMPORAL_FRAMES))),
    *(f"middle.{i}.convolution" for i in range(3)),
)
_NORMS = (
    "input_norm",
    *(name.replace("convolution", "norm") for name in _CONVOLUTIONS),
    "pooled_norm",
    "dense_norm",
)
_NORM_PARTS = {"gamma": "weight", "beta": "bias", "moving_mean": "mean", "moving_variance": "variance"}


class Norm(nn.Module):
    """Batch norm with the statistics of training: the second dimension of (batch, channels, ...)."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=1e-3)


class Timbral(nn.Module):
    """Filters as high as a timbre, anywhere in the spectrum: (batch, 1, frames, bands) -> (batch, filters, frames)."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, facts.TIMBRAL_FILTERS, (7, bands), padding=(3, 0))
        self.norm = Norm(facts.TIMBRAL_FILTERS)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.relu(self.convolution(x))).amax(dim=3)


class Temporal(nn.Module):
    """Filters as long as a beat, each on every band by itself: (batch, 1, frames, bands) -> (batch, filters, frames)."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, facts.TEMPORAL_FILTERS, (frames, 1))
        self.norm = Norm(facts.TEMPORAL_FILTERS)
        self._frames = frames

    def forward(self, x: Tensor) -> Tensor:
        before = (
            self._frames - 1
        ) // 2  # TensorFlow's "same": an even filter has one zero more after than before
        padded = F.pad(x, (0, 0, before, self._frames - 1 - before))
        return self.norm(F.relu(self.convolution(padded))).amax(dim=3)


class Middle(nn.Module):
    """Filters over seven frames of everything below: (batch, channels, frames) -> (batch, filters, frames)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, facts.MIDDLE, 7, padding=3)
        self.norm = Norm(facts.MIDDLE)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.relu(self.convolution(x)))


class Network(nn.Module):
    """Log-mel patches to the states of every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = Norm(1)
        self.timbral = nn.ModuleList(Timbral(bands) for bands in facts.TIMBRAL_BANDS)
        self.temporal = nn.ModuleList(Temporal(frames) for frames in facts.TEMPORAL_FRAMES)
        below = facts.TIMBRAL + facts.TEMPORAL
        self.middle = nn.ModuleList(Middle(channels) for channels in (below, facts.MIDDLE, facts.MIDDLE))
        self.pooled_norm = Norm(2 * facts.POOLED)
        self.dense = nn.Linear(2 * facts.POOLED, facts.UNITS)
        self.dense_norm = Norm(facts.UNITS)
        self.tags = nn.Linear(facts.UNITS, facts.TAGS)

    def forward(self, mel: Tensor) -> list[Tensor]:
        """mel (batch, frames, 96) -> (batch, frames or 1, size) a layer, in the order of the spec."""
        x = self.input_norm(mel[:, None])
        timbral = torch.cat([part(x) for part in self.timbral], dim=1)
        temporal = torch.cat([part(x) for part in self.temporal], dim=1)
        front = torch.cat([timbral, temporal], dim=1)
        first = self.middle[0](front)
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        everything = torch.cat([front, first, second, third], dim=1)
        most, mean = everything.amax(dim=2), everything.mean(dim=2)
        pooled = torch.stack([most, mean], dim=2).flatten(1)  # the two beside each other, channel by channel
        penultimate = self.dense_norm(F.relu(self.dense(self.pooled_norm(pooled))))
        frames = [layer.transpose(1, 2) for layer in (timbral, temporal, third)]
        return [*frames, *(layer[:, None] for layer in (mean, most, penultimate, self.tags(penultimate)))]


class LogMel(nn.Module):
    """Waves (batch, samples) -> (batch, 1 + (samples - 512) // 256, 96), every frame within the wave."""

    window: Tensor
    bands: Tensor

    def __init__(self) -> None:
        super().__init__()
        from torchaudio.functional import melscale_fbanks

        bands = melscale_fbanks(
            facts.FFT // 2 + 1,
            0.0,
            facts.SAMPLE_RATE / 2,
            facts.MELS,
            facts.SAMPLE_RATE,
            norm="slaney",
            mel_scale="slaney",
        )
        self.register_buffer("bands", bands)
        self.register_buffer("window", torch.hann_window(facts.FFT))

    def forward(self, waves: Tensor) -> Tensor:
        spectrum = torch.stft(
            waves,
            facts.FFT,
            facts.HOP,
            window=self.window,
            center=False,
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()
        return torch.log10(10_000.0 * (power.transpose(1, 2) @ self.bands) + 1.0)


class Musicnn(Backbone):
    """A loaded musicnn network."""

    window_threads = 1

    def __init__(
        self, spec: BackboneSpec, identity: Identity, network: Network, device: torch.device
    ) -> None:
        self.spec = spec
        self.identity = identity
        self.device = device
        self._mel = LogMel().to(device)
        self._network = network.to(device)

    def hidden_states(self, waves: Tensor) -> list[Tensor]:
        with torch.no_grad():
            return self._network(self._mel(loading.prepared(waves, self.device, self.spec)))


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> Musicnn:
    """Load from a folder with the two files of the package's checkpoint, ``.index`` and ``.data-00000-of-00001``.

    Raises BackboneError if they are missing, damaged or another network's, and for a dtype other than float32: the network
    is small enough to need no other.
    """
    loading.float32_only(dtype, spec.title)
    paths = [checkpoint / facts.INDEX, checkpoint / facts.DATA]
    state = named(_read(paths, spec))
    network = loading.fill(Network(), state, spec.title)
    identity = loading.identify(spec, paths, state, torch.float32)
    backbone = Musicnn(
        replace(spec, parameters=sum(p.numel() for p in network.parameters())),
        identity,
        network,
        loading.resolve_device(device),
    )
    backbone.health = health.check(backbone)
    return backbone


def _read(paths: Sequence[Path], spec: BackboneSpec) -> dict[str, np.ndarray]:
    for path in paths:
        if not path.is_file():
            raise BackboneError(
                "{name} lacks the file {file}. Give the folder of its checkpoint as the package has it.",
                code="musicnn.file_missing",
                name=spec.title,
                file=path.name,
            )
    try:
        return tensor_bundle.read(paths[0], paths[1], wanted=lambda name: not name.endswith(_OPTIMISER))
    except (OSError, ValueError) as error:
        raise loading.damaged(paths[0].name, spec.title) from error


def named(variables: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """The checkpoint's variables under this network's names, turned as torch lays them; unknown ones keep theirs."""
    names = {}
    for at, norm in enumerate(_NORMS):
        for theirs, ours in _NORM_PARTS.items():
            names[f"batch_normalization{_count(at)}/{theirs}"] = f"{norm}.{ours}"
    for at, convolution in enumerate(_CONVOLUTIONS):
        names[f"conv2d{_count(at)}/kernel"] = f"{convolution}.weight"
        names[f"conv2d{_count(at)}/bias"] = f"{convolution}.bias"
    for at, dense in enumerate(("dense", "tags")):
        names[f"dense{_count(at)}/kernel"] = f"{dense}.weight"
        names[f"dense{_count(at)}/bias"] = f"{dense}.bias"
    state = {}
    for theirs, values in variables.items():
        ours = names.get(theirs, theirs)
        array = np.asarray(values, dtype=np.float32)
        if theirs.startswith("conv2d") and array.ndim == 4:
            array = array.transpose(3, 2, 0, 1)  # (height, width, in, out) -> (out, in, height, width)
            if ours.startswith("middle.") and array.shape[1] == 1:
                array = array[:, 0].transpose(0, 2, 1)  # over all channels at once: (out, channels, frames)
        elif array.ndim == 2:
            array = array.T
        state[ours] = torch.from_numpy(
            np.array(array, order="C")
        )  # torch's own memory, laid out in its order
    return state


def _count(at: int) -> str:
    return f"_{at}" if at else ""
