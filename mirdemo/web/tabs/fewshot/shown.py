"""From results to what the template draws: the support set, the honest score, what to label next, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.clips import FEWEST_RECORDINGS
from mirdemo.evidence.plan_words import reasons
from mirdemo.scoring.verdicts import TOO_FEW, WORDS
from mirdemo.stages.side_by_side import FEW_SHOT, PROBE, Column, cells, side_by_side
from mirdemo.web.tabs.fewshot.charts import figure_words
from mirdemo.web.tabs.probe.running import run_key
from mirdemo.web.tabs.probe.shown import ICONS, backbone_words, layer_words
from mirdemo.words.joining import in_a_row
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.stages.fewshot import LearningCurve, Score, TagScore
    from mirdemo.web.frame.player import Sounds
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.tabs.fewshot.desk import LongAnswer
    from mirdemo.web.tabs.fewshot.studies import Setting, Waiting
    from mirdemo.web.tabs.probe.running import Result
    from mirdemo.web.tagging import Answer, Built

#: More clips than this are counted, but not drawn one by one.
MOST_COLUMNS = 48
#: Clips with mistakes shown before the rest is folded away.
MISTAKES = 6


def support(clips: LabelledClips, sounds: Sounds) -> dict[str, Any]:
    """Tags against clips, clips of a recording side by side.

    columns: (number, clip's track, whether a recording begins here); rows: (tag, its cells, counts, enough for what)
    """
    order = sorted(range(len(clips)), key=lambda i: (_first_row(clips, i), i))
    columns = [
        (
            number,
            sounds.track(clips.clips[i], bars=40),
            number > 1 and clips.recordings[i] != clips.recordings[order[number - 2]],
        )
        for number, i in enumerate(order, start=1)
    ]
    drawn = len(clips) <= MOST_COLUMNS
    return {
        "columns": columns if drawn else [],
        "rows": [
            (tag, clips.labels[order, j].tolist() if drawn else [], count, enough(count.recordings))
            for j, (tag, count) in enumerate(clips.counts().items())
        ],
        "untagged": int((~clips.labels.any(axis=1)).sum()),
        "recordings": len(set(clips.counted)),
    }


def _first_row(clips: LabelledClips, row: int) -> int:
    return clips.recordings.index(clips.recordings[row])


def beats_every_tag(score: Score) -> str:
    """``better``: the interval of macro-F1 lies above giving every tag to every clip; ``no_better``: the value does not."""
    f1 = score.macro_f1
    if f1.value is not None and f1.value <= score.chance_macro_f1:
        return "no_better"
    return "better" if f1.low is not None and f1.low > score.chance_macro_f1 else "unsure"


def certainty(one: Answer | LongAnswer, t: Speaker) -> dict[str, Any]:
    """How far an answer's tags can be believed, by leaving recordings of its support set out.

    tags: (tag, verdict, icon, the verdict's word, its figures in words or None) for each tag given
    warning: where the whole is not better than giving every tag to every clip, what to think of it; else None
    """
    score, none = one.built.score, t("few-shot.no_interval")
    rows = {} if score is None else {row.tag: row for row in score.tags}
    tags = []
    for tag in one.given:
        row = rows.get(tag)
        code = TOO_FEW if row is None else row.verdict
        figure = row and _both(row, len(one.built.clips), none, t)
        tags.append((tag, code, ICONS[code], WORDS[code], figure))
    warning = None
    if score is not None and beats_every_tag(score) == "no_better":
        f1, chance = score.macro_f1, f"{score.chance_macro_f1:.2f}"
        warning = t("few-shot.sure.warning", figure=figure_words(f1, none), chance=chance, n=f1.n)
    return {"tags": tags, "warning": warning}


def honest(built: Built, visitor: Visitor, probed: Result | None, t: Speaker) -> dict[str, Any] | None:
    """The honest score: its sentence, a row a tag, the clips it got wrong.

    probed: the live probe of whatever clips; where it says another word of a tag, that stands beside it with the reason
    """
    score, clips = built.score, built.clips
    if score is None:
        return None
    f1, none = score.macro_f1, t("few-shot.no_interval")
    other = {} if probed is None or not probed.asked.is_about(clips) else _otherwise(built, score, probed, t)
    tags = []
    for one in sorted(score.tags, key=_by_verdict):
        tags.append(
            {
                "tag": one.tag,
                "code": one.verdict,
                "icon": ICONS[one.verdict],
                "word": WORDS[one.verdict],
                "auc": None if one.roc_auc is None else figure_words(one.roc_auc, none),
                "f1": figure_words(one.f1, none),
                "recordings": one.recordings,
                "off": one.threshold_off(len(clips)),
                "other": other.get(one.tag, ""),
            }
        )
    return {
        "figure": figure_words(f1, none),
        "n": f1.n,
        "above": beats_every_tag(score),
        "chosen_from": None if built.choice is None else len(built.choice.candidates),
        "chance": f"{score.chance_macro_f1:.2f}",
        "exact": round(score.exact * len(clips)),
        "clips": len(clips),
        "tags": tags,
        "wrong": mistakes(built, visitor),
        "few": MISTAKES,
    }


def _otherwise(built: Built, score: Score, probed: Result, t: Speaker) -> dict[str, str]:
    """Tag -> what the probe says of it, where that is another word, and why; of the same backbone if it was probed."""
    keys = run_key(built.backbone, built.whitening is not None), built.backbone
    run = min(probed.runs, key=lambda run: (run.key != keys[0], run.backbone != keys[1]))
    columns = (
        Column(PROBE, run.key, cells(run.report, built.clips.tags)),
        Column(FEW_SHOT, keys[0], cells(score, built.clips.tags)),
    )
    name = backbone_words(t, run.backbone, run.report.whitening is not None)
    return {
        row.tag: t(
            "few-shot.honest.probe",
            backbone=name,
            word=t.say(WORDS[row.cells[0].word]),
            why=reasons(row.why, t),
        )
        for row in side_by_side(built.clips.tags, columns)
        if row.why and row.cells[0] is not None
    }


def _by_verdict(one: TagScore) -> tuple[int, float]:
    auc = one.roc_auc.value if one.roc_auc is not None else None
    return list(ICONS).index(one.verdict), -(auc or 0.0)


def _both(row: TagScore, n_clips: int, none: str, t: Speaker) -> str:
    """A tag's two figures, and why they differ where they do."""
    figures = t(
        "few-shot.sure.figure",
        auc=figure_words(row.roc_auc, none) if row.roc_auc is not None else none,
        f1=figure_words(row.f1, none),
        n=row.recordings,
    )
    return in_a_row([figures, t("few-shot.sure.off")]) if row.threshold_off(n_clips) else figures


def mistakes(built: Built, visitor: Visitor) -> list[dict[str, Any]]:
    """The clips whose tags are wrong without their own recording, the most wrong first."""
    clips, said = built.clips, built.check.predicted.astype(bool)
    truth = clips.labels.astype(bool)
    wrong = (truth != said).sum(axis=1)
    return [
        {
            "id": clips.clips[row].sha256,
            "name": clips.clips[row].name,
            "track": visitor.sounds.track(clips.clips[row], bars=40),
            "missed": [clips.tags[j] for j in np.flatnonzero(truth[row] & ~said[row])],
            "invented": [clips.tags[j] for j in np.flatnonzero(said[row] & ~truth[row])],
        }
        for row in np.argsort(-wrong, kind="stable").tolist()
        if wrong[row]
    ]


def next_to_label(waiting: list[Waiting], built: Built, visitor: Visitor) -> list[dict[str, Any]]:
    """What to label next, to be heard, with what it hesitates between."""
    found = []
    for one in waiting:
        clip = built.clips.clips[one.row] if one.row is not None else one.answer.clip
        asked = one.answer is not None
        found.append(
            {
                "id": clip.sha256,
                "name": clip.name,
                "track": visitor.sounds.track(clip, bars=160 if asked else 40),
                "asked": asked,
                "tags": one.suggestion.tags,
                "runner_up": one.suggestion.runner_up,
                "margin": one.suggestion.margin,
            }
        )
    return found


def growth(report: LearningCurve, t: Speaker) -> dict[str, Any]:
    """What more recordings may bring, tag by tag."""
    from mirdemo.stages.fewshot import Extrapolation

    none = t("few-shot.no_interval")
    gains = [one for one in report.gains if one.gain is not None and one.gain.value is not None]
    weakest = sorted((one for one in report.gains if one.f1.value is not None), key=lambda one: one.f1.value)
    return {
        "points": report.points,
        "why_not": None if isinstance(report.extrapolation, Extrapolation) else report.extrapolation,
        "gains": [
            {
                "tag": one.tag,
                "recordings": one.recordings,
                "figure": figure_words(one.f1, none),
                "gain": "+" + figure_words(one.gain, none),
            }
            for one in gains[:5]
        ],
        "weakest": [
            {
                "tag": one.tag,
                "recordings": one.recordings,
                "figure": figure_words(one.f1, none),
                "gain": None,
            }
            for one in weakest[:3]
        ],
        "left_out": report.left_out,
    }


def listening_words(t: Speaker, setting: Setting) -> str:
    """A setting's layer and whether it is whitened."""
    layer = layer_words(t, setting.layer)
    return t("few-shot.layer.whitened", layer=layer) if setting.whitened else layer


def played(tags: tuple[str, ...], one: Answer) -> Mapping[str, Any]:
    """What a demonstration query is made of, beside what was answered: (tag, whether it was given)."""
    return {
        "truth": [(tag, tag in one.given) for tag in tags],
        "extra": [t for t in one.given if t not in tags],
    }


def enough(recordings: int) -> str:
    """What so many recordings of a tag suffice for: ``"check"``, ``"use"`` or ``"little"``."""
    if recordings >= FEWEST_RECORDINGS:
        return "check"
    return "use" if recordings == 2 else "little"
