"""The folder for uploads is one process's own and goes with it, however the process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import PATIENCE

from mirdemo.web.frame.upload_folder import UploadFolder, sweep_left

BEGIN = """
import sys
from mirdemo.web.frame import upload_folder
folder = upload_folder.begin()
(folder.path / ("c" * 32)).mkdir()
(folder.path / ("c" * 32) / "part").write_bytes(b"sound")
print(folder.path, flush=True)
if "stay" in sys.argv:
    sys.stdin.read()  # until it is ended, or the test is
"""


def process(parent: Path, *arguments: str) -> subprocess.Popen[str]:
    surroundings = os.environ | {"GRADIO_TEMP_DIR": str(parent)}
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN, *arguments],
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def old(folder: Path, seconds: float) -> None:
    then = time.time() - seconds
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (then, then))


def test_nobody_else_can_look_into_it_and_nothing_is_left_of_it(tmp_path: Path):
    folder = UploadFolder(tmp_path)
    assert folder.path.parent == tmp_path
    assert folder.path.stat().st_mode & 0o077 == 0
    (folder.path / "own").mkdir()
    (folder.path / "own" / "part").write_bytes(b"sound")
    folder.close()
    assert list(tmp_path.iterdir()) == []


def test_it_goes_when_the_process_ends_by_itself(tmp_path: Path):
    one = process(tmp_path)
    said, _ = one.communicate(timeout=PATIENCE)
    assert (one.returncode, Path(said.strip()).parent) == (0, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_it_goes_when_the_process_is_ended_and_the_exit_is_the_signals(tmp_path: Path, how: signal.Signals):
    # under nohup a process of ours would let a hangup pass, as it should
    before = signal.signal(how, signal.SIG_DFL)
    one = process(tmp_path, "stay")
    signal.signal(how, before)
    there = Path(one.stdout.readline().strip())
    assert there.is_dir()
    one.send_signal(how)
    assert one.wait(PATIENCE) == -how
    assert list(tmp_path.iterdir()) == []
    one.stdout.close()


def test_what_a_killed_process_left_goes_with_the_next_start_and_the_living_keep_theirs(tmp_path: Path):
    living, killed = process(tmp_path, "stay"), process(tmp_path, "stay")
    try:
        kept, left = (Path(one.stdout.readline().strip()) for one in (living, killed))
        killed.kill()
        killed.wait(PATIENCE)
        old(kept, 3600)
        assert (left / ("c" * 32) / "part").read_bytes() == b"sound"
        assert sweep_left(tmp_path) == 0, "it may just have been made: its lock is not waited for"
        old(left, 3600)
        folder = UploadFolder(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([kept, folder.path])
        folder.close()
    finally:
        for one in (living, killed):
            one.kill()
            one.wait(PATIENCE)
            one.stdout.close()


def test_a_clock_that_was_set_back_keeps_no_dead_folder(tmp_path: Path):
    living, dead = UploadFolder(tmp_path), tmp_path / "mirdemo-uploads-dead"
    dead.mkdir()
    (dead / "part").write_bytes(b"sound")
    for folder in (living.path, dead):
        old(folder, -86_400)
    assert sweep_left(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [living.path]
    living.close()


def test_only_our_own_folders_are_swept(tmp_path: Path):
    for name in ("photographs", "mirdemo-uploads-file"):
        (tmp_path / name).mkdir()
    (tmp_path / "mirdemo-uploads-file").rmdir()
    (tmp_path / "mirdemo-uploads-file").write_bytes(b"no folder")
    (tmp_path / "mirdemo-uploads-link").symlink_to(tmp_path / "photographs")
    old(tmp_path, 3600)
    assert sweep_left(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 3


def upload(folder: UploadFolder, name: str) -> Path:
    place = folder.path / name / "hash"
    place.mkdir(parents=True, exist_ok=True)
    (place / "a.wav").write_bytes(b"sound")
    return folder.path / name


def there(folder: UploadFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir() if path.is_dir()}


def test_what_nobody_reads_is_deleted_after_a_while(tmp_path: Path):
    now = [1000.0]
    folder = UploadFolder(tmp_path, clock=lambda: now[0])
    for name in ("unread", "still-coming", "renewed"):
        upload(folder, name)
    assert folder.sweep(age=50) == 0
    now[0] += 30
    upload(folder, "new")
    (folder.path / "still-coming" / "hash" / "b.wav").write_bytes(b"sound")
    os.utime(folder.path / "renewed" / "hash" / "a.wav", (0, 0))
    assert folder.sweep(age=50) == 0
    now[0] += 30
    assert folder.sweep(age=50) == 1
    assert there(folder) == {"new", "still-coming", "renewed"}
    now[0] += 50
    assert folder.sweep(age=50) == 3
    folder.close()


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_is_set_ages_no_upload(tmp_path: Path, days: int, monkeypatch: pytest.MonkeyPatch):
    now, wall = [1000.0], time.time
    folder = UploadFolder(tmp_path, clock=lambda: now[0])
    upload(folder, "unread")
    assert folder.sweep(age=50) == 0
    monkeypatch.setattr(time, "time", lambda: wall() + days * 86_400)
    now[0] += 49
    assert folder.sweep(age=50) == 0
    now[0] += 1
    assert folder.sweep(age=50) == 1, "nor does it keep one for ever"
    folder.close()
