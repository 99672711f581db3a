"""Clips as they are read, one after another: each sound once, within the limits, with what went wrong noted."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.clips.archives import Entry
from mirdemo.clips.limits import ClipLimits, ClipsError
from mirdemo.clips.recordings import by_name
from mirdemo.clips.sheets import Row, read_sheet
from mirdemo.clips.tags import clean_recording, clean_tags, clean_text, same, sheet_tags
from mirdemo.sound.audio import LIMITS, AudioError, Clip, display_name, load_clip

_SOUND_SUFFIXES = frozenset(
    {".wav", ".wave", ".w64", ".rf64", ".flac", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}
    | {".mp2", ".mp3", ".ogg", ".oga", ".opus", ".aac", ".adts", ".wma", ".asf"}
    | {".m4a", ".m4b", ".m4v", ".mp4", ".mov", ".3gp", ".webm", ".mka", ".mkv"}
)
_NAMED_AT_MOST = 3


class Gathering:
    """Rows of a ``LabelledClips`` in the making: clips, the keys of their tags, their recordings, and problems.

    recordings: of each clip, None where nobody has said which; sessions: of each clip, "" where nobody has
    """

    def __init__(self, limits: ClipLimits) -> None:
        self.limits = limits
        self.clips: list[Clip] = []
        self.tag_keys: list[set[str]] = []
        self.recordings: list[str | None] = []
        self.sessions: list[str] = []
        self.spelling: dict[str, str] = {}  # what equal tags have in common -> how the first one was spelt
        self.problems: list[Sentence] = []
        self._row_of: dict[str, int] = {}
        self._seconds = 0.0
        self._bytes = 0
        self._not_sound: list[str] = []
        self._no_room = 0

    def read(
        self,
        content: Path | bytes,
        name: str,
        tags: Iterable[str],
        recording: str | None = None,
        session: str = "",
    ) -> None:
        """Decode one file and take it, or note why not."""
        if self._is_full():
            self._no_room += 1
            return
        try:
            clip = load_clip(content, name)
        except AudioError as error:
            no_sound = error.sentence.code == "audio.unknown"
            if no_sound and PurePosixPath(name).suffix.lower() not in _SOUND_SUFFIXES:
                self._not_sound.append(display_name(name))
            else:
                self.problems.append(error.sentence)
            return
        self.take(clip, tags, recording, session)

    def take(self, clip: Clip, tags: Iterable[str], recording: str | None = None, session: str = "") -> None:
        """Take one clip, or merge its tags into the same sound taken before, or note why not."""
        try:
            cleaned = {same(tag): tag for tag in clean_tags(tags, self.limits)}
            recording = None if recording is None else clean_recording(recording, self.limits)
            session = clean_recording(session, self.limits) if clean_text(session) else ""
            row = self._row_of.get(clip.sha256)
            keys = cleaned.keys() | (self.tag_keys[row] if row is not None else set())
            self._check_tags(keys)
        except ClipsError as error:
            self._note(error.sentence)
            self._note(
                Sentence(
                    "{name} was left out because of its tags or recording.",
                    "clips.left_out",
                    {"name": clip.name},
                )
            )
            return
        if row is None and not self._has_room_for(clip):
            self._no_room += 1
            return
        for key, tag in cleaned.items():
            self.spelling.setdefault(key, tag)
        if row is not None:
            self.tag_keys[row] |= cleaned.keys()
            self.recordings[row] = self.recordings[row] or recording
            self.sessions[row] = self.sessions[row] or session
            self.problems.append(
                Sentence(
                    "{name} is the same sound as {first}: it was kept once, with the tags of both.",
                    "clips.duplicate",
                    {"name": clip.name, "first": self.clips[row].name},
                )
            )
            return
        self._row_of[clip.sha256] = len(self.clips)
        self.clips.append(clip)
        self.tag_keys.append(set(cleaned))
        self.recordings.append(recording)
        self.sessions.append(session)
        self._seconds += clip.seconds
        self._bytes += clip.samples.nbytes

    def name_recordings(self) -> None:
        """Give every clip a recording whose nobody has said: by the names of the files, with a note of what was put together."""
        unsaid = [row for row, recording in enumerate(self.recordings) if recording is None]
        said = by_name(
            [self.clips[row].name for row in unsaid],
            [[self.spelling[key] for key in self.tag_keys[row]] for row in unsaid],
        )
        for row, recording in zip(unsaid, said.recordings, strict=True):
            self.recordings[row] = recording[: self.limits.max_recording_length]
        if said.grouped:
            shown = list(said.grouped)
            self.problems.append(
                Sentence(
                    "By the names of their files, {clips} clips were put together as pieces of {count} recordings ({names}). "
                    "If they are not, part them again.",
                    "clips.grouped_by_name",
                    {
                        "clips": sum(len(rows) for rows in said.grouped.values()),
                        "count": len(shown),
                        "names": ", ".join(shown[:_NAMED_AT_MOST])
                        + (", …" if len(shown) > _NAMED_AT_MOST else ""),
                    },
                )
            )

    def all_problems(self) -> tuple[Sentence, ...]:
        """Everything noted, with one sentence for all files of a kind that need none of their own."""
        found = list(self.problems)
        if self._not_sound:
            shown = ", ".join(self._not_sound[:_NAMED_AT_MOST])
            more = ", …" if len(self._not_sound) > _NAMED_AT_MOST else ""
            found.append(
                Sentence(
                    "Files that are not sound were left out: {count} ({names}).",
                    "clips.not_sound",
                    {"count": len(self._not_sound), "names": shown + more},
                )
            )
        if self._no_room:
            found.append(
                Sentence(
                    "Clips left out: {count}. A set holds at most {max_clips} clips, {max_minutes:g} minutes and "
                    "{max_mb} MB of decoded sound.",
                    "clips.full",
                    {
                        "count": self._no_room,
                        "max_clips": self.limits.max_clips,
                        "max_minutes": round(self.limits.max_seconds / 60, 1),
                        "max_mb": self.limits.max_decoded_bytes // 1_000_000,
                    },
                )
            )
        return tuple(found)

    def _is_full(self) -> bool:
        return len(self.clips) >= self.limits.max_clips or self._seconds >= self.limits.max_seconds

    def _has_room_for(self, clip: Clip) -> bool:
        return (
            len(self.clips) < self.limits.max_clips
            and self._seconds + clip.seconds <= self.limits.max_seconds
            and self._bytes + clip.samples.nbytes <= self.limits.max_decoded_bytes
        )

    def _check_tags(self, keys: set[str]) -> None:
        if len(keys) > self.limits.max_tags_per_clip:
            raise ClipsError(
                "A clip has {count} tags; at most {max_count} are kept. Choose the most important ones.",
                code="clips.too_many_tags_on_clip",
                count=len(keys),
                max_count=self.limits.max_tags_per_clip,
            )
        if len(self.spelling.keys() | keys) > self.limits.max_tags:
            raise ClipsError(
                "A set holds at most {max_tags} different tags. Use one that is there.",
                code="clips.too_many_tags",
                max_tags=self.limits.max_tags,
            )

    def _note(self, sentence: Sentence) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)


def gather_entries(gathering: Gathering, entries: Sequence[Entry], name: str, progress: Progress) -> None:
    """Read a listing whose folders are tags, or whose sheet gives them. Raises ``ClipsError`` if it holds no sound."""
    sheet = _sheet_among(entries, name, gathering.limits)
    if sheet is not None:
        rows, folder = sheet
        sounds = [entry for entry in entries if entry.path.suffix.lower() != ".csv"]
        gather_sheet(gathering, rows, sounds, folder, progress)
        return
    if not entries and gathering.problems:  # all was left out: say why
        first = gathering.problems[0]
        raise ClipsError(first.template, code=first.code, **first.values)
    if not any(entry.path.suffix.lower() in _SOUND_SUFFIXES for entry in entries):
        raise ClipsError(
            "{name} holds no sound files. Put them in folders named by their tags.",
            code="clips.no_sound_files",
            name=name,
        )
    tops = {entry.path.parts[0] for entry in entries if len(entry.path.parts) > 1}
    wrapped = len(tops) == 1 and all(len(entry.path.parts) > 1 for entry in entries)
    wrapped = wrapped and any(len(entry.path.parts) > 2 for entry in entries)
    _note_shared_stems(gathering, entries)
    for done, entry in enumerate(entries):
        progress(done, len(entries), "reading")
        _read_entry(gathering, entry, entry.path.parent.parts[wrapped:], None)
    progress(len(entries), len(entries), "reading")


def gather_sheet(
    gathering: Gathering,
    rows: Sequence[Row],
    entries: Sequence[Entry],
    folder: PurePosixPath,
    progress: Progress,
) -> None:
    """Read the files that a sheet names. ``folder``: where the sheet lies among the entries."""
    by_path = {_key(entry.path): entry for entry in entries}
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(_key(PurePosixPath(entry.path.name)), []).append(entry)
    used: set[PurePosixPath] = set()
    for done, row in enumerate(rows):
        progress(done, len(rows), "reading")
        path = PurePosixPath(row.file.replace("\\", "/"))
        alone = by_name.get(_key(PurePosixPath(path.name)), [])
        entry = by_path.get(_key(folder / path)) or by_path.get(_key(path))
        if entry is None and len(alone) == 1:
            entry = alone[0]
        if entry is None:
            gathering.problems.append(
                Sentence(
                    "{name} is named in the sheet, but was not found. Add it or correct the sheet.",
                    "clips.file_not_found",
                    {"name": display_name(row.file)},
                )
            )
            continue
        used.add(entry.path)
        try:
            tags = sheet_tags(row.tags, gathering.limits)
        except ClipsError as error:
            gathering.problems.append(error.sentence)
            gathering.problems.append(
                Sentence(
                    "{name} was left out because of its tags or recording.",
                    "clips.left_out",
                    {"name": display_name(row.file)},
                )
            )
            continue
        _read_entry(gathering, entry, tags, row.recording or None)
    progress(len(rows), len(rows), "reading")
    unnamed = [e for e in entries if e.path not in used and e.path.suffix.lower() in _SOUND_SUFFIXES]
    if unnamed:
        gathering.problems.append(
            Sentence(
                "Sound files left out because the sheet does not name them: {count}.",
                "clips.not_in_sheet",
                {"count": len(unnamed)},
            )
        )


def _read_entry(
    gathering: Gathering, entry: Entry, tags: Iterable[str], recording: str | None, session: str = ""
) -> None:
    """Read one file of a listing, if its size allows, or note why not."""
    name = entry.path.name
    if entry.size > LIMITS.max_bytes:
        gathering.problems.append(
            Sentence(
                "{name} has {size_mb} MB; at most {max_mb} MB are read. Cut it into parts or compress it.",
                "audio.too_big",
                {
                    "name": display_name(name),
                    "size_mb": -(-entry.size // 1_000_000),
                    "max_mb": LIMITS.max_bytes // 1_000_000,
                },
            )
        )
        return
    try:
        content = entry.open()
    except ClipsError as error:
        gathering.problems.append(error.sentence)
        return
    gathering.read(content, name, tags, recording, session)


def _sheet_among(
    entries: Sequence[Entry], name: str, limits: ClipLimits
) -> tuple[list[Row], PurePosixPath] | None:
    """The rows of the one CSV sheet that names files and tags, and its folder; None if there is none."""
    found = []
    for entry in entries:
        if entry.path.suffix.lower() != ".csv" or entry.size > limits.max_sheet_bytes:
            continue
        try:
            content = entry.open()
            data = content if isinstance(content, bytes) else content.read_bytes()
            found.append((read_sheet(data, entry.path.name, limits), entry.path.parent))
        except (ClipsError, OSError):
            continue  # some other table
    if len(found) > 1:
        raise ClipsError(
            "{name} holds {count} sheets with the columns file and tags. Keep one.",
            code="clips.several_sheets",
            name=name,
            count=len(found),
        )
    return found[0] if found else None


def _note_shared_stems(gathering: Gathering, entries: Sequence[Entry]) -> None:
    """Say which file names stand in several folders: they count as one recording, which may not be meant."""
    stems = Counter(e.path.stem for e in entries if e.path.suffix.lower() in _SOUND_SUFFIXES)
    shared = [stem for stem, count in stems.items() if count > 1]
    if shared:
        gathering.problems.append(
            Sentence(
                "File names that stand in several folders: {count} ({names}). Files of one name count as one "
                "recording; rename them if they are not.",
                "clips.shared_names",
                {"count": len(shared), "names": ", ".join(shared[:_NAMED_AT_MOST])},
            )
        )


def _key(path: PurePosixPath) -> str:
    """What two spellings of one path have in common."""
    return unicodedata.normalize("NFC", str(path)).casefold()
