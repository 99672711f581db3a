"""``corpora``: the corpora there are, and whether the user's copy of one is whole."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from mirdemo.commands.console import add_json_argument, print_json, progress_bar, table, warn

if TYPE_CHECKING:
    from mirdemo.corpora.facts import CorpusFacts


def add_arguments(parser: ArgumentParser) -> None:
    add_json_argument(parser)
    verbs = parser.add_subparsers(dest="what", metavar="WHAT")
    check = verbs.add_parser("check", help="compare a folder with what was published, file by file")
    add_corpus_arguments(check, named=False)
    check.add_argument("name", metavar="NAME", help="a name that `corpora` lists")
    check.add_argument(
        "--quick", action="store_true", help="only see whether the files are there, decode none"
    )
    add_json_argument(check)
    layout = verbs.add_parser("layout", help="what to name a corpus's files, and where they may lie")
    layout.add_argument(
        "name", metavar="NAME", help="a name that `corpora` lists, or of a download: saraga, otmm, fma_full"
    )


def add_corpus_arguments(parser: ArgumentParser, *, named: bool = True) -> None:
    """Which corpus, and where its sound and its published split are."""
    if named:
        parser.add_argument("--corpus", metavar="NAME", help="a name that `corpora` lists")
    parser.add_argument(
        "--data", metavar="DIR", help="your folder with the corpus's audio (controlled: not needed)"
    )
    parser.add_argument(
        "--splits", metavar="DIR", help="a checkout of the published splits (default: fetched once and kept)"
    )
    parser.add_argument("--mode", default="full", help="of controlled corpora: full, pitch or timbre")


def run(args: Namespace) -> int:
    return {"check": _check, "layout": _layout}.get(args.what, _list)(args)


def _layout(args: Namespace) -> int:
    from mirdemo.corpora.catalogue import catalogue

    word = args.name.casefold()
    known = catalogue()
    # A download that people have by another name stands in the lines of the corpora that it is a part of.
    told = [known[args.name]] if args.name in known else [f for f in known.values() if word in _words(f)]
    if not told:
        warn(
            f"There is no corpus named {args.name} with files of its own, and no layout that names it. Choose one of "
            f"{', '.join(known)}."
        )
        return 3
    for facts in told:
        print(f"{facts.title}: the folder that you give as --data")
        for line in facts.layout or ("as its own reader says",):
            print(f"  {line}")
        print(f"Then: python -m mirdemo corpora check {facts.name} --data DIR")
        print(f"How to get it: {facts.audio}; {facts.page}")
    return 0


def _words(facts: CorpusFacts) -> set[str]:
    return set(re.findall(r"[\w-]+", " ".join((facts.title, *facts.layout)).casefold()))


def _list(args: Namespace) -> int:
    from mirdemo.corpora.catalogue import catalogue
    from mirdemo.corpora.registry import corpus_names
    from mirdemo.corpora.synthetic import SIZES

    controlled = [name for name in corpus_names() if name not in catalogue()]
    if args.json:
        print_json(
            {
                "corpora": [
                    {
                        "name": facts.name,
                        "title": facts.title,
                        "tradition": facts.tradition,
                        "tags": facts.n_tags,
                        "recordings": dict(zip(("train", "valid", "test"), facts.recordings, strict=True)),
                        "max_seconds": facts.max_seconds,
                        "licence": facts.licence,
                        "audio": facts.audio,
                        "page": facts.page,
                        "citation": facts.citation,
                    }
                    for facts in catalogue().values()
                ],
                "controlled": {"names": controlled, "recordings": SIZES},
            }
        )
        return 0
    rows = [
        (
            facts.name,
            facts.title,
            facts.n_tags,
            " ".join("?" if n is None else str(n) for n in facts.recordings),
            facts.audio,
        )
        for facts in catalogue().values()
    ]
    print(table(("name", "title", "tags", "train valid test", "audio"), rows))
    print()
    for facts in catalogue().values():
        print(f"{facts.title}: {facts.licence or 'licence not stated'}\n  {facts.citation}\n  {facts.page}")
    print(f"\nMade here, no data needed: {', '.join(controlled)}")
    return 0


def _check(args: Namespace) -> int:
    """Exit code 1 if the copy is not whole."""
    from mirdemo.corpora.checking import check
    from mirdemo.corpora.errors import first_few
    from mirdemo.corpora.reader import RecordedCorpus
    from mirdemo.corpora.registry import open_corpus

    corpus = open_corpus(args.name, args.data, args.splits, mode=args.mode)
    with progress_bar(not args.json) as progress:
        found = check(corpus, decode=not args.quick, progress=progress)
    if args.json:
        print_json(found.as_dict())
        return 0 if found.whole else 1
    rows = [
        (
            name,
            side.listed,
            "?" if side.published is None else side.published,
            len(side.no_sound),
            len(side.no_labels),
            len(side.unreadable) if found.decoded else "not tried",
            side.usable,
        )
        for name, side in found.sides.items()
    ]
    print(f"{corpus.facts.title}, {found.n_tags} tags, {found.revision}")
    print(table(("side", "listed", "published", "no sound", "no labels", "unreadable", "usable"), rows))
    for name, side in found.sides.items():
        for what, ids in (("no sound", side.no_sound), ("no labels", side.no_labels)):
            if ids:
                warn(f"{name}: {what} for {len(ids)}: {first_few(ids)}")
        for item_id, why in list(side.unreadable.items())[:5]:
            warn(f"{name}: {item_id}: {why}")
    if found.changed:
        warn(
            f"Not the published split: {', '.join(found.changed)}. Figures on it stand beside no published ones."
        )
    if not found.whole and corpus.facts.layout:
        print(f"What to name what: python -m mirdemo corpora layout {corpus.name}")
    if found.repeated:
        warn(f"Listed more than once in the split: {first_few(found.repeated)}")
    if found.shared_sources:
        print(
            f"{found.shared_sources} sources have items on several sides, as published: figures may be flattered."
        )
    if not args.data and isinstance(corpus, RecordedCorpus):
        warn("Give the folder with its sound and labels as --data.")
    elif found.rare_tags:
        print(f"No usable test item has: {', '.join(found.rare_tags)}")
    return 0 if found.whole else 1
