"""``evaluate``: a backbone on a corpus, beside what is published of it; or a tagger on labelled recordings of one's own."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from mirdemo.base.files import expanded
from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    amount,
    count,
    print_json,
    progress_bar,
    said,
    table,
    tell,
    warn,
)
from mirdemo.commands.corpora import add_corpus_arguments
from mirdemo.commands.inputs import Inputs, add_input_arguments, asked_files, of_its_own
from mirdemo.commands.workers import add_worker_arguments, asked_workers, wrong_worker_arguments

if TYPE_CHECKING:
    from mirdemo.evaluation.taggers import TaggerReport
    from mirdemo.scoring.intervals import Interval

#: Embeddings of a whole corpus with all layers take some 10 GB; a store that evicted them would compute them again.
STORE_GB = 200


def add_arguments(parser: ArgumentParser) -> None:
    add_input_arguments(parser)
    parser.add_argument(
        "--tagger",
        metavar="DIR",
        help="instead of a corpus: this tagger (a folder, zip, or OWNER/NAME) on the labelled FILEs, folders and lists",
    )
    parser.add_argument(
        "--labels",
        metavar="SHEET",
        help="with --tagger: a sheet (file,tags,recording) or annotation file; without it folders' names are the tags",
    )
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
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """Exit code 1 if items were left out; of a tagger, if a file could not be read, lacks a part, or was not there."""
    named = bool(args.files or args.lists)
    if bool(args.tagger) == bool(args.corpus) or (args.corpus and (named or args.labels)):
        warn(
            Sentence(
                "Give --corpus NAME with --backbone, or --tagger DIR with labelled files, folders, patterns or --files LIST.",
                "commands.corpus_or_tagger",
            )
        )
        return 2
    if args.tagger:
        inputs = asked_files(args)
        return 2 if inputs is None else _tagger(args, inputs)
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
    root = expanded(args.store) if args.store else home() / "corpora" / "embeddings"
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
            results=expanded(args.results) if args.results else None,
            again=args.again,
            embed_first=workers and _by_workers(args, corpus, backbone, store, workers, progress),
            progress=progress,
        )
    _tell(args, corpus, found)
    if found.unwritten:
        warn(
            f"The records could not be written ({found.unwritten}). Make room and run again: nothing is embedded twice."
        )
        return 3
    return 1 if found.left_out else 0


def _tell(args: Namespace, corpus, found) -> None:
    """What was measured, as text or JSON."""
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


def _tagger(args: Namespace, inputs: Inputs) -> int:
    """A tagger on labelled recordings."""
    from mirdemo.backbones import load_backbone
    from mirdemo.evaluation.errors import EvaluationError
    from mirdemo.evaluation.taggers import by_folders, by_sheet, evaluate_tagger
    from mirdemo.tagger import Tagger

    tagger = Tagger.load(args.tagger)
    labelled = (
        by_sheet(args.labels, inputs.files, warn) if args.labels else by_folders(inputs.files, args.files)
    )
    with progress_bar() as progress:
        backbone = load_backbone(
            tagger.identity.name, args.checkpoint, args.device, progress=progress, **tagger.needs.again()
        )
        try:
            found = evaluate_tagger(
                labelled, tagger, backbone=backbone, track=args.track, progress=progress, tell=warn
            )
        except EvaluationError as refusal:
            if refusal.sentence.code != "evaluation.none_read":
                raise
            warn(refusal)
            return 1
    if args.json:
        print_json(_plain(found))
    else:
        _print_tagger(found)
    return 1 if found.failed or found.incomplete or inputs.nothing else 0


def _print_tagger(found: TaggerReport) -> None:
    from mirdemo.scoring.verdicts import WORDS

    score = found.score
    tell(
        Sentence(
            "Clips: {clips}, of recordings: {recordings} ({unknown} unknown, {failed} not read)",
            "commands.evaluated",
            {
                "clips": score.n_clips,
                "recordings": score.n_recordings,
                "unknown": found.unknown,
                "failed": found.failed,
            },
        )
    )
    rows = [
        (
            one.tag, str(one.clips), str(one.recordings), said(WORDS[one.verdict]),
            _figure(one.roc_auc), _figure(one.f1), _share(one.precision), _share(one.recall),
        )
        for one in score.tags
    ]  # fmt: skip
    print(table([said(one) for one in _COLUMNS], rows))
    whole = zip(
        _WHOLE, (score.macro_f1, score.micro_f1, score.roc_auc, score.mean_average_precision), strict=True
    )
    print(", ".join(f"{said(name)} {_figure(one)}" for name, one in whole if one is not None))
    tell(
        Sentence(
            "Giving every tag to every clip would have a macro F1 of {chance:.2f}.",
            "commands.chance",
            {"chance": score.chance_macro_f1},
        )
    )
    if found.absent:
        tell(Sentence("No recording has: {tags}", "commands.absent_tags", {"tags": ", ".join(found.absent)}))
    if found.foreign:
        foreign = ", ".join(f"{tag} ({n})" for tag, n in sorted(found.foreign.items()))
        tell(Sentence("The tagger does not know: {tags}", "commands.foreign_tags", {"tags": foreign}))
    if found.in_question is not None:
        tell(found.in_question.sentence)
    if (own := of_its_own(found.own, found.tells)) is not None:
        tell(own)
    tell(
        Sentence(
            "Other cuts of a recording that the tagger was made from are no test of it either: leave those out.",
            "commands.other_cuts",
        )
    )


_COLUMNS = (
    Sentence("tag", "commands.column.tag"),
    Sentence("clips", "commands.column.clips"),
    Sentence("recordings", "commands.column.recordings"),
    Sentence("heard?", "commands.column.heard"),
    Sentence("ROC-AUC", "commands.column.roc_auc"),
    Sentence("F1", "commands.column.f1"),
    Sentence("precision", "commands.column.precision"),
    Sentence("recall", "commands.column.recall"),
)
_WHOLE = (
    Sentence("macro F1", "commands.macro_f1"),
    Sentence("micro F1", "commands.micro_f1"),
    Sentence("macro ROC-AUC", "commands.macro_roc_auc"),
    Sentence("mAP", "commands.map"),
)


def _figure(one: Interval | None) -> str:
    if one is None or one.value is None:
        return ""
    if one.low is None or one.high is None:
        return said(Sentence("{value:.2f} (no interval)", "commands.figure_alone", {"value": one.value}))
    span = {"value": one.value, "low": one.low, "high": one.high}
    return said(Sentence("{value:.2f} ({low:.2f} to {high:.2f})", "commands.figure", span))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _plain(found: TaggerReport) -> dict[str, Any]:
    from dataclasses import asdict

    tags = [asdict(one) | {"verdict": one.verdict} for one in found.score.tags]
    question = None if found.in_question is None else str(found.in_question.sentence)
    return asdict(found) | {"score": asdict(found.score) | {"tags": tags}, "in_question_says": question}


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
        f"{corpus.facts.title}, {_tags_of(args, corpus, found)}, {found.n_items} items"
        + (f" ({len(found.left_out)} left out)" if found.left_out else "")
    )
    part = _partial(found)
    beside = rows(found.records, published(), corpus.name, args.method, part=", ".join(part))
    print(table(("model", "protocol", *METRICS), beside))
    if part and len(beside) > 1:
        print("The measured row is not of the corpus as published: do not hold it against the others.")
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


def _partial(found) -> list[str]:
    """In which ways the figures are not of the corpus as published (``Result.partial``), to stand in their row."""
    partial = found.records[0].partial
    heard = partial.get("max_seconds", "whole")
    said = {
        "split_files": "a split of your own",
        "limit": f"at most {partial.get('limit')} items a side",
        "left_out": f"{len(found.left_out)} of {len(found.left_out) + found.n_items} items left out",
        "max_seconds": "each item heard whole" if heard == "whole" else f"the first {heard:g} s of each item",
    }
    return [said[name] for name in partial]


def _tags_of(args: Namespace, corpus, found) -> str:
    """How many tags there are to tell apart: of the vocabulary, or of an episode, which may have others and fewer."""
    ways = found.records[0].setting.get("n_way")
    if ways is None:
        return f"{len(corpus.tags)} tags"
    return f"episodes of {ways} tags ({'base and novel' if args.tags == 'both' else args.tags})"


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
