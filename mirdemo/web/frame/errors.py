"""What the page itself refuses."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class PageError(MirdemoError):
    """Something asked of the page that it cannot do: one sentence, what happened and what to do."""
