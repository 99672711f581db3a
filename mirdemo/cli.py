"""``python -m mirdemo VERB``: the command line.

Each verb is one module of ``mirdemo/commands`` with ``add_arguments(parser)`` and ``run(args) -> int``;
it is imported only to build its own help or to run.

Exit codes: 0 done; 1 done, but some files or checks failed (each named on standard error); 2 the command
line is wrong; 3 refused, with one sentence that says why; 130 stopped by the user.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from mirdemo.base import importing, plugins, threads
from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.commands import console

DONE, SOME_FAILED, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

#: verb -> (module of mirdemo/commands, one line of help)
VERBS = {
    "backbones": ("backbones", "list the backbones: size, licence, fetched or not, health"),
    "engines": ("engines", "try other engines than torch here: how fast, and what they change in a probe"),
    "speed": ("speed", "measure how fast each backbone is here, by engine and precision"),
    "embed": ("embed", "embed recordings and write the rows to a file"),
    "tag": ("tag", "tag recordings with a tagger that was taken home"),
    "untag": ("untag", "take back what tag --write-tags wrote into files"),
    "find": ("find", "find more like a recording, in a folder of any size"),
    "fewshot": ("fewshot", "evaluate few-shot tagging over episodes"),
    "corpora": ("corpora", "list the corpora, or check a copy of one against what was published"),
    "evaluate": ("evaluate", "measure a backbone on a corpus and put it beside what is published"),
    "results": ("results", "write figures in the layouts of MTEB or a table, or read MTEB's"),
    "report": ("report", "write the evidence as one HTML file for a meeting"),
    "publish": ("publish", "put the page onto the Hub as a Space, from what is committed"),
    "panel": ("panel", "have a tagger's tags judged by people who know the music, and read their answers"),
    "doctor": ("doctor", "say what this machine has, and what is missing for what"),
    "demo-clips": ("demo_clips", "write the demo set, a small Japanese festival, to a folder"),
}


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, built without importing anything heavy. only: of the verbs the one whose options are needed, "" for
    none; the others are then named and no more."""
    top = argparse.ArgumentParser(
        prog="python -m mirdemo" if Path(sys.argv[0]).name == "__main__.py" else "mirdemo",
        description="How far do audio foundation models carry for our music, and what carries them further?",
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (module, line) in VERBS.items():
        sub = verbs.add_parser(verb, help=line, description=line[0].upper() + line[1:] + ".")
        if only in (None, verb):
            command = import_module(f"mirdemo.commands.{module}")
            command.add_arguments(sub)
            sub.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    threads.prepare()
    if argv is None:  # the program itself, and no other's that calls a verb
        importing.one_at_a_time()
        argv = sys.argv[1:]
    args = parser(next((word for word in argv if not word.startswith("-")), "")).parse_args(argv)
    log, told = logging.getLogger(plugins.__name__), _Told(logging.WARNING)
    log.addHandler(told)
    try:
        with console.speaking(getattr(args, "language", None) or "en"):
            return _run(args)
    finally:
        log.removeHandler(told)


class _Told(logging.Handler):
    """Says what is logged of another package's faults as the command line says everything."""

    def emit(self, record: logging.LogRecord) -> None:
        console.warn(
            record.args[0] if isinstance(record.args, tuple) and record.args else record.getMessage()
        )


def _run(args: argparse.Namespace) -> int:
    try:
        return args.run(args)
    except MirdemoError as refusal:
        console.warn(refusal)
        return REFUSED
    except KeyboardInterrupt:
        console.warn(Sentence("stopped.", "commands.stopped"))
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe went away: nothing is wrong here
        sys.stderr.close()
        return DONE
    except OSError as error:  # a folder that cannot be written, a full disk
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        if error.filename is None:
            console.warn(
                Sentence(
                    "There is no room left on the disk ({reason}). Make room, or choose another place.",
                    "commands.disk_full",
                    {"reason": error.strerror},
                )
            )
        else:
            console.warn(
                Sentence(
                    "{place} cannot be used ({reason}). Choose another place.",
                    "commands.place_unusable",
                    {"place": console.shown(os.fsdecode(error.filename)), "reason": error.strerror},
                )
            )
        return REFUSED
