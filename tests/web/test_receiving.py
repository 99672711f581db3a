"""Files that come in: nobody's upload is another's, and what broke off leaves nothing."""

from __future__ import annotations

import errno
import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient
from waiting import PATIENCE, until

from mirdemo.web.frame import receiving
from mirdemo.web.frame.receiving import ADDRESS, Pending, upload_route
from mirdemo.web.frame.uploads import Upload

BOUNDARY = "edge"
KIND = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
END = f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def app(**limits) -> Starlette:
    return Starlette(routes=[upload_route(**limits)])


def part(name: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def field(name: str, content: bytes) -> bytes:
    """One that has no file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def test_the_same_file_from_two_visitors_is_read_by_both(folder: Path):
    client = TestClient(app())
    paths = [client.post(ADDRESS, files={"files": ("handout.wav", b"sound")}).json()[0] for _ in range(2)]
    uploads = [Upload.of({"path": path, "name": "handout.wav"}) for path in paths]
    assert [upload.read() for upload in uploads] == [b"sound", b"sound"]
    assert list(folder.iterdir()) == []


def test_the_same_file_twice_in_one_request_is_read_twice(folder: Path):
    sent = [("files", ("a.wav", b"sound")), ("files", ("a.wav", b"sound")), ("files", ("a.wav", b"other"))]
    paths = TestClient(app()).post(ADDRESS, files=sent).json()
    assert [Upload.of({"path": path, "name": "a"}).read() for path in paths] == [b"sound", b"sound", b"other"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (
            part("a.wav", b"x" * 2000) + END,
            "multipart/form-data; boundary=edge",
            413,
        ),
        (part("a.wav", b"x") + END, "text/plain; boundary=edge", 400),
        (b"no part at all", "multipart/form-data; boundary=edge", 400),
        (part("a.wav", b"x") + END, "multipart/form-data", 400),
        (part("a.wav", b"x") + part("b.wav", b"broken off"), KIND["content-type"], 400),
        (part("a.wav", b"x") + field("files", b"x") + END, KIND["content-type"], 400),
        (part("a.wav", b"x") + field("more", b"x" * 5000) + END, KIND["content-type"], 400),
        (part("a.wav", b"x") + field("more", b"x") * 17 + END, KIND["content-type"], 400),
        (part("a.wav", b"x") * 301 + END, KIND["content-type"], 400),
        (part("x" * 9000, b"x") + END, KIND["content-type"], 400),
        (part("a.wav", b"x") + END, KIND["content-type"] + "; charset=undefined", 400),
        (part("a.wav", b"x") + END, "multipart/form-data; boundary=" + "x" * 5000, 400),
    ],
)
def test_what_is_refused_leaves_no_part(folder: Path, content: bytes, kind: str, status: int):
    answer = TestClient(app(max_bytes=1000)).post(ADDRESS, content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert set(answer.json()) == {"detail", "code"}
    assert list(folder.iterdir()) == []


def test_what_is_sent_beside_the_files_is_not_kept(folder: Path):
    beside = part("b.wav", b"nobody reads this").replace(b'name="files"', b'name="others"')
    (path,) = TestClient(app()).post(ADDRESS, content=beside + part("a.wav", b"x") + END, headers=KIND).json()
    assert Upload.of({"path": path, "name": "a"}).read() == b"x"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "/", " ", "a/..", "\\\\there\\b", "%2e%2e", "~", "祭" * 300])
def test_whatever_a_file_is_called_it_is_read_by_who_sent_it(folder: Path, name: str):
    (path,) = TestClient(app()).post(ADDRESS, content=part(name, b"x") + END, headers=KIND).json()
    (stored,) = files(folder)
    assert stored == Path(path)
    assert Upload.of({"path": path, "name": name}).read() == b"x"
    assert list(folder.iterdir()) == []


# ---- over a real connection --------------------------------------------------------------------------------


@contextmanager
def serving(**limits) -> Iterator[str]:
    """The route behind the server that the page runs on."""
    server = uvicorn.Server(uvicorn.Config(app(**limits), port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a request hangs"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def post(address: str, content: bytes, **more) -> httpx.Response:
    return httpx.post(
        address + ADDRESS, content=content, headers=KIND | more.pop("headers", {}), timeout=PATIENCE
    )


def begun(address: str, sent: bytes, length: int) -> socket.socket:
    """A connection on which the head and the first bytes of an upload have gone out."""
    url = httpx.URL(address)
    line = socket.create_connection((url.host, url.port), timeout=PATIENCE)
    head = f"POST {ADDRESS} HTTP/1.1\r\nHost: x\r\nContent-Type: {KIND['content-type']}\r\nContent-Length: {length}\r\n\r\n"
    line.sendall(head.encode() + sent)
    return line


def test_an_upload_broken_off_half_way_leaves_no_part_and_hangs_nothing(folder: Path):
    with serving() as address:
        with closing(begun(address, part("a.wav", b"x" * 5000), 100_000)):
            until(lambda: len(files(folder)) == 1)
        until(lambda: not list(folder.iterdir()))
        assert post(address, part("b.wav", b"y") + END).status_code == 200


def test_a_sender_who_falls_silent_is_told_so_and_leaves_no_part(folder: Path):
    with serving(silent_seconds=0.3) as address:
        with closing(begun(address, part("a.wav", b"x" * 5000), 100_000)) as line:
            assert line.recv(20).startswith(b"HTTP/1.1 408")
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        ({"max_bytes": 2**20}, 413, "page.file_too_large"),
        ({"pending": Pending(2 * 2**20)}, 507, "page.uploads_full"),
    ],
)
def test_a_large_upload_that_is_refused_hears_why_though_it_was_still_being_sent(
    folder: Path, told: bool, limits: dict, status: int, code: str
):
    content = part("a.wav", b"x" * (12 * 2**20)) + END
    with serving(**limits) as address:
        answer = post(
            address, content if told else (content[i : i + 65536] for i in range(0, len(content), 65536))
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert list(folder.iterdir()) == []


def test_thirty_at_once_are_taken_as_far_as_there_is_room_and_room_comes_back(folder: Path):
    size, room = 200_000, 2_000_000
    pending = Pending(2 * room)  # one sender has half
    with serving(pending=pending) as address, ThreadPoolExecutor(30) as many:
        contents = [part(f"{i}.wav", bytes([i]) * size) + END for i in range(30)]
        answers = list(many.map(lambda content: post(address, content), contents))
        taken = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert {answer.json()["code"] for answer in refused} == {"page.uploads_full"}
        assert 1 <= len(taken) <= room // size
        assert len(files(folder)) == len(taken)
        assert sum(path.stat().st_size for path in files(folder)) <= pending.bytes() <= room
        for answer in taken:
            sound = Upload.of({"path": answer.json()[0], "name": "x"}).read()
            assert len(set(sound)) == 1, "two uploads were mixed"
            assert len(sound) == size
        assert (list(folder.iterdir()), pending.bytes()) == ([], 0)
        assert post(address, contents[0]).status_code == 200


def test_one_sender_leaves_half_of_the_room_to_others(folder: Path):
    with serving(pending=Pending(400_000)) as address:
        upload = part("a.wav", b"x" * 150_000) + END
        first = {"x-forwarded-for": "spoofed, 10.0.0.1"}
        statuses = [post(address, upload, headers=first).status_code for _ in range(2)]
        assert statuses == [200, 507]
        assert post(address, upload, headers={"x-forwarded-for": "10.0.0.2"}).status_code == 200


def test_a_full_disk_is_told_in_the_senders_language_and_the_part_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    from gradio.route_utils import GradioUploadFile

    async def full(self, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with serving() as address:
        monkeypatch.setattr(GradioUploadFile, "write", full)
        answer = post(address, part("a.wav", b"x" * 9000) + END, headers={"accept-language": "ja,en;q=0.5"})
        assert (answer.status_code, answer.json()["code"]) == (507, "page.disk_full")
        assert "ディスク" in answer.json()["detail"]
        assert list(folder.iterdir()) == []


def test_nothing_is_written_where_the_disk_is_all_but_full(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=receiving.DISK_RESERVE))
    answer = TestClient(app()).post(f"{ADDRESS}?language=ja", files={"files": ("a.wav", b"sound")})
    assert (answer.status_code, answer.json()["code"]) == (507, "page.disk_full")
    assert "ディスク" in answer.json()["detail"]


def test_an_upload_stops_where_the_disk_fills_while_it_arrives(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(receiving, "_ASKED", 2**16)
    room = iter([2**40, 2**40])
    free = lambda path: SimpleNamespace(free=next(room, receiving.DISK_RESERVE - 1))  # noqa: E731
    monkeypatch.setattr(shutil, "disk_usage", free)
    whole = part("a.wav", b"x" * 2**20) + END
    with serving() as address:
        answer = post(address, (whole[i : i + 2**14] for i in range(0, len(whole), 2**14)))
    assert (answer.status_code, answer.json()["code"]) == (507, "page.disk_full")
    assert list(folder.iterdir()) == []


def test_an_upload_that_meets_the_end_of_the_process_is_refused(folder: Path):
    client = TestClient(app())
    shutil.rmtree(folder)
    answer = client.post(ADDRESS, files={"files": ("a.wav", b"sound")})
    assert (answer.status_code, answer.json()["code"]) == (503, "page.restarting")
    assert not folder.exists()
