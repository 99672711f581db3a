"""What is said beside a figure that goes home while nobody has said which clips are from one performance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mirdemo.base.plain import of_parts
from mirdemo.base.sentences import Sentence

if TYPE_CHECKING:
    from mirdemo.clips.counting import Groups
    from mirdemo.clips.labelled import LabelledClips

#: Begins the names under which the settings of a result hold it.
_SETTING = "in_question_"


@dataclass(frozen=True)
class InQuestion:
    """An open question "are these clips from one performance?", as it bears on figures.

    clips: how many it is about; counted_as: recordings that these count as
    counted: recordings in all, the count that the figures are of; recordings: in all, were they all different
    """

    clips: int
    counted_as: int
    counted: int
    recordings: int

    @classmethod
    def of(cls, clips: LabelledClips) -> InQuestion | None:
        """None where nothing is in question."""
        return cls.of_rows(clips.in_question, clips.counted, clips.recordings)

    @classmethod
    def of_rows(
        cls, in_question: Groups, counted: Sequence[str], recordings: Sequence[str]
    ) -> InQuestion | None:
        """in_question: groups of rows; counted, recordings: of each clip, as ``counting`` has them"""
        rows = {row for group in in_question for row in group}
        if not rows:
            return None
        counted_as = len({counted[row] for row in rows})
        return cls(len(rows), counted_as, len(set(counted)), len(set(recordings)))

    @property
    def sentence(self) -> Sentence:
        """One sentence for a card, a report, a file."""
        if self.counted_as == 1:
            return Sentence(
                "{clips} clips count as one recording because nobody has said yet whether they are from one performance "
                "(recordings in all: {counted} instead of {recordings}).",
                "clips.counts_as_one",
                asdict(self),
            )
        return Sentence(
            "{clips} clips count as {counted_as} recordings because nobody has said yet which of them are from one "
            "performance (recordings in all: {counted} instead of {recordings}).",
            "clips.counts_as_few",
            asdict(self),
        )

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Any) -> InQuestion | None:
        """As ``as_dict`` gave it; None for None. Raises ValueError."""
        return None if told is None else of_parts(cls, told)

    def as_setting(self) -> dict[str, int]:
        """As the settings of a result (``results.records``) hold it."""
        return {_SETTING + name: value for name, value in asdict(self).items()}

    @classmethod
    def of_setting(cls, setting: Mapping[str, Any]) -> InQuestion | None:
        """None where a result's settings hold none, or something else under these names."""
        told = {name.removeprefix(_SETTING): v for name, v in setting.items() if name.startswith(_SETTING)}
        try:
            return of_parts(cls, told) if told else None
        except ValueError:
            return None
