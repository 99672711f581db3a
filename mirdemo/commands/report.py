"""``report``: one HTML file for a meeting, with no network and no page."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mirdemo.base.files import expanded, whole
from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import add_json_argument, print_json, warn

#: Bytes of a plan's file.
LARGEST_PLAN = 64_000_000


def add_arguments(parser: ArgumentParser) -> None:
    from mirdemo.words.language import LANGUAGES

    parser.add_argument("--out", default="mirdemo-report.html", metavar="FILE.html", help="where it goes")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    for name in ("metric", "methods", "models", "corpora", "sources"):
        parser.add_argument(
            f"--{name}", default="", metavar="A~B", help=f"only these {name}, as in the page's address"
        )
    parser.add_argument(
        "--plan", metavar="FILE", help="of this plan instead, as saved from the page's Plan tab or by Python"
    )
    add_json_argument(parser)


def run(args: Namespace) -> int:
    out = expanded(args.out)
    if not out.parent.is_dir():
        warn(Sentence("--out must name a file in a folder that exists.", "commands.report_out"))
        return 2
    text = _of_plan(args) if args.plan else _of_evidence(args)
    if text is None:
        return 2
    with whole(out) as part:
        part.write_text(text, encoding="utf-8")
    if args.json:
        print_json({"file": str(out), "bytes": out.stat().st_size})
    else:
        print(f"{out} ({out.stat().st_size / 1e6:.1f} MB)")
    return 0


def _of_evidence(args: Namespace) -> str | None:
    """The report; None, and a sentence on standard error, where a name is none: all of it would look like the part asked for."""
    from mirdemo.evidence import drawing
    from mirdemo.evidence.report import evidence_report

    wanted = {name: getattr(args, name) for name in ("metric", "methods", "models", "corpora", "sources")}
    for name, known in drawing.to_select().items():
        unknown = [part for part in wanted[name].split("~") if part and part not in known]
        if unknown:
            warn(
                Sentence(
                    "There is nothing named {unknown} for --{option}. Choose of: {known}.",
                    "commands.report_unknown",
                    {"unknown": ", ".join(unknown), "option": name, "known": ", ".join(sorted(known))},
                )
            )
            return None
    return evidence_report(drawing.selected({k: v for k, v in wanted.items() if v}), args.language)


def _of_plan(args: Namespace) -> str | None:
    """The plan's report; None, and a sentence on standard error, where the file is none."""
    from mirdemo.evidence.plan_report import plan_report
    from mirdemo.planning import Plan, PlanError

    path = expanded(args.plan)
    try:
        if path.stat().st_size > LARGEST_PLAN:
            raise OSError
        found = path.read_bytes()
    except OSError:
        warn(Sentence("--plan must name a plan's file that can be read.", "commands.report_plan"))
        return None
    try:
        return plan_report(Plan.from_json(found), args.language)
    except PlanError as refusal:
        warn(refusal)
        return None
