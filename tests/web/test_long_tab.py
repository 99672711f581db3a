"""Long recordings on the page: opened instead of refused, spans of them clips of one recording, gone with their visitor."""

from __future__ import annotations

import gc
import io
import itertools
import json
import secrets
import weakref
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from sound_files import ENCODERS
from starlette.applications import Starlette
from starlette.testclient import TestClient
from waiting import until

from mirdemo.base.sentences import Cancelled
from mirdemo.clips import LabelledClips
from mirdemo.clips.tags import typed_tags
from mirdemo.clips.visit import read_visit, write_visit
from mirdemo.embedding import pace
from mirdemo.embedding.pace import Pace
from mirdemo.sound.audio import LIMITS as SOUND
from mirdemo.sound.audio import Clip
from mirdemo.sound.long import long_of
from mirdemo.web import models
from mirdemo.web.frame import spools
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.spools import Spools
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.clips import long_routes, parting, tab
from mirdemo.web.tabs.clips.desk import ClipsDesk
from mirdemo.web.tabs.clips.long import Expected, Growth, LongDesk, LongTab
from mirdemo.web.tabs.clips.parting import part_long
from mirdemo.web.tabs.clips.reading import read_drop
from mirdemo.web.tabs.clips.visits import VisitDesk

RATE = 8_000
TWO_MINUTES = (np.random.default_rng(2).normal(size=120 * RATE) * 0.1).astype(np.float32)


def quiet(*step) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def sent(folder: Path, name: str, content: bytes) -> Upload:
    place = folder / secrets.token_hex(16) / secrets.token_hex(32)
    place.mkdir(parents=True)
    (place / name.split("/")[-1]).write_bytes(content)
    return Upload.of({"path": str(place / name.split("/")[-1]), "name": name})


def wav(minutes: float, rate: int = 4_000) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(7).integers(90, 160, round(minutes * 60 * rate)).astype(np.uint8)
    soundfile.write(out, (noise.astype(np.float32) - 128) / 128, rate, format="WAV", subtype="PCM_U8")
    return out.getvalue()


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that a test opens is 1."""
    monkeypatch.setattr("mirdemo.web.tabs.clips.long._numbers", itertools.count(1))


@pytest.fixture
def here():
    """A visitor with one long recording open, and the page's acts."""
    visitors, jobs = Visitors(), Jobs()
    wire, visitor = Wire(visitors, jobs), visitors.arrive(None, "page")
    tab.build(wire)
    opened = visitor.desk(LongDesk).add(long_of(Clip.of(TWO_MINUTES, RATE, "procession.mp4")))
    wire._handlers["clips.add"]  # the tab is there

    def act(name: str, **said) -> None:
        wire._handlers[name](visitor, Act({"act": name, **said}))

    return visitor, opened, act, visitors


# ---- opening ------------------------------------------------------------------------------------------------


def test_what_is_longer_than_a_clip_opens_and_leaves_nothing_in_the_upload_folder(folder: Path):
    assert SOUND.max_seconds == 1_800
    long, short = sent(folder, "evening.wav", wav(31)), sent(folder, "a.wav", wav(0.1))
    read, parted = read_drop([long, short], "", CLIP_LIMITS.max_seconds, 3, quiet)
    assert [one.name for one in parted.long] == ["evening.wav"]
    assert [clip.name for clip in read.clips] == ["a.wav"]
    assert parted.long[0].seconds == 31 * 60
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert spools.SPOOLS.bytes() >= 4 * 31 * 60 * 4_000


def growing(folder: Path, at_seconds: float, then, name="evening.wav", content: bytes | None = None, more=()):
    """A visitor, the end of a drop of a file and ``more``, and what ``then`` gave, done until it gives something when so
    much is there."""
    visitors, jobs = Visitors(), Jobs()
    wire, visitor = Wire(visitors, jobs), visitors.arrive(None, "page")
    tab.build(wire)
    done: list[object] = []

    def act(name: str, **said) -> None:
        wire._handlers[name](visitor, Act({"act": name, **said}))

    def step(now: int, total: int, phase: str) -> None:
        desk = visitor.desk(LongDesk)
        for one in list(desk.open.values()):
            if not done and not one.sound.whole and one.sound.seconds >= at_seconds:
                done.extend(filter(None, [then(act, desk)]))

    def start(visitor, name, work, take, **_):
        if name.startswith("clips-"):
            take(work(step))

    wire.start = start
    upload = sent(folder, name, content or wav(31))
    files = [{"path": str(one._path), "name": one.name} for one in (upload, *more)]
    return visitor, lambda: act("clips.add", files=files, tags=""), done


def test_a_span_of_what_is_there_is_marked_while_the_rest_is_read_and_learns_what_the_file_lacks(
    folder: Path, here
):
    shown = []

    def mark(act, desk):
        (id,) = desk.open
        act("long.span", long=id, start=10.0, end=12.0, value="taiko")
        act("long.cut", long=id, how="even", length="60", start="", end="")
        with pytest.raises(PageError, match="from 0"):
            act("long.span", long=id, start=1_800.0, end=1_802.0, value="taiko")
        with pytest.raises(PageError, match="not on offer"):
            act("long.close", long=id)
        with pytest.raises(PageError, match="still being opened"):
            act("clips.add", files=[{"path": str(sheet._path), "name": "labels.csv"}], tags="")
        shown.append((desk.open[id].sound.seconds, desk.open[id].sound.seconds_in_all))
        return id

    sheet = sent(folder, "labels.csv", b"file,tags")
    whole = wav(31)
    visitor, drop, done = growing(folder, 600.0, mark, content=whole[: len(whole) * 30 // 31 + 60])
    drop()
    ((there, in_all),) = shown
    assert 600 <= there < 700
    assert in_all > 1_800, "the page draws it as long as it will be"
    ((id, one),) = visitor.desk(LongDesk).open.items()
    assert [id] == done, "what grew is what is open"
    assert one.sound.whole
    assert len(one.pieces) in (10, 11)
    (clip,) = visitor.clips.clips
    assert visitor.clips.tags_of(0) == ("taiko",)
    assert [warning.code for warning in clip.warnings] == ["audio.cut_short"]
    assert clip.warnings == one.sound.warnings


def test_what_grew_and_is_not_read_to_its_end_goes_and_its_clips_stay(folder: Path, here):
    def stop(act, desk):
        (id,) = desk.open
        act("long.span", long=id, start=10.0, end=12.0, value="taiko")
        raise Cancelled

    visitor, drop, _ = growing(folder, 600.0, stop)
    with pytest.raises(Cancelled):
        drop()
    assert visitor.desk(LongDesk).open == {}
    assert len(visitor.clips) == 1
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_is_closed_while_the_next_of_its_drop_is_read_stays_closed(folder: Path, here):
    def close(act, desk):
        if len(desk.open) == 2:
            first, _ = desk.open
            act("long.close", long=first)
            return first

    visitor, drop, done = growing(folder, 60.0, close, more=[sent(folder, "night.wav", wav(31))])
    drop()
    assert done
    assert [one.sound.name for one in visitor.desk(LongDesk).open.values()] == ["night.wav"]


def test_what_breaks_off_makes_place_for_the_next_which_has_its_own_name(folder: Path, here):
    tried = []

    def stop(act, desk):
        ((one),) = desk.open.values()
        tried.append((one.sound.name, one.recording))
        if len(tried) == 1:
            raise PageError("There is no room.", code="page.no_room_for_long")
        return True

    visitor, drop, _ = growing(folder, 60.0, stop, more=[sent(folder, "night.wav", wav(31))])
    drop()
    assert tried == [("evening.wav", "evening"), ("night.wav", "night")]
    assert [one.recording for one in visitor.desk(LongDesk).open.values()] == ["night"]
    assert [one.code for one in visitor.desk(ClipsDesk).problems] == ["page.no_room_for_long"]


def test_what_says_that_it_is_long_and_is_not_becomes_a_clip_and_no_waveform(
    folder: Path, here, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mirdemo.sound.decoding.announced_seconds", lambda source: 1_900.0)
    monkeypatch.setattr("mirdemo.sound.long.LongRecording.seconds_in_all", 1_900.0)
    visitor, drop, done = growing(folder, 20.0, lambda act, desk: True, content=wav(1))
    drop()
    assert done, "it was shown"
    assert (visitor.desk(LongDesk).open, [clip.seconds for clip in visitor.clips.clips]) == ({}, [60.0])


def test_a_short_file_is_never_shown_as_a_waveform(folder: Path, here):
    visitor, drop, done = growing(folder, 0.0, lambda act, desk: True, "a.wav", wav(1))
    drop()
    assert (done, visitor.desk(LongDesk).open, len(visitor.clips)) == ([], {}, 1)


def test_who_looks_through_what_is_open_is_not_disturbed_when_another_opens():
    desk = LongDesk()
    desk.add(SimpleNamespace(name="one.wav"))
    looking = iter(desk.open.values())
    desk.add(SimpleNamespace(name="two.wav"))
    assert [one.sound.name for one in looking] == ["one.wav"]
    assert [one.sound.name for one in desk.open.values()] == ["one.wav", "two.wav"]


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return out.getvalue()


def test_a_long_recording_within_a_zip_is_opened_and_its_sheet_is_about_all(folder: Path, here):
    sheet = b"file,start,end,label\nfest/evening.wav,60,62,taiko\nfest/a.wav,0,2,kane\n"
    packed = zipped(fest__evening_wav=wav(31), fest__a_wav=wav(0.1), fest__labels_csv=sheet)
    visitor, drop, done = growing(folder, 600.0, lambda act, desk: True, "set.zip", packed)
    drop()
    assert done == [True], "it is seen while it grows"
    ((one),) = visitor.desk(LongDesk).open.values()
    assert (one.sound.name, one.sound.seconds) == ("evening.wav", 31 * 60)
    found = {
        (clip.name, clip.start_seconds): visitor.clips.tags_of(i)
        for i, clip in enumerate(visitor.clips.clips)
    }
    assert found[("evening.wav", 60.0)] == ("taiko",)
    assert found[("a.wav", 0.0)] == ("kane",)
    assert visitor.desk(ClipsDesk).problems == ()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_one_name_in_several_folders_of_a_zip_all_stay_beside_a_long_recording(folder: Path, here):
    sheet = b"file,label\nevening.wav,x\n"
    packed = zipped(evening_wav=wav(31), a__one_wav=wav(0.1), b__one_wav=wav(0.2), labels_csv=sheet)
    visitor, drop, _ = growing(folder, 600.0, lambda act, desk: True, "set.zip", packed)
    drop()
    found = [
        (clip.name, round(clip.seconds), visitor.clips.tags_of(i))
        for i, clip in enumerate(visitor.clips.clips)
    ]
    assert sorted(one for one in found if one[0] == "one.wav") == [("one.wav", 6, ()), ("one.wav", 12, ())]


@pytest.mark.parametrize("packed", [True, False], ids=["in a zip", "in a folder"])
@pytest.mark.parametrize(
    ("long", "tags", "short"),
    [
        ("flute/evening.wav", ("flute",), {"drums/a.wav": ("drums",)}),
        ("flute/evening.wav", ("flute",), {"drums/slow/a.wav": ("drums", "slow")}),
        (
            "fest/flute/evening.wav",
            ("flute",),
            {"fest/drums/slow/a.wav": ("drums", "slow"), "fest/b.wav": ()},
        ),
        ("fest/flute/evening.wav", ("flute",), {"fest/a.wav": ()}),
        (
            "fest/evening.wav",
            (),
            {"fest/flute/a.wav": ("flute",), "fest/flute/slow/b.wav": ("flute", "slow")},
        ),
        ("flute/slow/evening.wav", ("slow",), {}),
    ],
)
def test_a_long_recording_and_what_stays_beside_it_have_the_tags_of_their_folders(
    folder: Path, here, packed: bool, long: str, tags: tuple[str, ...], short: dict[str, tuple[str, ...]]
):
    files = {long: wav(2), **{name: wav(0.1 + 0.01 * at) for at, name in enumerate(short)}}
    if packed:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        drop = [sent(folder, "set.zip", made.getvalue())]
    else:
        drop = [sent(folder, name, content) for name, content in files.items()]
    visitor = here[0]
    read, parted = read_drop(drop, "night", 30.0, 3, quiet, Growth(visitor, "night"))
    (one,) = [one for one in visitor.desk(LongDesk).open.values() if one.sound in parted.long]
    assert typed_tags(one.typed) == ("night", *tags)
    found = {} if read is None else {clip.name: set(read.tags_of(i)) for i, clip in enumerate(read.clips)}
    assert found == {PurePosixPath(name).name: {"night", *own} for name, own in short.items()}
    assert parted.problems == ()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_sheet_that_labels_nothing_leaves_the_folders_their_say_beside_a_long_recording(folder: Path, here):
    visitor = here[0]
    for sheet, code in (("notes.txt", "clips.not_sound"), ("budget.csv", "clips.sheet_header")):
        files = {"drums/a.wav": wav(0.1), "flute/evening.wav": wav(2), sheet: b"stage,costs\nnorth,3\n"}
        drops = [[sent(folder, name, content) for name, content in files.items()]]
        drops.append([sent(folder, "set.zip", zipped(**{n.replace("/", "__"): c for n, c in files.items()}))])
        for drop in drops:
            read, parted = read_drop(drop, "", 30.0, 3, quiet, Growth(visitor, ""))
            assert [read.tags_of(0)] == [("drums",)]
            assert [one.code for one in read.problems] == [code]
            assert visitor.desk(LongDesk).opened(parted.long[0]).typed == "flute"
            visitor.desk(LongDesk).drop(parted.long[0])


def test_annotations_of_a_long_recording_leave_the_others_the_tags_of_their_folders(folder: Path, here):
    visitor = here[0]
    files = {"drums/a.wav": wav(0.1), "flute/evening.wav": wav(2), "flute/evening.txt": b"1\t9\tsolo\n"}
    drops = [[sent(folder, name, content) for name, content in files.items()]]
    drops.append([sent(folder, "set.zip", zipped(**{n.replace("/", "__"): c for n, c in files.items()}))])
    for drop in drops:
        read, parted = read_drop(drop, "", 30.0, 3, quiet, Growth(visitor, ""))
        assert [read.tags_of(0)] == [("drums",)]
        assert [name for name, _ in parted.sheets] == ["evening.txt"]
        assert visitor.desk(LongDesk).opened(parted.long[0]).typed == ""
        visitor.desk(LongDesk).drop(parted.long[0])


def test_what_lies_beside_a_long_recording_alone_is_named_and_no_sheet_is_missed(folder: Path):
    for more, codes in (
        ({"notes.txt": b"on Sunday"}, []),
        ({"cover.jpg": b"\xff\xd8\xff\xe0"}, ["clips.not_sound"]),
        ({"budget.csv": b"stage,costs\nnorth,3\n"}, ["clips.sheet_header"]),
    ):
        files = {"evening.wav": wav(2), **more}
        for packed in (False, True):
            loose = {"set.zip": zipped(**files)} if packed else files
            drop = [sent(folder, name, content) for name, content in loose.items()]
            read, parted = read_drop(drop, "", 30.0, 3, quiet)
            assert (read, [one.code for one in parted.problems]) == (None, codes)
            assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_stays_of_a_zip_is_no_larger_than_it_was_and_is_gone_where_the_drop_is_cancelled(folder: Path):
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(60 * RATE), RATE, format="WAV")
    packed = zipped(evening_wav=wav(31), a_wav=silence.getvalue())
    # of another size than what the zip holds, else it stops before anything is packed again
    first, second = sent(folder, "set.zip", packed), sent(folder, "night.wav", wav(32))
    (rest,) = part_long([first], 1_800.0, 3, quiet).rest
    assert rest.path.stat().st_size < len(silence.getvalue()) / 10
    rest.delete()
    first = sent(folder, "set.zip", packed)

    def stop(now: int, total: int, phase: str) -> None:
        if total == second.path.stat().st_size:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_drop([first, second], "", 1_800.0, 3, stop)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_zip_is_not_unpacked_onto_a_disk_that_has_no_room_and_stops_between_two_of_its_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    upload = sent(folder, "set.zip", zipped(a_wav=wav(1), b_wav=wav(1), evening_wav=wav(31)))
    steps = []

    def stop(now: int, total: int, phase: str) -> None:
        steps.append((now, total))
        if len(steps) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        part_long([upload], 1_800.0, 3, stop)
    assert steps == [(0, 3), (1, 3)]
    monkeypatch.setattr(spools.SPOOLS, "_reserve", 2**60)
    parted = part_long([upload], 1_800.0, 3, quiet)
    assert (parted.long, parted.rest) == ((), (upload,))
    assert [(one.code, one.values["name"]) for one in parted.problems] == [
        ("page.no_room_for_long", "evening.wav")
    ]


def test_a_disk_that_fills_while_a_zip_is_unpacked_is_no_damage_of_the_zip(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    class Full(io.BytesIO):
        def write(self, block) -> int:
            raise OSError(28, "No space left on device")

    plain = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *a, **mode: Full() if path.name == "within" else plain(path, *a, **mode)
    )
    drop = sent(folder, "set.zip", zipped(fest__evening_wav=wav(2)))
    parted = part_long([drop], 30.0, 3, quiet)
    assert [(one.code, one.values["name"]) for one in parted.problems] == [("audio.no_disk", "evening.wav")]


def test_a_workbook_is_no_zip_of_sounds(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mirdemo.web.tabs.clips.parting.open_within", None)
    book = sent(folder, "labels.xlsx", zipped(sheet_xml=b"x"))
    assert part_long([book], 1_800.0, 3, quiet).rest == (book,)


def test_of_a_zip_without_a_long_recording_nothing_changes(folder: Path):
    packed = zipped(taiko__a_wav=wav(0.1), taiko__b_wav=wav(0.2), letter_txt=b"x" * 400_000)
    upload = sent(folder, "set.zip", packed)
    parted = part_long([upload], CLIP_LIMITS.max_seconds, 3, quiet)
    assert (parted.long, parted.rest) == ((), (upload,))
    assert upload.read() == packed


def test_a_clip_in_a_zip_is_unpacked_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """How long it is stands in its first bytes; only what does not say so there is unpacked to be looked at."""
    looked_at = []

    @contextmanager
    def saved(entry, saved=parting._saved):
        looked_at.append(entry.path.name)
        with saved(entry) as upload:
            yield upload

    monkeypatch.setattr(parting, "_saved", saved)
    rate, noise = 44_100, np.random.default_rng(0).normal(0, 0.1, (10 * 44_100, 1)).astype(np.float32)
    kinds = {"a_wav": "wav", "b_aiff": "aiff", "c_mp3": "mp3 cbr", "d_m4a": "m4a aac"}
    sounds = {
        name: ENCODERS[kind](noise if kind != "m4a aac" else np.tile(noise, (4, 1)), rate)
        for name, kind in kinds.items()
    }
    assert all(len(content) > 200_000 for name, content in sounds.items() if name != "c_mp3")
    upload = sent(folder, "set.zip", zipped(**sounds, evening_wav=wav(31)))
    monkeypatch.setattr(parting, "FEWEST_BYTES", 1)
    parted = part_long([upload], 1_800.0, 3, quiet)
    assert [one.name for one in parted.long] == ["evening.wav"]
    assert sorted(looked_at) == ["d.m4a", "evening.wav"]
    assert len(LabelledClips.from_zip(parted.rest[0].path)) == 3, "two are the same sound"


def test_a_zip_of_nothing_but_a_long_recording_leaves_nothing_to_read(folder: Path):
    parted = part_long([sent(folder, "set.zip", zipped(evening_wav=wav(31)))], 1_800.0, 3, quiet)
    assert ([one.name for one in parted.long], parted.rest) == (["evening.wav"], ())
    full = part_long([sent(folder, "set.zip", zipped(evening_wav=wav(31)))], 1_800.0, 0, quiet)
    assert ([one.code for one in full.problems], full.rest) == (["page.enough_long"], ())
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_the_visit_has_no_room_for_opens_too_but_not_a_short_piece(folder: Path):
    minute, two = sent(folder, "minute.wav", wav(0.9)), sent(folder, "two.wav", wav(2))
    parted = part_long([minute, two], 30.0, 3, quiet)
    assert [one.name for one in parted.long] == ["two.wav"]
    assert [one.name for one in parted.rest] == ["minute.wav"]


def test_one_too_many_is_refused_before_it_is_decoded(folder: Path, monkeypatch):
    first, second = sent(folder, "one.wav", wav(2)), sent(folder, "two.wav", wav(2))
    parted = part_long([first, second, sent(folder, "a.wav", wav(0.1))], 30.0, 1, quiet)
    assert ([one.name for one in parted.long], [one.name for one in parted.rest]) == (["one.wav"], ["a.wav"])
    assert [problem.code for problem in parted.problems] == ["page.enough_long"]
    monkeypatch.setattr("mirdemo.sound.long.open_long", None)
    with pytest.raises(PageError, match="Close one first"):
        part_long([second], 30.0, 0, quiet)


def test_a_film_or_a_stream_that_does_not_say_its_length_is_looked_at(folder: Path, monkeypatch):
    monkeypatch.setattr("mirdemo.web.tabs.clips.parting.SURELY_SHORT", 1_000)
    monkeypatch.setattr("mirdemo.sound.decoding.announced_seconds", lambda source: None)
    short, long = sent(folder, "a.wav", wav(0.2)), sent(folder, "b.wav", wav(2))
    parted = part_long([short, long], 30.0, 3, quiet)
    assert [one.name for one in parted.long] == ["b.wav"]
    assert [one.name for one in parted.rest] == ["a.wav"]
    assert len(parted.rest[0].read()) == len(wav(0.2)), "what is no long recording can still be read"


def test_what_is_no_sound_goes_on_to_who_refuses_it(folder: Path):
    zipped, letter = sent(folder, "a.zip", b"PK\x03\x04" + bytes(50)), sent(folder, "a.mp3", b"a letter")
    parted = part_long([zipped, letter], 1_800.0, 3, quiet)
    assert (parted.long, len(parted.rest)) == ((), 2)


def test_a_recording_alone_that_cannot_be_opened_is_refused_and_among_others_noted(folder: Path, monkeypatch):
    monkeypatch.setattr(spools, "SPOOLS", Spools(most=1_000))
    monkeypatch.setattr("mirdemo.web.tabs.clips.parting.SPOOLS", spools.SPOOLS)
    with pytest.raises(PageError) as refused:
        read_drop([sent(folder, "b.wav", wav(2))], "", 30.0, 3, quiet)
    assert refused.value.sentence.code == "page.no_room_for_long"
    read, parted = read_drop(
        [sent(folder, "b.wav", wav(2)), sent(folder, "a.wav", wav(0.1))], "", 30.0, 3, quiet
    )
    assert [problem.code for problem in parted.problems] == ["page.no_room_for_long"]
    assert len(read.clips) == 1
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert spools.SPOOLS.bytes() == 0, "what could not be opened holds nothing"


def test_what_of_a_drop_cannot_be_opened_is_told_though_nothing_else_is_long(folder: Path, monkeypatch):
    monkeypatch.setattr("mirdemo.web.tabs.clips.parting.SPOOLS", Spools(most=1_000))
    visitors, jobs = Visitors(), Jobs()
    wire, visitor = Wire(visitors, jobs), visitors.arrive(None, "page")
    tab.build(wire)
    monkeypatch.setattr(
        wire, "start", lambda visitor, name, work, take, **_: take(work(quiet)) if name == "clips-1" else None
    )
    dropped = sent(folder, "b.wav", wav(31)), sent(folder, "a.wav", wav(0.1))
    files = [{"path": str(one.path), "name": one.name} for one in dropped]
    wire._handlers["clips.add"](visitor, Act({"act": "clips.add", "files": files, "tags": ""}))
    assert [clip.name for clip in visitor.clips.clips] == ["a.wav"]
    assert visitor.notice.sentence.code == "page.no_room_for_long"
    assert "page.no_room_for_long" in [one.code for one in visitor.desk(ClipsDesk).problems]


def test_no_more_than_a_few_are_open_and_namesakes_are_two_recordings():
    desk = LongDesk()
    clip = Clip.of(TWO_MINUTES[:RATE], RATE, "evening.wav")
    names = [desk.add(long_of(clip)).recording for _ in range(LIMITS.long_recordings)]
    assert names == ["evening", "evening (2)", "evening (3)"]
    with pytest.raises(PageError) as refused:
        desk.add(long_of(clip))
    assert refused.value.sentence.code == "page.enough_long"


# ---- spans --------------------------------------------------------------------------------------------------


def test_spans_become_clips_of_one_recording_and_are_taken_back(here):
    visitor, _, act, _ = here
    act("long.span", long="1", start=10, end=12.5, value="taiko, fast")
    act("long.span", long="1", start=60.25, end=61, value="")
    clips = visitor.clips
    assert [clips.tags_of(row) for row in range(2)] == [("fast", "taiko"), ()]
    assert clips.recordings == ("procession", "procession")
    assert [(clip.name, clip.start_seconds, clip.seconds) for clip in clips.clips] == [
        ("procession.mp4", 10.0, 2.5),
        ("procession.mp4", 60.25, 0.75),
    ]
    np.testing.assert_array_equal(clips.clips[0].samples, TWO_MINUTES[10 * RATE : round(12.5 * RATE)])
    assert clips.given == (True, True)
    visitor.take_back_last()
    assert len(visitor.clips) == 1
    act("long.span", long="1", start=70, end=71, value="x")
    act("clips.tag", clip=visitor.clips.clips[0].sha256, value="y")
    assert visitor.undo is not None
    visitor.take_back_last()
    assert [visitor.clips.tags_of(row) for row in range(len(visitor.clips))] == [("fast", "taiko", "y")]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"start": 5, "end": 5}, "page.no_span"),
        ({"start": 9, "end": 5}, "page.no_span"),
        ({"start": 119.95, "end": 500}, "page.no_span"),
        ({"start": "x", "end": 5}, "page.not_a_number"),
        ({"start": 500, "end": 501}, "page.not_a_number"),
        ({"start": 1, "end": 2, "long": "2"}, "page.no_such_choice"),
        ({"start": 1, "end": 2, "value": "x" * 200}, None),
    ],
)
def test_what_is_no_span_is_refused_in_a_sentence(here, said: dict, code: str | None):
    visitor, _, act, _ = here
    with pytest.raises(Exception) as refused:
        act("long.span", **{"long": "1", "value": "x", **said})
    assert hasattr(refused.value, "sentence")
    assert code in (None, refused.value.sentence.code)
    assert len(visitor.clips) == 0


def test_a_visit_that_is_full_says_what_is_left(here, monkeypatch):
    _, _, act, _ = here
    monkeypatch.setattr("mirdemo.web.tabs.clips.long.CLIP_LIMITS", type(CLIP_LIMITS)(max_seconds=30.0))
    with pytest.raises(PageError) as refused:
        act("long.span", long="1", start=0, end=40, value="x")
    assert refused.value.sentence.code == "page.no_room_for_span"
    assert "0.5 minutes are left" in str(refused.value)


def test_a_server_that_is_full_takes_no_more_spans_or_pieces(here, monkeypatch):
    visitor, opened, act, visitors = here
    cut(act)
    monkeypatch.setattr(visitors, "sound_bytes", lambda: LIMITS.machine_bytes + 1)
    for name, said in (("span", {"start": 0, "end": 5}), ("take_pieces", {})):
        with pytest.raises(PageError) as refused:
            act(f"long.{name}", long="1", value="x", **said)
        assert refused.value.sentence.code == "page.machine_full"
    assert len(opened.pieces) == 4
    assert len(visitor.clips) == 0


def test_closing_leaves_the_clips_and_is_taken_back(here):
    visitor, opened, act, _ = here
    act("long.span", long="1", start=1, end=2, value="x")
    act("long.close", long="1")
    assert not visitor.desk(LongDesk).open
    assert len(visitor.clips) == 1
    visitor.take_back_last()
    assert visitor.desk(LongDesk).open["1"] is opened


def test_a_clip_opens_as_a_waveform_with_its_recording(here):
    visitor, _, act, _ = here
    act("long.span", long="1", start=0, end=90, value="x")
    act("clips.recording", clip=visitor.clips.clips[0].sha256, value="evening")
    act("long.open", clip=visitor.clips.clips[0].sha256)
    assert (len(visitor.clips), len(visitor.desk(LongDesk).open)) == (0, 2)
    act("long.span", long="2", start=3, end=4, value="y")
    assert visitor.clips.recordings == ("evening",)


def test_a_sheet_and_annotations_dropped_afterwards_give_clips_of_it(here):
    visitor, _, _, _ = here
    desk = visitor.desk(LongDesk)
    audacity = b"10.0\t12.0\ttaiko\n11.0\t13.0\tflute\n500\t510\tlate\n"
    clips = visitor.clips.label_by(audacity, "procession.txt", desk.by_recording())
    assert [(c.start_seconds, c.seconds, clips.tags_of(i)) for i, c in enumerate(clips.clips)] == [
        (10.0, 1.0, ("taiko",)),
        (11.0, 1.0, ("flute", "taiko")),
        (12.0, 1.0, ("flute",)),
    ]
    assert set(clips.recordings) == {"procession"}
    again = clips.label_by(audacity, "procession.txt", desk.by_recording())
    assert len(again) == 3, "the same labels twice are the same clips"
    sheet = b"file,start,end,tags,recording\nprocession.mp4,30,31,song,second day\nprocession.mp4,,,whole,\nother.wav,,,x,\n"
    more = again.label_by(sheet, "labels.csv", desk.by_recording())
    assert more.recordings[-1] == "second day"
    assert {problem.code for problem in more.problems} == {"clips.needs_times", "clips.file_not_found"}


def test_a_sheet_labels_both_clips_of_one_recording_that_are_open(here):
    visitor, first, _, _ = here
    second = visitor.desk(LongDesk).add(long_of(Clip.of(TWO_MINUTES[: 90 * RATE], RATE, "later.mp4")))
    second.recording = first.recording
    sheet = b"file,start,end,tags\nprocession.mp4,5,6,x\nlater.mp4,7,8,y\n"
    clips = visitor.clips.label_by(sheet, "labels.csv", visitor.desk(LongDesk).by_recording())
    assert [(clip.name, clip.start_seconds) for clip in clips.clips] == [
        ("procession.mp4", 5),
        ("later.mp4", 7),
    ]
    assert set(clips.recordings) == {"procession"}
    assert clips.problems == ()


def test_no_more_of_a_long_sheet_is_read_than_a_visit_holds(here):
    visitor, _, _, _ = here
    rows = "".join(f"procession.mp4,{i / 4},{i / 4 + 0.25},t{i % 3}\n" for i in range(400))
    sheet = ("file,start,end,tags\n" + rows).encode()
    clips = visitor.clips.label_by(sheet, "labels.csv", visitor.desk(LongDesk).by_recording())
    assert len(clips) == CLIP_LIMITS.max_clips
    assert "clips.full" in {problem.code for problem in clips.problems}


def test_a_sheet_that_comes_with_its_recording_labels_it(folder: Path, here):
    visitor, _, _, _ = here
    sheet = b"file,start,end,tags\nevening.wav,5,6,x\na.wav,,,y\n"
    drop = [
        sent(folder, "evening.wav", wav(2)),
        sent(folder, "labels.csv", sheet),
        sent(folder, "a.wav", wav(0.1)),
    ]
    read, parted = read_drop(drop, "", 60.0, 3, quiet, Growth(visitor, ""))
    assert ([one.name for one in parted.long], len(parted.sheets)) == (["evening.wav"], 1)
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    visitor.hold(visitor.clips.add(read))
    longs = LongTab(Wire(Visitors(), Jobs()), lambda visitor: None)
    assert longs.take(visitor, parted) == []
    clips = visitor.clips
    assert {(clip.name, clips.tags_of(row)) for row, clip in enumerate(clips.clips)} == {
        ("evening.wav", ("x",)),
        ("a.wav", ("y",)),
    }


def test_what_is_to_be_known_of_a_sheet_beside_a_long_recording_alone_is_said_once(folder: Path, here):
    visitor, _, _, _ = here
    files = {
        "evening.wav": wav(2),
        "labels.csv": "file,start,end,tags\nevening.wav,5,6,þýð\n".encode("cp1252"),
        "evening.eaf": b"<ANNOTATION_DOCUMENT>",  # it breaks off
    }
    _, parted = read_drop(
        [sent(folder, name, content) for name, content in files.items()],
        "",
        60.0,
        3,
        quiet,
        Growth(visitor, ""),
    )
    longs = LongTab(Wire(Visitors(), Jobs()), lambda visitor: None)
    codes = [one.code for one in longs.take(visitor, parted)]
    assert sorted(codes) == ["clips.encoding_guessed", "clips.other_sheet"]


# ---- what the page asks for ------------------------------------------------------------------------------


@pytest.fixture
def client(here):
    visitor, _, _, visitors = here
    return TestClient(Starlette(routes=long_routes.routes(visitors))), f"/long/{visitor.sounds.key}/1"


def test_the_outline_is_the_recordings_own(client):
    web, place = client
    got = web.get(f"{place}/outline", params={"from": 0, "to": 120, "columns": 100})
    shape = np.frombuffer(got.content, np.int8).reshape(100, 2)
    assert np.abs(shape).max() == 127
    top = np.abs(TWO_MINUTES).max()
    first = TWO_MINUTES[: round(1.2 * RATE)]
    assert shape[0, 1] == pytest.approx(127 * np.sqrt(first.max() / top), abs=2)
    assert got.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "from=0&to=1",
            "from=0&to=1&columns=0",
            "from=0&to=1&columns=1e3",
            "from=0&to=1&columns=99999999",
        ),
        *(
            "from=5&to=1&columns=9",
            "from=-1&to=1&columns=9",
            "from=nan&to=1&columns=9",
            "from=0&to=inf&columns=9",
        ),
        *("from=0&to=1e300&columns=9", "from=x&to=1&columns=9"),
    ],
)
def test_what_is_no_span_of_it_is_no_outline(client, query: str):
    web, place = client
    assert web.get(f"{place}/outline?{query}").status_code == 400


def test_its_sound_is_a_wav_of_which_any_part_can_be_had(client):
    web, place = client
    whole = web.get(f"{place}/sound.wav")
    samples, rate = soundfile.read(io.BytesIO(whole.content), dtype="float32")
    assert (rate, len(samples)) == (RATE, len(TWO_MINUTES))
    np.testing.assert_allclose(samples, TWO_MINUTES, atol=1e-4)
    for first, last in ((0, 9), (0, 43), (30, 70), (44, 47), (45, 50), (1_000_001, 1_200_003)):
        part = web.get(f"{place}/sound.wav", headers={"Range": f"bytes={first}-{last}"})
        assert part.status_code == 206
        assert part.content == whole.content[first : last + 1], (first, last)
    tail = web.get(f"{place}/sound.wav", headers={"Range": "bytes=1919000-"})
    assert tail.content == whole.content[1_919_000:]
    assert web.get(f"{place}/sound.wav", headers={"Range": "bytes=99999999-"}).status_code == 416


def test_nobody_else_finds_it(here, client):
    web, place = client
    stranger = here[3].arrive(None, "other page")
    for address in (place.replace("/1", "/2"), f"/long/{stranger.sounds.key}/1", "/long/x/1"):
        assert web.get(f"{address}/outline?from=0&to=1&columns=9").status_code == 404
        assert web.get(f"{address}/sound.wav").status_code == 404


def test_it_goes_with_its_visitor(here, client):
    visitor, opened, _, _ = here
    web, place = client
    assert opened.sound.spool.close.alive
    visitor.let_go()
    assert not opened.sound.spool.close.alive
    assert web.get(f"{place}/outline?from=0&to=1&columns=9").status_code == 404


def test_one_opened_after_a_saved_visit_is_not_taken_for_the_one_before(here):
    visitor, _, _, _ = here
    visitor.begin_anew(visitor.clips)
    visitor.desk(LongDesk).add(long_of(Clip.of(TWO_MINUTES, RATE, "evening.mp4")))
    assert visitor.long_sound("1") is None
    assert visitor.long_sound("2").name == "evening.mp4"


def test_one_that_is_closed_goes_when_it_can_no_longer_be_taken_back():
    visitors = Visitors()
    visitor, wire = visitors.arrive(None, "page"), Wire(visitors, Jobs())
    tab.build(wire)
    visitor.desk(LongDesk).add(long_of(Clip.of(TWO_MINUTES, RATE, "procession.mp4")))
    spool = weakref.ref(visitor.desk(LongDesk).open["1"].sound.spool)
    wire._handlers["long.close"](visitor, Act({"act": "long.close", "long": "1"}))
    gc.collect()
    assert spool() is not None
    visitor.undo = None
    gc.collect()
    assert spool() is None


def test_what_the_template_draws(here):
    visitor, _, act, _ = here
    act("long.span", long="1", start=10, end=12.5, value='<b>"taiko"')
    shown = LongTab(Wire(Visitors(), Jobs()), lambda visitor: None).shown(visitor)
    (one,) = shown
    ((start, end, tags, clip),) = json.loads(one["marks"])
    assert (start, end, tags, clip) == (10.0, 12.5, ['<b>"taiko"'], visitor.clips.clips[0].sha256)
    assert one["place"] == f"long/{visitor.sounds.key}/1"


def test_how_long_tagging_all_of_it_takes_is_known_before_the_click(here, monkeypatch):
    visitor, opened, act, _ = here
    act("long.span", long="1", start=10, end=20, value="taiko")
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(models, "PACE", known)
    drawn = LongTab(Wire(Visitors(), Jobs()), lambda visitor: None).shown
    assert drawn(visitor)[0]["takes"] is None
    known.told(pace.embedding(visitor.backbone), 0.5)
    known.told(pace.loading(visitor.backbone), 0.0)
    facts = models.spec(visitor.backbone)
    both = pace.work(facts, opened.sound.seconds) + pace.sound(facts, visitor.clips.clips)
    assert both > 120
    assert drawn(visitor)[0]["takes"] == pytest.approx(both / 2), "and the clips, which are not heard yet"


def test_how_long_adding_clips_takes_is_said_once_it_was_timed(folder: Path, here, monkeypatch):
    visitor, _, act, _ = here
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    for room in (models, tab):
        monkeypatch.setattr(room, "PACE", known)
    show = tab.ClipsTab(Wire(Visitors(), Jobs())).show
    assert show(visitor, visitor.speaker)["takes"] is None
    upload = sent(folder, "a.wav", wav(1))
    act("clips.add", files=[{"path": str(upload.path), "name": "a.wav"}])
    until(lambda: not visitor.jobs["clips-1"].active)
    assert len(visitor.clips) == 1
    assert known.expected(tab.ADDING, 1.0) > 0
    known.told(tab.ADDING, 7.0)
    shown = show(visitor, visitor.speaker)
    assert (shown["takes"], shown["amount"]) == (pytest.approx(7.0), 100)


def test_a_new_visitor_has_none():
    assert LongTab(Wire(Visitors(), Jobs()), lambda visitor: None).shown(Visitor()) == []


# ---- cutting ------------------------------------------------------------------------------------------------


def cut(act, how: str = "even", **said) -> None:
    usual = {"length": "30", "pause": "1", "below": "25", "longest": "60"}
    act("long.cut", long="1", how=how, **(usual | said))


def test_pieces_are_shown_then_made_and_taken_back_with_their_marks(here):
    visitor, opened, act, _ = here
    cut(act)
    assert opened.pieces == [(0.0, 30.0), (30.0, 60.0), (60.0, 90.0), (90.0, 120.0)]
    assert len(visitor.clips) == 0
    act("long.drop_piece", long="1", at=45)
    assert len(opened.pieces) == 3
    act("long.take_pieces", long="1", value="matsuri")
    assert opened.pieces == []
    assert [clip.start_seconds for clip in visitor.clips.clips] == [0.0, 60.0, 90.0]
    assert {visitor.clips.tags_of(row) for row in range(3)} == {("matsuri",)}
    assert set(visitor.clips.recordings) == {"procession"}
    visitor.take_back_last()
    assert (len(visitor.clips), len(opened.pieces)) == (0, 3)
    act("long.drop_pieces", long="1")
    assert opened.pieces == []
    visitor.take_back_last()
    assert len(opened.pieces) == 3


def test_a_marked_span_alone_is_cut_and_neighbours_stay_apart(here):
    visitor, opened, act, _ = here
    cut(act, start="10.5", end="20.5", length="5")
    assert opened.pieces == [(10.5, 15.5), (15.5, 20.5)]
    act("long.take_pieces", long="1", value="x")
    assert len(visitor.clips) == 2, "pieces that touch are two clips, not one joined span"


def test_it_is_cut_where_it_pauses():
    visitors = Visitors()
    visitor, wire = visitors.arrive(None, "page"), Wire(visitors, Jobs())
    tab.build(wire)
    samples = TWO_MINUTES.copy()
    samples[40 * RATE : 43 * RATE] *= 0.001
    opened = visitor.desk(LongDesk).add(long_of(Clip.of(samples, RATE, "procession.mp4")))
    act = lambda name, **said: wire._handlers[name](visitor, Act({"act": name, **said}))  # noqa: E731
    cut(act, "pauses", longest="90")
    np.testing.assert_allclose(opened.pieces, [(0.0, 40.1), (42.9, 120.0)], atol=0.06)
    with pytest.raises(PageError) as refused:
        cut(act, "pauses", pause="5")
    assert refused.value.sentence.code == "page.no_pauses"
    assert len(opened.pieces) == 2, "a refusal changes nothing"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"length": "0"}, "page.not_a_number"),
        ({"length": "nan"}, "page.not_a_number"),
        ({"start": "5", "end": "5"}, "page.no_span"),
        ({"start": "x", "end": "5"}, "page.not_a_number"),
        ({"how": "random"}, "page.no_such_choice"),
    ],
)
def test_what_is_no_cut_is_refused_in_a_sentence(here, said: dict, code: str):
    with pytest.raises(PageError) as refused:
        cut(here[2], **said)
    assert refused.value.sentence.code == code


def test_too_many_pieces_are_no_preview(here, monkeypatch):
    monkeypatch.setattr("mirdemo.web.tabs.clips.long.MOST_PIECES", 50)
    with pytest.raises(PageError) as refused:
        cut(here[2], length="1")
    assert refused.value.sentence.code == "page.too_many_pieces"


def test_what_fits_is_made_and_the_rest_stays_shown(here, monkeypatch):
    visitor, opened, act, _ = here
    monkeypatch.setattr("mirdemo.web.tabs.clips.long.CLIP_LIMITS", type(CLIP_LIMITS)(max_seconds=70.0))
    cut(act)
    shown = LongTab(Wire(Visitors(), Jobs()), lambda visitor: None).shown(visitor)
    assert (shown[0]["n_pieces"], shown[0]["fitting"]) == (4, 2)
    act("long.take_pieces", long="1", value="x")
    assert (len(visitor.clips), opened.pieces) == (2, [(60.0, 90.0), (90.0, 120.0)])
    with pytest.raises(PageError) as refused:
        act("long.take_pieces", long="1", value="x")
    assert refused.value.sentence.code == "page.no_room_for_span"
    opened.pieces = []
    with pytest.raises(PageError):
        act("long.take_pieces", long="1", value="x")


def test_the_spectrogram_is_had_by_its_visitor(client):
    web, place = client
    got = web.get(f"{place}/spectrogram", params={"from": 10, "to": 20, "columns": 50})
    drawn = np.frombuffer(got.content, np.uint8).reshape(128, 50)
    assert drawn.max() == 255
    assert got.headers["X-Highest"] == "4000"
    assert web.get(f"{place}/spectrogram?from=0&to=1&columns=0").status_code == 400


# ---- in a saved visit ---------------------------------------------------------------------------------------


def test_a_saved_visit_waits_for_its_long_recordings_and_brings_back_what_was_marked(here):
    visitor, opened, act, visitors = here
    wire = Wire(visitors, Jobs())
    tab.build(wire)
    opened.recording, opened.typed = "Obon", "taiko"
    act("long.span", long="1", start="10", end="12", value="taiko")
    act("long.cut", long="1", how="even", length="40")
    assert "Hours of sound are too large" in wire.views.rendered("clips", visitor)
    kept = wire.keeping.keep(visitor)
    parts, arrays, sounds = wire.keeping.told(kept)
    out = io.BytesIO()
    write_visit(out, kept.clips, json.loads(json.dumps(parts)), arrays, sounds)

    other = visitors.arrive(None, "another")
    wire.keeping.restore(other, read_visit(out.getvalue()), lambda visitor: None)
    page = wire.views.rendered("clips", other)
    assert "procession.mp4" in page
    assert "Add its file again" in page
    desk = other.desk(LongDesk)
    unlike = desk.add(long_of(Clip.of(TWO_MINUTES[: RATE * 60], RATE, "procession.mp4")))
    assert (unlike.recording, unlike.pieces) == ("procession", [])
    again = desk.add(long_of(Clip.of(TWO_MINUTES, RATE, "procession.mp4")))
    assert (again.recording, again.typed, again.pieces) == ("Obon", "taiko", opened.pieces)
    assert desk.expected == []
    assert [other.clips.recordings[row] for row in desk.rows_of(again, other.clips)] == ["Obon"]


@pytest.mark.parametrize("first", [True, False])
def test_a_visit_saved_without_sound_opens_when_the_long_recording_of_its_spans_is_here(here, first: bool):
    """Added before it or after it; its waveform stays open, with what was said of it."""
    visitor, opened, act, visitors = here
    wire = Wire(visitors, Jobs())
    tab.build(wire)
    opened.recording = "Obon"
    for start in ("10", "40"):
        act("long.span", long="1", start=start, end=str(int(start) + 2), value="taiko")
    kept = wire.keeping.keep(visitor)
    parts, arrays, sounds = wire.keeping.told(kept)
    out = io.BytesIO()
    write_visit(out, kept.clips, json.loads(json.dumps(parts)), arrays, sounds, with_sound=False)
    visit = read_visit(out.getvalue())
    assert len(visit.missing) == 2

    visits = next(h.__self__ for name, h in wire._handlers.items() if name == "visit.save")
    other = visitors.arrive(None, "another")
    if not first:
        assert not visits.arrived(other, visit)
        assert other.notice.sentence.values == {"n": 1}  # two spans of one file
    sound = long_of(Clip.of(TWO_MINUTES, RATE, "procession.mp4"))
    before = other.desk(LongDesk).add(sound)
    assert visits.arrived(other, visit) if first else visits.long_arrived(other)
    assert [clip.sha256 for clip in other.clips.clips] == [clip.sha256 for clip in visitor.clips.clips]
    assert other.clips.recordings == ("Obon", "Obon")
    (again,) = other.desk(LongDesk).open.values()
    assert (again.sound, again.recording, before.recording) == (sound, "Obon", "procession")
    assert len(other.desk(LongDesk).rows_of(again, other.clips)) == 2
    assert other.desk(LongDesk).expected == []
    act_undo(other)
    assert list(other.desk(LongDesk).open.values()) == [before]


def test_a_dropped_long_recording_opens_the_visit_that_waits_for_it(folder: Path, here):
    """The drop itself, from the page; under another name, as a clip of it is known by its sound."""
    visitor, drop, _ = growing(folder, 1e9, lambda *_: None)
    drop()
    (opened,) = visitor.desk(LongDesk).open.values()
    cut = opened.sound.cut(10.0, 12.0)
    out = io.BytesIO()
    write_visit(out, LabelledClips.from_clips([cut], [["taiko"]], ["Obon"]), with_sound=False)
    other, drop, _ = growing(folder, 1e9, lambda *_: None, name="another name.wav")
    other.desk(VisitDesk).waiting = read_visit(out.getvalue())
    drop()
    assert [clip.sha256 for clip in other.clips.clips] == [cut.sha256]
    assert other.notice.sentence.code == "page.visit_opened"


def test_a_long_recording_is_waited_for_until_it_is_not_wanted(here):
    visitor, opened, act, _ = here
    desk = visitor.desk(LongDesk)
    desk.expected = [Expected.of(opened)]
    act("long.forget", number="0")
    assert desk.expected == []
    act_undo(visitor)
    assert [one.name for one in desk.expected] == ["procession.mp4"]
    for forged in ({"seconds": -1.0}, {"name": "x" * 10_000}, {"pieces": ((3.0, 1.0),)}, {"recording": 5}):
        with pytest.raises((ValueError, TypeError)):
            replace(desk.expected[0], **forged)


def test_a_single_piece_that_was_dropped_comes_back(here):
    visitor, opened, act, _ = here
    act("long.cut", long="1", how="even", length="40")
    before = list(opened.pieces)
    act("long.drop_piece", long="1", at="50")
    assert len(opened.pieces) == len(before) - 1
    act_undo(visitor)
    assert opened.pieces == before


def act_undo(visitor: Visitor) -> None:
    visitor.take_back_last()
