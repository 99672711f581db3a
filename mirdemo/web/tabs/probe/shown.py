"""From a result to what the template draws: rows of tags with their strips, the mean, the mistakes, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.backbones.registry import spec
from mirdemo.base.sentences import Sentence
from mirdemo.evidence.charting import with_interval
from mirdemo.scoring.intervals import Interval, signed
from mirdemo.scoring.metrics import chance_average_precision, chance_f1, macro
from mirdemo.scoring.verdicts import HEARD, HEARD_FROM, NOT_HEARD, PARTLY_HEARD, PERHAPS_HEARD, TOO_FEW
from mirdemo.stages.probing import WORDS
from mirdemo.web.tabs.probe.running import LIVE, Asked, Need, Result, Run, SoFar, needs, run_key
from mirdemo.web.tabs.probe.zero_shot import ZeroShot
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from mirdemo.stages.probing import Interim
    from mirdemo.web.frame.player import Track
    from mirdemo.web.frame.session import Visitor

#: Tags named for a clip out of a corpus's vocabulary.
TOP_TAGS = 5
#: Icon and weight of each verdict; its word stands beside it.
ICONS = {HEARD: "full", PARTLY_HEARD: "half", PERHAPS_HEARD: "quarter", NOT_HEARD: "empty", TOO_FEW: "warn"}


def backbone_words(t: Speaker, name: str, whitened: bool = False) -> str:
    """A backbone's name in this language, with its whitening."""
    key = f"page.backbone.{name}"
    title = t(key) if t.has(key) else spec(name).title
    return t("probe.whitened", backbone=title) if whitened else title


def run_words(t: Speaker, run: Run) -> str:
    return backbone_words(t, run.backbone, run.report.whitening is not None)


def layer_words(t: Speaker, layer: str) -> str:
    """A layer's name: in words where it has some, else its number."""
    key = f"few-shot.layer.{layer}"
    if t.has(key):
        return t(key)
    return t("probe.layer", layer=layer) if layer.isdecimal() else layer


def warning_words(t: Speaker, warning: Sentence) -> Sentence:
    """A warning that speaks of a backbone and its layer by the names that the rest of the page gives them."""
    said = dict(warning.values)
    if {"backbone", "layer"} <= set(said):
        said |= {"backbone": backbone_words(t, said["backbone"]), "layer": layer_words(t, said["layer"])}
    return warning.filled(**said)


def figure_words(t: Speaker, figure: Interval) -> str:
    """``0.84 (0.76-0.90)``, with "no interval" where there is none, and words where there is no figure at all."""
    if figure.value is None:
        return t("probe.no_figure")
    return with_interval(figure.value, figure.low, figure.high, t("probe.no_interval"))


def difference_words(t: Speaker, gap: Interval | None) -> tuple[str, str] | None:
    """A word (better, worse, no clear difference) and the difference with its interval."""
    if gap is None or gap.value is None:
        return None
    if gap.low is None or gap.high is None:
        return t("probe.difference.unknown"), f"{signed(gap.value)} ({t('probe.no_interval')})"
    word = "better" if gap.low > 0 else "worse" if gap.high < 0 else "unclear"
    between = t("probe.between", low=signed(gap.low), high=signed(gap.high))
    return t(f"probe.difference.{word}"), f"{signed(gap.value)} ({between})"


@dataclass(frozen=True)
class Cell:
    """One layer of a strip. share: 0 at chance (or below) to 1; None where there is no figure."""

    layer: str
    words: str
    share: float | None
    best: bool


def strip(t: Speaker, report: Any, metric: str) -> list[Cell]:
    """The layers of a tag's or the macro report, from input to output."""
    chance = getattr(report.chance, metric) or 0.0
    room = 1 - chance  # none, but for rounding, where every scored recording has the tag
    cells = []
    for name, figures in report.by_layer.items():
        figure: Interval = getattr(figures, metric)
        share = None
        if figure.value is not None:
            share = float(np.clip((figure.value - chance) / room, 0, 1)) if room > 1e-9 else 0.0
        cells.append(Cell(layer_words(t, name), figure_words(t, figure), share, name == report.best_layer))
    return cells


def answer(
    t: Speaker, result: Result, i: int, report: Any, gap: Interval | None, metric: str
) -> dict[str, Any]:
    """One backbone's word, number and strip about one tag, or about all of them."""
    figure: Interval = getattr(report.figures, metric)
    cells = strip(t, report, metric)
    return {
        "key": result.runs[i].key,
        "backbone": run_words(t, result.runs[i]),
        "sick": result.runs[i].sick,
        "figure": figure_words(t, figure),
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "verdict": None,
        "n": figure.n,
        "chance": getattr(report.chance, metric),
        "p_value": report.p_value,
        "cells": cells,
        "best": next(cell for cell in cells if cell.best),
        "difference": difference_words(t, gap),
    }


def why_words(t: Speaker, verdict: str, auc: Interval) -> str:
    """What keeps a tag from "heard"; empty where it is heard, or where recordings are counted elsewhere."""
    if verdict == HEARD or auc.low is None or auc.high is None:
        return ""
    limits = {"low": f"{auc.low:.2f}", "high": f"{auc.high:.2f}", "heard": f"{HEARD_FROM:.2f}"}
    return str(t(f"probe.why.{verdict}", **limits))


def tags(t: Speaker, result: Result, metric: str) -> list[dict[str, Any]]:
    """A row a tag, each with an answer a backbone."""
    found = []
    for k, tag in enumerate(result.asked.tags):
        first = result.runs[0].report.tags[k]
        answers = []
        for i, run in enumerate(result.runs):
            gap = getattr(result.differences[i - 1].tags[tag], metric) if i else None
            report = run.report.tags[k]
            answers.append(
                answer(t, result, i, report, gap, metric)
                | {
                    "verdict": report.verdict,
                    "word": t.say(WORDS[report.verdict]),
                    "icon": ICONS[report.verdict],
                    "why": why_words(t, report.verdict, report.figures.roc_auc),
                }
            )
        found.append(
            {
                "tag": tag,
                "clips": first.positive_clips,
                "recordings": first.positive_recordings,
                "percent": round(100 * first.prevalence),
                "answers": answers,
            }
        )
    return found


def overall(t: Speaker, result: Result, metric: str) -> list[dict[str, Any]]:
    """The mean over tags, and how many tags got which word, a backbone each."""
    found = []
    for i, run in enumerate(result.runs):
        gap = getattr(result.differences[i - 1].macro, metric) if i else None
        given = [report.verdict for report in run.report.tags]
        found.append(
            answer(t, result, i, run.report.macro, gap, metric)
            | {
                "seconds": run.seconds,
                "words": [(t.say(WORDS[code]), given.count(code), ICONS[code]) for code in WORDS],
                "heard": given.count(HEARD),
                "found": run.report.found,
                "by_chance": by_chance_words(t, run.report.by_chance),
                "perhaps": run.report.perhaps,
                "expected": expected_words(t, run.report.expected_by_luck),
                "judged": len(given) - given.count(TOO_FEW),
                "tags": len(given),
                "averaged": sum(getattr(tag.figures, metric).value is not None for tag in run.report.tags),
                "warnings": [warning_words(t, warning) for warning in run.report.warnings],
            }
        )
    return found


def draft(t: Speaker, so_far: SoFar, metric: str) -> dict[str, Any]:
    """What a probe under way has found: per tag and overall an answer a backbone, each marked with what it rests on.

    A backbone that has not begun to answer has the place where its answer will be (``figure`` None). No tag gets a word
    before its backbone is done.
    """
    labels = so_far.asked.labels
    n = len(labels)
    by_tag = {
        "roc_auc": np.full(labels.shape[1], 0.5),
        "average_precision": chance_average_precision(labels.sum(0), n),
        "f1": chance_f1(labels.sum(0), n),
    }[metric]
    runs = []
    for name, whitened in so_far.wanted:
        key = run_key(name, whitened)
        runs.append((key, backbone_words(t, name, whitened), so_far.found.get(key)))

    def row(k: int | None) -> list[dict[str, Any]]:
        chance = float(macro(by_tag) if k is None else by_tag[k])
        return [
            {"key": key, "backbone": title, **_provisional(t, found, k, metric), "chance": chance}
            for key, title, found in runs
        ]

    return {
        "keys": [key for key, *_ in runs],
        "begun": any(found is not None for *_, found in runs),
        "several": len(runs) > 1,
        "overall": row(None),
        "tags": [
            {
                "tag": tag,
                "clips": int(labels[:, k].sum()),
                "recordings": len({so_far.asked.counted[i] for i in np.flatnonzero(labels[:, k])}),
                "percent": round(100 * float(labels[:, k].mean())),
                "answers": row(k),
            }
            for k, tag in enumerate(so_far.asked.tags)
        ],
        "n_clips": n,
    }


def _provisional(t: Speaker, found: Run | Interim | None, k: int | None, metric: str) -> dict[str, Any]:
    """One backbone's answer about tag ``k`` (None: all) as far as it is known."""
    if found is None:
        return {"figure": None, "value": None, "low": None, "high": None, "n": 0, "verdict": "draft"} | {
            "word": t("probe.draft.waits"),
            "icon": "empty",
            "explains": "",
        }
    if isinstance(found, Run):
        of: Any = found.report.macro if k is None else found.report.tags[k]
        figure: Interval = getattr(of.figures, metric)
        verdict = "none" if k is None else of.verdict
        word, icon = ("", "") if k is None else (t.say(WORDS[verdict]), ICONS[verdict])
    else:
        figure = getattr(found.macro if k is None else found.tags[k], metric)
        verdict, icon = "draft", "empty"
        if found.draws > 1 or found.layers == found.n_layers:
            word = t("probe.draft.draws", done=found.draws, n=found.n_draws)
        else:
            word = t("probe.draft.layers", done=found.layers, layers=found.n_layers, n=found.n_draws)
    return {
        "figure": figure_words(t, figure),
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "verdict": verdict,
        "word": word,
        "icon": icon,
        "explains": "" if k is None or metric != "roc_auc" else _room(t, figure),
    }


def _room(t: Speaker, figure: Interval) -> str:
    """Words as long as what will keep this tag from "heard", so that nothing moves when they come; never to be read."""
    if figure.low is None or figure.high is None or figure.low >= HEARD_FROM:
        return ""
    return why_words(t, PERHAPS_HEARD if figure.low < 0.5 + 0.05 else PARTLY_HEARD, figure)


def by_chance_words(t: Speaker, n: float) -> str:
    """How many of the tags found are so by chance, as one says it."""
    return t("probe.by_chance.under_one") if n < 0.95 else t("probe.by_chance.about", n=round(n))


def expected_words(t: Speaker, n: float) -> str:
    """How many tags would look so by luck alone, as one says it."""
    return t("probe.perhaps.under_one") if n < 0.95 else t("probe.perhaps.about", n=round(n))


def wanted(result: Result) -> tuple[list[Need], list[str]]:
    """After, of the tags that no run could judge: what they lack, and those with enough whose interval is too wide."""
    silent = [
        tag
        for k, tag in enumerate(result.asked.tags)
        if all(run.report.tags[k].verdict == TOO_FEW for run in result.runs)
    ]
    lacking = [need for need in needs(result.asked) if need.tag in silent and need.best == TOO_FEW]
    named = {need.tag for need in lacking}
    return lacking, [tag for tag in silent if tag not in named]


def tracks(visitor: Visitor, asked: Asked) -> dict[int, Track]:
    """Rows of the question whose clip is still held -> how to hear it."""
    held = {clip.sha256: clip for clip in visitor.clips.clips}
    return {
        row: visitor.sounds.track(held[clip], bars=40)
        for row, clip in enumerate(asked.clip_ids)
        if clip in held
    }


def mistakes(visitor: Visitor, result: Result, run: Run) -> dict[str, Any]:
    """The clips a run gets wrong, the most certain mistake first, each with all that is wrong about it.

    The published protocol scores recordings: there it is the recording, and its first clip plays.
    """
    heard = tracks(visitor, result.asked)
    by_row: dict[int, list[Any]] = {}
    found = run.report.mistakes()
    for one in found:
        by_row.setdefault(one.row, []).append(one)
    return {
        "wrong": len(found),
        "decisions": int(np.isfinite(run.report.scores).sum()),
        "clips": [
            {
                "id": result.asked.clip_ids[clip],
                "name": result.asked.names[clip] if run.report.protocol == LIVE else None,
                "recording": result.asked.recordings[clip],
                "track": heard.get(clip),
                "missed": [(one.tag, one.score) for one in there if one.label == 1],
                "invented": [(one.tag, one.score) for one in there if one.label == 0],
            }
            for clip, there in ((_clip_of(result.asked, run, row), there) for row, there in by_row.items())
        ],
    }


def _clip_of(asked: Asked, run: Run, row: int) -> int:
    """The clip that a scored row is, or begins with."""
    if run.report.protocol == LIVE:
        return row
    return asked.recordings.index(str(run.report.recordings[row]))


def zero_shot(visitor: Visitor, t: Speaker, found: ZeroShot) -> list[dict[str, Any]]:
    """A row a tag that can be judged: its prompt, its figure, and every clip by its cosine, nearest first."""
    if found.cosine is None:
        return []
    heard, rows = tracks(visitor, found.asked), []
    for tag, figure in found.figures.items():
        scores = found.cosine[:, found.tags.index(tag)]
        labels = found.asked.labels[:, found.asked.tags.index(found.matches[tag])]
        rows.append(
            {
                "tag": found.matches[tag],
                "word": tag,
                "prompt": found.prompts[tag],
                "figure": figure_words(t, figure),
                "n": figure.n,
                "clips": [
                    {
                        "id": found.asked.clip_ids[row],
                        "name": found.asked.names[row],
                        "track": heard.get(row),
                        "has": bool(labels[row]),
                        "cosine": float(scores[row]),
                    }
                    for row in np.argsort(-scores, kind="stable").tolist()
                ],
            }
        )
    return rows


def zero_shot_clips(visitor: Visitor, found: ZeroShot) -> list[dict[str, Any]]:
    """A row a clip: the tags of a corpus's vocabulary that are nearest to it, with their cosines."""
    if found.cosine is None:
        return []
    heard = tracks(visitor, found.asked)
    return [
        {
            "id": clip,
            "name": found.asked.names[row],
            "track": heard.get(row),
            "tags": [
                (found.tags[k], float(found.cosine[row, k]))
                for k in np.argsort(-found.cosine[row], kind="stable")[:TOP_TAGS].tolist()
            ],
        }
        for row, clip in enumerate(found.asked.clip_ids)
    ]
