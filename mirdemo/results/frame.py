"""Which corpora a finding is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

#: The tradition that the others are held against.
WESTERN = "western"


@dataclass(frozen=True)
class Frame:
    """The corpora that a disparity is asked about, and whose music each is. traditions: corpus -> tradition, in order"""

    traditions: Mapping[str, str]

    def only(self, corpora: Collection[str]) -> Frame:
        """Those of ``corpora`` that belong to it."""
        return Frame({c: tradition for c, tradition in self.traditions.items() if c in corpora})
