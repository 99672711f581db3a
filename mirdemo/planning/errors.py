"""What planning refuses."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class PlanError(MirdemoError):
    """Assumptions or evidence that no plan can be made of: one sentence, what happened and what to do."""
