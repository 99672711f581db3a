"""``untag``: what ``tag --write-tags`` wrote into files, taken back."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import add_json_argument, add_language_argument, print_json, tell, warn


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("undo", metavar="UNDO", help="the file that --undo was given")
    add_language_argument(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """Exit code 1 if a file was left alone."""
    from mirdemo.tagger.writing import UndoFile, take_back

    back, left = take_back(UndoFile(args.undo), warn)
    counts = {"back": back, "left": left}
    if args.json:
        print_json(counts)
    else:
        tell(
            Sentence("{back} files are as they were, {left} were left alone.", "commands.taken_back", counts)
        )
    return 1 if left else 0
