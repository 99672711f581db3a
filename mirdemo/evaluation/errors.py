"""What the evaluation refuses."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class EvaluationError(MirdemoError):
    """A backbone cannot be evaluated as asked. One sentence: what is wrong, what to do."""
