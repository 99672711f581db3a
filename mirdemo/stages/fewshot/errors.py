"""What few-shot tagging refuses, and the checks that every method shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirdemo.base.sentences import MirdemoError
from mirdemo.scoring.labelling import Labelling, LabellingError

#: Embeddings beyond this are broken; below it, squares stay finite in float64.
LARGEST_VALUE = 1e15


class FewShotError(MirdemoError):
    """A support set, a query or a choice cannot be used. One sentence: what happened, what to do."""


def check_embeddings(values: np.ndarray, *, dim: int | None = None) -> np.ndarray:
    """Embeddings as float64 (n, dim), or a FewShotError.

    values: (n, dim), or one row (dim,); finite, at most 1e15 in size. dim: the size they must have.
    """
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise FewShotError(
            "Embeddings of shape {shape} cannot be used. Give one row for each clip.",
            code="fewshot.embedding_shape",
            shape="x".join(str(n) for n in rows.shape),
        )
    if dim is not None and rows.shape[1] != dim:
        raise FewShotError(
            "These embeddings have {got} dimensions, the support set has {want}. Use the same backbone and layer.",
            code="fewshot.embedding_size",
            got=rows.shape[1],
            want=dim,
        )
    if rows.size and not max(rows.max(), -rows.min()) <= LARGEST_VALUE:  # false for NaN too
        raise FewShotError(
            "Some embeddings are not finite numbers. Embed the clips again, or choose another backbone.",
            code="fewshot.embedding_not_finite",
        )
    return rows


def check_labelling(
    labels: np.ndarray,
    n_rows: int,
    recordings: Sequence | np.ndarray | None,
    tags: Sequence[str] | None,
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """What so many rows are labelled with, checked by ``Labelling.of``: labels, recordings, names of tags.

    labels: 0/1 (n_rows, n_tags); recordings: (n_rows,), None: each row its own; tags: None: ``"0"``, ``"1"``, ...
    Returns uint8 (n_rows, n_tags), int (n_rows,) and (n_tags,). Raises LabellingError.
    """
    known = Labelling.of(labels, np.arange(n_rows) if recordings is None else recordings, tags)
    if len(known) != n_rows:
        raise LabellingError(
            "There are {labels} rows of labels and {recordings} recordings. Give each clip one of both.",
            code="scoring.counts_differ",
            labels=len(known),
            recordings=n_rows,
        )
    return known.labels, known.recordings, known.tags


def check_recordings(recordings: Sequence | np.ndarray | None, n_rows: int) -> np.ndarray:
    """Recordings of rows that have no labels: int (n_rows,), None: each row its own. Raises LabellingError."""
    return check_labelling(np.zeros((n_rows, 1)), n_rows, recordings, None)[1]


def check_support(
    embeddings: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None,
    tags: Sequence[str] | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """What a method is fitted to, each part checked as above: rows, labels, recordings, names of tags.

    Raises LabellingError and FewShotError, also if no clip carries a tag.
    """
    rows = check_embeddings(embeddings)
    table, codes, names = check_labelling(labels, len(rows), recordings, tags)
    if not np.any(table):
        raise no_tags()
    return rows, table, codes, names


def no_tags() -> FewShotError:
    return FewShotError(
        "No clip of the support set carries a tag. Give at least one clip a tag.", code="fewshot.no_tags"
    )
