"""``panel``: people who know the music judge a tagger's tags blind; a page to send, and its answers read back."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base.files import expanded, whole
from mirdemo.base.sentences import Sentence
from mirdemo.commands.console import (
    add_json_argument,
    add_language_argument,
    count,
    print_json,
    progress_bar,
    said,
    tell,
    warn,
)
from mirdemo.commands.inputs import Sounds, add_input_arguments, asked_files, of_its_own

if TYPE_CHECKING:
    import numpy as np

    from mirdemo.base.progress import Progress
    from mirdemo.planning.panel import Answers, Panel, Results
    from mirdemo.sound.audio import Clip

#: Bytes of a plan's file.
LARGEST_PLAN = 64_000_000


def add_arguments(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    line = "write a page for listeners, and its key, from recordings that the tagger has not learned from"
    make = verbs.add_parser("make", help=line, description=line[0].upper() + line[1:] + ".")
    add_input_arguments(make)
    make.add_argument(
        "--tagger", required=True, metavar="DIR", help="whose tags are judged: a folder, zip, or OWNER/NAME"
    )
    make.add_argument("--beside", metavar="DIR", help="a second tagger, judged on the same clips, blind")
    make.add_argument("--out", default="panel.html", metavar="FILE.html", help="the page to send")
    make.add_argument(
        "--key",
        default="panel-key.json",
        metavar="FILE.json",
        help="the key to keep: who said what; a file that is there stays",
    )
    make.add_argument("--clips", type=count, default=20, metavar="N", help="at most so many clips (up to 60)")
    make.add_argument(
        "--seconds", type=count, default=15, metavar="S", help="of a longer recording, its middle so long"
    )
    make.add_argument("--seed", type=int, default=0, help="of what is drawn and its order")
    add_json_argument(make)
    line = "read answers that came back: how often the tags are right, and how far people agree"
    read = verbs.add_parser("read", help=line, description=line[0].upper() + line[1:] + ".")
    read.add_argument("key", metavar="KEY", help="the key that was saved with the panel")
    read.add_argument("answers", nargs="+", metavar="ANSWERS", help="files that listeners saved")
    read.add_argument("--labels", metavar="OUT.csv", help="write the tags they found right as a label sheet")
    read.add_argument(
        "--plan", metavar="FILE", help="write who listened, and their seconds, into this plan's file"
    )
    add_language_argument(read)
    add_json_argument(read)


def run(args: Namespace) -> int:
    """Exit code 1 if a file could not be read."""
    return _make(args) if args.what == "make" else _read(args)


# ---- make -----------------------------------------------------------------------------------------------


def _make(args: Namespace) -> int:
    from mirdemo.planning.panel import Proposer, draw, panel_page
    from mirdemo.tagger import Tagger

    out, key = expanded(args.out), expanded(args.key)
    if not out.parent.is_dir() or not key.parent.is_dir() or out.resolve() == key.resolve():
        warn(Sentence("--out and --key must name two files in folders that exist.", "commands.panel_outputs"))
        return 2
    if key.exists():
        warn(
            Sentence(
                "{key} is there already. If it is a panel's key, that panel's answers cannot be read without it: move it, or choose "
                "other names as --out and --key.",
                "commands.panel_key_there",
                {"key": str(key)},
            )
        )
        return 3
    taggers = [Tagger.load(source) for source in (args.tagger, args.beside) if source]
    inputs = asked_files(args)
    if inputs is None:
        return 2
    with progress_bar(not args.json) as progress:
        read, failed = _heard(inputs.files, taggers, args, progress)
        recordings = dict(zip(read, _recordings([clip for clip, _ in read.values()]), strict=True))
        learned = {recordings[key] for key, (_, own) in read.items() if own}
        kept = [key for key in read if recordings[key] not in learned]
        clips = [read[key][0] for key in kept]
        if not read and (failed or inputs.nothing):  # it has been said of each
            return 3
        own = of_its_own(len(read) - len(clips), all(tagger.learned for tagger in taggers))
        if own is not None:
            warn(own)
        tags = tuple(dict.fromkeys(tag for tagger in taggers for tag in tagger.tags))
        names = _names(taggers, [args.tagger, args.beside])
        said_by = [_tagged(tagger, clips, tags, progress) for tagger in taggers]
        panel = draw(
            clips,
            [recordings[key] for key in kept],
            tags,
            [Proposer(name, given) for name, given in zip(names, said_by, strict=True)],
            most=args.clips,
            seed=args.seed,
        )
        page = panel_page(panel, clips, args.language, progress=progress)
    for path, text in ((out, page), (key, panel.as_json())):
        with whole(path) as part:
            part.write_text(text, encoding="utf-8")
    _tell_made(panel, out, key, failed, args.json)
    return 1 if failed or inputs.nothing else 0


def _tell_made(panel: Panel, out: Path, key: Path, failed: int, as_json: bool) -> None:
    """What was written and what to do with it. failed: recordings that could not be read, or not whole"""
    if as_json:
        print_json(
            {
                "panel": panel.id,
                "page": str(out),
                "bytes": out.stat().st_size,
                "key": str(key),
                "clips": len(panel.clips),
                "questions": panel.n_questions,
                "failed": failed,
            }
        )
    else:
        tell(
            Sentence(
                "{out} ({megabytes:.1f} MB): {clips} clips, {questions} questions. Send it; it names no file and no tagger.",
                "commands.panel_made",
                {
                    "out": str(out),
                    "megabytes": out.stat().st_size / 1e6,
                    "clips": len(panel.clips),
                    "questions": panel.n_questions,
                },
            )
        )
        tell(
            Sentence(
                "{key}: keep it, and do not send it; the answers are read with it.",
                "commands.panel_key",
                {"key": str(key)},
            )
        )


def _heard(
    files: Sequence[str], taggers: Sequence[Any], args: Namespace, progress: Progress
) -> tuple[dict[str, tuple[Clip, bool]], int]:
    """The clips that can be read, cut to what is heard, by their hash, with whether a tagger was made from them; and how many
    files cannot be read, or not whole (said on standard error)."""
    from mirdemo.planning.panel import middle

    sounds = Sounds(files, args.track, progress, "reading")
    read: dict[str, tuple[Clip, bool]] = {}
    for _, clip in sounds.clips():
        heard, own = middle(clip, args.seconds), any(tagger.has_learned(clip) for tagger in taggers)
        read[heard.sha256] = (heard, own or read.get(heard.sha256, (heard, False))[1])
    return read, sounds.failed


def _recordings(clips: Sequence[Clip]) -> list[str]:
    """The recording that each clip is of, by its name."""
    from mirdemo.clips.counting import files_of
    from mirdemo.clips.recordings import by_name

    return list(by_name([clip.name for clip in clips], files=files_of(clips)).recordings)


def _names(taggers: list[Any], sources: list[str | None]) -> list[str]:
    """What the taggers are called in results: by their files, numbered where these are called alike."""
    names = [Path(source).stem or "tagger" for source in sources if source]
    return names if len(set(names)) == len(names) else [f"{name} ({i})" for i, name in enumerate(names, 1)]


def _tagged(tagger: Any, clips: list[Clip], tags: tuple[str, ...], progress: Progress) -> np.ndarray:
    """0/1 (n_clips, n_tags). A tag that this tagger does not know is not given by it."""
    import numpy as np

    from mirdemo.backbones import load_backbone

    backbone = load_backbone(tagger.identity.name, progress=progress, **tagger.needs.again())
    given = np.zeros((len(clips), len(tags)), np.uint8)
    columns = [tags.index(tag) for tag in tagger.tags]
    for row, clip in enumerate(clips):
        progress(row, len(clips), "tagging")
        given[row, columns] = _decided(tagger.decide(clip, backbone=backbone))
    return given


def _decided(found: Any) -> np.ndarray:
    """(n_tags,) given to the whole clip; nothing where it is unknown."""
    return found.given[0] * (not found.unknown[0])


# ---- read -----------------------------------------------------------------------------------------------


def _read(args: Namespace) -> int:
    from mirdemo.planning.panel import Listeners, Panel, results
    from mirdemo.planning.panel.drawing import LARGEST_KEY

    found = _bytes(args.key, LARGEST_KEY)
    if found is None:
        return 2
    panel = Panel.from_json(found)
    answers, failed = _answers(args.answers, panel)
    heard = results(panel, answers)
    if heard is None:
        return 1
    short = Listeners.of(heard)
    if args.labels:
        with whole(expanded(args.labels)) as part:
            part.write_bytes(_sheet(heard))
    if args.plan and not _into_plan(args.plan, short):
        return 2
    if args.json:
        print_json({"listeners": short.as_dict(), **_plain(heard)})
    else:
        _print(heard, short, args.language)
    return 1 if failed else 0


def _bytes(path: str, largest: int) -> bytes | None:
    try:
        with expanded(path).open("rb") as file:
            return file.read(largest + 1)
    except OSError:
        warn(
            Sentence(
                "{file} cannot be read. Name a file that exists.", "commands.panel_unread", {"file": path}
            )
        )
        return None


def _answers(paths: list[str], panel: Panel) -> tuple[tuple[Answers, ...], int]:
    """What can be read, and how many files could not (each named on standard error)."""
    from mirdemo.planning.panel import PanelError, joined, read_answers
    from mirdemo.planning.panel.answers import LARGEST

    answers: tuple[Answers, ...] = ()
    failed = 0
    for path in paths:
        data = _bytes(path, LARGEST)
        if data is None:
            failed += 1
            continue
        try:
            answers, note = joined(answers, read_answers(data, panel))
        except PanelError as refusal:
            warn(f"{path}: {said(refusal)}")
            failed += 1
            continue
        if note is not None:
            warn(note)
    return answers, failed


def _sheet(heard: Results) -> bytes:
    """The panel's clips with what listeners made of the first tagger's tags."""
    from mirdemo.clips.sheets import Row, write_sheet
    from mirdemo.clips.tags import written_tags
    from mirdemo.planning.panel import label_changes

    first = heard.panel.machines[0]
    before = {
        clip.sha256: [one.tag for one in clip.questions if first in one.by] for clip in heard.panel.clips
    }
    after = before | {one.sha256: list(one.tags) for one in label_changes(heard, before)}
    return write_sheet(
        Row(clip.name, written_tags(after[clip.sha256]), clip.recording) for clip in heard.panel.clips
    )


def _into_plan(path: str, short: Any) -> bool:
    from mirdemo.planning import Plan

    found = _bytes(path, LARGEST_PLAN)
    if found is None:
        return False
    plan = Plan.from_json(found).heard_by(short)
    with whole(expanded(path)) as part:
        part.write_text(plan.as_json(), encoding="utf-8")
    return True


def _plain(heard: Results) -> dict[str, Any]:
    return {
        "tags": {
            one.key: [
                {
                    "tag": tag.tag,
                    "said": {
                        "right": tag.said.right,
                        "n": tag.said.n,
                        "interval": tag.said.share.as_dict(),
                    },
                    "unsaid": {
                        "right": tag.unsaid.right,
                        "n": tag.unsaid.n,
                        "interval": tag.unsaid.share.as_dict(),
                    },
                }
                for tag in one.tags
            ]
            for one in heard.proposers
        },
        "missing": [{"word": word, "listeners": n, "clips": len(where)} for word, n, where in heard.words],
        "disagreements": [
            {
                "file": heard.panel.clips[one.clip].name,
                "tag": one.tag,
                "said_by": list(one.by),
                "right": one.right,
                "wrong": one.wrong,
                "cannot_tell": one.cannot_tell,
            }
            for one in heard.disagreements()
        ],
    }


def _print(heard: Results, short: Any, language: str) -> None:
    from mirdemo.commands.console import table
    from mirdemo.evidence import panel_words
    from mirdemo.words.language import speaker

    t = speaker(language)
    for line in panel_words.lines(t, short):
        print(line.unescape())
    if (sentence := panel_words.preferred(t, heard)) is not None:
        print(sentence.unescape())
    for at, one in enumerate(heard.machines):
        head = [t("panel.tag"), t("panel.said", who=one.key), t("panel.unsaid", who=one.key)]
        rows = [
            [row["tag"], row["machines"][at]["said"].unescape(), row["machines"][at]["unsaid"].unescape()]
            for row in panel_words.tag_rows(t, heard)
        ]
        print("\n" + table([cell.unescape() for cell in head], rows))
    for word, n, where in heard.words:
        print(t("panel.word.line", word=word, n=n, clips=len(where)).unescape())
