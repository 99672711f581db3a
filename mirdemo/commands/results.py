"""``results``: figures out to the neighbours' layouts, and theirs in."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from mirdemo.base.files import expanded, whole
from mirdemo.commands.console import add_json_argument, print_json, warn

if TYPE_CHECKING:
    from mirdemo.results.records import Results

SOURCES = ("own", "measured", "real", "published", "all")


def add_arguments(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    export = verbs.add_parser("export", help="write figures in a neighbour's layout")
    export.add_argument(
        "--format", choices=("mteb", "csv"), required=True, help="MTEB's folder, or one table"
    )
    export.add_argument(
        "--out", metavar="PLACE", help="a folder for mteb, a file for csv (default: csv to standard output)"
    )
    export.add_argument(
        "--source",
        choices=SOURCES,
        default="own",
        help="own: what this machine measured (default); real: what ships of real recordings of a tradition that no backbone "
        "was trained on; measured: both, and all else that ships measured; published; all",
    )
    for name in ("model", "corpus", "protocol"):
        export.add_argument(f"--{name}", metavar="NAME", help=f"only figures of this {name}")
    taken = verbs.add_parser("import", help="read MTEB's results, or an export of ours, into your own file")
    taken.add_argument("place", metavar="PLACE", help="a results file, or a folder with such files below it")
    taken.add_argument(
        "--results", metavar="FILE.jsonl", help="append the records here (default: your own file)"
    )
    add_json_argument(taken)


def run(args: Namespace) -> int:
    return _export(args) if args.what == "export" else _import(args)


def _export(args: Namespace) -> int:
    from mirdemo.corpora.elsewhere import ELSEWHERE
    from mirdemo.results import exchange, records

    found = {
        "own": lambda: records.load(records.own_file()),
        "measured": lambda: records.measured() + _real(),
        "real": _real,
        "published": lambda: records.published() + records.elsewhere(),
        "all": lambda: records.published() + records.elsewhere() + records.measured() + _real(),
    }[args.source]()
    asked = {name: getattr(args, name) for name in ("model", "corpus", "protocol") if getattr(args, name)}
    found = found.where(**asked)
    if not len(found):
        warn("There is no such figure. Measure one with `evaluate`, or choose another --source.")
        return 1
    if args.format == "csv":
        if not args.out:
            exchange.write_csv(found, sys.stdout)
            return 0
        out = expanded(args.out)
        with whole(out) as part, part.open("w", encoding="utf-8", newline="") as file:
            n = exchange.write_csv(found, file)
        print(f"{n} figures written to {out}.")
        return 0
    if not args.out:
        warn("Give a folder as --out.")
        return 2
    out = expanded(args.out)
    n = exchange.write_mteb(found, out, ELSEWHERE.values())
    print(f"{len(found)} figures written to {n} files in {out if out.name.strip('.') else out.resolve()}.")
    return 0


def _real() -> Results:
    """What ``training/on_real_traditions.py`` measured, the network with the weights its training began with among it."""
    from mirdemo.results import records

    return records.on_real_traditions() + records.untrained()


def _import(args: Namespace) -> int:
    """Exit code 1 if nothing new was found or some files are of tasks that are not known here."""
    from mirdemo.corpora.elsewhere import ELSEWHERE
    from mirdemo.results import exchange, records

    found, unknown = exchange.read_mteb(expanded(args.place), ELSEWHERE.values())
    into = expanded(args.results) if args.results else records.own_file()
    there = {r.key for r in (*records.published(), *records.elsewhere(), *_real(), *records.load(into))}
    fresh = [r for r in {r.key: r for r in found}.values() if r.key not in there]
    if fresh:
        records.append(fresh, into)
    if args.json:
        print_json({"new": len(fresh), "known": len(found) - len(fresh), "unknown_tasks": unknown})
    else:
        print(f"{len(fresh)} figures taken in; {len(found) - len(fresh)} were there before.")
    if unknown:
        warn(f"{sum(unknown.values())} files of tasks that are not known here: {', '.join(sorted(unknown))}")
    return 0 if found and not unknown else 1
