"""Every term opens one sentence, in both languages, wherever it stands as a word of its own."""

from __future__ import annotations

import re

import pytest
from markupsafe import Markup

from mirdemo.web.frame.templating import TEMPLATES, render
from mirdemo.words.glossary import mark, terms
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
        '<a href="#x" title="a fold">a probe</a> and <button type="button" class="term" data-term="fold">folds</button>'
    )


@pytest.mark.parametrize("text", [Markup("the probe's folds"), "the probe's folds"])
def test_a_terms_genitive_stands_within_its_button_where_no_line_ends(text: str):
    assert re.search(r"data-term=.probing.>probe(?:'|&#39;)s</button>", mark(text, "en"))


def test_what_a_visitor_typed_stays_escaped():
    assert "<img" not in mark("<img src=x> probe", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_about_shows_it_whole_and_every_page_carries_the_sentences(language: str):
    t = speaker(language)
    foot = render(
        "foot.html",
        t,
        {"notice": None, "version": "1", "commit": "", "ends": False, "glossary": terms(language)},
    )
    for term in terms(language):
        assert f'data-term-says="{term.key}"' in foot
    assert "about.glossary" in (TEMPLATES / "about.html").read_text(encoding="utf-8")
