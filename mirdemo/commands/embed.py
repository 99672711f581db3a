"""``embed``: recordings to rows, one a recording and layer, in one NumPy file."""

from __future__ import annotations

import json
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base.files import expanded, whole
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    amount,
    print_json,
    progress_bar,
    tell,
    warn,
)
from mirdemo.commands.inputs import Inputs, add_input_arguments, asked_files
from mirdemo.commands.workers import add_worker_arguments, asked_workers, wrong_worker_arguments

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, Identity
    from mirdemo.bulk import Workers
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import EmbeddingStore


def add_arguments(parser: ArgumentParser) -> None:
    add_input_arguments(parser)
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE.npz",
        help="where the rows go; what was stopped goes on from the folder FILE.npz.rows beside it",
    )
    parser.add_argument("--no-store", action="store_true", help="neither read nor write the embedding cache")
    parser.add_argument("--store", metavar="DIR", help="where the cache is (default: in your own folder)")
    parser.add_argument(
        "--store-gb", type=amount, metavar="GB", help="its limit (default: 4; with --workers: 200)"
    )
    add_backbone_arguments(parser)
    add_worker_arguments(parser)
    add_json_argument(parser)


@dataclass(frozen=True)
class _Made:
    """How many rows of which layers, whose, how many files failed, how many of the others lack a part, and what else
    ``--json`` says."""

    clips: int
    sizes: dict[str, int]
    identity: Identity
    failed: int
    incomplete: int
    more: dict[str, Any] = field(default_factory=dict)


def run(args: Namespace) -> int:
    """Writes ``layer/<name>`` float32 (n_clips, size), ``clip`` names, ``sha256`` and ``identity`` (JSON)."""
    out = expanded(args.out)
    if out.suffix != ".npz" or not out.parent.is_dir():
        warn(Sentence("--out must name an .npz file in a folder that exists.", "commands.out_npz"))
        return 2
    if wrong_worker_arguments(args):
        return 2
    workers = asked_workers(args)
    if workers is not None and args.no_store:
        warn(
            Sentence(
                "Workers hand their rows over in the store. Leave --no-store out, or --workers.",
                "commands.workers_need_store",
            )
        )
        return 2
    inputs = asked_files(args)
    if inputs is None:
        return 2

    with progress_bar() as progress:
        store = None if args.no_store else _store(args)
        if workers is None:
            made = _alone(args, inputs, out, store, progress)
        else:
            made = _together(args, inputs, out, store, workers, progress)
    if made is None:
        warn(Sentence("None of these files could be read, so nothing was written.", "commands.none_read"))
        return 1
    if args.json:
        print_json(
            {
                "file": str(out),
                "clips": made.clips,
                "failed": made.failed,
                "incomplete": made.incomplete,
                "layers": made.sizes,
                "identity": made.identity.as_dict(),
                **made.more,
            }
        )
    else:
        tell(
            Sentence(
                "Rows of {backbone} in {file}. Clips: {clips}. Layers: {layers}.",
                "commands.embedded",
                {
                    "clips": made.clips,
                    "layers": len(made.sizes),
                    "backbone": args.backbone,
                    "file": str(out),
                },
            )
        )
        if made.more.get("begun_again"):
            again = {"count": made.more["begun_again"]}
            tell(
                Sentence(
                    "{count} of them were begun again, as a worker had ended.", "commands.begun_again", again
                )
            )
    return 1 if made.failed or made.incomplete or inputs.nothing else 0


def _store(args: Namespace) -> EmbeddingStore:
    from mirdemo.embedding.store import DEFAULT_MAX_BYTES, EmbeddingStore

    root = expanded(args.store) if args.store else None
    usual = DEFAULT_MAX_BYTES if args.workers is None else 200e9
    return EmbeddingStore(root, int(usual if args.store_gb is None else args.store_gb * 1e9))


def _alone(
    args: Namespace, inputs: Inputs, out: Path, store: EmbeddingStore | None, progress: Progress
) -> _Made | None:
    """Everything in this process, rows to the disk as they come. None if no file could be read."""
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.rows import RowsError

    backbone = load_backbone(
        args.backbone, args.checkpoint, args.device, args.dtype, progress=progress, engine=args.engine
    )
    for sentence in getattr(backbone, "warnings", ()):
        warn(sentence)
    unfinished = out.with_name(f"{out.name}.rows")
    try:
        made = _into(unfinished, args, inputs, out, backbone, store, progress)
    except RowsError as refusal:
        if refusal.sentence.code != "rows.other":
            raise
        shutil.rmtree(unfinished)  # begun with another backbone, and never ended
        made = _into(unfinished, args, inputs, out, backbone, store, progress)
    shutil.rmtree(unfinished, ignore_errors=True)
    return made


def _into(
    unfinished: Path,
    args: Namespace,
    inputs: Inputs,
    out: Path,
    backbone: Backbone,
    store: EmbeddingStore | None,
    progress: Progress,
) -> _Made | None:
    """Through a folder of rows, which a run that was stopped leaves for the next one."""
    import numpy as np

    from mirdemo.embedding.filling import fill, sizes_of
    from mirdemo.embedding.rows import RowFolder, write_npz
    from mirdemo.sound.audio import display_name

    sizes = sizes_of(backbone.spec)
    with RowFolder.writing(unfinished, backbone.identity, sizes, "clip") as folder:
        filled = fill(
            folder, inputs.files, backbone, track=args.track, store=store, progress=progress, tell=warn
        )
    read = [path for path in inputs.files if folder.files[path].problem is None]
    if not read:
        return None
    more = {
        "clip": np.array([display_name(path) for path in read]),
        "sha256": np.array([folder.files[path].sha256 for path in read]),
        "identity": np.array(json.dumps(backbone.identity.as_dict())),
    }
    write_npz(out, folder, read, more)
    return _Made(len(read), sizes, backbone.identity, filled.failed, filled.incomplete)


def _together(
    args: Namespace,
    inputs: Inputs,
    out: Path,
    store: EmbeddingStore | None,
    workers: Workers,
    progress: Progress,
) -> _Made | None:
    """By several workers. None if no file could be read."""
    from mirdemo.backbones.registry import spec
    from mirdemo.bulk import ClipFile, Named, embed_files
    from mirdemo.evaluation.sounds import SoundMemory

    assert store is not None
    spec(args.backbone)  # an unknown name is refused before a cluster is started
    with redirect_stdout(
        sys.stderr
    ):  # where Ray says what its workers died of: standard output is for the answer
        report = embed_files(
            [ClipFile.whole(file, args.track) for file in inputs.files],
            Named(args.backbone, args.checkpoint, args.dtype, args.engine),
            store=store,
            workers=workers,
            sounds=SoundMemory(),
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
    embeddings = report.embeddings(store)
    _write(out, embeddings, names)
    sizes = {name: rows.shape[1] for name, rows in embeddings.layers.items()}
    return _Made(len(names), sizes, embeddings.identity, failed, report.incomplete, more)


def _write(out: Path, embeddings: Embeddings, names: Sequence[str]) -> None:
    """The whole file or none."""
    import numpy as np

    with whole(out) as part, part.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            clip=np.array(names),
            sha256=np.array(embeddings.clip_ids),
            identity=np.array(json.dumps(embeddings.identity.as_dict())),
            **{f"layer/{name}": rows for name, rows in embeddings.layers.items()},
        )
