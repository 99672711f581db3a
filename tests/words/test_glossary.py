"""Every term opens one sentence, in both languages, wherever it stands as a word of its own."""

from __future__ import annotations

import re

import pytest
from markupsafe import Markup

from mirdemo.web.frame.templating import TEMPLATES, render
from mirdemo.words import glossary
from mirdemo.words.glossary import finds_terms, mark, terms
from mirdemo.words.language import LANGUAGES, speaker

ASKED = {
    *(
        "roc_auc",
        "map",
        "f1",
        "probing",
        "fine_tuning",
        "backbone",
        "layer",
        "whitening",
        "prototype",
        "window",
    ),
    *("corpus", "interval", "p", "recording", "chance", "few_shot", "fold", "macro"),
}


def marked(text: str, language: str) -> list[str]:
    return re.findall(r'data-term="(\w+)"', mark(text, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_terms_each_with_one_short_saying(language: str):
    found = terms(language)
    assert len(found) >= 30
    assert {term.key for term in found} == {term.key for term in terms("en")}
    assert {term.key for term in found} >= ASKED
    for term in found:
        assert term.says[-1] in ".。", term.key
        assert len(term.says) < 240, term.key
    forms = [form for term in found for form in term.forms]
    assert len(forms) == len(set(forms)), "a form belongs to one term"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_is_found_and_opens_its_own_term(language: str):
    for term in terms(language):
        for form in term.forms:
            text = {"en": f"Of {form} = 1, here.", "ja": f"ここの{form}、です。"}[language]
            if (language, form) == ("ja", "p"):
                text = "ここの p = 0.1 です。"
            assert marked(text, language) == [term.key], form


def test_a_term_is_marked_once_as_a_word_and_never_inside_another_control():
    assert marked("Windows and a window; unwindowed, windowsill", "en") == ["window"]
    assert marked("Microphones, a probes-like word, chancellor", "en") == []
    assert marked("テープ、メインページ、二層目、録音とプロービング", "ja") == ["recording", "probing"]
    inside = Markup("<a href='#x'>a probe</a> <button>layers</button> <b title='a window'>x</b>")
    assert marked(inside, "en") == []
    link = mark(Markup('<a href="#x" title="a fold">a probe</a> and folds'), "en")
    assert link == (
        '<a href="#x" title="a fold">a probe</a> and <span role="button" tabindex="0" class="term" data-term="fold">folds</span>'
    )


@pytest.mark.parametrize("text", [Markup("the probe's folds"), "the probe's folds"])
def test_a_terms_genitive_stands_within_its_button_where_no_line_ends(text: str):
    assert re.search(r"data-term=.probing.>probe(?:'|&#39;)s</span>", mark(text, "en"))


def test_what_a_visitor_typed_stays_escaped():
    assert "<img" not in mark("<img src=x> probe", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_about_shows_it_whole_and_every_page_carries_the_sentences(language: str):
    t = speaker(language)
    sent = render("glossary.html", t, {"glossary": terms(language), "finds_terms": finds_terms(language)})
    for term in terms(language):
        assert f'data-term-says="{term.key}"' in sent
    assert "about.glossary" in (TEMPLATES / "about.html").read_text(encoding="utf-8")


def opened(html: str) -> list[str]:
    return re.findall(r'class="term" data-term="(\w+)"', mark(Markup(html), "en"))


def test_in_a_region_of_the_page_every_term_opens_once_a_part_and_never_in_a_visitors_words():
    assert opened("<p>A probe.</p><p>The probe.</p>") == ["probing"]
    assert opened("<p>A probe.</p><h3>Why</h3><p>The probe.</p>") == ["probing"] * 2
    assert opened("<h2>A probe</h2><p>The probe.</p>") == ["probing"]
    assert opened("<p>A probe.</p><section><p>The probe.</p></section><p>A probe.</p>") == ["probing"] * 2
    folded = "<p>A clip.</p><details><summary>A fold</summary><p>The fold of a clip.</p></details><p>A fold. A clip.</p>"
    assert opened(folded) == ["clip", "fold", "clip", "fold"]
    assert opened("<bdi>my probe</bdi> <p class='hidden'>x</p><p hidden>probe</p><input hidden> fold") == [
        "fold"
    ]
    assert opened('<p class="quiet hidden">probe</p><dl data-unmarked><dt>probe</dt></dl>') == []
    assert opened("<svg><text>probe</text><svg></svg>fold</svg> <i title='a > b probe'>fold</i>") == ["fold"]


def test_a_heading_that_sorts_tells_its_term_beside_what_it_does():
    heading = '<th><button type="button" class="sort" data-sort="1">ROC-AUC</button></th>'
    assert mark(Markup(heading), "en") == heading.replace(
        'data-sort="1"', 'data-sort="1" data-term="roc_auc"'
    )
    other = heading.replace("ROC-AUC", "Model")
    assert mark(Markup(other), "en") == other


def test_a_region_is_marked_in_less_time_than_anybody_notices():
    import time

    row = '<tr data-key="x"><td>Recording one</td><td><bdi>a &lt;clip&gt;</bdi><svg><path d="M0 0"/></svg></td></tr>'
    begun = time.thread_time()
    mark(Markup("<table>" + 4_000 * row + "</table>"), "en")
    assert time.thread_time() - begun < 1


def test_nothing_that_a_visitor_has_written_is_kept_for_later():
    """What is remembered for all outlives every visit."""
    remembering = [one for one in vars(glossary).values() if hasattr(one, "cache_info")]

    def kept() -> list[int]:
        return [one.cache_info().currsize for one in remembering]

    ours = speaker("en")("clips.enough.why")
    assert mark(ours, "en").count("data-term")
    before = kept()
    assert mark(ours, "en").count("data-term")
    assert "data-term" in mark(Markup("<p>the whitening of my wedding song</p>"), "en")
    assert kept() == before
