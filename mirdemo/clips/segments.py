"""Labels over time: segments of a recording, and the pieces that they cut it into."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Beginnings and ends nearer than this (seconds) are one: nobody means the sliver between.
NEAR = 0.05


@dataclass(frozen=True)
class Segment:
    """A label that holds from ``start`` to ``end`` (seconds, end >= start); several where ``label`` is a cell of tags."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Piece:
    """A part of a recording through which the same labels hold."""

    start: float
    end: float
    labels: tuple[str, ...]


def pieces(spans: Iterable[tuple[float, float, Iterable[str]]], seconds: float) -> list[Piece]:
    """What labels over time cut a recording into: pieces in order that do not overlap, each with all labels that hold there.

    spans: start, end (seconds) and labels; labels may be none ("none of these"), an end may lie behind the recording's
    seconds: length of the recording

    One label's overlapping segments are joined; where segments of different labels overlap, the common part is a piece
    with both. Parts that nobody labelled are no pieces. Edges within ``NEAR`` of each other are one.
    """
    by_label: dict[str | None, list[list[float]]] = {}
    for start, end, labels in spans:
        span = [max(0.0, start), min(end, seconds)]
        if span[1] <= span[0]:
            continue
        for label in tuple(labels) or (None,):
            by_label.setdefault(label, []).append(span.copy())
    edges = _snapped(edge for spans_of in by_label.values() for span in spans_of for edge in span)
    joined: list[tuple[float, float, str | None]] = []
    for label, spans_of in by_label.items():
        begun: list[float] | None = None
        for start, end in sorted([edges[start], edges[end]] for start, end in spans_of):
            if begun is not None and start < begun[1]:
                begun[1] = max(begun[1], end)
            elif end > start:
                if begun is not None:
                    joined.append((begun[0], begun[1], label))
                begun = [start, end]
        if begun is not None:
            joined.append((begun[0], begun[1], label))
    begins, ends = defaultdict(list), defaultdict(list)
    for start, end, label in joined:
        begins[start].append(label)
        ends[end].append(label)
    found: list[Piece] = []
    here: Counter[str | None] = Counter()
    for start, end in pairwise(sorted(begins.keys() | ends.keys())):
        here.update(begins[start])
        here.subtract(ends[start])
        here = +here
        if here:
            found.append(Piece(start, end, tuple(sorted(label for label in here if label is not None))))
    return found


def _snapped(edges: Iterable[float]) -> dict[float, float]:
    """Each edge -> the first of those that it lies near to."""
    found: dict[float, float] = {}
    last = None
    for edge in sorted(set(edges)):
        if last is None or edge - last >= NEAR:
            last = edge
        found[edge] = last
    return found


def over_windows(
    starts: Sequence[float],
    window_seconds: float,
    seconds: float,
    given: Sequence[Sequence[int]],
    tags: Sequence[str],
) -> list[Segment]:
    """What windows say over time: a segment for each run of windows with a tag, in the order of their beginnings.

    starts: (w,) where windows begin; window_seconds: their length; seconds: of the whole; given: 0/1 (w, n_tags)
    Windows overlap only at the end, where the last one is shifted back: it counts from where the one before ends.
    """
    found: list[Segment] = []
    for column, tag in enumerate(tags):
        found += [
            Segment(start, end, tag)
            for start, end in runs(starts, window_seconds, seconds, [bool(row[column]) for row in given])
        ]
    return sorted(found, key=lambda one: (one.start, one.end, one.label))


def runs(
    starts: Sequence[float], window_seconds: float, seconds: float, chosen: Sequence[bool]
) -> list[tuple[float, float]]:
    """Where chosen windows are, as (start, end) in seconds, neighbours joined. See ``over_windows``"""
    places: list[tuple[float, float]] = []
    before = 0.0
    for start, there in zip(starts, chosen, strict=True):
        begin, end = max(float(start), before), min(float(start) + window_seconds, seconds)
        before = end
        if not there:
            continue
        if places and abs(places[-1][1] - begin) < 1e-6:
            places[-1] = (places[-1][0], end)
        else:
            places.append((begin, end))
    return places
