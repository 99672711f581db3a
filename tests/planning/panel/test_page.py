"""The page that is sent: what it holds, what it may do, what it weighs."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace

import pytest
import soundfile
from paneled import clips, panel

from mirdemo.planning.panel import MAX_BYTES, PanelError, draw, panel_page
from mirdemo.planning.panel.drawing import Proposer
from mirdemo.planning.panel.page import QUALITIES, expected_bytes, page_within, quality


def held(html: str) -> dict:
    return json.loads(re.search(r'id="panel">(.*?)</script>', html, re.DOTALL)[1])


def test_it_holds_sound_and_questions_and_nothing_that_tells_whose_they_are():
    made = panel(two=True)
    html = panel_page(made, clips(), "ja")
    assert '<html lang="ja">' in html
    for secret in (
        "secret-",
        "evening-",
        "spectral",
        "mini-world",
        "few_shot",
        *(c.sha256 for c in made.clips),
    ):
        assert secret not in html
    data = held(html)
    assert set(data) == {
        *("format", "id", "clips", "answers", "limits", "languages", "language", "words", "inside", "sounds")
    }
    assert [set(clip) for clip in data["clips"]] == [{"tags", "sides"}] * len(made.clips)
    assert len(data["sounds"]) == len(made.clips)
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(data["sounds"][0])))
    assert rate == 16_000
    assert len(sound) / rate == pytest.approx(0.5, abs=0.15)


def test_within_the_page_it_asks_the_same_and_fetches_its_sounds():
    made = panel(two=True)
    html = page_within(made, [f"../../listen/k/{c}" for c in range(len(made.clips))], "ja", "dark")
    data = held(html)
    assert data["inside"]
    assert data["sounds"][1] == "../../listen/k/1"
    assert data["clips"] == held(panel_page(made, clips()))["clips"]
    assert '<html lang="ja" data-theme="dark">' in html
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert "media-src 'self'" in policy
    assert "connect-src" not in policy
    assert "spectral" not in html


def test_a_tag_that_is_markup_stays_a_word():
    html = panel_page(panel(), clips())
    assert "<b>鉦" not in html
    assert any("<b>鉦</b>" in clip["tags"] for clip in held(html)["clips"])


def test_nothing_but_its_own_script_and_style_may_run_and_nothing_is_fetched():
    html = panel_page(panel(), clips())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    for kind, text in re.findall(r"<(script|style)>(.*?)</\1>", html, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", re.sub(r'"sounds".*', "", html))
    assert not re.search(
        r"\son\w+=|style=", re.sub(r'id="panel">.*?</script>', "", html, flags=re.DOTALL).split("<script>")[0]
    )


@pytest.mark.parametrize(("seconds", "kilobits"), [(60, 96), (600, 64), (900, 48), (1400, 32), (2000, None)])
def test_the_best_quality_that_can_be_mailed(seconds: float, kilobits: int | None):
    assert quality(seconds, 60) == kilobits
    assert all(expected_bytes(seconds, 60, q) > MAX_BYTES for q in QUALITIES if kilobits and q > kilobits)


def test_what_is_expected_of_its_weight_is_kept():
    made, sounds = panel(), clips(seconds=4.0)
    made = draw(sounds, [str(i) for i in range(12)], ["a", "b"], [Proposer("x", [[1, 0]] * 12)])
    weighs = len(panel_page(made, sounds).encode())
    assert weighs <= expected_bytes(made.seconds, 12, 96) < 1.25 * weighs


def test_a_clip_that_is_gone_and_too_much_sound_are_sentences(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(PanelError) as refusal:
        panel_page(panel(), clips()[:5])
    assert refusal.value.sentence.code == "panel.clip_missing"
    monkeypatch.setattr("mirdemo.planning.panel.page.MAX_BYTES", 60_000)
    with pytest.raises(PanelError) as refusal:
        panel_page(panel(), clips())
    assert refusal.value.sentence.code == "panel.too_long"
    monkeypatch.setattr("mirdemo.planning.panel.page.MAX_BYTES", 8_000_000)
    long = replace(panel(), clips=tuple(replace(clip, seconds=600.0) for clip in panel().clips))
    with pytest.raises(PanelError) as refusal:
        panel_page(long, clips())
    assert str(refusal.value).startswith(
        "These clips last 120 minutes together, too long for a page of 8 MB."
    )
