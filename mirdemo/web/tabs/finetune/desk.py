"""What the fine-tuning tab remembers of a visitor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mirdemo.backbones.registry import spec
from mirdemo.clips import LabelledClips
from mirdemo.planning.prices import PRICES
from mirdemo.stages.finetuning import FineTuneSettings
from mirdemo.web.tabs.finetune.order import count_windows
from mirdemo.web.tabs.finetune.outlook import Outlook
from mirdemo.web.tabs.finetune.running import Result, Wanted, Watched

#: How many epochs at most may be chosen.
EPOCHS = (5, 10, 20, 40)


@dataclass
class FineTuneDesk:
    """What this tab remembers of a visitor.

    blocks: chosen for a backbone; outlooks: (backbone, blocks) -> what is known before the start
    hardware: the entry of the price list that counts for this machine, None for the one its name tells
    drawn: charts by what they are drawn of, for a view is drawn often while something runs
    """

    blocks: dict[str, int] = field(default_factory=dict)
    epochs: int = FineTuneSettings().epochs
    prices: dict[str, float] = field(default_factory=lambda: dict(PRICES))
    outlooks: dict[tuple[str, int], Outlook] = field(default_factory=dict)
    windows: tuple[LabelledClips, str, int] | None = None
    watched: Watched | None = None
    result: Result | None = None
    drawn: dict[tuple, Any] = field(default_factory=dict)

    @property
    def has_typed(self) -> bool:
        return self.prices != PRICES

    def wanted(self, backbone: str) -> Wanted:
        blocks = self.blocks.get(backbone) or spec(backbone).tail_blocks
        return Wanted(backbone, blocks, FineTuneSettings(epochs=self.epochs))

    def count(self, clips: LabelledClips, backbone: str) -> int:
        """Windows of the clips, counted once."""
        if self.windows is None or self.windows[0] is not clips or self.windows[1] != backbone:
            self.windows = (clips, backbone, count_windows(clips, backbone))
        return self.windows[2]
