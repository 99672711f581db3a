"""ZeroGPU's scheduler, played on this machine."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from loopback import Loopback, Quiet

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


class Scheduler(Loopback):
    """A server that answers as the platform's would. mode: which of ``ANSWERS``;  asked: (address, query) of each request"""

    def __init__(self, mode: str = "busy") -> None:
        self.mode = mode
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        super().__init__(_Handler)


class _Handler(Quiet):
    protocol_version = "HTTP/1.0"  # an answer without its length ends with the connection
    owner: Scheduler

    def do_POST(self) -> None:
        address, scheduler = urlsplit(self.path), self.owner
        scheduler.asked.append((address.path, parse_qs(address.query)))
        status, headers, body = ANSWERS[scheduler.mode] if address.path == "/schedule" else (200, {}, None)
        content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
