"""About: every backbone and corpus with its licence, in either language."""

from __future__ import annotations

from html import unescape

import pytest

from mirdemo.backbones.registry import specs
from mirdemo.corpora.facts import CORPORA
from mirdemo.web import about_tab
from mirdemo.web.language import LANGUAGES, speaker
from mirdemo.web.session import Visitor
from mirdemo.web.templating import render


@pytest.fixture(params=LANGUAGES)
def drawn(request) -> str:
    t = speaker(request.param)
    return unescape(render("about.html", t, about_tab.show(Visitor(), t)))


def row(drawn: str, key: str) -> str:
    return drawn.partition(f'data-key="{key}"')[2].partition("</tr>")[0]


def test_every_corpus_has_its_tags_licence_citation_and_a_way_to_it(drawn):
    for name, facts in CORPORA.items():
        line = row(drawn, name)
        for said in (facts.title, f">{facts.n_tags}<", facts.citation, f'href="{facts.page}"'):
            assert said in line, (name, said)
        if facts.licence:
            assert facts.licence.removeprefix("metadata ").partition(";")[0] in line, name


def test_every_backbone_has_its_licence(drawn):
    for name, facts in specs().items():
        assert facts.licence is None or facts.licence in row(drawn, name)


def test_every_method_has_its_reference(drawn):
    for reference in about_tab.METHODS.values():
        assert reference in drawn
