"""The published few-shot episodes: drawn by the study's own program and by ours, on the same labels, row by row.

    python -m benchmarks.published_episodes --reference LC-PROTONETS --splits CCML [--corpora fma lyra ...]

LC-PROTONETS is a checkout of github.com/pxaris/LC-Protonets (commit 452854c), CCML one of github.com/pxaris/ccml at the pinned
commit. For every published row of LC-Protonets (corpus, base, novel or both tags, number of ways) the study's own sampler,
``MLFSLSampler``, draws with its seed from the test side, and so does ``reference_support``. The labels are the real ones of
FMA-medium and Lyra, whose published numbers of support items and queries are held against the drawn ones; of the other corpora,
whose labels nobody may hand on or which lie elsewhere, they are made: the drawing then is the same or not, and nothing is said of
the published numbers. The study ran on a Python whose ``random.sample`` took a set as the tuple of it, and a torch whose
``Sampler`` took an argument; both are put back, in a process of its own in the checkout (it needs pandas and scikit-learn).

Prints a line a setting: corpus, tags, ways, how many published figures it has, support items and queries, the same or not, as
published or not known, and seconds of processor time of either side; then how many of the published figures have a command, as
``mirdemo evaluate`` takes it before anything is embedded, and which have none.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.base.assets import ASSETS
from mirdemo.base.sentences import MirdemoError
from mirdemo.corpora.registry import open_corpus
from mirdemo.corpora.vocabularies import vocabularies
from mirdemo.evaluation import Request, running
from mirdemo.stages.fewshot.episodes import PUBLISHED_RUN, choose_tags, reference_support

#: Reads a line a setting, draws, answers with a line: the rows of the support items, and its seconds.
STUDY = """
import json, random, sys, time
from collections.abc import Sequence
import numpy as np
import torch
from torch.utils.data import Sampler
plain = random.sample
random.sample = lambda population, k: plain(population if isinstance(population, Sequence) else tuple(population), k)
Sampler.__init__ = lambda self, data_source=None: None
from mlfsl.samplers.mlfsl_sampler import MLFSLSampler
for line in sys.stdin:
    asked = json.loads(line)
    data = [(torch.zeros(1), torch.tensor(row, dtype=torch.float32)) for row in np.load(asked["labels"])]
    started = time.process_time()
    random.seed(asked["seed"])
    made = MLFSLSampler(data, n_way=asked["ways"], k_shot=3, n_query=None, n_task=1, is_test=True)
    drawn = next(iter(made))
    print(json.dumps([sorted(drawn[: made.support_set_length]), time.process_time() - started]), flush=True)
"""

REAL = ("fma", "lyra")
#: Test items of the published splits; made labels stand on as many.
TESTED = {"magnatagatune": 4332, "makam": 1059, "hindustani": 240, "carnatic": 522}


def rows() -> dict[tuple[str, str, int], list[dict[str, Any]]]:
    """(corpus, tags, ways) -> the published records of LC-Protonets."""
    found = defaultdict(list)
    for line in (ASSETS / "results" / "published.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        setting = record.get("setting") or {}
        if record["protocol"] == "lcprotonets2024" and setting.get("few_shot") == "LC-Protonets":
            found[record["corpus"], setting["tags"], setting["n_way"]].append(record)
    return dict(sorted(found.items()))


def tables(corpus: str, splits: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Base and novel tags, and the labels of the test items: 0/1 (items, tags)."""
    known = vocabularies()[corpus]
    tags = (*known.tags, *known.novel)
    if corpus in REAL:
        opened = open_corpus(corpus, None, splits)
        return tags, opened.labels(opened.sides["test"], tags)
    rng = np.random.default_rng(len(tags))
    share = 1.6 / np.arange(3, len(tags) + 3)  # some tags common, most rare, none without its three items
    labels = (rng.random((TESTED[corpus], len(tags))) < share).astype(np.uint8)
    for row in labels:  # the study's program lists every combination of an item's labels
        row[rng.permutation(row.nonzero()[0])[8:]] = 0
    for tag in range(len(tags)):
        labels[rng.permutation(len(labels))[:5], tag] = 1
    return tags, labels


class Study:
    """The study's own sampler, waiting for labels in the checkout."""

    def __init__(self, checkout: Path) -> None:
        command = [sys.executable, "-c", STUDY]
        self._process = subprocess.Popen(
            command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.communicate()

    def draw(self, labels: np.ndarray, ways: int) -> tuple[list[int], float]:
        """The support rows that it draws, and its seconds. labels: of items that have one of the tags"""
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "labels.npy"
            np.save(table, labels)
            asked = {"labels": str(table), "ways": ways, "seed": PUBLISHED_RUN[0]}
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("The study's program has ended; its own words stand above.")
        rows, seconds = json.loads(answer)
        return rows, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", help="of these only")
    args = parser.parse_args()
    wanted = {key: found for key, found in rows().items() if key[0] in (args.corpora or (key[0],))}
    held = {corpus: tables(corpus, args.splits) for corpus in dict.fromkeys(key[0] for key in wanted)}
    same = known = right = 0
    with Study(args.reference.resolve()) as study:
        for (corpus, kind, ways), records in wanted.items():
            tags, table = held[corpus]
            vocabulary = vocabularies()[corpus]
            chosen = choose_tags(vocabulary.tags, vocabulary.novel, ways, kind)  # type: ignore[arg-type]
            labels = table[:, [tags.index(tag) for tag in chosen]]
            labels = labels[labels.any(axis=1)]
            theirs, seconds = study.draw(labels, ways)
            started = time.process_time()
            ours = reference_support(labels, 3, PUBLISHED_RUN[0]).tolist()
            ended = time.process_time()
            same += ours == theirs
            published = "labels made"
            if corpus in REAL:
                known += 1
                said = {(r["setting"]["n_support"], r["n"]) for r in records}
                right += (holds := said == {(len(ours), len(labels) - len(ours))})
                published = "as published" if holds else f"published: {sorted(said)}"
            verdict = "same" if ours == theirs else "NOT the same"
            print(
                f"{corpus:14} {kind:5} {ways:3}: {len(records):2} figures, {len(ours):4} support, "
                f"{len(labels) - len(ours):5} queries, {verdict}, {published}; study {seconds:.2f} s, "
                f"ours {ended - started:.3f} s",
                flush=True,
            )
    print(f"{same} of {len(wanted)} drawn the same; {right} of {known} with the published numbers")
    n = sum(map(len, wanted.values()))
    print(f"{n} published figures of LC-Protonets in {len(wanted)} settings")
    commands(wanted, args.splits)


def commands(wanted: dict[tuple[str, str, int], list[dict[str, Any]]], splits: Path) -> None:
    """Which settings ``evaluate --method fewshot`` takes, before anything is embedded, where all labels are there."""
    from dataclasses import replace
    from types import MappingProxyType

    for corpus in dict.fromkeys(key[0] for key in wanted):
        with tempfile.TemporaryDirectory() as folder:
            try:
                opened = open_corpus(corpus, None, stood_in(corpus, splits, Path(folder)))
            except MirdemoError as refusal:
                print(f"{corpus}: {refusal}")
                continue
        tags, table = tables(corpus, splits)
        if corpus not in REAL:
            items = dict(opened.items)
            for item_id, row in zip(opened.sides["test"], table, strict=True):
                items[item_id] = replace(items[item_id], labels=tuple(tags[at] for at in row.nonzero()[0]))
            opened.items = MappingProxyType(items)
            opened.changed = ()
            opened.__dict__.pop("tags", None)
        taken, refused = 0, []
        for (name, kind, ways), records in wanted.items():
            if name != corpus:
                continue
            request = Request(method="fewshot", protocol="lcprotonets2024", tags=kind, ways=ways)  # type: ignore[arg-type]
            try:
                running._episode_tags(opened, request)
                taken += len(records)
            except MirdemoError as refusal:
                refused.append(f"{kind} {ways}: {refusal}")
        print(f"{corpus}: {taken} figures have a command", *refused, sep="; ")


def stood_in(corpus: str, splits: Path, folder: Path) -> Path:
    from benchmarks.full_size import split_files

    if corpus in REAL:
        return splits
    split_files(corpus, splits, folder)
    (folder / "data" / corpus / "split" / "metadata.npy").unlink(missing_ok=True)
    return folder


if __name__ == "__main__":
    main()
