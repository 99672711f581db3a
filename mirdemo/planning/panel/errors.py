"""What the listening panel refuses."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class PanelError(MirdemoError):
    """A panel that cannot be made, or a file that is none of its answers: one sentence, what happened and what to do."""
