"""A tagger that is brought: known for one, checked whole, held for its visitor alone, and tagging a few files at a time."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from few_shot_sounds import RATE, sound
from gradio.utils import get_upload_folder
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.backbones.registry import Status
from mirdemo.base.manifests import checksum
from mirdemo.base.sentences import Cancelled
from mirdemo.clips import LabelledClips
from mirdemo.clips.in_question import InQuestion
from mirdemo.clips.visit import Visit
from mirdemo.embedding import pace
from mirdemo.embedding.pace import Pace
from mirdemo.tagger import Tagger
from mirdemo.tagger.file import ARRAYS, MANIFEST, zipped
from mirdemo.web import brought, models
from mirdemo.web.brought import TaggerDesk, is_tagger
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.uploads import Upload, uploads_of
from mirdemo.web.tabs.fewshot import own_tagger, sheet
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.fewshot.own_tagger import sheet_route
from mirdemo.web.tabs.fewshot.taking_home import made
from mirdemo.words.language import LANGUAGES, speaker


@pytest.fixture(scope="module")
def tagger(labelled: LabelledClips) -> Tagger:
    from mirdemo.base.progress import silent
    from mirdemo.web.models import Memory
    from mirdemo.web.tagging import build

    return made(build(labelled, "spectral", "all", Memory(), silent))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


def sent(name: str, content: bytes) -> dict[str, str]:
    """As a browser names what it has uploaded."""
    place = Path(get_upload_folder()) / secrets.token_hex(16) / secrets.token_hex(32)
    place.mkdir(parents=True)
    (place / "file").write_bytes(content)
    return {"path": str(place / "file"), "name": name}


def wav(kind: str, seed: int, seconds: float = 1.5) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, sound(kind, seed, seconds).samples, RATE, format="WAV")
    return out.getvalue()


@pytest.fixture
def bring(do: Callable, visitor: Visitor, tagger: Tagger) -> Callable:
    """``bring(contents)`` drops a tagger of these files, or a sound one, as a zip."""

    def bring(contents: dict[str, bytes] | None = None, name: str = "town.zip") -> str:
        return do("tagger.bring", files=[sent(name, zipped(contents or tagger.contents()))])

    return bring


def desk(visitor: Visitor) -> TaggerDesk:
    return visitor.desk(TaggerDesk)


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def shown(page, visitor: Visitor) -> str:
    return page.views.rendered("tagger", visitor)


def test_it_is_known_by_what_is_in_it(tagger: Tagger):
    contents = tagger.contents()
    visit = {"visit.json": b"{}"} | {f"results/{k}": v for k, v in contents.items()}
    assert not is_tagger(uploads_of([sent("visit.zip", zipped(visit))])), "a visit that holds one"
    zips = {"a": zipped(contents), "b": zipped({f"tagger/{k}": v for k, v in contents.items()})}
    assert all(is_tagger(uploads_of([sent(f"{name}.zip", data)])) for name, data in zips.items())
    assert is_tagger(uploads_of([sent(f"t/{k}", v) for k, v in contents.items()]))
    assert is_tagger(uploads_of([sent("tagger.safetensors", contents[ARRAYS])]))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("drum.wav", wav("drum", 1))
    assert not is_tagger(uploads_of([sent("clips.zip", other.getvalue())]))
    assert not is_tagger(uploads_of([sent("clips.zip", b"PK no zip")]))
    assert not is_tagger(uploads_of([sent("drum.wav", wav("drum", 1)), sent("README.md", b"")]))


@pytest.mark.parametrize("act", ["tagger.bring", "few-shot.query"])
def test_a_dropped_tagger_shows_its_card_and_waits_for_files(do, visitor, page, tagger, folder, act):
    do(act, files=[sent("town.zip", zipped(tagger.contents()))])
    html = shown(page, visitor)
    assert desk(visitor).ready
    assert "town.zip" in html
    assert "10 labelled clips of 10 recordings" in re.sub("<[^>]+>", "", html)
    assert f"{tagger.facts['figures']['macro_f1']['value']:.2f}" in html
    assert "&lt;b&gt;buzz" in html
    assert "<b>buzz" not in html
    assert 'data-drop="tagger.files"' in html
    assert left(folder) == []
    assert visitor.desk(FewShotDesk).answers == []


def test_its_unpacked_folder_is_one_too(do, visitor, tagger):
    do("tagger.bring", files=[sent(f"town/{name}", data) for name, data in tagger.contents().items()])
    assert desk(visitor).brought.name == "town"
    assert desk(visitor).ready


def test_a_folder_with_nothing_but_its_zip_is_one_too(bring, visitor):
    bring(name="downloads/town.zip")
    assert desk(visitor).brought.name == "town.zip"


def broken(tagger: Tagger, **changed) -> dict[str, bytes]:
    """The files with another manifest, whose checksum is right."""
    contents = tagger.contents()
    manifest = {**json.loads(contents[MANIFEST]), **changed}
    manifest["checksum"] = checksum(manifest)
    return {**contents, MANIFEST: json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"title": "other"}, None),
        ({"n_clips": "many"}, "tagger.unreadable"),
        ({"created": {"a": 1}}, None),
        ({"figures": {"macro_f1": {"value": "high"}}}, "tagger.unreadable"),
        ({"format_version": 99}, "tagger.newer"),
        ({"kind": "magic"}, "tagger.unknown_kind"),
        ({"tags": []}, "tagger.unreadable"),
    ],
)
def test_anything_wrong_is_one_sentence_and_changes_nothing(bring, visitor, tagger, folder, changed, code):
    bring()
    before = desk(visitor).brought
    bring(broken(tagger, **changed), "other.zip")
    if code is None:
        assert desk(visitor).brought.name == "other.zip"
        return
    assert desk(visitor).brought is before
    assert visitor.notice.refusal
    assert visitor.notice.sentence.code == code
    assert left(folder) == []


def test_a_part_of_one_too_large_a_one_and_one_that_went_are_refused(do, visitor, tagger, monkeypatch):
    contents = tagger.contents()
    do("tagger.bring", files=[sent("tagger.safetensors", contents[ARRAYS])])
    assert visitor.notice.sentence.code == "page.tagger_part"
    gone = sent("town.zip", zipped(contents))
    shutil.rmtree(Path(gone["path"]).parent)
    do("tagger.bring", files=[gone])
    assert visitor.notice.sentence.code == "page.upload_lost"
    monkeypatch.setattr(brought, "LIMITS", type(LIMITS)(tagger_bytes=1000))
    do("tagger.bring", files=[sent("town.zip", zipped(contents))])
    assert "too large" in str(visitor.notice.sentence)
    assert desk(visitor).brought is None


def test_files_become_rows_and_the_sheet_that_its_visitor_alone_can_fetch(
    do, bring, visitor, page, tagger, folder, monkeypatch
):
    bring()
    half = wav("drum", 71)
    files = [
        sent("drum.wav", wav("drum", 70)),
        sent("half.wav", half[: len(half) // 2]),
        sent("@flute.wav", wav("flute", 72)),
        sent("letter.wav", b"no sound"),
    ]
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(models, "PACE", known)
    monkeypatch.setattr(sheet, "PACE", known)
    assert "not timed on this server yet" in page.views.rendered("tagger", visitor)
    known.told(pace.embedding(tagger.needs.name), 0.1)
    known.told(pace.loading(tagger.needs.name), 0.0)
    assert "10 minutes of sound take about 1.0 minutes" in page.views.rendered("tagger", visitor)
    do("tagger.files", files=files)
    rows = desk(visitor).rows
    assert [row.given for row in rows] == [("drum",), ("drum",), ("flute",), ()]
    assert known.expected(sheet.tagging(desk(visitor).brought), 1.0) is not None, "learned"
    known.told(sheet.tagging(desk(visitor).brought), 0.5)
    assert "10 minutes of sound take about 5 minutes" in page.views.rendered("tagger", visitor)
    assert [row.incomplete for row in rows] == [False, True, False, False]
    assert rows[3].problem is not None
    assert left(folder) == []
    client = TestClient(Starlette(routes=[sheet_route(page.visitors)]))
    address = f"/few-shot/{visitor.sounds.key}/tags.csv"
    visitor.language = "ja"
    told = client.get(address)
    assert told.headers["cache-control"] == "private, no-store"
    lines = told.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("file,seconds,tags,unknown,incomplete,warnings,problem,tagger,score: ")
    assert lines[3].startswith("'@flute.wav,1.50,flute,no,no,")
    assert "ファイル" in lines[4]
    assert client.get(address.replace(visitor.sounds.key, "x" * 43)).status_code == 404
    do("tagger.forget")
    assert client.get(address).status_code == 404


def test_others_have_their_turn_between_a_few_files_and_a_few_more(do, bring, visitor, page, monkeypatch):
    """The queue serves whoever waits before the next few files of this visitor."""
    monkeypatch.setattr(sheet, "PART_FILES", 2)
    bring()
    other, order = page.visitors.arrive(None, "other"), []
    tag_part = own_tagger.tag_part

    def watched(made, files, done, total, progress):
        order.append((done, len(files), total))
        if done == 0:  # somebody else comes meanwhile
            page.start(other, "short", lambda progress: order.append("other"), lambda made: None)
        return tag_part(made, files, done, total, progress)

    monkeypatch.setattr(own_tagger, "tag_part", watched)
    do("tagger.files", files=[sent(f"{i}.wav", wav("drum", 80 + i)) for i in range(5)])
    assert order == [(0, 2, 5), "other", (2, 2, 5), (4, 1, 5)]
    assert [row.name for row in desk(visitor).rows] == [f"{i}.wav" for i in range(5)]


def test_stopped_it_keeps_what_it_has_and_goes_on_with_the_rest(do, bring, visitor, page, monkeypatch):
    bring()
    part, seen = own_tagger.tag_part, []

    def stopped(made, files, done, total, progress):
        def counting(at, of, phase):
            seen.append(at)
            if at == 2 and phase == "tagging":
                raise Cancelled
            progress(at, of, phase)

        return part(made, files, done, total, counting)

    monkeypatch.setattr(sheet, "PART_FILES", 16)
    monkeypatch.setattr(own_tagger, "tag_part", stopped)
    do("tagger.files", files=[sent(f"{i}.wav", wav("flute", 90 + i)) for i in range(4)])
    assert [row.name for row in desk(visitor).rows] == ["0.wav", "1.wav"]
    html = shown(page, visitor)
    assert "Stopped: 2 files are not tagged yet." in html
    monkeypatch.setattr(own_tagger, "tag_part", part)
    do("tagger.go_on")
    assert [row.name for row in desk(visitor).rows] == [f"{i}.wav" for i in range(4)]
    assert "go_on" not in shown(page, visitor)


def test_a_sheet_has_an_end_and_takes_a_sound_once(do, bring, visitor, folder, monkeypatch):
    monkeypatch.setattr(own_tagger, "LIMITS", type(LIMITS)(tagged_files=3))
    bring()
    drum = wav("drum", 60)
    do("tagger.files", files=[sent("drum.wav", drum), sent("x/cover.jpg", b"x"), sent("x/drum.wav", drum)])
    assert desk(visitor).left_out == 1
    do("tagger.files", files=[sent("drum.wav", drum)])
    assert len(desk(visitor).rows) == 2
    do("tagger.files", files=[sent(f"{i}.wav", drum) for i in range(2)])
    assert visitor.notice.sentence.code == "page.sheet_full"
    assert left(folder) == []
    do("tagger.clear")
    assert desk(visitor).rows == ()
    do("page.undo")
    assert len(desk(visitor).rows) == 2
    do("tagger.files", files=[sent("x/cover.jpg", b"x")])
    assert visitor.notice.sentence.code == "page.no_sounds_among"


def test_removed_or_replaced_it_can_be_had_back(do, bring, visitor):
    bring()
    do("tagger.files", files=[sent("drum.wav", wav("drum", 60))])
    do("tagger.forget")
    assert desk(visitor).brought is None
    do("page.undo")
    assert desk(visitor).brought is not None
    assert len(desk(visitor).rows) == 1


def test_the_tagger_on_the_page_is_used_without_a_file(do, visitor, page):
    assert 'data-act="tagger.use"' not in shown(page, visitor)
    do("few-shot.build")
    assert 'data-act="tagger.use"' in shown(page, visitor)
    do("tagger.use")
    assert desk(visitor).ready
    do("tagger.files", files=[sent("flute.wav", wav("flute", 60))])
    assert desk(visitor).rows[0].given == ("flute",)


def test_what_has_to_be_fetched_is_said_before_files_are_asked_for(bring, visitor, page, tagger, monkeypatch):
    monkeypatch.setattr(brought, "status", lambda name: Status(False, 378_000_000, None, None))
    monkeypatch.setattr(own_tagger, "status", lambda name: Status(False, 378_000_000, None, None))
    bring()
    html = shown(page, visitor)
    assert "378 MB" in html
    assert 'data-act="tagger.fetch"' in html
    assert "tagger.files" not in html


@pytest.mark.parametrize("name", ["hf:someone/else", "mert-none"])
def test_a_backbone_that_the_page_does_not_offer_is_never_loaded(
    bring, do, visitor, page, tagger, monkeypatch, name
):
    asked = []
    monkeypatch.setattr(brought.SHELF, "take", lambda name, *rest: asked.append(name))
    bring(broken(tagger, identity={**tagger.identity.as_dict(), "name": name}))
    html = shown(page, visitor)
    assert name in html
    assert "python -m mirdemo tag" in html
    assert "tagger.fetch" not in html
    assert "tagger.files" not in html
    do("tagger.fetch")
    assert visitor.notice.sentence.code == "page.no_such_choice"
    assert asked == []


def test_another_version_of_its_backbone_is_told_before_files_are_asked_for(bring, visitor, page, tagger):
    bring(broken(tagger, identity={**tagger.identity.as_dict(), "fingerprint": "0" * 64}))
    html = shown(page, visitor)
    assert 'data-warning="tagger.other_backbone"' in html
    assert "tagger.files" not in html


def test_the_backbone_is_taken_as_the_tagger_had_it(bring, do, visitor, tagger, monkeypatch):
    asked, take = [], brought.SHELF.take

    def taken(name, progress, identity=None):
        asked.append(identity)
        return take(name, progress)

    monkeypatch.setattr(brought.SHELF, "take", taken)
    bring()
    do("tagger.files", files=[sent("drum.wav", wav("drum", 60))])
    assert len(desk(visitor).rows) == 1
    assert asked == [tagger.identity] * 2


def test_what_waits_goes_with_the_visitor_and_what_is_held_counts(bring, do, visitor, page, folder):
    bring()
    assert page.visitors.sound_bytes() > visitor.sounds.held_bytes()
    desk(visitor).waiting = [Upload.of(sent("drum.wav", wav("drum", 1)))]
    visitor.let_go()
    assert left(folder) == []


def test_a_file_that_waits_is_not_swept_for_one_that_nobody_reads(folder):
    import os

    upload = Upload.of(sent("drum.wav", b"x"))
    old = time.time() - 10_000
    os.utime(upload.path, (old, old))
    upload.renew()
    assert upload.path.stat().st_mtime > time.time() - 100


def test_scores_are_those_of_the_tagger(do, bring, visitor, tagger):
    bring()
    do("tagger.files", files=[sent("flute.wav", wav("flute", 61))])
    from mirdemo.sound.audio import load_clip

    wanted = {tag: score for tag, score, _ in tagger.tag(load_clip(wav("flute", 61)), all_tags=True)}
    np.testing.assert_allclose(desk(visitor).rows[0].scores, [wanted[tag] for tag in tagger.tags], rtol=1e-5)


def test_a_saved_visit_keeps_the_tagger_and_refuses_one_that_was_forged(page, visitor, tagger, bring):
    bring()
    parts, arrays, _ = page.keeping.told(page.keeping.keep(visitor))
    told = {"tagger": json.loads(json.dumps(parts["tagger"]))}

    def restored(arrays: dict[str, np.ndarray]) -> Visitor:
        other = Visitor()
        visit = Visit("v.zip", "", "", (), {}, told, arrays)
        page.keeping.restore(other, visit, lambda visitor: page.views.rendered("tagger", visitor))
        return other

    other = restored(arrays)
    assert desk(other).brought.name == "town.zip"
    assert desk(other).brought.tagger.contents() == tagger.contents()
    assert "town.zip" in shown(page, other)
    largest = max(arrays, key=lambda name: arrays[name].nbytes)
    forged = arrays[largest].copy()
    forged[len(forged) // 2] ^= 1
    with pytest.raises(PageError) as caught:
        restored({**arrays, largest: forged})
    assert caught.value.sentence.code == "page.visit_does_not_fit"


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_card_says_what_counts_as_one_recording_while_nobody_has_said(do, visitor, page, language):
    kinds = ("drum", "flute") * 5
    names = [f"part{i}.wav" if i < 4 else f"night {'abcdefghij'[i] * 3}.wav" for i in range(10)]
    clips = [
        replace(sound(kind, i), name=name) for i, (kind, name) in enumerate(zip(kinds, names, strict=True))
    ]
    visitor.hold(LabelledClips.from_clips(clips, [[kind] for kind in kinds], limits=CLIP_LIMITS))
    visitor.language = language
    do("few-shot.build")
    do("tagger.use")
    found, card = InQuestion.of(visitor.clips), desk(visitor).brought.card
    assert found.clips >= 4
    assert card.recordings == found.counted < found.recordings == 10
    assert str(speaker(language).say(found.sentence)) in shown(page, visitor)
    visitor.hold(visitor.clips.part(range(10)))
    do("few-shot.build")
    do("tagger.use")
    assert 'data-warning="clips.counts_as' not in shown(page, visitor)
