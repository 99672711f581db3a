"""How much a set of labelled clips may hold: the one place for its limits, and the error that names them."""

from __future__ import annotations

from dataclasses import dataclass

from mirdemo.base.sentences import MirdemoError


class ClipsError(MirdemoError):
    """Labelled clips cannot be read or edited so. One sentence: what happened, what to do."""


@dataclass(frozen=True)
class ClipLimits:
    """Limits of one set of clips, of its tags, and of the archives and sheets it may come from.

    max_clips, max_seconds, max_decoded_bytes: number, total length and total size in memory of the clips
    max_tags, max_tags_per_clip, max_tag_length, max_recording_length: in tags and characters
    max_archive_bytes: size of a zip file; max_entries: files in it, or in a folder
    max_unpacked_bytes: what a zip file may unpack to; beyond ``free_unpacked_bytes`` it may also not be
        more than ``max_ratio`` times its own size (silence alone packs a thousandfold, so small ones may)
    max_depth: folders within folders
    max_sheet_bytes: size of a CSV file
    """

    max_clips: int = 2_000
    max_seconds: float = 10_800.0
    max_decoded_bytes: int = 2_000_000_000
    max_tags: int = 200
    max_tags_per_clip: int = 30
    max_tag_length: int = 60
    max_recording_length: int = 120
    max_archive_bytes: int = 2_000_000_000
    max_entries: int = 10_000
    max_unpacked_bytes: int = 4_000_000_000
    free_unpacked_bytes: int = 200_000_000
    max_ratio: int = 100
    max_depth: int = 12
    max_sheet_bytes: int = 5_000_000

    def check_entries(self, name: str, count: int) -> None:
        """Raise ClipsError where an archive, a folder or a sheet of this name holds more files than it may."""
        if count > self.max_entries:
            raise ClipsError(
                "{name} holds more than {max_entries} files. Split it.",
                code="clips.too_many_files",
                name=name,
                max_entries=self.max_entries,
            )


CLIP_LIMITS = ClipLimits()
