"""Before the start: how many parameters, how long here and on hardware one can rent, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirdemo.backbones.beside_facts import NETWORK
from mirdemo.backbones.beside_facts import SPEC as BESIDE
from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.planning.durations import START_SECONDS, duration_estimate, visits
from mirdemo.planning.prices import hardware
from mirdemo.stages.finetuning import FineTuneSettings

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec

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
    from mirdemo.web.models import SHELF
    from mirdemo.web.zero import ZERO

    facts, parameters, exact = spec(backbone), None, False
    subject = facts
    if facts.embedded:
        subject = SHELF.take(backbone, progress)
        tail = subject.split(blocks).tail
        parameters, exact = sum(p.numel() for p in tail.parameters() if p.requires_grad), True
    elif facts.family in _TRANSFORMERS:
        parameters = 12 * facts.layers[-1].size ** 2 * blocks
    progress(0, 0, "timing")
    device = "cuda" if torch.cuda.is_available() and not ZERO else "cpu"
    settings = FineTuneSettings(epochs=1, n_folds=2)
    found = duration_estimate(1, subject, settings, device, blocks=blocks)
    name, (_, most) = device_name(device), visits(1, settings)
    step = found.training / most
    return Outlook(parameters, exact, found.prefix, step, found.basis, name, hardware(name))
