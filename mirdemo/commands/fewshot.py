"""``fewshot evaluate``: few-shot tagging of labelled recordings, over episodes, as result records."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from mirdemo.base.files import expanded
from mirdemo.commands.console import (
    add_backbone_arguments,
    add_json_argument,
    count,
    print_json,
    progress_bar,
    table,
    warn,
)

if TYPE_CHECKING:
    from mirdemo.base.progress import Progress
    from mirdemo.clips import LabelledClips
    from mirdemo.embedding.store import EmbeddingStore

PROTOCOLS = ("lcprotonets2024", "papaioannou2025", "live")
METHODS = ("lc-prototypes", "ml-pn", "ovr", "linear")


def add_arguments(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    evaluate = verbs.add_parser("evaluate", help="macro and micro F1 over N-way K-shot episodes")
    evaluate.add_argument("clips", metavar="CLIPS", help="a folder, zip or CSV sheet of labelled recordings")
    evaluate.add_argument("--layer", help="a layer of the backbone, or mean (default: the one to begin with)")
    evaluate.add_argument("--method", choices=METHODS, default="lc-prototypes")
    evaluate.add_argument("--distance", choices=("cosine", "euclidean"), default="cosine")
    evaluate.add_argument(
        "--calibrated", action="store_true", help="thresholds from the support set (ml-pn, ovr)"
    )
    evaluate.add_argument("--protocol", choices=PROTOCOLS, default="lcprotonets2024")
    evaluate.add_argument("--shots", type=count, default=3, metavar="K", help="recordings a tag (default: 3)")
    evaluate.add_argument("--ways", type=count, metavar="N", help="number of tags (default: all)")
    evaluate.add_argument(
        "--novel", default="", metavar="TAG,TAG", help="tags that count as novel; the others are base"
    )
    evaluate.add_argument(
        "--kind", choices=("base", "novel", "both"), default="both", help="which tags (default: both)"
    )
    evaluate.add_argument(
        "--seeds", type=_seeds, metavar="3,4,7", help="one episode each (default: the published five)"
    )
    evaluate.add_argument(
        "--corpus", help="what the records call these recordings (default: the name of CLIPS)"
    )
    evaluate.add_argument("--results", metavar="FILE.jsonl", help="append the records to this file")
    add_backbone_arguments(evaluate)
    add_json_argument(evaluate)


def run(args: Namespace) -> int:
    from mirdemo.backbones import load_backbone
    from mirdemo.clips import LabelledClips
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.clips.sheets import SHEET_SUFFIXES
    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.results.of_episodes import episode_results
    from mirdemo.results.of_reports import hardware, versions
    from mirdemo.results.records import append, check_writable
    from mirdemo.stages.fewshot import PUBLISHED_SEEDS, evaluate_episodes

    source = expanded(args.clips)
    read = LabelledClips.from_zip if source.suffix.lower() == ".zip" else LabelledClips.from_folder
    if source.suffix.lower() in SHEET_SUFFIXES:
        read = LabelledClips.from_csv
    if args.results:
        check_writable(expanded(args.results))
    with progress_bar(not args.json) as progress:
        labelled = read(source, progress=progress)
        for sentence in labelled.problems:
            warn(sentence)
        backbone = load_backbone(
            args.backbone, args.checkpoint, args.device, args.dtype, progress=progress, engine=args.engine
        )
        store = EmbeddingStore()
        _listen(labelled, store, progress)
        embeddings = embed(labelled.clips, backbone, store=store, progress=progress)
        layer = args.layer or backbone.spec.first_layer
        novel = tuple(tag.strip() for tag in args.novel.split(",") if tag.strip())
        report = evaluate_episodes(
            embeddings.matrix(layer),
            labelled.labels,
            labelled.counted,
            labelled.tags,
            make=lambda: _method(args),
            base=[tag for tag in labelled.tags if tag not in novel],
            novel=novel,
            kind=args.kind,
            n_way=args.ways,
            k_shot=args.shots,
            protocol=args.protocol,
            seeds=args.seeds or PUBLISHED_SEEDS,
            progress=progress,
        )
    identity = embeddings.identity
    records = episode_results(
        report,
        model=backbone.spec.title,
        corpus=args.corpus or source.stem or source.resolve().name,
        distance={"cosine": "cos", "euclidean": "l2"}[args.distance],
        revision=identity.revision,
        layer=layer,
        pooling=identity.pooling,
        window_seconds=identity.window_seconds,
        hardware=hardware(backbone),
        versions=versions(identity),
        in_question=InQuestion.of(labelled),
    )
    if args.results:
        append(records, expanded(args.results))
    if args.json:
        print_json([record.as_dict() for record in records])
        return 0
    shown = [("macro F1", report.macro_f1), ("micro F1", report.micro_f1)]
    rows = [(name, f"{figure.value:.3f}", _range(figure)) for name, figure in shown]
    episodes = "1 episode" if len(report.episodes) == 1 else f"{len(report.episodes)} episodes"
    print(f"{report.n_way}-way {report.k_shot}-shot, {report.kind} tags, {episodes}, {layer}")
    print(
        table(
            (
                "figure",
                "value",
                f"90 % over {episodes} and {report.n_recordings} recordings",
            ),
            rows,
        )
    )
    return 0


def _listen(labelled: LabelledClips, store: EmbeddingStore, progress: Progress) -> None:
    """Hear which clips may be of one recording, where nobody has said; they are counted as one then, and that is said."""
    from mirdemo.clips.heard import MOST_COMPARED, listen
    from mirdemo.clips.labelled import unanswered

    if not all(labelled.given) and len(labelled) <= MOST_COMPARED:
        labelled.hear(listen(labelled.clips, store, progress))
    if labelled.in_question:
        warn(unanswered(labelled))


def _seeds(text: str) -> tuple[int, ...]:
    seeds = text.replace(" ", "").split(",")
    if not all(seed.isdecimal() for seed in seeds):
        raise ArgumentTypeError(f"{text} is not a list of whole numbers such as 3,4,7")
    return tuple(map(int, seeds))


def _method(args: Namespace):
    from mirdemo.stages.fewshot import LCPrototypes, LinearHead, OneVsRest, TagPrototypes

    if args.method == "linear":
        return LinearHead()
    if args.method == "lc-prototypes":
        return LCPrototypes.published(args.distance)
    if args.method == "ovr":
        return OneVsRest(args.distance, calibrated=args.calibrated, k_shot=args.shots)
    return TagPrototypes(args.distance, calibrated=args.calibrated)


def _range(figure) -> str:
    return "no interval" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}"
