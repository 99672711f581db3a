"""A server of our own on 127.0.0.1."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from waiting import PATIENCE


class Quiet(BaseHTTPRequestHandler):
    """Answers and logs nothing; ``owner`` is the server that it answers for."""

    protocol_version = "HTTP/1.1"
    owner: Any

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Loopback:
    """Served from the start to ``close``, in a thread. Use as a context manager, or call ``close``."""

    def __init__(self, handler: type[Quiet]) -> None:
        mine = type(handler.__name__, (handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), mine)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
