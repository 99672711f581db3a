"""Before the start: how many parameters, how long here and on hardware one can rent, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirdemo.backbones.beside_facts import NETWORK
from mirdemo.backbones.beside_facts import SPEC as BESIDE
from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.stages.finetuning import PRICES, FineTuneSettings, duration_estimate, hardware
from mirdemo.stages.finetuning.estimate import states_a_window, visits

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec

#: Seconds until a process of its own has loaded everything.
START_SECONDS = 10.0
#: Dense half-precision multiplications and additions a second, in units of 1e12, as the makers' data sheets give
#: them, and the share of it that work like this is taken to reach; both only for a rough idea before the start.
PEAK_TFLOPS: Mapping[str, float] = {"t4": 65, "l4": 121, "a10g": 70, "a100": 312, "h200": 989}
REACHED = 0.15
#: Seconds that a step takes on any GPU, however small the network.
LEAST_STEP = 0.02
_TRANSFORMERS = ("mert", "qwen2_audio")


def trainable(facts: BackboneSpec) -> bool:
    return facts.tail_blocks > 0


def trained_part(facts: BackboneSpec) -> str | None:
    """The backbone that is the trained network within one that cannot be trained as a whole; None if there is none."""
    return NETWORK.name if facts.family == BESIDE.family else None


def choices(facts: BackboneSpec) -> tuple[int, ...]:
    """How many trailing layers may be chosen: one, two, and what was published."""
    return tuple(sorted({1, 2, facts.tail_blocks})) if trainable(facts) else ()


@dataclass(frozen=True)
class Outlook:
    """What training costs on this machine.

    parameters: to be trained, without the head; None if known only once the backbone is loaded; exact: counted
    prefix, step: seconds a window through the frozen layers, and a window in one step
    basis: as ``finetuning.Duration``; device: as torch names it; hardware: its entry in the price list
    """

    parameters: int | None
    exact: bool
    prefix: float
    step: float
    basis: str
    device: str
    hardware: str | None

    def seconds(self, n_windows: int, settings: FineTuneSettings) -> tuple[float, float]:
        """For the whole job: if every round stops as early as it can, and with every epoch."""
        before = START_SECONDS + self.prefix * n_windows
        least, most = visits(n_windows, settings)
        return before + self.step * least, before + self.step * most


def look_ahead(backbone: str, blocks: int, progress: Progress) -> Outlook:
    """Time a small step here, or read what an earlier run took. Fetches nothing."""
    import torch

    from mirdemo.stages.finetuning.versions import device_name
    from mirdemo.web import gpu
    from mirdemo.web.models import SHELF

    facts, parameters, exact = spec(backbone), None, False
    subject = facts
    if facts.embedded:
        subject = SHELF.take(backbone, progress)
        tail = subject.split(blocks).tail
        parameters, exact = sum(p.numel() for p in tail.parameters() if p.requires_grad), True
    elif facts.family in _TRANSFORMERS:
        parameters = 12 * facts.layers[-1].size ** 2 * blocks
    progress(0, 0, "timing")
    device = "cuda" if torch.cuda.is_available() and not gpu.ZERO else "cpu"
    settings = FineTuneSettings(epochs=1, n_folds=2)
    found = duration_estimate(1, subject, settings, device, blocks=blocks)
    name, (_, most) = device_name(device), visits(1, settings)
    step = found.training / most
    return Outlook(parameters, exact, found.prefix, step, found.basis, name, hardware(name))


def elsewhere(
    facts: BackboneSpec, blocks: int, n_windows: int, settings: FineTuneSettings
) -> dict[str, float]:
    """Hardware of the price list -> seconds for the whole job, from sizes and data sheets: the order of magnitude.

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
