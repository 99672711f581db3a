"""Enough of the Hub's upload protocol on 127.0.0.1 for huggingface_hub to push to it unchanged.

``POST /api/repos/create``, ``/api/validate-yaml``, ``/api/models/{repo}/preupload/{revision}`` (everything is "regular", no LFS) and
``/api/models/{repo}/commit/{revision}`` (NDJSON with base64 files); of Spaces too, and their ``/tree/``. A wrong token is answered 401.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import unquote, urlsplit

from loopback import Loopback, Quiet

TOKEN = "hf_a_token_for_tests"


class PushingHub(Loopback):
    """repositories: name -> file name -> content; private: name -> bool; requests: (method, path)."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.requests: list[tuple[str, str]] = []
        super().__init__(_Handler)


class _Handler(Quiet):
    def do_GET(self) -> None:
        self.answer("GET")

    def do_HEAD(self) -> None:
        self.answer("HEAD")

    def do_POST(self) -> None:
        self.answer("POST")

    def answer(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.owner.requests.append((method, path))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.send(401, {"error": "Invalid credentials"})
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(p for p in (asked.get("organization"), asked["name"]) if p)
            name = name if "/" in name else f"me/{name}"
            self.owner.private[name] = bool(asked.get("private")) or asked.get("visibility") == "private"
            self.owner.repositories.setdefault(name, {})
            self.send(200, {"url": f"{self.owner.url}/{name}", "name": name, "id": "1"})
        elif path == "/api/validate-yaml":
            self.send(200, {"errors": [], "warnings": []})
        elif "/tree/" in path:
            name = path.removeprefix("/api/spaces/").split("/tree/")[0]
            files = self.owner.repositories.get(name, {})
            self.send(
                200,
                [{"type": "file", "path": f, "size": len(c), "oid": "0" * 40} for f, c in files.items()],
            )
        elif "/preupload/" in path:
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            self.send(200, {"files": files})
        elif "/commit/" in path:
            name = path.removeprefix("/api/models/").removeprefix("/api/spaces/").split("/commit/")[0]
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    value = entry["value"]
                    self.owner.repositories[name][value["path"]] = base64.b64decode(value["content"])
                elif entry["key"] == "deletedFile":
                    del self.owner.repositories[name][entry["value"]["path"]]
            self.send(
                200,
                {"commitUrl": f"{self.owner.url}/{name}/commit/1", "commitOid": "1" * 40, "success": True},
            )
        elif path.startswith("/api/models/"):
            self.send(200, {"id": path.removeprefix("/api/models/"), "sha": "0" * 40, "siblings": []})
        else:
            self.send(404, {"error": "Entry not found"})

    def send(self, status: int, answer: dict | list) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
