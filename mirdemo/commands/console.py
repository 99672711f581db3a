"""What the verbs share: files named on the command line, a progress bar, a line of JSON, a table."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mirdemo.base.progress import Progress

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip


def add_backbone_arguments(parser: ArgumentParser) -> None:
    """Which backbone, from where, on what."""
    parser.add_argument(
        "--backbone", default="spectral", metavar="NAME", help="a name of `backbones`, or hf:OWNER/REPO"
    )
    parser.add_argument(
        "--checkpoint", metavar="DIR", help="a local folder laid out as on the Hub; nothing is fetched"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default: auto)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: auto)")


def add_track_argument(parser: ArgumentParser) -> None:
    """Which of several sound tracks."""
    parser.add_argument(
        "--track",
        type=count,
        metavar="N",
        help="of files with several sound tracks, the Nth (default: the one that is marked, else the first that sounds)",
    )


def add_json_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for machines instead of text")


def warn(sentence: object) -> None:
    """A sentence on standard error."""
    print(f"mirdemo: {sentence}", file=sys.stderr)


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


@contextmanager
def progress_bar(shown: bool = True) -> Iterator[Progress]:
    """A progress that draws one bar on standard error, only where that is a terminal."""
    from tqdm import tqdm

    bar: tqdm | None = None

    def progress(done: int, total: int, phase: str) -> None:
        nonlocal bar
        if bar is None or bar.desc.rstrip(": ") != phase:
            if bar is not None:
                bar.close()
            scaled = phase == "fetching"
            bar = tqdm(total=total, desc=phase, unit="B" if scaled else "", unit_scale=scaled, leave=False)
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield progress if shown and sys.stderr.isatty() else (lambda done, total, phase: None)
    finally:
        if bar is not None:
            bar.close()


def load_clips(paths: Sequence[str], progress: Progress, track: int | None = None) -> tuple[list[Clip], int]:
    """The clips that can be read, and how many cannot (each named on standard error)."""
    from mirdemo.sound.audio import AudioError, load_clip

    clips, failed = [], 0
    for i, path in enumerate(paths):
        progress(i, len(paths), "reading")
        try:
            clip = load_clip(path, track=track)
        except AudioError as refusal:
            warn(refusal)
            failed += 1
            continue
        for sentence in clip.warnings:
            warn(f"{clip.name}: {sentence}")
        clips.append(clip)
    progress(len(paths), len(paths), "reading")
    return clips, failed


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns aligned for a terminal, the last one free."""
    lines = [list(map(str, header)), *([*map(str, row)] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header) - 1)]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, [*widths, 0], strict=True)).rstrip() for line in lines
    )


def megabytes(size: int | None) -> str:
    """``378 MB``, ``1.3 GB``; nothing for zero, a question mark if not known."""
    if size is None:
        return "?"
    if not size:
        return "-"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def count(text: str) -> int:
    """An argparse type: a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a number of at least 1")
    return int(text)


def amount(text: str) -> float:
    """An argparse type: a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text} is not a number above 0")
    return value
