"""Files that a visitor's browser has sent, and how they leave the disk again at once.

An upload is stored as ``<folder of this process>/<random>/<seeded SHA-256>/<name>`` (``receiving.py``) and its sender is
told that path, by which the file is named from then on. Such a name is never used as a path: only its three last
parts are looked at, and only if they look exactly as they are written. The file is read once and deleted.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirdemo.web.frame.calls import PLACE
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import LIMITS

_STORED = re.compile(r"(?P<own>[0-9a-f]{32})[/\\](?P<folder>[0-9a-f]{64})[/\\](?P<name>[^/\\\0]{1,255})\Z")


@dataclass(frozen=True)
class Upload:
    """One uploaded file.

    name: as the visitor's machine called it, with folders where a folder was dropped (``taiko/a.wav``);
        shown and used for tags, never as a path
    """

    name: str
    _path: Path

    @classmethod
    def of(cls, sent: Any) -> Upload:
        """From what the browser sent, ``{"path": ..., "name": ...}`` (``calls.py`` says ``upload`` for ``path``), or
        ``gradio_client``, which says ``orig_name``. Raises PageError if that is no upload."""
        from gradio.utils import get_upload_folder

        told = sent if isinstance(sent, Mapping) else {}
        stored, name = told.get(PLACE, told.get("path")), told.get("name", told.get("orig_name"))
        match = _STORED.search(stored) if isinstance(stored, str) else None
        if match is None or match["name"] in (".", "..") or not isinstance(name, str):
            raise _lost(name if isinstance(name, str) else "?")
        return cls(name[:1000], Path(get_upload_folder()) / match["own"] / match["folder"] / match["name"])

    @classmethod
    def new(cls, name: str) -> Upload:
        """A place for a file that was within an upload, to be written and deleted as one that was sent."""
        from gradio.utils import get_upload_folder

        folder = Path(get_upload_folder()) / secrets.token_hex(16) / secrets.token_hex(32)
        folder.mkdir(parents=True)
        return cls(name[:1000], folder / "within")

    @property
    def path_to_write(self) -> Path:
        """Where it is to lie."""
        return self._path

    @property
    def path(self) -> Path:
        """Where it lies. Raises PageError if it is too large or gone."""
        return self.path_within(LIMITS.upload_bytes)

    def path_within(self, most: int) -> Path:
        """Where it lies, if it has at most so many bytes. Raises PageError if not, or if it is gone."""
        try:
            if self._path.is_symlink() or not self._path.is_file():
                raise _lost(self.name)
            if self._path.stat().st_size > most:
                raise PageError(
                    "{name} is larger than {megabytes} MB. Send it in parts.",
                    code="page.upload_too_large",
                    name=self.name,
                    megabytes=most // 2**20,
                )
        except OSError:
            raise _lost(self.name) from None
        return self._path

    def read(self) -> bytes:
        """The bytes, once: the file is deleted. Raises PageError if it is too large or gone."""
        try:
            return self.path.read_bytes()
        except OSError:
            raise _lost(self.name) from None
        finally:
            self.delete()

    def renew(self) -> None:
        """Keep it from being deleted as one that nobody reads, for as long again."""
        with suppress(OSError):
            os.utime(self._path)

    def delete(self) -> None:
        with suppress(OSError):
            self._path.unlink()
            self._path.parent.rmdir()
            self._path.parent.parent.rmdir()


def discard(sent: Any) -> None:
    """Delete every upload among what was sent, one or a list: a call that is refused leaves none behind either."""
    for one in sent if isinstance(sent, list) else [sent]:
        if isinstance(one, Mapping):
            with suppress(PageError):
                Upload.of(one).delete()


def uploads_of(sent: Any) -> list[Upload]:
    """All files of one drop. Raises PageError if there are none or too many."""
    if not isinstance(sent, list) or not sent:
        raise PageError("No file arrived. Choose the files again.", code="page.no_files")
    if len(sent) > LIMITS.files_at_once:
        raise PageError(
            "{n} files came at once; {limit} are taken. Put them into a zip, or send them in parts.",
            code="page.too_many_files",
            n=len(sent),
            limit=LIMITS.files_at_once,
        )
    return [Upload.of(one) for one in sent]


def _lost(name: str) -> PageError:
    return PageError("The upload of {name} was lost. Send it again.", code="page.upload_lost", name=name)


def size_of(upload: Upload) -> int:
    """Bytes of its file; 0 where it is gone or too large, which whoever reads it says."""
    try:
        return upload.path.stat().st_size
    except (PageError, OSError):
        return 0
