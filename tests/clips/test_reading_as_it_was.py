"""What sheets, annotation files, names and encodings are read as stays what it was on 1 December 2026, whole and edited by hand.

``PYTHONPATH=.:tests python tests/clips/test_reading_as_it_was.py`` writes ``reading_as_it_was.json`` anew. What each format means is
held by ``test_labels.py``; here every number and edge of the readers is, by what comes of files that somebody has been at.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import remembered

from mirdemo.base.sentences import MirdemoError
from mirdemo.clips import counting, encodings
from mirdemo.clips.annotations import KINDS, annotated_stem, read_annotations, write_annotations
from mirdemo.clips.finding import folder_tags, is_wrapped, paths_with
from mirdemo.clips.label_files import may_label, notes_on, read_labels
from mirdemo.clips.likeness import look_alikes, ratios
from mirdemo.clips.limits import CLIP_LIMITS
from mirdemo.clips.recordings import by_name, only_counts, stem_of
from mirdemo.clips.segments import Segment, over_windows, pieces, runs
from mirdemo.clips.sheets import column_meant, names_sound, places, seconds_of
from mirdemo.clips.tags import clean_recording, clean_tags, clean_text, same, typed_tags, written_tags

FILE = Path(__file__).with_name("reading_as_it_was.json")
RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tFile Offset (s)\tAnnotation"
SEGMENTS = [
    Segment(0.5, 1.5, "flute"),
    Segment(1.25, 2.0, "a; b"),
    Segment(2.0, 2.0, "drum"),
    Segment(3.0, 70.5, "篠笛"),
]
TEXTS: dict[str, str] = {
    "tags.csv": "file,tags,recording,session\na.wav,drum;flute,night,1\nb.wav,\"drum, big\",,1\nc.wav,none,day,2\nd.wav,,day,2\n",
    "spans.csv": "file,start,end,tags\na.wav,0,1.5,drum\na.wav,1.5,3,flute\nb.wav,0:01,1:02.5,drum\n",
    "milliseconds.tsv": "Dateiname\tBeginn (ms)\tDauer (ms)\tTags\na.wav\t500\t1000\tdrum\nb.wav\t1500\t250\tflute\n",
    "marks.csv": "file;drum;flute;loud\na.wav;x;;yes\nb.wav;;x;no\nc.wav;x;x;yes\n",
    "numbers.csv": "name,drum,flute\na.wav,1,0\nb.wav,0,1\nc.wav,1,1\n",
    "titled.csv": "Our archive\n\nsep=;\nDatei;Stichwörter\na.wav;Trommel|Flöte\nb.wav;Flöte\n",
    "three.txt": "0.5\t1.5\tflute\n\\\t100.0\t900.0\n2\t2.5\tdrum\n3.0\t3.5\tdrum\n",
    "raven.selections.txt": f"{RAVEN}\n1\tWaveform 1\t1\t0.5\t1.5\t0\t9\ta.wav\t0.5\tflute\n1\tSpectrogram 1\t1\t0.5\t1.5\t0\t9\ta.wav\t0.5\tflute\n"
    "2\tSpectrogram 1\t1\t62\t63.5\t0\t9\tb.wav\t2\tdrum\n",
    "birdnet.csv": "Start (s),End (s),Scientific name,Common name,Confidence,File\n0.0,3.0,Fl,flute,0.9,a.wav\n3.0,6.0,Dr,drum,0.25,a.wav\n",
    "kaleidoscope.csv": "INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name\n/x,y,a.wav,0.5,1.0,Fl,flute\n/x,y,b.wav,2.0,0.5,Dr,drum\n",
    "layer.csv": "0.500000000,0,1.000000000,flute\n2.000000000,0,0.500000000,drum\n",
    "instants.csv": "0.5,drum\n1.5,flute\n",
    "tab.elan.txt": "tier\t\t00:00:00.500\t0.5\t500\t00:00:01.500\t1.5\t1500\t00:00:01.000\t1.0\t1000\tflute\n"
    "tier\t\t00:00:02.000\t2.0\t2000\t00:00:02.500\t2.5\t2500\t00:00:00.500\t0.5\t500\tdrum\n",
    "long.TextGrid": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 \nxmax = 3 \ntiers? <exists> \nsize = 2 \nitem []: \n'
    '    item [1]:\n        class = "IntervalTier" \n        name = "tags" \n        xmin = 0 \n        xmax = 3 \n        intervals: size = 2 \n'
    '        intervals [1]:\n            xmin = 0 \n            xmax = 1.5 \n            text = "drum ""big""" \n'
    '        intervals [2]:\n            xmin = 1.5 \n            xmax = 3 \n            text = "" \n'
    '    item [2]:\n        class = "TextTier" \n        name = "points" \n        xmin = 0 \n        xmax = 3 \n        points: size = 1 \n'
    '        points [1]:\n            number = 1 \n            mark = "clap" \n',
    "tags.jams": '{"annotations": [{"namespace": "tag_open", "data": [{"time": 0.5, "duration": 1, "value": "flute", "confidence": 1}, '
    '{"time": 2, "duration": 0.5, "value": "drum", "confidence": null}]}, {"namespace": "beat", "data": [{"time": 1, "duration": 0, '
    '"value": 1, "confidence": 1}]}], "file_metadata": {"duration": 3}}',
    "mirex.lab": "0.500 1.500 flute\n2.0 2.5 drum\n",
    "htk.lab": "5000000 15000000 flute\n20000000 25000000 drum\n",
    "layer.svl": '<?xml version="1.0"?><!DOCTYPE sonic-visualiser><sv><data><model id="1" sampleRate="1000" dataset="0"/>'
    '<dataset id="0"><point frame="500" value="1" duration="1000" label="flute"/>'
    '<point frame="2000" value="1" duration="500" label="drum"/></dataset></data></sv>',
    "prose.txt": "Dear all,\nthe tapes of 1967 are in the cellar.\n",
}  # fmt: skip
PUT_IN = (
    "0",
    "-1",
    "1e3",
    "0:01:02",
    "1,5",
    "",
    "x",
    "ms",
    "file",
    "tags",
    '"',
    ";",
    "\t",
    ",",
    "|",
    "none",
    "#",
    "１",
)
EDITED = 12

NAMES = [
    ["night.wav", "night-2.wav", "night-3.wav", "day_1.wav", "day_2.wav"],
    ["01.wav", "02.wav", "03.wav"],
    ["drum/01.wav", "flute/01.wav", "flute/02.wav"],
    ["Track 3.mp3", "IMG_0007.mp3", "take (2).wav", "take (1).wav", "take.wav"],
    ["祭_前半.wav", "祭_後半.wav", "盆踊り 第二部.wav", "盆踊り 第三部.wav", "終わり.wav"],
    ["concert part 1.flac", "concert part 2.flac", "concert Pt. III.flac", "part 7.wav", "Teil 2.wav"],
    ["bird_00-30.wav", "bird_30-60.wav", "bird_60-90.wav", "x_20210304_051500.wav", "x_20210304_052000.wav"],
    ["song_L.wav", "song_R.wav", "song mono.wav", "song - copy.wav", "song (3).wav"],
    ["1967 tape a.wav", "1967 tape b.wav", "1968 tape a.wav", "side A.wav", "side B.wav"],
    ["a 1 x.wav", "a 2 x.wav", "a 3 y.wav", "b 1 x.wav", "clip_1.wav", "clip_2.wav"],
    [f"piece {i}.wav" for i in range(1, 45)] + ["other 1.wav", "other 2.wav"],
]
WORDS = [
    "drum",
    " Drum ",
    "drum;flute",
    "a|b",
    "a, b",
    '"a, b"; c',
    "「太鼓、笛」",
    "none",
    "なし",
    "-",
    "n/a",
    "",
    "a;;b",
    "x" * 90,
    "１２",
    "ﾀｲｺ",
]
WORDS += [
    "a\u200cb",
    "<b>",
    "'it''s'",
    "drum/flute",
    "0",
    "no",
    "?",
    "a\nb",
    "=1+1",
    "[drum]",
    "['a', 'b']",
    "{a}",
    "“q”, r",
]
TIMES = [
    "0",
    "1.5",
    "1,5",
    "1:02",
    "1:02:03.25",
    "00:00:01,5",
    "-1",
    "x",
    "",
    " 2 s",
    "3s",
    "1e3",
    "1:60",
    "1:2:3:4",
    "２.５",
    "500 ms",
    "1'30",
    "nan",
]
HEADERS = [
    "file",
    "Filename",
    "Datei",
    "path",
    "ファイル",
    "tags",
    "Tag 2",
    "label",
    "start",
    "Start (s)",
    "begin_ms",
    "Onset time",
    "end",
    "Dauer (ms)",
]
HEADERS += [
    "duration",
    "recording",
    "録音",
    "session",
    "Begin Time (s)",
    "File Offset (s)",
    "species",
    "confidence",
    "",
    "note",
    "stop [sec]",
    "ラベル",
]
SOUNDS = [
    "a.wav",
    "x/y.MP3",
    "tape",
    "1967.03.04",
    "a.txt",
    "night.flac ",
    "song",
    "a.b",
    ".wav",
    "a.wav,drum",
    "http://x/a.ogg",
]


def edited(text: str, number: int) -> str:
    """What a hand may have done to it: a cell, a line or a sign put in, left out or doubled."""
    draw = random.Random(f"{len(text)} {number}")
    lines = text.split("\n")
    for _ in range(draw.randint(1, 2)):
        at = draw.randrange(len(lines))
        cells = lines[at].split("\t" if "\t" in lines[at] else ",")
        which = draw.randrange(5)
        if which == 0:
            cells[draw.randrange(len(cells))] = draw.choice(PUT_IN)
            lines[at] = ("\t" if "\t" in lines[at] else ",").join(cells)
        elif which == 1:
            del lines[at]
            lines = lines or [""]
        elif which == 2:
            lines.insert(at, lines[draw.randrange(len(lines))])
        else:
            place = draw.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + draw.choice(PUT_IN) + lines[at][place + which - 3 :]
    return "\n".join(lines)


def told(work: Callable[[], Any]) -> Any:
    try:
        return remembered.plain(work())
    except MirdemoError as refusal:
        return f"{refusal.sentence.code}: {refusal}"


def read(name: str) -> Any:
    """As rows: the file itself, then with what hands did to it."""

    def rows(text: str) -> Any:
        sheet = read_labels(text.encode(), name, CLIP_LIMITS, ["a.wav", "b.wav"])
        first = [[r.file, r.start, r.end, r.tags, r.recording, r.session] for r in sheet.rows[:4]]
        beside = [len(sheet.rows), sheet.encoding, sheet.unread, sheet.nameless, sheet.marked, sheet.aside]
        return [first, beside, [str(one) for one in notes_on(sheet, name)]]

    text = TEXTS[name]
    return [told(lambda one=one: rows(one)) for one in (text, *(edited(text, i) for i in range(EDITED)))]


def written() -> Any:
    found = {kind: write_annotations(SEGMENTS, kind, "night.wav", 90.0).decode() for kind in KINDS}
    again = {
        kind: told(lambda kind=kind: read_annotations(found[kind].encode(), f"night{KINDS[kind]}"))
        for kind in KINDS
    }
    return [found, again]


def named() -> Any:
    files = [name.split("/")[-1] for those in NAMES for name in those]
    return {
        "recordings": [by_name(those) for those in NAMES],
        "tagged": by_name(NAMES[0], [("night",)] * 5),
        "stems": [
            [stem_of(name), only_counts(stem_of(name)), annotated_stem(name), may_label(name)]
            for name in files
        ],
        "annotated": [
            annotated_stem(name)
            for name in ("a.Table.1.selections.txt", "b.BirdNET.results.csv", "c.wav.txt", "d labels.txt")
        ],
        "folders": [
            [folder_tags(paths), is_wrapped(paths), paths_with(folder_tags(paths), [p.name for p in paths])]
            if not isinstance(paths, str)
            else paths
            for paths in (
                [PurePosixPath(p) for p in ("x/drum/a.wav", "x/flute/b.wav")],
                [PurePosixPath(p) for p in ("a.wav", "flute/b.wav", "flute/loud/c.wav")],
            )
        ],
        "counted": [
            counting.counted(["a", "b", "c", "d"], groups) for groups in ((), ((0, 2),), ((0, 2), (1, 3)))
        ],
        "grouped": counting.grouped(["a", "b", "b", "c"], ["", "1", "1", ""]),
        "sounds": [names_sound(one) for one in SOUNDS],
    }


def words() -> Any:
    return {
        "typed": [told(lambda one=one: typed_tags(one)) for one in WORDS],
        "written": [written_tags([one]) for one in WORDS if one],
        "clean": [told(lambda one=one: clean_tags([one])) for one in WORDS],
        "recording": [told(lambda one=one: clean_recording(one)) for one in WORDS],
        "same": [[clean_text(one), same(one)] for one in WORDS],
        "seconds": [seconds_of(one) for one in TIMES],
        "columns": [column_meant(one) for one in HEADERS],
        "places": [
            places(cells, [column_meant(cell) for cell in cells])
            for cells in (HEADERS[:6], HEADERS[6:14], HEADERS[::-1])
        ],
    }


def bytes_read() -> Any:
    """Each text in the encodings of its language, with and without a broken byte."""
    texts = [
        "Männerchor;Bär",
        "źródło;pieśń",
        "народная песня",
        "太鼓;笛",
        "판소리",
        "ρεμπέτικο",
        "flûte;canção",
        "bağlama",
        "drum",
    ]
    known = (
        "utf-8",
        "utf-16-le",
        "cp1252",
        "cp1250",
        "cp1251",
        "cp932",
        "euc_jp",
        "cp949",
        "gb18030",
        "cp1254",
        "mac_roman",
        "cp437",
    )
    found = {}
    for text in texts:
        for encoding in known:
            try:
                data = "".join(f"{i}.wav,{word}\n" for i, word in enumerate(text.split(";"))).encode(encoding)
            except UnicodeEncodeError:
                continue
            whole = encodings.decode(data)
            broken = encodings.decode(data[:-2] + b"\x81" + data[-2:])
            found[f"{text} {encoding}"] = [
                None if one is None else [one.text[:60], one.encoding, one.others] for one in (whole, broken)
            ]
            if whole is not None and not whole.encoding.startswith(("utf", "ascii")):
                found[f"{text} {encoding}"].append(encodings.judge(whole.encoding, whole.text.splitlines()))
    return found


def over_time() -> Any:
    rng = np.random.default_rng(0)
    spans = [
        (float(a), float(a + b), (str(c),))
        for a, b, c in zip(
            rng.random(12).round(2) * 9, rng.random(12).round(2) * 3, "abcabcabcabc", strict=True
        )
    ]
    given = (rng.random((9, 3)) < 0.5).astype(np.uint8)
    rows = rng.normal(size=(14, 5))
    rows[1], rows[8] = rows[0] + 0.05, rows[7] + 0.1
    return {
        "pieces": [pieces(spans, seconds) for seconds in (4.0, 9.0)],
        "near": pieces([(0.0, 1.0, ("a",)), (1.04, 2.0, ("b",)), (2.051, 3.0, ("a",))], 3.0),
        "ratios": ratios(rows),
        "alike": [look_alikes(rows, [f"r{i // n}" for i in range(14)]) for n in (1, 2, 7)],
        "few": look_alikes(rows[:4], list("abcd")),
        "given": given,
        **extra(given),
    }


def extra(given: np.ndarray) -> dict[str, Any]:
    starts = [*np.arange(len(given) - 1) * 2.0, 15.25]
    return {
        "windows": over_windows(starts, 2.0, 17.25, given, "abc"),
        "runs": [runs(starts, 2.0, seconds, given[:, 1]) for seconds in (17.25, 15.5)],
    }


CASES: dict[str, Callable[[], Any]] = {
    **{name: (lambda name=name: read(name)) for name in TEXTS},
    "written": written,
    "named": named,
    "words": words,
    "bytes": bytes_read,
    "over time": over_time,
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_is_what_it_was(name: str):
    remembered.hold(CASES[name](), remembered.kept(FILE)[name])


if __name__ == "__main__":
    remembered.write(FILE, {name: make() for name, make in CASES.items()})
