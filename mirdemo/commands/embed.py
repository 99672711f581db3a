"""``embed``: recordings to rows, one a recording and layer, in one NumPy file."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base.files import whole
from mirdemo.base.progress import Progress
from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    add_track_argument,
    amount,
    load_clips,
    print_json,
    progress_bar,
    warn,
)
from mirdemo.commands.workers import add_worker_arguments, asked_workers, wrong_worker_arguments

if TYPE_CHECKING:
    from mirdemo.bulk import Workers
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import EmbeddingStore


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings, of any format")
    parser.add_argument("--out", required=True, metavar="FILE.npz", help="where the rows go")
    parser.add_argument("--no-store", action="store_true", help="neither read nor write the embedding cache")
    parser.add_argument("--store", metavar="DIR", help="where the cache is (default: in your own folder)")
    parser.add_argument(
        "--store-gb", type=amount, metavar="GB", help="its limit (default: 4; with --workers: 200)"
    )
    add_track_argument(parser)
    add_backbone_arguments(parser)
    add_worker_arguments(parser)
    add_json_argument(parser)


@dataclass(frozen=True)
class _Made:
    """Rows, the names of their clips, how many files failed, how many of the others lack a part, and what else
    ``--json`` says."""

    embeddings: Embeddings
    names: Sequence[str]
    failed: int
    incomplete: int
    more: dict[str, Any] = field(default_factory=dict)


def run(args: Namespace) -> int:
    """Writes ``layer/<name>`` float32 (n_clips, size), ``clip`` names, ``sha256`` and ``identity`` (JSON)."""
    out = Path(args.out).expanduser()
    if out.suffix != ".npz" or not out.parent.is_dir():
        warn("--out must name an .npz file in a folder that exists.")
        return 2
    if wrong_worker_arguments(args):
        return 2
    workers = asked_workers(args)
    if workers is not None and args.no_store:
        warn("Workers hand their rows over in the store. Leave --no-store out, or --workers.")
        return 2

    with progress_bar(not args.json) as progress:
        store = None if args.no_store else _store(args)
        made = _alone(args, store, progress) if workers is None else _together(args, store, workers, progress)
    if made is None:
        warn("None of these files could be read, so nothing was written.")
        return 1
    _write(out, made)
    sizes = {name: rows.shape[1] for name, rows in made.embeddings.layers.items()}
    if args.json:
        print_json(
            {
                "file": str(out),
                "clips": len(made.names),
                "failed": made.failed,
                "incomplete": made.incomplete,
                "layers": sizes,
                "identity": made.embeddings.identity.as_dict(),
                **made.more,
            }
        )
    else:
        print(f"{len(made.names)} clips x {len(sizes)} layers of {args.backbone} in {out}")
        if made.more.get("begun_again"):
            print(f"{made.more['begun_again']} of them were begun again, as a worker had ended.")
    return 1 if made.failed or made.incomplete else 0


def _store(args: Namespace) -> EmbeddingStore:
    from mirdemo.embedding.store import DEFAULT_MAX_BYTES, EmbeddingStore

    root = Path(args.store).expanduser() if args.store else None
    usual = DEFAULT_MAX_BYTES if args.workers is None else 200e9
    return EmbeddingStore(root, int(usual if args.store_gb is None else args.store_gb * 1e9))


def _alone(args: Namespace, store: EmbeddingStore | None, progress: Progress) -> _Made | None:
    """Everything in this process. None if no file could be read."""
    clips, failed = load_clips(args.files, progress, args.track)
    if not clips:
        return None
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed

    backbone = load_backbone(args.backbone, args.checkpoint, args.device, args.dtype, progress=progress)
    embeddings = embed(clips, backbone, store=store, progress=progress)
    for sentence in getattr(backbone, "warnings", ()):
        warn(sentence)
    return _Made(embeddings, [clip.name for clip in clips], failed, sum(clip.incomplete for clip in clips))


def _together(args: Namespace, store: EmbeddingStore, workers: Workers, progress: Progress) -> _Made | None:
    """By several workers. None if no file could be read."""
    from mirdemo.backbones.registry import spec
    from mirdemo.bulk import ClipFile, Named, embed_files

    spec(args.backbone)  # an unknown name is refused before a cluster is started
    with redirect_stdout(
        sys.stderr
    ):  # where Ray says what its workers died of: standard output is for the answer
        report = embed_files(
            [ClipFile.whole(file, args.track) for file in args.files],
            Named(args.backbone, args.checkpoint, args.dtype),
            store=store,
            workers=workers,
            progress=progress,
            tell=warn,
        )
    failed = len(report.problems)
    if failed == len(report.records):
        return None
    more = {
        "embedded_now": report.computed,
        "begun_again": report.begun_again,
        "by_worker": report.by_worker,
    }
    names = [record.file.name for record in report.records if record.problem is None]
    return _Made(report.embeddings(store), names, failed, report.incomplete, more)


def _write(out: Path, made: _Made) -> None:
    """The whole file or none."""
    import numpy as np

    with whole(out) as part, part.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            clip=np.array(made.names),
            sha256=np.array(made.embeddings.clip_ids),
            identity=np.array(json.dumps(made.embeddings.identity.as_dict())),
            **{f"layer/{name}": rows for name, rows in made.embeddings.layers.items()},
        )
