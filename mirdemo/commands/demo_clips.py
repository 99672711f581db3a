"""``demo-clips``: the festival that the project made itself, as files to try things on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mirdemo.base.files import expanded
from mirdemo.commands.console import add_json_argument, print_json, warn


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="made if it does not exist; must be empty otherwise")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    folder = expanded(args.folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        warn(f"{args.folder} is not an empty folder. Name a new one.")
        return 2

    from mirdemo.synth.festival import write_festival

    written = [str(path) for path in write_festival(folder)]
    if args.json:
        print_json({"folder": str(folder), "files": written})
    else:
        print(f"{len(written)} files in {folder}, labels in labels.csv")
    return 0
