"""What of the probe tab is kept with a visit: what was chosen, and every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import specs
from mirdemo.web.frame.keeping import Keeper
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked, Result, Run

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor

_CHOICES = ("protocol", "whiten", "metric", "sort", "mistakes_of", "vocabulary", "template")
_TEXTS = ("prompts", "forms")


def keeper() -> Keeper:
    return Keeper(_keep, _restore, kinds)


def kinds() -> tuple[type, ...]:
    """All that an answer of a probe is made of."""
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.scoring.intervals import Estimate, Interval
    from mirdemo.stages.probing.report import Chance, Figures, MacroReport, ProbeReport, TagReport
    from mirdemo.web.tabs.probe.zero_shot import ZeroShot

    asked = (Asked, InQuestion, Run, ZeroShot)
    return (*asked, ProbeReport, TagReport, MacroReport, Figures, Chance, Interval, Estimate)


def _desk(visitor: Visitor) -> ProbeDesk:
    return visitor.desk(ProbeDesk)


def _keep(visitor: Visitor) -> dict[str, Any]:
    desk = _desk(visitor)
    return {
        **{name: getattr(desk, name) for name in _CHOICES},
        **{name: dict(getattr(desk, name)) for name in _TEXTS},
        "result": _told(desk.result),
        "published": _told(desk.published),
        "words": desk.words,
        "backbone": visitor.backbone,
    }


def _told(result: Result | None) -> tuple[Asked, tuple[Run, ...]] | None:
    """Without the differences, which follow from the runs."""
    return None if result is None else (result.asked, result.runs)


def _restore(visitor: Visitor, kept: dict[str, Any]) -> None:
    desk = _desk(visitor)
    for name in (*_CHOICES, *_TEXTS):
        value = kept[name]
        if not isinstance(value, type(getattr(desk, name))) and name != "whiten":
            raise TypeError(name)
        setattr(desk, name, value)
    for name in ("result", "published"):
        told = kept[name]
        setattr(desk, name, None if told is None else Result.of(*told))
    desk.words = kept["words"]
    if kept["backbone"] in specs():
        visitor.backbone = kept["backbone"]
