"""Fine-tuned, untrained and probed scores side by side: figures, paired differences, verdicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mirdemo.scoring.intervals import Estimate, Intervals, difference
from mirdemo.scoring.labelling import Labelling
from mirdemo.scoring.metrics import chance_average_precision, chance_f1, macro
from mirdemo.stages.finetuning.report import TagGain
from mirdemo.stages.finetuning.verdict import verdict
from mirdemo.stages.probing.figures import measure
from mirdemo.stages.probing.report import Chance, Figures


def estimates(
    scores: np.ndarray, labels: np.ndarray, recordings: np.ndarray, n_folds: int
) -> dict[str, Estimate]:
    """Metric -> Estimate (1, n_tags), ``micro_f1`` (1,), unsure of the training sides too, as the probe's are.

    scores: out of fold (n_clips, n_tags); recordings: (n_clips,); n_folds: that the scores were cross-validated with
    """
    fixed = measure(scores.T[None, None], labels, recordings)[0]
    return {name: estimate.trained_again(n_folds) for name, estimate in fixed.items()}


def gains(
    tuned: Mapping[str, Estimate],
    untrained: Mapping[str, Estimate],
    probed: Mapping[str, Estimate],
    labelling: Labelling,
    level: float,
    smallest: float,
) -> tuple[TagGain, tuple[TagGain, ...]]:
    """The mean over tags, and each tag.

    tuned, untrained, probed: as ``estimates`` gives them; of each the first row counts, the probe's headline
    labelling: of the clips; its groups are what the intervals count
    """
    sides = [{name: _first(found[name]) for name in tuned} for found in (tuned, untrained, probed)]
    per_tag = [{name: e for name, e in side.items() if name != "micro_f1"} for side in sides]
    overall = [{name: e if name == "micro_f1" else e.macro() for name, e in side.items()} for side in sides]
    unit = "recordings" if len(labelling.group_names) == len(labelling.recording_names) else "sessions"
    single, means = _with_differences(per_tag, level, unit), _with_differences(overall, level, unit)

    labels, tags = labelling.labels, labelling.tags
    having, lacking = labelling.having, labelling.lacking
    n = len(labels)
    chance_ap, chance_of_f1 = chance_average_precision(labels.sum(0), n), chance_f1(labels.sum(0), n)
    reports = tuple(
        _gain(
            tag,
            (int(labels[:, k].sum()), int(having[k]), int(lacking[k])),
            Chance(0.5, _number(chance_ap[k]), _number(chance_of_f1[k])),
            [Figures(**{name: found.at(k) for name, found in side.items()}) for side in single],
            smallest,
        )
        for k, tag in enumerate(tags)
    )
    whole = _gain(
        None,
        _any_tag(labelling),
        Chance(0.5, _number(macro(chance_ap)), _number(macro(chance_of_f1))),
        [Figures(**{name: found.at() for name, found in side.items()}) for side in means],
        smallest,
    )
    return whole, reports


def _any_tag(labelling: Labelling) -> tuple[int, int, int]:
    """Clips with any tag; recordings that have such clips; recordings that have others."""
    some = labelling.labels.any(1)
    return (
        int(some.sum()),
        len(np.unique(labelling.recordings[some])),
        len(np.unique(labelling.recordings[~some])),
    )


def _with_differences(
    sides: list[dict[str, Estimate]], level: float, unit: str
) -> list[dict[str, Intervals]]:
    """tuned, untrained and probed as intervals; then tuned minus untrained, and tuned minus probed."""
    tuned, *others = sides
    return [{name: e.intervals(level, unit) for name, e in side.items()} for side in sides] + [
        {name: difference(tuned[name], other[name], level, unit) for name in tuned} for other in others
    ]


def _gain(
    tag: str | None,
    counts: tuple[int, int, int],
    chance: Chance,
    figures: list[Figures],
    smallest: float,
) -> TagGain:
    """counts: clips with the tag, recordings with it, recordings without; figures: as ``_with_differences`` orders them"""
    tuned, untrained, probed, added, gain = figures
    return TagGain(
        tag=tag,
        positive_clips=counts[0],
        positive_recordings=counts[1],
        recordings_without=counts[2],
        chance=chance,
        figures=tuned,
        untrained=untrained,
        probed=probed,
        added=added,
        gain=gain,
        verdict=verdict(added.roc_auc, gain.roc_auc, smallest),
    )


def _first(estimate: Estimate) -> Estimate:
    return Estimate(**{name: getattr(estimate, name)[0] for name in Estimate.__dataclass_fields__})


def _number(value: float | np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None
