"""What a visit found, stage by stage: a row a tag, a column a stage, one scale of words and one metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, TOO_FEW

if TYPE_CHECKING:
    from mirdemo.stages.fewshot import Score
    from mirdemo.stages.finetuning import FineTuneReport
    from mirdemo.stages.probing import ProbeReport

PROBE, FINE_TUNE, FEW_SHOT = "probe", "fine_tune", "few_shot"
STAGES = (PROBE, FINE_TUNE, FEW_SHOT)

#: Why stages may say different words of one tag, for the page to show.
RULE = Sentence(
    "One scale of words, by ROC-AUC on recordings that were not learned from. The probe's words also ask whether chance does as "
    "well, over all tags at once; the other stages have no such test, so there the whole interval has to lie above 0.5. Words "
    "differ where a stage learns otherwise, or where the intervals are too wide to tell.",
    "stages.side_by_side",
)
#: Beside a tag that is heard but given no better than to every clip.
THRESHOLD_OFF = Sentence("ranks it well, its threshold is off", "stages.threshold_off")


@dataclass(frozen=True)
class Cell:
    """What one stage says of one tag.

    word: a code of ``verdicts.SCALE``; roc_auc: with its interval
    threshold_off: it is heard, yet its F1 is no better than that of giving the tag to every clip
    """

    word: str
    roc_auc: Interval
    threshold_off: bool


@dataclass(frozen=True)
class Row:
    """One tag. cells: stage -> what it says, for the stages that know the tag."""

    tag: str
    cells: Mapping[str, Cell]

    @property
    def agreed(self) -> bool:
        """Whether all stages that can say anything say the same word."""
        return len({cell.word for cell in self.cells.values()} - {TOO_FEW}) < 2


def side_by_side(
    tags: Sequence[str],
    *,
    probed: ProbeReport | None = None,
    tuned: FineTuneReport | None = None,
    few_shot: Score | None = None,
) -> tuple[Row, ...]:
    """One row a tag, in the order given. probed, tuned, few_shot: live, of the same clips, as far as they were run"""
    rows = []
    for tag in tags:
        cells = {}
        if probed is not None and tag in probed.tag_names:
            one = probed.tag(tag)
            cells[PROBE] = _cell(one.verdict, one.figures.roc_auc, one.figures.f1, one.chance.f1)
        if tuned is not None and tag in tuned.tag_names:
            gain = tuned.tag(tag)
            cells[FINE_TUNE] = _cell(gain.heard, gain.figures.roc_auc, gain.figures.f1, gain.chance.f1)
        if few_shot is not None:
            for score in few_shot.tags:
                if score.tag == tag and score.roc_auc is not None:
                    off = score.threshold_off(few_shot.n_clips)
                    cells[FEW_SHOT] = Cell(score.verdict, score.roc_auc, off)
        rows.append(Row(tag, cells))
    return tuple(rows)


def _cell(word: str, roc_auc: Interval, f1: Interval, chance_f1: float | None) -> Cell:
    found = word in (HEARD, PARTLY_HEARD)
    known = f1.value is not None and chance_f1 is not None
    return Cell(word, roc_auc, found and known and f1.known <= float(chance_f1 or 0.0))
