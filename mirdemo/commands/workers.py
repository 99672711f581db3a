"""What ``embed`` and ``evaluate`` share: several workers, asked for on the command line."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import count, warn

if TYPE_CHECKING:
    from mirdemo.bulk import Workers


def add_worker_arguments(parser: ArgumentParser) -> None:
    """Without ``--workers`` everything is done in this process."""
    group = parser.add_argument_group(
        "several workers", "on this machine or a Ray cluster; needs pip install -r requirements-bulk.txt"
    )
    group.add_argument("--workers", type=count, metavar="N", help="embed with N workers at once")
    group.add_argument(
        "--gpus-per-worker",
        type=_part,
        metavar="G",
        help="0: the CPU (default); 0.5: two workers share a GPU; 2: a worker computes on two",
    )
    group.add_argument(
        "--cpus-per-worker",
        type=count,
        metavar="C",
        help="processors for each, and its threads (default: 1)",
    )
    group.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help="a running cluster, or auto for this machine's; every machine sees the same files and --store "
        "(default: this machine alone)",
    )


def asked_workers(args: Namespace) -> Workers | None:
    """What was asked for; None for this process alone. Raises BulkError for what no worker can hold."""
    if args.workers is None:
        return None
    from mirdemo.bulk import Workers

    return Workers(args.workers, args.gpus_per_worker or 0, args.cpus_per_worker or 1, args.ray_address)


def wrong_worker_arguments(args: Namespace) -> bool:
    """True, and said on standard error, where the arguments contradict each other."""
    if args.workers is None:
        alone = [
            name
            for name, given in (
                ("--gpus-per-worker", args.gpus_per_worker),
                ("--cpus-per-worker", args.cpus_per_worker),
                ("--ray-address", args.ray_address),
            )
            if given is not None
        ]
        if alone:
            warn(
                Sentence(
                    "{option} says what each worker has. Give --workers too.",
                    "commands.worker_option",
                    {"option": alone[0]},
                )
            )
        return bool(alone)
    if args.device not in ("auto", "cpu") or (args.device == "cpu" and args.gpus_per_worker):
        warn(
            Sentence(
                "Workers get their devices by --gpus-per-worker. Leave --device out.",
                "commands.worker_device",
            )
        )
        return True
    return False


def _part(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is not a number") from None
