"""What few-shot tagging refuses, and the checks that every method shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirdemo.base.sentences import MirdemoError

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


def check_labels(labels: np.ndarray, n_rows: int) -> np.ndarray:
    """Labels as uint8 (n_rows, n_tags) of zeros and ones, or a FewShotError."""
    table = np.asarray(labels)
    if table.ndim != 2 or table.shape[0] != n_rows or table.shape[1] == 0:
        raise FewShotError(
            "{rows} clips need a label table with {rows} rows and at least one tag.",
            code="fewshot.label_shape",
            rows=n_rows,
        )
    if not np.isin(table, (0, 1)).all():
        raise FewShotError(
            "Labels must be 0 or 1. Write 1 where a clip carries a tag, 0 where it does not.",
            code="fewshot.label_values",
        )
    return table.astype(np.uint8)


def check_recordings(recordings: Sequence | np.ndarray | None, n_rows: int) -> np.ndarray:
    """Recordings as int64 codes (n_rows,), numbered in order of appearance; None: every row its own."""
    if recordings is None:
        return np.arange(n_rows)
    names = np.asarray(recordings)
    if names.shape != (n_rows,):
        raise FewShotError(
            "{rows} clips need {rows} recordings, one for each clip.",
            code="fewshot.recordings",
            rows=n_rows,
        )
    _, first, codes = np.unique(names, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes]


def check_tags(tags: Sequence[str] | None, n_tags: int) -> tuple[str, ...]:
    """Tag names, one a column of the labels; None: ``"0"``, ``"1"``, ..."""
    if tags is None:
        return tuple(str(i) for i in range(n_tags))
    names = tuple(str(t) for t in tags)
    if len(names) != n_tags or len(set(names)) != n_tags:
        raise FewShotError(
            "The label table has {columns} columns; give {columns} different tag names.",
            code="fewshot.tags",
            columns=n_tags,
        )
    return names


def check_support(
    embeddings: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None,
    tags: Sequence[str] | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """What a method is fitted to, each part checked as above: rows, labels, recordings, names of tags.

    Raises FewShotError, also if no clip carries a tag.
    """
    rows = check_embeddings(embeddings)
    table = check_labels(labels, len(rows))
    codes = check_recordings(recordings, len(rows))
    names = check_tags(tags, table.shape[1])
    if not table.any():
        raise no_tags()
    return rows, table, codes, names


def no_tags() -> FewShotError:
    return FewShotError(
        "No clip of the support set carries a tag. Give at least one clip a tag.", code="fewshot.no_tags"
    )
