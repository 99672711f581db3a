"""A link reproduces a view, and a filter leaves exactly what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import figure_of

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence import drawing, selection
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.results.records import Results


def some(options):
    return st.lists(st.sampled_from(list(options)), unique=True, max_size=3).map(tuple)


selections = st.builds(
    Selection,
    metric=st.sampled_from(selection.METRICS),
    methods=some(results.METHODS),
    models=some(drawing.models()),
    corpora=some(catalogue()),
    sources=some(selection.SOURCES),
    licence=st.sampled_from(selection.LICENCES),
    size=st.sampled_from(selection.SIZES),
)


@given(selections)
def test_the_address_holds_the_whole_selection(chosen):
    assert drawing.selected(chosen.to_query()) == chosen


@given(
    st.dictionaries(st.sampled_from(["metric", "models", "corpora", "licence", "x"]), st.text(max_size=40))
)
def test_any_address_gives_a_view(query):
    chosen = drawing.selected(query)
    assert set(chosen.models) <= set(drawing.models())
    assert chosen.metric in selection.METRICS


@pytest.mark.parametrize(
    ("chosen", "fits"),
    [
        (Selection(corpora=("lyra",)), lambda r: r.corpus == "lyra"),
        (Selection(methods=("probe",)), lambda r: r.method == "probe"),
        (Selection(models=("AST",)), lambda r: r.model == "AST"),
        (Selection(sources=("published",)), lambda r: r.source == "published"),
        (Selection(size="small"), lambda r: "MERT" in r.model),
    ],
)
def test_a_filter_leaves_what_it_says_and_all_of_it(chosen, fits):
    published = results.published()
    left = selection.choose(published, chosen)
    assert list(left) == [r for r in published if fits(r)]
    assert len(left) > 0


def test_only_what_some_chart_draws_is_shown():
    everything = results.shipped()
    shown = selection.shown(everything, Selection(metric="map"))
    kinds = {(r.method, r.metric, r.corpus in catalogue(), r.tag is None) for r in shown}
    assert (
        "probe",
        "map",
        False,
        True,
    ) in kinds  # on synthesised music: chart 7 and the controlled experiment
    assert ("finetune", "map", False, True) not in kinds  # drawn nowhere
    assert all(inside for _, _, inside, overall in kinds if not overall)
    assert {metric for method, metric, _, _ in kinds if method == "fewshot"} == {"macro_f1"}
    point = next(r for r in shown if r.method == "fewshot")
    told_little = replace(point, setting={"n_way": 5, "k_shot": 3})
    assert selection.is_shown(point, "map")
    assert not selection.is_shown(told_little, "map")


def test_a_model_whose_licence_is_not_stated_is_not_offered_for_commercial_use():
    everything = selection.base()
    assert len(selection.choose(results.published(), Selection(licence="commercial"))) == 0
    ours = selection.choose(everything, Selection(licence="commercial"))
    assert {r.model for r in ours if not r.apart} == {"Spectral statistics", "Mini-West", "Mini-World"}
    assert {r.model for r in ours if r.apart} == {"CLAP-Music", "CLAP-Music&Speech", "Qwen2-Audio"}


def test_the_visitors_own_records_are_told_apart():
    own = figure_of(model="mine", corpus="festival")
    both = Results((*results.published().records[:5], own))
    assert list(selection.choose(both, Selection(sources=("yours",)), yours=[5])) == [own]
    assert len(selection.choose(both, Selection(sources=("measured",)), yours=[5])) == 0
