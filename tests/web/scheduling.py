"""ZeroGPU's scheduler, played on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

#: What the scheduler answers to ``/schedule``: status, headers, body.
ANSWERS = {
    "illegal": (429, {"X-Approve-Result": "illegal-duration"}, {"left": 10, "wait": -1}),
    "quota": (429, {"X-Approve-Result": "quota-exceeded"}, {"left": 10, "wait": 3600}),
    "pending": (429, {"X-Approve-Result": "pending-overquota-exceeded"}, {"left": 10, "wait": 0}),
    "busy": (503, {}, None),
    "expired": (401, {}, None),
    "broken": (500, {}, None),
    "queue": (200, {"Content-Type": "text/event-stream", "X-Queuing-Reason": "node"}, "event: failed\n\n"),
    "given": (200, {}, {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "t"}),
}


class Scheduler:
    """A server that answers as the platform's would. mode: which of ``ANSWERS``;  asked: (address, query) of each request"""

    def __init__(self, mode: str = "busy") -> None:
        self.mode = mode
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Quiet."""

            def do_POST(self) -> None:
                self.server.owner._answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.owner = self
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        address = urlsplit(request.path)
        self.asked.append((address.path, parse_qs(address.query)))
        status, headers, body = ANSWERS[self.mode] if address.path == "/schedule" else (200, {}, None)
        content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        request.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)
