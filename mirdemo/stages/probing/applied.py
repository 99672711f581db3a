"""A probe carried on to clips that nobody has labelled: trained once more, on all clips that it was measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mirdemo.stages.probing.crossval import trained_on
from mirdemo.stages.probing.errors import ProbeError

if TYPE_CHECKING:
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.whitening import Whitening
    from mirdemo.stages.probing.report import ProbeReport


def apply_probe(
    report: ProbeReport, embeddings: Embeddings, new: Embeddings, whitening: Whitening | None = None
) -> np.ndarray:
    """Scores of new clips: 0..1 (n_new, n_tags), NaN for a tag that all clips of the probe have, or none.

    report: of the live protocol; embeddings: of its clips, in its order; new: of the same backbone
    whitening: the one that the report was made with
    Each tag listens in its ``best_layer``, the one that the training sides chose most often, with the report's settings.
    Raises ProbeError for a report of other clips, or of the published protocol.
    """
    if report.protocol != "live" or len(embeddings) != len(report.labels):
        raise ProbeError(
            "This probe was made of other clips. Probe the clips as they are now.", code="probing.other_clips"
        )
    if whitening is not None:
        embeddings, new = whitening.apply(embeddings), whitening.apply(new)
    scores = np.full((len(new), len(report.tags)), np.nan)
    penalty, scale = float(report.settings["penalty"]), bool(report.settings["standardised"])
    for layer in dict.fromkeys(tag.best_layer for tag in report.tags):
        columns = [j for j, tag in enumerate(report.tags) if tag.best_layer == layer]
        logits = trained_on(
            embeddings.matrix(layer), report.labels[:, columns], new.matrix(layer), penalty, scale=scale
        )
        scores[:, columns] = 0.5 * (1 + np.tanh(0.5 * logits))
    return scores
