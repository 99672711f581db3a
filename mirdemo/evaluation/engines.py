"""What another engine changes: the same synthetic recordings through torch and through it, and a probe of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress, silent

if TYPE_CHECKING:
    from mirdemo.backbones import Backbone, BackboneError
    from mirdemo.backbones.engine import Proof
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.sound.audio import Clip

#: Of each tradition of the controlled corpora.
RECORDINGS = 12
#: A tag counts where at least so many recordings have it, and so many lack it.
LEAST = 8
#: Of the synthetic recordings; training used others.
SEED = 91


@dataclass(frozen=True)
class Change:
    """What an engine changes beside torch.

    proof: fidelity and speed, with ``auc_change`` filled in
    layer, tag: where ``proof.auc_change`` was seen
    before, after: the ROC-AUC there, with torch and with the engine
    macro: the largest change of any layer's mean over tags; n_tags, n_recordings: of how many
    """

    proof: Proof
    layer: str
    tag: str
    before: float
    after: float
    macro: float
    n_tags: int
    n_recordings: int


def changes(
    load: Callable[[str], Backbone],
    engines: Sequence[str] = ("openvino", "openvino-int8"),
    *,
    recordings: int = RECORDINGS,
    progress: Progress = silent,
) -> dict[str, Change | BackboneError]:
    """Try engines beside torch on synthetic recordings, and remember beside each one's proof what it changes.

    load: an engine's name -> the backbone; a BackboneError that it raises for another than torch is the answer for that one
    recordings: of each tradition, each one window long; with few of them one pair of recordings that changes places moves
        a tag's ROC-AUC by a hundredth

    The probe is the live one (logistic regression, five folds of recordings, the same for every engine), of every tag that
    enough recordings have and lack, in every layer.
    """
    from mirdemo.backbones import BackboneError, engine
    from mirdemo.embedding.embed import embed

    plain = load("torch")
    clips, tags, labels = _corpus(min(10.0, plain.spec.window_seconds), recordings)
    before = _probed(embed(clips, plain, progress=progress), labels, tags)
    found: dict[str, Change | BackboneError] = {}
    for name in engines:
        try:
            other = load(name)
        except BackboneError as refusal:
            found[name] = refusal
            continue
        after = _probed(embed(clips, other, progress=progress), labels, tags)
        moved = np.abs(after - before)
        layer, tag = np.unravel_index(int(moved.argmax()), moved.shape)
        proof = engine.remember_cost(other.identity, float(moved.max()), len(clips))
        assert proof is not None  # it was made by ``load``
        found[name] = Change(
            proof,
            plain.spec.layers[layer].name,
            tags[tag],
            float(before[layer, tag]),
            float(after[layer, tag]),
            float(np.abs(after.mean(axis=1) - before.mean(axis=1)).max()),
            len(tags),
            len(clips),
        )
    return found


def _probed(rows: Embeddings, labels: np.ndarray, tags: Sequence[str]) -> np.ndarray:
    """ROC-AUC of every tag in every layer, (n_layers, n_tags)."""
    from mirdemo.stages.probing import probe

    recordings = [str(i) for i in range(len(labels))]
    report = probe(
        rows, labels, recordings, tags=tags, layers=rows.layer_names, permutations=0, clips=recordings
    )
    by_layer = [[tag.by_layer[name].roc_auc.value for tag in report.tags] for name in report.layer_names]
    return np.array(by_layer, dtype=np.float64)


def _corpus(seconds: float, each: int) -> tuple[list[Clip], list[str], np.ndarray]:
    """Clips of all traditions, the tags that can be probed, and who has them, uint8 (n_clips, n_tags)."""
    from mirdemo.sound.audio import Clip
    from mirdemo.synth import TRADITIONS, corpus
    from mirdemo.synth.render import RATE

    played = [
        clip for tradition in TRADITIONS for clip in corpus(tradition, "test", each, SEED, seconds=seconds)
    ]
    names = sorted({tag for clip in played for tag in clip.tags})
    table = np.array([[name in clip.tags for name in names] for clip in played], dtype=np.uint8)
    least = min(LEAST, len(played) // 4)
    kept = np.flatnonzero((table.sum(0) >= least) & (len(table) - table.sum(0) >= least))
    return (
        [Clip.of(clip.samples, RATE, clip.recording) for clip in played],
        [names[k] for k in kept],
        table[:, kept],
    )
