"""Which ranks models can have on one corpus, all pairs of them looked at together.

Where every record carries the influences of the same test recordings, models are held against each other recording by
recording; otherwise each by its own interval, which supposes independent errors and so tells fewer apart where the
recordings are the same. Either way the limits hold for all pairs at once (``mirdemo.scoring.simultaneous``), and models
share a letter unless they are surely apart. Without intervals there are no ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.results.bias import Comparison, independent
from mirdemo.results.records import Result
from mirdemo.scoring.simultaneous import Paired, better, letters, rank_ranges


@dataclass(frozen=True)
class Rank:
    """first, last: the ranks a model can have, 1 the best, among ``of`` models; letters: shared with those that it is
    not told apart from; paired: whether the models were held against each other recording by recording
    """

    first: int
    last: int
    of: int
    letters: str
    paired: bool


def ranks(records: Iterable[Result]) -> dict[str, Rank | None]:
    """Model -> its ranks on one corpus, best figure first; every one None if a figure lacks an interval.

    records: one a model, of one comparison and one corpus. Raises ValueError otherwise.
    """
    records = sorted(records, key=lambda r: -r.value)
    if len({Comparison.of(r) for r in records}) > 1 or len({r.corpus for r in records}) > 1:
        raise ValueError("only figures of one comparison on one corpus can be ranked")
    if len({r.model for r in records}) < len(records):
        raise ValueError("a model has more than one figure")
    paired = _paired(records)
    figures = paired or independent(records)
    if figures is None:
        return {r.model: None for r in records}
    surely = better(figures)
    named = zip(records, rank_ranges(surely), letters(surely, figures.values), strict=True)
    return {r.model: Rank(*ends, len(records), of, paired is not None) for r, ends, of in named}


def paired_error(first: Result, second: Result) -> float | None:
    """The standard error of the first figure minus the second on the same recordings; None where they cannot be paired."""
    both = _paired([first, second])
    return None if both is None else float(both.errors[0, 1])


def _paired(records: Sequence[Result]) -> Paired | None:
    """The figures with the influences of the same test recordings; None where one has none or of other recordings.

    Few-shot figures too are None: their draws of the support sets add to their errors, and no influence tells of those.
    """
    if any(r.method == "fewshot" for r in records):
        return None
    tested = {(r.corpus_revision, r.split, len(r.influences or ())) for r in records}
    if len(tested) > 1 or not all(r.influences and r.corpus_revision for r in records):
        return None
    return Paired(np.array([r.value for r in records]), np.array([r.influences for r in records]))
