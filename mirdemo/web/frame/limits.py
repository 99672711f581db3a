"""What one visitor and one machine may hold. Every number the page tells about limits is read from here."""

from __future__ import annotations

from dataclasses import dataclass

from mirdemo.base import memory
from mirdemo.clips.limits import ClipLimits


@dataclass(frozen=True)
class WebLimits:
    """Limits of the page; those of a single file are in ``mirdemo.sound.audio.LIMITS``.

    clips: clips a visitor may hold at once
    minutes: minutes of sound a visitor may hold at once
    upload_bytes: size of one uploaded file (a zip counts as one), but for long recordings (``LONG_LIMITS``)
    long_recordings: long recordings that a visitor may have open at once
    long_disk_bytes: what those of all visitors may take of the disk
    pending_bytes: uploads of everybody that wait on the disk to be read; one sender may have half of it
    upload_seconds: an upload that nobody reads is deleted after so long
    files_at_once: files in one drop
    query_minutes: length of one query
    tagged_files: files that a tagger dropped on the page tags into one sheet
    tagger_bytes: size of its arrays
    queries: queries kept for a visitor; the oldest goes first
    machine_bytes: decoded sound of all visitors together, and never more than a quarter of this server's memory
    preview_bytes: compressed sound kept for listening, a visitor
    idle_seconds: a visitor who does nothing for so long is forgotten
    closed_seconds: how long a visitor who closed the page may come back to find everything
    undo_seconds: for how long what was deleted can be brought back
    warned_seconds: how long before an idle visit ends its page says so
    waiting_jobs: long steps that may wait for one resource of this machine (``jobs.POOLS``), three quarters of them of one address
    waiting_own_jobs: of these, one visitor's
    waiting_calls: calls of endpoints that may wait; the page's own acts have the rest of the queue
    message_bytes: size of one act or call, its files not among it
    text: characters in anything typed
    """

    clips: int = 200
    minutes: int = 30
    upload_bytes: int = 200 * 2**20
    long_recordings: int = 3
    long_disk_bytes: int = 16 * 2**30
    pending_bytes: int = 4 * 2**30
    upload_seconds: int = 1800
    files_at_once: int = 300
    query_minutes: int = 10
    tagged_files: int = 200
    tagger_bytes: int = 128 * 2**20
    queries: int = 3
    machine_bytes: int = 4 * 2**30
    preview_bytes: int = 32 * 2**20
    idle_seconds: int = 3600
    closed_seconds: int = 600
    undo_seconds: int = 10
    warned_seconds: int = 600
    waiting_jobs: int = 32
    waiting_own_jobs: int = 6
    waiting_calls: int = 96
    message_bytes: int = 4 * 2**20
    text: int = 300


LIMITS = WebLimits()


def sound_bytes(limits: WebLimits = LIMITS) -> int:
    """Decoded sound that all visitors together may hold here."""
    here = memory.given()
    return limits.machine_bytes if here is None else min(limits.machine_bytes, here // 4)


#: The limits of ``LIMITS`` in the form that ``LabelledClips`` enforces.
CLIP_LIMITS = ClipLimits(
    max_clips=LIMITS.clips,
    max_seconds=60.0 * LIMITS.minutes,
    max_decoded_bytes=600_000_000,
    max_archive_bytes=LIMITS.upload_bytes,
    max_unpacked_bytes=1_000_000_000,
    max_entries=2_000,
)
