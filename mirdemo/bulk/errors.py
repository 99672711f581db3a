"""What can go wrong where several workers embed."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class BulkError(MirdemoError):
    """Workers cannot start or go on. One sentence; what was complete is in the store."""
