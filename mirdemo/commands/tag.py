"""``tag``: an archive tagged by a tagger that was taken home, with progress, resumed where it stopped."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base.sentences import Sentence
from mirdemo.clips.annotations import KINDS
from mirdemo.commands.console import (
    add_json_argument,
    print_json,
    progress_bar,
    said,
    shown,
    tell,
    warn,
)
from mirdemo.commands.inputs import Inputs, Sounds, add_input_arguments, asked_files

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.base.progress import Progress
    from mirdemo.scoring.intervals import Interval
    from mirdemo.tagger import Tagger
    from mirdemo.tagger.writing import UndoFile


def add_arguments(parser: ArgumentParser) -> None:
    add_input_arguments(parser)
    parser.add_argument(
        "--tagger", required=True, metavar="DIR", help="a tagger's folder, zip, or OWNER/NAME on the Hub"
    )
    parser.add_argument("--csv", metavar="OUT.csv", help="write here, and go on from here if it exists")
    parser.add_argument(
        "--retry", action="store_true", help="with --csv: try files again that could not be read before"
    )
    parser.add_argument(
        "--write-tags",
        action="store_true",
        help="add the tags to the files' own metadata, never to their sound; needs --undo and requirements-tags.txt",
    )
    parser.add_argument(
        "--undo", metavar="FILE", help="with --write-tags: what stood there before, for the verb untag"
    )
    parser.add_argument(
        "--field",
        choices=("grouping", "genre"),
        default="grouping",
        help="with --write-tags: where they are added, beside what stands there (default: grouping)",
    )
    parser.add_argument(
        "--over-time",
        metavar="DIR",
        help="write each recording's tags over time here, a file a recording, as --as says; other files there stay",
    )
    parser.add_argument(
        "--as",
        dest="kind",
        choices=KINDS,
        default="csv",
        help="with --over-time: for which program (default: csv, with file,start,end,label)",
    )
    parser.add_argument("--checkpoint", metavar="DIR", help="a local folder with the tagger's backbone")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    """Exit code 1 if a file could not be read, lacks a part, or was not there."""
    from mirdemo.backbones import load_backbone
    from mirdemo.tagger import Tagger

    if args.retry and not args.csv:
        warn(Sentence("--retry takes lines out of a table. Give --csv too.", "commands.retry_without_table"))
        return 2
    if args.write_tags != bool(args.undo):
        warn(Sentence("--write-tags and --undo FILE belong together. Give both.", "commands.write_and_undo"))
        return 2
    if args.over_time and (args.csv or args.json or args.write_tags):
        warn(
            Sentence(
                "--over-time writes a file a recording. Leave --csv, --json and --write-tags out, or ask for them by themselves.",
                "commands.over_time_alone",
            )
        )
        return 2
    tagger = Tagger.load(args.tagger)
    inputs = asked_files(args)
    if inputs is None:
        return 2
    with _writer(args) as writer, progress_bar() as progress:
        backbone = load_backbone(
            tagger.identity.name, args.checkpoint, args.device, progress=progress, **tagger.needs.again()
        )
        work = _over_time if args.over_time else _into_table if args.csv else _onto_screen
        failed = work(args, inputs, tagger, backbone, writer, progress)
    return 1 if failed or writer.failed or inputs.nothing else 0


class _Writer:
    """Writes tags into files where that was asked for.

    written: files that were changed; failed: files that could not be
    """

    def __init__(self, undo: UndoFile | None, field: str) -> None:
        self._undo = undo
        self._field = field
        self.written = 0
        self.failed = 0

    def __call__(self, file: str, tags: Sequence[str]) -> None:
        if self._undo is None or not tags:
            return
        from mirdemo.tagger import TaggerError
        from mirdemo.tagger.writing import write_tags

        try:
            self.written += write_tags(file, tags, self._undo, self._field)
        except TaggerError as refusal:
            warn(refusal)
            self.failed += 1


@contextmanager
def _writer(args: Namespace) -> Iterator[_Writer]:
    if not args.write_tags:
        yield _Writer(None, args.field)
        return
    from mirdemo.tagger.writing import UndoFile

    with UndoFile(args.undo) as undo:
        writer = _Writer(undo, args.field)
        yield writer
        counts = {"written": writer.written, "failed": writer.failed, "undo": args.undo}
        warn(
            Sentence(
                "Tags were written into {written} files, {failed} did not take them; `untag {undo}` takes them back.",
                "commands.written",
                counts,
            )
        )


def _into_table(
    args: Namespace, inputs: Inputs, tagger: Tagger, backbone: Backbone, writer: _Writer, progress: Progress
) -> bool:
    """Whether a file failed or lacks a part."""
    from mirdemo.clips.tags import typed_tags
    from mirdemo.tagger import tag_archive

    report = tag_archive(
        inputs.files,
        tagger,
        Path(args.csv),
        backbone=backbone,
        track=args.track,
        retry=args.retry,
        say=said,
        tell=warn,
        then=lambda line: writer(line.file, typed_tags(line.tags)),
        progress=progress,
    )
    counts = asdict(report)
    if args.json:
        print_json({"file": args.csv, **counts})
    else:
        tell(
            Sentence(
                "Tagged: {tagged}; there already: {kept}; could not be read: {failed}; lacking a part: {incomplete}. {file}",
                "commands.tagged",
                {**counts, "file": args.csv},
            )
        )
    return bool(report.failed or report.incomplete)


def _over_time(
    args: Namespace, inputs: Inputs, tagger: Tagger, backbone: Backbone, _writer: _Writer, progress: Progress
) -> bool:
    """An annotation file for each recording. Whether a file failed, lacks a part, or has another one there."""
    from mirdemo.base.files import whole
    from mirdemo.clips.annotations import write_annotations
    from mirdemo.clips.segments import over_windows

    folder = Path(args.over_time)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        warn(
            Sentence(
                "{name} cannot be made a folder. Choose another place.",
                "commands.over_time_folder",
                {"name": args.over_time},
            )
        )
        return True
    taken: set[str] = set()
    sounds, kept = Sounds(inputs.files, args.track, progress, "tagging"), 0
    for path, clip in sounds.clips():
        found = tagger.tag_windows(clip, backbone=backbone)
        seconds = min(found.seconds, clip.seconds)
        given = found.given * ~found.unknown[:, None]
        segments = over_windows(found.starts.tolist(), seconds, clip.seconds, given.tolist(), found.tags)
        place = folder / _new_name(Path(path).stem or "clip", KINDS[args.kind], taken)
        content = write_annotations(segments, args.kind, clip.name, clip.seconds)
        if place.exists() and place.read_bytes() != content:
            kept += 1  # perhaps what somebody labelled by hand, beside the sound
            warn(
                Sentence(
                    "{place} is there already and says something else, so it was left as it is. Choose another folder, or move it.",
                    "commands.over_time_there",
                    {"place": shown(str(place))},
                )
            )
            continue
        with whole(place) as beside:
            beside.write_bytes(content)
        print(f"{shown(path)}: {shown(str(place))}")
    return sounds.failed + kept > 0


def _new_name(stem: str, ending: str, taken: set[str]) -> str:
    """The recording's own name, numbered where another one of these recordings has it."""
    name, number = stem + ending, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}){ending}"
    taken.add(name.casefold())
    return name


def _onto_screen(
    args: Namespace, inputs: Inputs, tagger: Tagger, backbone: Backbone, writer: _Writer, progress: Progress
) -> bool:
    """Each file's tags as soon as they are known; as JSON one object, written file by file."""
    from mirdemo.sound.audio import AudioError

    sounds, before = Sounds(inputs.files, args.track, progress, "tagging"), "{"
    for path, clip in sounds:
        found: dict[str, Any]
        if isinstance(clip, AudioError):
            found = {"tags": [], "warnings": [], "problem": said(clip)}
        else:
            tags = tagger.tag(clip, backbone=backbone)
            writer(path, [tag for tag, _, _ in tags])
            found = {"tags": [_plain(*one) for one in tags], "warnings": [said(w) for w in clip.warnings]}
            if not args.json:
                print(
                    f"{shown(path)}: {', '.join(f'{tag} {score:.2f}' for tag, score, _ in tags) or _unknown()}"
                )
        if args.json:
            text = json.dumps(found, ensure_ascii=False, indent=2, allow_nan=False).replace("\n", "\n  ")
            print(f"{before}\n  {json.dumps(shown(path), ensure_ascii=False)}: {text}", end="")
            before = ","
    if args.json:
        print("{}" if before == "{" else "\n}")
    sys.stdout.flush()
    return sounds.failed > 0


def _unknown() -> str:
    return said(Sentence("unknown", "commands.unknown"))


def _plain(tag: str, score: float, interval: Interval | None) -> dict[str, Any]:
    """A tag as JSON; the interval is over the recording's windows, None where they are too few for one."""
    return {"tag": tag, "score": score, "interval": None if interval is None else interval.as_dict()}
