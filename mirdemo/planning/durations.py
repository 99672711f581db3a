"""How long fine-tuning will take: here from a run like it, else from steps timed now, else from sizes; and elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mirdemo.planning.prices import PEAK_TFLOPS, PRICES
from mirdemo.stages.finetuning.pace import remembered
from mirdemo.stages.finetuning.settings import FineTuneSettings

if TYPE_CHECKING:
    import torch

    from mirdemo.backbones.spec import Backbone, BackboneSpec

#: Seconds until a process of its own has loaded everything.
START_SECONDS = 10.0
#: The share of a GPU's peak that work like this is taken to reach; seconds that a step takes on any GPU, however small
#: the network.
REACHED = 0.15
LEAST_STEP = 0.02
#: By how much the convolutions before the blocks make a window dearer.
_FRONT = 1.5
#: Multiplications of a backward pass per one of the forward pass.
_BACKWARD = 2.0


@dataclass(frozen=True)
class Duration:
    """Seconds to expect, as a range: training may stop itself early.

    prefix: the frozen layers; training: every epoch; least: training, if every fold stops as early as it can
    basis: how sure that is. ``"measured"``: as an earlier run on this device took; ``"timed"``: from steps like those of
        the training, timed just now, while other work may slow down either; ``"sizes"``: for a backbone that is not
        loaded, from its size and the speed of one multiplication here: the order of magnitude; ``"sizes on the cpu"``:
        the same, where the device cannot be reached from here, as outside a ZeroGPU function: then too long
    """

    prefix: float
    training: float
    basis: str
    least: float = 0.0

    @property
    def total(self) -> float:
        """With every epoch."""
        return self.prefix + self.training

    @property
    def soonest(self) -> float:
        return self.prefix + self.least


def visits(n_windows: int, settings: FineTuneSettings) -> tuple[float, float]:
    """How many windows the steps of a whole job see, at least and at most.

    Each of k folds trains on (k - 1) / k of the windows: without those that are held out for no fewer than ``patience``
    + 1 epochs, then on all for as many epochs as were best. The last run is on all windows, for the folds' median.
    """
    first = min(settings.epochs, settings.patience + 1)
    folds, share = settings.n_folds - 1, 1 - settings.held_out
    least = folds * (share * first + 1) + 1
    return n_windows * least, n_windows * settings.epochs * (folds * (share + 1) + 1)


def states_a_window(spec: BackboneSpec) -> float:
    """How many states a backbone's blocks work on for one window, about."""
    return spec.states_a_second * spec.window_seconds


def duration_estimate(
    n_windows: int,
    spec: BackboneSpec | Backbone,
    settings: FineTuneSettings | None = None,
    device: str = "cpu",
    *,
    blocks: int | None = None,
) -> Duration:
    """Seconds that ``fine_tune`` takes for so many windows, the probe not counted.

    spec: the backbone's facts; or the loaded backbone, whose own step is then timed
    device: as torch writes it; blocks: None for the published number
    A finished ``fine_tune`` on this machine is remembered and believed more.
    """
    from mirdemo.backbones.spec import Backbone

    settings = settings or FineTuneSettings()
    loaded, facts = (spec, spec.spec) if isinstance(spec, Backbone) else (None, spec)
    blocks = blocks or facts.tail_blocks or 1
    basis = "timed" if loaded is not None else "sizes"
    if loaded is not None:
        device = str(loaded.device)
    elif not _reachable(device):
        device, basis = "cpu", "sizes on the cpu"
    known = remembered(facts, blocks, device, settings.precision)
    if known is not None:
        prefix, step, basis = known["prefix"], known["training"], "measured"
    elif loaded is not None:
        prefix, step = _timed(loaded, blocks, settings)
    else:
        prefix, step = _by_size(facts, blocks, device)
    least, most = visits(n_windows, settings)
    return Duration(prefix * n_windows, step * most, basis, step * least)


def elsewhere(
    facts: BackboneSpec, blocks: int, n_windows: int, settings: FineTuneSettings
) -> dict[str, float]:
    """Hardware of the price list -> seconds for the whole job, from sizes and data sheets: the order of magnitude.

    blocks: trailing ones that are trained; n_windows: of all clips

    Empty where the backbone's size is not known.
    """
    if not facts.parameters or not facts.layers:
        return {}
    states = states_a_window(facts)
    n_layers = max(1, len(facts.layers) - 1)
    tail = facts.parameters * min(1.0, blocks / n_layers)
    prefix = 2 * states * (facts.parameters - tail) * n_windows
    _, seen = visits(n_windows, settings)
    steps = seen / settings.batch
    training = 6 * states * tail * seen
    return {
        name: START_SECONDS + prefix / rate + max(training / rate, LEAST_STEP * steps)
        for name, rate in ((name, REACHED * 1e12 * peak) for name, peak in PEAK_TFLOPS.items())
        if name in PRICES
    }


def _reachable(device: str) -> bool:
    import torch

    return not device.startswith("cuda") or torch.cuda.is_available()


def _timed(backbone: Any, blocks: int, settings: FineTuneSettings) -> tuple[float, float]:
    """Seconds a window: the prefix, and a training step; each with as many windows at once as the work takes, of noise."""
    import torch

    from mirdemo.stages.finetuning.boundary import windows_at_once
    from mirdemo.stages.finetuning.memory import Room
    from mirdemo.stages.finetuning.step import precision_context

    split, spec = backbone.split(blocks), backbone.spec
    room = Room.on(backbone.device, spec.window_seconds, settings.batch)
    ahead = min(windows_at_once(spec, backbone.device), settings.batch)
    n = max(room.most, ahead)
    waves = 0.1 * torch.randn(n, spec.window_samples, generator=torch.Generator().manual_seed(0))
    context = precision_context(settings.precision, backbone.device)
    optimiser = torch.optim.AdamW(split.tail.parameters(), lr=0.0)

    def gradients() -> None:
        with context():
            out = split.tail(boundary, samples=waves.shape[1])
        out.float().sum().backward()

    def update() -> None:
        optimiser.step()
        optimiser.zero_grad(set_to_none=False)

    boundary = torch.cat([split.prefix(part) for part in waves.split(ahead)])[: room.most]
    prefix = _seconds(lambda: split.prefix(waves[:ahead]), backbone.device) / ahead
    step = (
        _seconds(gradients, backbone.device) / room.most + _seconds(update, backbone.device) / settings.batch
    )
    return prefix, step


def _by_size(spec: BackboneSpec, blocks: int, device: str) -> tuple[float, float]:
    """Seconds a window, from the sizes: multiplications over a rate timed here. The order of magnitude, and rather too long."""
    import torch

    width = spec.layers[-2].size if len(spec.layers) > 1 else 768
    states = states_a_window(spec)
    block = 12 * width**2  # attention's four matrices and two of four times the width
    everything = spec.parameters or block * 12
    rate = _rate(width, max(16, round(states)), torch.device(device))
    forward = 2 * states / rate
    return forward * max(everything - blocks * block, 0) * _FRONT, forward * block * blocks * (1 + _BACKWARD)


_RATES: dict[tuple[int, int, str], float] = {}


def _rate(width: int, states: int, device: torch.device) -> float:
    """Multiplications and additions a second of one block's widest product, float32."""
    import torch

    key = (width, states, str(device))
    if key not in _RATES:
        draw = torch.Generator().manual_seed(0)
        rows = torch.randn(states, width, generator=draw).to(device)
        matrix = torch.randn(width, 4 * width, generator=draw).to(device)
        _RATES[key] = 2 * states * width * 4 * width / _seconds(lambda: rows @ matrix, device)
    return _RATES[key]


def _seconds(work: Any, device: torch.device, rounds: int = 2) -> float:
    """The quicker of a few runs, after one that does not count."""
    import torch

    best = float("inf")
    for turn in range(rounds + 1):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if turn:
            best = min(best, time.perf_counter() - began)
    return best
