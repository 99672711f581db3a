"""What the probe refuses."""

from __future__ import annotations

from mirdemo.base.sentences import MirdemoError


class ProbeError(MirdemoError):
    """The clips cannot be probed as asked. One sentence: what is wrong, what to do."""
