"""Stage 1, probing: what do a backbone's frozen embeddings already hold?

``probe`` answers for one backbone, ``compare`` for two on the same clips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.intervals import LEVEL
from mirdemo.scoring.verdicts import RULE, WORDS
from mirdemo.stages.probing.applied import apply_probe
from mirdemo.stages.probing.comparing import Comparison, compare
from mirdemo.stages.probing.errors import ProbeError
from mirdemo.stages.probing.inputs import Question, ask, contents
from mirdemo.stages.probing.interim import Interim
from mirdemo.stages.probing.live import probe_live
from mirdemo.stages.probing.report import Chance, Figures, MacroReport, Mistake, ProbeReport, TagReport
from mirdemo.stages.probing.settings import MlpSettings

if TYPE_CHECKING:
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.whitening import Whitening

__all__ = [
    "RULE",
    "WORDS",
    "Chance",
    "Comparison",
    "Figures",
    "Interim",
    "MacroReport",
    "Mistake",
    "MlpSettings",
    "ProbeError",
    "ProbeReport",
    "TagReport",
    "apply_probe",
    "compare",
    "probe",
]


def probe(
    embeddings: Embeddings | Mapping[str, np.ndarray],
    labels: np.ndarray,
    recordings: Sequence[str] | np.ndarray,
    *,
    tags: Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    n_folds: int = 5,
    seeds: Sequence[int] | None = None,
    penalty: float = 1.0,
    protocol: str = "live",
    permutations: int = 500,
    level: float = LEVEL,
    progress: Progress | None = None,
    whitening: Whitening | None = None,
    split: Mapping[str, Sequence[Any]] | None = None,
    settings: MlpSettings | None = None,
    groups: Sequence[str] | np.ndarray | None = None,
    clips: Sequence[str] | None = None,
    device: str = "auto",
    interim: Callable[[Interim], None] | None = None,
) -> ProbeReport:
    """Probe every tag in every layer.

    embeddings: of n clips; or a mapping layer name -> (n, size)
    labels: 0/1 (n, n_tags); recordings: (n,) the recording of each clip; tags: names of the columns
    layers: which layers; None: all, and their mean (``"mean"``) where all have one size
    permutations: of the permutation test, 0 for none; level: of the intervals
    whitening: applied to the embeddings first; dimensions are then not standardised one by one again
    groups: (n,) a coarser division, a session or a performer: folds and permutations keep it whole instead of the
        recordings, and intervals count it
    clips: (n,) what each clip holds, as text (e.g. its SHA-256), to draw the folds from; None: the embeddings' own
        ``clip_ids``, or, without those, their rows, so that two mappings of the same clips need it to be compared
    progress: called as ``progress(done, total, phase)``; it may raise Cancelled
    interim: called with what is known so far, of the live protocol: in the first draw layer by layer, then draw by draw

    protocol ``"live"``: L2-penalised logistic regression (``penalty`` = 1 / C of scikit-learn, features standardised
    on the training side), cross-validated in ``n_folds`` folds that never part a recording, once for each of ``seeds``
    (default: thirty draws of up to 60 clips, twenty up to 90, then ten, one of more than 3,000; figures are their mean).
    Folds depend on what the clips hold, never on names, tags or order. A tag's headline uses in each fold the layer that its
    training side recommends. Intervals are for another collection of as many recordings, so they count the probe's training.

    protocol ``"papaioannou2025"``: the published protocol as far as it is known (``mirdemo.stages.published``): an
    MLP with ``settings`` on windows, five seeds by default, train, validation and test side from ``split``: a mapping
    of ``"train"``, ``"valid"`` and ``"test"`` to names of recordings or to indices of clips (integers). ``device``
    is where it trains. Layers, folds and penalty do not apply.

    Raises LabellingError for labels, recordings and tags that do not fit, ProbeError for what else cannot be probed.
    """
    keys = contents(embeddings) if clips is None else clips
    identity = getattr(embeddings, "identity", None)
    strange = None
    if whitening is not None:
        whole = cast("Embeddings", embeddings)  # a mapping says nothing of its backbone, and is refused
        strange = whitening.strange(whole)
        embeddings = whitening.apply(whole)

    def asked() -> Question:
        found = ask(embeddings, labels, recordings, tags, layers, groups, keys)
        return found if strange is None else replace(found, warnings=(*found.warnings, strange))

    facts = {
        "identity": None if identity is None else identity.as_dict(),
        "whitening": None if whitening is None else whitening.name,
        "versions": {"mirdemo": _own_version(), "numpy": np.__version__, "scipy": version("scipy")},
    }
    report = progress or silent
    if (
        permutations < 0
        or not 0 < level < 1
        or n_folds < 2
        or penalty <= 0
        or (seeds is not None and not len(seeds))
    ):
        raise ProbeError(
            "These settings make no probe: use at least 2 folds, at least 1 seed, a penalty above 0, "
            "a level between 0 and 1 and no negative number of permutations.",
            code="probing.settings",
        )
    if protocol == "live":
        return probe_live(
            asked(),
            n_folds=n_folds,
            seeds=None if seeds is None else tuple(seeds),
            penalty=penalty,
            permutations=permutations,
            level=level,
            scale=whitening is None,
            progress=report,
            facts=facts,
            interim=interim,
        )
    if protocol == "papaioannou2025":
        from mirdemo.stages.published.probe import probe_published

        return probe_published(
            embeddings,
            asked(),
            split=split,
            seeds=(0, 1, 2, 3, 4) if seeds is None else tuple(seeds),
            settings=settings or MlpSettings(),
            permutations=permutations,
            level=level,
            device=device,
            progress=report,
            facts=facts,
        )
    raise ProbeError(
        "There is no protocol named {name}. Use live or papaioannou2025.",
        code="probing.no_protocol",
        name=protocol,
    )


def _own_version() -> str:
    from mirdemo import __version__

    return __version__
