"""The report is one file that needs nothing else."""

from __future__ import annotations

import re

import pytest

from mirdemo import reporting
from mirdemo.reporting import Section, report
from mirdemo.web.evidence.report import evidence_report
from mirdemo.web.evidence.selection import Selection
from mirdemo.web.language import LANGUAGES

WORDS = dict.fromkeys(("heading", "summary", "made", "caution", "method", "sources"), "w")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_small_whole_and_asks_no_network(language):
    text = evidence_report(Selection(), language)
    assert len(text.encode()) < reporting.MAX_BYTES
    assert f'<html lang="{language}">' in text
    assert not re.search(r"""(src|href)=["'](?!https://)[^"'#]*//|<link|@import|url\(""", text)
    assert "default-src 'none'" in text
    assert text.count('class="chart"') == 8
    assert "arXiv 2307.09795" in text
    assert "#010101" not in text


def test_only_sources_of_what_is_drawn_are_named():
    text = evidence_report(Selection(models=("CultureMERT-95M", "MERT-v1-95M")), "en")
    assert "2506.17818" in text
    assert "2307.09795" not in text


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
