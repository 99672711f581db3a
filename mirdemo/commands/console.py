"""What the verbs share: files named on the command line, a progress bar, a line of JSON, a table."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import MirdemoError, Sentence

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

#: The language of what is said, as ``--language`` has it.
_LANGUAGE: ContextVar[str] = ContextVar("language", default="en")
#: Seconds between two lines of progress where no bar can be drawn (a log file).
LOG_EVERY = 60.0


def add_backbone_arguments(parser: ArgumentParser) -> None:
    """Which backbone, from where, on what."""
    parser.add_argument(
        "--backbone", default="spectral", metavar="NAME", help="a name of `backbones`, or hf:OWNER/REPO"
    )
    add_checkpoint_argument(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default: auto)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: auto)")
    parser.add_argument(
        "--engine",
        metavar="NAME",
        help="auto, torch, openvino or openvino-int8 (default: $MIRDEMO_ENGINE, else auto)",
    )


def add_checkpoint_argument(parser: ArgumentParser) -> None:
    """Where a backbone's files lie."""
    parser.add_argument(
        "--checkpoint", metavar="DIR", help="a local folder laid out as on the Hub; nothing is fetched"
    )


def add_track_argument(parser: ArgumentParser) -> None:
    """Which of several sound tracks."""
    parser.add_argument(
        "--track",
        type=count,
        metavar="N",
        help="of files with several sound tracks, the Nth (default: the one that is marked, else the first that sounds)",
    )


def add_language_argument(parser: ArgumentParser) -> None:
    """In which language the verb speaks."""
    from mirdemo.words.language import LANGUAGES

    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of what is said (default: en)")


def add_json_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for machines instead of text")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is said in the block is said in this language."""
    token = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def said(sentence: object) -> str:
    """A sentence, or what an error says, in the language of the command; anything else as it is."""
    if isinstance(sentence, MirdemoError):
        sentence = sentence.sentence
    if not isinstance(sentence, Sentence) or _LANGUAGE.get() == "en":
        return str(sentence)
    from mirdemo.words.language import speaker

    return str(speaker(_LANGUAGE.get()).say(sentence).unescape())


def warn(sentence: object) -> None:
    """A sentence on standard error, above a bar that is drawn there."""
    text = f"mirdemo: {said(sentence)}"
    if "tqdm" in sys.modules and sys.stderr.isatty():
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)
    else:
        print(text, file=sys.stderr)


def warn_of(clip: Clip) -> None:
    """What is to be known of the file that a clip came in, where other files are spoken of, too."""
    from mirdemo.sound.audio import of_file

    for warning in clip.warnings:
        warn(of_file(clip.name, warning))


def tell(sentence: Sentence) -> None:
    """On standard output: what was done."""
    print(said(sentence))


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


@contextmanager
def progress_bar(shown: bool = True) -> Iterator[Progress]:
    """A progress that draws one bar with the time left on standard error; where that is no terminal, a line a minute."""
    if not shown:
        yield silent
        return
    if not sys.stderr.isatty():
        yield _logged()
        return
    from tqdm import tqdm

    bar: tqdm | None = None
    now = ""

    def progress(done: int, total: int, phase: str) -> None:
        nonlocal bar, now
        if bar is None or now != phase:
            if bar is not None:
                bar.close()
            scaled = phase == "fetching"
            bar = tqdm(
                total=total,
                initial=done,
                desc=_phase(phase),
                unit="B" if scaled else "",
                unit_scale=scaled,
                leave=False,
            )
            now = phase
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


def _logged() -> Progress:
    """A line a minute, for a log: how many are done, how fast, and how long the rest will take."""
    current, first, began, told = "", 0, time.monotonic(), time.monotonic()

    def progress(done: int, total: int, phase: str) -> None:
        nonlocal current, first, began, told
        now = time.monotonic()
        if phase != current:
            current, first, began, told = phase, done, now, now
        if now - told >= LOG_EVERY and done > first:
            told, rate = now, (done - first) / (now - began)
            warn(
                Sentence(
                    "{phase}: {done} of {total}, {rate:.1f} a second, {left} left",
                    "commands.progress",
                    {
                        "phase": _phase(phase),
                        "done": done,
                        "total": total,
                        "rate": rate,
                        "left": time_of((total - done) / rate),
                    },
                )
            )

    return progress


def _phase(phase: str) -> str:
    """A phase's name in the language of the command."""
    if _LANGUAGE.get() == "en":
        return phase
    from mirdemo.words.language import speaker

    t, key = speaker(_LANGUAGE.get()), f"page.phase.{phase}"
    return str(t(key if t.has(key) else "page.phase.other").unescape())


def time_of(seconds: float) -> str:
    """``0:42``, ``1:02:03``: hours, minutes, seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def shown(path: str) -> str:
    """A file's name as it can be printed, also where it is no text."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns aligned for a terminal, where Japanese letters take two places, the last one free."""
    lines = [list(map(str, header)), *([*map(str, row)] for row in rows)]
    widths = [max(_places(line[i]) for line in lines) for i in range(len(header) - 1)]
    return "\n".join(
        "  ".join(c + " " * (w - _places(c)) for c, w in zip(line, [*widths, 0], strict=True)).rstrip()
        for line in lines
    )


def _places(text: str) -> int:
    """How many places a text takes in a line of a terminal."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def megabytes(size: int | None) -> str:
    """``378 MB``, ``1.3 GB``; nothing for zero, a question mark if not known."""
    if size is None:
        return "?"
    if not size:
        return "-"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def count(text: str) -> int:
    """An argparse type: a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a number of at least 1")
    return int(text)


def amount(text: str) -> float:
    """An argparse type: a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text} is not a number above 0")
    return value
