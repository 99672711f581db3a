"""``speed``: how fast every backbone is on this machine."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict
from pathlib import Path

from mirdemo.commands.console import add_json_argument, count, print_json, progress_bar, table, warn


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "backbones",
        nargs="*",
        metavar="NAME",
        help="names of `backbones` (default: all); hf:OWNER/REPO if fetched",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where (default: cpu)")
    parser.add_argument(
        "--engines", nargs="+", metavar="NAME", help="only these of torch, openvino and openvino-int8"
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="of sound a round, at least a window (default: 30)",
    )
    parser.add_argument(
        "--rounds", type=count, default=3, metavar="N", help="rounds of which the median is told (default: 3)"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="write the table there, too, as MACHINE-torchVERSION.json and .md; other rows stay",
    )
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """0: measured; 1: not one way of some backbone could be."""
    from mirdemo.backbones.registry import spec, specs
    from mirdemo.embedding.pace import Pace
    from mirdemo.evaluation import speed

    names = args.backbones or list(specs())
    for name in names:
        spec(name)  # refuses what is none
    ways = [way for way in speed.WAYS[args.device] if not args.engines or way[0] in args.engines]
    if not ways:
        warn(f"No engine of these on {args.device}: {', '.join(args.engines)}.")
        return 2
    found, lacking, pace = [], 0, Pace()
    with progress_bar(not args.json) as progress:
        for rows, refusals in speed.measured(
            names, device=args.device, seconds=args.seconds, rounds=args.rounds, ways=ways, progress=progress
        ):
            for refusal in refusals:
                warn(refusal)
            found += rows
            lacking += not rows
            speed.remember(rows, pace)
    facts = speed.machine(args.device)
    if args.json:
        print_json({"machine": facts, "rows": [asdict(row) for row in found]})
    elif found:
        print(table(speed.HEADER, map(speed.cells, found)))
        print(
            "* chosen here where nobody asks. Random weights have the published shape and say how fast, nothing else. No interval."
        )
    if args.out and found:  # last: a folder that cannot be written costs the file and not the figures
        try:
            speed.write(Path(args.out), facts, found)
        except ValueError as error:
            warn(f"{error}: nothing was written over it. Choose another folder for --out.")
            return 3
    return int(lacking > 0)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise ArgumentTypeError("seconds lie above 0 and up to 3600")
    return value
