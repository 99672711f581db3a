"""About: every backbone and corpus with its licence, in either language."""

from __future__ import annotations

from html import unescape

import pytest

from mirdemo.backbones.registry import specs
from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence.wording import corpus_title
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.templating import render
from mirdemo.web.tabs.about import tab as about_tab
from mirdemo.words.language import LANGUAGES, Speaker, speaker


@pytest.fixture(params=LANGUAGES)
def t(request) -> Speaker:
    return speaker(request.param)


@pytest.fixture
def drawn(t: Speaker) -> str:
    return unescape(render("about.html", t, about_tab.show(Visitor(), t)))


def row(drawn: str, key: str) -> str:
    return drawn.partition(f'data-key="{key}"')[2].partition("</tr>")[0]


def test_every_corpus_has_its_tags_licence_citation_and_a_way_to_its_sound(drawn, t):
    for name, facts in catalogue().items():
        line = row(drawn, name)
        way = str(t(f"about.corpus.sound.{name}"))
        for said in (corpus_title(name, t), f">{facts.n_tags}<", facts.citation, f'href="{facts.page}"', way):
            assert said in line, (name, said)
        for place in ("YouTube", "Dunya"):
            assert (place in way) == (place in facts.audio), name
        stated = facts.licence or str(t("about.licence.unstated"))
        assert stated.removeprefix("metadata ").partition(";")[0] in line, name


def test_every_backbone_has_its_licence(drawn, t):
    for name, facts in specs().items():
        assert (facts.licence or str(t("about.licence.open"))) in row(drawn, name), name


def test_every_method_has_its_reference(drawn):
    for reference in about_tab.METHODS.values():
        assert reference in drawn


def test_what_this_project_says_of_a_backbone_or_a_corpus_is_in_the_visitors_language(drawn, t):
    """What others wrote is cited as they wrote it."""
    for words in ("trained by this project", "and their correlations", "artists apart"):
        assert (words in drawn) == (t.language == "en"), words
