"""Other clips in the place of those that are held, in a way that can be taken back."""

from __future__ import annotations

from collections.abc import Callable

from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.web.frame.session import Visitor


def change(
    visitor: Visitor, after: LabelledClips, told: Sentence, again: Callable[[], None] = lambda: None
) -> None:
    """Hold other clips in a way that can be taken back. again: takes back what is not the clips'"""
    before = visitor.clips
    visitor.hold(after)

    def undo() -> None:
        now = visitor.clips
        visitor.hold(before if now is after else before.add(now))  # what came meanwhile stays
        again()

    visitor.tell(told, undo=undo)
