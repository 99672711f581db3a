"""What a tab is to the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import Route

    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.frame.wire import Wire


@dataclass(frozen=True)
class Tab:
    """One tab: its place in the address and in the row of tabs.

    name: in the address (``#clips``), also of its template and its text files
    build: puts its views and handlers on the wire, within its panel
    step: whether it is a numbered step of the procedure
    done: for a step, whether this visitor has done it; the first step not done is offered as the next
    at_once: for a step that answers at once: offered beside the next one as soon as there are clips with tags
    routes: further addresses the tab is served at (downloads), none of them a visitor's
    """

    name: str
    build: Callable[[Wire], None]
    step: bool = False
    done: Callable[[Visitor], bool] | None = None
    at_once: bool = False
    routes: Callable[[], list[Route]] | None = None

    @property
    def label(self) -> str:
        """The key of its name in the row of tabs."""
        return f"{self.name}.tab"
