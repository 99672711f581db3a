"""A Hub of our own on 127.0.0.1: enough of the real protocol for huggingface_hub to download from it unchanged.

``HF_ENDPOINT`` points at ``hub.url``. Spoken: ``GET /api/models/{repo}`` and ``/revision/{revision}`` with
``?blobs=true``; ``HEAD`` and ``GET /{repo}/resolve/{revision}/{file}`` with ``ETag``, ``X-Repo-Commit``,
``X-Linked-Etag``/``X-Linked-Size`` and a redirect for large files (as LFS does), ``Range``; 401/403 with
``X-Error-Code`` for repositories that are missing, private or gated; 404 for revisions and files.

Faults can be set per repository, and ``hub.requests`` (method, path) and ``hub.ranges`` tell what was asked for.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from loopback import Loopback, Quiet

#: Files from here on are served as large files, named by their SHA-256; below, by git's SHA-1.
_LARGE = 10_000


@dataclass
class Repository:
    """commits: commit -> folder; ``main`` is the last one. What goes wrong is set by the test."""

    commits: dict[str, Path] = field(default_factory=dict)
    gated: bool = False
    #: file name -> bytes that are sent instead, while its checksum stays the right one's
    spoilt: dict[str, bytes] = field(default_factory=dict)
    #: file name -> how many bytes are sent before the connection breaks
    broken_after: dict[str, int] = field(default_factory=dict)

    @property
    def main(self) -> str:
        return list(self.commits)[-1]


class LoopbackHub(Loopback):
    """Use as a context manager, or call ``close``."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.ranges: list[str] = []
        super().__init__(_Handler)

    def add(self, name: str, folder: Path, commit: str | None = None) -> Repository:
        """Serve a folder as the newest commit of the repository ``name`` (OWNER/REPO)."""
        repository = self.repositories.setdefault(name, Repository())
        if commit is None:
            commit = hashlib.sha1(f"{name}{len(repository.commits)}".encode()).hexdigest()
        repository.commits[commit] = folder
        return repository

    def fetched(self, name: str) -> set[str]:
        """Files of a repository whose content was sent."""
        places = (f"/{name}/resolve/", f"/{name}/lfs/")
        paths = [path for method, path in self.requests if method == "GET" and path.startswith(places)]
        return {path.split("/", 5)[5] for path in paths}


class _Handler(Quiet):
    owner: LoopbackHub

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def do_GET(self) -> None:
        self._answer("GET")

    def _answer(self, method: str) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        self.owner.requests.append((method, path))
        pieces = path.strip("/").split("/")
        if pieces[:2] == ["api", "models"] and len(pieces) >= 4:
            name, revision = "/".join(pieces[2:4]), (pieces[5] if pieces[4:5] == ["revision"] else "main")
            self._info(name, revision, "blobs" in parse_qs(parts.query))
        elif len(pieces) >= 5 and pieces[2] in ("resolve", "lfs"):
            self._file(method, "/".join(pieces[:2]), pieces[2], pieces[3], "/".join(pieces[4:]))
        else:
            self._refuse(404, "EntryNotFound")

    def _commit(self, name: str, revision: str) -> tuple[Repository, str] | None:
        repository = self.owner.repositories.get(name)
        if repository is None:
            self._refuse(401, "RepoNotFound")
            return None
        commit = repository.main if revision == "main" else revision
        if commit not in repository.commits:
            self._refuse(404, "RevisionNotFound")
            return None
        return repository, commit

    def _info(self, name: str, revision: str, blobs: bool) -> None:
        found = self._commit(name, revision)
        if found is None:
            return
        repository, commit = found
        siblings = []
        for path in sorted(repository.commits[commit].iterdir()):
            entry: dict[str, object] = {"rfilename": path.name}
            if blobs:
                size = path.stat().st_size
                entry |= {"size": size, "blobId": _sha1(path)}
                if size >= _LARGE:
                    entry["lfs"] = {"sha256": _sha256(path), "size": size, "pointerSize": 134}
            siblings.append(entry)
        gated = "manual" if repository.gated else False
        body = {
            "id": name,
            "modelId": name,
            "sha": commit,
            "gated": gated,
            "private": False,
            "siblings": siblings,
        }
        self._send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _file(self, method: str, name: str, kind: str, revision: str, file: str) -> None:
        found = self._commit(name, revision)
        if found is None:
            return
        repository, commit = found
        if repository.gated:
            self._refuse(403, "GatedRepo")
            return
        path = repository.commits[commit] / file
        if not path.is_file():
            self._refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
            return
        size = path.stat().st_size
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if size >= _LARGE and kind == "resolve":  # like LFS: metadata here, bytes elsewhere
            headers |= {
                "Location": f"/{name}/lfs/{commit}/{file}",
                "X-Linked-Etag": f'"{_sha256(path)}"',
                "X-Linked-Size": str(size),
                "ETag": f'"{_sha1(path)}"',
            }
            self._send(302, b"", headers)
            return
        headers["ETag"] = f'"{_sha256(path) if size >= _LARGE else _sha1(path)}"'
        content = repository.spoilt.get(file) or path.read_bytes()
        start, status = 0, 200
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            self.owner.ranges.append(asked)
            start, status = int(asked.removeprefix("bytes=").split("-")[0]), 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        limit = repository.broken_after.get(file) if method == "GET" else None
        self._send(status, content[start:], headers, head=method == "HEAD", limit=limit)

    def _refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})})

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        *,
        head: bool = False,
        limit: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if head or self.command == "HEAD":
            return
        self.wfile.write(body if limit is None else body[:limit])
        if limit is not None:
            self.close_connection = True


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sha1(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def next_version(folder: Path, to: Path, **replaced: bytes) -> Path:
    """A copy of a folder with some files replaced (keys with ``__`` for ``.``): a repository's next commit."""
    shutil.copytree(folder, to)
    for name, content in replaced.items():
        (to / name.replace("__", ".")).write_bytes(content)
    return to
