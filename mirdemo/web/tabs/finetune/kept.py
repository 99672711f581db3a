"""What of the fine-tuning tab is kept with a visit: what was chosen, and the verdict with its trained layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.base.plain import Coder
from mirdemo.planning.prices import PRICES
from mirdemo.web.frame.keeping import Keeper
from mirdemo.web.tabs.finetune.desk import EPOCHS, FineTuneDesk
from mirdemo.web.tabs.finetune.running import Result, Wanted
from mirdemo.web.tabs.probe.kept import kinds as probe_kinds

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor


def keeper() -> Keeper:
    return Keeper(_keep, _restore, _kinds, _coders)


def _kinds() -> tuple[type, ...]:
    from mirdemo.backbones.spec import BackboneSpec, Identity, Layer, Part
    from mirdemo.stages.finetuning import Epoch, FineTuneReport, FineTuneSettings
    from mirdemo.stages.finetuning.report import TagGain

    own = (Result, Wanted, FineTuneReport, FineTuneSettings, TagGain, Epoch)
    return (*probe_kinds(), *own, BackboneSpec, Identity, Layer, Part)


def _coders() -> tuple[Coder, ...]:
    from mirdemo.stages.finetuning.tuned import TunedHead

    return (Coder("tuned", TunedHead, TunedHead.state, lambda told: TunedHead.from_state(*told)),)


def _desk(visitor: Visitor) -> FineTuneDesk:
    return visitor.desk(FineTuneDesk)


def _keep(visitor: Visitor) -> dict[str, Any]:
    desk = _desk(visitor)
    return {
        "blocks": dict(desk.blocks),
        "epochs": desk.epochs,
        "prices": dict(desk.prices),
        "result": desk.result,
    }


def _restore(visitor: Visitor, kept: dict[str, Any]) -> None:
    desk, result = _desk(visitor), kept["result"]
    if result is not None and not isinstance(result, Result):
        raise TypeError("result")
    desk.result = result
    desk.blocks = {str(name): int(count) for name, count in kept["blocks"].items()}
    desk.epochs = kept["epochs"] if kept["epochs"] in EPOCHS else desk.epochs
    desk.prices = {
        **PRICES,
        **{name: float(price) for name, price in kept["prices"].items() if name in PRICES},
    }
