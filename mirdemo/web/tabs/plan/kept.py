"""What of the plan is kept with a visit: what was assumed, and the listening panel with its answers. The plan follows from
these and from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.planning import Assumptions
from mirdemo.planning.panel import Panel, read_answers
from mirdemo.web.frame.keeping import Keeper

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.tabs.plan.desk import PanelDesk, PlanDesk

_CHOICES = ("machine", "beside", "most")


def keeper() -> Keeper:
    return Keeper(_keep, _restore)


def panel_keeper() -> Keeper:
    """The panel as its key and its answers as their listeners' files, so that they are read with all the care these are.

    The sounds of new recordings go along; what was before each act, and so taking it back, does not.
    """
    return Keeper(_keep_panel, _restore_panel)


def _desk(visitor: Visitor) -> PlanDesk:
    from mirdemo.web.tabs.plan.desk import PlanDesk

    return visitor.desk(PlanDesk)


def _panel_desk(visitor: Visitor) -> PanelDesk:
    from mirdemo.web.tabs.plan.desk import PanelDesk

    return visitor.desk(PanelDesk)


def _keep(visitor: Visitor) -> dict[str, Any]:
    desk = _desk(visitor)
    return {"assumptions": desk.assumptions.as_dict(), "seen": desk.seen}


def _restore(visitor: Visitor, kept: dict[str, Any]) -> None:
    desk = _desk(visitor)
    desk.assumptions, desk.seen = Assumptions.of(kept["assumptions"]), bool(kept["seen"])


def _keep_panel(visitor: Visitor) -> dict[str, Any] | None:
    desk = _panel_desk(visitor)
    now = desk.now
    if now.panel is None and not desk.new.clips:
        return None
    return {
        **{name: getattr(desk, name) for name in _CHOICES},
        "key": None if now.panel is None else now.panel.as_json(),
        "answers": [one.as_json() for one in now.answers],
        "clips": now.clips,
        "new": desk.new.clips,
        "new_recordings": desk.new.recordings,
    }


def _restore_panel(visitor: Visitor, kept: dict[str, Any]) -> None:
    """Raises PanelError, KeyError, TypeError or ValueError for what was not kept so."""
    from mirdemo.web.tabs.plan.desk import Listening
    from mirdemo.web.tabs.plan.new_clips import New
    from mirdemo.web.tabs.plan.panel import with_answers

    desk = _panel_desk(visitor)
    for name in _CHOICES:
        if type(kept[name]) is not type(getattr(desk, name)):
            raise TypeError(name)
        setattr(desk, name, kept[name])
    new = [(c, str(r)) for c, r in zip(kept["new"], kept["new_recordings"], strict=True) if c is not None]
    desk.new = New(tuple(c for c, _ in new), tuple(r for _, r in new))
    if kept["key"] is None:
        return
    panel = Panel.from_json(kept["key"])
    here = tuple(
        clip for clip in kept["clips"] if clip is not None
    )  # of a visit kept by hashes some may be missing
    desk.now = with_answers(
        Listening(panel, None, here), tuple(read_answers(one, panel) for one in kept["answers"])
    )
    desk.listeners = desk.now.listeners
