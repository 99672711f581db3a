"""The files of an upload's body, which Gradio's parser writes to disk as they come; what is no file takes no memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradio.route_utils import GradioMultiPartParser, GradioUploadFile, MultiPartException
from gradio_client.utils import strip_invalid_filename_characters  # type: ignore[import-untyped]

from mirdemo.base.files import move
from mirdemo.web.frame.limits import LIMITS

if TYPE_CHECKING:
    from starlette.datastructures import Headers

#: Fields without a file in one request, and bytes of each: the page sends none, ``gradio_client`` none either.
MOST_FIELDS, MOST_FIELD_BYTES = 16, 4096


class MalformedError(ValueError):
    """What came is no upload."""


class TooLargeError(ValueError):
    """A file is larger than it may be."""


async def files_of(
    headers: Headers, stream: Callable[[], AsyncGenerator[bytes, None]], folder: Path, max_bytes: int
) -> list[str]:
    """Store the files of the field ``files`` as ``<folder>/<seeded SHA-256>/<name>``. Returns their paths in order; equal files
    of one name have one. Anything else in the folder is deleted.

    max_bytes: size of one file
    Raises MalformedError, TooLargeError, and what ``stream`` and the disk raise. The folder is the caller's to delete then.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise MalformedError(kind)
    try:
        parser = _Parser(
            headers,
            stream(),
            max_files=LIMITS.files_at_once,
            max_fields=MOST_FIELDS,
            upload_dir=folder,
            max_file_size=max_bytes,
        )
        form = await parser.parse()
    except MultiPartException as error:
        raise (TooLargeError if "File size" in error.message else MalformedError)(error.message) from error
    except ValueError as error:  # a boundary, an encoding or a name that is none
        raise MalformedError(str(error)) from error
    if not parser.ended:
        raise MalformedError("it ends in a part, which Gradio's parser leaves out and on the disk")
    paths: list[str] = []
    for field, one in form.multi_items():
        if not isinstance(one, GradioUploadFile):
            if field == "files":
                raise MalformedError(field)
            continue
        written: Any = one.file
        written.close()
        stored = Path(written.name)
        if field != "files":
            stored.unlink()
            continue
        name = strip_invalid_filename_characters(Path(one.filename or "").name).strip()
        place = folder / one.sha.hexdigest() / (name if name.strip(".") else "file")
        place.parent.mkdir(exist_ok=True)
        move(stored, place)
        paths.append(str(place))
    return paths


class _Parser(GradioMultiPartParser):
    """Gradio's, which would keep a field without a file in memory, however long it is. ended: whether the last boundary came"""

    ended = False

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > MOST_FIELD_BYTES:
            raise MultiPartException("a field without a file is too long")
        super().on_part_data(data, start, end)

    def on_end(self) -> None:
        self.ended = True
