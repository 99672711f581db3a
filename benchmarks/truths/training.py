"""Fine-tuning: is what training adds found where it adds something, and nothing where it cannot?

Simulated tails under the product's own training, folds, intervals and words. A network of random residual blocks hears
a world's first layer as it lies in the sound. ``deaf``: its last block can be trained but has nothing to learn.
``keener``: the same, and one weight of it opens what two frames say against each other, which no untrained layer hears:
the tags, as strong again as ``KEENER`` says, so that training adds about 0.05 of ROC-AUC. The truth of each training is
what the model that goes home reaches on 600 new recordings: what it adds, minus a converged logistic regression on the untrained
last layer of the same collection; what is gained, minus the collection's own probe carried on to them.

The older build has one difference only, fine-tuned minus probed: that is what it shows in place of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from benchmarks.truths import Rate, build, mean, share
from benchmarks.truths.worlds import World

SIZE, RATE, BLOCKS, NEW = 64, 8000, 3, 600
#: Recordings and clips of each; strength of the tags and how much stronger the opened frames say them.
DESIGNS = ((12, 3), (20, 3), (40, 1))
STRENGTHS = (0.5, 0.7, 0.9, 1.1)
KEENER = 0.2
#: At most so many collections a cell: each is a whole cross-validated training.
MOST = 60


class Block(nn.Module):
    """States (batch, 2, size) -> the same: a random residual, and the frames' difference as far as ``open`` lets it in."""

    def __init__(self, keen: bool) -> None:
        super().__init__()
        self.widen, self.narrow = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, SIZE)
        self.register_parameter("open", nn.Parameter(torch.zeros(1)) if keen else None)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        out = states + 0.3 * self.narrow(self.widen(states).relu())
        if self.open is None:
            return out
        against = (states[:, :1] - states[:, 1:]) / 2
        return (
            out + (1000 * self.open).clamp(0, 1) * against
        )  # a thousand: so many weights that move together


def network(keen: bool) -> Any:
    """A backbone of ``BLOCKS`` random blocks, of the build that is there."""
    split, spec = build("mirdemo.backbones.split"), build("mirdemo.backbones.spec")

    class Simulated(split.NeuralBackbone):
        def enter(self, features: torch.Tensor) -> torch.Tensor:
            return features.reshape(len(features), 2, SIZE) * 100

        front = enter  # what older builds ask for

    facts = spec.BackboneSpec(
        name="simulated",
        title="Simulated",
        family="simulated",
        licence=None,
        parameters=None,
        sample_rate=RATE,
        window_seconds=2 * SIZE / RATE,
        layers=spec.state_layers(BLOCKS, SIZE),
        trained_on="nothing",
        min_samples=2 * SIZE,
        tail_blocks=1,
    )
    identity = spec.Identity("simulated", "1", "0" * 64, "float32", RATE, facts.window_seconds, "mean")
    torch.manual_seed(0)
    trunk = split.Trunk([Block(keen) for _ in range(BLOCKS)]).eval()
    return Simulated(facts, identity, trunk, torch.device("cpu"), torch.float32)


@dataclass(frozen=True)
class Collection:
    """clips: as sound; labels: uint8 (n_clips, n_tags); recordings: (n_clips,)"""

    clips: list[Any]
    labels: np.ndarray
    recordings: np.ndarray


def draw(world: World, seed: int, recordings: int | None = None) -> Collection:
    """The world's clips as sound of two frames: its first layer, plus and minus the tags said once more."""
    here, audio = world.draw(seed, recordings), build("mirdemo.sound.audio", "mirdemo.audio")
    rows = here.layers["0"]
    more = KEENER * (here.labels @ world.directions[0])
    waves = np.concatenate([rows + more, rows - more], 1) / 100
    clips = [audio.Clip.of(wave, RATE, f"{seed}-{i}") for i, wave in enumerate(waves.astype(np.float32))]
    return Collection(clips, here.labels, here.recordings)


def reached(report: Any, backbone: Any, here: Collection, new: Collection) -> tuple[float, float]:
    """Macro ROC-AUC on new recordings: of the tagger that goes home, and of a logistic regression without training."""
    embed = build("mirdemo.embedding.embed", "mirdemo.embedding").embed
    metrics = build("mirdemo.scoring.metrics", "mirdemo.metrics")
    tuned = report.head.scores(embed(new.clips, report.head.tuned(backbone)).matrix("fine-tuned"))
    last = backbone.spec.layers[-1].name
    rows, fresh = (embed(side.clips, backbone).matrix(last) for side in (here, new))
    scaler = StandardScaler().fit(rows)
    untrained = [
        LogisticRegression(C=1.0, max_iter=500)
        .fit(scaler.transform(rows), column)
        .decision_function(scaler.transform(fresh))
        for column in here.labels.T
    ]
    return (
        float(np.mean(metrics.roc_auc(new.labels.T, tuned.T))),
        float(np.mean(metrics.roc_auc(new.labels.T, np.stack(untrained)))),
    )


def probed(backbone: Any, here: Collection, new: Collection, tags: list[str]) -> tuple[Any, float]:
    """The collection's live probe, and its macro ROC-AUC on new recordings. Older builds cannot carry one on: ImportError."""
    carry = build("mirdemo.stages.probing.applied").apply_probe
    embed = build("mirdemo.embedding.embed").embed
    own, others = (embed(side.clips, backbone) for side in (here, new))
    report = build("mirdemo.stages.probing").probe(own, here.labels, here.recordings, tags=tags)
    scores = carry(report, own, others)
    return report, float(np.mean(build("mirdemo.scoring.metrics").roc_auc(new.labels.T, scores.T)))


def rates(collections: int) -> Iterator[Rate]:
    stage = build("mirdemo.stages.finetuning", "mirdemo.finetuning")
    torch.set_num_threads(1)
    for keen in (False, True):
        backbone = network(keen)
        for recordings, clips in DESIGNS:
            world = World(recordings, clips, 1 / 3, STRENGTHS, layers=1, size=SIZE)
            new = draw(world, 10**6, recordings=NEW)
            truths, gained, added, gains, words = [], [], [], [], []
            for seed in range(min(collections, MOST)):
                here = draw(world, seed)
                tags = [str(i) for i in range(len(STRENGTHS))]
                beside = {}
                with suppress(ImportError):
                    beside["probe_report"], carried = probed(backbone, here, new, tags)
                report = stage.fine_tune(here.clips, backbone, here.labels, here.recordings, tags, **beside)
                tuned, untrained = reached(report, backbone, here, new)
                truths.append(tuned - untrained)
                if beside:
                    gained.append(tuned - carried)
                gains.append(report.macro.gain.roc_auc)
                added.append(getattr(report.macro, "added", report.macro.gain).roc_auc)
                words.append(report.verdict)
            cell = f"{'keener' if keen else 'deaf'} tail, {recordings} recordings x {clips}"
            yield mean(cell, "truly added", truths)
            yield mean(cell, "shown as added", [one.value for one in added])
            yield mean(cell, "width of its interval", [one.high - one.low for one in added])
            yield share(
                cell, "holds the mean truth", [one.low <= np.mean(truths) <= one.high for one in added]
            )
            yield share(cell, "found: surely above 0", [one.low > 0 for one in added])
            yield mean(cell, "shown against the best probe", [one.value for one in gains])
            if gained:
                yield mean(cell, "truly gained over it", gained)
                yield share(
                    cell,
                    "each holds its own truth",
                    [one.low <= truth <= one.high for one, truth in zip(gains, gained, strict=True)],
                )
            for word in ("worth_it", "not_worth_it", "cannot_tell"):
                yield share(cell, word.replace("_", " "), [one == word for one in words])
