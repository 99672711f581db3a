"""``report``: one HTML file for a meeting, with no network and no page."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from mirdemo.base.files import whole
from mirdemo.commands.console import add_json_argument, print_json, warn


def add_arguments(parser: ArgumentParser) -> None:
    from mirdemo.words.language import LANGUAGES

    parser.add_argument("--out", default="mirdemo-report.html", metavar="FILE.html", help="where it goes")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    for name in ("metric", "methods", "models", "corpora", "sources"):
        parser.add_argument(
            f"--{name}", default="", metavar="A~B", help=f"only these {name}, as in the page's address"
        )
    add_json_argument(parser)


def run(args: Namespace) -> int:
    from mirdemo.evidence import drawing
    from mirdemo.evidence.report import evidence_report

    out = Path(args.out).expanduser()
    if not out.parent.is_dir():
        warn("--out must name a file in a folder that exists.")
        return 2
    wanted = {name: getattr(args, name) for name in ("metric", "methods", "models", "corpora", "sources")}
    text = evidence_report(drawing.selected({k: v for k, v in wanted.items() if v}), args.language)
    with whole(out) as part:
        part.write_text(text, encoding="utf-8")
    if args.json:
        print_json({"file": str(out), "bytes": out.stat().st_size})
    else:
        print(f"{out} ({out.stat().st_size / 1e6:.1f} MB)")
    return 0
