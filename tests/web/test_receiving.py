"""Files that come in: nobody's upload is another's, and what broke off leaves nothing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.web.frame.receiving import ADDRESS, upload_route
from mirdemo.web.frame.uploads import Upload

BOUNDARY = "edge"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def app(**limits) -> Starlette:
    return Starlette(routes=[upload_route(**limits)])


def part(name: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
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
            part("a.wav", b"x" * 2000) + f"--{BOUNDARY}--\r\n".encode(),
            "multipart/form-data; boundary=edge",
            413,
        ),
        (part("a.wav", b"x"), "text/plain", 400),
        (b"no part at all", "multipart/form-data; boundary=edge", 400),
        (part("a.wav", b"x"), "multipart/form-data", 400),
    ],
)
def test_what_is_refused_leaves_no_part(folder: Path, content: bytes, kind: str, status: int):
    answer = TestClient(app(max_bytes=1000)).post(ADDRESS, content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert list(folder.iterdir()) == []


def test_an_upload_broken_off_half_way_leaves_no_part(folder: Path):
    seen: list[int] = []
    messages = [
        {"type": "http.request", "body": part("a.wav", b"x" * 5000), "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict:
        seen.append(len([path for path in folder.rglob("*") if path.is_file()]))
        return messages.pop(0)

    async def send(message: dict) -> None:
        pass

    kind = f"multipart/form-data; boundary={BOUNDARY}".encode()
    scope = {
        "type": "http", "method": "POST", "path": ADDRESS, "headers": [(b"content-type", kind)],
        "query_string": b"", "root_path": "",
    }  # fmt: skip
    with ThreadPoolExecutor(1) as aside:  # where no other test's event loop runs
        aside.submit(asyncio.run, app()(scope, receive, send)).result()
    assert seen == [0, 1], "the part was never on the disk: the test shows nothing"
    assert list(folder.iterdir()) == []
