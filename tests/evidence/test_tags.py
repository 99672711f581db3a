"""The per-tag explorer: a family, a dot, what is known about its tag; all of it by keyboard and in the address."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mirdemo.evidence import drawing, opened, rarity, selection
from mirdemo.evidence.selection import Selection
from mirdemo.evidence.tags import FAMILIES, bare, family
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.templating import render
from mirdemo.web.tabs.evidence import tab as evidence_tab
from mirdemo.web.tabs.evidence.tab import EvidenceDesk
from mirdemo.words.language import LANGUAGES, speaker

CITED = results.citations()
PUBLISHED = results.published()
EN = speaker("en")


def chart(family: str = "", records: Results = PUBLISHED, language: str = "en"):
    chosen = Selection(family=family)
    per_tag = rarity.per_tag(selection.choose(records, chosen))
    return rarity.rarity(per_tag, family, CITED, speaker(language))


def dots(drawn) -> list[dict]:
    return [t for t in json.loads(drawn.json)["data"] if t["mode"] == "markers"]


@pytest.mark.parametrize(
    ("corpus", "tag", "expected"),
    [
        ("makam", "usul--Aksak", "usul"),
        ("lyra", "instruments--Voice", "instrument"),
        ("lyra", "genres--Laiko", "genre"),
        ("lyra", "place--Epirus", "place"),
        ("fma", "Chiptune", "genre"),
        ("magnatagatune", "no vocals", "free"),
        ("carnatic", "form--Varnam - Tana Varnam", "form"),
    ],
)
def test_families_are_read_from_the_tags(corpus, tag, expected):
    assert family(corpus, tag) == expected


def test_every_published_tag_has_a_family_with_words_in_every_language():
    found = {family(r.corpus, r.tag) for r in PUBLISHED if r.tag}
    assert found == set(FAMILIES)
    for language in LANGUAGES:
        for one in FAMILIES:
            assert speaker(language)("evidence.family." + one)
    assert bare("form--Varnam - Tana Varnam") == "Varnam - Tana Varnam"


@pytest.mark.parametrize("wanted", FAMILIES)
def test_a_family_leaves_its_tags_and_what_is_over_all_tags(wanted):
    left = selection.choose(PUBLISHED, Selection(family=wanted))
    assert {family(r.corpus, r.tag) for r in left if r.tag} == {wanted}
    assert sum(r.tag is None for r in left) == sum(r.tag is None for r in PUBLISHED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wanted", FAMILIES)
def test_every_family_is_drawn_even_with_too_few_tags_for_a_trend(language, wanted):
    drawn = chart(wanted, language=language)
    shown = sum(len(t["x"]) for t in dots(drawn))
    tags = {(r.corpus, r.tag) for r in PUBLISHED if r.tag and family(r.corpus, r.tag) == wanted}
    assert shown == len(tags)
    assert str(shown) in drawn.title


def test_the_title_of_a_family_is_counted_from_its_figures():
    usul = [
        r
        for r in PUBLISHED
        if r.tag
        and r.tag.startswith("usul--")
        and r.metric == "f1"
        and r.model == "VGG-ish"
        and r.method == "trained_from_scratch"
    ]
    title = chart("usul").title
    assert f"Of {len(usul)} tags {sum(r.value == 0 for r in usul)} are never found" in title
    assert bare(max(usul, key=lambda r: r.value).tag) in title


def test_a_dot_is_one_run_and_never_two_of_them_mixed():
    runs = {(r.model, r.method, r.protocol) for r in rarity.per_tag(PUBLISHED)}
    assert runs == {("VGG-ish", "trained_from_scratch", "ccml2023")}
    only = rarity.per_tag(selection.choose(PUBLISHED, Selection(models=("AST",), methods=("transfer",))))
    assert len({(r.model, str(r.setting["tuned"])) for r in only}) == 1
    assert len({(r.corpus, r.tag) for r in only}) == len(only)


def test_every_dot_opens_its_own_tag():
    for trace in dots(chart()):
        for said, text in zip(trace["customdata"], trace["text"], strict=True):
            assert said["act"] == "evidence.tag"
            found = opened.opened(PUBLISHED, said["value"], CITED, EN)
            assert found.name in text


def test_an_opened_tag_tells_every_run_with_n_protocol_and_its_source_as_a_link():
    found = opened.opened(PUBLISHED, "makam/makam--Hicaz", CITED, EN)
    own = [r for r in PUBLISHED if r.corpus == "makam" and r.tag == "makam--Hicaz"]
    assert len(found.lines) == len({(r.model, r.method, str(r.setting.get("tuned"))) for r in own})
    assert (found.name, found.family, found.corpus) == ("Hicaz", "makam", "Turkish-makam")
    assert found.support == own[0].setting["support"]
    assert not found.intervals
    for line in found.lines:
        assert line.link == "https://arxiv.org/abs/2307.09795"
        assert line.protocol == "ccml2023"
        assert set(line.figures) == {"f1", "precision", "recall"}


def test_an_interval_is_told_where_there_is_one():
    one = next(r for r in PUBLISHED if r.tag and r.metric == "f1")
    one = replace(one, value=0.5, low=0.4, high=0.6, level=0.9)
    found = opened.opened([one], f"{one.corpus}/{one.tag}", CITED, EN)
    assert found.intervals
    assert found.lines[0].figures["f1"] == "0.50 (0.40–0.60)"


def test_the_list_holds_every_dot_from_the_worst():
    records = rarity.per_tag(PUBLISHED)
    listed = opened.worst_first(records, EN)
    values = [float(one.value) for one in listed]
    assert values == sorted(values)
    assert {one.key for one in listed} == {f"{r.corpus}/{r.tag}" for r in records}


# ---- on the page ------------------------------------------------------------------------------------------


def drawn(visitor: Visitor) -> str:
    return str(render("evidence-tags.html", EN, evidence_tab._tags(visitor, EN)))


def test_by_keyboard_list_then_open_then_close():
    visitor = Visitor()
    assert "<table" not in drawn(visitor)
    evidence_tab._list_tags(visitor, Act({}))
    html = drawn(visitor)
    assert html.count('data-act="evidence.tag"') == len(rarity.per_tag(PUBLISHED))
    evidence_tab._open_tag(visitor, Act({"value": "lyra/place--Epirus"}))
    html = drawn(visitor)
    assert "<bdi>Epirus</bdi>" in html
    assert 'href="https://arxiv.org/abs/2307.09795"' in html
    assert 'aria-current="true"' in html
    assert visitor.desk(EvidenceDesk).chosen.to_query() == {"tag": "lyra/place--Epirus"}
    evidence_tab._open_tag(visitor, Act({"value": ""}))
    assert "opened-head" not in drawn(visitor)


def test_an_address_with_a_tag_opens_it_and_draws_nothing_anew():
    chosen = drawing.selected({"tag": "lyra/place--Epirus"})
    assert chosen.tag == "lyra/place--Epirus"
    assert drawing.view(chosen, "en") is drawing.view(Selection(), "en")


@pytest.mark.parametrize("key", ["lyra/nothing", "lyra/<script>alert(1)</script>"])
def test_a_tag_that_is_not_there_is_said_to_be_unknown(key):
    visitor = Visitor()
    evidence_tab._open_tag(visitor, Act({"value": key}))
    html = drawn(visitor)
    assert "Nothing is known about this tag" in html
    assert "<script" not in html


@pytest.mark.parametrize("key", ["nowhere/x", "x", "lyra/" + "x" * 200])
def test_what_cannot_be_a_tag_is_refused_or_left_out(key):
    from mirdemo.web.frame.errors import PageError

    with pytest.raises(PageError):
        evidence_tab._open_tag(Visitor(), Act({"value": key}))
    assert drawing.selected({"tag": key}).tag == ""
