"""In words: was fine-tuning worth it?"""

from __future__ import annotations

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval, signed

WORTH_IT, NOT_WORTH_IT, CANNOT_TELL = "worth_it", "not_worth_it", "cannot_tell"

#: The smallest gain in ROC-AUC that matters, unless someone says otherwise.
SMALLEST_GAIN = 0.02

#: The rule, for the page to show.
RULE = Sentence(
    "The gain is the ROC-AUC of fine-tuning minus that of probing, on the same recordings in the same folds. Worth it: the "
    "whole interval of the gain lies above {smallest}. Not worth it: the whole interval lies below {smallest}. Cannot "
    "tell: the interval holds {smallest}, or there are too few recordings for an interval.",
    "finetuning.rule",
    {"smallest": SMALLEST_GAIN},
)


def verdict(gain: Interval, smallest: float = SMALLEST_GAIN) -> str:
    """One of the three codes, by ``RULE``. gain: difference of ROC-AUC, fine-tuned minus probed."""
    if gain.low is None or gain.high is None:
        return CANNOT_TELL
    if gain.low > smallest:
        return WORTH_IT
    return NOT_WORTH_IT if gain.high < smallest else CANNOT_TELL


def in_words(code: str, gain: Interval) -> Sentence:
    """The verdict as a sentence with its numbers. code: as ``verdict`` gives it."""
    values = {
        "gain": "–" if gain.value is None else signed(gain.value),
        "low": "–" if gain.low is None else signed(gain.low),
        "high": "–" if gain.high is None else signed(gain.high),
        "n": gain.n,
    }
    if gain.low is None or gain.high is None:
        return Sentence("Cannot tell: {n} recordings are too few.", "finetuning.too_few", {"n": gain.n})
    if code == WORTH_IT:
        return Sentence(
            "Fine-tuning is worth it: ROC-AUC changes by {gain} ({low} to {high}, {n} recordings).",
            "finetuning.worth_it",
            values,
        )
    if code == NOT_WORTH_IT:
        return Sentence(
            "Fine-tuning is not worth it: ROC-AUC changes by {gain} ({low} to {high}, {n} recordings).",
            "finetuning.not_worth_it",
            values,
        )
    return Sentence(
        "Cannot tell with {n} recordings whether fine-tuning is worth it: ROC-AUC changes by {gain} ({low} to {high}).",
        "finetuning.cannot_tell",
        values,
    )
