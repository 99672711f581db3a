"""In words: is a tag heard?"""

from __future__ import annotations

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval

HEARD, PARTLY_HEARD, NOT_HEARD, TOO_FEW = "heard", "partly_heard", "not_heard", "too_few"

#: The lower end of the interval from which a tag is heard, and the p-value under which it is not chance.
HEARD_FROM = 0.75
ALPHA = 0.05
#: With fewer recordings that have the tag, or that do not, there is nothing to say.
FEWEST_RECORDINGS = 3

#: The rule, for the page to show.
RULE = Sentence(
    "Heard: better than chance (p under {alpha}, the interval of ROC-AUC above one half) and the whole interval from {heard} up. Partly heard: better "
    "than chance, but the interval begins lower. Not heard: not surely better than chance, and the whole interval lies under "
    "{heard}. Too few recordings to say: fewer than {fewest} recordings with the tag or without it, or not surely better than "
    "chance though the interval reaches {heard}.",
    "probing.rule",
    {"alpha": ALPHA, "heard": HEARD_FROM, "fewest": FEWEST_RECORDINGS},
)

WORDS = {
    HEARD: Sentence("heard", "probing.heard"),
    PARTLY_HEARD: Sentence("partly heard", "probing.partly_heard"),
    NOT_HEARD: Sentence("not heard", "probing.not_heard"),
    TOO_FEW: Sentence("too few recordings to say", "probing.too_few"),
}


def verdict(auc: Interval, p_value: float | None, with_tag: int, without_tag: int) -> str:
    """One of the four codes, by ``RULE``.

    auc: ROC-AUC with its interval; p_value: of the permutation test (corrected for the choice among layers, while the
    figure is the headline's, so neither alone is enough), None if it was not made; with_tag, without_tag: numbers of recordings
    """
    if min(with_tag, without_tag) < FEWEST_RECORDINGS or auc.low is None or auc.high is None:
        return TOO_FEW
    beyond_chance = auc.low > 0.5 and (p_value is None or p_value < ALPHA)
    if beyond_chance:
        return HEARD if auc.low >= HEARD_FROM else PARTLY_HEARD
    return NOT_HEARD if auc.high < HEARD_FROM else TOO_FEW
