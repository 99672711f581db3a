"""Answers files: the right ones are read, everything else is a sentence."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paneled import listener, panel
from sound_damage import mutations
from text_damage import json_damaged, text_damaged

from mirdemo.planning.panel import Panel, PanelError, joined, read_answers
from mirdemo.planning.panel.answers import LARGEST, checksum, clean
from mirdemo.words.language import speaker

MADE = panel(two=True)
SENT = listener(MADE, "花子 & <b>Co</b>")


def test_answers_come_back_as_they_were_given():
    read = read_answers(SENT.as_json().encode(), MADE)
    assert read == SENT


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + SENT.as_json(),
        "\n\n" + SENT.as_json() + "\r\n",
        json.dumps(SENT.as_dict(), indent=2),
        json.dumps(SENT.as_dict(), ensure_ascii=True),
    ],
    ids=["byte order mark", "blank lines", "laid out", "escaped"],
)
def test_what_mail_programs_do_to_a_file_does_not_matter(text: str):
    assert read_answers(text.encode(), MADE) == SENT


def test_the_check_is_that_of_the_page():
    """CRC-32 of UTF-8 text as JSON.stringify writes it; the browser test saves with the page's own."""
    stringified = '{"a":"é\u2028\\n","b":[null,1]}'
    assert (
        checksum({"a": "é\u2028\n", "b": [None, 1], "check": "x"})
        == f"{zlib.crc32(stringified.encode()):08x}"
    )


def resaved(change) -> bytes:
    """Changed, and with the check of what it became: what a forger or a faulty page might send."""
    plain = SENT.as_dict()
    change(plain)
    return json.dumps({**plain, "check": checksum(plain)}).encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no_answers"),
        (b"\xff\xd8\xff\xe0 a picture", "no_answers"),
        (b"null", "no_answers"),
        (b"[" * 100_000, "no_answers"),
        (b'{"format": 3}', "no_answers"),
        (MADE.as_json().encode(), "no_answers"),
        (b" " * (LARGEST + 1), "answers_large"),
        (resaved(lambda p: p.update(format="mirdemo-answers-9")), "answers_version"),
        (listener(panel(seed=5)).as_json().encode(), "other_panel"),
        (SENT.as_json().replace("cannot_tell", "right", 1).encode(), "answers_changed"),
        (SENT.as_json().replace("花子", "太郎").encode(), "answers_changed"),
        (SENT.as_json().replace('"check"', '"chek"').encode(), "answers_changed"),
        (resaved(lambda p: p.update(clips={})), "answers_empty"),
        (resaved(lambda p: p.update(clips=[])), "answers_empty"),
        (resaved(lambda p: p.update(saved="many")), "answers_changed"),
        (resaved(lambda p: p.update(run=7)), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(clip=99)), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(clip=True)), "answers_changed"),
        (resaved(lambda p: p["clips"].append(p["clips"][0])), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(answers=["right"])), "answers_changed"),
        (resaved(lambda p: p["clips"][0]["answers"].__setitem__(0, "perhaps")), "answers_changed"),
        (resaved(lambda p: p["clips"][0]["answers"].__setitem__(0, ["right"])), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(words="many")), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(words=[4])), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(words=["x"] * 9)), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(side="left")), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(tenths=-1)), "answers_changed"),
        (resaved(lambda p: p["clips"][0].update(tenths=float("nan"))), "answers_changed"),
        (resaved(lambda p: p["clips"][0].pop("words")), "answers_changed"),
    ],
)
def test_everything_else_is_a_sentence(data: bytes, code: str):
    with pytest.raises(PanelError) as refusal:
        read_answers(data, MADE)
    assert refusal.value.sentence.code == f"panel.{code}"
    assert str(speaker("ja").say(refusal.value.sentence)) != str(refusal.value)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "surrogatepass")))
@settings(max_examples=100, deadline=None)
def test_no_bytes_are_anything_but_a_sentence(data: bytes):
    with pytest.raises(PanelError):
        read_answers(data, MADE)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_byte_can_change_unnoticed(data):
    text = bytearray(SENT.as_json().encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda value: value != text[at]))
    with suppress(PanelError):
        assert read_answers(bytes(text), MADE) == SENT  # a blank that became a line break is the same file


def test_answers_whose_parts_are_others_are_read_or_refused_whole():
    """With the check of what they became, as a forger sends them."""
    read = 0
    for number in range(tries := mutations(150)):
        plain = json_damaged(SENT.as_dict(), np.random.default_rng(number))
        if isinstance(plain, dict):
            plain["check"] = checksum(plain)
        try:
            answers = read_answers(json.dumps(plain).encode("utf-8", "surrogatepass"), MADE)
        except PanelError as refusal:
            said = refusal.sentence
        else:
            said, read = None, read + 1
            assert read_answers(answers.as_json().encode(), MADE) == answers
        assert said is None or str(speaker("ja").say(said))
    assert 0 < read < tries


def test_a_key_whose_parts_are_others_is_read_or_refused_whole():
    text, read = MADE.as_json().encode(), 0
    for number in range(tries := mutations(150)):
        rng = np.random.default_rng([1, number])
        plain = json_damaged(json.loads(text), rng)
        data = json.dumps(plain).encode("utf-8", "surrogatepass") if number % 2 else text_damaged(text, rng)
        try:
            key = Panel.from_json(data)
        except PanelError as refusal:
            said = refusal.sentence
        else:
            said, read = None, read + 1
            assert key == MADE  # its name is made of all that it holds
        assert said is None or str(speaker("ja").say(said))
    assert 0 < read < tries


def test_a_name_may_be_anything_and_is_shown_in_one_line():
    assert clean(" a\n\u202eb\x00\ud800c ", 60) == "a \u202eb c"
    assert read_answers(replace(SENT, listener=" \t ").as_json().encode(), MADE).listener == "?"


def test_half_a_surrogate_pair_is_refused_or_cleaned_but_never_breaks():
    plain = replace(SENT, listener="x\ud800").as_dict()
    read = read_answers(json.dumps(plain).encode(), MADE)
    assert read.listener == "x"


def test_sent_twice_counts_once_and_the_later_save_counts():
    there, said = joined([], SENT)
    assert said is None
    again, said = joined(there, SENT)
    assert again == there
    assert said.code == "panel.sent_twice"
    later = replace(SENT, saved=2, clips={0: SENT.clips[0]})
    newer, said = joined(there, later)
    assert newer == (later,)
    assert said.code == "panel.saved_anew"
    assert joined(newer, SENT)[0] == newer
    both, said = joined(there, replace(SENT, run="f" * 16))
    assert len(both) == 2
    assert said.code == "panel.namesakes"
