"""Two backbones on the same clips: paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mirdemo.scoring.intervals import Intervals, difference
from mirdemo.stages.probing.errors import ProbeError
from mirdemo.stages.probing.report import Figures, ProbeReport


@dataclass(frozen=True)
class Comparison:
    """``first`` minus ``second``, each recording against itself.

    layer: the layer compared, None for the headlines
    tags: tag -> differences; macro: of the means over tags. Intervals without zero are differences beyond doubt at
        their level, one at a time
    """

    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None
    layer: str | None
    tags: Mapping[str, Figures]
    macro: Figures

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare(first: ProbeReport, second: ProbeReport, layer: str | None = None) -> Comparison:
    """Paired differences of two reports on the same clips, tags, folds and seeds.

    layer: a layer that both have; None: the headline figures. Raises ProbeError if the reports cannot be paired.
    """
    same = (
        first.protocol == second.protocol
        and first.tag_names == second.tag_names
        and np.array_equal(first.labels, second.labels)
        and np.array_equal(first.recordings, second.recordings)
        and first.seeds == second.seeds
        and (first.folds is None or np.array_equal(first.folds, second.folds))
    )
    if not same:
        raise ProbeError(
            "These two probes do not share clips, tags, folds and seeds. Probe both backbones with the same settings.",
            code="probing.not_paired",
        )
    if layer is not None and not (layer in first.layer_names and layer in second.layer_names):
        raise ProbeError(
            "Not both backbones have a layer named {layer}. Compare their headline figures.",
            code="probing.layer_not_shared",
            layer=layer,
        )
    at = [0 if layer is None else 1 + report.layer_names.index(layer) for report in (first, second)]
    per_tag: dict[str, Intervals] = {}
    overall: dict[str, Intervals] = {}
    for name in first.estimates:
        one, other = (report.estimates[name].row(i) for report, i in zip((first, second), at, strict=True))
        if name == "micro_f1":
            overall[name] = difference(one, other, first.level, apart=True)
        else:
            per_tag[name] = difference(one, other, first.level, apart=True)
            overall[name] = difference(one.macro(), other.macro(), first.level, apart=True)
    return Comparison(
        first=first.identity,
        second=second.identity,
        layer=layer,
        tags={
            tag: Figures(**{name: found.at(k) for name, found in per_tag.items()})
            for k, tag in enumerate(first.tag_names)
        },
        macro=Figures(**{name: found.at() for name, found in overall.items()}),
    )
