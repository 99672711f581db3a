"""What a visit found, stage by stage: a row a tag, a column a stage and backbone, one scale of words and one metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval, perfect_estimate
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, TOO_FEW, verdict

if TYPE_CHECKING:
    from mirdemo.stages.fewshot import Score
    from mirdemo.stages.finetuning import FineTuneReport
    from mirdemo.stages.probing import ProbeReport

PROBE, FINE_TUNE, FEW_SHOT = "probe", "fine_tune", "few_shot"
STAGES = (PROBE, FINE_TUNE, FEW_SHOT)

#: Folds of the one draw that fine-tuning's figures rest on.
_FOLDS = 5

#: The rule of all columns, for the page to show.
RULE = Sentence(
    "One scale of words, by ROC-AUC on recordings that were not learned from. The probe's words also ask whether chance does as "
    "well, over all tags at once; the other stages have no such test, so there the whole interval has to lie above 0.5. Words "
    "differ where a stage learns otherwise, or where the intervals are too wide to tell.",
    "stages.side_by_side",
)
#: Beside a tag that is heard but given no better than to every clip.
THRESHOLD_OFF = Sentence("ranks it well, its threshold is off", "stages.threshold_off")
#: Why two columns say different words of one tag.
UNSURE = Sentence("One interval is too wide to tell.", "stages.unsure")
ALIKE = Sentence(
    "The figures do not clearly differ; the words fall on either side of a limit.", "stages.alike"
)
OTHER_BACKBONE = Sentence("The backbones, or their whitening, differ.", "stages.other_backbone")
OTHER_WAY = Sentence("The stages learn differently.", "stages.other_way")


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
class Column:
    """What one stage says with one backbone, whitened or not. cells: (n_tags,), None for a tag that it does not know"""

    stage: str
    backbone: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class Row:
    """One tag. cells: one a column; why: the reasons for which they do not all say one word, none where they do"""

    tag: str
    cells: tuple[Cell | None, ...]
    why: tuple[Sentence, ...]


@cache
def best_words(with_tag: int, without_tag: int) -> dict[str, str]:
    """The best word that so many recordings allow of the stages beside the probe, however well a tag is heard: of a ranking
    without an error, one clip a recording, by their own intervals. The probe's: ``verdicts.best_possible``."""
    from mirdemo.stages.fewshot.scoring import taught_too

    perfect = perfect_estimate(with_tag, without_tag)
    found = {FINE_TUNE: perfect.trained_again(_FOLDS), FEW_SHOT: taught_too(perfect)}
    return {
        stage: verdict(figure.intervals().at(), None, with_tag, without_tag)
        for stage, figure in found.items()
    }


def side_by_side(tags: Sequence[str], columns: Sequence[Column]) -> tuple[Row, ...]:
    """One row a tag, in the order given. columns: live, of the same clips"""
    rows = []
    for place, tag in enumerate(tags):
        cells = tuple(column.cells[place] for column in columns)
        rows.append(Row(tag, cells, _why(cells, columns)))
    return tuple(rows)


def cells(found: ProbeReport | FineTuneReport | Score, tags: Sequence[str]) -> tuple[Cell | None, ...]:
    """What a stage's report, or few-shot's own score, says of each tag: (n_tags,)"""
    by_name = {one.tag: one for one in found.tags}
    return tuple(_cell(by_name[tag], found.n_clips) if tag in by_name else None for tag in tags)


def _cell(one, n_clips: int) -> Cell | None:
    """one: what the report says of one tag, ``TagReport``, ``TagGain`` or ``TagScore``"""
    if hasattr(one, "threshold_off"):
        return None if one.roc_auc is None else Cell(one.verdict, one.roc_auc, one.threshold_off(n_clips))
    word = getattr(one, "heard", one.verdict)  # fine-tuning's verdict is whether it was worth it
    f1, chance = one.figures.f1.value, one.chance.f1
    found = word in (HEARD, PARTLY_HEARD)
    off = found and f1 is not None and chance is not None and f1 <= chance
    return Cell(word, one.figures.roc_auc, off)


def _why(cells: Sequence[Cell | None], columns: Sequence[Column]) -> tuple[Sentence, ...]:
    there = [(cell, column.backbone) for cell, column in zip(cells, columns, strict=True) if cell is not None]
    reasons = set()
    for (one, backbone), (two, other) in combinations(there, 2):
        if one.word == two.word:
            continue
        if TOO_FEW in (one.word, two.word):
            reasons.add(UNSURE.code)
        elif _alike(one.roc_auc, two.roc_auc):
            reasons.add(ALIKE.code)
        else:
            reasons.add((OTHER_WAY if backbone == other else OTHER_BACKBONE).code)
    return tuple(one for one in (OTHER_BACKBONE, OTHER_WAY, ALIKE, UNSURE) if one.code in reasons)


def _alike(one: Interval, two: Interval) -> bool:
    """Whether each figure lies within the other's interval."""
    if one.low is None or one.high is None or two.low is None or two.high is None:
        return False
    return one.low <= two.known <= one.high and two.low <= one.known <= two.high
