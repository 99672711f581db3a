"""Sheets with a column for each tag."""

from __future__ import annotations

import io

import pytest

from mirdemo.clips.label_files import notes_on, read_labels
from mirdemo.clips.limits import CLIP_LIMITS, ClipsError
from mirdemo.clips.marks import read_marked
from mirdemo.clips.sheets import Row


def read(text: str):
    found = read_marked(text.encode(), "sheet.csv")
    return found and [(row.file, row.tags) for row in found.rows]


@pytest.mark.parametrize(
    "text",
    [
        "file,drum,flute\na.wav,1,0\nb.wav,0,1\nc.wav,1,1\nd.wav,0,0\n",
        "file;drum;flute\na.wav;x;\nb.wav;;X\nc.wav;x;x\nd.wav;;\n",
        "file\tdrum\tflute\na.wav\tTRUE\tFALSE\nb.wav\tFALSE\tTRUE\nc.wav\tTRUE\tTRUE\nd.wav\tFALSE\tFALSE\n",
        "Our festival\n\nfile,drum,flute\na.wav,yes,no\nb.wav,no,yes\nc.wav,yes,yes\nd.wav,no,no\n",
        "ファイル,drum,flute\na.wav,○,×\nb.wav,×,○\nc.wav,○,○\nd.wav,×,×\n",
        "file,drum,flute\na.wav,×,\nb.wav,,×\nc.wav,×,×\nd.wav,,\n",
        "flute,file,drum\n0.0,a.wav,1.0\n1.0,b.wav,0.0\n1.0,c.wav,1.0\n0.0,d.wav,0.0\n",
    ],
    ids=["numbers", "crosses", "truths", "words", "circles", "a cross is yes", "floats"],
)
def test_a_sign_says_that_a_recording_has_the_tag(text: str):
    assert [(file, sorted(tags.split("|"))) for file, tags in read(text)] == [
        ("a.wav", ["drum"]),
        ("b.wav", ["flute"]),
        ("c.wav", ["drum", "flute"]),
        ("d.wav", [""]),
    ]


def test_magnatagatunes_own_table_is_read_and_what_was_not_is_told():
    """annotations_final.csv: clip_id, 188 tags, mp3_path, between tabs and in quotes (Law et al., 2009)."""
    text = '"clip_id"\t"singer"\t"no voice"\t"mp3_path"\n"2"\t"0"\t"1"\t"f/a-0-29.mp3"\n"6"\t"1"\t"0"\t"f/b-0-29.mp3"\n'
    found = read_labels(text.encode(), "annotations_final.csv", CLIP_LIMITS)
    assert found.rows == (Row("f/a-0-29.mp3", "no voice"), Row("f/b-0-29.mp3", "singer"))
    assert [(note.code, sorted(note.values.values())) for note in notes_on(found, "a.csv")] == [
        ("clips.column_a_tag", ["a.csv", "singer, no voice"]),
        ("clips.columns_aside", ["a.csv", "clip_id"]),
    ]


def test_recordings_and_times_are_read_as_in_other_sheets():
    text = "file,recording,start,end,drum,flute\nn.wav,one,0:10,0:20,1,0\nn.wav,two,30,40.5,1,1\n"
    assert read_labels(text.encode(), "sheet.csv", CLIP_LIMITS).rows == (
        Row("n.wav", "drum", "one", "", 10.0, 20.0),
        Row("n.wav", "drum|flute", "two", "", 30.0, 40.5),
    )


def test_a_workbook_is_read_too():
    openpyxl = pytest.importorskip("openpyxl")
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in (["file", "drum", "voice, high"], ["a.wav", True, 1], ["b.wav", None, 0]):
        book.active.append(line)
    book.save(out)
    found = read_labels(out.getvalue(), "sheet.xlsx", CLIP_LIMITS)
    assert found.rows == (Row("a.wav", 'drum|"voice, high"'), Row("b.wav", ""))


@pytest.mark.parametrize(
    "text",
    [
        "file,drum\na.wav,0.7\nb.wav,0.1\n",  # how sure a program is
        "file,year\na.wav,1999\nb.wav,2001\n",
        "file,drum\na.wav,0\nb.wav,0\n",  # nobody has it
        "name,genre\na.wav,x\n",  # what a genre is called
        "drum,flute\n1,0\n0,1\n",  # of what?
        "file,drum\n",
        "a.wav,1\nb.wav,0\n",
    ],
)
def test_what_is_no_such_sheet_is_refused_as_before(text: str):
    assert read(text) is None
    with pytest.raises(ClipsError):
        read_labels(text.encode(), "sheet.csv", CLIP_LIMITS)
