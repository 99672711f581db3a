"""What every endpoint does with what it is sent: kinds, uploads, refusals; and that the page loads nothing for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame import endpoints
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.session import Visitors
from mirdemo.web.page import build_page

STORED = Path("c" * 32) / ("a" * 64)


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An upload as it is stored and ``gradio_client`` names it."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / STORED).mkdir(parents=True)
    path = tmp_path / STORED / "a.wav"
    path.write_bytes(b"sound")
    return {"path": str(path), "orig_name": "taiko one.wav"}


def test_files_arrive_under_their_own_names_and_are_gone_afterwards(sent):
    def work(files: dict[str, Path], none: dict[str, Path]) -> dict[str, Any]:
        return {"read": {name: path.read_bytes() for name, path in files.items()}, "none": none}

    found = endpoints.answered(Jobs(), work, "en", files=([sent], []))
    assert found == {"read": {"taiko one.wav": b"sound"}, "none": {}}
    assert not Path(sent["path"]).exists()


def test_files_of_one_name_are_all_read(sent, tmp_path: Path):
    other = Path("d" * 32) / ("b" * 64)
    (tmp_path / other).mkdir(parents=True)
    (tmp_path / other / "a.wav").write_bytes(b"another sound")
    both = [sent, {"path": str(tmp_path / other / "a.wav"), "orig_name": "taiko one.wav"}]

    def work(files: dict[str, Path]) -> dict[str, Any]:
        return {name: path.read_bytes() for name, path in files.items()}

    found = endpoints.answered(Jobs(), work, "en", files=[both])
    assert found == {"taiko one.wav": b"sound", "taiko one (2).wav": b"another sound"}


def test_a_refusal_speaks_the_callers_language_and_leaves_no_upload(sent):
    def refuse(files: dict[str, Path]) -> dict[str, Any]:
        raise PageError("No file arrived. Choose the files again.", code="page.no_files")

    with pytest.raises(gr.Error, match="ファイル"):
        endpoints.answered(Jobs(), refuse, "ja", files=[[sent]])
    assert not Path(sent["path"]).exists()


def test_what_is_said_of_a_file_is_text_and_no_piece_of_a_page():
    said = Sentence("{name} is empty.", "test.empty", {"name": "Tom & Jerry's <1>.wav"})
    assert endpoints.sentences([said], "en") == ["Tom & Jerry's <1>.wav is empty."]
    with pytest.raises(gr.Error) as refused:
        endpoints.answered(Jobs(), lambda: refuse(said), "ja")
    assert refused.value.message == "Tom & Jerry's <1>.wav is empty."


def refuse(said: Sentence) -> dict[str, Any]:
    raise PageError(said.template, code=said.code, **said.values)


def test_a_file_that_is_no_upload_is_refused_and_never_touched(sent, tmp_path: Path):
    outside = tmp_path / "secret.wav"
    outside.write_bytes(b"secret")
    with pytest.raises(gr.Error, match="lost"):
        endpoints.answered(
            Jobs(), lambda files: {}, "en", files=[[sent], [{"path": str(outside), "name": "x"}]]
        )
    assert outside.exists()


def test_a_refusal_that_quotes_half_a_surrogate_pair_can_be_sent(sent):
    with pytest.raises(gr.Error) as refused:
        endpoints.answered(Jobs(), lambda files: {}, "en", files=[[{"path": "x", "name": "\ud800"}]])
    str(refused.value).encode()


def test_a_fault_of_ours_tells_nothing_of_its_inside(caplog):
    def fail() -> dict[str, Any]:
        raise RuntimeError("inside")

    with pytest.raises(gr.Error) as said:
        endpoints.answered(Jobs(), fail, "nonsense")
    assert "inside" not in str(said.value)
    assert "inside" in caplog.text


@pytest.mark.parametrize(
    ("values", "wrong"),
    [((7, 1), "word"), (("x", True), "number"), (("x", "1"), "number"), ((None, 1), "word")],
)
def test_values_of_another_kind_are_refused_by_name(values, wrong):
    def endpoint(word: str, number: int = 0, language: str = "en") -> dict[str, Any]:
        return {"word": word, "number": number}

    checked = endpoints._typed(endpoint)
    assert checked("x", 1) == {"word": "x", "number": 1}
    with pytest.raises(gr.Error, match=f"{wrong} is not a"):
        checked(*values, "en")


def test_the_page_loads_no_component_for_an_endpoint():
    kinds = {block["type"] for block in build_page(Visitors(), Jobs()).config["components"]}
    assert kinds <= {"html", "column", "state", "api"}
