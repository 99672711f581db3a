"""How good the plan's advice is: simulated visitors follow it, or a fixed policy, and what that truly saves is counted.

    python benchmarks/advice_regret.py --cache FOLDER [--visitors 240] [--first 1000] [--gather PART OF] [--write]

A visitor holds 6 to 40 labelled recordings of one controlled tradition, heard clean or through a disturbed line, with 2 to 8
tags; has an archive of 30 to 3,000 recordings, a wage, and a pace of tagging by hand; uses one embedded backbone, has
measured none to two others, and has run some of the stages with mirdemo's own code. What each action truly saves is
counted on the 200 to 234 performances that the visitor has not labelled, by models trained on all that are labelled.
Who is advised to label more does so, runs the same stages again, and acts; who is told to stop and to add recordings
until one tag has three on each side does that, pays for it, and asks again.

Regret: minutes on 100 recordings that the best action would have saved more, all costs counted. Beside the advice:
every fixed policy ("fine-tune" over those visitors who did), and the oracle (regret 0: the best of all actions tried here,
chosen by the truth). Words: how often "saves", "probably saves" and "may save" were right about the way they were said of,
saving against tagging by hand; each visitor asks about ``ARCHIVES`` archives, wages and paces.
Intervals: 90 %, bootstrap over worlds (a tradition, heard clean or disturbed), then over the visitors of each, all archives
of a visitor together. ``--write`` keeps the summary where the page reads it.

Fine-tuning is mini-world's two last layers, 8 epochs and 3 folds (the page's own default is 20 and 5), by three visitors
in ten where ``--gather`` came to them; the others have not fine-tuned. ``--gather 0 2`` measures for every second world what a
run then finds in FOLDER, so that two may gather at once.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from advice_worlds import BACKBONES, HEARD, PERFORMANCES, TRADITIONS, World, sounds, world

from mirdemo.base.assets import ASSETS
from mirdemo.planning import Assumptions, Evidence, Plan, evidence
from mirdemo.planning.fingerprint import fingerprint
from mirdemo.planning.futures import minutes, once
from mirdemo.planning.of_reports import decisions, learned_from
from mirdemo.planning.rule import FEWEST_RECORDINGS, LABEL, STOP, USE, decide
from mirdemo.planning.ways import FINE_TUNE, Way
from mirdemo.stages.fewshot import LCPrototypes, learning_curve, leave_recordings_out
from mirdemo.stages.probing import probe
from mirdemo.stages.probing.crossval import trained_on

TUNED, LARGEST = "mini-world", "mini-world-spectral"
FIVE = 5
#: More labels that the oracle may try.
TRIED = (5, 20)
MOST_RECORDINGS = 100
#: That each visitor asks about, their own among them.
ARCHIVES = 8
#: How often they follow advice to label before they act.
ROUNDS = 2
FEWEST_HELD_OUT = 40
#: As ``probe`` trains by default.
PENALTY = 1.0
BOOTSTRAP = 4000
SUMMARY = ASSETS / "results" / "advice.json"


@dataclass(frozen=True, eq=False)
class Visitor:
    """order: of a world's performances, the first n are labelled; columns: of the tags; uses, others: backbones;
    ran: stages beside the probe"""

    number: int
    tradition: str
    heard: str
    order: np.ndarray
    n: int
    columns: np.ndarray
    assumptions: Assumptions
    uses: str
    others: tuple[str, ...]
    ran: frozenset[str]


def visitor(number: int, cache_folder: Path) -> Visitor:
    """Drawn from the number alone."""
    rng = np.random.default_rng([7, number])
    tradition, heard = world_of(number)
    w = loaded(tradition, heard, cache_folder)
    n = round(np.exp(rng.uniform(np.log(6), np.log(40))))
    share = w.labels.mean(0)
    usual = np.flatnonzero((share > 0.1) & (share < 0.9))
    while True:  # a visitor who comes has labelled something
        order = rng.permutation(PERFORMANCES)
        columns = np.sort(rng.choice(usual, size=min(int(rng.integers(2, 9)), len(usual)), replace=False))
        there = w.labels[np.ix_(order[:n], columns)].sum(0)
        if ((there >= 2) & (there <= n - 2)).any():
            break
    uses = str(rng.choice(BACKBONES))
    others = [name for name in BACKBONES if name != uses]
    measured = rng.permutation(others)[: int(rng.integers(0, 3))]
    ran = {
        stage
        for stage, share in (("few_shot", 0.6), ("curve", 0.6), ("fine_tune", 0.3))
        if rng.random() < share
    }
    return Visitor(
        number,
        tradition,
        heard,
        order,
        n,
        columns,
        _archive(rng),
        uses,
        tuple(map(str, measured)),
        frozenset(ran | ({"few_shot"} if "curve" in ran else set())),
    )


def world_of(number: int) -> tuple[str, str]:
    return TRADITIONS[number % len(TRADITIONS)], HEARD[number // len(TRADITIONS) % len(HEARD)]


def _archive(rng: np.random.Generator) -> Assumptions:
    return Assumptions(
        recordings=round(np.exp(rng.uniform(np.log(30), np.log(3000)))),
        hand_minutes=float(np.exp(rng.uniform(np.log(0.2), np.log(5)))),
        accept_seconds=float(rng.uniform(2, 8)),
        mend_seconds=float(rng.uniform(6, 30)),
        setup_minutes=float(rng.uniform(10, 40)),
        wage=float(np.exp(rng.uniform(np.log(800), np.log(4000)))),
    )


@cache
def loaded(tradition: str, heard: str, cache_folder: Path) -> World:
    return world(tradition, heard, cache_folder)


# ---- what is measured, and what is true -------------------------------------------------------------------


#: Of the performances that wait, the share where each tag is rightly and wrongly given: float64 (2, n_tags).
Truth = np.ndarray


@dataclass(frozen=True, eq=False)
class Known:
    """A visitor with so many recordings: evidence without fine-tuning, and for each way (kind, backbone) the truth."""

    evidence: Evidence
    truth: dict[tuple[str, str], Truth]


def known(who: Visitor, n: int, folder: Path) -> Known:
    """From the cache or worked out now."""
    path = folder / "known" / f"{who.number}-{n}.pkl"
    if path.is_file():
        return Known(*pickle.loads(path.read_bytes()))  # our own file, made below
    made = _known(who, n, folder)
    _keep(path, (made.evidence, made.truth))
    return made


def _keep(path: Path, made: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(pickle.dumps(made))
    part.replace(path)


def _known(who: Visitor, n: int, folder: Path) -> Known:
    w = loaded(who.tradition, who.heard, folder)
    mine, waiting = sides(who, n)
    truth_there, labels = w.labels[np.ix_(waiting, who.columns)], w.labels[np.ix_(mine, who.columns)]
    names, tags = [f"r{i}" for i in mine], [w.tags[i] for i in who.columns]
    probes, truth = [], {}
    for place, backbone in enumerate(dict.fromkeys((who.uses, *who.others, LARGEST))):
        all_ = w.rows[backbone]
        if backbone in (who.uses, *who.others):
            rows = {layer: of_all[mine] for layer, of_all in all_.items()}
            report = probe(rows, labels, names, tags=tags, permutations=0)
            probes.append((backbone, report, None))
            best = [tag.best_layer for tag in report.tags]
        else:
            (only,) = all_  # nobody asked which layer: there is one
            best = [only] * len(tags)
        said = _probed(all_, mine, waiting, labels, best)
        truth["other_backbone" if place else "as_it_is", backbone] = _rates(said, truth_there)
    few_shot = curve = None
    if "few_shot" in who.ran:
        rows = _usual(w.rows[who.uses])
        began = time.perf_counter()
        check = leave_recordings_out(rows[mine], labels, names, LCPrototypes, tags=tags)
        few_shot = (who.uses, check.predicted, time.perf_counter() - began)
        said = LCPrototypes().fit(rows[mine], labels, names, tags).predict(rows[waiting])
        truth["few_shot", who.uses] = _rates(said, truth_there)
        if "curve" in who.ran and n == who.n and _has_curve(labels):
            curve = learning_curve(rows[mine], labels, names, tags=tags)
    return Known(evidence(labels, names, tags, probes=probes, few_shot=few_shot, curve=curve), truth)


def sides(who: Visitor, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Performances labelled, and those that wait."""
    return who.order[:n], who.order[max(n, FEWEST_HELD_OUT) :]


def _has_curve(labels: np.ndarray) -> bool:
    return len(labels) >= 3 and bool((labels.sum(0) >= 2).any())


def _usual(layers: dict[str, np.ndarray]) -> np.ndarray:
    """The layer that the few-shot tab begins with."""
    rows = list(layers.values())
    return np.mean(rows, axis=0) if len({r.shape[1] for r in rows}) == 1 else rows[-1]


def _probed(
    layers: dict[str, np.ndarray],
    mine: np.ndarray,
    waiting: np.ndarray,
    labels: np.ndarray,
    best: Sequence[str],
) -> np.ndarray:
    """Decisions about those that wait, as ``apply_probe`` makes them: by the probe trained on all that are labelled, each
    tag in its best layer."""
    said = np.zeros((len(waiting), labels.shape[1]), np.uint8)
    for layer in dict.fromkeys(best):
        of_all = layers[layer] if layer in layers else np.mean(list(layers.values()), axis=0)
        columns = [tag for tag, own in enumerate(best) if own == layer]
        logits = trained_on(of_all[mine], labels[:, columns], of_all[waiting], PENALTY, scale=True)
        said[:, columns] = np.nan_to_num(logits, nan=-1.0) >= 0
    return said


def _rates(said: np.ndarray, truth: np.ndarray) -> Truth:
    return np.stack([(said & truth).mean(0), (said & (1 - truth)).mean(0)])


def gather(visitors: Sequence[Visitor], folder: Path, tuning: bool = True) -> None:
    """What is measured and true of visitors as they come, kept at once: a run may stop anywhere."""
    for who in visitors:
        known(who, who.n, folder)
        if "fine_tune" not in who.ran or not tuning:
            followed(who, folder)
    print("known", len(visitors), flush=True)
    left = [who for who in visitors if "fine_tune" in who.ran and not _tuned_path(who, folder).is_file()]
    for tradition, heard in dict.fromkeys((who.tradition, who.heard) for who in left if tuning):
        own = [who for who in left if (who.tradition, who.heard) == (tradition, heard)]
        _tune(own, folder)
        print("tuned", tradition, heard, len(own), flush=True)


def _tune(visitors: Sequence[Visitor], folder: Path) -> None:
    """Fine-tune for visitors of one world: decisions out of fold, seconds, and the truth."""
    from mirdemo.backbones import load_backbone
    from mirdemo.base.progress import silent
    from mirdemo.stages.finetuning import FineTuneSettings, fine_tune
    from mirdemo.stages.finetuning.memory import Room
    from mirdemo.stages.finetuning.prefix_cache import PrefixCache
    from mirdemo.stages.finetuning.step import pooled

    backbone = load_backbone(TUNED)
    settings = FineTuneSettings(epochs=8, n_folds=3)
    tradition, heard = visitors[0].tradition, visitors[0].heard
    w, clips = loaded(tradition, heard, folder), sounds(tradition, heard, folder)
    split = backbone.split(None)
    every = PrefixCache.build(clips, backbone, split, keeping="auto", memory_bytes=2**31, progress=silent)
    room = Room.on(backbone.device, backbone.spec.window_seconds, settings.batch)
    clip_of = every.windows.clip_of
    for who in visitors:
        mine, waiting = sides(who, who.n)
        labels = w.labels[np.ix_(mine, who.columns)]
        tags, names = [w.tags[i] for i in who.columns], [f"r{i}" for i in mine]
        frozen = {layer: rows[mine] for layer, rows in w.rows[TUNED].items()}
        probed = probe(frozen, labels, names, tags=tags, permutations=0, n_folds=settings.n_folds)
        its = [clips[i] for i in mine]
        report = fine_tune(its, backbone, labels, names, tags, settings=settings, probe_report=probed)
        _load(split.tail, report.head.tail)
        there = np.isin(clip_of, waiting)
        rows, of = pooled(split.tail, every, np.flatnonzero(there), room, "").numpy(), clip_of[there]
        means = np.stack([rows[of == i].mean(0) for i in waiting])
        said = np.zeros((len(waiting), len(tags)), np.uint8)
        said[:, [tags.index(tag) for tag in report.head.tags]] = report.head.predict(means)
        path = _tuned_path(who, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            decided=decisions(report),
            learned_from=learned_from(report),
            seconds=report.from_nothing["fine_tuned"],
            truth=_rates(said, w.labels[np.ix_(waiting, who.columns)]),
        )
        part.replace(path)
    every.close()


def _load(tail, state: dict[str, np.ndarray]) -> None:
    import torch

    tail.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in state.items()})


def _tuned_path(who: Visitor, folder: Path) -> Path:
    return folder / "tuned" / f"{who.number}.npz"


@dataclass(frozen=True, eq=False)
class Tuned:
    way: Way
    truth: Truth


def tuned(who: Visitor, folder: Path) -> Tuned | None:
    path = _tuned_path(who, folder)
    if not path.is_file():
        return None
    w = loaded(who.tradition, who.heard, folder)
    mine, _ = sides(who, who.n)
    with np.load(path) as kept:
        labels = w.labels[np.ix_(mine, who.columns)]
        made = Way.of_decisions(
            FINE_TUNE,
            TUNED,
            kept["decided"],
            labels,
            mine,
            machine_seconds=float(kept["seconds"]),
            learned_from=float(kept["learned_from"]),
        )
        return Tuned(made, kept["truth"])


# ---- following advice and policies ------------------------------------------------------------------------


def tags_each(who: Visitor, folder: Path) -> float:
    w = loaded(who.tradition, who.heard, folder)
    return float(w.labels[np.ix_(sides(who, who.n)[1], who.columns)].sum(1).mean())


def saved(who: Visitor, truth: Truth, folder: Path, tags: Sequence[int] | None = None) -> float:
    """Minutes truly saved on 100 recordings before what is paid once, by a way used for some of its tags (None: all)."""
    right, wrong = truth if tags is None else truth[:, list(tags)]
    return 100 * float(minutes(right, wrong, tags_each(who, folder), who.assumptions).sum())


def paid(who: Visitor, way: Way | None, more: int = 0) -> float:
    """Minutes on 100 recordings that using a way costs once, and labelling before."""
    a = who.assumptions
    work, money = (0.0, 0.0) if way is None else once(way, a)
    return 100 * (work + a.minutes_of(money) + more * a.hand_minutes) / a.recordings


@dataclass
class Outcome:
    """What came of one visitor: policy -> net minutes saved on 100 recordings; what was advised; whether it was so."""

    saved: dict[str, float]
    kind: str
    word: str
    claimed: float
    true_saving: float | None
    best_claimed: float
    truly_best: bool
    more: int
    spares: bool
    world: tuple[str, str]
    promises: list[tuple[str, float, bool]]


def promises(now: State) -> list[tuple[str, float, bool]]:
    """What the rule says of the way it would use, in which share of futures, and whether it is so: an archive each."""
    who = now.who
    rng = np.random.default_rng([8, who.number])
    said = []
    for assumed in (who.assumptions, *(_archive(rng) for _ in range(ARCHIVES - 1))):
        state = replace(now, who=replace(who, assumptions=assumed))
        futures = now.plan.futures
        if futures is None:
            continue
        advice = decide(state.plan.evidence, futures, assumed, labels=False)
        using = advice.actions[advice.using]
        way = state.plan.evidence.ways[using.way]
        said.append((advice.word, using.saves, state.net((way.kind, way.backbone), using.tags) > 0))
    return said


def followed(who: Visitor, folder: Path) -> Outcome:
    """What came of a visitor under today's rule, from the cache or worked out now."""
    trained = "tuned" if "fine_tune" in who.ran and _tuned_path(who, folder).is_file() else "not"
    path = folder / "outcomes" / f"{fingerprint()}-{trained}" / f"{who.number}.pkl"
    if path.is_file():
        return Outcome(**pickle.loads(path.read_bytes()))  # our own file, made below
    made = follow(who, folder)
    _keep(path, vars(made))
    return made


def follow(who: Visitor, folder: Path) -> Outcome:
    fine = tuned(who, folder) if "fine_tune" in who.ran else None
    now = State(who, known(who, who.n, folder), fine, folder)
    plan = now.plan
    later: dict[int, State] = {}

    def after(more: int) -> State:
        if more not in later:
            later[more] = State(who, known(who, who.n + more, folder), None, folder, more)
        return later[more]

    most = MOST_RECORDINGS - who.n
    largest = "as_it_is" if who.uses == LARGEST else "other_backbone"
    policies = {
        "by hand": 0.0,
        "as it is": now.net(("as_it_is", who.uses)),
        "fine-tune": np.nan if fine is None else now.net((FINE_TUNE, TUNED)),
        "label five more": after(FIVE).net(("as_it_is", who.uses)),
        "largest backbone": now.net((largest, LARGEST)),
    }
    tried = [0.0, now.best(), *(after(k).best() for k in TRIED if k <= most)]
    advice, more = plan.advice, 0
    if advice.kind == USE:
        outcome = now.of_action(advice.using)
    elif advice.kind == LABEL:
        more = min(advice.actions[advice.action].more, most)
        outcome = after_labelling(who, more, most, folder)
    elif advice.kind == STOP:
        more = _until_enough(who, most, folder)
        outcome = after_labelling(who, more, most, folder) if more <= who.assumptions.recordings else 0.0
    else:
        outcome = 0.0
    could = [now.of_action(i) for i, action in enumerate(advice.actions) if action.kind == USE]
    true_saving = None if advice.using is None else now.of_action(advice.using)
    using = None if advice.using is None else advice.actions[advice.using]
    return Outcome(
        {**policies, "advice": outcome, "oracle": max([*tried, outcome])},
        advice.kind,
        advice.word,
        0.0 if using is None else using.saves,
        true_saving,
        0.0 if using is None else using.best,
        true_saving is not None and true_saving >= max(*could, 0.0) - 1e-9,
        more,
        using is not None and using.tags is not None,
        (who.tradition, who.heard),
        promises(now),
    )


@dataclass(frozen=True, eq=False)
class State:
    """A visitor who has labelled ``more`` recordings more, and what each way would truly save them now."""

    who: Visitor
    now: Known
    fine: Tuned | None
    folder: Path
    more: int = 0

    @cached_property
    def plan(self) -> Plan:
        found = self.now.evidence
        if self.fine is not None:
            found = replace(found, ways=(*found.ways, self.fine.way))
        return Plan(found, self.who.assumptions)

    @cached_property
    def truth(self) -> dict[tuple[str, str], Truth]:
        fine = {} if self.fine is None else {(FINE_TUNE, TUNED): self.fine.truth}
        return self.now.truth | fine

    def net(self, key: tuple[str, str], tags: Sequence[int] | None = None) -> float:
        """Minutes saved on 100 recordings, all that is paid counted."""
        way = next((way for way in self.plan.evidence.ways if (way.kind, way.backbone) == key), None)
        return saved(self.who, self.truth[key], self.folder, tags) - paid(self.who, way, self.more)

    def of_action(self, index: int) -> float:
        action = self.plan.advice.actions[index]
        way = self.plan.evidence.ways[action.way]
        return self.net((way.kind, way.backbone), action.tags)

    def best(self) -> float:
        """By the truth: the best way, used for the tags it truly saves time with."""
        nets = []
        for key, truth in self.truth.items():
            each = [saved(self.who, truth, self.folder, [tag]) for tag in range(truth.shape[1])]
            nets.append(self.net(key, [tag for tag, net in enumerate(each) if net > 0]))
        return max(nets)


def _until_enough(who: Visitor, most: int, folder: Path) -> int:
    """Recordings to add until one tag is in three and missing from three, which is what they are told to do."""
    w = loaded(who.tradition, who.heard, folder)
    labels = w.labels[np.ix_(who.order, who.columns)]
    for more in range(1, most):
        there = labels[: who.n + more].sum(0)
        if (np.minimum(there, who.n + more - there) >= FEWEST_RECORDINGS).any():
            return more
    return most


def after_labelling(who: Visitor, more: int, most: int, folder: Path) -> float:
    """They have labelled, run the stages again (but the training), and do what the plan says then: label again, at most
    ``ROUNDS`` times in all, or act."""
    for _ in range(ROUNDS):
        now = State(who, known(who, who.n + more, folder), None, folder, more)
        advice = now.plan.advice
        if advice.kind != LABEL or more >= most:
            break
        more = min(more + advice.actions[advice.action].more, most)
    now = State(who, known(who, who.n + more, folder), None, folder, more)
    advice = now.plan.advice
    if advice.using is None or advice.actions[advice.using].expected <= 0:
        return -paid(who, None, more)
    return now.of_action(advice.using)


# ---- the summary ------------------------------------------------------------------------------------------


def draws_of(worlds: Sequence[tuple[str, str]]) -> np.ndarray:
    """Bootstrap weights of visitors (``BOOTSTRAP``, n): worlds drawn anew, and within each of them its visitors."""
    rng = np.random.default_rng(0)
    codes = np.unique(["-".join(one) for one in worlds], return_inverse=True)[1]
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    weights = np.zeros((BOOTSTRAP, len(worlds)))
    for row in weights:
        for code in rng.integers(0, len(members), len(members)):
            np.add.at(row, rng.choice(members[code], len(members[code])), 1)
    return weights


def interval(total: np.ndarray, weights: np.ndarray, count: np.ndarray | None = None) -> list[float | None]:
    """Mean and 90 % interval. total: (n,) of each visitor, NaN where it has none; count: of how many figures each is the sum"""
    count = np.isfinite(total).astype(float) if count is None else count
    total = np.where(count > 0, np.nan_to_num(total), 0)
    if not count.sum():
        return [None] * 3
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = weights @ total / (weights @ count)
    low, high = np.nanquantile(drawn, [0.05, 0.95])
    return [round(float(v), 4) for v in (total.sum() / count.sum(), low, high)]


def summary(outcomes: Sequence[Outcome]) -> dict:
    weights = draws_of([one.world for one in outcomes])
    regret = {
        policy: np.array([one.saved["oracle"] - one.saved[policy] for one in outcomes])
        for policy in outcomes[0].saved
    }
    fixed = [
        policy
        for policy in regret
        if policy not in ("advice", "oracle") and np.isfinite(regret[policy]).all()
    ]
    best = min(fixed, key=lambda policy: regret[policy].mean())
    ratios = (weights @ regret["advice"]) / np.min([weights @ regret[policy] for policy in fixed], axis=0)
    low, high = np.quantile(ratios, [0.05, 0.95])
    words = {}
    for word in ("saves", "probably", "may", "cannot_tell"):
        said = [[right for own, _, right in one.promises if own == word] for one in outcomes]
        right, count = (np.array([float(f(own)) for own in said]) for f in (sum, len))
        claimed = [share for one in outcomes for own, share, _ in one.promises if own == word]
        words[word] = {
            "n": int(count.sum()),
            "visitors": int((count > 0).sum()),
            "claimed": round(float(np.mean(claimed)), 4) if claimed else None,
            "right": interval(right, weights, count) if count.sum() else None,
        }
    certain = [one for one in outcomes if one.true_saving is not None]
    truly = np.array([np.nan if one.true_saving is None else float(one.truly_best) for one in outcomes])
    trained = np.isfinite(regret["fine-tune"])
    return {
        "visitors": len(outcomes),
        "worlds": len({one.world for one in outcomes}),
        "archives": ARCHIVES,
        "regret": {policy: interval(values, weights) for policy, values in regret.items()},
        "n": {policy: int(np.isfinite(values).sum()) for policy, values in regret.items()},
        "of_tuned": {
            policy: interval(np.where(trained, values, np.nan), weights) for policy, values in regret.items()
        },
        "best_fixed": best,
        "ratio": [round(float(v), 4) for v in (regret["advice"].mean() / regret[best].mean(), low, high)],
        "words": words,
        "best": {
            "claimed": round(float(np.mean([one.best_claimed for one in certain])), 4),
            "true": interval(truly, weights),
        },
        "advised": {
            kind: sum(one.kind == kind for one in outcomes) for kind in sorted({o.kind for o in outcomes})
        },
    }


def show(found: dict) -> None:
    print(f"{found['visitors']} visitors of {found['worlds']} worlds; advised {found['advised']}")
    print("regret, minutes on 100 recordings (90 %)")
    known_ = {policy: row for policy, row in found["regret"].items() if row[0] is not None}
    for policy, (value, low, high) in sorted(known_.items(), key=lambda row: row[1][0]):
        print(f"  {policy:18} {value:8.1f} ({low:.1f}-{high:.1f}), n = {found['n'][policy]}")
    if found["n"]["fine-tune"]:
        print(
            "  of those who fine-tuned: " + ", ".join(f"{k} {v[0]:.1f}" for k, v in found["of_tuned"].items())
        )
    value, low, high = found["ratio"]
    print(f"advice over the best fixed policy ({found['best_fixed']}): {value:.2f} ({low:.2f}-{high:.2f})")
    for word, row in found["words"].items():
        value = "-" if row["right"] is None else "{:.2f} ({:.2f}-{:.2f})".format(*row["right"])
        print(
            f"  {word:12} right {value}, claimed {row['claimed']}, n = {row['n']} of {row['visitors']} visitors"
        )
    print(f"  best way: claimed {found['best']['claimed']:.2f}, true {found['best']['true']}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="embeddings, reports and trainings are kept here"
    )
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--first", type=int, default=1000, help="the first visitor's number")
    parser.add_argument("--traditions", nargs="*", default=TRADITIONS)
    parser.add_argument("--no-tuning", action="store_true", help="nobody fine-tunes who has not yet")
    parser.add_argument(
        "--gather", type=int, nargs=2, metavar=("PART", "OF"), help="only gather, and for some worlds"
    )
    parser.add_argument("--write", action="store_true", help=f"keep the summary in {SUMMARY.name}")
    args = parser.parse_args()
    numbers = [n for n in range(args.first, args.first + args.visitors) if world_of(n)[0] in args.traditions]
    if args.gather:
        part, of = args.gather
        worlds = sorted({world_of(n) for n in numbers})
        numbers = [n for n in numbers if worlds.index(world_of(n)) % of == part]
    everyone = [visitor(n, args.cache) for n in numbers]
    gather(everyone, args.cache, not args.no_tuning)
    if args.gather:
        return
    outcomes = [followed(who, args.cache) for who in everyone]
    found = summary(outcomes)
    show(found)
    if args.write:
        chosen = (
            "" if set(args.traditions) == set(TRADITIONS) else f" --traditions {' '.join(args.traditions)}"
        )
        command = (
            f"python benchmarks/advice_regret.py --cache FOLDER --visitors {args.visitors} --first {args.first}"
            + chosen
            + (" --no-tuning" if args.no_tuning else "")
        )
        traditions = sorted({who.tradition for who in everyone}, key=TRADITIONS.index)
        rule = {"rule": fingerprint(), "traditions": traditions}
        record = {"command": command, "date": date.today().isoformat(), **rule, **found}
        SUMMARY.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
