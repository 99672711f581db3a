"""Writes ``docs/reference.md``: every option, endpoint argument and limit, read from the code.

    python docs/write_reference.py

A test holds that the page is what this writes.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
#: Modules that offer endpoints.
ENDPOINTS = tuple(
    f"mirdemo.web.tabs.{tab}.endpoint" for tab in ("fewshot", "probe", "finetune", "evidence", "plan")
)

HEAD = """# Reference

Written by `python docs/write_reference.py` from the code. `README.md` says what things are for.
"""


def main() -> None:
    PAGE.write_text(written(), encoding="utf-8")


def written() -> str:
    """The whole page."""
    parts = [HEAD, "## Command line\n", *verbs(), "## Endpoints\n", *endpoints(), "## Limits\n", *limits()]
    return "\n".join(parts)


def verbs() -> Iterator[str]:
    from mirdemo.cli import parser

    yield (
        "`mirdemo VERB` where it is installed, `python -m mirdemo VERB` in a checkout. Every verb takes `--help`.\n"
    )
    yield from _verb(parser(), "mirdemo")


def _verb(parser: argparse.ArgumentParser, called: str) -> Iterator[str]:
    rows, below = [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below += [_verb(sub, f"{called} {name}") for name, sub in action.choices.items()]
        elif not isinstance(action, argparse._HelpAction):
            rows.append(_option(action))
    if rows:
        yield f"### `{called}`\n\n{parser.description or ''}\n\n| argument | what it is |\n|---|---|"
        yield "\n".join(rows) + "\n"
    for part in below:
        yield from part


def _option(action: argparse.Action) -> str:
    value = ""
    if action.nargs != 0:
        value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else "VALUE")
        value = value if isinstance(value, str) else " ".join(value)
    name = f"{', '.join(action.option_strings)} {value}".strip() if action.option_strings else value
    says = [action.help] if action.help and action.help is not argparse.SUPPRESS else []
    default = action.default
    if (
        action.option_strings
        and action.nargs != 0
        and default not in (None, "")
        and "default" not in (action.help or "")
    ):
        says.append(f"default: {default}")
    if action.required and action.option_strings:
        says.append("required")
    return f"| `{name}` | {'; '.join(says)} |".replace("|`", "| `")


def endpoints() -> Iterator[str]:
    """As ``gradio_client`` calls them: ``Client(address).predict(..., api_name="/tag")``."""
    yield (
        'From Python: `gradio_client.Client(ADDRESS).predict(..., api_name="/tag")`, files through '
        "`gradio_client.handle_file`. Nothing of a call is kept. Every answer is JSON.\n"
    )
    for name in ENDPOINTS:
        module = import_module(name)
        found: list[Any] = []
        offer, module.offer = module.offer, found.append
        try:
            module.build(None)
        finally:
            module.offer = offer
        for endpoint in found:
            yield f"### `/{endpoint.__name__}`\n\n{_prose(inspect.getdoc(endpoint) or '', listed=False)}\n"
            hints = get_type_hints(endpoint)
            rows = ["| argument | kind | default |", "|---|---|---|"]
            for argument in inspect.signature(endpoint).parameters.values():
                default = "" if argument.default is argument.empty else f"`{argument.default!r}`"
                rows.append(f"| `{argument.name}` | {_kind(hints[argument.name])} | {default} |")
            yield "\n".join(rows) + "\n"


def _kind(hint: Any) -> str:
    from mirdemo.web.frame.endpoints import File, Files

    return "file" if hint == File else "files" if hint == Files else hint.__name__


def limits() -> Iterator[str]:
    from mirdemo.clips.limits import CLIP_LIMITS
    from mirdemo.sound.decoding.limits import LIMITS as SOUND
    from mirdemo.sound.decoding.limits import LONG_LIMITS
    from mirdemo.web.frame.limits import CLIP_LIMITS as VISITOR
    from mirdemo.web.frame.limits import LIMITS as PAGE_LIMITS

    of = {
        "The page (`mirdemo/web/frame/limits.py`)": [PAGE_LIMITS],
        "One recording (`mirdemo/sound/decoding/limits.py`)": [SOUND],
        "A long recording, opened as a waveform (the same file)": [LONG_LIMITS],
        "Labelled clips, from Python and for a visitor of the page (`mirdemo/clips/limits.py`)": [
            CLIP_LIMITS,
            VISITOR,
        ],
    }
    for title, sets in of.items():
        yield f"### {title}\n"
        rows = [
            f"| limit | value |{' for a visitor |' if len(sets) > 1 else ''}",
            "|---" * (1 + len(sets)) + "|",
        ]
        for one in fields(sets[0]):
            rows.append(f"| `{one.name}` | " + " | ".join(f"{getattr(s, one.name):,}" for s in sets) + " |")
        yield "\n".join(rows) + "\n"
        yield _prose(inspect.getdoc(sets[0]) or "") + "\n"


def _prose(docstring: str, listed: bool = True) -> str:
    """A docstring as paragraphs: reST's double backticks are single ones in Markdown."""
    paragraphs = re.split(r"\n\s*\n", docstring.replace("``", "`"))
    lines = []
    for paragraph in paragraphs:
        rows = paragraph.split("\n")
        entries = [row for row in rows if re.match(r"[a-z_, ]+: ", row)]
        if listed and len(entries) == len([r for r in rows if not r.startswith(" ")]) and len(entries) > 1:
            joined = re.sub(r"\n\s+", " ", paragraph)
            lines.append(
                "\n".join("- " + re.sub(r"^([a-z_, ]+): ", r"`\1`: ", row) for row in joined.split("\n"))
            )
        else:
            lines.append(" ".join(row.strip() for row in rows))
    return "\n\n".join(lines)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
