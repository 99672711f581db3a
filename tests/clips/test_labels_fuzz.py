"""Broken and hostile label files, sheets, workbooks, zips and visits: a sentence or labels, and nothing half-added."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from sound_damage import mutations
from test_clips import wav, zipped
from test_visit import some, tone
from text_damage import text_damaged, zip_damaged

from mirdemo.clips import CLIP_LIMITS, ClipsError, LabelledClips
from mirdemo.clips.annotations import KINDS, write_annotations
from mirdemo.clips.label_files import read_labels
from mirdemo.clips.segments import Segment
from mirdemo.clips.sheets import Row, write_sheet
from mirdemo.clips.visit import read_visit, write_visit
from mirdemo.words.language import speaker

MUTATIONS = mutations(100)
LONGEST_SECONDS = 5.0  # of the processor: others' work does not count
JAPANESE = speaker("ja").say
SEGMENTS = [Segment(0.0, 0.2, "taiko"), Segment(0.1, 0.4, "笛, slow"), Segment(0.3, 0.5, "taiko")]
TEXTS: dict[str, tuple[str, bytes]] = {
    **{kind: (f"a{ending}", write_annotations(SEGMENTS, kind, "a.wav")) for kind, ending in KINDS.items()},
    "textgrid, short": (
        "a.TextGrid",
        b'File type = "ooTextFile short"\n"TextGrid"\n0\n1\n<exists>\n1\n"IntervalTier"\n"t"\n0\n1\n2\n0\n0.5\n"x"\n0.5\n1\n""\n',
    ),
    "sonic visualiser's csv": ("a.csv", b"0.1,0.2,flute\n0.3,0.2,drum\n"),
    "elan with a header": ("a.txt", b"Tier\tBegin Time - ss.msec\tEnd Time - ss.msec\tlabel\nt\t0.1\t0.2\tx\n"),
    "sheet": (
        "labels.csv",
        write_sheet([Row("a.wav", "x|y", "r", "s"), Row("b.wav", '"a, b"', "q"), Row("c.wav", "")]),
    ),
    "sheet with spans": ("labels.csv", write_sheet([Row("a.wav", "x", "", "", 0.1, 0.3), Row("b.wav", "z")])),
    "kaleidoscope's": (
        "k.csv",
        b"INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name\n/x,y,a.wav,0.1,0.2,Fl,flute\n/x,y,a.wav,0.3,0.1,Dr,drum\n",
    ),
    "tab-separated sheet": ("labels.tsv", "file\ttags\na.wav\tflöte\nb.wav\t['x', 'y']\n".encode()),
}  # fmt: skip


def workbook() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for cells in (["file", "tags", "start", "end"], ["a.wav", "x; y", 0.1, 0.3], ["b.wav", "笛", None, None]):
        book.active.append(cells)
    book.save(stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def there() -> LabelledClips:
    return LabelledClips.from_files([("a.wav", wav(1)), ("b.wav", wav(2)), ("c.wav", wav(3))], "old")


def told(clips: LabelledClips) -> tuple:
    return [clip.sha256 for clip in clips.clips], clips.tags, clips.labels.tolist(), clips.recordings


def survive(read: Callable[[bytes], object], data: bytes, say: Callable = JAPANESE) -> str:
    """What became of it: "read", or "refused" with a sentence in both languages; anything else fails."""
    start = time.process_time()
    try:
        found = read(data)
    except ClipsError as error:
        outcome, sentences = "refused", [error.sentence]
    else:
        outcome, sentences = "read", []
        if isinstance(found, LabelledClips):
            assert found.labels.shape == (len(found), len(found.tags))
            sentences = list(found.problems)
    assert all(str(one) and say(one) for one in sentences)
    assert time.process_time() - start < LONGEST_SECONDS
    return outcome


@pytest.mark.parametrize("kind", TEXTS)
def test_mutated_label_files_are_read_or_refused_and_change_nothing_halfway(kind: str, there: LabelledClips):
    name, data = TEXTS[kind]
    assert survive(lambda data: read_labels(data, name, CLIP_LIMITS), data) == "read"
    before, outcomes = told(there), Counter[str]()
    for number in range(MUTATIONS):
        broken = text_damaged(data, np.random.default_rng([sum(kind.encode()), number]))
        outcomes[survive(lambda data: read_labels(data, name, CLIP_LIMITS), broken)] += 1
        if number % 10 == 0:
            survive(lambda data: there.label_by(data, name), broken)
            assert told(there) == before
    assert min(outcomes["read"], outcomes["refused"]) > MUTATIONS // 50, outcomes


def test_mutated_workbooks_are_read_or_refused(there: LabelledClips):
    data, outcomes = workbook(), Counter[str]()
    for number in range(MUTATIONS):
        broken = zip_damaged(data, np.random.default_rng([1, number]))
        outcomes[survive(lambda data: there.label_by(data, "labels.xlsx"), broken)] += 1
    assert min(outcomes["read"], outcomes["refused"]) > MUTATIONS // 50, outcomes


def test_mutated_zips_are_read_or_refused():
    data = zipped(
        {"taiko/a.wav": wav(1), "笛/b.wav": wav(2), "kane/c.wav": wav(3), "notes.txt": b"hello"}
    )  # fmt: skip
    with_sheet = zipped({"a.wav": wav(1), "b.wav": wav(2), "labels.csv": TEXTS["sheet"][1]})
    outcomes = Counter[str]()
    for number in range(MUTATIONS):
        rng = np.random.default_rng([2, number])
        broken = zip_damaged(with_sheet if number % 2 else data, rng)
        outcomes[survive(LabelledClips.from_zip, broken)] += 1
    assert min(outcomes["read"], outcomes["refused"]) > MUTATIONS // 50, outcomes


def test_a_mutated_visit_is_whole_or_refused():
    stream, clips = io.BytesIO(), some()
    write_visit(
        stream,
        clips,
        {"plan": {"hour": 20.0}},
        {"rows": np.zeros((2, 3), np.float32)},
        [tone(600, "query.wav")],
    )
    data, outcomes = stream.getvalue(), Counter[str]()

    def read(data: bytes) -> LabelledClips:
        visit = read_visit(data, "visit.zip")
        assert told(visit.labelled()) == told(clips)  # every part has its checksum: nothing else is let in
        return visit.labelled()

    for number in range(MUTATIONS):
        outcomes[survive(read, zip_damaged(data, np.random.default_rng([3, number])))] += 1
    assert outcomes["refused"] > MUTATIONS // 2, outcomes
