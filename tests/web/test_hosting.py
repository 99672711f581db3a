"""Each kind of Space, simulated: the page really started in a process with its variables, its memory and its disk.

What a Space is told stands in https://huggingface.co/docs/hub/spaces-overview#helper-environment-variables. ZeroGPU's own
package is the real one (``spaces``), with its scheduler played on this machine.
"""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from scheduling import Scheduler
from serving import Caller, Served, begin, end, tone
from waiting import PATIENCE, until

from mirdemo.base import memory
from mirdemo.evidence import drawing
from mirdemo.evidence.selection import Selection
from mirdemo.web import festival, models, page, zero
from mirdemo.web.frame import health, limits
from mirdemo.web.frame.session import FIRST_BACKBONE, Visitors
from mirdemo.words.language import DEFAULT

ON_ANY = {
    "SYSTEM": "spaces",
    "SPACE_ID": "town/mirdemo",
    "SPACE_AUTHOR_NAME": "town",
    "SPACE_REPO_NAME": "mirdemo",
    "SPACE_TITLE": "mirdemo",
    "SPACE_HOST": "town-mirdemo.hf.space",
    "MIRDEMO_HOME": "",  # not set there
}
KINDS = {
    "cpu": {"ACCELERATOR": "none", "CPU_CORES": "2", "MEMORY": "16Gi"},
    "gpu": {"ACCELERATOR": "t4-small", "CPU_CORES": "4", "MEMORY": "15Gi"},
    "zerogpu": {"ACCELERATOR": "zero-a10g", "CPU_CORES": "8", "MEMORY": "1.5Gi", "SPACES_ZERO_GPU": "true"},
}
HUB_TOKEN = {"X-IP-Token": "e30.e30.secret-of-a-visitor"}


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as one:
        yield one


class Spaces:
    """One of each kind, started side by side; one that has ended is begun anew."""

    def __init__(self, make_folder: Callable[[str], Path], scheduler: Scheduler) -> None:
        self._make_folder, self._scheduler = make_folder, scheduler
        self.made = {kind: self._begin(kind) for kind in KINDS}

    def _begin(self, kind: str) -> Served:
        own = self._make_folder(kind)
        more = {"HOME": str(own / "user"), "XDG_CACHE_HOME": "", "HF_HOME": str(own / "user" / "hf")}
        if kind == "gpu":  # a paid Space may have a disk that stays
            more["HF_HOME"] = str(own / "data" / ".huggingface")
        if kind == "zerogpu":
            more["SPACES_GRADIO_AUTO_WRAP"] = "true"
            more["SPACES_ZERO_DEVICE_API_URL"] = self._scheduler.url
        return begin(own, ON_ANY | KINDS[kind] | more)

    def __getitem__(self, kind: str) -> Served:
        if self.made[kind].process.poll() is not None:
            self.made[kind] = self._begin(kind)
        return self.made[kind].wait()


@pytest.fixture(scope="module")
def spaces(tmp_path_factory: pytest.TempPathFactory, scheduler: Scheduler) -> Iterator[Spaces]:
    all_kinds = Spaces(tmp_path_factory.mktemp, scheduler)
    try:
        yield all_kinds
    finally:
        for one in all_kinds.made.values():
            end(one)


def before_training(page: Served, headers: dict[str, str] | None = None) -> str:
    """What the Fine-tune tab says before its button is pressed, two recordings being there."""
    caller = Caller(page, headers)
    caller.hello()
    files = [caller.upload(f"{pitch}.wav", tone(pitch)) for pitch in (220, 330)]
    caller.act("clips.add", files=files, tags="flute")
    caller.act("fine-tune.backbone", "fine-tune", value="mert-95m")
    caller.act("page.open", "fine-tune")
    seen = caller.sees
    caller.close()
    assert "could not be drawn" not in seen
    return html.unescape(seen)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_served_and_says_what_it_is(kind: str, spaces: Spaces):
    one = spaces[kind]
    told = one.health()
    most = memory.given(environment=KINDS[kind])
    assert (told["ready"], told["hardware"]) == (True, kind)
    assert told["memory_of_mb"] == round(most / 2**20) <= {"cpu": 16384, "gpu": 15360, "zerogpu": 1536}[kind]
    assert told["memory_mb"] < told["memory_of_mb"]
    page = httpx.get(one.address, timeout=PATIENCE)
    assert page.status_code == 200
    assert "https://huggingface.co" in page.headers["content-security-policy"], (
        "the Hub may show it in its page"
    )
    assert "set-cookie" not in page.headers
    assert httpx.get(f"{one.address}/login/huggingface").status_code == 404, "nobody is asked to sign in"


@pytest.mark.parametrize("kind", KINDS)
def test_it_listens_at_one_address_and_takes_no_code(kind: str, spaces: Spaces):
    """Gradio opens another one on a Space, which writes what it is sent into the working folder and runs it; and what it
    does for that at each import stopped whole pages (Gradio 6.31.0 with spaces 0.51.3)."""
    process = psutil.Process(spaces[kind].process.pid)
    heard = {one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN}
    assert len(heard) == 1, heard
    assert "HOT_RELOAD" not in spaces[kind].said, "another process may have had its port"


def test_a_served_page_gets_ready_before_anybody_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(models, "SHELF", models.Shelf())
    drawing.forget()
    served = threading.Event()
    ready = page.make_ready(served.is_set, after=0)
    time.sleep(0.5)
    assert not models.SHELF.holds(FIRST_BACKBONE), "the first page is served before"
    served.set()
    ready.join(2 * PATIENCE)
    until(lambda: models.SHELF.holds(FIRST_BACKBONE) and festival.festival_is_made())
    monkeypatch.setattr(drawing, "draw", lambda *_, **__: pytest.fail("drawn only now"))
    drawing.view(Selection(metric="map"), DEFAULT)


def test_a_host_that_starts_often_makes_nothing_ready(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MIRDEMO_READY", "0")
    made: list[object] = []
    monkeypatch.setattr(page.clips_tab, "get_ready", made.append)
    monkeypatch.setattr(drawing, "get_ready", lambda: made.append("evidence"))
    page.make_ready(lambda: True, after=0).join(2 * PATIENCE)
    assert made == []


def test_without_zerogpu_nothing_is_said_of_quota(spaces: Spaces):
    seen = before_training(spaces["gpu"])
    assert "2 recordings" in seen
    assert "of GPU time" not in seen
    assert "huggingface.co/login" not in seen


def test_on_zerogpu_the_seconds_and_whose_quota_they_count_on_are_told_before_the_start(
    spaces: Spaces,
):
    direct = before_training(spaces["zerogpu"])
    (seconds,) = re.findall(r"It will ask for (\d+) s of GPU time", direct)
    assert int(seconds) >= 30
    assert "opened by its own address" in direct
    assert 'href="https://huggingface.co/login?next=%2Fspaces%2Ftown%2Fmirdemo"' in direct
    shown = before_training(spaces["zerogpu"], HUB_TOKEN)
    assert "quota of whoever is signed in" in shown
    assert "opened by its own address" not in shown
    secret = HUB_TOKEN["X-IP-Token"]
    assert secret not in shown
    assert secret not in spaces["zerogpu"].said, "what the Hub hands over is neither kept nor logged"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_lies_where_the_space_may_write_and_goes_with_a_restart(kind: str, spaces: Spaces):
    one = spaces[kind]
    caller = Caller(one)
    caller.hello()
    caller.upload("unread.wav", b"sound")
    caller.close()
    (uploads,) = one.uploads.glob("mirdemo-uploads-*")
    assert [path.name for path in uploads.rglob("*.wav")] == ["unread.wav"]
    written = {path.relative_to(one.folder).parts[0] for path in one.folder.rglob("*") if path.is_file()} - {
        "log.txt"
    }
    assert written <= {"uploads", "user", "data"}
    assert " ERROR " not in one.said, one.said


def test_visitors_together_hold_a_quarter_of_the_memory_at_most(monkeypatch: pytest.MonkeyPatch):
    for given, allowed in ((16, 4), (64, 4), (2, 0.5)):
        monkeypatch.setattr(memory, "given", lambda given=given: given * 2**30)
        assert limits.sound_bytes() == allowed * 2**30
    monkeypatch.setattr(memory, "given", lambda: None)
    assert limits.sound_bytes() == limits.LIMITS.machine_bytes


def test_a_server_that_is_full_says_so(monkeypatch: pytest.MonkeyPatch):
    from mirdemo.web.frame.errors import PageError

    visitors = Visitors()
    monkeypatch.setattr(memory, "given", lambda: 400)
    monkeypatch.setattr(visitors, "sound_bytes", lambda: 100)
    visitors.check_room()
    monkeypatch.setattr(visitors, "sound_bytes", lambda: 101)
    with pytest.raises(PageError) as full:
        visitors.check_room()
    assert full.value.sentence.code == "page.machine_full"


def test_a_rented_gpu_is_used_and_priced(monkeypatch: pytest.MonkeyPatch):
    import torch

    from mirdemo.backbones.loading import resolve_device
    from mirdemo.planning.prices import hardware
    from mirdemo.stages.finetuning.versions import device_name

    assert str(resolve_device("auto")) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Tesla T4")
    assert str(resolve_device("auto")) == "cuda"
    assert hardware(device_name("cuda")) == "t4"


def test_a_driver_in_the_container_is_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "DRIVER", tmp_path / "nvidiactl")
    monkeypatch.delenv("ACCELERATOR", raising=False)
    assert health.hardware() == "cpu"
    (tmp_path / "nvidiactl").touch()
    assert health.hardware() == "gpu"
    monkeypatch.setattr(health, "ZERO", True)
    assert health.hardware() == "zerogpu"


@pytest.mark.parametrize("space", [None, "", "town", "town/a/b", "town/../x", "<b>/x", "town/a?b", "-a/b"])
def test_only_a_space_of_the_hub_is_signed_in_for(space: str | None):
    assert zero.sign_in(space) is None
    assert (
        zero.sign_in("town/mir.demo-2") == "https://huggingface.co/login?next=%2Fspaces%2Ftown%2Fmir.demo-2"
    )
