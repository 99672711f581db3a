"""Every act and every endpoint, called directly with what no page would send: answered in a sentence, or harmless.

Attacks are data here, a row each; every act and endpoint meets every row, and a new one meets them without being named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import gradio as gr
import numpy as np
import pytest
from wired import whole_page

from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.jobs import UNEXPECTED, Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Shown, Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.page import TABS, build_page

#: Words that would do harm where they were taken for something else than words.
WORDS = {
    "empty": "",
    "blank": " \t\n",
    "long": "x" * 10_000,
    "markup": "<img src=x>&lt;b&gt;\"'`{{7*7}}",
    "script": "</script><script>0</script>",
    "formula": "=1+1",
    "formula behind a blank": "\t@sum",
    "path": "../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "windows": "C:\\x\\..\\y",
    "file": "file:///etc/passwd",
    "loopback": "http://127.0.0.1:1/",
    "metadata": "http://169.254.169.254/",
    "repository": "hf:../x/..",
    "control": "a\x00\x07\x1b[2J\u202eb",
    "half": "\ud800",
    "braces": "{name}{0}%s%(x)s${x}",
    "combining": "e" + "\u0301" * 400,
    "digits": "9" * 400,
    "infinite": "1e999",
    "none": "nan",
    "proto": "__proto__",
    "dunder": "__class__",
}
#: The same of every other kind that JSON has.
VALUES: dict[str, Any] = WORDS | {
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -(10**18),
    "huge": 10**400,
    "float": 0.5,
    "largest": 1.7e308,
    "list": ["x"],
    "nested": [[[[[["x"]]]]]],
    "wide": ["x"] * 5_000,
    "object": {"path": "/etc/passwd", "name": "x"},
    "upload of another": {"path": "c" * 32 + "/" + "a" * 64 + "/a.wav", "name": "x"},
    "url": {
        "path": "http://127.0.0.1:1/",
        "url": "http://127.0.0.1:1/",
        "meta": {"_type": "gradio.FileData"},
    },
    "objects": [{"path": "/etc/passwd", "name": "../x"}, {"path": 7}, 7, None],
    "keys": {"": {"": {"": 1}}, "__class__": 1},
}


def deep(levels: int = 900) -> Any:
    made: Any = "x"
    for _ in range(levels):
        made = [made]
    return made


VALUES["deep"] = deep()


class Idle(Jobs):
    """Takes steps and does none: what is tested is what gets so far."""

    def start(self, visitor: Visitor, name: str, *rest: Any, **more: Any) -> Job:
        return Job(name, "model")


@cache
def page() -> Wire:
    return whole_page(Idle())


@cache
def fields() -> tuple[str, ...]:
    """Everything that any act is asked for, from the code itself."""
    folder = Path(__file__).parents[2] / "mirdemo" / "web"
    asked = re.compile(r"\bact\.(?:text|one_of|whole|number|flag|uploads)\(\s*\"([a-z_]+)\"")
    found = {
        name for file in folder.rglob("*.py") for name in asked.findall(file.read_text(encoding="utf-8"))
    }
    assert {"clip", "value", "tag"} <= found
    return tuple(sorted(found | {"files", "tab", "address", "token"}))


def visitor() -> Visitor:
    noise = np.random.default_rng(0)
    clips = [Clip.of(noise.standard_normal(4000).astype(np.float32), 8000, f"{i}.wav") for i in range(3)]
    made = Visitor()
    made.hold(LabelledClips.from_clips(clips, [("a",), ("b",), ("a", "b")], limits=CLIP_LIMITS))
    return made


def drawn(wire: Wire, one: Visitor) -> Iterator[str]:
    for tab in TABS:
        one.shown["p"] = Shown(tab.name)
        yield from (text for _, text in wire.views.changed(one, "p").values())


@pytest.mark.parametrize("act", sorted(page()._handlers))
def test_every_act_answers_every_value_in_a_sentence_and_the_page_is_drawn(
    act: str, caplog: pytest.LogCaptureFixture
):
    wire, one = page(), visitor()
    known = {"clip": one.clips.clips[0].sha256}
    for name, value in VALUES.items():
        for sent in (dict.fromkeys(fields(), value), dict.fromkeys(fields(), value) | known, {}):
            wire._do(one, Act({"act": act, **sent}), "p")
            notice = one.notice
            assert notice is None or notice.sentence.code != UNEXPECTED.code, f"{name}: {caplog.text[-2000:]}"
    for text in drawn(wire, one):
        assert "could not be drawn" not in text, caplog.text[-2000:]
        assert "<img src=x>" not in text
        assert "<script" not in text
        text.encode()


@pytest.mark.parametrize("sent", [*VALUES.values(), {"act": deep()}, {"act": None}, {"act": "x" * 10**6}])
def test_an_act_that_is_none_is_answered_in_a_sentence(sent: Any):
    one = visitor()
    page()._do(one, Act(sent), "p")
    assert one.notice.sentence.code == "page.no_such_choice"


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_visitor_is_not_found_by_what_is_no_secret_of_theirs(value: Any):
    wire = page()
    there = wire.visitors.arrive(None, "their page")
    found = wire._hello(
        Act({"act": "page.hello", "token": value, "address": value, "tab": value}), "mine", None
    )
    assert found is not there
    assert wire.visitors.by_sound_key(str(value)[:100].encode("utf-8", "replace").decode()) is None


# ---- endpoints --------------------------------------------------------------------------------------------


@cache
def endpoints() -> dict[str, Any]:
    """Name -> function, as programs call it."""
    built = build_page(Visitors(), Jobs())
    found = {fn.api_name: fn.fn for fn in built.fns.values() if fn.api_visibility == "public"}
    assert {"tag", "bias", "plan"} <= set(found)
    return found


def arguments(name: str) -> dict[str, Any]:
    """A call with nothing in it, which is refused for that."""
    kinds = get_type_hints(endpoints()[name])
    kinds.pop("return")
    plain = {str: "", int: 1, float: 1.0, bool: False}
    return {
        key: plain.get(kind, {} if "dict[" in str(kind) and "list" not in str(kind) else [])
        for key, kind in kinds.items()
    }


def told(endpoint: Any, sent: dict[str, Any]) -> str | None:
    """What is refused, in words; None where it was answered."""
    try:
        json.dumps(endpoint(*sent.values()), allow_nan=False)
    except gr.Error as error:
        return error.message
    return None


@pytest.mark.parametrize("name", sorted(endpoints()))
def test_every_endpoint_answers_every_value_of_every_argument_in_a_sentence(
    name: str, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    endpoint, plain = endpoints()[name], arguments(name)
    for key in plain:
        for value in VALUES.values():
            said = told(endpoint, plain | {key: value})
            if said is None:
                continue
            assert said != str(UNEXPECTED), f"{key}={str(value)[:60]!r}"
            assert said.endswith((".", "。")), said[-80:]
            said.encode()
    assert list(tmp_path.iterdir()) == []


def upload(folder: Path, number: int, name: str, content: bytes) -> dict[str, str]:
    place = folder / f"{number:032x}" / ("a" * 64)
    place.mkdir(parents=True)
    (place / "x").write_bytes(content)
    return {"path": str(place / "x"), "orig_name": name}


#: A label sheet, as whoever wants to do harm would write it; {file} stands for a clip that is there.
SHEETS = {
    "words": lambda word: f"file,tags,recording\n{{file}},{word},r1\n",
    "columns": lambda word: f"{word},tags\n{{file}},a\n",
    "recording": lambda word: f"file,tags,recording\n{{file}},a,{word}\n",
    "files": lambda word: f"file,tags\n{word},a\n{{file}},b\n",
    "alone": lambda word: word,
}


@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("word", WORDS)
def test_a_sheet_of_hostile_words_is_refused_in_a_sentence_or_kept_as_words(
    sheet: str, word: str, tmp_path: Path, monkeypatch
):
    import io

    import soundfile

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    out = io.BytesIO()
    soundfile.write(out, 0.1 * np.sin(np.arange(8000) / 9), 8000, format="WAV")
    files = [upload(tmp_path, i, f"{i}.wav", out.getvalue()) for i in range(2)]
    text = SHEETS[sheet](WORDS[word]).replace("{file}", "0.wav")
    said = told(
        endpoints()["probe"], arguments("probe") | {"clips": files, "sheet": text, "backbone": "spectral"}
    )
    assert said is not None, "two clips are too few to probe: it must be refused"
    assert said != str(UNEXPECTED)
    said.encode()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", WORDS)
def test_a_file_with_a_hostile_name_is_never_a_path(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    (tmp_path / "beside.wav").write_bytes(b"not an upload")
    file = upload(tmp_path / "uploads", 1, WORDS[name], b"no sound at all")
    said = told(endpoints()["probe"], arguments("probe") | {"clips": [file], "sheet": "file,tags\nx,a\n"})
    assert said not in (None, str(UNEXPECTED))
    said.encode()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["beside.wav"]
