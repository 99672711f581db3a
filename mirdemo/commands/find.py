"""``find``: more like this, over a folder of recordings of any size."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base.files import expanded
from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    count,
    print_json,
    progress_bar,
    said,
    shown,
    table,
    time_of,
    warn,
)
from mirdemo.commands.inputs import Sounds, add_input_arguments, asked_files

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.base.progress import Progress
    from mirdemo.embedding.rows import RowFolder
    from mirdemo.search import Hit, Index
    from mirdemo.tagger import Tagger


def add_arguments(parser: ArgumentParser) -> None:
    add_input_arguments(parser, metavar="QUERY")
    parser.add_argument(
        "--in",
        dest="places",
        action="append",
        required=True,
        metavar="FOLDER",
        help="where to look: folders, patterns or files of recordings, or the folder of --index (repeatable)",
    )
    parser.add_argument(
        "--index",
        metavar="DIR",
        help="where the rows of what is looked through are kept (default: in your own folder, by the name of FOLDER)",
    )
    parser.add_argument("--count", type=count, default=10, metavar="N", help="how many places (default: 10)")
    parser.add_argument(
        "--every-window", action="store_true", help="several places of one recording (default: its nearest)"
    )
    parser.add_argument("--layer", help="one layer of the backbone, or mean (default: the one to begin with)")
    parser.add_argument(
        "--tagger", metavar="DIR", help="tag what was found, too: a tagger's folder, zip, or OWNER/NAME"
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="compare every window, however many there are (beyond a million an index of faiss is used where it is installed)",
    )
    add_backbone_arguments(parser)
    parser.set_defaults(backbone="mini-world")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """Exit code 1 if a file of either side could not be read, lacks a part, or was not there."""
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.search import find
    from mirdemo.tagger import Tagger

    asked = asked_files(args)
    if asked is None:
        return 2
    tagger = Tagger.load(args.tagger) if args.tagger else None
    failed = asked.nothing
    with progress_bar() as progress:
        sounds = Sounds(asked.files, args.track, progress, "reading")
        clips = [clip for _, clip in sounds.clips()]
        failed += sounds.failed
        if not clips:  # before hours of embedding what would be looked through
            warn(
                Sentence(
                    "None of the queries could be read, so nothing was looked for.", "commands.no_query_read"
                )
            )
            return 1
        backbone = load_backbone(
            args.backbone, args.checkpoint, args.device, args.dtype, progress=progress, engine=args.engine
        )
        layer = args.layer or backbone.spec.first_layer
        folder, files, bad = _looked_through(args, layer, backbone, progress)
        failed += bad
        embeddings = embed(clips, backbone, progress=progress)
        index = None if args.exact else _index(folder, layer, progress)
        hits = find(
            folder,
            layer,
            _windows(embeddings, layer),
            args.count,
            files=files,
            leave_out=[clip.sha256 for clip in clips],
            every_window=args.every_window,
            index=index,
            alone=True,
            progress=progress,
        )
        tags = _tags(args, tagger, hits, progress)
    if args.json:
        print_json([_plain(hit, tags[i]) for i, hit in enumerate(hits)])
    elif not hits:
        warn(Sentence("Nothing else was found there.", "commands.nothing_found"))
    else:
        digits = _digits([hit.cosine for hit in hits])
        rows = [
            (
                f"{hit.cosine:.{digits}f}",
                f"{time_of(hit.start)}-{time_of(hit.end)}",
                *_tag_cell(tags[i]),
                shown(hit.file),
            )
            for i, hit in enumerate(hits)
        ]
        columns = [one for one in _COLUMNS if args.tagger or one is not _TAGS]
        print(table([said(one) for one in columns], rows))
    return 1 if failed else 0


_TAGS = Sentence("tags", "commands.column.tags")
_COLUMNS = (
    Sentence("cosine", "commands.column.cosine"),
    Sentence("from-to", "commands.column.span"),
    _TAGS,
    Sentence("file", "commands.column.file"),
)


def _looked_through(
    args: Namespace, layer: str, backbone: Backbone, progress: Progress
) -> tuple[RowFolder, tuple[str, ...] | None, int]:
    """The rows of the places, made or brought up to date; which files they are; how many are not as they should be."""
    from mirdemo.backbones.spec import BackboneError
    from mirdemo.base.home import home
    from mirdemo.embedding.filling import fill, sizes_of
    from mirdemo.embedding.rows import RowFolder
    from mirdemo.sound.files import find_files

    try:
        sizes = sizes_of(backbone.spec, layer)
    except KeyError:
        raise BackboneError(
            "{backbone} has no layer named {layer}. Choose one of: {names}.",
            code="embedding.no_layer",
            backbone=backbone.spec.title,
            layer=layer,
            names=", ".join(one.name for one in backbone.spec.layers),
        ) from None
    if len(args.places) == 1 and RowFolder.is_one(expanded(args.places[0])):
        folder = RowFolder.reading(expanded(args.places[0]))
        folder.require(backbone.identity, sizes, "window")
        return folder, None, 0
    found = find_files(args.places)
    for problem in found.problems:
        warn(problem)
    key = json.dumps([backbone.identity.as_dict(), layer, [str(Path(p).absolute()) for p in args.places]])
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    kept = expanded(args.index) if args.index else home() / "search" / name
    with RowFolder.writing(kept, backbone.identity, sizes, "window") as folder:
        filled = fill(folder, found.files, backbone, track=args.track, progress=progress, tell=warn)
    return folder, found.files, len(found.problems) + filled.failed + filled.incomplete


def _index(folder: RowFolder, layer: str, progress: Progress) -> Index | None:
    """What a folder of very many windows is looked through by, and how far it can be trusted; None for comparing all."""
    from mirdemo.search.index import EXACT_UP_TO, available, index_of

    if folder.count <= EXACT_UP_TO:
        return None
    if not available():
        warn(
            Sentence(
                "{n} windows are compared one by one. With `pip install -r requirements-index.txt` an index finds them sooner.",
                "commands.no_index",
                {"n": folder.count},
            )
        )
        return None
    index = index_of(folder, layer, alone=True, progress=progress)
    facts = index.facts
    warn(
        Sentence(
            "{n} windows are looked through by an index that finds {recall} % of the ten nearest (measured with {asked} windows of "
            "recordings that it was made without, no interval). --exact compares every one.",
            "commands.by_index",
            {"n": folder.count, "recall": f"{100 * facts.recall:.1f}", "asked": facts.asked},
        )
    )
    return index


def _windows(embeddings: Any, layer: str) -> Any:
    """All windows of all queries, (q, size)."""
    import numpy as np

    each = [embeddings.windows(i) for i in range(len(embeddings))]
    return np.concatenate(
        [one[layer] if layer in one else np.mean(list(one.values()), axis=0) for one in each]
    )


def _tags(
    args: Namespace, tagger: Tagger | None, hits: list[Hit], progress: Progress
) -> list[list[tuple[str, float]] | None]:
    """What a tagger says of each place; None without one, or where the place is gone."""
    if tagger is None:
        return [None] * len(hits)
    from mirdemo.backbones import load_backbone
    from mirdemo.sound.audio import AudioError, load_clip

    backbone = load_backbone(
        tagger.identity.name, device=args.device, progress=progress, **tagger.needs.again()
    )
    found: list[list[tuple[str, float]] | None] = []
    for i, hit in enumerate(hits):
        progress(i, len(hits), "tagging")
        try:
            clip = load_clip(hit.file, track=args.track).cut(hit.start, hit.end)
        except AudioError as refusal:
            warn(refusal)
            found.append(None)
            continue
        found.append([(tag, score) for tag, score, _ in tagger.tag(clip, backbone=backbone)])
    return found


def _digits(cosines: list[float]) -> int:
    """How many digits tell most places apart: rows of one backbone may lie close together. Three where none would."""
    if len({f"{one:.6f}" for one in cosines}) == 1:
        return 3
    return next((n for n in range(3, 7) if 2 * len({f"{one:.{n}f}" for one in cosines}) > len(cosines)), 6)


def _tag_cell(tags: list[tuple[str, float]] | None) -> tuple[str, ...]:
    if tags is None:
        return ()
    return (
        ", ".join(f"{tag} {score:.2f}" for tag, score in tags)
        or said(Sentence("unknown", "commands.unknown")),
    )


def _plain(hit: Hit, tags: list[tuple[str, float]] | None) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "file": shown(hit.file), "start": hit.start, "end": hit.end, "cosine": hit.cosine
    }  # fmt: skip
    if tags is not None:
        plain["tags"] = [{"tag": tag, "score": score} for tag, score in tags]
    return plain
