"""``embed``: recordings to rows, one a recording and layer, in one NumPy file."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    load_clips,
    print_json,
    progress_bar,
    warn,
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings, of any format")
    parser.add_argument("--out", required=True, metavar="FILE.npz", help="where the rows go")
    parser.add_argument("--no-store", action="store_true", help="neither read nor write the embedding cache")
    add_backbone_arguments(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """Writes ``layer/<name>`` float32 (n_clips, size), ``clip`` names, ``sha256`` and ``identity`` (JSON)."""
    import numpy as np

    out = Path(args.out).expanduser()
    if out.suffix != ".npz" or not out.parent.is_dir():
        warn("--out must name an .npz file in a folder that exists.")
        return 2

    from mirdemo.backbones import load_backbone
    from mirdemo.embedding import embed
    from mirdemo.store import EmbeddingStore

    with progress_bar(not args.json) as progress:
        clips, failed = load_clips(args.files, progress)
        if not clips:
            warn("None of these files could be read, so nothing was written.")
            return 1
        backbone = load_backbone(args.backbone, args.checkpoint, args.device, args.dtype, progress=progress)
        store = None if args.no_store else EmbeddingStore()
        embeddings = embed(clips, backbone, store=store, progress=progress)
    for sentence in getattr(backbone, "warnings", ()):
        warn(sentence)

    identity = embeddings.identity.as_dict()
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                clip=np.array([clip.name for clip in clips]),
                sha256=np.array(embeddings.clip_ids),
                identity=np.array(json.dumps(identity)),
                **{f"layer/{name}": rows for name, rows in embeddings.layers.items()},
            )
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    sizes = {name: rows.shape[1] for name, rows in embeddings.layers.items()}
    if args.json:
        print_json(
            {"file": str(out), "clips": len(clips), "failed": failed, "layers": sizes, "identity": identity}
        )
    else:
        print(f"{len(clips)} clips x {len(sizes)} layers of {args.backbone} in {out}")
    return 1 if failed else 0
