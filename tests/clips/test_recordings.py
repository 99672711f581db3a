"""Clips cut from one recording are kept together: by the names of their files, by what is said, by session."""

from __future__ import annotations

import numpy as np
import pytest
from test_clips import clip, codes, tree, wav

from mirdemo.clips import LabelledClips
from mirdemo.clips.recordings import by_name, stem_of
from mirdemo.sound.audio import Clip


def groups(*stems: str, tags: list[list[str]] | None = None) -> dict[str, int]:
    said = by_name([f"{stem}.wav" for stem in stems], tags or [])
    assert len(said.recordings) == len(stems)
    return {name: len(rows) for name, rows in said.grouped.items()}


@pytest.mark.parametrize(
    ("stems", "together"),
    [
        (("a-1", "a-2", "a_part3", "a (2)"), {"a": 4}),
        (("aso-1", "aso-2", "kuma-1", "kuma-2", "call"), {"aso": 2, "kuma": 2}),
        (("night", "night (1)", "night - Copy", "call"), {"night": 3}),
        (("ZOOM0001_Tr1", "ZOOM0001_TrLR", "ZOOM0002_Tr1"), {"ZOOM0001": 2}),
        (("gig_L", "gig_R", "solo"), {"gig": 2}),
        (("aso_0-30", "aso_30-60", "kuma"), {"aso": 2}),
        (("long 0:00-1:30", "long 1:30-3:00"), {"long": 2}),
        (("獅子舞 前半", "獅子舞　後半", "太鼓"), {"獅子舞": 2}),
        (("祭り①", "祭り②", "神楽①", "神楽②"), {"祭り": 2, "神楽": 2}),
        (("matsuri part 1", "matsuri part 2", "matsuri part 3", "matsuri Part 4"), {"matsuri": 4}),
        (("2024-08-15-1", "2024-08-15-2", "2024-08-16-1"), {"2024-08-15": 2}),
        (("03-1 Sakura", "03-2 Sakura", "04-1 Hana", "04-2 Hana"), {"03 Sakura": 2, "04 Hana": 2}),
        (("Night-1", "night_2", "day"), {"Night": 2}),
    ],
)
def test_names_of_pieces_put_them_together(stems: tuple[str, ...], together: dict[str, int]):
    assert groups(*stems) == together


@pytest.mark.parametrize(
    "stems",
    [
        tuple(f"festival_{i:03d}" for i in range(1, 41)),
        (*(f"festival_{i:03d}" for i in range(1, 41)), "call"),
        ("r1", "r2", "r3", "r4"),
        ("drum0", "flute1", "drum2", "flute3", "drum4"),
        ("01 Sakura", "02 Kagura", "03 Obon"),
        ("2024-08-15", "2024-08-16", "2024-08-17"),
        ("20240815_193000", "20240815_201500", "20240816_190000"),
        ("obon 2019", "obon 2020", "obon 2021"),
        ("Voice 001", "Voice 002", "Voice 003"),
        ("IMG_0001", "IMG_0002", "MVI_0001", "MVI_0002"),
        ("New Recording 1", "New Recording 2"),
        ("Track 01", "Track 02"),
        ("op 12", "op 48", "op 111"),
        ("1", "2", "3"),
    ],
)
def test_numbers_that_only_count_put_nothing_together(stems: tuple[str, ...]):
    assert groups(*stems) == {}


@pytest.mark.parametrize(
    ("stem", "is_one"),
    [
        ("01", False),
        ("Track 3", False),
        ("IMG_0007", False),
        ("録音 12", False),
        ("①", False),
        ("clip 3", False),
        ("3", False),
        ("aso", True),
        ("aso 1", True),
        ("2019", True),
        ("20190815", True),
        ("rec 2019", True),
        ("part 3", True),
        ("", True),
    ],
)
def test_files_of_one_name_are_one_recording_unless_they_are_only_numbered(stem: str, is_one: bool):
    names = [f"{stem}.wav"] * 3
    said = by_name([*names, "call.wav"], files=[0, 1, 1, 2]).recordings
    assert (said[0] == said[1], said[1] == said[2]) == (is_one, True)
    assert len(set(by_name(names).recordings)) == 1, "nobody knows of which file each was cut"


def test_a_copy_beside_numbered_files_counts_as_it_did():
    names = ["01.wav", "01.wav", "01 (2).wav", "call.wav"]
    assert len(set(by_name(names, files=range(4)).recordings)) == 2


def test_pieces_of_a_numbered_file_stay_one_recording():
    sound = Clip.of(np.random.default_rng(0).standard_normal(64_000).astype(np.float32) / 9, 8000, "01.wav")
    pieces = [sound.cut(0.0, 2.0), sound.cut(2.0, 5.0), sound.cut(5.0, 8.0)]
    assert len(set(LabelledClips.from_clips(pieces, [["a"], ["b"], ["a"]]).recordings)) == 1


def test_a_stem_that_is_a_tag_names_what_is_heard_and_no_recording():
    stems = ("drum-1", "drum-2", "flute-1", "flute-2")
    assert groups(*stems, tags=[["Drum"], ["drum"], ["flute"], ["flute"]]) == {}
    assert by_name(stems, [["drum"]] * 4).apart == {"drum": (0, 1)}
    assert groups(*stems, tags=[["slow"]] * 4) == {"drum": 2, "flute": 2}


def test_a_suffix_is_no_part_of_the_stem_but_a_number_is():
    assert [stem_of(name) for name in ("a.wav", "2024.08.15", "dance.mp3", "take two", ".wav", "a.3gp")] == [
        "a",
        "2024.08.15",
        "dance",
        "take two",
        ".wav",
        "a",
    ]


def test_what_was_put_together_is_said_and_can_be_parted_again():
    clips = LabelledClips.from_clips(
        [clip(i, name) for i, name in enumerate(("a-1.wav", "a-2.wav", "b.wav"))], [["x"], [], []]
    )
    assert clips.recordings == ("a", "a", "b")
    assert codes(clips) == ["clips.grouped_by_name"]
    assert clips.by_name.grouped == {"a": (0, 1)}
    parted = clips.part([0, 1])
    assert parted.recordings == ("a-1", "a-2", "b")
    assert parted.add(LabelledClips.from_clips([clip(9, "a-3.wav")], [[]])).recordings[:2] == ("a-1", "a-2")


def test_clips_added_later_are_looked_at_with_those_that_are_there():
    first = LabelledClips.from_clips([clip(i, f"a-{i}.wav") for i in range(1, 6)], [[]] * 5)
    assert len(set(first.recordings)) == 5  # nothing but a count
    both = first.add(LabelledClips.from_clips([clip(i + 50, f"b-{i}.wav") for i in range(1, 4)], [[]] * 3))
    assert both.recordings == ("a",) * 5 + ("b",) * 3
    assert both.relabel(0, "x").recordings == both.recordings
    assert both.remove([7]).recordings == ("a",) * 5 + ("b",) * 2


def test_a_recording_that_is_said_is_never_overruled():
    clips = LabelledClips.from_files([("a-1.wav", wav(1)), ("b.wav", wav(2))], recording="one night")
    more = clips.add(LabelledClips.from_files([("a-2.wav", wav(3)), ("a-3.wav", wav(4)), ("c.wav", wav(5))]))
    assert more.recordings == ("one night", "one night", "a", "a", "c")


def test_many_clips_get_a_recording_at_once():
    clips = LabelledClips.from_clips([clip(i, f"{i}.wav") for i in range(4)], [[]] * 4)
    assert clips.set_recording([0, 2], "night").recordings == ("night", "1", "night", "3")
    assert clips.set_recording(3, "night").recordings == ("0", "1", "2", "night")
    same_name = LabelledClips.from_clips([clip(i, "x.wav") for i in range(3)], [[]] * 3)
    assert same_name.recordings == ("x", "x", "x")
    assert same_name.part(range(3)).recordings == ("x", "x (2)", "x (3)")


def test_sessions_join_recordings_into_groups():
    clips = LabelledClips.from_clips(
        [clip(i) for i in range(5)],
        [[]] * 5,
        ["r1", "r1", "r2", "r3", "r4"],
        ["monday", "", "monday", "tuesday", ""],
    )
    one = clips.groups
    assert one[0] == one[1] == one[2]
    assert len(set(one)) == 3
    assert LabelledClips.from_clips([clip(1)], [[]], ["r"]).groups == ("r",)
    said = clips.set_session(4, "tuesday")
    assert said.groups[3] == said.groups[4]
    assert clips.set_session(range(5), " ").sessions == ()
    assert clips.remove([0]).sessions == ("", "monday", "tuesday", "")
    assert clips.relabel(0, "x").sessions == clips.sessions


def test_folders_and_sheets_keep_clips_of_one_recording_together(tmp_path):
    tree(tmp_path, **{"taiko/aso-1.wav": wav(1), "kane/aso-2.wav": wav(2), "kane/kuma.wav": wav(3)})
    assert sorted(LabelledClips.from_folder(tmp_path).recordings) == ["aso", "aso", "kuma"]
    sheet = b"file,tags,recording\naso-1.wav,x,\naso-2.wav,y,\nkuma.wav,x,aso\n"
    assert LabelledClips.from_csv(sheet, tmp_path).recordings == ("aso", "aso", "aso")


def test_tags_by_lot_over_cut_recordings_are_not_heard():
    """The smallest case of the law; its rate stands in ``benchmarks/truths/recordings.py``."""
    from mirdemo.stages.probing import probe

    words = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        whole = np.repeat(np.arange(8), 4)
        rows = rng.normal(size=(8, 32))[whole] + 0.4 * rng.normal(size=(32, 32))
        tagged = (rng.permutation(8) < 3)[whole]
        names = [f"night{recording}-{i % 4}.wav" for i, recording in enumerate(whole)]
        clips = LabelledClips.from_clips(
            [clip(i, name) for i, name in enumerate(names)], [["x"] if has else [] for has in tagged]
        )
        report = probe({"layer": rows}, clips.labels, clips.recordings, permutations=100)
        words.append(report.tags[0].verdict)
    assert not {"heard", "partly_heard"} & set(words)
