"""Corpora that others have measured on and that cannot be read here: what is said of each."""

from __future__ import annotations

import pytest

from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.elsewhere import ELSEWHERE
from mirdemo.evidence.palette import colour, symbol, tradition_words
from mirdemo.results.records import elsewhere
from mirdemo.words.language import LANGUAGES, speaker


def test_every_record_of_mteb_is_of_a_corpus_with_facts_and_has_its_count():
    found = [r for r in elsewhere() if r.protocol == "maeb"]
    assert {r.corpus for r in found} == set(ELSEWHERE)
    for record in found:
        facts = ELSEWHERE[record.corpus]
        assert (record.n, record.n_unit) == (facts.n, facts.unit)


def test_no_such_corpus_is_one_that_can_be_read():
    assert not set(ELSEWHERE) & set(catalogue())


def test_isolated_sounds_stand_behind_recordings():
    kinds = [facts.isolated for facts in ELSEWHERE.values()]
    assert kinds == sorted(kinds)
    assert {facts.unit for facts in ELSEWHERE.values() if facts.isolated} == {"isolated sounds"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_has_words_a_colour_and_what_naming_the_largest_class_reaches(language):
    for facts in ELSEWHERE.values():
        assert facts.task[language]
        assert tradition_words(facts.tradition, speaker(language)) != facts.tradition
        assert colour(facts.tradition).startswith("#")
        assert symbol(facts.tradition)
        assert 1 / facts.n_classes <= facts.largest < 1
