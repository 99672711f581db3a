"""What of the plan is kept with a visit: what was assumed. The plan follows from it and from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.planning import Assumptions
from mirdemo.web.frame.keeping import Keeper

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.tabs.plan.desk import PlanDesk


def keeper() -> Keeper:
    return Keeper(_keep, _restore)


def _desk(visitor: Visitor) -> PlanDesk:
    from mirdemo.web.tabs.plan.desk import PlanDesk

    return visitor.desk(PlanDesk)


def _keep(visitor: Visitor) -> dict[str, Any]:
    desk = _desk(visitor)
    return {"assumptions": desk.assumptions.as_dict(), "seen": desk.seen}


def _restore(visitor: Visitor, kept: dict[str, Any]) -> None:
    desk = _desk(visitor)
    desk.assumptions, desk.seen = Assumptions.of(kept["assumptions"]), bool(kept["seen"])
