"""Fine-tune as a visitor meets it: the price before, a cancel that works, curves, a verdict, a file to take home."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
from driving import RATE, give, played, wait_rows

import mirdemo

WEIGHTS = Path(mirdemo.__file__).parents[1] / "assets" / "backbones" / "mini-west" / "model.safetensors"
pytestmark = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason="no weights of an embedded backbone in assets/backbones"
)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    """Four short recordings, drum and flute by turns."""
    import soundfile

    for number in range(4):
        kind = ("drum", "flute")[number % 2]
        soundfile.write(tmp_path / f"{kind} {number}.wav", played(kind, 1, number), RATE)
    return sorted(tmp_path.glob("*.wav"))


def test_from_price_to_verdict_with_a_stop_and_a_reload_on_the_way(visit, recordings, tmp_path: Path):
    page = visit()
    page.set_default_timeout(120_000)
    page.fill('[data-drop="clips.add"] [name=tags]', "drum")
    give(page, "clips.add", recordings[:2])
    wait_rows(page, 2)
    page.fill('[data-drop="clips.add"] [name=tags]', "flute")
    give(page, "clips.add", recordings[2:])
    wait_rows(page, 4)
    page.click('[data-tab="fine-tune"]')
    page.click('[data-act="fine-tune.backbone"][data-value="mini-west"]')
    page.locator('[data-key="takes"]', has_text="on this server").wait_for()
    page.select_option('[data-act="fine-tune.epochs"]', "5")
    page.select_option('[data-act="fine-tune.blocks"]', "1")

    page.click('[data-act="fine-tune.run"]')
    stop = page.locator('[data-key="under-way"] [data-act="page.stop"]')
    stop.click()
    began = time.monotonic()
    page.wait_for_selector('[data-key="under-way"]', state="detached")
    assert time.monotonic() - began < 5, "2 s for the training itself; the rest is this browser"

    page.click('[data-act="fine-tune.run"]')
    page.wait_for_selector('[data-key="under-way"]')
    page.reload()
    page.wait_for_selector('[data-key="chart-live-1"], .tune-result')
    page.wait_for_selector(".tune-result")
    assert "4 recordings" in page.inner_text(".verdict-line")
    page.locator('[data-key="chart-paired"]').scroll_into_view_if_needed()
    page.wait_for_selector('[data-key="chart-paired"].is-drawn')
    page.click('[data-key="hub"] > summary')
    assert page.is_checked('[data-act="fine-tune.push"] [name=private]'), "nobody publishes by mistake"
    with page.expect_download() as taken:
        page.click('[data-key="home"] a.button')
    taken.value.save_as(tmp_path / "tagger.zip")
    assert "tagger.safetensors" in zipfile.ZipFile(tmp_path / "tagger.zip").namelist()
