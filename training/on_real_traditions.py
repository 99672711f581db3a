"""Measure backbones on recordings of a tradition that none of them was raised on, and of Western genres beside it.

    python training/on_real_traditions.py --kdc FOLDER --kdc-table FOLDER --genres FOLDER [--backbones NAME ...] [--whitening]
                                          [--untrained]

FOLDERs: KDC's recordings and the checkout with its table (``corpora/readers/kdc.py``), GTZAN's mini version. Appends to
``assets/results/real_traditions.jsonl`` what ``mirdemo evaluate --protocol live`` measures of every backbone given (probe and
few-shot; folds by recording, for KDC also by artist), with ``--whitening`` with the whitening that ships; with ``--untrained`` to ``assets/results/untrained.jsonl`` the probe of
musicnn with the weights that its training began with, which stands in no chart but as what is taken away. Neither corpus is
in the repository, and a copy that lacks recordings says so in its records (``left_out``).
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone, musicnn, specs
from mirdemo.backbones.spec import Backbone, Identity
from mirdemo.base.sentences import MirdemoError
from mirdemo.corpora.registry import open_corpus
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.embedding.whitening import whitening_for
from mirdemo.evaluation.running import Request, evaluate
from mirdemo.results.records import SHIPPED, append, load

MEASURED, UNTRAINED = SHIPPED / "real_traditions.jsonl", SHIPPED / "untrained.jsonl"
#: Of KDC's windows so many, drawn with a fixed seed (``evaluation.running``); those whose sound is not at hand are left out of them.
LIMIT = 400
BACKBONES = ("spectral", "mini-west", "mini-world", "mini-world-spectral", "musicnn-msd", "musicnn-mtt")


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
        name="musicnn-untrained",
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
    parser.add_argument("--backbones", nargs="*", default=list(BACKBONES))
    parser.add_argument("--methods", nargs="*", default=["probe", "fewshot"])
    parser.add_argument("--corpora", nargs="*", help="of the three only these")
    parser.add_argument("--whitening", action="store_true", help="whiten the embeddings first")
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help="of the untrained copy")
    parser.add_argument(
        "--work", type=Path, required=True, help="a folder for the measurements before they are kept"
    )
    chosen = parser.parse_args()
    corpora = [
        open_corpus("kdc", chosen.kdc, chosen.kdc_table),
        open_corpus("kdc-artists", chosen.kdc, chosen.kdc_table),
        open_corpus("gtzan-mini", chosen.genres),
    ]
    corpora = [corpus for corpus in corpora if corpus.name in (chosen.corpora or [corpus.name])]
    backbones = [untrained(chosen.seed)] if chosen.untrained else map(load_backbone, chosen.backbones)
    kept = UNTRAINED if chosen.untrained else MEASURED
    for backbone in backbones:
        whitening = whitening_for(backbone.identity) if chosen.whitening else None
        if chosen.whitening and whitening is None:
            print(f"{backbone.spec.title} has no whitening here", flush=True)
            continue
        for corpus in corpora:
            for method in ["probe"] if chosen.untrained else chosen.methods:
                limit = LIMIT if corpus.name.startswith("kdc") else None
                request = Request(method=method, protocol="live", limit=limit, allow_missing=True)
                own = chosen.work / "measured.jsonl"
                try:
                    found = evaluate(
                        corpus, backbone, request, store=EmbeddingStore(), whitening=whitening, results=own
                    )
                except MirdemoError as refusal:
                    print(f"{backbone.spec.title}, {corpus.name}, {method}: {refusal}", flush=True)
                    continue
                records = [record for record in found.records if record.seed is None]
                there = {(r.key, r.revision) for r in load(kept).records} if kept.exists() else set()
                append([r for r in records if (r.key, r.revision) not in there], kept)
                for record in records:
                    if record.tag is None and record.metric in ("roc_auc", "macro_f1"):
                        print(
                            f"{record.model:24}{corpus.name:14}{method:10}{record.metric:10}{record.value:.3f} "
                            f"[{record.low}, {record.high}] n {record.n}, {found.n_items} items",
                            flush=True,
                        )


if __name__ == "__main__":
    main()
