"""In words: was fine-tuning worth it?

Two differences decide. What training adds: the fine-tuned layers minus the same head on the same layer untrained, in the
same folds. What to do: the fine-tuned layers minus the best probe that there is, which may read another layer, or be
whitened.
"""

from __future__ import annotations

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval, signed

WORTH_IT, NOT_WORTH_IT, CANNOT_TELL = "worth_it", "not_worth_it", "cannot_tell"

#: The smallest gain in ROC-AUC that matters, unless someone says otherwise.
SMALLEST_GAIN = 0.02

#: The rule, for the page to show.
RULE = Sentence(
    "Two differences of ROC-AUC count, both on the same recordings. What training adds: fine-tuned minus the same head on "
    "the same layer untrained. What you gain: fine-tuned minus the best probe. Worth it: the whole interval of the gain "
    "lies above {smallest}, and that of what training adds above 0. Not worth it: one of the two intervals lies wholly "
    "below {smallest}. Cannot tell: anything else, or too few recordings for an interval.",
    "finetuning.rule",
    {"smallest": SMALLEST_GAIN},
)


def verdict(added: Interval, gain: Interval, smallest: float = SMALLEST_GAIN) -> str:
    """One of the three codes, by ``RULE``.

    added: difference of ROC-AUC, fine-tuned minus the head alone; gain: fine-tuned minus the best probe
    """
    if added.low is None or added.high is None or gain.low is None or gain.high is None:
        return CANNOT_TELL
    if gain.low > smallest and added.low > 0:
        return WORTH_IT
    return NOT_WORTH_IT if min(added.high, gain.high) < smallest else CANNOT_TELL


def in_words(code: str, added: Interval, gain: Interval) -> Sentence:
    """The verdict as a sentence with its numbers. code: as ``verdict`` gives it for these two."""
    if added.low is None or added.high is None or gain.low is None or gain.high is None:
        return Sentence("Cannot tell: {n} recordings are too few.", "finetuning.too_few", {"n": gain.n})
    values = {"n": gain.n} | {
        name + end: signed(value)
        for name, one in (("added", added), ("gain", gain))
        for end, value in (("", one.value), ("_low", one.low), ("_high", one.high))
    }
    if code == WORTH_IT:
        return Sentence(
            "Fine-tuning is worth it: it gains {gain} of ROC-AUC over the best probe ({gain_low} to {gain_high}), and "
            "training adds {added} ({added_low} to {added_high}, {n} recordings).",
            "finetuning.worth_it",
            values,
        )
    if code == NOT_WORTH_IT:
        return Sentence(
            "Fine-tuning is not worth it: training adds {added} of ROC-AUC ({added_low} to {added_high}), and against the "
            "best probe it comes to {gain} ({gain_low} to {gain_high}, {n} recordings).",
            "finetuning.not_worth_it",
            values,
        )
    return Sentence(
        "Cannot tell with {n} recordings whether fine-tuning is worth it: training adds {added} of ROC-AUC ({added_low} to "
        "{added_high}), and against the best probe it comes to {gain} ({gain_low} to {gain_high}).",
        "finetuning.cannot_tell",
        values,
    )
