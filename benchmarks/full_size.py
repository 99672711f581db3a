"""The corpora at their full size: what opening, looking through and labelling cost for a thousand recordings.

    python benchmarks/full_size.py --splits CHECKOUT [--corpora fma lyra ...] [--evaluate 12]

CHECKOUT is a checkout of github.com/pxaris/ccml at the pinned commit. Every recording of a corpus is a hard link to one of a
few short sounds made here, named and placed as the corpus has it (Lyra's broadcasts: a minute long, so its pieces cannot be
cut from them and only opening and labels are timed; Dunya's labels: records made here). Timed, in seconds of this process's
own processor time: opening with the folder looked through, ``missing``, labels and vocabulary. Rival, where the checkout holds
what it needs (FMA): ccml's own dataset class reading ids, labels and vocabulary of the same three sides, in the same run.
``--evaluate N``: then a probe and a few-shot episode with ``spectral`` on N items a side, to see that the whole way holds.
Prints a row a corpus, for 1,000 recordings, and the ratio of the rival's time to ours.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.reader import Corpus
from mirdemo.corpora.registry import open_corpus

SIX = ("magnatagatune", "fma", "lyra", "makam", "hindustani", "carnatic")
SOUNDS = 7
#: ccml's class on its three sides, timed by itself: its imports are no part of it.
RIVAL = """
import sys, time
sys.path.insert(0, ".")
from training.datasets.ccml_dataset import CCMLDataset
started = time.process_time()
for side in ("train", "valid", "test"):
    CCMLDataset(sys.argv[1], top_N=int(sys.argv[2]), keyword=side)
print(time.process_time() - started)
"""


def sounds(folder: Path, seconds: float) -> list[Path]:
    """A few short sounds, no two alike."""
    import soundfile

    folder.mkdir(parents=True)
    made = []
    for seed in range(SOUNDS):
        noise = np.random.default_rng(seed).normal(0, 0.1, round(22_050 * seconds)).astype(np.float32)
        made.append(folder / f"{seed}.mp3")
        soundfile.write(made[-1], noise, 22_050)
    return made


def fill(name: str, corpus: Corpus, data: Path, made: list[Path]) -> None:
    """A hard link for every recording, where the corpus has it; for Dunya's corpora a record beside."""
    rng = np.random.default_rng(0)
    for number, source in enumerate(dict.fromkeys(item.source for item in corpus.items.values())):
        place = data / {"fma": f"fma_medium/{source[:3]}"}.get(name, f"{number % 16:x}")
        place.mkdir(parents=True, exist_ok=True)
        os.link(made[number % len(made)], place / f"{source}.mp3")
        if name in ("makam", "hindustani", "carnatic"):
            (place / f"{source}.json").write_text(json.dumps(record(name, rng)), encoding="utf-8")
    if name == "magnatagatune":
        for number, item_id in enumerate(corpus.items):
            path = data / item_id
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(made[number % len(made)], path)


def record(name: str, rng: np.random.Generator) -> dict[str, object]:
    """A record in Dunya's shape with labels of the published vocabulary."""
    from mirdemo.corpora.vocabularies import vocabularies

    words = [tag.partition("--")[2] for tag in vocabularies()[name].tags]
    some = [words[i] for i in rng.integers(0, len(words), 3)]
    key, field = {"makam": ("makamlist", "name"), "hindustani": ("raags", "common_name")}.get(
        name, ("raaga", "common_name")
    )
    return {key: [{field: word} for word in some]}


def timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def rival(checkout: Path, name: str) -> float | None:
    """Seconds of ccml's own reading; None where the checkout does not hold what it needs."""
    folder = checkout / "data" / name
    if not (folder / "split" / "metadata.npy").is_file():
        return None
    given = [str(folder.resolve()), str(catalogue()[name].n_tags)]
    done = subprocess.run(
        [sys.executable, "-c", RIVAL, *given], cwd=checkout, capture_output=True, text=True, check=False
    )
    return float(done.stdout) if done.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", default=SIX)
    parser.add_argument("--evaluate", type=int, default=0)
    args = parser.parse_args()
    print(
        f"{'corpus':15}{'items':>8}{'open':>9}{'missing':>9}{'labels':>9}{'ccml':>9}  ratio (s of CPU per 1,000)"
    )
    for name in args.corpora:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            try:
                fill(name, open_corpus(name, None, args.splits), root / "data", sounds(root / "made", 1.6))
                row(name, root, args)
            except Exception as error:  # a checkout without this corpus's files
                print(f"{name:15} left out: {error}")


def row(name: str, root: Path, args: argparse.Namespace) -> None:
    opened: list[Corpus] = []
    opening = timed(lambda: opened.append(open_corpus(name, root / "data", args.splits)))
    corpus = opened[0]
    looking = timed(corpus.missing)
    reading = timed(lambda: (corpus.tags, corpus.labels(corpus.items), corpus.revision))
    n = len(corpus.items) / 1000
    theirs = rival(args.splits, name)
    ours = opening + reading
    beside = "-" if theirs is None else f"{theirs / n:.4f}"
    ratio = "-" if theirs is None else f"{theirs / ours:.1f}"
    print(
        f"{name:15}{len(corpus.items):8}{opening / n:9.4f}{looking / n:9.4f}{reading / n:9.4f}{beside:>9}  {ratio}"
    )
    if args.evaluate and name != "lyra":
        evaluate(corpus, root, args.evaluate)


def evaluate(corpus: Corpus, root: Path, limit: int) -> None:
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.evaluation import Request
    from mirdemo.evaluation import evaluate as measure

    backbone, store = load_backbone("spectral"), EmbeddingStore(root / "store")
    for request in (Request(limit=limit, seeds=1), Request(method="fewshot", limit=limit, shots=1, seeds=1)):
        found = measure(corpus, backbone, request, store=store, results=root / "results.jsonl")
        print(f"  {request.method}: {found.n_items} items, {found.computed} embedded, {found.new} records")


if __name__ == "__main__":
    main()
