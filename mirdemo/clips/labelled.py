"""Labelled clips: how they are made, what they hold, how they are edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.files import called
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.clips.archives import Entry, list_folder, list_zip
from mirdemo.clips.counting import counted, files_of, grouped, in_question, said_by_names
from mirdemo.clips.encodings import reread
from mirdemo.clips.finding import Finder
from mirdemo.clips.gathering import Gathering, gather_entries, gather_sheet
from mirdemo.clips.heard import Heard
from mirdemo.clips.label_files import may_label, notes_on, read_labels, spans_of
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.recordings import ByName, stem_of
from mirdemo.clips.sheets import Row, write_sheet
from mirdemo.clips.tags import clean_recording, clean_tags, clean_text, same, typed_tags, written_tags
from mirdemo.clips.unread import unread
from mirdemo.sound.audio import LIMITS, Clip, display_name

if TYPE_CHECKING:
    from mirdemo.sound.long import LongRecording

#: Below this many recordings a tag cannot be judged: it needs two to learn from and one to test.
FEWEST_RECORDINGS = 3


@dataclass(frozen=True)
class TagCount:
    """How many clips carry a tag, and from how many different recordings they come."""

    clips: int
    recordings: int


@dataclass(frozen=True, eq=False)
class LabelledClips:
    """Clips, the tags on them and the recordings they come from. Never changed: every edit gives a new one.

    clips: each sound at most once
    tags: every tag in use, sorted; tags that differ only in case or Unicode width are one, spelt as first seen
    labels: uint8 (n_clips, n_tags), 1 where the clip carries the tag; a row of zeros is a negative
        ("none of these"); read-only
    recordings: the recording of each clip; clips of one recording are never parted by a split
    problems: what the step that made this object left out, merged or put together
    given: whether somebody has said a clip's recording (a sheet, an argument, an edit); where nobody has, it comes from
        the names of the files (see ``recordings``) and is looked at anew when clips are added. Empty: all are given
    sessions: what is coarser than a recording (the evening, the performer) of each clip, "" where unknown; empty if nobody
        has said any. See ``groups``
    heard: what listening found about recordings (taken by ``hear``, whenever it is known), and what was answered; see
        ``asked``
    """

    clips: tuple[Clip, ...] = ()
    tags: tuple[str, ...] = ()
    labels: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    recordings: tuple[str, ...] = ()
    problems: tuple[Sentence, ...] = ()
    limits: ClipLimits = field(default=CLIP_LIMITS, repr=False)
    given: tuple[bool, ...] = field(default=(), repr=False)
    sessions: tuple[str, ...] = ()
    heard: Heard = field(default_factory=Heard, repr=False)

    # ---- making -----------------------------------------------------------------------------------------

    @classmethod
    def from_clips(
        cls,
        clips: Sequence[Clip],
        tags: Sequence[Iterable[str]],
        recordings: Sequence[str | None] | None = None,
        sessions: Sequence[str] | None = None,
        *,
        limits: ClipLimits = CLIP_LIMITS,
    ) -> LabelledClips:
        """From clips in memory, with the tags of each.

        recordings: by the names of the clips (``recordings.by_name``) where not given; sessions: unknown if not given
        A clip that cannot be taken (a tag too long, a limit reached) is left out and named in ``problems``.
        """
        gathering = Gathering(limits)
        recordings = [None] * len(clips) if recordings is None else recordings
        sessions = [""] * len(clips) if sessions is None else sessions
        for clip, tags_of_clip, recording, session in zip(clips, tags, recordings, sessions, strict=True):
            gathering.take(clip, tags_of_clip, recording, session)
        return cls._of(gathering)

    @classmethod
    def from_files(
        cls,
        files: Sequence[str | Path | tuple[str, bytes]],
        tags: str | Iterable[str] = "",
        recording: str | None = None,
        *,
        limits: ClipLimits = CLIP_LIMITS,
        progress: Progress = silent,
    ) -> LabelledClips:
        """From single sound files, given as paths or as (name, bytes), all with the same tags.

        tags: as typed (``"taiko, fast"``) or as separate words
        recording: the recording that all of them come from; by the files' names if not given

        Files that cannot be read are named in ``problems``; the others are kept. Raises ``ClipsError``
        if a tag or the recording's name cannot be used.
        """
        wanted = typed_tags(tags, limits) if isinstance(tags, str) else clean_tags(tags, limits)
        if recording is not None:
            recording = clean_recording(recording, limits)
        gathering = Gathering(limits)
        for done, file in enumerate(files):
            progress(done, len(files), "reading")
            name, content = file if isinstance(file, tuple) else (Path(file).name, Path(file))
            gathering.read(content, name, wanted, recording)
        progress(len(files), len(files), "reading")
        return cls._of(gathering)

    @classmethod
    def from_folder(
        cls, folder: str | Path, *, limits: ClipLimits = CLIP_LIMITS, progress: Progress = silent
    ) -> LabelledClips:
        """From a folder tree: the names of the folders that a file lies in, below ``folder``, are its tags.

        A folder that holds everything else, like the one a zip program adds, gives no tag. If a CSV sheet with the
        columns file and tags lies in it, the sheet gives the tags instead (see ``from_csv``). Raises
        ``ClipsError`` if there is no sound file.
        """
        folder = Path(folder)
        gathering = Gathering(limits)
        listing = list_folder(folder, limits)
        gathering.problems.extend(listing.problems)
        gather_entries(gathering, listing.entries, display_name(called(folder)), progress)
        return cls._of(gathering)

    @classmethod
    def from_zip(
        cls,
        zip_file: str | Path | bytes,
        name: str | None = None,
        *,
        limits: ClipLimits = CLIP_LIMITS,
        progress: Progress = silent,
    ) -> LabelledClips:
        """From a zip laid out as ``from_folder`` takes it, given as path or bytes; nothing is unpacked to disk.

        Raises ``ClipsError`` if it is no zip, unsafe to open, or holds no sound file.
        """
        content = zip_file if isinstance(zip_file, bytes) else Path(zip_file)
        shown = display_name(name or (content.name if isinstance(content, Path) else "zip"))
        gathering = Gathering(limits)
        with list_zip(content, shown, LIMITS.max_bytes, limits) as listing:
            gathering.problems.extend(listing.problems)
            gather_entries(gathering, listing.entries, shown, progress)
        return cls._of(gathering)

    @classmethod
    def from_csv(
        cls,
        sheet: str | Path | bytes,
        files: str | Path | Mapping[str, str | Path | bytes] | None = None,
        name: str | None = None,
        *,
        limits: ClipLimits = CLIP_LIMITS,
        progress: Progress = silent,
    ) -> LabelledClips:
        """From a sheet ``file,tags,recording`` (CSV, TSV or Excel) or an annotation file, given as path or bytes.

        Tags stand between ``|``, ``;`` or commas (``tags.typed_tags``). Further columns: ``session``; ``start`` and
        ``end`` in seconds, whose segments become clips of their recording (``segments.pieces``).

        files: where the files are: a folder, or their names with paths or bytes; the sheet's own folder if not given
        A file is found by the longest common end of its path and the one in the sheet. Files that are missing are named in ``problems``. Raises ``ClipsError`` if the sheet cannot be used.
        """
        shown = display_name(name or ("sheet" if isinstance(sheet, bytes) else called(sheet)))
        if isinstance(sheet, bytes):
            data = sheet
        else:
            try:
                with Path(sheet).open("rb") as stream:
                    data = stream.read(limits.max_sheet_bytes + 1)
            except (OSError, ValueError):
                raise unread(Path(sheet), shown) from None
            files = Path(sheet).parent if files is None else files
        gathering = Gathering(limits)
        if isinstance(files, Mapping):
            entries = [_entry(PurePosixPath(str(key)), content) for key, content in files.items()]
        elif files is None:
            entries = []
        else:
            listing = list_folder(Path(files), limits)
            gathering.problems.extend(listing.problems)
            entries = listing.entries
        sounds = [entry for entry in entries if not may_label(entry.path.name)]
        names = [part for entry in sounds for part in entry.path.parts]
        read = read_labels(data, shown, limits, names)
        gathering.problems.extend(notes_on(read, shown))
        gather_sheet(gathering, [(row, PurePosixPath()) for row in read.rows], sounds, progress)
        return cls._of(gathering)

    @classmethod
    def from_long(
        cls,
        recording: LongRecording,
        spans: Sequence[tuple[float, float, Iterable[str]]],
        name: str | None = None,
        *,
        limits: ClipLimits = CLIP_LIMITS,
    ) -> LabelledClips:
        """Spans of a long recording (``sound.long``), all of one recording, with their tags.

        spans: start, end (seconds) and tags of each; see ``segments.pieces``; name: of the recording; by its file if not given
        What a set has no room for is counted in ``problems``, and not read.
        """
        gathering = Gathering(limits)
        gathering.take_pieces(recording, spans, name or default_recording(recording.name))
        return cls._of(gathering)

    @classmethod
    def _of(cls, gathering: Gathering) -> LabelledClips:
        """What was gathered, with its recordings named, its tags sorted and its labels as a matrix."""
        given = tuple(recording is not None for recording in gathering.recordings)
        gathering.name_recordings()
        tags = tuple(sorted(gathering.spelling.values()))
        column = {same(tag): at for at, tag in enumerate(tags)}
        labels = np.zeros((len(gathering.clips), len(tags)), np.uint8)
        for row, keys in enumerate(gathering.tag_keys):
            labels[row, [column[key] for key in keys]] = 1
        labels.flags.writeable = False
        return cls(
            tuple(gathering.clips),
            tags,
            labels,
            tuple(gathering.recordings),
            gathering.all_problems(),
            gathering.limits,
            given,
            tuple(gathering.sessions) if any(gathering.sessions) else (),
        )

    # ---- looking ----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def seconds(self) -> float:
        """Length of all clips together."""
        return sum(clip.seconds for clip in self.clips)

    def tags_of(self, index: int) -> tuple[str, ...]:
        """The tags of one clip, sorted; none for a negative."""
        return tuple(tag for tag, there in zip(self.tags, self.labels[index], strict=True) if there)

    def session_of(self, index: int) -> str:
        """The session of one clip, "" where unknown."""
        return self.sessions[index] if self.sessions else ""

    @property
    def groups(self) -> tuple[str, ...]:
        """The session of each clip, or its recording where that is unknown: what folds and permutations may not part.

        Sessions that share a recording are one. Without sessions: ``counted``.
        """
        return grouped(self.counted, self.sessions) if self.sessions else self.counted

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """The recording of each clip as it is counted (``counting``): those ``in_question`` as one."""
        return counted(self.recordings, self.in_question)

    @property
    def listened(self) -> bool:
        """Whether every clip was heard for ``asked``."""
        return self.heard.knows(clip.sha256 for clip in self.clips)

    @cached_property
    def asked(self) -> tuple[tuple[int, ...], ...]:
        """Rows that may be of one performance by their sound, group by group: "are these from one performance?"."""
        return self.heard.groups([clip.sha256 for clip in self.clips], self.recordings)

    @cached_property
    def in_question(self) -> tuple[tuple[int, ...], ...]:
        """Rows that are counted as one recording until somebody says of which they are, group by group (``counting``)."""
        return in_question(self.asked, self.by_name.pieces, self._all_given)

    @cached_property
    def by_name(self) -> ByName:
        """What the files' names say of the recordings that nobody has said, with rows of this set."""
        tags = [self.tags_of(row) for row in range(len(self))]
        return said_by_names([clip.name for clip in self.clips], tags, files_of(self.clips), self._all_given)

    @property
    def _all_given(self) -> tuple[bool, ...]:
        return self.given or (True,) * len(self)

    def counts(self) -> dict[str, TagCount]:
        """For each tag, in order: how many clips carry it and from how many recordings they come."""
        return {
            tag: TagCount(
                int(self.labels[:, column].sum()),
                len({self.counted[row] for row in np.flatnonzero(self.labels[:, column])}),
            )
            for column, tag in enumerate(self.tags)
        }

    def warnings(self) -> tuple[Sentence, ...]:
        """What stands in the way of a sure answer: tags from too few recordings, on every clip, or missing."""
        found = []
        for tag, count in self.counts().items():
            if count.recordings < FEWEST_RECORDINGS:
                found.append(
                    Sentence(
                        "Too few recordings have {tag} ({recordings}); with fewer than {fewest} nobody can say "
                        "whether it is heard. Add recordings.",
                        "clips.few_recordings",
                        {"tag": tag, "recordings": count.recordings, "fewest": FEWEST_RECORDINGS},
                    )
                )
            if count.clips == len(self) > 1:
                found.append(
                    Sentence(
                        "{tag} is on every clip. Add clips without it, or it cannot be told apart.",
                        "clips.on_every_clip",
                        {"tag": tag},
                    )
                )
        if self.in_question:
            found.append(unanswered(self))
        untagged = int((self.labels.sum(axis=1) == 0).sum()) if len(self) else 0
        if untagged:
            found.append(
                Sentence(
                    "Clips without a tag: {count}. They count as 'none of these'.",
                    "clips.without_tag",
                    {"count": untagged},
                )
            )
        return tuple(found)

    # ---- editing ----------------------------------------------------------------------------------------

    def add(self, other: LabelledClips) -> LabelledClips:
        """Both together, within this one's limits. ``problems``: those of ``other``, and what was merged or left out."""
        gathering = self._gathered(range(len(self)), named=False)
        gathering.problems.extend(p for p in other.problems if p.code != "clips.grouped_by_name")
        for row, clip in enumerate(other.clips):
            gathering.take(clip, other.tags_of(row), other._said(row), other.session_of(row))
        return self._of(gathering)._hearing(self.heard | other.heard)

    def label_by(
        self, sheet: bytes, name: str, longs: Sequence[tuple[str, LongRecording]] = ()
    ) -> LabelledClips:
        """With what a sheet or annotation file says of the clips that are there, found by their names.

        longs: long recordings that are at hand too, each after the name of the recording that its clips are to be of

        Its tags are added to theirs; its recordings and sessions take the place of theirs; segments cut a clip into pieces,
        and clips out of a long recording. ``problems``: rows that name neither. Raises ``ClipsError`` if the sheet cannot be
        used.
        """
        known = [clip.name for clip in self.clips] + [one.name for _, one in longs]
        # a sheet in another encoding is likely to have these words, too
        known += [*self.tags, *self.recordings]
        read = read_labels(sheet, name, self.limits, known)
        gathering = Gathering(self.limits)
        gathering.problems.extend(notes_on(read, name))
        finder = Finder([PurePosixPath(clip.name) for clip in self.clips])
        of: dict[int, list[Row]] = {}
        of_long: dict[int, list[Row]] = {}
        for row in read.rows:
            try:
                spans_of([row], self.limits)
                long = _long_named(row.file, longs)
                if long is None:
                    of.setdefault(finder.find(row.file), []).append(row)
                elif row.start is not None:
                    of_long.setdefault(long, []).append(row)
                else:
                    gathering._note(_needs_times(longs[long][1].name))
            except ClipsError as error:
                gathering.problems.append(error.sentence)
        for at, clip in enumerate(self.clips):
            said = of.get(at, [])
            recording = next((row.recording for row in said if row.recording), self._said(at))
            session = next((row.session for row in said if row.session), self.session_of(at))
            if any(row.start is not None for row in said):
                own = [(0.0, clip.seconds, self.tags_of(at))] if self.tags_of(at) else []
                gathering.take_pieces(clip, own + spans_of(said, self.limits), recording, session, said)
            else:
                tags = [tag for _, _, tags in spans_of(said, self.limits) for tag in tags]
                gathering.take(clip, [*self.tags_of(at), *tags], recording, session)
        for long, said in of_long.items():
            usual, sound = longs[long]
            recording = next((row.recording for row in said if row.recording), usual)
            session = next((row.session for row in said if row.session), "")
            gathering.take_pieces(sound, spans_of(said, self.limits), recording, session, said)
        return self._of(gathering)._hearing(self.heard)

    def hear(self, heard: Heard) -> None:
        """Take what listening to these clips (and others) has found: it is the sound's, no edit, so these stay the same."""
        object.__setattr__(self, "heard", (self.heard | heard).only(clip.sha256 for clip in self.clips))
        for known in ("asked", "in_question", "counted"):
            self.__dict__.pop(known, None)

    def _hearing(self, heard: Heard) -> LabelledClips:
        self.hear(heard)
        return self

    def say_different(self, rows: Iterable[int]) -> LabelledClips:
        """With the word that these clips are not of one recording, though they sound so."""
        return replace(
            self, heard=self.heard.say_different(self.clips[self._checked(row)].sha256 for row in rows)
        )

    def respelt(self, was: str, now: str) -> LabelledClips:
        """With tags, recordings and sessions that were read in one encoding read in another, where they can be."""

        def again(text: str) -> str:
            return text if text.isascii() else reread(text, was, now) or text

        return replace(
            self._relabelled({row: [again(tag) for tag in self.tags_of(row)] for row in range(len(self))}),
            clips=tuple(replace(clip, name=again(clip.name)) for clip in self.clips),
            recordings=tuple(again(name) for name in self.recordings),
            sessions=tuple(again(name) for name in self.sessions),
        )

    def as_sheet(self) -> bytes:
        """A CSV sheet of these clips with their tags, recordings and sessions, as ``from_csv`` and ``label_by`` read it."""
        named = Counter(clip.name for clip in self.clips)
        return write_sheet(
            Row(
                clip.name,
                written_tags(self.tags_of(at)),
                self.recordings[at],
                self.session_of(at),
                *_place(clip, named[clip.name] > 1),
            )
            for at, clip in enumerate(self.clips)
        )

    def remove(self, indices: Iterable[int]) -> LabelledClips:
        """Without the clips at these indices. Raises ``ClipsError`` for an index out of range."""
        gone = {self._checked(index) for index in indices}
        return self._kept([row for row in range(len(self)) if row not in gone])

    def relabel(self, index: int, tags: str | Iterable[str]) -> LabelledClips:
        """With these tags (as in ``from_files``) on one clip instead of its own; none make it a negative.

        Raises ``ClipsError`` for a tag that cannot be used or an index out of range.
        """
        self._checked(index)
        wanted = typed_tags(tags, self.limits) if isinstance(tags, str) else clean_tags(tags, self.limits)
        return self._relabelled({index: wanted})

    def exchange(self, index: int, clip: Clip) -> LabelledClips:
        """With another sound in the place of one clip, whose tags, recording and session stay.

        Raises ``ClipsError`` if that sound is here already or there is no room for it, or for an index out of range.
        """
        self._checked(index)
        others = [one for row, one in enumerate(self.clips) if row != index]
        if any(one.sha256 == clip.sha256 for one in others):
            raise ClipsError(
                "This sound is among the clips already. Nothing was changed.", code="clips.sound_is_here"
            )
        if sum(one.seconds for one in others) + clip.seconds > self.limits.max_seconds:
            raise ClipsError(
                "There is no room for {name} beside the other clips. Remove some first.",
                code="clips.no_room",
                name=clip.name,
            )
        clips = (*self.clips[:index], clip, *self.clips[index + 1 :])
        return replace(self, clips=clips, problems=())

    def tag(self, indices: Iterable[int], tags: str | Iterable[str]) -> LabelledClips:
        """With these tags on each of these clips, beside its own. Raises ``ClipsError`` as ``relabel`` does."""
        more = typed_tags(tags, self.limits) if isinstance(tags, str) else clean_tags(tags, self.limits)
        rows = [self._checked(index) for index in indices]
        return self._relabelled({row: clean_tags([*self.tags_of(row), *more], self.limits) for row in rows})

    def rename_tag(self, old: str, new: str) -> LabelledClips:
        """With one tag spelt otherwise; a new name that another tag has makes them one.

        Raises ``ClipsError`` for an unknown tag or a new name that is blank or cannot be used.
        """
        old = self._known(old)
        cleaned = clean_tags([new], self.limits)
        if not cleaned:
            raise ClipsError(
                "A tag needs a name. Type one, or remove the tag instead.", code="clips.blank_tag"
            )
        # An equal tag takes the new spelling too: drop its column, so that the first spelling seen is the new one.
        replaced = {same(old), same(cleaned[0])}
        return self._relabelled(
            {
                row: [cleaned[0] if same(tag) in replaced else tag for tag in self.tags_of(row)]
                for row in range(len(self))
            }
        )

    def set_recording(self, index: int | Iterable[int], recording: str) -> LabelledClips:
        """With one clip or several in this recording. Raises ``ClipsError`` for a blank or overlong name."""
        rows = [index] if isinstance(index, int) else list(index)
        recording = clean_recording(recording, self.limits)
        return self._recorded({self._checked(row): recording for row in rows})

    def part(self, indices: Iterable[int]) -> LabelledClips:
        """With each of these clips as a recording of its own, named by its file (and its place, where names are equal)."""
        names: dict[int, str] = {}
        rows = [self._checked(row) for row in indices]
        taken = {name for row, name in enumerate(self.recordings) if row not in set(rows)}
        for row in rows:
            stem = default_recording(self.clips[row].name)[: self.limits.max_recording_length - 6] or "clip"
            name, number = stem, 2
            while name in taken:
                name, number = f"{stem} ({number})", number + 1
            taken.add(name)
            names[row] = name
        return self._recorded(names)

    def set_session(self, index: int | Iterable[int], session: str) -> LabelledClips:
        """With one clip or several, and all others of their recordings, in this session; a blank one takes it away.

        Raises ``ClipsError`` for an overlong name.
        """
        rows = [index] if isinstance(index, int) else list(index)
        session = clean_recording(session, self.limits) if clean_text(session) else ""
        whole = {self.recordings[self._checked(row)] for row in rows}
        sessions = tuple(
            session if recording in whole else self.session_of(row)
            for row, recording in enumerate(self.recordings)
        )
        return replace(self, sessions=sessions if any(sessions) else (), problems=())

    def _recorded(self, names: Mapping[int, str]) -> LabelledClips:
        recordings = tuple(names.get(row, recording) for row, recording in enumerate(self.recordings))
        given = tuple(row in names or self._is_given(row) for row in range(len(self)))
        return replace(self, recordings=recordings, given=given, problems=())

    def _relabelled(self, tags_of: Mapping[int, Iterable[str]]) -> LabelledClips:
        gathering = Gathering(self.limits)
        for row, clip in enumerate(self.clips):
            tags = tags_of.get(row, self.tags_of(row))
            gathering.take(clip, tags, self.recordings[row], self.session_of(row))
        if len(gathering.clips) < len(self):  # the one way to lose a clip here is one tag too many
            raise ClipsError(
                "A set holds at most {max_tags} different tags. Use one that is there.",
                code="clips.too_many_tags",
                max_tags=self.limits.max_tags,
            )
        return replace(self._of(gathering), given=self.given, heard=self.heard)

    def _kept(self, rows: Sequence[int]) -> LabelledClips:
        """The clips of these rows with the recordings that they have."""
        kept = replace(self._of(self._gathered(rows)), given=tuple(self._is_given(row) for row in rows))
        return kept._hearing(self.heard)

    def _gathered(self, rows: Iterable[int], named: bool = True) -> Gathering:
        """Clips to begin with. named: recordings that nobody has said are kept too"""
        gathering = Gathering(self.limits)
        for row in rows:
            recording = self.recordings[row] if named else self._said(row)
            gathering.take(self.clips[row], self.tags_of(row), recording, self.session_of(row))
        return gathering

    def _is_given(self, row: int) -> bool:
        return not self.given or self.given[row]

    def _said(self, row: int) -> str | None:
        """A clip's recording, None where nobody has said it."""
        return self.recordings[row] if self._is_given(row) else None

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise ClipsError(
                "There is no clip number {number}; there are {count}. Choose one of them.",
                code="clips.no_such_clip",
                number=index + 1,
                count=len(self),
            )
        return index

    def _known(self, tag: str) -> str:
        """The tag as it is spelt here."""
        for known in self.tags:
            if same(known) == same(tag):
                return known
        raise ClipsError(
            "There is no tag {tag}. Choose one that is there.", code="clips.unknown_tag", tag=tag[:80]
        )


def unanswered(clips: LabelledClips) -> Sentence:
    """What is to be said wherever a word rests on recordings of which nobody has said whether they are one."""
    return Sentence(
        "Nobody has said whether {clips} of the clips are from different performances: they sound as if cut from one, or "
        "their names call them parts without saying of what. Until that is said, those that may be from one count as one "
        "recording ({counted} instead of {recordings}). Say which recording each is from.",
        "clips.in_question",
        {
            "clips": len({row for rows in clips.in_question for row in rows}),
            "counted": len(set(clips.counted)),
            "recordings": len(set(clips.recordings)),
        },
    )


def _place(clip: Clip, one_of_several: bool) -> tuple[float, float] | tuple[None, None]:
    """Where a clip lies in its file, if it is a piece of one."""
    if not clip.start_seconds and not one_of_several:
        return None, None
    return round(clip.start_seconds, 6), round(clip.start_seconds + clip.seconds, 6)


def _long_named(named: str, longs: Sequence[tuple[str, LongRecording]]) -> int | None:
    """The place of the long recording that a sheet means, by the name of its file; None if none of them."""
    if not longs:
        return None
    try:
        return Finder([PurePosixPath(one.name) for _, one in longs]).find(named)
    except ClipsError:
        return None


def _needs_times(name: str) -> Sentence:
    return Sentence(
        "{name} is too long for one clip. Say from when to when each tag holds, in the columns start and end, or mark "
        "spans in its waveform.",
        "clips.needs_times",
        {"name": name},
    )


def default_recording(name: str) -> str:
    """What a file's own recording is called: the stem of its name."""
    return stem_of(name)


def _entry(path: PurePosixPath, content: str | Path | bytes) -> Entry:
    content = content if isinstance(content, bytes) else Path(content)
    return Entry(path, len(content) if isinstance(content, bytes) else 0, lambda: content)
