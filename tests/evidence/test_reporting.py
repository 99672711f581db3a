"""The report is one file that needs nothing else."""

from __future__ import annotations

import re

import pytest
from markupsafe import escape

from mirdemo.evidence import drawing, reporting
from mirdemo.evidence.report import evidence_report
from mirdemo.evidence.reporting import Section, report
from mirdemo.evidence.selection import Selection
from mirdemo.evidence.wording import SCREEN_ONLY
from mirdemo.results import records as results
from mirdemo.words.language import LANGUAGES, speaker

WORDS = dict.fromkeys(("heading", "summary", "made", "caution", "method", "sources"), "w")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_small_whole_and_asks_no_network(language):
    text = evidence_report(Selection(), language)
    assert len(text.encode()) < reporting.MAX_BYTES
    assert f'<html lang="{language}">' in text
    assert not re.search(r"""(src|href)=["'](?!https://)[^"'#]*//|<link|@import|url\(""", text)
    assert "default-src 'none'" in text
    drawn = [chart for _, chart in drawing.shipped(language).charts if chart.json is not None or chart.table]
    assert text.count('class="chart"') == len(drawn) >= 12
    assert "arXiv 2307.09795" in text
    assert "#010101" not in text


def test_only_sources_of_what_is_drawn_are_named():
    text = evidence_report(Selection(models=("CultureMERT-95M", "MERT-v1-95M")), "en")
    assert "2506.17818" in text
    assert "2307.09795" not in text


def test_the_japanese_report_gives_its_cautions_in_japanese():
    text, citations = evidence_report(Selection(), "ja"), results.citations().values()
    for one in citations:
        assert one["caution_ja"] in text
        assert str(escape(one["caution"])) not in text
    assert str(escape(next(iter(citations))["caution"])) in evidence_report(Selection(), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_paper_asks_to_be_touched(language):
    t, text = speaker(language), evidence_report(Selection(), language)
    lines = "".join("".join(chart.sources) for _, chart in drawing.view(Selection(), language).charts)
    for key in SCREEN_ONLY:
        assert t(key) in lines  # on the screen
        assert t(key) not in text
    said = text.split('<script id="plotly"')[0].lower()
    assert not re.search("click|クリック|選ぶと", re.sub('data-figure="[^"]*"', "", said))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("chosen", [Selection(), Selection(metric="map", corpora=("lyra",), family="place")])
def test_each_line_to_say_aloud_tells_how_sure_it_is(language, chosen):
    (listed,) = re.findall('<ol class="summary">(.*?)</ol>', evidence_report(chosen, language), re.DOTALL)
    lines = re.findall("<li>(.*?)</li>", listed)
    assert len(lines) >= 2
    for line in lines:
        assert re.search("no interval published|with the interval|区間は未公表|区間を含めると", line), line


def test_everything_in_it_is_escaped():
    hostile = '"><script>alert(1)</script>'
    text = report(
        [Section(hostile, hostile, hostile, [hostile], 300)],
        words=WORDS,
        language="en",
        summary=[hostile],
        sources=[dict.fromkeys(("authors", "title", "venue", "url", "caution"), hostile)],
    )
    assert "<script>alert" not in text


def test_one_that_is_too_heavy_is_refused():
    with pytest.raises(ValueError, match="weighs"):
        report(
            [Section("x" * reporting.MAX_BYTES, "{}", "", [], 1)],
            words=WORDS,
            language="en",
            summary=[],
            sources=[],
        )
