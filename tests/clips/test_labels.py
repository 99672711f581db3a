"""Labels stay what they were: in every encoding, path, cell and kind of file that spreadsheets and annotators write."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sound_files import by_soundfile
from test_clips import clip, codes, refusal, shown, tree, wav, zipped

from mirdemo.clips import ClipsError, LabelledClips, encodings
from mirdemo.clips.annotations import KINDS, annotated_stem, read_annotations, write_annotations
from mirdemo.clips.encodings import Decoded, decode
from mirdemo.clips.label_files import read_labels, said_of
from mirdemo.clips.limits import CLIP_LIMITS
from mirdemo.clips.segments import NEAR, Piece, Segment, pieces
from mirdemo.clips.sheets import Row, read_sheet, seconds_of, write_sheet
from mirdemo.clips.tags import typed_tags, written_tags

# ---- encodings ------------------------------------------------------------------------------------------

TEXTS = [
    ("cp1252", "Männerchor;trägt;Bär;größer"),
    ("cp1252", "café chantant"),
    ("cp1252", "flûte à bec;señal;niño;canção"),
    ("cp1252", "spelmanslåt;fløyte"),
    ("cp1252", "þjóðlag;söngur"),
    ("cp1254", "bağlama;şarkı"),
    ("cp1254", "türkü;kemençe;çalgı"),
    ("cp1250", "lidová píseň;křídlovka"),
    ("cp1250", "źródło;pieśń łowicka"),
    ("cp1250", "népdal hegedű"),
    ("cp1251", "народная песня"),
    ("cp1253", "ρεμπέτικο;μπουζούκι"),
    ("cp1256", "موسيقى;عود"),
    ("cp1255", "שיר עם"),
    ("cp874", "เพลงพื้นบ้าน"),
    ("cp932", "太鼓"),
    ("cp932", "Aso祭;ﾀｲｺ;遅い"),
    ("euc_jp", "太鼓;まつり"),
    ("gb18030", "古筝;二胡;民歌"),
    ("big5", "古箏;民歌"),
    ("cp949", "판소리;가야금"),
    ("utf-16-le", "太鼓;笛"),
    ("cp1250", "tamburica;čuvar;šargija"),
    ("cp1250", "fluier;cântec;bătaie;doină;învârtită"),
    ("cp1257", "šventė;žvėris;ąžuolas"),
    ("cp1257", "bērnu;šūpuļ;ģitāra;ķēde"),
    ("cp1253", "λύρα;νησιώτικο;χορός"),
    ("cp1255", "חליל;תוף;ניגון"),
    ("iso2022_jp", "太鼓;笛"),
    ("mac_roman", "Großer Männerchor;Flöte"),
    ("mac_roman", "Tänze;Glühwein"),
    ("gb18030", "二胡;古琴"),
    ("cp949", "아리랑;꽹과리;해금"),
    ("cp1255", "עוד;תוף"),
    ("cp932", "live版;リミックス"),
    ("cp932", "津軽三味線solo;笛"),
    ("koi8_r", "барабан;флейта"),
    ("koi8_r", "хор;гармонь;пляска"),
    ("koi8_r", "гусли;песня"),
    ("euc_jp", "太鼓;篠笛"),
    ("euc_jp", "三味線;笛"),
    ("cp949", "장구;꽹과리;북"),
    ("cp874", "ฆ้อง;ระนาด"),
    ("cp874", "กลอง;ขลุ่ย"),
    ("gb18030", "锣鼓;笛子"),
    ("cp1250", "bębny;śpiew"),
    ("iso2022_kr", "장구;북"),
    ("hz", "锣鼓;笛子"),
    ("cp1255", "כינור;ניגון"),
    ("cp1252", "ŒUVRE;opéra"),
    ("cp1252", "Œdipe;opéra;œuvre;forró"),
    *(
        ("cp1254", "ışık"),
        ("cp857", "türkü;kemençe;ağıt"),
        ("cp866", "народная;песня"),
        ("cp866", "гусли;хор"),
    ),
    *(
        ("cp437", "Flöte;Bär"),
        ("cp852", "źródło;pieśń;śpiew"),
        ("cp862", "חליל;תוף"),
        ("cp775", "šventė;žvėris"),
    ),
    ("cp737", "ρεμπέτικο;λύρα"),
    *(("utf-8", "live版"), ("utf-8", "A面;B面"), ("utf-8", "øst"), ("utf-8", "żniwa"), ("utf-8", "북")),
    *(
        ("utf-8-sig", "太鼓"),
        ("ascii", "drum+flute-solo;a+b"),
        ("ascii", "drums+aac;voice"),
        ("utf-7", "Männerchor;drum+flute"),
        ("utf-7", "太鼓;笛"),
    ),
]


@pytest.mark.parametrize(("encoding", "words"), TEXTS)
def test_a_sheet_is_read_in_the_encoding_it_was_written_in(encoding: str, words: str):
    lines = "".join(f"{number}.wav,{word}\n" for number, word in enumerate(words.split(";")))
    sheet = read_sheet(("file,tags\n" + lines).encode(encoding), "labels.csv")
    assert [row.tags for row in sheet.rows] == words.split(";")


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("mac_roman", "Männerchor;français"), ("cp1258", "đàn tranh"), ("koi8_r", "гусли"), ("euc_jp", "三味線")],
)  # fmt: skip
def test_what_two_words_do_not_tell_is_offered_to_choose(encoding: str, words: str):
    lines = "".join(f"{number}.wav,{word}\n" for number, word in enumerate(words.split(";")))
    data = ("file,tags\n" + lines).encode(encoding)
    guess = decode(data)
    assert all(word in data.decode(encoding) for word in words.split(";"))
    assert encoding in (guess.encoding, *guess.others)


@pytest.mark.parametrize("damage", ["lost", "changed", "more"])
@pytest.mark.parametrize(
    "words", ["Männerchor;trägt;Bär", "太鼓;篠笛", "народная;песня", "bağlama;şarkı;türkü"]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_one_broken_byte_does_not_change_the_other_letters_of_a_sheet_and_is_told(
    damage: str, words: str, mark: str
):
    whole = (
        mark + "file,tags\n" + "".join(f"{at}.wav,{one}\n" for at, one in enumerate(words.split(";")))
    ).encode()
    files = {f"{at}.wav": wav(at) for at in range(len(words.split(";")))}
    spots = [at for at, byte in enumerate(whole) if byte > 127 and at > 2]
    for at in (spots[0], spots[1], spots[-1]):
        data = bytearray(whole)
        data[at : at + (damage != "more")] = b"" if damage == "lost" else b"\xff"
        clips = LabelledClips.from_csv(bytes(data), files)
        assert codes(clips) == ["clips.letters_lost"]
        broken = [tag for tag in clips.tags if "\ufffd" in tag]
        assert len(broken) == 1
        assert broken[0] in str(clips.problems[0])
        assert set(clips.tags) - set(broken) < set(words.split(";"))


def test_what_may_be_utf_8_by_chance_or_in_seven_bits_is_a_guess_that_is_told():
    files = {"0.wav": wav(0)}
    for data, encoding in (
        ("file,tags\n0.wav,píšťala\n".encode("cp1250"), "cp1250"),
        ("file,tags\n0.wav,笛\n".encode("euc_jp"), "euc_jp"),
        ("file,tags\n0.wav,Flöte\n".encode("utf-7"), "ascii"),
    ):
        clips = LabelledClips.from_csv(data, files)
        assert codes(clips) == ["clips.encoding_guessed"]
        assert encoding in clips.problems[0].values["others"].split()
        back = clips.respelt(clips.problems[0].values["codec"], encoding)
        assert back.tags == (data.decode(encoding).split(",")[-1].strip(),)


@pytest.mark.parametrize("word", ["Flöte", "canção", "hegedű", "şarkı", "太鼓", "песня", "장구"])
def test_one_word_in_utf_8_with_a_broken_byte_is_a_guess_that_is_told(word: str):
    """Another encoding may give a letter there: ``Fl\\xb6te`` is Flśte in ISO-8859-2."""
    whole = f"file,tags\n0.wav,{word}\n".encode()
    beyond = [at for at, byte in enumerate(whole) if byte > 127]
    for at in beyond:
        for broken in (b"", b"\xe4", b"a", b"/", bytes([whole[at] ^ 32])):
            data = whole[:at] + broken + whole[at + 1 :]
            read = decode(data, ["0.wav"])
            try:
                data.decode()
            except UnicodeDecodeError:
                assert read is None or "\ufffd" in read.text or read.others, (data, read)
    assert decode(whole) == Decoded(whole.decode(), "utf-8")


def test_a_plus_sign_in_the_name_of_a_file_that_is_there_is_one():
    name = "taiko+bBGLIQ.wav"  # letters of UTF-7 by its form
    text = f"file,tags\n{name},slow\n"
    assert decode(text.encode()).text != text
    assert decode(text.encode(), [name]).text == text


def test_of_a_large_text_only_so_much_is_judged(monkeypatch: pytest.MonkeyPatch):
    """Each candidate looks at each letter: megabytes in one line, as programs write JSON, took minutes."""
    judged = []
    monkeypatch.setattr(
        encodings,
        "judge",
        lambda one, lines, judge=encodings.judge: judged.append(len("".join(lines))) or judge(one, lines),
    )
    words = [f"Männerchor{number}" for number in range(20_000)]
    sheet = "file,tags\n" + "".join(f"a.wav,{word}\n" for word in words)
    assert decode(json.dumps(words, ensure_ascii=False).encode("cp1252")).encoding == "cp1252"
    assert decode(sheet.encode("utf-7")).text == sheet
    assert decode(("ä" * 200_000).encode("cp1252")) is not None
    assert 0 < max(judged) < 20_000


def test_letters_of_an_annotation_file_that_are_guessed_or_lost_are_told():
    clips = LabelledClips.from_files([("night.wav", wav(1, 2.0))])
    for text, code in (
        ("0.1\t0.9\tbağlama\n".encode("cp1254"), "clips.encoding_guessed"),
        ("0.1\t0.9\t太鼓\n1\t1.5\t笛\n".encode()[:-2] + b"\n", "clips.letters_lost"),
    ):
        assert codes(clips.label_by(text, "night.txt")) == [code]
        assert code in codes(LabelledClips.from_zip(zipped({"night.wav": wav(1, 2.0), "night.txt": text})))


def test_letters_that_are_lost_in_the_names_of_a_zip_are_told():
    data = zipped({"xxxx/a.wav": wav(1), "yyyyyyyyy/b.wav": wav(2)})
    data = data.replace(b"yyyyyyyyy", "三味線".encode()).replace(b"xxxx", "笛".encode() + b"\xe7")
    clips = LabelledClips.from_zip(data)
    assert codes(clips) == ["clips.letters_lost"]
    assert clips.tags == ("三味線", "笛\ufffd")


def test_names_of_files_that_are_there_decide():
    said = "file,tags\nÐ.wav,x\n".encode("cp1252")
    assert decode(said, names=["Ğ.wav"]).encoding == "cp1254"
    assert decode(said, names=["Ð.wav"]).encoding == "cp1252"


def test_words_that_clips_have_already_decide_how_a_sheet_is_read():
    sheet = "file;tags\na.wav;þýð\n".encode("cp1252")
    plain = LabelledClips.from_files([("a.wav", wav(1)), ("b.wav", wav(2))])
    assert plain.label_by(sheet, "labels.csv").tags != ("þýð",), "a guess"
    assert plain.tag([1], "þýð").label_by(sheet, "labels.csv").tags == ("þýð",)


def test_a_guess_is_told_where_another_was_possible():
    sheet = "file;tags\na.wav;bağlama\n".encode("cp1254")
    clips = LabelledClips.from_csv(sheet, {"a.wav": wav(1)})
    assert clips.tags == ("bağlama",)
    assert codes(clips) == ["clips.encoding_guessed"]
    assert "bağlama" in str(clips.problems[0])
    plain = LabelledClips.from_csv("file,tags\na.wav,太鼓\n".encode(), {"a.wav": wav(1)})
    assert codes(plain) == []


@pytest.mark.parametrize(
    ("encoding", "folders"),
    [
        ("cp850", "Flöte pièces niño"),
        ("cp437", "Flöte pièces"),
        ("cp932", "太鼓 笛"),
        ("cp866", "народная песня"),
        ("cp852", "źródło pieśń skrzypce"),
        ("cp852", "píseň křídlovka čardáš"),
        ("cp857", "bağlama türkü şarkı"),
        ("cp737", "λύρα κλαρίνο χορός"),
        ("cp775", "šventė žvėris"),
        ("cp862", "חליל ניגון"),
    ],
)
def test_names_in_a_zip_are_read_together(encoding: str, folders: str):
    marks = [f"{'x' * len(name.encode(encoding))}{at}" for at, name in enumerate(folders.split())]
    data = zipped({f"{mark}/{at}.wav": wav(at) for at, mark in enumerate(marks)})
    for mark, name in zip(marks, folders.split(), strict=True):
        data = data.replace(mark.encode(), name.encode(encoding) + mark[-1:].encode())
    assert LabelledClips.from_zip(data).tags == tuple(
        sorted(f"{name}{at}" for at, name in enumerate(folders.split()))
    )


def test_the_unicode_field_of_a_zip_names_its_entry_and_no_other():
    for crc, tag in ((zlib.crc32(b"taiko/a.wav"), "太鼓"), (1, "taiko")):
        field = struct.pack("<BI", 1, crc) + "太鼓/a.wav".encode()
        entry = zipfile.ZipInfo("taiko/a.wav")
        entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(entry, wav(1))
            archive.writestr("kane/b.wav", wav(2))
        assert LabelledClips.from_zip(stream.getvalue()).tags == tuple(sorted(("kane", tag)))


# ---- cells ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("['flute', 'slow']", ("flute", "slow")),
        ('["flute", "slow"]', ("flute", "slow")),
        ("{'flute', 'slow'}", ("flute", "slow")),
        ("guitar,plucked", ("guitar", "plucked")),
        ("guitar\nplucked\r\nslow", ("guitar", "plucked", "slow")),
        ("太鼓、笛；速い", ("太鼓", "笛", "速い")),
        ("太鼓|voice, high", ("太鼓", "voice, high")),
        ('"voice, high"; drum', ("voice, high", "drum")),
        *((nothing, ()) for nothing in ("", "[]", "NA", "n/a", "NaN", "None", "null", "-", " ", "なし")),
        ("NA; drum", ("drum",)),
        ("(live) drum", ("(live) drum",)),
        ("drum [fast]", ("drum [fast]",)),
        ("don't", ("don't",)),
        ("['flute' 'slow']", ("flute", "slow")),
        ("array(['flute', 'slow'], dtype=object)", ("flute", "slow")),
        ("frozenset({'flute'})", ("flute",)),
        ("('flute',)", ("flute",)),
        (r"""['it\'s', "b"]""", ("it's", "b")),
        (r'["caf\u00e9", "\ud83e\udd41"]', ("café", "🥁")),
        ("[None, 'drum', nan]", ("drum",)),
        ("[['flute'], ['slow', 'flute']]", ("flute", "slow")),
        ('{"flute": 1, "drum": 0, "slow": true, "fast": false}', ("flute", "slow")),
        ("{'flute': 0.0, 'drum': 1.0}", ("drum",)),
        ("voice (high, male); drum", ("voice (high, male)", "drum")),
        ("voice (high, drum", ("voice (high", "drum")),
        *(
            (nothing, ())
            for nothing in ("set()", "<NA>", "#N/A", "k.A.", "none of these", "どれでもない", "--")
        ),
    ],
)
def test_one_grammar_for_typed_and_read_tags(cell: str, tags: tuple[str, ...]):
    assert typed_tags(cell) == tags
    sheet = read_sheet(write_sheet([Row("a.wav", cell)]), "x.csv")
    assert typed_tags(sheet.rows[0].tags if sheet.rows else "") == tags


words = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Co", "Cn")), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.lists(words, max_size=5))
@example(['0"', '1"'])
@example(["don't", "can't"])
@example(["'a'", 'b"c', "=x", "|", "[x]", "NA"])
def test_tags_in_a_cell_read_back(tags: list[str]):
    try:
        clips = LabelledClips.from_clips([clip(1, "a.wav")], [tags], ["r"], ["evening"])
    except ClipsError:
        return
    again = LabelledClips.from_csv(clips.as_sheet(), {"a.wav": wav(1)})
    assert again.tags == clips.tags
    assert typed_tags(written_tags(clips.tags)) == clips.tags
    assert (again.recordings, again.sessions) == (("r",), ("evening",))


# ---- sheets ---------------------------------------------------------------------------------------------


def test_a_line_may_say_what_separates(tmp_path: Path):
    for line in ("sep=;\n", '"sep=;"\r\n'):
        rows = read_sheet(f"{line}file;tags\na.wav;x,y\n".encode(), "x.csv").rows
        assert [(row.file, row.tags) for row in rows] == [("a.wav", "x,y")]


def test_a_sheet_may_be_tsv_or_a_workbook_and_lie_in_a_zip():
    openpyxl = pytest.importorskip("openpyxl")
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["notes"])
    sheet = book.create_sheet("labels")
    for cells in (
        ["File", "Tags", "Recording", "Session"],
        ["a.wav", "太鼓; 速い", 12.0, "evening"],
        ["b.wav", None],
    ):
        sheet.append(cells)
    book.save(stream)
    made = {"labels.tsv": b"file\ttags\na.wav\tx\nb.wav\t\n", "labels.xlsx": stream.getvalue()}
    for name, tags in (("labels.tsv", ("x",)), ("labels.xlsx", ("太鼓", "速い"))):
        clips = LabelledClips.from_zip(zipped({"a.wav": wav(1), "b.wav": wav(2), name: made[name]}))
        assert shown(clips) == {"a.wav": tags, "b.wav": ()}
    assert clips.recordings == ("12", "b")
    assert clips.sessions == ("evening", "")
    assert refusal(lambda: LabelledClips.from_csv(b"PK\x03\x04damaged", {})) == "clips.sheet_damaged"


def test_a_sheet_that_cannot_be_used_never_makes_clips_negatives(tmp_path: Path):
    bad = b"name,genre\na.wav,x\n"
    assert (
        refusal(lambda: LabelledClips.from_zip(zipped({"a.wav": wav(1), "labels.csv": bad})))
        == "clips.sheet_header"
    )
    tree(tmp_path, **{"taiko/a.wav": wav(1), "taiko/about.csv": bad})
    clips = LabelledClips.from_folder(tmp_path)
    assert shown(clips) == {"a.wav": ("taiko",)}
    assert codes(clips) == ["clips.sheet_header"]


def test_paths_are_matched_by_their_longest_common_end():
    files = {"x/taiko/a.wav": wav(1), "x/kane/a.wav": wav(2), "y/kane/b.wav": wav(3), "z/c d.mp3": wav(4)}
    sheet = "file,tags\nC:\\music\\kane\\a.wav,one\n/home/me/kane/b.wav,two\nfile:///z/c%20d.mp3,three\ntaiko/A,four\n"
    clips = LabelledClips.from_csv(sheet.encode(), files)
    assert sorted(clips.tags) == ["four", "one", "three", "two"]
    assert clips.problems == ()
    assert codes(LabelledClips.from_csv(b"file,tags\na.wav,x\nc d.wav,y\n", files)) == [
        "clips.several_files",
        "clips.not_in_sheet",
    ]
    assert (
        codes(LabelledClips.from_csv(b"file,tags\nb.txt,x\nb.flac,y\n", files))[0] == "clips.file_not_found"
    )


@pytest.mark.parametrize("kind", ["7z", "rar", "gzip", "tar", "lzh", "iso", "dmg"])
def test_another_archive_is_called_what_it_is(kind: str):
    head = {
        "7z": b"7z\xbc\xaf\x27\x1c",
        "rar": b"Rar!\x1a\x07\x00",
        "gzip": b"\x1f\x8b\x08",
        "tar": bytes(257) + b"ustar",
        "lzh": b"\x24\x10-lh5-",
        "iso": bytes(32_769) + b"CD001",
        "dmg": bytes(700) + b"koly",
    }
    data = head[kind] + bytes(508 if kind == "dmg" else 900)
    assert codes(LabelledClips.from_files([(f"set.{kind}", data)])) == ["clips.other_archive"]
    assert refusal(lambda: LabelledClips.from_zip(data, "set.zip")) == "clips.other_archive"


def test_a_top_folder_may_hold_a_colon_but_no_drive():
    clips = LabelledClips.from_zip(
        zipped({"Fest 10:30/taiko/a.wav": wav(1), "Fest 10:30/kane/b.wav": wav(2)})
    )
    assert clips.tags == ("kane", "taiko")
    sides = LabelledClips.from_zip(zipped({"A: side/taiko/a.wav": wav(1), "A: side/kane/b.wav": wav(2)}))
    assert sides.tags == ("kane", "taiko")
    drive = zipped({"C:/taiko/a.wav": wav(1), "kane/b.wav": wav(2)})
    assert codes(LabelledClips.from_zip(drive)) == ["clips.unsafe_path"]


def test_a_sheet_labels_the_clips_that_are_there():
    clips = LabelledClips.from_files([("a.wav", wav(1, 1.0)), ("b.wav", wav(2)), ("c.wav", wav(3))], "old")
    sheet = b"file,tags,recording,session\nx/a.wav,new,r,s\nB,more,,\nz.wav,no,,\n"
    labelled = clips.label_by(sheet, "labels.csv")
    assert shown(labelled) == {"a.wav": ("new", "old"), "b.wav": ("more", "old"), "c.wav": ("old",)}
    assert (labelled.recordings, labelled.sessions) == (("r", "b", "c"), ("s", "", ""))
    assert codes(labelled) == ["clips.file_not_found"]
    cut = clips.label_by(b"0.1\t0.4\tflute\n0.6\t0.9\tdrum\n", "a.txt")
    assert [cut.tags_of(row) for row in range(6)] == [
        ("old",), ("flute", "old"), ("old",), ("drum", "old"), ("old",), ("old",),
    ]  # fmt: skip
    assert len(set(cut.recordings)) == 3


# ---- segments -------------------------------------------------------------------------------------------


def test_segments_become_clips_of_their_recording():
    sheet = b"file,start,end,label\nnight.wav,0,0:00:01,flute\nnight.wav,0.5,1.5,drum\nnight.wav,1.5,2,NA\nb.wav,0,9,drum\n"
    clips = LabelledClips.from_csv(sheet, {"night.wav": wav(1, 2.5), "b.wav": wav(2)})
    assert [
        (c.name, c.start_seconds, round(c.seconds, 3), clips.tags_of(row))
        for row, c in enumerate(clips.clips)
    ] == [
        ("night.wav", 0.0, 0.5, ("flute",)),
        ("night.wav", 0.5, 0.5, ("drum", "flute")),
        ("night.wav", 1.0, 0.5, ("drum",)),
        ("night.wav", 1.5, 0.5, ()),
        ("b.wav", 0.0, 0.05, ("drum",)),
    ]
    assert clips.recordings == ("night",) * 4 + ("b",)
    again = LabelledClips.from_csv(clips.as_sheet(), {"night.wav": wav(1, 2.5), "b.wav": wav(2)})
    assert [c.sha256 for c in again.clips] == [c.sha256 for c in clips.clips]
    assert again.labels.tolist() == clips.labels.tolist()


@pytest.mark.parametrize(
    "header",
    [
        *(
            "file,start,end,label",
            "filename\tonset\toffset\tevent_label",
            "audio_file;start_time;end_time;class",
        ),
        *("file_name,start_sec,end_sec,tag", "Wav,Begin Time (s),Stop [s],Category", "file,t0,t1,tags"),
        *(
            "ファイル名,開始（秒）,終了（秒）,タグ",
            "datei;beginn;ende;schlagwörter",
            "file,start (ms),end (ms),label",
        ),
    ],
)
def test_columns_of_times_are_understood_as_people_call_them(header: str):
    separator = next(sign for sign in "\t;," if sign in header)
    unit = 1000 if "ms" in header else 1
    row = separator.join(["a.wav", f"{0.125 * unit:g}", f"{0.25 * unit:g}", "flute"])
    clips = LabelledClips.from_csv(f"{header}\n{row}\n".encode(), {"a.wav": wav(1, 0.5)})
    assert [(c.start_seconds, c.seconds) for c in clips.clips] == [(0.125, 0.125)]
    assert clips.tags == ("flute",)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("file,start_frame,end_frame,label", "clips.sheet_times"),
        ("file,time,label", "clips.sheet_times"),
        ("file,onset,duration,trial_type", "clips.sheet_header"),
    ],
)
def test_labels_of_parts_never_become_labels_of_the_whole_or_none(header: str, code: str):
    row = ",".join(["a.wav", "0.1", "0.2", "flute"][: header.count(",") + 1])
    assert refusal(lambda: LabelledClips.from_csv(f"{header}\n{row}\n".encode(), {"a.wav": wav(1)})) == code


def test_labels_of_a_moment_or_behind_the_end_are_told():
    sheet = b"file,start,end,label\na.wav,0.1,0.1,x\na.wav,0,0.2,y\na.wav,9,10,z\n"
    clips = LabelledClips.from_csv(sheet, {"a.wav": wav(1, 0.5)})
    assert clips.tags == ("y",)
    assert codes(clips) == ["clips.some_labels_behind", "clips.labels_of_a_moment"]


def test_tags_that_nobody_put_into_quotes_are_kept_or_refused():
    loose = LabelledClips.from_csv(b"file;tags\na.wav;x;y\n", {"a.wav": wav(1)})
    assert loose.tags == ("x", "y")
    sheet = b"file;tags;recording\na.wav;x;y;r\n"
    assert refusal(lambda: LabelledClips.from_csv(sheet, {"a.wav": wav(1)})) == "clips.sheet_cells"


def test_titles_may_stand_above_the_columns():
    sheet = b"Festival 2026,,\n\nfile,tags\na.wav,x\n"
    assert LabelledClips.from_csv(sheet, {"a.wav": wav(1)}).tags == ("x",)


@pytest.mark.parametrize("name", ["labels.xls", "labels.ods", "Labels.NUMBERS", "labels.json", "empty.csv"])
def test_labels_of_another_kind_and_empty_ones_never_make_clips_negatives(name: str):
    code = "clips.sheet_empty" if name == "empty.csv" else "clips.other_sheet"
    content = b"file,tags\n" if name == "empty.csv" else b"{}"
    flat = zipped({"a.wav": wav(1), name: content})
    assert refusal(lambda: LabelledClips.from_zip(flat)) == code
    folders = LabelledClips.from_zip(zipped({"taiko/a.wav": wav(1), "taiko/x/b.wav": wav(2), name: content}))
    assert (folders.tags, codes(folders)) == (("taiko", "x"), [code])


def test_names_in_a_zip_that_are_in_doubt_are_told_and_can_be_read_anew():
    data = zipped({"xx/a.wav": wav(1)}).replace(b"xx/", "笛/".encode("cp932"))
    clips = LabelledClips.from_zip(data)
    assert codes(clips) == ["clips.names_guessed"]
    told = clips.problems[0].values
    assert "cp932" in (told["codec"], *told["others"].split())
    assert clips.respelt(told["codec"], "cp932").tags == ("笛",)


def test_pieces_that_sound_alike_keep_the_labels_of_each():
    tone = by_soundfile(
        np.tile(np.sin(np.arange(80) / 80 * 2 * np.pi), 100)[:, None] * 0.4, 8_000, "WAV", "PCM_16"
    )
    sheet = b"file,start,end,label\na.wav,0,0.2,flute\na.wav,0.3,0.5,drum\n"
    clips = LabelledClips.from_csv(sheet, {"a.wav": tone})
    assert [clips.tags_of(row) for row in range(len(clips))] == [("flute",), ("drum",)]
    assert clips.problems == ()


@pytest.mark.parametrize(("start", "end"), [("2", "1"), ("x", "1"), ("1", ""), ("-1", "1")])
def test_a_span_that_is_none_is_refused(start: str, end: str):
    sheet = f"file,start,end,label\na.wav,{start},{end},x\n".encode()
    assert refusal(lambda: LabelledClips.from_csv(sheet, {"a.wav": wav(1)})) == "clips.sheet_span"


def test_times_are_read_as_people_write_them():
    told = ["12.5", "12,5", "1:02.5", "0:01:02", "3 s", "", "x", "1:2:3:4"]
    assert [seconds_of(cell) for cell in told] == [12.5, 12.5, 62.5, 62.0, 3.0, None, None, None]


spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20), st.sampled_from(["a", "b", "c"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(spans)
def test_pieces_say_of_every_moment_what_the_segments_say(told: list[tuple[int, int, str]]):
    found = pieces([(start, start + length, [label]) for start, length, label in told], 100.0)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for moment in np.arange(0.5, 61):
        wanted = {label for start, length, label in told if start < moment < start + length}
        here = [set(piece.labels) for piece in found if piece.start < moment < piece.end]
        assert here == ([wanted] if wanted else [])


def test_edges_that_nearly_meet_leave_no_sliver():
    found = pieces([(0, 1, ["a"]), (1 - NEAR / 2, 2, ["b"]), (5, 9, [])], 6.0)
    assert [piece.labels for piece in found] == [("a",), ("b",), ()]
    assert found[-1] == Piece(5, 6.0, ())


labels = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=10
).filter(lambda text: text.strip() and text.split() == text.split(" "))
micro = st.integers(0, 10_000_000).map(lambda n: n / 1e6)


def _told(segments) -> list[tuple[float, float, str]]:
    return sorted((round(one.start, 6), round(one.end, 6), one.label) for one in segments)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(micro, st.integers(1, 5_000_000), labels), min_size=1, max_size=6))
@example([(0.0, 1_500_000, "taiko"), (1.0, 1_000_000, '笛 "x" | a, b'), (0.5, 700_000, "taiko")])
@example([(0.0, 1_000_000, '"')])
@example([(0.0, 1_000_000, "none"), (2.0, 1_000_000, "a, b"), (4.0, 1_000_000, "['x']")])
def test_segments_written_read_back(kind: str, told: list[tuple[float, int, str]]):
    segments = [Segment(start, round(start + length / 1e6, 6), label) for start, length, label in told]
    data = write_annotations(segments, kind, "night.wav")
    name = "night" + KINDS[kind]
    rows = (read_sheet if kind == "csv" else read_annotations)(data, name).rows
    assert {row.file for row in rows} <= {"night", "night.wav"}
    said = [typed_tags(row.tags) or ("",) for row in rows]
    cleaned = [
        (typed_tags(written_tags([label])) or ("",)) for _, _, label in told
    ]  # cells of tags: labels come cleaned
    segments = [Segment(one.start, one.end, label) for one, (label,) in zip(segments, cleaned, strict=True)]
    assert sorted((row.start, row.end, *tags) for row, tags in zip(rows, said, strict=True)) == _told(
        segments
    )


@pytest.mark.parametrize("segments", [[], [Segment(1.0, 2.0, "taiko")]])
def test_kinds_that_say_how_long_a_recording_is_say_its_length(segments: list[Segment]):
    grid = write_annotations(segments, "textgrid", "a.wav", 10_800.0).decode()
    assert set(re.findall(r"^ *xmax = ([\d.]+)$", grid.split("intervals [")[0], re.M)) == {"10800.000000"}
    assert re.findall(r"xmax = ([\d.]+)", grid)[-1] == "10800.000000", "intervals fill each tier"
    assert "size = 0" not in grid
    jams = json.loads(write_annotations(segments, "jams", "a.wav", 10_800.0))
    assert (jams["file_metadata"]["duration"], jams["annotations"][0]["duration"]) == (10_800.0, 10_800.0)
    assert len(read_annotations(grid.encode(), "a.TextGrid").rows) == len(segments)


@pytest.mark.parametrize("between", [" ", "\t"])
def test_times_of_htk_are_read_in_recordings_of_hours(between: str):
    lines = (("0", "1200000000", "intro"), ("1200000000", "99000000000", "last verse"))
    rows = read_annotations("\n".join(map(between.join, lines)).encode(), "night.lab").rows
    assert [(row.start, row.end, row.tags) for row in rows] == [
        (0.0, 120.0, "intro"),
        (120.0, 9_900.0, "last verse"),
    ]


def test_the_files_of_the_field_are_read_as_their_programs_write_them():
    files = {
        "night.txt": "0.5\t1.5\tflute\n\\\t100.0\t900.0\n2\t2.5\tdrum\n",
        "night.Table.1.selections.txt": "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
        "Annotation\n1\tWaveform 1\t1\t0.5\t1.5\t0\t9\tflute\n1\tSpectrogram 1\t1\t0.5\t1.5\t0\t9\tflute\n"
        "2\tSpectrogram 1\t1\t2\t2.5\t0\t9\tdrum\n",
        "night.BirdNET.results.csv": "Start (s),End (s),Scientific name,Common name,Confidence\n0.5,1.5,Fl,flute,0.9\n"
        "2.0,2.5,Dr,drum,0.5\n",
        "kaleidoscope.csv": "INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name,lat,lon\n"
        "/x,y,night.wav,0.5,1.0,Fl,flute,1,2\n/x,y,night.wav,2.0,0.5,Dr,drum,1,2\n",
        "night.csv": "0.500000000,0,1.000000000,flute\n2.000000000,0,0.500000000,drum\n",
        "night.elan.txt": "tier\t\t00:00:00.500\t0.5\t500\t00:00:01.500\t1.5\t1500\t00:00:01.000\t1.0\t1000\tflute\n"
        "tier\t\t00:00:02.000\t2.0\t2000\t00:00:02.500\t2.5\t2500\t00:00:00.500\t0.5\t500\tdrum\n",
        "night.TextGrid": 'File type = "ooTextFile short"\n"TextGrid"\n\n0\n3\n<exists>\n1\n"IntervalTier"\n"tags"\n0\n3\n5\n'
        '0\n0.5\n""\n0.5\n1.5\n"flute"\n1.5\n2\n""\n2\n2.5\n"drum"\n2.5\n3\n""\n',
        "night.jams": '{"annotations": [{"namespace": "tag_open", "data": [{"time": 0.5, "duration": 1, "value": "flute", '
        '"confidence": 1}, {"time": 2, "duration": 0.5, "value": "drum", "confidence": null}]}], "file_metadata": {}}',
        "night.lab": "0.500 1.500 flute\n2.0 2.5 drum\n",
        "htk/night.lab": "5000000 15000000 flute\n20000000 25000000 drum\n",
        "night.svl": '<?xml version="1.0"?><!DOCTYPE sonic-visualiser><sv><data><model id="1" sampleRate="1000" dataset="0"/>'
        '<dataset id="0"><point frame="500" value="1" duration="1000" label="flute"/>'
        '<point frame="2000" value="1" duration="500" label="drum"/></dataset></data></sv>',
    }  # fmt: skip
    sound = wav(1, 3.0)
    for name, text in files.items():
        clips = LabelledClips.from_zip(zipped({"night.wav": sound, name.split("/")[-1]: text.encode()}))
        assert [(c.start_seconds, c.seconds, clips.tags_of(row)) for row, c in enumerate(clips.clips)] == [
            (0.5, 1.0, ("flute",)),
            (2.0, 0.5, ("drum",)),
        ], name
        assert set(clips.recordings) == {"night"}


RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (  # Raven counts its times through all files of a table
            "table.txt",
            f"{RAVEN}\tBegin File\tFile Offset (s)\tAnnotation\n1\tS 1\t1\t1.5\t2.0\ta.wav\t0.25\tdrum\n"
            "2\tS 1\t1\t3.5\t4.5\tb.wav\t0.5\tflute\n",
            [("a.wav", 0.25, 0.75, "drum"), ("b.wav", 0.5, 1.5, "flute")],
        ),
        (
            "strong.txt",
            "a.wav\t0.5\t1.5\tdrum\nb.wav\t1.0\t2.0\tflute\n",
            [("a.wav", 0.5, 1.5, "drum"), ("b.wav", 1.0, 2.0, "flute")],
        ),
        (
            "export.txt",
            "tier\t00:00:00.500\t00:00:01.500\tdrum\ta.eaf\ntier\t00:00:01.000\t00:00:02.000\tflute\tb.eaf\n",
            [("a", 0.5, 1.5, "drum"), ("b", 1.0, 2.0, "flute")],
        ),
        ("a.csv", "start,end,label\n0.5,1.5,drum\n1,2,\"flute, high\"\n", [("a", 0.5, 1.5, "drum"), ("a", 1.0, 2.0, "flute, high")]),
        ("a.txt", "onset\toffset\tevent_label\n0.5\t1.5\tdrum\n", [("a", 0.5, 1.5, "drum")]),
        ("a.csv", "Anfang;Dauer;Etikett;Tag\n0,5;1,0;x;drum\n", [("a", 0.5, 1.5, "drum")]),
        ("a.csv", "0.0,1.5,drum\n1.5,3.0,flute\n3.0,4.5,drum\n", [("a", 0.0, 1.5, "drum"), ("a", 1.5, 3.0, "flute"), ("a", 3.0, 4.5, "drum")]),
        ("a.csv", "0.5,1.5,drum\n3.0,1.0,flute\n", [("a", 0.5, 2.0, "drum"), ("a", 3.0, 4.0, "flute")]),
        ("a.csv", "TIME,DURATION,LABEL\n0.5,1.5,drum\n", [("a", 0.5, 2.0, "drum")]),
        ("a.txt", "0.5\t3\t1.0\tdrum\n3.0\t0\t1.0\tflute\n", [("a", 0.5, 1.5, "drum"), ("a", 3.0, 4.0, "flute")]),
        ("a.tsv", "0.5\t3\t1.0\tdrum\n3.0\t0\t1.0\tflute\n", [("a", 0.5, 1.5, "drum"), ("a", 3.0, 4.0, "flute")]),
        ("a.txt", "solo\t00:00:00.500\t00:00:01.500\tas in b.wav\n", [("a", 0.5, 1.5, "as in b.wav")]),
        (
            "r.csv",
            "filepath,start,end,scientific_name,common_name,confidence\nx/a.wav,0.5,1.5,Drum,drum,0.9\n",
            [("x/a.wav", 0.5, 1.5, "drum")],
        ),
        (
            "a.jams",
            '{"annotations": [{"namespace": "scaper", "data": [{"time": 0.5, "duration": 1, "value": {"label": "drum"}}]}]}',
            [("a", 0.5, 1.5, "drum")],
        ),
    ],
)  # fmt: skip
def test_a_label_stays_with_its_recording_and_its_time(
    name: str, text: str, told: list[tuple[str, float, float, str]]
):
    rows = read_labels(text.encode(), name, CLIP_LIMITS, ["a.wav", "b.wav"]).rows
    assert [(row.file, row.start, row.end, row.tags) for row in rows] == told


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.Table.1.selections.txt", f"{RAVEN}\tHigh Freq (Hz)\n1\tS 1\t1\t0.5\t2.0\t4000\n", "clips.no_annotation_column"),
        ("a.csv", "0.5,1.0,drum\n3.0,4.0,flute\n", "clips.end_or_length"),
        ("a.csv", "0.5,440.0,drum\n3.0,330.0,flute\n", "clips.end_or_length"),
        ("sounds.csv", "slice,start,end,class\nx/a.wav,0,2,drum\n", "clips.sheet_header"),
    ],
)  # fmt: skip
def test_what_a_label_means_is_not_guessed(name: str, text: str, code: str):
    with pytest.raises(ClipsError) as refusal:
        LabelledClips.from_zip(zipped({"a.wav": wav(1, 3.0), name: text.encode()}))
    assert refusal.value.sentence.code == code


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.TextGrid", 'File type = "ooTextFile short"\n"TextGrid"\n\n0\n3\n<exists>\n1\n"TextTier"\n"x"\n0\n3\n1\n1\n"drum"\n'),
        ("a.jams", '{"annotations": [{"namespace": "tag_open", "data": [{"time": 0, "duration": 0, "value": "drum"}]}]}'),
        ("a.svl", '<sv><data><model id="1" sampleRate="10" dataset="0"/><dataset id="0"><point frame="5" label="drum"/></dataset></data></sv>'),
    ],
)  # fmt: skip
def test_points_are_labels_of_a_moment(name: str, text: str):
    clips = LabelledClips.from_zip(zipped({"a.wav": wav(1, 3.0), name: text.encode()}))
    assert [(p.code, p.values["count"]) for p in clips.problems] == [("clips.labels_of_a_moment", 1)]


def test_each_column_of_tags_is_read_or_told():
    for header in ("file,tag,tag", "file,tag1,tag2", "file,Label 1,label_2", "file,tags,tags.1"):
        rows = read_sheet(f'{header}\na.wav,"drum, big",flute\nb.wav,,voice\n'.encode(), "s.csv").rows
        assert [typed_tags(row.tags) for row in rows] == [("drum", "big", "flute"), ("voice",)], header
    clips = LabelledClips.from_csv(b"file,tags,keywords\na.wav,drum,flute\n", {"a.wav": wav(1)})
    assert clips.tags == ("drum",)
    assert [(p.code, p.values["others"]) for p in clips.problems] == [("clips.columns_unread", "keywords")]


def test_tags_between_tabs_are_tags():
    rows = read_sheet(b"PATH\tTAGS\na.mp3\tgenre---rock\tmood---calm\n", "s.tsv").rows
    assert typed_tags(rows[0].tags) == ("genre---rock", "mood---calm")


def test_a_folder_and_a_name_in_two_columns_are_one_file():
    sheet = b"path,filename,label\nday 1,a.wav,drum\nday 2,a.wav,flute\n"
    clips = LabelledClips.from_csv(sheet, {"day 1/a.wav": wav(1), "day 2/a.wav": wav(2)})
    assert [clips.tags_of(row) for row in range(2)] == [("drum",), ("flute",)]


def test_a_tape_may_hold_several_recordings():
    sheet = b"file,start,end,tags,recording,session\ntape.wav,0,1,drum,first,day 1\ntape.wav,1,2,drum,second,day 2\n"
    files = {"tape.wav": wav(1, 3.0)}
    clips = LabelledClips.from_csv(sheet, files)
    assert (clips.recordings, clips.sessions) == (("first", "second"), ("day 1", "day 2"))
    again = LabelledClips.from_csv(clips.as_sheet(), files)
    assert (again.recordings, again.sessions) == (clips.recordings, clips.sessions)
    there = LabelledClips.from_files([("tape.wav", files["tape.wav"])]).label_by(sheet, "s.csv")
    assert (there.recordings, there.sessions) == (clips.recordings, clips.sessions)


def test_an_annotation_file_is_about_its_recording_alone():
    """In a tree of folders the others keep the tags of theirs, whether or not the recording is there."""
    tree = {"drum/a.wav": wav(1, 3.0), "flute/b.wav": wav(2), "c.wav": wav(3)}
    clips = LabelledClips.from_zip(zipped({**tree, "drum/a.txt": b"1\t2\tsolo\n"}))
    told = [(c.name, clips.tags_of(row)) for row, c in enumerate(clips.clips)]
    assert told == [("a.wav", ("solo",)), ("b.wav", ("flute",))]
    assert codes(clips) == ["clips.not_in_sheet"], "not one of none: nobody has said so"
    clips = LabelledClips.from_zip(zipped({**tree, "Label Track.txt": b"1\t2\tsolo\n"}))
    assert clips.tags == ("drum", "flute")
    assert codes(clips) == ["clips.annotates_nothing"]
    with pytest.raises(ClipsError) as refused:
        LabelledClips.from_zip(zipped({"c.wav": wav(3), "Label Track.txt": b"1\t2\tsolo\n"}))
    assert refused.value.sentence.code == "clips.annotates_nothing"


def test_a_line_without_a_file_is_told_or_of_the_file_above():
    """As cells that were put together leave it."""
    rows = read_sheet(b"file,start,end,tags\na.wav,0,1,drum\n,,,\n,1,2,flute\n", "s.csv").rows
    assert [(row.file, row.start, row.tags) for row in rows] == [("a.wav", 0, "drum"), ("a.wav", 1, "flute")]
    clips = LabelledClips.from_csv(b"file,tags\na.wav,drum\n,flute\n,\n", {"a.wav": wav(1)})
    assert clips.tags == ("drum",)
    assert [(p.code, p.values["count"]) for p in clips.problems] == [("clips.lines_without_file", 1)]


def test_files_whose_names_differ_in_capitals_alone_are_told_apart():
    clips = LabelledClips.from_csv(
        b"file,tags\na.wav,drum\nA.WAV,flute\n", {"a.wav": wav(1), "A.WAV": wav(2)}
    )
    assert [(c.name, clips.tags_of(row)) for row, c in enumerate(clips.clips)] == [
        ("a.wav", ("drum",)),
        ("A.WAV", ("flute",)),
    ]


def test_an_annotation_file_is_of_the_recording_it_is_named_after():
    names = [
        "night.txt",
        "night.wav.txt",
        "night.Table.1.selections.txt",
        "night.BirdNET.results.csv",
        "night_labels.txt",
    ]
    assert {annotated_stem(name) for name in names} == {"night"}


def test_a_text_that_is_no_annotation_is_left_alone():
    for text in (b"A note about the evening.\n", b"", b"\xff\xfe\x00", b"1 2 3", b"{}", b"<sv"):
        assert read_annotations(text, "notes.txt") is None


@pytest.mark.parametrize("kind", [*KINDS, "sheet"])
def test_mutated_label_files_raise_nothing_else(kind: str):
    told = [Segment(0.1, 0.9, "flute"), Segment(0.5, 1.25, '太鼓 "x", y'), Segment(2, 3, "drum")]
    whole = (
        write_annotations(told, kind, "a.wav")
        if kind != "sheet"
        else "file;tags;recording\na.wav;şarkı;é\n".encode("cp1254", "replace")
    )
    name, sound, outcomes = "a" + KINDS.get(kind, ".csv"), wav(1, 1.5), set()
    for seed in range(500):
        rng = np.random.default_rng(seed)
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 6))):
            at = int(rng.integers(0, len(data)))
            match rng.integers(0, 4):
                case 0:
                    data[at] = int(rng.integers(0, 256))
                case 1:
                    del data[at : at + int(rng.integers(1, 30))]
                case 2:
                    data[at:at] = data[: int(rng.integers(1, 40))]
                case _:
                    data[at:at] = bytes(
                        rng.choice([b"\t", b'"', b",", b"\n", b"-", b"e9", b"\\", b"\0", b"<", b"nan"])
                    )
            if not data:
                data = bytearray(b" ")
        try:
            read = (read_sheet if kind in ("csv", "sheet") else read_annotations)(bytes(data), name)
            outcomes.add(len(read.rows) if read is not None else 0)
            if seed % 50 == 0 and read is not None and read.rows:
                LabelledClips.from_csv(bytes(data), {"a.wav": sound}, name)
        except ClipsError as error:
            outcomes.add(error.sentence.code)
    assert len(outcomes) > 2


@pytest.mark.parametrize("tag", ["=1+1", " =1+1", "-taiko", "@kane", "+2"])
def test_a_written_sheet_holds_no_formula_and_reads_back(tag: str):
    data = write_sheet([Row("a.wav", tag)])
    assert f",'{tag}," in data.decode("utf-8-sig")
    assert read_sheet(data, "labels.csv").rows[0].tags.strip() == tag.strip()


@pytest.mark.parametrize("form", ["long", "short"])
def test_a_quoted_word_and_a_line_break_in_a_textgrid_of_praat(form: str) -> None:
    """As Praat 6.1.38 (praat-parselmouth 0.4.7) writes both forms; findings/textgrids_of_praat_itself.sh has what others make
    of them."""
    texts = {
        "long": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 \nxmax = 10 \ntiers? <exists> \nsize = 1 \n'
        'item []: \n    item [1]:\n        class = "IntervalTier" \n        name = "voice" \n        xmin = 0 \n'
        "        xmax = 10 \n        intervals: size = 2 \n        intervals [1]:\n            xmin = 0 \n"
        '            xmax = 5 \n            text = "the ""old"" song" \n        intervals [2]:\n            xmin = 5 \n'
        '            xmax = 10 \n            text = "verse\nrefrain" \n',
        "short": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n10\n<exists>\n1\n"IntervalTier"\n"voice"\n0\n10\n2\n0\n5\n'
        '"the ""old"" song"\n5\n10\n"verse\nrefrain"\n',
    }
    rows = read_annotations(texts[form].encode(), "night.TextGrid").rows
    assert [(row.tags, row.start, row.end) for row in rows] == [
        ('the "old" song', 0.0, 5.0),
        ("verse\nrefrain", 5.0, 10.0),
    ]


def test_a_piece_is_of_the_recording_that_its_middle_lies_in():
    rows = [
        Row("tape.wav", "a", "first", "evening", 0.0, 10.0),
        Row("tape.wav", "b", "second", "", 10.0, 20.0),
        Row("tape.wav", "c", "", "night", 10.0, None),
    ]
    for (start, end), meant in {
        (2.0, 4.0): ("first", "evening"),
        (8.0, 11.0): ("first", "evening"),
        (9.0, 13.0): ("second", "night"),
        (24.0, 30.0): ("given", "night"),
    }.items():
        assert said_of(rows, start, end, "given", "session") == meant


@pytest.mark.parametrize("points", [0, 1, 2, 3])
def test_a_tier_of_empty_points_moves_nothing_of_the_tiers_behind_it(points: int) -> None:
    """Praat's users mark moments beside intervals; a moment without a word says nothing."""
    marks = f'"TextTier"\n"marks"\n0\n10\n{points}\n' + "".join(f'{i}.5\n""\n' for i in range(points))
    spans = '"IntervalTier"\n"tags"\n0\n10\n2\n0\n4\n"drum"\n4\n10\n""\n'
    for tiers in (marks + spans, spans + marks, marks + spans + marks):
        text = (
            f'File type = "ooTextFile short"\n"TextGrid"\n\n0\n10\n<exists>\n{tiers.count("Tier")}\n{tiers}'
        )
        (row,) = read_annotations(text.encode(), "night.TextGrid").rows
        assert (row.start, row.end, row.tags) == (0.0, 4.0, "drum")
