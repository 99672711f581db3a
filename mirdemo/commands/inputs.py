"""What ``tag``, ``embed`` and ``find`` are given: files, folders, patterns and lists, turned into files."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import add_language_argument, add_track_argument, warn, warn_of

if TYPE_CHECKING:
    from mirdemo.sound.audio import AudioError, Clip


@dataclass(frozen=True)
class Inputs:
    """files: to be read, each once; nothing: how many folders and patterns named no file (said on standard error)"""

    files: tuple[str, ...]
    nothing: int


def add_input_arguments(parser: ArgumentParser, dest: str = "files", metavar: str = "FILE") -> None:
    parser.add_argument(
        dest,
        nargs="*",
        metavar=metavar,
        help="recordings of any format, folders with all that is below, or patterns in quotes ('2024/**/*.mp3')",
    )
    parser.add_argument(
        "--files",
        dest="lists",
        action="append",
        default=[],
        metavar="LIST",
        help="a text file with one of these a line, or a playlist (.m3u8); - for standard input",
    )
    add_track_argument(parser)
    add_language_argument(parser)


def asked_files(args: Namespace) -> Inputs | None:
    """What was asked for; None, and a sentence on standard error, where that is no file at all. Raises FilesError."""
    from mirdemo.sound.files import find_files, read_list

    named = list(args.files)
    for one in args.lists:
        named += read_list("standard input", sys.stdin.buffer.read()) if one == "-" else read_list(one)
    if not named:
        warn(
            Sentence(
                "No file is named. Give files, folders or patterns, or --files LIST.", "commands.no_files"
            )
        )
        return None
    found = find_files(named)
    for problem in found.problems:
        warn(problem)
    return Inputs(found.files, len(found.problems))


class Sounds:
    """Files one after the other, as clips: ``(path, clip)``, or ``(path, why it cannot be read)``.

    failed: how many so far are not read, or not whole. What is to be known of a file is said on standard error.
    """

    def __init__(self, files: Sequence[str], track: int | None, progress: Progress, phase: str) -> None:
        self.failed = 0
        self._files, self._track, self._progress, self._phase = files, track, progress, phase

    def __iter__(self) -> Iterator[tuple[str, Clip | AudioError]]:
        from mirdemo.sound.audio import AudioError, load_clip

        for done, path in enumerate(self._files):
            self._progress(done, len(self._files), self._phase)
            try:
                clip = load_clip(path, track=self._track)
            except AudioError as refusal:
                warn(refusal)
                self.failed += 1
                yield path, refusal
                continue
            warn_of(clip)
            self.failed += clip.incomplete
            yield path, clip
        self._progress(len(self._files), len(self._files), self._phase)

    def clips(self) -> Iterator[tuple[str, Clip]]:
        """Those that can be read."""
        from mirdemo.sound.audio import Clip

        return ((path, clip) for path, clip in self if isinstance(clip, Clip))


def of_its_own(left_out: int, tells: bool) -> Sentence | None:
    """What is to be said of recordings that a tagger was made from. left_out: clips of them; tells: whether it tells which they are"""
    if left_out:
        return Sentence(
            "Clips left out, because the tagger was made from their recordings, which are no test of it: {count}.",
            "commands.own_clips",
            {"count": left_out},
        )
    if tells:
        return None
    return Sentence(
        "This tagger does not tell which recordings it was made from; they are no test of it. Leave them out yourself, "
        "or make the tagger again.",
        "commands.own_unknown",
    )
