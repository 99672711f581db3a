"""The commit is read from files, in whatever shape the code lies there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mirdemo.base.build import commit_of


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    made.mkdir()
    git(made, "init", "-q", "-b", "main")
    git(made, "commit", "-q", "--allow-empty", "-m", "one")
    return made


def test_of_a_checkout_packed_detached_and_of_a_worktree(repository: Path, tmp_path: Path):
    one = git(repository, "rev-parse", "HEAD")
    assert commit_of(repository) == one
    git(repository, "pack-refs", "--all")
    assert commit_of(repository) == one
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    git(tmp_path / "side", "commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(tmp_path / "side") == git(tmp_path / "side", "rev-parse", "HEAD") != one
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == one


def test_of_a_copy_that_says_so_and_of_one_that_says_nothing(tmp_path: Path):
    assert commit_of(tmp_path) is None
    (tmp_path / "COMMIT").write_text("nonsense")
    assert commit_of(tmp_path) is None
    (tmp_path / "COMMIT").write_text("a" * 40 + "\n")
    assert commit_of(tmp_path) == "a" * 40


@pytest.mark.parametrize("head", ["", "ref: refs/heads/none", "ref: ../../etc/passwd", "<b>"])
def test_a_broken_head_is_no_error(tmp_path: Path, head: str):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert commit_of(tmp_path) is None
