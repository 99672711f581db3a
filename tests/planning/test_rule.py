"""The rule: futures, words, and what it advises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planned import RISING, evidence, labels, way

from mirdemo.base.sentences import Sentence
from mirdemo.planning import LIMITS, Assumptions, Evidence, Heard, Way, for_the_meeting, two_sentences
from mirdemo.planning.futures import Futures, minutes
from mirdemo.planning.plan import Plan, make_plan
from mirdemo.planning.say import beyond, condition, range_of
from mirdemo.planning.switching import Switch, Turn
from mirdemo.planning.ways import FINE_TUNE, OTHER
from mirdemo.words.language import speaker


def test_decisions_become_shares_of_each_recordings_clips():
    said = np.array([[1, 0], [0, 1], [1, 1]])
    truth = np.array([[1, 1], [1, 0], [0, 1]])
    made = Way.of_decisions("as_it_is", "spectral", said, truth, ["a", "a", "b"])
    assert made.right.tolist() == [[0.5, 0], [0, 1]]
    assert made.wrong.tolist() == [[0, 0.5], [1, 0]]
    assert made.missed.tolist() == [[0.5, 0.5], [0, 0]]


def test_a_machine_that_says_nothing_saves_nothing_and_a_perfect_one_all_but_the_accepting():
    assumed = Assumptions(hand_minutes=2.0, accept_seconds=6.0)
    assert minutes(np.array(0.0), np.array(0.0), 3.0, assumed) == 0
    assert minutes(np.array(3.0), np.array(0.0), 3.0, assumed) == pytest.approx(2.0 - 3 * 0.1)
    assert minutes(np.array(0.0), np.array(4.0), 3.0, assumed) == pytest.approx(-4 * 0.25)


def test_futures_lie_around_what_was_measured_and_narrow_with_recordings():
    few, many = (Futures.of(evidence(way(0.7, 0.2, n), n=n)) for n in (8, 200))
    assert many.right[0, 0] == pytest.approx(way(0.7, 0.2, 200).right.sum(1).mean(), rel=0.05)
    assert few.right[1:].std() > 3 * many.right[1:].std()


def test_differences_of_ways_that_err_on_the_same_recordings_are_surer_than_either():
    """The second way misses one more tag of one recording; whoever drew them apart could not tell."""
    truth, n = labels(40), 40
    u = np.random.default_rng(3).random(truth.shape)
    said = np.where(truth == 1, u < 0.6, u < 0.2).astype(np.uint8)
    worse = said.copy()
    worse[:12][(truth[:12] == 1)] = 0
    ways = [
        Way.of_decisions(k, "spectral", s, truth, np.arange(n))
        for k, s in (("as_it_is", said), (OTHER, worse))
    ]
    saved = Futures.of(evidence(*ways, n=n)).saved(Assumptions())[1:]
    assert (saved[:, 0] - saved[:, 1]).std() < 0.8 * np.hypot(*saved.std(0))


def test_nothing_heard_stays_with_hands_and_something_heard_is_used():
    assert make_plan(evidence(way(0.5, 0.5)), hand_minutes=0.4).advice.kind == "by_hand"
    good = make_plan(evidence(way(0.95, 0.02)), hand_minutes=5)
    assert (good.advice.kind, good.advice.word) == ("use", "saves")


def test_the_words_follow_the_share_of_futures():
    words = [
        make_plan(evidence(way(0.6, 0.2)), hand_minutes=h, recordings=1).advice.word
        for h in np.geomspace(0.2, 6, 25)
    ]
    order = ["cannot_tell", "may", "probably", "saves"]
    assert [order.index(word) for word in words] == sorted(order.index(word) for word in words)
    assert {words[0], words[-1]} == {"cannot_tell", "saves"}


def test_of_equals_the_cheapest_is_taken_and_a_better_one_for_its_price():
    same = [way(0.8, 0.1), way(0.8, 0.1, kind=FINE_TUNE, machine_seconds=60.0)]
    plan = make_plan(evidence(*same))
    assert plan.evidence.ways[plan.advice.actions[plan.advice.action].way].kind == "as_it_is"
    better = [way(0.5, 0.2), way(0.98, 0.01, kind=FINE_TUNE, machine_seconds=60.0)]
    plan = make_plan(evidence(*better), recordings=5000)
    assert plan.evidence.ways[plan.advice.actions[plan.advice.using].way].kind == "fine_tune"
    small = make_plan(evidence(*better), recordings=5)
    assert small.evidence.ways[small.advice.actions[small.advice.using].way].kind == "as_it_is"


def test_shares_of_being_the_best_add_up_and_certainty_is_worth_something_in_doubt():
    plan = make_plan(evidence(way(0.6, 0.2), way(0.62, 0.2, kind=OTHER, seed=5)), hand_minutes=0.8)
    assert sum(action.best for action in plan.advice.actions) == pytest.approx(1)
    assert plan.advice.certainty > 0
    assert make_plan(evidence(way(0.99, 0.0)), hand_minutes=20).advice.certainty == 0


def test_it_stops_where_a_backbone_is_sick_or_no_tag_has_three_recordings_on_each_side():
    sick = Sentence("It is sick.", "test.sick")
    plan = make_plan(evidence(way(0.9, 0.1, sick=sick)))
    assert (plan.advice.kind, plan.advice.why) == ("stop", sick)
    assert plan.switches == ()
    one = evidence()
    few = make_plan(replace(one, having=(2, 2, 1, 0)))
    assert few.advice.kind == "stop"
    assert few.advice.why.code == "planning.stop.few"
    nothing = make_plan(Evidence(("drum",), (0,), (0,), 0, ()))
    assert nothing.advice.why.code == "planning.stop.nothing"


def test_a_sick_backbone_is_never_advised_beside_a_healthy_one():
    sick = Sentence("It is sick.", "test.sick")
    plan = make_plan(evidence(way(0.5, 0.2), way(0.99, 0.0, kind=OTHER, sick=sick)))
    assert plan.advice.actions[plan.advice.using].way == 0


def test_the_advice_holds_within_its_switching_values_and_turns_just_outside():
    plan = make_plan(evidence(way(0.75, 0.15)), hand_minutes=3.0)
    switch = next(s for s in plan.switches if s.name == "hand_minutes")
    assert switch.low is not None
    assert plan.assuming(hand_minutes=switch.low * 1.03).advice.turns_on == plan.advice.turns_on
    assert plan.assuming(hand_minutes=switch.low * 0.9).advice.turns_on != plan.advice.turns_on


def test_what_is_advised_beyond_a_switching_value_is_said_and_true():
    plan = make_plan(evidence(way(0.75, 0.15)), hand_minutes=3.0)
    switch = next(s for s in plan.switches if s.name == "hand_minutes")
    beyond = plan.assuming(hand_minutes=switch.low * 0.97).advice
    using = None if beyond.using is None else beyond.actions[beyond.using].way
    assert (switch.below.kind, switch.below.word, switch.below.way) == (beyond.kind, beyond.word, using)
    assert switch.above is None
    told = plan.found()["switches"][plan.switches.index(switch)]["below"]
    assert told == {"advice": beyond.kind, "word": beyond.word, "way": plan.evidence.ways[using].key}
    for language, then in (("en", "below that: "), ("ja", "それ未満なら")):
        assert then in str(speaker(language).say(condition(plan, switch)))


@pytest.mark.parametrize(
    ("below", "above", "said"),
    [
        (Turn("by_hand", "may", 0), None, "below that: stay with hands"),
        (None, Turn("label", "may", 0), "above that: label more recordings first"),
        (Turn("use", "cannot_tell", 0), Turn("use", "saves", 0), "below that: nothing can be claimed; above: spectral (as it is) saves time"),
        (Turn("label", "may", 0), Turn("label", "may", 0), "else: label more recordings first"),
    ],
)  # fmt: skip
def test_each_turn_has_its_words(below: Turn | None, above: Turn | None, said: str):
    switch = Switch("recordings", 200, 100 if below else None, 300 if above else None, 200, below, above)
    assert str(beyond(make_plan(evidence()), switch)) == said
    assert str(speaker("ja").say(beyond(make_plan(evidence()), switch)))
    ends = {
        (True, False): "more than 100",
        (False, True): "fewer than 300",
        (True, True): "between 100 and 300",
    }
    assert str(range_of(switch)) == ends[below is not None, above is not None]


def test_an_assumption_of_zero_has_a_switching_value_too():
    tuned = way(0.98, 0.01, kind=FINE_TUNE, machine_seconds=90_000.0)
    plan = make_plan(evidence(way(0.5, 0.2), tuned), recordings=200, gpu_price=0, setup_minutes=0)
    gpu = next(switch for switch in plan.switches if switch.name == "gpu_price")
    assert (gpu.low, gpu.below, gpu.scale) == (None, None, 60)
    assert plan.assuming(gpu_price=gpu.high * 0.97).advice.turns_on == plan.advice.turns_on
    assert plan.assuming(gpu_price=gpu.high * 1.1).advice.turns_on != plan.advice.turns_on
    assert {switch.name for switch in plan.switches} == set(LIMITS) - {"target"}


def test_where_accepting_takes_as_long_as_tagging_the_meeting_is_told_so():
    plan = make_plan(evidence(), hand_minutes=0.1, accept_seconds=60)
    assert plan.advice.kind == "by_hand"
    assert for_the_meeting(plan)[2].code == "planning.meeting.nothing"
    assert (
        for_the_meeting(make_plan(evidence(way(0.5, 0.5)), hand_minutes=0.4))[2].code
        == "planning.meeting.other"
    )


def test_models_that_learned_from_fewer_recordings_are_expected_to_do_better_with_all():
    found = way(0.7, 0.2)
    fewer = replace(found, learned_from=0.8)
    of_all, of_fewer = (Futures.of(evidence(one), draws=2) for one in (found, fewer))
    assert of_fewer.missed[0, 0] == pytest.approx(0.8**0.2 * of_all.missed[0, 0], rel=0.02)
    assert of_fewer.wrong[0, 0] == pytest.approx(0.8**0.2 * of_all.wrong[0, 0], rel=0.02)
    assert of_fewer.right[0, 0] + of_fewer.missed[0, 0] == pytest.approx(
        of_all.right[0, 0] + of_all.missed[0, 0]
    )


def test_shares_of_several_models_are_counted_as_shares():
    said = np.array([[0.25, 0.5], [1.0, 0.0]])
    made = Way.of_decisions("as_it_is", "spectral", said, np.array([[1, 0], [0, 1]]), ["a", "b"])
    assert made.right.tolist() == [[0.25, 0], [0, 0]]
    assert made.wrong.tolist() == [[0, 0.5], [1, 0]]
    assert made.missed.tolist() == [[0.75, 0], [0, 1]]


def test_every_assumption_that_counts_has_its_switching_value():
    tuned = way(0.98, 0.01, kind=FINE_TUNE, machine_seconds=90_000.0)
    plan = make_plan(evidence(way(0.5, 0.2), tuned), recordings=200)
    names = {switch.name for switch in plan.switches}
    assert names == set(LIMITS) - {"target"}  # the target is drawn on the learning curve and decides nothing
    gpu = next(switch for switch in plan.switches if switch.name == "gpu_price")
    assert gpu.high is not None
    assert plan.assuming(gpu_price=gpu.high * 1.1).advice.turns_on != plan.advice.turns_on


def test_stages_that_were_not_run_are_named_with_a_bound_on_their_worth():
    plan = make_plan(evidence())
    assert [one.stage for one in plan.not_run] == ["fine_tune", "few_shot", "curve"]
    perfect = 100 * minutes(np.array(2.0), np.array(0.0), 2.0, plan.assumptions)
    best = max(action.expected for action in plan.advice.actions)
    assert plan.not_run[0].at_most == pytest.approx(perfect - best)
    assert "curve" not in [one.stage for one in make_plan(evidence(growth=RISING)).not_run]


def test_gates_say_what_was_found_and_what_is_next():
    first, training, examples = make_plan(evidence()).gates
    assert str(first.found) == "Tags: 4; 2 heard, 1 partly heard, 1 with too few recordings to say."
    assert speaker("ja").say(first.found) == (
        "タグ 4 種類のうち、「聞こえている」が 2、「部分的に聞こえている」が 1、「録音が少なく判断できない」が 1。"
    )
    assert (first.state, training.state, examples.state) == ("pass", "not_run", "not_run")
    tuned = way(0.99, 0.0, kind=FINE_TUNE, machine_seconds=40.0)
    gates = make_plan(evidence(way(0.6, 0.3), tuned, seconds={"fine_tune": 40.0})).gates
    assert (gates[1].state, gates[1].seconds) == ("pass", 40.0)
    assert make_plan(evidence(way(0.99, 0.0), way(0.5, 0.4, kind=FINE_TUNE))).gates[1].state == "fail"


def test_ways_of_other_recordings_are_refused():
    from mirdemo.planning import PlanError

    with pytest.raises(PlanError):
        evidence(way(0.8, 0.1, 20), way(0.8, 0.1, 18))


def test_the_plan_of_an_empty_label_table_does_not_divide_by_zero():
    n = 8
    nothing = np.zeros((n, 1), np.uint8)
    made = Way.of_decisions("as_it_is", "spectral", nothing, nothing, np.arange(n))
    plan = Plan(Evidence(("drum",), (4,), (4,), n, (made,)), Assumptions())
    assert np.isfinite(plan.advice.actions[1].net).all()


def noisy(*false: float, hit: float = 0.9, n: int = 24, seed: int = 0) -> Way:
    """A way that finds four tags with ``hit`` and gives each falsely with its own share."""
    truth = labels(n)
    u = np.random.default_rng(seed).random(truth.shape)
    said = np.where(truth == 1, u < hit, u < np.array(false)).astype(np.uint8)
    return Way.of_decisions("as_it_is", "spectral", said, truth, np.arange(n))


def test_a_tag_that_does_not_pay_is_left_to_hands_and_named():
    found = evidence(noisy(0.05, 1.0, 0.05, 0.05), n=24)
    plan = make_plan(found, hand_minutes=1.0, mend_seconds=60)
    using = plan.advice.actions[plan.advice.using]
    assert (plan.advice.kind, using.tags, plan.left_to_hands(using)) == ("use", (0, 2, 3), ["flute"])
    whole = plan.futures.saved(plan.assumptions)[:, 0]
    assert using.expected > whole[0] + 10
    # Paired: what the tag cost in each future is what leaving it out saves there.
    assert np.corrcoef(using.net[1:], whole[1:])[0, 1] > 0.5
    assert [(one.tag, one.by_machine) for one in plan.tags][-1] == ("flute", False)
    assert plan.tags[-1].expected < 0 < plan.tags[-2].expected
    first, second = (speaker("en").say(sentence) for sentence in two_sentences(plan))
    assert first.startswith("spectral (as it is) for drum, voice, &lt;b&gt; only saves time")
    assert second.startswith("By hand as before: flute.")
    assert plan.found()["actions"][plan.advice.using]["left_to_hands"] == ["flute"]


def test_where_every_tag_pays_or_none_does_all_are_kept():
    assert make_plan(evidence(noisy(0.05, 0.05, 0.05, 0.05), n=24)).advice.actions[1].tags is None
    assert make_plan(evidence(way(0.5, 0.5)), hand_minutes=0.2).advice.actions[1].tags is None


def test_a_tag_that_would_pay_by_chance_is_kept_however_badly_it_was_judged():
    """Right suggestions are worth more than wrong ones cost, so even tags that fall by chance pay on half of the recordings."""
    unheard = noisy(0.05, 0.9, 0.05, 0.05, n=12)
    unheard.right[:, 1], unheard.missed[:, 1] = 0, labels(12)[:, 1]
    made = make_plan(evidence(unheard, n=12), hand_minutes=5.0, mend_seconds=60)
    assert made.advice.actions[1].tags is None
    assert make_plan(evidence(unheard, n=12), hand_minutes=1.0, mend_seconds=60).advice.actions[1].tags == (
        0,
        2,
        3,
    )


def test_choosing_tags_by_luck_is_not_promised_as_a_saving():
    """Every tag is worth a little less than nothing in truth; who kept the lucky ones and counted them where they were lucky would promise
    minutes in the mean."""
    assumed = Assumptions(hand_minutes=2.0, accept_seconds=30.0, mend_seconds=31.0)
    promised, naive = [], []
    for seed in range(150):
        found = evidence(noisy(0.5, 0.5, 0.5, 0.5, hit=0.5, n=12, seed=seed), n=12)
        futures = Futures.of(found, draws=2)
        promised.append(futures.sparing(assumed).saved(assumed)[0, 0])
        each = futures.tag_minutes(0, assumed)[0]
        naive.append(each[each > 0].sum())
    assert np.mean(naive) > 8
    assert np.mean(promised) < np.mean(naive) / 3


def test_a_session_has_no_part_in_choosing_the_tags_it_is_judged_by():
    one = noisy(0.2, 0.9, 0.1, 0.1, n=8, seed=3)
    each = [np.repeat(part, 3, axis=0) for part in (one.right, one.wrong, one.missed)]
    sessions = tuple(np.repeat(np.arange(8), 3).tolist())
    thrice = Way("as_it_is", "spectral", *each)
    assumed = Assumptions(hand_minutes=1.0, mend_seconds=40)
    kept = Futures.of(replace(evidence(thrice, n=24), sessions=sessions), draws=2).sparing(assumed)
    alone = Futures.of(evidence(one, n=8), draws=2).sparing(assumed)
    assert kept.saved(assumed)[0] == pytest.approx(alone.saved(assumed)[0])


def test_fine_tuning_is_held_against_the_same_backbones_frozen_layers_or_nothing():
    """In whatever order they stand; where they were not probed, another backbone's say nothing of it."""
    poor, good = way(0.5, 0.3), way(0.97, 0.01, backbone="mert-95m", kind=OTHER, seed=1)
    tuned = way(0.75, 0.1, backbone="mert-95m", kind=FINE_TUNE, seed=2)
    other_tuned = replace(tuned, backbone="spectral")
    assert [make_plan(evidence(poor, good, one)).gates[1].state for one in (tuned, other_tuned)] == [
        "fail",
        "pass",
    ]
    for ways in ((poor, tuned), (tuned,)):
        gate = make_plan(evidence(*ways, seconds={"fine_tune": 9.0})).gates[1]
        assert (gate.state, gate.seconds) == ("cannot_tell", 9.0)
        assert str(gate.found) == "mert-95m was fine-tuned, but not probed as it is."


@pytest.mark.parametrize(
    ("having", "lacking", "said"),
    [
        ((2, 0, 3, 0), (9, 9, 2, 0), "1 more recording with drum"),
        ((2, 0, 3, 0), (0, 9, 2, 0), "1 more recording without voice"),
        ((0, 0, 0, 0), (9, 9, 9, 9), "3 more recordings with <b>"),
        ((0, 0, 1, 9), (0, 9, 9, 0), "2 more recordings with voice"),
        ((9, 9, 9, 9), (0, 1, 9, 1), "2 more recordings without <b>"),
        ((2, 1, 0, 0), (2, 0, 0, 0), "1 more recording with drum and 1 more recording without drum"),
        ((1, 0, 0, 0), (0, 0, 0, 0), "2 more recordings with drum and 3 more recordings without drum"),
    ],
)
def test_the_shortest_way_on_is_the_tag_that_lacks_least_up_to_three_on_each_side(having, lacking, said):
    plan = make_plan(
        replace(evidence(way(0.8, 0.1, sick=Sentence("x", "x"))), having=having, lacking=lacking)
    )
    assert str(two_sentences(plan)[1]) == f"The shortest way on: {said}."


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.44, "1.4"), (0.0123, "0.012"), (23.4, "23"), (99.4, "99"), (99.6, "100"), (100, "100"), (1549, "1,500"), (0, "0")],
)  # fmt: skip
def test_a_switching_value_is_told_with_two_figures_and_no_exponent(value: float, said: str):
    assert str(range_of(Switch("hand_minutes", 1, value, None, 1, None, None))) == f"more than {said}"


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ((2, 0, 0, 2, 0), "pass"),
        ((1, 1, 0, 2, 0), "pass"),
        ((1, 1, 1, 2, 0), "cannot_tell"),
        ((0, 0, 0, 4, 0), "fail"),
        ((0, 0, 0, 3, 1), "cannot_tell"),
        ((0, 0, 0, 0, 0), "not_run"),
    ],
)
def test_half_of_the_tags_heard_pass_and_only_surely_none_fails(counts: tuple[int, ...], state: str):
    names = ("heard", "partly", "perhaps", "not_heard", "too_few")
    heard = Heard(**dict(zip(names, counts, strict=True)))
    assert make_plan(replace(evidence(), heard=heard)).gates[0].state == state
