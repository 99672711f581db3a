"""``publish``: put the page onto the Hub as a Space: what is committed and listed here, never the working folder."""

from __future__ import annotations

import fnmatch
import os
import subprocess
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from mirdemo.base.sentences import MirdemoError

#: What a Space needs; ``*`` also stands for folders. Anything else stays at home, whatever lies there.
ALLOWED = (
    "app.py",
    "requirements.txt",
    "README.md",
    "LICENSE",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/*.md",
    "mirdemo/*.py",
    "mirdemo/*.json",
    "mirdemo/*.html",
    "mirdemo/*.css",
    "mirdemo/*.js",
    "assets/*.json",
    "assets/*.jsonl",
    "assets/*.csv",
    "assets/*.safetensors",
    "assets/*.npz",
    "assets/*.png",
    "assets/*.md",
    "assets/*.sha256",
)


class PublishError(MirdemoError):
    """The Space was not published: one sentence, what happened and what to do."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("space", metavar="OWNER/SPACE", help="the Space; it is made if it is not there")
    parser.add_argument("--dry-run", action="store_true", help="list what would be uploaded; ask nobody")
    parser.add_argument("--private", action="store_true", help="make a new Space private")


def run(args: Namespace) -> int:
    """0: published, or listed. Raises PublishError."""
    from mirdemo.tagger.hub import is_repository

    if not is_repository(args.space):
        raise PublishError(
            "{space} is not a Space's name. Write it as OWNER/SPACE.",
            code="publish.name",
            space=args.space[:120],
        )
    root = Path(__file__).resolve().parents[2]
    commit, files = committed(root)
    size = sum((root / file).stat().st_size for file in files)
    if args.dry_run:
        for file in files:
            print(file)
    else:
        address = upload(root, files, commit, args.space, private=args.private)
        print(address)
    print(f"{len(files)} files, {size / 1e6:,.1f} MB, commit {commit[:7]}" + " (not uploaded)" * args.dry_run)
    return 0


def committed(root: Path) -> tuple[str, list[str]]:
    """The commit of a checkout and its allowed files, sorted. Raises PublishError if they differ from the commit."""
    try:
        commit = _git(root, "rev-parse", "--verify", "HEAD").strip()
        tracked = _git(root, "ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")
        files = [file for file in tracked if any(fnmatch.fnmatchcase(file, pattern) for pattern in ALLOWED)]
        changed = set(_git(root, "diff", "--name-only", "-z", "HEAD").split("\0")) & set(files)
    except (OSError, subprocess.CalledProcessError):
        raise PublishError(
            "Publishing needs a checkout with git: what is committed is uploaded. Clone the repository and run it there.",
            code="publish.no_checkout",
        ) from None
    if changed:
        raise PublishError(
            "{n} files differ from the last commit, {file} among them. Commit them, or put them back.",
            code="publish.changed",
            n=len(changed),
            file=min(changed),
        )
    return commit, sorted(
        file for file in files if (root / file).is_file() and not (root / file).is_symlink()
    )


def upload(root: Path, files: Sequence[str], commit: str, space: str, *, private: bool) -> str:
    """One commit that leaves exactly these files in the Space, and a file ``COMMIT``; its address. Raises PublishError."""
    import httpx2
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError

    from mirdemo.base.build import COMMIT_FILE

    if not get_token():
        raise PublishError(
            "Publishing needs your access token with write permission. Put it into HF_TOKEN, or run: hf auth login",
            code="publish.token",
        )
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="mirdemo")
    try:
        address = api.create_repo(
            space, repo_type="space", space_sdk="gradio", private=private, exist_ok=True
        )
        there = set(api.list_repo_files(space, repo_type="space"))
        adding = [CommitOperationAdd(file, root / file) for file in files]
        adding.append(CommitOperationAdd(COMMIT_FILE, f"{commit}\n".encode()))
        gone = there - {one.path_in_repo for one in adding} - {".gitattributes"}
        api.create_commit(
            space,
            [*adding, *(CommitOperationDelete(file) for file in sorted(gone))],
            commit_message=f"mirdemo {commit[:7]}",
            repo_type="space",
        )
    except HfHubHTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise PublishError(
            "The Hub did not take {space} ({status}). Check the name, and that your token may write there.",
            code="publish.refused",
            space=space,
            status=str(status or "?"),
        ) from None
    except (httpx2.HTTPError, OSError):
        raise PublishError(
            "The Hub cannot be reached for {space}. Check the connection and try again.",
            code="publish.unreachable",
            space=space,
        ) from None
    return str(address)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return done.stdout
