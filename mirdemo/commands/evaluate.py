"""``evaluate``: a backbone on a corpus, by one of the stages, beside what is published of that corpus."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import redirect_stdout
from pathlib import Path

from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    add_language_argument,
    amount,
    count,
    print_json,
    progress_bar,
    table,
    warn,
)
from mirdemo.commands.corpora import add_corpus_arguments
from mirdemo.commands.workers import add_worker_arguments, asked_workers, wrong_worker_arguments

#: Embeddings of a whole corpus with all layers take some 10 GB; a store that evicted them would compute them again.
STORE_GB = 200


def add_arguments(parser: ArgumentParser) -> None:
    add_corpus_arguments(parser)
    add_backbone_arguments(parser)
    parser.add_argument("--method", choices=("probe", "finetune", "fewshot"), default="probe")
    parser.add_argument(
        "--protocol",
        choices=("live", "papaioannou2025", "lcprotonets2024"),
        default="papaioannou2025",
        help="papaioannou2025: the official split (default); live: cross-validated on the test side, as on the page; "
        "lcprotonets2024: few-shot in the very episodes of that study",
    )
    parser.add_argument("--layer", help="one layer, or mean (default: the mean where layers have one size)")
    parser.add_argument(
        "--seeds", type=count, metavar="N", help="number of seeds (default: the published five)"
    )
    parser.add_argument(
        "--limit", type=count, metavar="N", help="at most N items a side, drawn with a fixed seed"
    )
    parser.add_argument(
        "--ways", type=count, metavar="N", help="how many tags a few-shot episode has (default: all)"
    )
    parser.add_argument(
        "--tags",
        choices=("base", "novel", "both"),
        default="base",
        help="of a few-shot episode: the vocabulary (default), the published novel tags, or both",
    )
    parser.add_argument("--shots", type=count, default=3, metavar="K", help="recordings a tag (default: 3)")
    parser.add_argument(
        "--max-seconds",
        type=_seconds,
        default="published",
        metavar="S",
        help="how much of each item is heard: seconds, published (default) or whole",
    )
    parser.add_argument(
        "--whitening", action="store_true", help="whiten the embeddings first (fitted once, kept)"
    )
    parser.add_argument("--allow-missing", action="store_true", help="go on without items that are not there")
    parser.add_argument("--again", action="store_true", help="measure even what has been measured")
    parser.add_argument(
        "--results", metavar="FILE.jsonl", help="append the records here (default: your own file)"
    )
    parser.add_argument(
        "--store", metavar="DIR", help="where embeddings are kept (default: beside your results)"
    )
    parser.add_argument(
        "--store-gb", type=count, default=STORE_GB, metavar="GB", help=f"its limit (default: {STORE_GB})"
    )
    add_worker_arguments(parser)
    add_language_argument(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """Exit code 1 if items were left out."""
    if wrong_worker_arguments(args):
        return 2
    if args.workers and args.method == "finetune":
        warn(Sentence("Fine-tuning has one machine. Leave --workers out.", "commands.tune_alone"))
        return 2
    workers = asked_workers(args)
    from mirdemo.backbones import load_backbone
    from mirdemo.base.home import home
    from mirdemo.corpora.registry import open_corpus
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.evaluation import Request, evaluate

    request = Request(
        method=args.method,
        protocol=args.protocol,
        layer=args.layer,
        seeds=args.seeds,
        limit=args.limit,
        ways=args.ways,
        shots=args.shots,
        tags=args.tags,
        allow_missing=args.allow_missing,
    )
    corpus = open_corpus(args.corpus, args.data, args.splits, max_seconds=args.max_seconds, mode=args.mode)
    root = Path(args.store).expanduser() if args.store else home() / "corpora" / "embeddings"
    store = EmbeddingStore(root, args.store_gb * 10**9)
    with progress_bar() as progress:
        backbone = load_backbone(
            args.backbone, args.checkpoint, args.device, args.dtype, progress=progress, engine=args.engine
        )
        for sentence in backbone.warnings:
            warn(sentence)
        if backbone.health is not None and not backbone.health.ok:
            warn(backbone.health.reason(backbone.spec.title))
        found = evaluate(
            corpus,
            backbone,
            request,
            store=store,
            whitening=_whitening(backbone, progress) if args.whitening else None,
            results=Path(args.results).expanduser() if args.results else None,
            again=args.again,
            embed_first=workers and _by_workers(args, corpus, backbone, store, workers, progress),
            progress=progress,
        )
    if args.json:
        print_json(
            {
                "new": found.new,
                "items": found.n_items,
                "left_out": found.left_out,
                "embedded_now": found.computed,
                "unwritten": found.unwritten,
                "strange": None if found.strange is None else str(found.strange),
                "records": [record.as_dict() for record in found.records],
            }
        )
    else:
        _print(args, corpus, found)
    if found.strange is not None:
        warn(str(found.strange))
    if found.unwritten:
        warn(
            f"The records could not be written ({found.unwritten}). Make room and run again: nothing is embedded twice."
        )
        return 3
    return 1 if found.left_out else 0


def _by_workers(args: Namespace, corpus, backbone, store, workers, progress):
    """What ``evaluate`` calls first: the items embedded by several workers, in the precision of this backbone."""
    from mirdemo.bulk import Named
    from mirdemo.bulk.corpus import embed_items
    from mirdemo.evaluation.sounds import SoundMemory

    identity = backbone.identity
    again = identity.again()
    load = Named(args.backbone, args.checkpoint, again["dtype"], args.engine or again["engine"])

    def embed_first(item_ids: list[str]) -> int:
        with redirect_stdout(sys.stderr):  # where Ray says what its workers died of
            return embed_items(
                corpus, item_ids, load, identity,
                store=store, sounds=SoundMemory(), workers=workers, progress=progress, tell=warn,
            )  # fmt: skip

    return embed_first


def _print(args: Namespace, corpus, found) -> None:
    from mirdemo.corpora.errors import first_few
    from mirdemo.evaluation.comparing import METRICS, rows
    from mirdemo.results.records import published

    print(
        f"{corpus.facts.title}, {len(corpus.tags)} tags, {found.n_items} items"
        + (f" ({len(found.left_out)} left out)" if found.left_out else "")
    )
    part = []
    if corpus.changed:
        part.append("a split of your own")
    if found.left_out:
        part.append(f"{len(found.left_out)} of {len(found.left_out) + found.n_items} items left out")
    beside = rows(found.records, published(), corpus.name, args.method, part=", ".join(part))
    print(table(("model", "protocol", *METRICS), beside))
    if part and len(beside) > 1:
        print("The measured row is not of the whole published corpus: do not hold it against the others.")
    if found.left_out:
        print(f"Left out: {first_few(found.left_out)}")
    if len(beside) == 1:
        print("Nothing is published here for this corpus and method.")
    elif len({protocol for _, protocol, *_ in beside}) > 1:
        print("Figures of different protocols stand beside each other; they are not ranked.")
    print(
        f"{found.new} records written."
        if found.new or found.unwritten
        else "All of this had been measured before; nothing was written."
    )
    if corpus.facts.page:
        print(f"Please cite: {corpus.facts.citation}")


def _whitening(backbone, progress):
    from mirdemo.embedding.whitening import stored_path, whitening_for
    from mirdemo.synth.whitening import fit_whitening

    known = whitening_for(backbone.identity)
    if known is None:
        known = fit_whitening(backbone, progress=progress)
        known.save(stored_path(backbone.identity))
    return known


def _seconds(text: str) -> float | str | None:
    if text in ("published", "whole"):
        return None if text == "whole" else text
    try:
        return amount(text)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"{text} is neither a number of seconds, nor published, nor whole") from None
