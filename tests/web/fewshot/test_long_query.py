"""A query of hours: every window as it would be tagged in a short one, in memory of a minute, played and taken along."""

from __future__ import annotations

import io
import os
import secrets
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from few_shot_sounds import RATE, sound
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.clips.annotations import KINDS
from mirdemo.clips.label_files import read_labels
from mirdemo.clips.limits import CLIP_LIMITS
from mirdemo.sound.audio import Clip
from mirdemo.sound.long import long_of
from mirdemo.web.frame.errors import PageError
from mirdemo.web.models import Memory
from mirdemo.web.tabs.clips import long_routes
from mirdemo.web.tabs.clips.long import LongDesk
from mirdemo.web.tabs.fewshot import long, over_time
from mirdemo.web.tabs.fewshot import tab as fewshot_tab
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tagging import answer, build


def quiet(*step) -> None:
    pass


@pytest.fixture(scope="module")
def procession() -> Clip:
    """A minute and a bit: drums, a flute, drums."""
    parts = [sound("drum", 31, 25.0), sound("flute", 32, 30.0), sound("drum", 33, 11.3)]
    return Clip.of(np.concatenate([one.samples for one in parts]), RATE, "procession.wav")


@pytest.fixture(scope="module")
def built(labelled):
    return build(labelled, "spectral", "timbre", Memory(), quiet, checked=False)


@pytest.mark.parametrize("rate", [RATE, 48_000])
@pytest.mark.parametrize("group", [60.0, 12.0])
def test_windows_are_tagged_as_those_of_a_short_query(
    built, procession, monkeypatch, rate: int, group: float
):
    monkeypatch.setattr(long, "GROUP_SECONDS", group)
    clip = Clip.of(procession.at(rate), rate, "procession.wav")
    short = answer(built, clip, Memory(), quiet)
    steps: list[tuple[int, int, str]] = []
    made = long.answer_long(built, long_of(clip), lambda *step: steps.append(step))
    np.testing.assert_allclose(made.starts, short.starts, atol=1e-6)
    np.testing.assert_array_equal(made.labels, short.labels)
    np.testing.assert_array_equal(made.unknown_windows, short.unknown_windows)
    done = [done for done, total, phase in steps if phase == "embedding"]
    assert done == sorted(done)
    assert (done[-1], {total for _, total, phase in steps if phase == "embedding"}) == (
        len(made.starts),
        {len(made.starts)},
    )


def test_no_more_than_a_group_is_read_at_once(built, procession, monkeypatch):
    monkeypatch.setattr(long, "GROUP_SECONDS", 10.0)
    recording = long_of(Clip.of(np.tile(procession.samples, 6), RATE, "a"))
    asked: list[float] = []
    read = type(recording).read

    def watched(self, start_s: float, end_s: float) -> np.ndarray:
        asked.append(end_s - start_s)
        return read(self, start_s, end_s)

    monkeypatch.setattr(type(recording), "read", watched)
    long.answer_long(built, recording, quiet)
    assert max(asked) <= 10.0 + 5.0
    assert len(asked) > 30


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def sent(folder: Path, clip: Clip) -> dict[str, str]:
    out = io.BytesIO()
    soundfile.write(out, clip.samples, clip.sample_rate, format="WAV", subtype="FLOAT")
    place = folder / secrets.token_hex(16) / secrets.token_hex(32)
    place.mkdir(parents=True)
    (place / clip.name).write_bytes(out.getvalue())
    return {"path": str(place / clip.name), "name": clip.name}


def test_a_long_query_gets_a_strip_that_plays_and_leaves_in_every_format(
    do, visitor, page, procession, folder: Path, monkeypatch
):
    limits = replace(long.LIMITS, query_minutes=0.5)
    monkeypatch.setattr(long, "LIMITS", limits)
    html = do("few-shot.query", files=[sent(folder, procession)])
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    desk = visitor.desk(FewShotDesk)
    ((id, one),) = desk.long.items()
    assert desk.answers == []
    assert {"drum", "flute"} <= set(one.given)
    assert 'class="section answer long-answer"' in html
    assert f'data-arrive="{id}"' in html
    assert "<b>buzz" not in html
    web = TestClient(Starlette(routes=[*long_routes.routes(page.visitors), over_time.route(page.visitors)]))
    source = f"/long/{visitor.sounds.key}/{id}/sound.wav"
    assert source[1:] in html
    samples, rate = soundfile.read(io.BytesIO(web.get(source).content), dtype="float32")
    assert (rate, len(samples)) == (RATE, len(procession.samples))
    for _, address, name in over_time.links_of(visitor, id, "procession.wav"):
        got = web.get(f"/{address}")
        assert got.status_code == 200
        assert {row.tags for row in read_labels(got.content, name, CLIP_LIMITS).rows} >= {"drum", "flute"}
    assert len(KINDS) == html.count(f"over-time?clip={id}&")
    assert web.get(f"/few-shot/{visitor.sounds.key}/over-time?clip={id}0&kind=csv").status_code == 404
    spool = one.sound.spool
    html = do("few-shot.forget_long", long=id)
    assert "answer long-answer" not in html
    visitor.take_back_last()
    assert desk.long == {id: one}
    visitor.let_go()
    assert not spool.close.alive


def test_an_upload_that_waits_behind_a_training_is_not_swept_away(
    do, page, visitor, procession, folder: Path, monkeypatch
):
    begun: list[dict] = []
    monkeypatch.setattr(long, "LIMITS", replace(long.LIMITS, query_minutes=0.5))
    monkeypatch.setattr(page, "start", lambda *_, **said: begun.append(said))
    file = Path(sent(folder, procession)["path"])
    do("few-shot.query", files=[{"path": str(file), "name": file.name}])
    os.utime(file, (0, 0))
    begun[0]["renew"]()
    assert file.stat().st_mtime > time.time() - 60


@pytest.mark.parametrize("minutes", [0.5, 15])
def test_a_query_that_finds_no_place_leaves_no_file(
    do, page, visitor, procession, folder: Path, monkeypatch, minutes: float
):
    def busy(*_, **__):
        raise PageError("Busy.", code="page.busy", n=1)

    monkeypatch.setattr(long, "LIMITS", replace(long.LIMITS, query_minutes=minutes))
    monkeypatch.setattr(page, "start", busy)
    do("few-shot.query", files=[sent(folder, procession)])
    assert visitor.notice.sentence.code == "page.busy"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_did_not_say_that_it_is_long_is_tagged_too(do, visitor, procession, folder: Path, monkeypatch):
    limits = replace(long.LIMITS, query_minutes=0.5)
    monkeypatch.setattr(fewshot_tab, "LIMITS", limits)
    do("few-shot.query", files=[sent(folder, procession)])
    assert len(visitor.desk(FewShotDesk).long) == 1


def test_one_that_is_open_on_the_clips_tab_is_tagged_where_it_is(do, visitor, procession):
    visitor.desk(LongDesk).add(long_of(procession))
    ((number, opened),) = visitor.desk(LongDesk).open.items()
    html = do("few-shot.long", long=number)
    assert "long-answer" in html
    desk = visitor.desk(FewShotDesk)
    ((first, one),) = desk.long.items()
    assert one.sound is opened.sound
    before = len(visitor.clips)
    do("few-shot.long", long=f"{number}7")
    assert (list(desk.long), len(visitor.clips)) == ([first], before)
    desk.asked = 0  # as a saved visit has it that takes the place of this one
    html = do("few-shot.long", long=number)
    (second,) = desk.long  # one at a time
    assert second != first, "the browser keeps the sound of the first by its address"
    assert f'data-arrive="{second}"' in html
