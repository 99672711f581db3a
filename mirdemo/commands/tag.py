"""``tag``: an archive tagged by a tagger that was taken home, with progress, resumed where it stopped."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.commands.console import add_json_argument, add_track_argument, print_json, progress_bar, warn

if TYPE_CHECKING:
    from mirdemo.scoring.intervals import Interval


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings, of any format")
    parser.add_argument(
        "--tagger", required=True, metavar="DIR", help="a tagger's folder, zip, or OWNER/NAME on the Hub"
    )
    parser.add_argument("--csv", metavar="OUT.csv", help="write here, and go on from here if it exists")
    add_track_argument(parser)
    parser.add_argument("--checkpoint", metavar="DIR", help="a local folder with the tagger's backbone")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    from mirdemo.backbones import load_backbone
    from mirdemo.sound.audio import AudioError, load_clip
    from mirdemo.tagger import Tagger, tag_archive

    tagger = Tagger.load(args.tagger)
    with progress_bar(not args.json) as progress:
        backbone = load_backbone(
            tagger.identity.name, args.checkpoint, args.device, tagger.identity.dtype, progress=progress
        )
        if args.csv:
            report = tag_archive(
                args.files, tagger, Path(args.csv), backbone=backbone, track=args.track, progress=progress
            )
            for sentence in report.problems:
                warn(sentence)
            for name, sentence in report.warnings:
                warn(f"{name}: {sentence}")
            if args.json:
                print_json(
                    {
                        "file": args.csv,
                        "tagged": report.tagged,
                        "kept": report.kept,
                        "failed": len(report.problems),
                        "incomplete": report.incomplete,
                    }
                )
            else:
                print(
                    f"{report.tagged} tagged, {report.kept} were there already, {len(report.problems)} failed: {args.csv}"
                )
            return 1 if report.problems or report.incomplete else 0
        tagged, warned, failed = {}, {}, 0
        for i, path in enumerate(args.files):
            progress(i, len(args.files), "tagging")
            try:
                clip = load_clip(path, track=args.track)
                tagged[path] = tagger.tag(clip, backbone=backbone)
            except AudioError as refusal:
                warn(refusal)
                failed += 1
                continue
            warned[path] = [str(sentence) for sentence in clip.warnings]
            for sentence in warned[path]:
                warn(f"{clip.name}: {sentence}")
            failed += clip.incomplete
    if args.json:
        print_json(
            {
                path: {"tags": [_plain(*one) for one in tags], "warnings": warned[path]}
                for path, tags in tagged.items()
            }
        )
    else:
        for path, tags in tagged.items():
            print(f"{path}: {', '.join(f'{tag} {score:.2f}' for tag, score, _ in tags) or 'unknown'}")
    return 1 if failed else 0


def _plain(tag: str, score: float, interval: Interval | None) -> dict[str, Any]:
    """A tag as JSON; the interval is over the recording's windows, None where they are too few for one."""
    return {"tag": tag, "score": score, "interval": None if interval is None else interval.as_dict()}
