"""A tagger made on the page, dropped on it by somebody else, tagging files into a sheet: by a real browser."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest
import soundfile
from driving import RATE, give, played, visiting, wait_rows, write_labelled
from walking import WIDE, Walk

from mirdemo.tagger import Tagger, tag_archive


@pytest.fixture(scope="module")
def tagger(chromium, address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger of six recordings, made and downloaded as a visitor does. Read only."""
    folder = tmp_path_factory.mktemp("tagger")
    (folder / "labelled").mkdir()
    with visiting(chromium, address) as visit:
        page = visit()
        give(page, "clips.add", write_labelled(folder / "labelled", 6, 4.0))
        wait_rows(page, 6)
        page.click('[role="tab"][data-tab="few-shot"]')
        page.click('[data-act="few-shot.build"] >> visible=true')
        with page.expect_download() as kept:
            page.click('a[href$="/tagger.zip"]')
        kept.value.save_as(folder / "tagger.zip")
    return folder / "tagger.zip"


def archive(folder: Path) -> list[Path]:
    """Two recordings, one that ends in the middle, and one that is none."""
    folder.mkdir()
    soundfile.write(folder / "dance.wav", played("drum", 5, 50), RATE)
    soundfile.write(folder / "=1+2 笛.flac", played("flute", 5, 51), RATE)
    soundfile.write(folder / "half.wav", played("drum", 5, 52), RATE)
    whole = (folder / "half.wav").read_bytes()
    (folder / "half.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "letter.wav").write_text("this is no sound")
    return sorted(folder.iterdir())


def test_a_tagger_dropped_anywhere_tags_files_into_the_sheet_of_the_command_line(
    visit, tagger: Path, tmp_path: Path, uploads: Path
):
    page = visit("clips", width=390)
    give(page, "clips.add", [tagger])
    page.wait_for_selector("text=tagger.zip is a tagger.")
    assert page.locator("#panel-clips tr[data-key]").count() == 0
    page.click('[role="tab"][data-tab="few-shot"]')
    card = page.locator(".tagger-card")
    card.wait_for()
    assert "6 labelled clips of 6 recordings" in card.inner_text()
    assert {"drum", "flute"} <= {row.inner_text() for row in card.locator(".tagger-tags bdi").all()}
    assert card.locator('[data-figure="macro-f1"]').count() == 1
    files = archive(tmp_path / "archive")
    give(page, "tagger.files", files)
    page.wait_for_selector("text=The sheet is ready. Files: 4.")
    table = page.locator(".sheet-table")
    assert table.locator("tr[data-key]").count() == 4
    assert table.locator('[data-warning="audio.cut_short"]').count() == 1
    assert table.locator("tr", has_text="letter.wav").locator("td:nth-child(2) .note").count() == 1
    with page.expect_download() as kept:
        page.click('a[href$="/tags.csv"]')
    kept.value.save_as(tmp_path / "page.csv")
    tag_archive([str(f) for f in files], Tagger.load(tagger), tmp_path / "line.csv")
    ours, theirs = (
        list(csv.reader((tmp_path / name).read_text("utf-8-sig").splitlines()))
        for name in ("page.csv", "line.csv")
    )
    assert [row[1:] for row in ours] == [row[1:] for row in theirs]
    names = [f.name for f in files]
    assert [row[0] for row in ours[1:]] == ["'" + n if n.startswith("=") else n for n in names]
    assert not [p for p in uploads.rglob("*") if p.is_file() and p.suffix in (".wav", ".flac", ".zip")]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_no_whole_tagger_is_refused_and_the_one_before_stays(visit, tagger: Path, tmp_path: Path):
    page = visit("few-shot", language="ja-JP")
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(tagger.read_bytes()[:-200])
    give(page, "tagger.bring", [spoilt])
    page.wait_for_selector(".notice.refusal")
    assert "使える自動タグ付けモデルではありません" in page.inner_text(".notice.refusal")
    assert page.locator(".tagger-card").count() == 0
    page.set_viewport_size(WIDE)
    w = Walk(page)
    w.step("tagger.bring", lambda: give(page, "tagger.bring", [tagger]), ".tagger-card", until=".tagger-card")
    w.ends()
    page.locator('[data-drop="tagger.files"]').wait_for()
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(tagger) as was, zipfile.ZipFile(changed, "w") as now:
        for name in was.namelist():
            now.writestr(name, was.read(name).replace(b'"drum"', b'"gong"'))
    give(page, "tagger.files", [changed])
    page.wait_for_selector("text=changed.zip は保存後に変更されています")
    assert page.locator(".tagger-card").count() == 1
    other = visit("few-shot")
    assert other.locator(".tagger-card").count() == 0, "nobody else sees it"
