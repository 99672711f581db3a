"""What every record of one evaluation says, and a stage's report as records."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.results.records import Result
from mirdemo.stages.probing import ProbeReport

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, Identity
    from mirdemo.scoring.intervals import Interval
    from mirdemo.stages.finetuning import FineTuneReport, PublishedReport

_OVER_TAGS = {"roc_auc": "roc_auc", "map": "average_precision", "macro_f1": "f1", "micro_f1": "micro_f1"}
_OF_A_TAG = {"roc_auc": "roc_auc", "map": "average_precision", "f1": "f1"}


def report_results(
    report: ProbeReport | FineTuneReport | PublishedReport, common: Mapping[str, Any]
) -> list[Result]:
    """The headline figures over all tags, then three a tag, then those over all tags of each single seed.

    common: the fields that all of them share
    """
    found = [
        _result(common, metric, getattr(report.macro.figures, name), influences=_influences(report, name))
        for metric, name in _OVER_TAGS.items()
    ]
    for of_tag in report.tags:
        found += [
            _result(common, metric, getattr(of_tag.figures, name), of_tag.tag)
            for metric, name in _OF_A_TAG.items()
        ]
    if isinstance(report, ProbeReport):
        for seed, figures in report.by_seed.items():
            own = {**common, "seed": seed}
            found += [_result(own, metric, getattr(figures, name)) for metric, name in _OVER_TAGS.items()]
    return [result for result in found if result is not None]


def _influences(
    report: ProbeReport | FineTuneReport | PublishedReport, metric: str
) -> tuple[float, ...] | None:
    """Of the headline over all tags, five digits each; None where there are not enough recordings."""
    estimate = report.estimates[metric]
    influences = (estimate if metric == "micro_f1" else estimate.macro()).influence[0]
    if influences.ndim != 1 or len(influences) < 2 or not np.isfinite(influences).all():
        return None
    return tuple(float(f"{one:.5g}") for one in influences)


def _result(
    common: Mapping[str, Any],
    metric: str,
    figure: Interval,
    tag: str | None = None,
    *,
    influences: tuple[float, ...] | None = None,
) -> Result | None:
    """A record; None for a figure that has no value (a tag that no test item has)."""
    if figure.value is None:
        return None
    low, high, level, known = figure.low, figure.high, figure.level, influences
    if low is None or high is None:
        low = high = level = known = None
    else:
        low, high = min(low, figure.value), max(high, figure.value)
    return Result(
        metric=metric,
        tag=tag,
        value=figure.value,
        low=low,
        high=high,
        level=level,
        influences=known,
        n=figure.n,
        n_unit=figure.unit,
        **common,
    )


def versions(identity: Identity) -> dict[str, str]:
    """With what it was measured: packages, and exactly which weights in which precision."""
    from mirdemo import __version__

    packages = {name: version(name) for name in ("numpy", "torch")}
    made_with = {"mirdemo": __version__, "python": platform.python_version(), **packages}
    other = {} if identity.engine == "torch" else {"engine": identity.engine}
    return {**made_with, "weights": identity.fingerprint[:16], "precision": identity.dtype, **other}


def hardware(backbone: Backbone) -> str:
    """On what, in words: the GPU's name, or the processor and how many threads."""
    if backbone.device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(backbone.device)
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs"


def today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def made_with(versions: Mapping[str, str] | None) -> tuple[str | None, ...]:
    """What of a record's ``versions`` makes it another measurement: weights, precision, and the engine if not torch."""
    return tuple((versions or {}).get(name) for name in ("weights", "precision", "engine"))


def same_measurement(new: Result, old: Iterable[Result]) -> bool:
    """Whether one of the old records is a measurement of the same thing with the same weights, precision and engine."""
    return any(
        new.key == record.key and made_with(new.versions) == made_with(record.versions) for record in old
    )
