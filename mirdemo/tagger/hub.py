"""Taggers on the Hugging Face Hub: fetched as bytes, pushed with the user's own token."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mirdemo.tagger.file import LIMITS, MANIFEST, TaggerError, read

_PART = r"[A-Za-z0-9](?:(?!--|\.\.)[A-Za-z0-9._-]){0,94}(?<![.-])"
_NAME = re.compile(rf"{_PART}/{_PART}", re.ASCII)
_TIMEOUT = 10.0


def is_repository(name: str) -> bool:
    """True for ``OWNER/NAME`` by the Hub's rules for names."""
    return _NAME.fullmatch(name) is not None


def fetch(repository: str, revision: str | None = None, token: str | None = None) -> dict[str, bytes]:
    """The tagger's files in a repository: name -> bytes. Only these files are fetched. Raises TaggerError."""
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, LocalEntryNotFoundError

    endpoint = os.environ.get("HF_ENDPOINT")
    try:
        info = HfApi(endpoint=endpoint, token=token).model_info(
            repository, revision=revision, files_metadata=True, timeout=_TIMEOUT
        )
        found = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        if MANIFEST not in found:
            raise TaggerError(
                "{repository} holds no tagger. Check the name.",
                code="tagger.hub_no_tagger",
                repository=repository,
            )
        too_large = [name for name, limit in LIMITS.items() if found.get(name, 0) > limit]
        if too_large:
            raise TaggerError(
                "{file} of {repository} is too large for a tagger. Check the name.",
                code="tagger.hub_too_large",
                file=too_large[0],
                repository=repository,
            )
        folder = None
        for name in LIMITS:
            if name in found:
                path = hf_hub_download(
                    repository,
                    name,
                    revision=info.sha,
                    endpoint=endpoint,
                    cache_dir=_cache_folder(),
                    etag_timeout=_TIMEOUT,
                    token=token,
                )
                folder = Path(path).parent
        return read(folder)
    except HfHubHTTPError as error:
        raise _refused(repository, error) from None
    except (httpx2.HTTPError, FileMetadataError, LocalEntryNotFoundError, OSError):
        raise _unreachable(repository) from None


def push(contents: Mapping[str, bytes], repository: str, token: str, *, private: bool = True) -> str:
    """Upload a tagger's files in one commit; returns the repository's address. Raises TaggerError."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if not is_repository(repository):
        raise TaggerError(
            "{repository} is not a repository's name. Write it as OWNER/NAME.",
            code="tagger.hub_name",
            repository=repository[:120],
        )
    if not token:
        raise TaggerError(
            "Uploading needs your own access token with write permission. Make one in your Hub settings.",
            code="tagger.hub_token",
        )
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token, library_name="mirdemo")
    try:
        with tempfile.TemporaryDirectory(prefix="mirdemo-tagger-") as folder:
            for name, content in contents.items():
                (Path(folder) / name).write_bytes(content)
            address = api.create_repo(repository, private=private, exist_ok=True)
            api.upload_folder(
                repo_id=repository,
                folder_path=folder,
                allow_patterns=list(LIMITS),
                commit_message="Tagger made with mirdemo",
            )
    except HfHubHTTPError as error:
        raise _refused(repository, error) from None
    except (httpx2.HTTPError, OSError):
        raise _unreachable(repository) from None
    return str(address)


def _cache_folder() -> Path:
    from mirdemo.backbones.hub import cache_folder

    return cache_folder()


def _refused(repository: str, error: Exception) -> TaggerError:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in (401, 403, 404):
        return TaggerError(
            "The Hub does not give access to {repository}. Check the name, and that your token may read or write it.",
            code="tagger.hub_refused",
            repository=repository,
        )
    return TaggerError(
        "The Hub answered with an error ({status}) for {repository}. Try again later.",
        code="tagger.hub_error",
        status=str(status or "?"),
        repository=repository,
    )


def _unreachable(repository: str) -> TaggerError:
    return TaggerError(
        "The Hub cannot be reached for {repository}. Check the connection and try again.",
        code="tagger.hub_unreachable",
        repository=repository,
    )
