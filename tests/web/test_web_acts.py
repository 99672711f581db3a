"""Nothing that a browser sends is believed: names, numbers, choices, files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.uploads import Upload, uploads_of
from mirdemo.web.frame.wire import Wire


@pytest.fixture
def uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    folder = tmp_path / ("c" * 32) / ("a" * 64)
    folder.mkdir(parents=True)
    (folder / "one.wav").write_bytes(b"sound")
    return folder / "one.wav"


def test_an_upload_is_read_once_and_gone(uploaded: Path):
    upload = Upload.of({"path": str(uploaded), "name": "taiko/one.wav"})
    assert (upload.name, upload.read()) == ("taiko/one.wav", b"sound")
    assert not uploaded.parent.parent.exists()
    with pytest.raises(PageError) as lost:
        upload.read()
    assert lost.value.sentence.code == "page.upload_lost"


def test_what_waits_for_the_rest_of_its_drop_is_kept_while_its_page_says_so(uploaded: Path):
    os.utime(uploaded, (0, 0))
    stay = Act({"act": "page.stay", "files": [{"path": str(uploaded), "name": "one.wav"}]})
    Wire(Visitors(), Jobs())._handlers["page.stay"](Visitor(), stay)
    assert uploaded.stat().st_mtime > 0, "the sweep counts from when it last changed"


def test_what_had_arrived_of_a_drop_that_was_stopped_is_deleted(uploaded: Path):
    unsend = Act({"act": "page.unsend", "files": [{"path": str(uploaded), "name": "one.wav"}, "no file"]})
    Wire(Visitors(), Jobs())._handlers["page.unsend"](Visitor(), unsend)
    assert not uploaded.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "a" * 64 + "/..",
        "a" * 64 + "/../../../etc/passwd",
        "A" * 64 + "/one.wav",
        "a" * 64 + "/one.wav",
        "../" + "a" * 64 + "/one.wav",
        "c" * 32 + "/" + "a" * 64 + "/..",
        "c" * 32 + "/" + "a" * 64 + "/../../../etc/passwd",
        "a" * 63 + "/one.wav",
        "a" * 64 + "/one.wav\0",
        "",
        None,
        7,
        ["x"],
    ],
)
def test_a_path_that_is_no_upload_is_refused(uploaded: Path, path):
    with pytest.raises(PageError):
        Upload.of({"path": path, "name": "x"}).read()
    assert uploaded.exists()


def test_a_path_elsewhere_with_an_uploads_ending_still_means_the_upload_folder(
    uploaded: Path, tmp_path: Path
):
    secret = tmp_path / "elsewhere" / ("d" * 32) / ("b" * 64) / "secret.wav"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"secret")
    with pytest.raises(PageError):
        Upload.of({"path": str(secret), "name": "x"}).read()
    assert secret.exists()


def test_a_link_in_the_upload_folder_is_not_followed(uploaded: Path, tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    uploaded.unlink()
    uploaded.symlink_to(secret)
    with pytest.raises(PageError):
        Upload.of({"path": str(uploaded), "name": "x"}).read()
    assert secret.read_text() == "secret"


def test_too_many_files_and_none_are_refused():
    for sent in (None, [], "x", {}):
        with pytest.raises(PageError) as refused:
            uploads_of(sent)
        assert refused.value.sentence.code == "page.no_files"
    with pytest.raises(PageError) as refused:
        uploads_of([{}] * (LIMITS.files_at_once + 1))
    assert refused.value.sentence.code == "page.too_many_files"


@pytest.mark.parametrize("sent", [None, 7, "act", [], {"act": 3}, {"act": None}])
def test_what_is_no_act_has_no_name(sent):
    assert Act(sent).name == ""


def test_typed_text_is_trimmed_and_bounded():
    assert Act({"value": "  drum "}).text("value") == "drum"
    assert Act({"value": ["x"]}).text("value") == ""
    with pytest.raises(PageError):
        Act({"value": "x" * (LIMITS.text + 1)}).text("value")


@pytest.mark.parametrize("value", ["1.5", 0, 11, "x", None, [], "nan", "inf"])
def test_only_whole_numbers_within_limits_pass(value):
    assert Act({"n": "7"}).whole("n", 1, 10) == 7
    with pytest.raises(PageError):
        Act({"n": value}).whole("n", 1, 10)


@pytest.mark.parametrize("value", ["c", None, ["a"], {"a": 1}])
def test_only_what_is_on_offer_can_be_chosen(value):
    assert Act({"v": "a"}).one_of("v", ["a", "b"]) == "a"
    with pytest.raises(PageError):
        Act({"v": value}).one_of("v", ["a", "b"])


def test_half_a_surrogate_pair_is_replaced_wherever_it_stands():
    act = Act(
        {"act": "x\ud800", "value": "a\udfffb", "files": [{"path": "\ud800", "name": "\ud83d"}], "\udc00": 1}
    )
    assert (act.name, act.text("value")) == ("x\ufffd", "a\ufffdb")
    str(act._sent).encode()
    with pytest.raises(PageError) as refused:
        act.uploads()
    str(refused.value).encode()
    assert Act({"value": "\U0001f941 太鼓"}).text("value") == "\U0001f941 太鼓"


def test_what_is_nested_deeper_than_the_page_ever_sends_is_dropped():
    deep: list = []
    for _ in range(900):
        deep = [deep]
    assert Act({"act": "a", "value": deep}).text("value") == ""
    assert len(str(Act({"act": "a", "value": deep})._sent)) < 200
