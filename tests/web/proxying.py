"""A proxy between a visitor and the page, on this machine, that fails as real ones do: it cuts the line, or holds back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from serving import Served

#: A response to one event stream, and how it ends (chunked).
_EVENTS, _END = b"text/event-stream", b"0\r\n\r\n"


class Proxy:
    """Hands bytes on, both ways, until told otherwise. Use as a context manager.

    holds: whether answers that come event by event are held until they are complete
    cuts: asked with each piece that a visitor sends; where it says so, the line is cut before the page answers
    """

    def __init__(
        self, page: Served, *, holds: bool = False, cuts: Callable[[bytes], bool] = lambda piece: False
    ) -> None:
        at = urlsplit(page.address)
        self._page = (at.hostname or "", at.port or 0)
        self._holds, self._cuts = holds, cuts
        self._lines: set[socket.socket] = set()
        self._dead: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._down = self._closed = False
        self.refused = 0  # lines that were not taken while it was cut
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def cut(self) -> None:
        """End every line at once, wherever its answer is, and take no other until ``mend``."""
        self._down = True
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            self._end(line)

    def mend(self) -> None:
        self._down = False

    def die(self) -> None:
        """From now on nothing is heard over the lines that are there, and nobody is told; new ones are as they were."""
        with self._lock:
            self._dead |= self._lines

    def close(self) -> None:
        self._closed = True
        self._end(self._door)
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def _end(line: socket.socket) -> None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()

    def _serve(self) -> None:
        while not self._closed:
            try:
                visitor, _ = self._door.accept()
                if self._down:
                    self.refused += 1
                    self._end(visitor)
                    continue
                page = socket.create_connection(self._page, timeout=None)
            except OSError:
                if self._closed:
                    return
                self._end(visitor)  # the page is not there: as a proxy that knows no answer of its own
                continue
            with self._lock:
                self._lines |= {visitor, page}
            threading.Thread(target=self._up, args=(visitor, page), daemon=True).start()
            threading.Thread(target=self._back, args=(page, visitor), daemon=True).start()

    def _up(self, visitor: socket.socket, page: socket.socket) -> None:
        with suppress(OSError):
            while piece := visitor.recv(65_536):
                if visitor in self._dead:
                    continue
                page.sendall(piece)
                if self._cuts(piece):
                    break
        self._end(page)
        self._end(visitor)

    def _back(self, page: socket.socket, visitor: socket.socket) -> None:
        held = b""
        with suppress(OSError):
            while piece := page.recv(65_536):
                if visitor in self._dead:
                    continue
                if self._holds and (held or _EVENTS in piece):
                    held += piece
                    if not held.endswith(_END):
                        continue
                    piece, held = held, b""
                visitor.sendall(piece)
            visitor.sendall(held)
        self._end(visitor)
        self._end(page)
