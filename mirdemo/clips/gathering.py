"""Clips as they are read, one after another: each sound once, within the limits, with what went wrong noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.clips.archives import Entry, not_a_zip_but, other_archive
from mirdemo.clips.counting import files_of
from mirdemo.clips.finding import Finder, folder_tags, is_wrapped
from mirdemo.clips.label_files import (
    labels_among,
    may_label,
    said_of,
    spans_of,
)
from mirdemo.clips.limits import ClipLimits, ClipsError
from mirdemo.clips.recordings import ByName, by_name, only_counts
from mirdemo.clips.segments import NEAR, Piece, pieces
from mirdemo.clips.sheets import Row
from mirdemo.clips.tags import clean_recording, clean_tags, clean_text, same
from mirdemo.sound.audio import LIMITS, AudioError, Clip, display_name, load_clip, of_file
from mirdemo.sound.files import SOUND_SUFFIXES, lies_beside

if TYPE_CHECKING:
    from mirdemo.sound.long import LongRecording

#: Kinds that the decoder knows by their first bytes and that hold no sound: they lie beside it in many folders.
_NO_SOUND = frozenset({"PDF", "JPEG", "PNG", "GIF", "ZIP", "MIDI", "HTML", "Office", "SQLite", "a program"})
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
        self._spellings: dict[str, dict[str, None]] = {}  # and how all were
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
        clip = self._load(content, name)
        if clip is not None:
            self.take(clip, tags, recording, session)

    def read_pieces(
        self,
        content: Path | bytes,
        name: str,
        spans: Sequence[tuple[float, float, Iterable[str]]],
        recording: str | None = None,
        session: str = "",
        rows: Sequence[Row] = (),
    ) -> None:
        """Decode one file and take the pieces that labels over time cut it into, or note why not. See ``take_pieces``"""
        clip = self._load(content, name)
        if clip is not None:
            self.take_pieces(clip, spans, recording, session, rows)

    def take_pieces(
        self,
        clip: Clip | LongRecording,
        spans: Sequence[tuple[float, float, Iterable[str]]],
        recording: str | None = None,
        session: str = "",
        rows: Sequence[Row] = (),
    ) -> None:
        """Take the pieces that spans (see ``pieces``) cut a clip or a long recording into. Of a long one no more is read than fits.

        recording, session: of the pieces that none of ``rows`` gives one
        """
        found = pieces(spans, clip.seconds)
        self._note_unused(clip, spans, bool(found))
        for piece in found:
            full = self._is_full() or self._seconds + piece.end - piece.start > self.limits.max_seconds + NEAR
            if full and not self._is_there(clip, piece):
                self._no_room += 1
                continue
            part = self._piece(clip, piece)
            if part is not None:
                self.take(part, piece.labels, *said_of(rows, piece.start, piece.end, recording, session))

    def _note_unused(
        self,
        clip: Clip | LongRecording,
        spans: Sequence[tuple[float, float, Iterable[str]]],
        others: bool,
    ) -> None:
        """Note the labels that no piece carries: behind the end, or of a moment. others: whether there are pieces"""
        behind = sum(start >= clip.seconds for start, _, _ in spans)
        moments = sum(start == end < clip.seconds for start, end, _ in spans)
        if behind and not others:
            self.problems.append(
                Sentence(
                    "{name} lasts {seconds:.1f} s, and its labels lie behind that. It was left out.",
                    "clips.labels_behind",
                    {"name": clip.name, "seconds": clip.seconds},
                )
            )
        elif behind:
            self.problems.append(
                Sentence(
                    "{name} lasts {seconds:.1f} s; labels behind that were left out: {count}.",
                    "clips.some_labels_behind",
                    {"name": clip.name, "seconds": clip.seconds, "count": behind},
                )
            )
        if moments:
            self.problems.append(
                Sentence(
                    "{name} has labels of a moment, without a length, which were left out: {count}. Give them an end.",
                    "clips.labels_of_a_moment",
                    {"name": clip.name, "count": moments},
                )
            )

    def _piece(self, clip: Clip | LongRecording, piece: Piece) -> Clip | None:
        """A piece as a clip that is not the same sound as another one."""
        if isinstance(clip, Clip) and piece.end - piece.start >= clip.seconds - NEAR:
            part: Clip | None = clip
        else:
            part = _cut(clip, piece)
        row = None if part is None else self._row_of.get(part.sha256)
        if part is None or row is None:
            return part
        if not isinstance(clip, Clip) and _same_place(part, self.clips[row]):
            return part  # labelled before
        # A loop, or silence: the same sound under two labels is two pieces, not one with both. One sample tells them
        # apart.
        return _cut(clip, replace(piece, end=piece.end - (1 + len(self.clips)) / clip.sample_rate)) or part

    def _is_there(self, clip: Clip | LongRecording, piece: Piece) -> bool:
        """Whether a piece of a long recording is a clip already, and needs no room: told without reading it."""
        if isinstance(clip, Clip):
            return False
        start, end = round(piece.start * clip.sample_rate), round(piece.end * clip.sample_rate)
        return any(
            one.name == clip.name
            and round(one.start_seconds * clip.sample_rate) == start
            and len(one.samples) == min(end, clip.frames) - start
            for one in self.clips
        )

    def _load(self, content: Path | bytes, name: str) -> Clip | None:
        """One file decoded, or None and the reason noted."""
        if self._is_full():
            self._no_room += 1
            return None
        try:
            return load_clip(content, name)
        except AudioError as error:
            archive = other_archive(content)
            if archive is not None:
                self.problems.append(not_a_zip_but(display_name(name), archive))
                return None
            kind = error.sentence.values.get("kind")
            no_sound = error.sentence.code == "audio.unknown" or kind in _NO_SOUND
            if no_sound and PurePosixPath(name).suffix.lower() not in SOUND_SUFFIXES:
                self._not_sound.append(display_name(name))
            else:
                self.problems.append(error.sentence)
            return None

    def take(self, clip: Clip, tags: Iterable[str], recording: str | None = None, session: str = "") -> None:
        """Take one clip, or merge its tags into the same sound taken before, or note why not."""
        try:
            given = [clean_text(tag) for tag in tags]
            cleaned = {same(tag): tag for tag in clean_tags(given, self.limits)}
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
        for tag in filter(None, given):
            self._spellings.setdefault(same(tag), {})[tag] = None
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
            known = self.clips[row].warnings
            self.problems += [of_file(clip.name, said) for said in clip.warnings if said not in known]
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
            files_of([self.clips[row] for row in unsaid]),
        )
        for row, recording in zip(unsaid, said.recordings, strict=True):
            self.recordings[row] = recording[: self.limits.max_recording_length]
        if said.grouped:
            self.problems.append(grouped_by_name(said))

    def all_problems(self) -> tuple[Sentence, ...]:
        """Everything noted, with one sentence for all files of a kind that need none of their own."""
        found = list(self.problems)
        if folded := [tags for tags in map(list, self._spellings.values()) if len(tags) > 1]:
            found.append(
                Sentence(
                    "Read as one tag, for capitals do not count: {tags}. Where these are different things, give them names that "
                    "differ in more than capitals. Only a letter that stands alone keeps its case.",
                    "clips.one_but_for_capitals",
                    {"tags": _some([" = ".join(tags[:_NAMED_AT_MOST]) for tags in folded])},
                )
            )
        if self._not_sound:
            found.append(not_sound(self._not_sound))
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


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED_AT_MOST]) + (", …" if len(names) > _NAMED_AT_MOST else "")


def grouped_by_name(said: ByName) -> Sentence:
    """What the names of files put together, at least one group."""
    return Sentence(
        "By the names of their files, {clips} clips were put together. Recordings that they are pieces of: {count} "
        "({names}). If they are not, part them again.",
        "clips.grouped_by_name",
        {
            "clips": sum(len(rows) for rows in said.grouped.values()),
            "count": len(said.grouped),
            "names": _some(list(said.grouped)),
        },
    )


def gather_entries(gathering: Gathering, entries: Sequence[Entry], name: str, progress: Progress) -> None:
    """Read a listing whose folders are tags, or whose sheet or annotation files give them.

    Raises ``ClipsError`` if it holds no sound, or if what should label it cannot be used and nothing else does.
    """
    entries = _without_queries(entries)
    if not entries and gathering.problems:  # all was left out: say why
        first = gathering.problems[0]
        raise ClipsError(first.template, code=first.code, **first.values)
    tables = [entry for entry in entries if may_label(entry.path.name)]
    rest = [entry for entry in entries if entry not in tables]
    among = labels_among(tables, rest, gathering.limits)
    if among.sheets > 1:  # they may disagree
        raise ClipsError(
            "{name} holds {count} sheets with the columns file and tags. Keep one.",
            code="clips.several_sheets",
            name=name,
            count=among.sheets,
        )
    labels, unusable, used = among.rows, among.unusable, among.used
    sounds = [entry for entry in entries if entry not in used]
    if labels:  # a file of another kind beside them is likely something else
        gathering.problems.extend(one for one in unusable if one.code != "clips.other_sheet")
        recordings = [e for e in sounds if e not in tables]
        paths = [entry.path for entry in entries]
        said = {} if among.naming else dict(zip(paths, folder_tags(paths), strict=True))
        gather_sheet(gathering, labels, recordings, progress, said)
        return
    if all(lies_beside(entry.path.name) or entry in tables for entry in entries):
        raise ClipsError(
            "{name} holds no sound files. Put them in folders named by their tags.",
            code="clips.no_sound_files",
            name=name,
        )
    wrapped = is_wrapped([entry.path for entry in entries])
    if unusable and not any(len(entry.path.parts) > 1 + wrapped for entry in sounds if entry not in tables):
        first = unusable[0]  # without it every clip would count as "none of these"
        raise ClipsError(first.template, code=first.code, **first.values)
    gathering.problems.extend(unusable)
    _note_shared_stems(gathering, sounds)
    for done, entry in enumerate(sounds):
        progress(done, len(sounds), "reading")
        _read_entry(gathering, entry, entry.path.parent.parts[wrapped:], None)
    progress(len(sounds), len(sounds), "reading")


def _without_queries(entries: Sequence[Entry]) -> Sequence[Entry]:
    """In a saved visit (``clips.visit``) lie sounds that are no labelled clips: they are no surprise."""
    tops = {entry.path.parent for entry in entries if entry.path.name == "visit.json"}
    return [entry for entry in entries if not any(entry.path.is_relative_to(top / "queries") for top in tops)]


def gather_sheet(
    gathering: Gathering,
    labels: Sequence[tuple[Row, PurePosixPath]],
    entries: Sequence[Entry],
    progress: Progress,
    folders: Mapping[PurePosixPath, tuple[str, ...]] | None = None,
) -> None:
    """Read the files that rows name. labels: rows, each with the folder that its sheet lies in, among the entries; folders: what
    they say of files that no row names"""
    finder = Finder([entry.path for entry in entries])
    rows_of: dict[int, list[Row]] = {}
    for row, folder in labels:
        try:
            rows_of.setdefault(finder.find(row.file, folder), []).append(row)
        except ClipsError as error:
            gathering._note(error.sentence)
    unnamed = [
        e for at, e in enumerate(entries) if at not in rows_of and e.path.suffix.lower() in SOUND_SUFFIXES
    ]
    folders = folders or {}
    tagged = [entry for entry in unnamed if folders.get(entry.path)]
    count = len(rows_of) + len(tagged)
    for done, (at, rows) in enumerate(rows_of.items()):
        progress(done, count, "reading")
        _read_labelled(gathering, entries[at], rows)
    for done, entry in enumerate(tagged, len(rows_of)):
        progress(done, count, "reading")
        _read_entry(gathering, entry, folders[entry.path], None)
    progress(count, count, "reading")
    unnamed = [entry for entry in unnamed if not folders.get(entry.path)]
    if unnamed:
        gathering.problems.append(
            Sentence(
                "Sound files left out because the sheet does not name them: {count}.",
                "clips.not_in_sheet",
                {"count": len(unnamed)},
            )
        )


def _read_labelled(gathering: Gathering, entry: Entry, rows: Sequence[Row]) -> None:
    """Read one file with what a sheet says of it, whole or in pieces."""
    recording = next((row.recording for row in rows if row.recording), None)
    session = next((row.session for row in rows if row.session), "")
    spans = []
    for row in rows:
        try:
            spans += spans_of([row], gathering.limits)
        except ClipsError as error:
            gathering._note(error.sentence)
    if not spans:
        gathering.problems.append(
            Sentence(
                "{name} was left out because of its tags or recording.",
                "clips.left_out",
                {"name": display_name(entry.path.name)},
            )
        )
    elif all(row.start is None for row in rows):
        tags = [tag for _, _, tags in spans for tag in tags]
        _read_entry(gathering, entry, tags, recording, session)
    else:
        _read_entry(gathering, entry, spans, recording, session, rows)


def _read_entry(
    gathering: Gathering,
    entry: Entry,
    tags: Any,
    recording: str | None,
    session: str = "",
    rows: Sequence[Row] = (),
) -> None:
    """Read one file of a listing, if its size allows, or note why not. rows: that cut it into pieces, whose spans ``tags`` are"""
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
    if rows:
        gathering.read_pieces(content, name, tags, recording, session, rows)
    else:
        gathering.read(content, name, tags, recording, session)


def not_sound(names: Sequence[str]) -> Sentence:
    """One sentence for all files, at least one, that hold no sound and lie beside some."""
    return Sentence(
        "Files that are not sound were left out: {count} ({names}).",
        "clips.not_sound",
        {"count": len(names), "names": _some(names)},
    )


def _note_shared_stems(gathering: Gathering, entries: Sequence[Entry]) -> None:
    """Say which file names stand in several folders, and what they count as, which may not be meant."""
    stems = Counter(e.path.stem for e in entries if e.path.suffix.lower() in SOUND_SUFFIXES)
    shared = [stem for stem, count in stems.items() if count > 1]
    numbers = [stem for stem in shared if only_counts(stem)]
    names = [stem for stem in shared if stem not in numbers]
    if names:
        gathering.problems.append(
            Sentence(
                "File names that stand in several folders: {count} ({names}). Files of one name count as one "
                "recording; rename them if they are not.",
                "clips.shared_names",
                {"count": len(names), "names": ", ".join(names[:_NAMED_AT_MOST])},
            )
        )
    if numbers:
        gathering.problems.append(
            Sentence(
                "File names that are only numbers and stand in several folders: {count} ({names}). Each of these files counts "
                "as a recording of its own; give those that are from one recording its name, in the table of clips or in a "
                "sheet's column “recording”.",
                "clips.shared_numbers",
                {"count": len(numbers), "names": ", ".join(numbers[:_NAMED_AT_MOST])},
            )
        )


def _same_place(one: Clip, other: Clip) -> bool:
    """Whether both are the same span of the same file: then it is one, however often it is labelled."""
    return (one.name, one.start_seconds) == (other.name, other.start_seconds)


def _cut(clip: Clip | LongRecording, piece: Piece) -> Clip | None:
    try:
        return clip.cut(piece.start, piece.end)
    except AudioError:  # less than one sample
        return None
