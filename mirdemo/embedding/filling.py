"""Files into a folder of rows: only those that are not there yet, or have changed since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.embedding.rows import FileRows, RowFolder, stamp_of
from mirdemo.embedding.streaming import embed_stream, file_size

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, BackboneSpec
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import Store


@dataclass(frozen=True)
class Filled:
    """Of the files that were asked for. computed: embedded now; kept: there already; failed: could not be read;
    incomplete: embedded, but a part is missing"""

    computed: int
    kept: int
    failed: int
    incomplete: int


def sizes_of(spec: BackboneSpec, layer: str | None = None) -> dict[str, int]:
    """Layer -> size, as ``RowFolder`` takes it: all of a backbone's, or one; ``"mean"`` is the mean over layers of one
    size. Raises KeyError for a layer that is not there."""
    sizes = {each.name: each.size for each in spec.layers}
    if layer is None:
        return sizes
    if layer == "mean" and layer not in sizes and len(set(sizes.values())) == 1:
        return {"mean": next(iter(sizes.values()))}
    return {layer: sizes[layer]}


def fill(
    folder: RowFolder,
    files: Sequence[str],
    backbone: Backbone,
    *,
    track: int | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
    tell: Callable[[Sentence], None] | None = None,
) -> Filled:
    """Embed what a folder lacks, file by file, each written as soon as it is known.

    folder: opened to write; its ``each`` and ``layers`` say which rows of a file it takes
    track: as ``load_clip`` takes it
    progress: told (files done, files in all, ``"embedding"``); a ``Cancelled`` that it raises passes, and what is
        written stays
    tell: told what is to be known of a file, as it is found

    Memory does not grow but by a line a file. A file that could not be read has a line without rows, and is tried again
    each time. Raises OSError.
    """
    from mirdemo.sound.audio import load_clip, of_file

    progress, tell = progress or silent, tell or (lambda _: None)
    stamps = {path: stamp_of(path, track) for path in files}
    todo = [path for path in stamps if not _is_there(folder, path, stamps[path])]
    done, computed = len(stamps) - len(todo), 0

    def tick() -> None:
        progress(done, len(stamps), "embedding")

    tick()
    groups = embed_stream(
        todo, lambda path: load_clip(path, track=track), backbone, size=file_size, store=store, tick=tick
    )
    for group in groups:
        for path, clip, row in group.rows():
            if isinstance(clip, Sentence):
                rows: Mapping[str, np.ndarray] = {}
                line = FileRows(path, stamps[path], 0, 0, problem=clip)
                tell(clip)
            else:
                rows = _rows(folder, group.embeddings, row)
                line = FileRows(
                    path,
                    stamps[path],
                    0,
                    len(next(iter(rows.values()))),
                    clip.sha256,
                    tuple(group.embeddings.window_starts(row).tolist()) if folder.each == "window" else (),
                    clip.seconds,
                    clip.warnings,
                    clip.incomplete,
                )
                for warning in clip.warnings:
                    tell(of_file(clip.name, warning))
                computed += 1
            folder.append(line, rows)
            done += 1
            tick()
    lines = [folder.files[path] for path in stamps]
    failed = sum(line.problem is not None for line in lines)
    return Filled(computed, len(lines) - computed - failed, failed, sum(line.incomplete for line in lines))


def _is_there(folder: RowFolder, path: str, stamp: str) -> bool:
    line = folder.files.get(path)
    return line is not None and line.problem is None and line.stamp == stamp != ""


def _rows(folder: RowFolder, embeddings: Embeddings, row: int) -> Mapping[str, np.ndarray]:
    """Layer -> float32 (1 or n_windows, size)."""
    if folder.each == "clip":
        return {name: embeddings.matrix(name)[row : row + 1] for name in folder.layers}
    by_layer = embeddings.windows(row)
    return {
        name: by_layer[name] if name in by_layer else np.mean(list(by_layer.values()), axis=0)
        for name in folder.layers
    }
