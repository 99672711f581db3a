"""Which modes and rhythm cycles a backbone tells apart, two by two.

    python -m training.telling_apart spectral mini-west mini-world [--store DIR] [--out FILE.jsonl]

For each controlled tradition and every two of its modes (and of its rhythm cycles): logistic regression on the
training and validation clips that have one of the two and not the other, asked about such clips of the test split,
whose tonics, tempi, timbres and phrases are its own. The embedding is that of the controlled experiment: the mean over
layers where they have one size, else the last. ROC-AUC with its 90 % interval over recordings. A pair whose interval does
not lie above one half is not told apart, as far as so many clips can say.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirdemo.base.progress import Progress, silent
from mirdemo.corpora.synthetic import ControlledCorpus
from mirdemo.scoring.intervals import Interval, estimate
from mirdemo.scoring.metrics import roc_auc_influence
from mirdemo.synth import TRADITIONS

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.embedding.store import EmbeddingStore

FILE = Path(__file__).resolve().parent.parent / "assets" / "backbones" / "told_apart.jsonl"
FAMILIES = ("mode", "rhythm")
CHANCE = 0.5
#: Of the logistic regression, that of the live probe.
PENALTY = 1.0


@dataclass(frozen=True)
class Pair:
    """Two tags of a family of one tradition, without the family's name, and how well a probe tells them apart."""

    tradition: str
    family: str
    one: str
    other: str
    auc: Interval

    @property
    def told(self) -> bool:
        """Whether the interval lies above chance."""
        return self.auc.low is not None and self.auc.low > CHANCE

    def as_dict(self) -> dict[str, Any]:
        auc = self.auc
        figure = {"value": auc.value, "low": auc.low, "high": auc.high, "n": auc.n, "level": auc.level}
        return {
            "tradition": self.tradition,
            "family": self.family,
            "one": self.one,
            "other": self.other,
            **figure,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Pair:
        auc = Interval(*(fields[name] for name in ("value", "low", "high", "n", "level")))
        return cls(*(fields[name] for name in ("tradition", "family", "one", "other")), auc)


def pairs(
    tradition: str,
    rows: NDArray[np.floating],
    tags: Sequence[Iterable[str]],
    recordings: Sequence[str],
    tested: NDArray[np.bool_],
    families: Sequence[str] = FAMILIES,
) -> list[Pair]:
    """Every two tags of each family, in the order of their names, that clips on both sides have one of.

    rows: (n, d); tags: ``family--Name`` of each clip; recordings: (n,); tested: bool (n,), False where the probe learns
    """
    found = []
    for family in families:
        has = {
            tag: np.array([tag in mine for mine in tags])
            for tag in sorted({t for mine in tags for t in mine})
        }
        names = [tag for tag in has if tag.startswith(f"{family}--")]
        for one, other in combinations(names, 2):
            either = has[one] != has[other]
            taught, asked = either & ~tested, either & tested
            if any(len(set(has[one][side])) < 2 for side in (taught, asked)):
                continue
            scores = _scores(rows[taught], has[one][taught], rows[asked])
            auc = _interval(has[one][asked], scores, np.asarray(recordings)[asked])
            found.append(Pair(tradition, family, one.split("--", 1)[1], other.split("--", 1)[1], auc))
    return found


def _scores(
    taught: NDArray[np.floating], labels: NDArray[np.bool_], asked: NDArray[np.floating]
) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / PENALTY, max_iter=1000))
    return model.fit(taught, labels).decision_function(asked)


def _interval(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], recordings: NDArray[np.str_]
) -> Interval:
    value, influence = roc_auc_influence(labels.astype(np.uint8), scores)
    return estimate(value, influence, labels, recordings, pairs=True).intervals().at()


def measure(
    backbone: Backbone,
    store: EmbeddingStore,
    traditions: Sequence[str] = TRADITIONS,
    progress: Progress = silent,
) -> list[Pair]:
    """The pairs of each tradition for one backbone. What the controlled experiment embedded is not embedded again."""
    from mirdemo.evaluation.embedding import embed_corpus, usual_layer
    from mirdemo.evaluation.sounds import SoundMemory

    found = []
    for tradition in traditions:
        corpus, layer = ControlledCorpus(tradition), usual_layer(backbone.spec, None)
        made = embed_corpus(
            corpus,
            list(corpus.items),
            backbone,
            store=store,
            sounds=SoundMemory(),
            layer=layer,
            whitening=None,
            progress=progress,
        )
        items = [corpus.items[item_id] for item_id in made.ids]
        found += pairs(
            tradition,
            made.embeddings.matrix(layer),
            [item.labels for item in items],
            [item.source for item in items],
            np.array([item.side == "test" for item in items]),
        )
    return found


def read(name: str, path: Path = FILE) -> list[Pair]:
    """What was measured of a backbone, nothing where nothing was."""
    return [Pair.from_dict(line) for line in _lines(path) if line["backbone"] == name]


def write(name: str, revision: str, found: Sequence[Pair], path: Path = FILE) -> None:
    """Put a backbone's pairs, one a line, in place of what is there of it."""
    others = [line for line in _lines(path) if line["backbone"] != name]
    mine = [{"backbone": name, "revision": revision, **pair.as_dict()} for pair in found]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (*others, *mine))
    path.write_text(text, encoding="utf-8")


def _lines(path: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    )


def main() -> None:
    from mirdemo.backbones import load_backbone
    from mirdemo.base.home import home
    from mirdemo.embedding.store import EmbeddingStore

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("backbones", nargs="+")
    parser.add_argument("--store", type=Path, default=home() / "corpora" / "embeddings")
    parser.add_argument("--out", type=Path, default=FILE, help="where the backbones' lines are replaced")
    chosen = parser.parse_args()
    for name in chosen.backbones:
        backbone = load_backbone(name)
        found = measure(backbone, EmbeddingStore(chosen.store))
        write(name, backbone.identity.revision, found, chosen.out)
        print(f"{name}: {sum(pair.told for pair in found)} of {len(found)} pairs told apart", flush=True)


if __name__ == "__main__":
    main()
