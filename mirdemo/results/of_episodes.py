"""Episode reports as result records, to stand beside published ones."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from mirdemo.clips.in_question import InQuestion
from mirdemo.results.records import Result
from mirdemo.scoring.intervals import Interval
from mirdemo.stages.fewshot.episodes import EpisodeReport

_NAMES = {"lc-prototypes": "LC-Protonets", "ml-pn": "ML-PN", "ovr": "one-vs-rest", "linear": "linear head"}


def episode_results(
    report: EpisodeReport,
    *,
    model: str,
    corpus: str,
    distance: str = "cos",
    backbone_training: str = "frozen",
    hardware: str | None = None,
    versions: Mapping[str, str] | None = None,
    in_question: InQuestion | None = None,
    **facts: Any,
) -> list[Result]:
    """One record a metric over all episodes, one a metric and episode, and one a tag.

    model, corpus: as in ``Result``; facts: further fields of it (revision, layer, pooling, window_seconds, whitening,
    corpus_revision, split, date); in_question: where the report's recordings rest on an open question. Intervals of the records
    over all episodes allow for the draws and for the recordings, and their influences are the recordings' alone; single episodes
    have neither.
    """
    from mirdemo import __version__

    setting = {
        "few_shot": _NAMES[report.method],
        "backbone_training": backbone_training,
        "distance": distance,
        "n_way": report.n_way,
        "k_shot": report.k_shot,
        "tags": report.kind,
        **({"held_out": "each recording in turn"} if report.in_turn else {}),
        **({} if in_question is None else in_question.as_setting()),
    }
    common = {
        "model": model,
        "corpus": corpus,
        "method": "fewshot",
        "protocol": report.protocol,
        "source": "measured",
        "hardware": hardware,
        "versions": dict(
            versions or {"mirdemo": __version__, "numpy": np.__version__, "python": platform.python_version()}
        ),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        **facts,
    }
    whole = {**setting, "seeds": len(report.episodes), **_sizes(report)}
    results = []
    for metric in ("macro_f1", "micro_f1"):
        figure: Interval = getattr(report, metric)
        influences = _kept(figure, report.influences[metric])
        results.append(_result(common, metric, figure, whole, seconds=report.seconds, influences=influences))
        for episode in report.episodes:
            own = {
                **setting,
                "n_support": len(episode.support) / episode.supports,
                "mean_true_tags": episode.mean_true_tags,
                "mean_predicted_tags": episode.mean_predicted_tags,
            }
            if episode.prototypes is not None:
                own["n_prototypes"] = episode.prototypes
            single = Interval(getattr(episode, metric), None, None, episode.n_query, unit="items")
            results.append(_result(common, metric, single, own, seed=episode.seed))
    for tag, figure in zip(report.tags, report.tag_f1, strict=True):
        if figure.value is not None:
            results.append(_result(common, "f1", figure, whole, tag=tag))
    return results


def _kept(figure: Interval, influences: np.ndarray) -> tuple[float, ...] | None:
    """Five digits each; None where the figure has no interval."""
    if figure.low is None or len(influences) < 2:
        return None
    return tuple(float(f"{one:.5g}") for one in influences)


def _result(
    common: Mapping[str, Any], metric: str, figure: Interval, setting: Mapping[str, Any], **own: Any
) -> Result:
    level = None if figure.low is None else figure.level
    return Result(
        metric=metric,
        value=figure.known,
        low=figure.low,
        high=figure.high,
        level=level,
        n=figure.n,
        n_unit=figure.unit,
        setting=dict(setting),
        **own,
        **common,
    )


def _sizes(report: EpisodeReport) -> dict[str, float]:
    """Means over episodes."""
    sizes = {
        "n_support": float(np.mean([len(e.support) / e.supports for e in report.episodes])),
        "mean_true_tags": float(np.mean([e.mean_true_tags for e in report.episodes])),
        "mean_predicted_tags": float(np.mean([e.mean_predicted_tags for e in report.episodes])),
    }
    held = [e.prototypes for e in report.episodes if e.prototypes is not None]
    if held:
        sizes["n_prototypes"] = float(np.mean(held))
    return sizes
