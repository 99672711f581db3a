"""Fine-tuned and probed scores side by side: figures, paired differences, verdicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mirdemo.scoring.intervals import Estimate, difference
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
    probed: Mapping[str, Estimate],
    labels: np.ndarray,
    recordings: np.ndarray,
    tags: tuple[str, ...],
    level: float,
    smallest: float,
) -> tuple[TagGain, tuple[TagGain, ...]]:
    """The mean over tags, and each tag. tuned, probed: as ``estimates`` gives them; the probe's first row counts."""
    both = [{name: _first(found[name]) for name in tuned} for found in (tuned, probed)]
    per_tag = [name for name in tuned if name != "micro_f1"]
    single = [{name: side[name].intervals(level) for name in per_tag} for side in both]
    single.append({name: difference(both[0][name], both[1][name], level) for name in per_tag})
    overall = [{name: e if name == "micro_f1" else e.macro() for name, e in side.items()} for side in both]
    means = [{name: e.intervals(level) for name, e in side.items()} for side in overall]
    means.append({name: difference(overall[0][name], overall[1][name], level) for name in tuned})

    n = len(labels)
    chance_ap, chance_of_f1 = chance_average_precision(labels.sum(0), n), chance_f1(labels.sum(0), n)
    reports = []
    for k, tag in enumerate(tags):
        figures, before, gain = (
            Figures(**{name: found.at(k) for name, found in side.items()}) for side in single
        )
        having = len(np.unique(recordings[labels[:, k] == 1]))
        chance = Chance(0.5, _number(chance_ap[k]), _number(chance_of_f1[k]))
        reports.append(
            TagGain(
                tag,
                int(labels[:, k].sum()),
                having,
                chance,
                figures,
                before,
                gain,
                verdict(gain.roc_auc, smallest),
            )
        )
    figures, before, gain = (Figures(**{name: found.at() for name, found in side.items()}) for side in means)
    chance = Chance(0.5, _number(macro(chance_ap)), _number(macro(chance_of_f1)))
    tagged = labels.any(1)
    whole = TagGain(
        None,
        int(tagged.sum()),
        len(np.unique(recordings[tagged])),
        chance,
        figures,
        before,
        gain,
        verdict(gain.roc_auc, smallest),
    )
    return whole, tuple(reports)


def _first(estimate: Estimate) -> Estimate:
    return Estimate(**{name: getattr(estimate, name)[0] for name in Estimate.__dataclass_fields__})


def _number(value: float | np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None
