"""``engines``: what other engines than torch win on this machine, and what they change."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from mirdemo.commands.console import (
    add_checkpoint_argument,
    add_json_argument,
    add_language_argument,
    count,
    print_json,
    progress_bar,
    table,
    warn,
)

if TYPE_CHECKING:
    from mirdemo.evaluation.engines import Change


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("backbone", metavar="NAME", help="a name of `backbones`, or hf:OWNER/REPO")
    add_checkpoint_argument(parser)
    parser.add_argument(
        "--recordings",
        type=count,
        metavar="N",
        help="synthetic recordings of each of six traditions that are probed (default: 12)",
    )
    add_language_argument(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """0: all engines compute what torch computes; 1: one of them cannot be had, and why is said."""
    from mirdemo.backbones import Backbone, load_backbone
    from mirdemo.backbones.engine import installed
    from mirdemo.evaluation.engines import RECORDINGS, Change, changes

    ways = [name for name in _WAYS if name != _HALVED or installed("bfloat16")]
    with progress_bar(not args.json) as progress:

        def load(name: str) -> Backbone:
            engine, dtype = _WAYS.get(name, (name, "float32"))
            return load_backbone(
                args.backbone, args.checkpoint, "cpu", dtype, progress=progress, engine=engine
            )

        tried = changes(load, ways, recordings=args.recordings or RECORDINGS, progress=progress)
    found = {name: change for name, change in tried.items() if isinstance(change, Change)}
    for refusal in tried.values():
        if not isinstance(refusal, Change):
            warn(refusal)
    if args.json:
        print_json({name: asdict(change) for name, change in found.items()})
    elif found:
        print(table(_HEADER, map(_row, found.values())))
    return int(len(found) < len(tried))


#: Where the processor multiplies it alone.
_HALVED = "openvino-bfloat16"
#: Engine and precision as ``load_backbone`` takes them. All are beside torch in float32, which is what bfloat16 costs, too.
_WAYS = {
    "openvino": ("openvino", "float32"),
    _HALVED: ("openvino", "bfloat16"),
    "openvino-int8": ("openvino-int8", "float32"),
}
_HEADER = ("engine", "in", "times torch in it", "cosine", "ROC-AUC moves by", "its mean by", "most for")


def _row(change: Change) -> tuple[str, ...]:
    proof = change.proof
    return (
        proof.engine,
        proof.precision,
        f"{proof.faster:.2f}",
        f"{proof.cosine:.6f}",
        f"{proof.auc_change:.3f} ({change.before:.3f} to {change.after:.3f})",
        f"{change.macro:.3f}",
        f"{change.tag}, layer {change.layer}; {change.n_tags} tags, {change.n_recordings} recordings, no interval",
    )
