"""Fetch what a backbone needs from the Hub: only those files, at one commit, verified, or a clear sentence.

The work is huggingface_hub's (its cache, its locks, ``HF_ENDPOINT``, ``HF_HOME``, ``HF_TOKEN``). Added here:
the commit and the SHA-256 of every file are recorded at the first download and held to later; weights are
checked before they are used and removed if they are wrong; a full disk is noticed before the download.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirdemo.backbones import files, records
from mirdemo.backbones.spec import BackboneError, BackboneSpec
from mirdemo.base.files import expanded
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Cancelled, Sentence

# transformers would ask the Hub, with the user's token, to convert a repository that has only a .bin.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

#: Seconds to wait for the Hub's first answer.
TIMEOUT = 10.0
#: Left free on the disk, because a full one breaks more than this download.
SPARE_BYTES = 200_000_000


@dataclass(frozen=True)
class Fetched:
    """A backbone's files on this machine.

    folder: holds them under their names on the Hub
    revision: the commit they belong to
    warnings: what people should know, e.g. that the repository has changed since
    """

    folder: Path
    revision: str
    warnings: tuple[Sentence, ...] = ()


def cache_folder() -> Path:
    """huggingface_hub's cache, read from the environment now and not when the library was imported."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return expanded(cache)
    if home := os.environ.get("HF_HOME"):
        return expanded(home) / "hub"
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def known_revision(spec: BackboneSpec) -> str | None:
    """The pinned commit, or the one recorded at the first download, or None."""
    return spec.revision or (_record(spec) or {}).get("revision")


def local(spec: BackboneSpec) -> Fetched | None:
    """The backbone's files if all of them are here already, without asking the network."""
    revision = known_revision(spec)
    if revision is None:
        return None
    folder = _snapshot(spec, revision)
    try:
        available = {path.name for path in folder.iterdir() if path.exists()}
        names = files.needed(spec, available, lambda name: folder / name)
    except (OSError, BackboneError):
        return None
    recorded = _recorded_files(spec, revision)
    for name in names:
        path = folder / name
        if not path.is_file() or path.stat().st_size != recorded.get(name, {}).get(
            "size", path.stat().st_size
        ):
            return None
    return Fetched(folder, revision)


def fetch(spec: BackboneSpec, progress: Progress = silent) -> Fetched:
    """The backbone's files, from the cache or else from the Hub.

    progress: told (bytes done, bytes in all, ``"fetching"``); a ``Cancelled`` it raises leaves nothing half-done.
    Raises BackboneError: unreachable, gone, gated, disk full, wrong checksum, ...
    """
    here = local(spec)
    if here is not None and set(_needed(spec, here)) <= set(_recorded_files(spec, here.revision)):
        return here
    with _sentences(spec):
        if here is not None:  # brought by another tool: check it once, then record it
            names = _needed(spec, here)
            hashes = {name: _verified(spec, here.folder / name, None) for name in names}
            right = {name: digest for name, digest in hashes.items() if digest}
            if len(right) == len(hashes):
                _remember(spec, here, right)
                return here
        listing, warnings = _listing(spec)
        fetched = Fetched(_snapshot(spec, listing.sha), listing.sha, warnings)
        _remember(spec, fetched, _download(spec, listing, progress))
    return fetched


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, remembered by its path, size and time of change."""
    stat = path.stat()
    key = hashlib.sha256(
        f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ino}".encode()
    ).hexdigest()
    known = records.read("files", key)
    if known is None:
        with path.open("rb") as file:
            known = {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        records.write("files", key, known)
    return known["sha256"]


def _repository(spec: BackboneSpec) -> str:
    """Where it is on the Hub; embedded backbones, which are nowhere there, are never asked for here."""
    assert spec.repository is not None
    return spec.repository


def _snapshot(spec: BackboneSpec, revision: str) -> Path:
    from huggingface_hub.file_download import repo_folder_name

    repository = repo_folder_name(repo_id=_repository(spec), repo_type="model")
    return cache_folder() / repository / "snapshots" / revision


def _record(spec: BackboneSpec) -> dict[str, Any] | None:
    return records.read("hub", _repository(spec))


def _recorded_files(spec: BackboneSpec, revision: str) -> dict[str, dict[str, Any]]:
    record = _record(spec)
    return record["files"] if record is not None and record["revision"] == revision else {}


def _needed(spec: BackboneSpec, here: Fetched) -> list[str]:
    available = {path.name for path in here.folder.iterdir()}
    return files.needed(spec, available, lambda name: here.folder / name)


def _remember(spec: BackboneSpec, fetched: Fetched, hashes: dict[str, str]) -> None:
    records.write(
        "hub",
        _repository(spec),
        {
            "repository": spec.repository,
            "revision": fetched.revision,
            "pinned": spec.revision is not None,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "files": {
                name: {"size": (fetched.folder / name).stat().st_size, "sha256": digest}
                for name, digest in hashes.items()
            },
        },
    )


def _listing(spec: BackboneSpec) -> tuple[Any, tuple[Sentence, ...]]:
    """The repository's files at the commit to use (huggingface_hub's ModelInfo), and what to warn of."""
    from huggingface_hub.errors import RevisionNotFoundError

    if spec.revision is not None:
        return _info(spec, spec.revision), ()
    newest = _info(spec, "main")
    record = _record(spec)
    if record is None or record["revision"] == newest.sha:
        return newest, ()
    values = {
        "name": spec.title,
        "old": record["revision"][:12],
        "new": newest.sha[:12],
        "date": record["date"],
    }
    try:
        return _info(spec, record["revision"]), (
            Sentence(
                "{name} has changed on the Hub (now {new}); the version first fetched here on {date} "
                "({old}) is used, so that results stay comparable.",
                "backbone.moved",
                values,
            ),
        )
    except RevisionNotFoundError:
        return newest, (
            Sentence(
                "{name} has changed on the Hub and the version fetched here on {date} ({old}) is gone; "
                "{new} is used instead. Do not compare its results with earlier ones.",
                "backbone.replaced",
                values,
            ),
        )


def _info(spec: BackboneSpec, revision: str) -> Any:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    return api.model_info(_repository(spec), revision=revision, files_metadata=True, timeout=TIMEOUT)


def _download(spec: BackboneSpec, listing: Any, progress: Progress) -> dict[str, str]:
    """Fetch and check every needed file; returns name -> SHA-256."""
    on_hub = {file.rfilename: file for file in listing.siblings}
    meter = _Meter(progress)
    names = files.needed(spec, on_hub, lambda name: _one(spec, name, listing.sha, meter))
    folder = _snapshot(spec, listing.sha)
    missing = sum(on_hub[name].size or 0 for name in names if not (folder / name).exists())
    _require_space(spec, missing)
    meter.start(missing)
    recorded = _recorded_files(spec, listing.sha)
    hashes = {}
    for name in names:
        lfs = on_hub[name].lfs
        expected = lfs.sha256 if lfs is not None else recorded.get(name, {}).get("sha256")
        was_here = (folder / name).exists()
        digest = _verified(spec, _one(spec, name, listing.sha, meter), expected)
        if digest is None and was_here:  # spoilt in the cache, not on the way: once more
            digest = _verified(spec, _one(spec, name, listing.sha, meter), expected)
        if digest is None:
            raise BackboneError(
                "The file {file} of {name} is not what it should be (its checksum differs) and was removed. "
                "Try again; if it happens twice, do not use this copy.",
                code="backbone.checksum",
                file=name,
                name=spec.title,
            )
        hashes[name] = digest
    return hashes


def _one(spec: BackboneSpec, name: str, revision: str, meter: _Meter) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(
            _repository(spec),
            name,
            revision=revision,
            endpoint=os.environ.get("HF_ENDPOINT"),
            cache_dir=cache_folder(),
            etag_timeout=TIMEOUT,
            tqdm_class=meter.bar,
        )
    finally:
        # The library's own threads may swallow what a progress bar raises.
        meter.raise_if_cancelled()
    return Path(path)


def _verified(spec: BackboneSpec, path: Path, expected: str | None) -> str | None:
    """The file's SHA-256; if it is not the one it should have, the file is removed and None returned.

    Without a known checksum the name of the cache's blob serves: for large files it is their SHA-256.
    """
    blob = path.resolve()
    expected = spec.weights_sha256.get(path.name) or expected or (blob.name if len(blob.name) == 64 else None)
    digest = sha256(path)
    if expected is None or digest == expected:
        return digest
    blob.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    return None


def _require_space(spec: BackboneSpec, missing: int) -> None:
    folder = cache_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if missing and free < missing + SPARE_BYTES:
        raise disk_full(spec, missing)


def disk_full(spec: BackboneSpec, size: int) -> BackboneError:
    """What is said where a backbone of this many bytes finds no room."""
    return BackboneError(
        "There is no room on the disk for {name} ({megabytes} MB). Free some space, or choose a smaller backbone.",
        code="backbone.disk_full",
        name=spec.title,
        megabytes=f"{size / 1e6:,.0f}",
    )


class _Meter:
    """Turns the library's progress bars into one ``Progress`` over all files."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0
        self._total = 0
        self._cancelled: Cancelled | None = None
        meter = self

        class Bar:
            """As much of tqdm as huggingface_hub uses."""

            def __init__(self, *_: object, **settings: Any) -> None:
                self.total = settings.get("total")
                self.n = settings.get("initial", 0)

            def update(self, n: int = 1) -> None:
                self.n += n
                meter.add(n)

            def update_transfer(self, n: int) -> None:
                """Bytes over the wire, counted already as bytes of the file."""

            def __enter__(self) -> Bar:
                return self

            def __exit__(self, *_: object) -> None:
                self.close()

            def close(self) -> None: ...
            def refresh(self) -> None: ...
            def set_postfix_str(self, *_: object, **__: object) -> None: ...
            def set_description(self, *_: object, **__: object) -> None: ...

            format_dict: dict[str, Any] = {"rate": None}  # noqa: RUF012 - read only

        self.bar = Bar

    def start(self, total: int) -> None:
        """Everything before this was too small to count."""
        self._done, self._total = 0, total
        self.add(0)

    def add(self, n: int) -> None:
        self._done += n
        if self._total:
            try:
                self._progress(min(self._done, self._total), self._total, "fetching")
            except Cancelled as stop:
                self._cancelled = stop
                raise

    def raise_if_cancelled(self) -> None:
        if self._cancelled is not None:
            raise self._cancelled


@contextmanager
def _sentences(spec: BackboneSpec) -> Iterator[None]:
    """What huggingface_hub and the disk raise, as one sentence each."""
    import httpx2
    from huggingface_hub import errors

    values = {"name": spec.title, "repository": spec.repository}
    try:
        yield
    except errors.GatedRepoError as error:
        raise BackboneError(
            "{name} is gated: its owners ask readers to accept their terms first. Accept them on the Hub's page "
            "of {repository}, set HF_TOKEN, and try again.",
            code="backbone.gated",
            **values,
        ) from error
    except (errors.RepositoryNotFoundError, errors.DisabledRepoError) as error:
        raise BackboneError(
            "The Hub has no repository {repository} that can be read from here. Check the name, or set HF_TOKEN "
            "if it is private.",
            code="backbone.gone",
            **values,
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BackboneError(
            "The version of {name} that is needed is no longer on the Hub. Give a local copy of it (--checkpoint DIR, in Python checkpoint=DIR).",
            code="backbone.revision_gone",
            **values,
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise BackboneError(
            "{repository} no longer has a file that {name} needs. Give a local copy of it (--checkpoint DIR, in Python checkpoint=DIR).",
            code="backbone.entry_gone",
            **values,
        ) from error
    except (
        errors.OfflineModeIsEnabled,
        errors.LocalEntryNotFoundError,
        errors.HfHubHTTPError,
        errors.FileMetadataError,
        httpx2.HTTPError,
    ) as error:
        raise BackboneError(
            "The Hub cannot be reached, so {name} was not fetched. Check the network and try again, or give a "
            "local copy (--checkpoint DIR, in Python checkpoint=DIR).",
            code="backbone.unreachable",
            **values,
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(spec, spec.download_bytes) from error
        if error.errno is not None:
            raise BackboneError(
                "{name} cannot be stored in the cache folder ({reason}). Make the folder writable, or set HF_HOME "
                "to another.",
                code="backbone.cache_unwritable",
                reason=os.strerror(error.errno),
                **values,
            ) from error
        raise BackboneError(
            "The download of {name} broke off, and nothing of it was kept. Try again.",
            code="backbone.broke_off",
            **values,
        ) from error
