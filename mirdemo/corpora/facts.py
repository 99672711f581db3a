"""What is known about a corpus before any of its audio is at hand. Each corpus's facts stand with its reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CorpusFacts:
    """name: as in results; title: as its authors write it; tradition: key of its colour and label.

    tradition_title: language -> what to call a tradition that the page has no word for; without it the title is used
    recordings: (train, valid, test) counts of the published split, None where it is not known
    n_tags: size of the published vocabulary
    audio: how one gets the audio
    page: where it is described and asked for
    licence: as its authors state it, and of what; None where they state none
    layout: what to name what, and where it may lie: a line a thing
    max_seconds: how much of a recording, from its start, the published study used; None: all of it
    """

    name: str
    title: str
    tradition: str
    n_tags: int
    recordings: tuple[int | None, int | None, int | None]
    audio: str
    citation: str
    page: str
    licence: str | None = None
    max_seconds: float | None = None
    tradition_title: Mapping[str, str] = field(default_factory=dict)
    layout: tuple[str, ...] = ()

    @property
    def western(self) -> bool:
        return self.tradition == "western"
