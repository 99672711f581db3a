"""Assumptions, the plan's file, and its sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planned import RISING, evidence, way
from sound_damage import mutations
from text_damage import json_damaged, read_or_refused, text_damaged

from mirdemo.clips.in_question import InQuestion
from mirdemo.evidence.plan_report import plan_report
from mirdemo.planning import (
    CURRENCIES,
    LIMITS,
    Assumptions,
    Plan,
    PlanError,
    for_the_meeting,
    make_plan,
    two_sentences,
)
from mirdemo.planning.fingerprint import fingerprint
from mirdemo.planning.ways import FINE_TUNE
from mirdemo.words.durations import time_of
from mirdemo.words.language import speaker


@pytest.mark.parametrize("name", list(LIMITS))
@pytest.mark.parametrize("value", [-1, 1e12, float("nan"), float("inf"), "many", "", None, [], True, "<b>"])
def test_impossible_assumptions_are_one_sentence(name: str, value):
    with pytest.raises(PlanError) as refusal:
        Assumptions.of({name: value})
    assert refusal.value.sentence.code == ("planning.no_number" if value == "" else "planning.impossible")
    assert str(speaker("ja").say(refusal.value.sentence))


def test_zero_is_impossible_where_it_would_be_divided_by_and_fine_where_it_means_free():
    for name in ("recordings", "hand_minutes", "accept_seconds", "mend_seconds", "wage", "target"):
        with pytest.raises(PlanError):
            Assumptions.of({name: 0})
    assert Assumptions.of({"setup_minutes": 0, "gpu_price": "0"}).gpu_price == 0
    with pytest.raises(PlanError):
        Assumptions.of({"recordings": 2.5})
    with pytest.raises(PlanError):
        Assumptions.of({"currency": "BTC"})
    with pytest.raises(PlanError):
        Assumptions.of({"luck": 1})


def test_a_large_number_is_shown_as_it_was_typed():
    with pytest.raises(PlanError, match="cannot be 1,000,000,000,000"):
        Assumptions.of({"recordings": "1000000000000"})


def test_numbers_may_be_typed_as_people_type_them():
    assert Assumptions.of({"recordings": "1,500", "hand_minutes": " ２.５ "}) == Assumptions(
        recordings=1500, hand_minutes=2.5
    )


def test_each_currency_brings_its_own_wage():
    for currency, (sign, *_rest) in CURRENCIES.items():
        assumed = Assumptions.of({"currency": currency})
        assert assumed.money(12.5).startswith(sign)
        assert assumed.minutes_of(assumed.wage) == 60


@given(
    st.fixed_dictionaries(
        {name: st.floats(low, min(high, 1e5)) for name, (low, high) in LIMITS.items() if name != "recordings"}
    ),
    st.integers(1, 1_000_000),
)
@settings(max_examples=25, deadline=None)
def test_every_possible_assumption_makes_a_plan_that_speaks(assumed: dict, recordings: int):
    plan = make_plan(evidence(way(0.7, 0.2), growth=RISING), recordings=recordings, **assumed)
    for language in ("en", "ja"):
        for sentence in for_the_meeting(plan):
            said = str(speaker(language).say(sentence))
            assert said
            assert "{" not in said


def test_a_plan_is_saved_and_read_to_the_same_advice():
    ways = way(0.7, 0.2), way(0.9, 0.1, kind=FINE_TUNE, machine_seconds=33.0)
    plan = make_plan(evidence(*ways, growth=RISING, seconds={"probe": 2.0}), recordings=900, currency="EUR")
    again = Plan.from_json(plan.as_json())
    assert again.assumptions == plan.assumptions
    assert [str(s) for s in two_sentences(again)] == [str(s) for s in two_sentences(plan)]
    assert again.advice.actions[1].expected == pytest.approx(plan.advice.actions[1].expected, abs=0.01)


def test_a_plan_names_no_recording():
    text = make_plan(evidence()).as_json()
    assert "recordings" not in json.loads(text)["evidence"]


def said(word: str = "heard", **figure: object) -> dict:
    """A tag's word as a plan's file has it."""
    auc = {"value": 0.9, "low": 0.8, "high": 1.0, "n": 20, "level": 0.9, "unit": "recordings"}
    return {"word": word, "roc_auc": {**auc, **figure}, "threshold_off": False}


def test_the_words_of_every_stage_are_saved_with_the_plan():
    plain = json.loads(make_plan(evidence()).as_json())
    plain["evidence"]["ways"][0]["words"] = [None, said(), said(), said("too_few", low=None, high=None)]
    words = Plan.from_dict(plain).evidence.ways[0].words
    assert [one and one.word for one in words] == [None, "heard", "heard", "too_few"]
    again = Plan.from_json(Plan.from_dict(plain).as_json()).evidence.ways[0].words
    assert again == words


def edited(change) -> str:
    plain = json.loads(make_plan(evidence(growth=RISING)).as_json())
    change(plain)
    return json.dumps(plain)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.clear(),
        lambda p: p.update(format=3),
        lambda p: p.update(evidence=[]),
        lambda p: p["evidence"].update(tags=["one"]),
        lambda p: p["evidence"].update(tags=4),
        lambda p: p["evidence"].update(n_clips=-1),
        lambda p: p["evidence"]["ways"][0].update(right=[[2, 0, 0, 0]] * 20),
        lambda p: p["evidence"]["ways"][0].update(right=[["a"]]),
        lambda p: p["evidence"]["ways"][0].update(right=[[None] * 4] * 20),
        lambda p: p["evidence"]["ways"][0].update(kind="magic"),
        lambda p: p["evidence"]["ways"][0].update(right=p["evidence"]["ways"][0]["right"][:-1]),
        lambda p: p["evidence"]["ways"][0].update(sick={"template": "{x}", "code": "a", "values": {}}),
        lambda p: p["evidence"]["ways"][0].update(words=[None]),
        lambda p: p["evidence"]["ways"][0].update(words=[said("marvellous")] * 4),
        lambda p: p["evidence"]["ways"][0].update(words=[said(n=-1)] * 4),
        lambda p: p["evidence"]["ways"][0].update(words=[said(low=1.5)] * 4),
        lambda p: p["evidence"]["ways"][0].update(words=[said(unit="<b>")] * 4),
        lambda p: p["evidence"]["growth"].update(f1=[1]),
        lambda p: p["evidence"]["growth"].update(exponent="steep"),
        lambda p: p["assumptions"].update(wage=-3),
        lambda p: p["assumptions"].update(wage="<script>"),
    ],
)
def test_a_plan_changed_by_hand_is_a_sentence(change):
    with pytest.raises(PlanError) as refusal:
        Plan.from_json(edited(change)).advice  # noqa: B018
    assert str(speaker("ja").say(refusal.value.sentence))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", "[" * 100_000, b"\xff\xfe", '{"format": "mirdemo-plan-9"}']
)
def test_what_is_no_plan_is_a_sentence(text):
    with pytest.raises(PlanError):
        Plan.from_json(text)


def test_times_are_no_finer_than_they_are_known():
    assert [str(time_of(m)) for m in (1 / 60, 0.31, 8.2, 89, 150, 9000)] == [
        "1 second",
        "19 seconds",
        "8 minutes",
        "89 minutes",
        "2.5 hours",
        "150 hours",
    ]


def test_a_tag_that_is_markup_is_escaped_when_said():
    plan = make_plan(evidence(n=20))
    object.__setattr__(plan.evidence, "having", (1, 1, 1, 2))
    said = " ".join(str(speaker("en").say(s)) for s in two_sentences(plan))
    assert "&lt;b&gt;" in said
    assert "<b>" not in said


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_states_how_good_the_rule_was_measured_to_be(language: str):
    from mirdemo.evidence.plan_words import REGRET, regret_words

    kept = json.loads(REGRET.read_text(encoding="utf-8"))
    said = str(regret_words(speaker(language)))
    assert str(kept["visitors"]) in said
    assert f"{kept['ratio'][0]:.2f}" in said
    assert kept["date"] in said
    assert kept["command"] in said
    assert kept["visitors"] >= 200
    assert kept["ratio"][0] <= 0.7
    words = {word: row["right"][0] for word, row in kept["words"].items()}
    assert words["saves"] >= 0.9
    assert words["probably"] >= 0.7
    assert 0.5 <= words["may"] <= 0.7
    assert all(str(kept["words"][word]["n"]) in said for word in ("saves", "probably", "may"))
    assert ("could fine-tune" in said or "微調整を選べませんでした" in said) == (kept["n"]["fine-tune"] == 0)
    assert ("changed since" in said or "規則はその後変わり" in said) == (kept["rule"] != fingerprint())


def test_figures_of_another_rule_are_never_printed_as_if_of_this_one(monkeypatch):
    from mirdemo.evidence import plan_words

    kept = json.loads(plan_words.REGRET.read_text(encoding="utf-8"))
    for rule, earlier in ((fingerprint(), False), ("00000000", True)):
        monkeypatch.setattr(plan_words, "_regret", lambda rule=rule: {**kept, "rule": rule})
        assert ("changed since" in str(plan_words.regret_words(speaker("en")))) == earlier


def test_another_rule_has_another_name_and_the_same_rule_its_own(monkeypatch):
    from mirdemo.planning import labels, rule

    now = fingerprint()
    fingerprint.cache_clear()
    assert fingerprint() == now
    for of, name, value in (
        (rule, "APART", 0.6),
        (labels, "LEAST_WORTH", 60.0),
        (rule, "WORDS", (("saves", 0.99),)),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(of, name, value)
            fingerprint.cache_clear()
            assert fingerprint() != now
    fingerprint.cache_clear()


@pytest.mark.parametrize("value", [0, -0.5, 1.5, "most", None])
def test_a_plan_keeps_of_how_many_recordings_each_way_learned(value):
    plan = make_plan(evidence(replace(way(0.8, 0.1), learned_from=0.8)))
    assert Plan.from_json(plan.as_json()).evidence.ways[0].learned_from == 0.8
    plain = plan.as_dict()
    plain["evidence"]["ways"][0]["learned_from"] = value
    with pytest.raises(PlanError):
        Plan.from_dict(plain)
    del plain["evidence"]["ways"][0]["learned_from"]
    assert Plan.from_dict(plain).evidence.ways[0].learned_from == 1


def test_a_mutated_plan_is_read_and_speaks_or_is_refused():
    ways = way(0.7, 0.2), way(0.9, 0.1, kind=FINE_TUNE, machine_seconds=33.0)
    plain = json.loads(make_plan(evidence(*ways, growth=RISING, seconds={"probe": 2.0})).as_json())
    plain["evidence"]["ways"][0]["words"] = [None, said(), said(), said("too_few", low=None, high=None)]
    text, read = json.dumps(plain).encode(), 0
    for number in range(tries := mutations(60)):
        rng = np.random.default_rng(number)
        data = text_damaged(text, rng) if number % 3 == 0 else json.dumps(json_damaged(plain, rng)).encode()
        plan = read_or_refused(partial(Plan.from_json, data), PlanError)
        if plan is None:
            continue
        read += 1
        for sentence in (*two_sentences(plan), *for_the_meeting(plan)):
            assert "{" not in str(speaker("ja").say(sentence))
    assert tries // 20 < read < tries


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_counts_as_one_recording_until_it_is_said_is_in_the_file_and_in_the_report(language: str):
    found = InQuestion(clips=4, counted_as=1, counted=20, recordings=23)
    plan = make_plan(evidence(in_question=found))
    again = Plan.from_json(plan.as_json())
    assert again.evidence.in_question == found
    words = str(speaker(language).say(found.sentence))
    assert words in plan_report(again, language)
    assert words not in plan_report(make_plan(evidence()), language)
    assert "in_question" not in make_plan(evidence()).as_dict()["evidence"]
    forged = plan.as_dict()
    forged["evidence"]["in_question"] = {"clips": "4"}
    with pytest.raises(PlanError):
        Plan.from_dict(forged)
