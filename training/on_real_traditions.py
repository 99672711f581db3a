"""Measure backbones on recordings of a tradition that none of them was raised on, and of Western genres beside it.

    python training/on_real_traditions.py --kdc FOLDER --kdc-table FOLDER --genres FOLDER --work FOLDER [--rows NAME ...]

FOLDERs: KDC's recordings and the checkout with its table (``corpora/readers/kdc.py``), GTZAN's mini version, and one for what is
measured before it is kept. Writes what ``mirdemo evaluate --protocol live`` measures (probe and few-shot; folds by recording, for
KDC also by artist) of every row: a backbone, one with the whitening that ships (``NAME,whitened``), or ``musicnn-untrained``, the
network with weights as its training begins. The last goes to ``assets/results/untrained.jsonl``, as it stands in no chart but as
what is taken away; all others to ``assets/results/real_traditions.jsonl``. Of few-shot the accuracy of each draw is kept too.

Neither corpus is in the repository. A copy that lacks recordings says so in its records (``left_out``), and every row is of the
same recordings: a file that holds figures of others is not added to.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone, musicnn, specs
from mirdemo.backbones.spec import Backbone, Identity
from mirdemo.corpora.registry import open_corpus
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.embedding.whitening import whitening_for
from mirdemo.evaluation.running import Evaluation, Request, evaluate
from mirdemo.evidence.unheard import ACCURACY
from mirdemo.results.records import SHIPPED, Result, append, load

MEASURED, UNTRAINED = SHIPPED / "real_traditions.jsonl", SHIPPED / "untrained.jsonl"
PLAIN, WHITENED = "musicnn-untrained", ",whitened"
ROWS = (
    "spectral",
    "mini-west",
    "mini-world",
    f"mini-world-spectral{WHITENED}",
    "musicnn-msd",
    "musicnn-mtt",
    PLAIN,
)


def untrained(seed: int) -> Backbone:
    """musicnn as its training begins: Glorot's uniform weights, no bias, norms that change nothing (TensorFlow's defaults)."""
    draw = torch.Generator().manual_seed(seed)
    network = musicnn.Network()
    for name, values in network.named_parameters():
        if name.endswith(("convolution.weight", "dense.weight", "tags.weight")):
            # Glorot's fans as TensorFlow counts them: the middle's filters are as wide as all channels below.
            whole = name.startswith("middle.")
            field = values[0].numel() if whole else math.prod(values.shape[2:])
            fan = field * (1 + values.shape[0]) if whole else field * (values.shape[0] + values.shape[1])
            bound = math.sqrt(6 / fan)
            values.data = (2 * torch.rand(values.shape, generator=draw) - 1) * bound
        elif name.endswith("bias"):
            values.data = torch.zeros_like(values)
    digest = hashlib.sha256()
    for name, values in sorted(network.state_dict().items()):
        digest.update(name.encode() + values.numpy().tobytes())
    facts = replace(
        specs()["musicnn-msd"], title="musicnn, untrained", trained_on="nothing", revision=f"untrained-{seed}"
    )
    identity = Identity(
        name=PLAIN,
        revision=f"untrained-{seed}",
        fingerprint=digest.hexdigest(),
        dtype="float32",
        sample_rate=facts.sample_rate,
        window_seconds=facts.window_seconds,
        pooling=facts.pooling,
    )
    return musicnn.Musicnn(facts, identity, network.eval().requires_grad_(False), torch.device("cpu"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kdc", type=Path, required=True)
    parser.add_argument("--kdc-table", type=Path, required=True)
    parser.add_argument("--genres", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rows", nargs="*", default=list(ROWS))
    parser.add_argument("--methods", nargs="*", default=["probe", "fewshot"])
    parser.add_argument("--seed", type=int, default=0, help="of the untrained copy")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    corpora = [
        open_corpus("gtzan-mini", chosen.genres),
        open_corpus("kdc", chosen.kdc, chosen.kdc_table),
        open_corpus("kdc-artists", chosen.kdc, chosen.kdc_table),
    ]
    for row in chosen.rows:
        name = row.removesuffix(WHITENED)
        backbone = untrained(chosen.seed) if name == PLAIN else load_backbone(name)
        whitening = whitening_for(backbone.identity) if row.endswith(WHITENED) else None
        if row.endswith(WHITENED) and whitening is None:
            raise SystemExit(f"{backbone.spec.title} has no whitening here.")
        for corpus in corpora:
            for method in chosen.methods:
                found = evaluate(
                    corpus,
                    backbone,
                    Request(method=method, protocol="live", allow_missing=True),
                    store=EmbeddingStore(),
                    whitening=whitening,
                    results=chosen.work / "measured.jsonl",
                )
                keep(found.records, UNTRAINED if name == PLAIN else MEASURED)
                tell(found)


def keep(records: Sequence[Result], kept: Path) -> None:
    """The figures over all draws, and few-shot's accuracy at each. Ends where ``kept`` holds figures of other recordings."""
    of_draws = [r for r in records if r.seed is not None and (r.method, r.metric) == ("fewshot", ACCURACY)]
    there = load(kept).records if kept.exists() else ()
    new = {(r.corpus, r.corpus_revision, r.setting.get("left_out")) for r in records}
    for corpus, revision, left_out in {
        (r.corpus, r.corpus_revision, r.setting.get("left_out")) for r in there
    } - new:
        if corpus in {r.corpus for r in records}:
            raise SystemExit(
                f"{kept.name} holds figures of other recordings of {corpus} ({revision}, {left_out} windows left out). "
                "Move it away and measure every row again."
            )
    known = {(r.key, r.revision) for r in there}
    wanted = [*(r for r in records if r.seed is None), *of_draws]
    append([r for r in wanted if (r.key, r.revision) not in known], kept)


def tell(found: Evaluation) -> None:
    """A line for the figures over all tags that the table shows."""
    for record in found.records:
        if record.tag is None and record.seed is None and record.metric in ("roc_auc", ACCURACY):
            print(
                f"{record.model:24}{record.corpus:14}{record.method:10}{record.metric:10}{record.value:.3f} "
                f"[{record.low}, {record.high}] n {record.n}, {found.n_items} items",
                flush=True,
            )


if __name__ == "__main__":
    main()
