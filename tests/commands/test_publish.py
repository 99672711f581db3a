"""A Space is what is committed and allowed, and nothing else of the folder; against a Hub on this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pushing_hub import TOKEN, PushingHub

from mirdemo import cli
from mirdemo.commands import publish
from mirdemo.commands.publish import PublishError, committed, upload

ROOT = Path(publish.__file__).parents[2]
KEPT = {
    "app.py": "page",
    "README.md": "---\ntitle: x\n---",
    "mirdemo/web/frame/static/page.js": "1",
    "mirdemo/a.py": "x",
}
HOME = {
    "secrets.env": "s",
    "mirdemo/notes.txt": "s",
    "tests/test_a.py": "s",
    "assets/taiko.wav": "s",
    "app.py.orig": "s",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """All committed but two: a file nobody added, and one that git ignores."""
    root = tmp_path / "checkout"
    for name, text in {**KEPT, **HOME, "mirdemo/new.py": "never added", "mirdemo/ignored.py": "x"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".gitignore").write_text("ignored.py\n")
    git(root, "init", "-q")
    git(root, "add", *KEPT, *HOME, ".gitignore")
    git(root, "commit", "-q", "-m", "all")
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    with PushingHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


def test_only_what_is_allowed_and_committed_is_chosen(checkout: Path):
    commit, files = committed(checkout)
    assert len(commit) == 40
    assert files == sorted(KEPT)


def test_files_that_differ_from_the_commit_are_refused(checkout: Path):
    (checkout / "secrets.env").write_text("changed: not ours to publish anyway")
    assert committed(checkout)[1] == sorted(KEPT)
    (checkout / "app.py").write_text("changed")
    with pytest.raises(PublishError, match="app"):
        committed(checkout)


def test_a_folder_without_git_is_refused(tmp_path: Path):
    with pytest.raises(PublishError, match="checkout"):
        committed(tmp_path)


def test_the_space_holds_exactly_that_and_its_commit(checkout: Path, hub: PushingHub):
    hub.repositories["me/page"] = {".gitattributes": b"lfs", "mirdemo/removed.py": b"old", "app.py": b"old"}
    commit, files = committed(checkout)
    address = upload(checkout, files, commit, "me/page", private=False)
    assert address.endswith("me/page")
    expected = {name: text.encode() for name, text in KEPT.items()}
    assert hub.repositories["me/page"] == expected | {
        "COMMIT": f"{commit}\n".encode(),
        ".gitattributes": b"lfs",
    }
    assert not hub.private["me/page"]
    upload(checkout, files, commit, "me/other", private=True)
    assert hub.private["me/other"]


def test_a_token_that_may_not_write_is_told_so(
    checkout: Path, hub: PushingHub, monkeypatch: pytest.MonkeyPatch
):
    commit, files = committed(checkout)
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with pytest.raises(PublishError, match="401"):
        upload(checkout, files, commit, "me/page", private=False)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(PublishError, match="HF_TOKEN"):
        upload(checkout, files, commit, "me/page", private=False)


def test_a_hub_that_is_not_there_is_told(checkout: Path, hub: PushingHub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PublishError, match="cannot be reached"):
        upload(checkout, ["app.py"], "a" * 40, "me/page", private=False)


def test_a_dry_run_asks_nobody_and_lists_this_checkout(
    hub: PushingHub, capsys, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(publish, "committed", lambda root: ("a" * 40, ["app.py", "README.md"]))
    assert cli.main(["publish", "me/page", "--dry-run"]) == cli.DONE
    assert capsys.readouterr().out.splitlines()[:2] == ["app.py", "README.md"]
    assert hub.requests == []


@pytest.mark.parametrize(
    "name", ["page", "../page", "me/pa ge", "https://huggingface.co/spaces/me/page", "me/a/b"]
)
def test_a_name_that_is_none_is_refused(name: str, capsys):
    assert cli.main(["publish", name, "--dry-run"]) == cli.REFUSED


def test_what_ships_is_all_there_and_what_does_not_is_not():
    """Whatever a Space imports, reads or serves is allowed; tests, training and benchmarks stay at home."""
    import fnmatch

    here = [
        str(p.relative_to(ROOT))
        for folder in ("mirdemo", "assets")
        for p in (ROOT / folder).rglob("*")
        if p.is_file()
    ]
    here = [name for name in here if "__pycache__" not in name]
    left = [
        name for name in here if not any(fnmatch.fnmatchcase(name, pattern) for pattern in publish.ALLOWED)
    ]
    assert left == []
    for name in (
        "tests/conftest.py",
        "training/a.py",
        "benchmarks/a.py",
        ".ci/run",
        ".git/config",
        "mirdemo/.env",
    ):
        assert not any(fnmatch.fnmatchcase(name, pattern) for pattern in publish.ALLOWED)
