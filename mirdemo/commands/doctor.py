"""``doctor``: what this machine has for mirdemo, and what is missing for what."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from mirdemo.commands.console import add_json_argument, print_json

_MARKS = {"good": "ok", "note": "note", "missing": "MISSING"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help="do not ask whether the Hub answers")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """0: all works; 1: something is missing, and said."""
    from mirdemo.commands.machine import look

    found = []
    for one in look(ask_hub=not args.offline):
        found.append(one)
        if not args.json:
            print(f"{_MARKS[one.state]:8}{one.name:11}{one.says}", flush=True)
    if args.json:
        print_json({one.name: {k: v for k, v in asdict(one).items() if k != "name"} for one in found})
    return int(any(one.state == "missing" for one in found))
