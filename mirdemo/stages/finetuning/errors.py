"""What fine-tuning refuses."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class FineTuneError(MirdemoError):
    """The clips cannot be fine-tuned on as asked. One sentence: what is wrong, what to do."""
