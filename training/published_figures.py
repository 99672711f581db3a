"""Turn the tables of published figures into ``assets/results/published.jsonl`` and ``elsewhere.jsonl``.

    python -m training.published_figures

The second file holds the figures of protocols that stand apart (``Result.apart``).

The tables lie in ``assets/results/published``, whose README says where they were read and what to be careful about;
``assets/results/citations.json`` is what the page says of it. A blank cell makes no record. Run
``python -m training.draw_evidence`` afterwards. A test holds tables and records together.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev

from mirdemo.backbones.registry import specs
from mirdemo.corpora.elsewhere import ELSEWHERE
from mirdemo.results.records import SHIPPED, Result, append

MODELS = {"vgg_ish": "VGG-ish", "musicnn": "Musicnn", "ast": "AST"}
TUNED = {"none": "all weights", "whole": "all weights", "last": "last layer"}
FEW_SHOT_METHODS = {"LCP": "LC-Protonets", "OvR": "one-vs-rest", "baseline": "ML-PN"}


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def culturemert(path: Path) -> Iterator[Result]:
    columns = {
        "roc_auc_pct": "roc_auc",
        "map_pct": "map",
        "micro_f1_pct": "micro_f1",
        "macro_f1_pct": "macro_f1",
    }
    for row in rows(path):
        for column, metric in columns.items():
            if row[column]:
                yield Result(
                    model=row["model"],
                    corpus=row["corpus"],
                    method="probe",
                    protocol="culturemert2025",
                    split="test",
                    metric=metric,
                    value=round(float(row[column]) / 100, 6),
                    setting={"seeds": 5},
                    source="published",
                    citation="culturemert2025",
                )


def transfer(transfer_from: str, tuned: str) -> tuple[str, dict[str, str]]:
    """The method and its setting: trained on the corpus itself, or moved there from another."""
    if tuned == "none":
        return "trained_from_scratch", {}
    return "transfer", {"transfer_from": transfer_from, "tuned": TUNED[tuned]}


def ccml(path: Path) -> Iterator[Result]:
    columns = {"roc_auc": "roc_auc", "pr_auc": "map", "micro_f1": "micro_f1", "macro_f1": "macro_f1"}
    for row in rows(path):
        method, setting = transfer(row["transfer_from"], row["finetune"])
        for column, metric in columns.items():
            if row[column]:
                yield Result(
                    model=MODELS[row["model"]],
                    corpus=row["corpus"],
                    method=method,
                    protocol="ccml2023",
                    split="test",
                    metric=metric,
                    value=float(row[column]),
                    setting={**setting, "n_tags": int(row["n_tags"])},
                    source="published",
                    citation="ccml2023",
                )


def ccml_per_tag(path: Path) -> Iterator[Result]:
    for row in rows(path):
        transfer_from, _, tuned = row["transfer"].partition(":")
        method, setting = transfer(transfer_from, tuned or transfer_from)
        for metric in ("precision", "recall", "f1"):
            yield Result(
                model=MODELS[row["model"]],
                corpus=row["corpus"],
                method=method,
                protocol="ccml2023",
                split="test",
                metric=metric,
                tag=row["tag"],
                value=float(row[metric]),
                setting={**setting, "support": int(row["support"])},
                source="published",
                citation="ccml2023",
            )


def lc_protonets(path: Path) -> Iterator[Result]:
    for row in rows(path):
        for metric in ("macro_f1", "micro_f1"):
            if row[metric]:
                yield Result(
                    model="VGG-ish",
                    corpus=row["corpus"],
                    method="fewshot",
                    protocol="lcprotonets2024",
                    split="test",
                    metric=metric,
                    value=float(row[metric]),
                    n=int(row["n_query_items"]),
                    n_unit="recordings",
                    seed=21,
                    setting={
                        "few_shot": FEW_SHOT_METHODS[row["method"]],
                        "backbone_training": row["init"],
                        "distance": row["dist"],
                        "n_way": int(row["n_way"]),
                        "k_shot": int(row["k_shot"]),
                        "tags": row["type"],
                        "n_prototypes": int(row["n_prototypes"]),
                        "n_support": int(row["n_support_items"]),
                        "mean_true_tags": float(row["mean_true_labels"]),
                        "mean_predicted_tags": float(row["mean_pred_labels"]),
                    },
                    seconds=float(row["seconds"]),
                    source="published",
                    citation="lcprotonets2024",
                )


#: what the tables call models that have a title here
TITLES = {"MERT-Large (330M)": "MERT-v1-330M"}
MGPHOT = {
    "clap": "CLAP (version not stated)",
    "maest": "MAEST",
    "mert": "MERT (size not stated)",
    "mule": "MULE",
    "musicfm": "MusicFM",
    "omar-rq-multicodebook": "OMAR-RQ multicodebook",
    "whisper": "Whisper",
}


def maeb(path: Path) -> Iterator[Result]:
    """The music classification tasks of MTEB's audio benchmark; other tasks of the table make no record."""
    tasks = {facts.mteb: facts for facts in ELSEWHERE.values()}
    titles = {(s.repository, s.revision): s.title for s in specs().values() if s.repository and s.revision}
    for row in rows(path):
        if row["task"] not in tasks:
            continue
        facts = tasks[row["task"]]
        title = titles.get((row["model"], row["revision"]), row["model"])
        yield Result(
            model=title,
            revision=row["revision"],
            corpus=facts.name,
            corpus_revision=row["dataset_rev"],
            method="probe",
            protocol="maeb",
            split=row["split"],
            metric="accuracy",
            value=float(row["accuracy"]),
            n=facts.n,
            n_unit=facts.unit,
            setting={
                "sd": float(row["std"]),
                "experiments": int(row["nexp"]),
                "mteb": row["mteb"],
                **({"embedded": "by MTEB"} if title == "Qwen2-Audio" else {}),
            },
            source="published",
            citation="maeb2026",
            seconds=round(float(row["seconds"]), 1) if row["seconds"] else None,
            date=datetime.fromtimestamp(float(row["date"]), UTC).date().isoformat() if row["date"] else None,
        )


def magnatagatune(path: Path) -> Iterator[Result]:
    for row in rows(path):
        yield Result(
            model=TITLES.get(row["model"], row["model"]),
            corpus=row["corpus"],
            layer=row["layer"] or None,
            method="probe",
            protocol=row["protocol"],
            split="test",
            metric=row["metric"],
            value=float(row["value"]),
            setting={
                **({"sd": float(row["sd"]), "seeds": int(row["seeds"])} if row["sd"] else {}),
                **({"read": row["read"]} if row["read"] else {}),
            },
            source="published",
            citation=row["citation"],
        )


def mgphot_per_tag(path: Path) -> Iterator[Result]:
    """Average precision of each tag: mean and standard deviation of the runs."""
    for row in rows(path):
        runs = [float(value) for name, value in row.items() if name.startswith("run_")]
        yield Result(
            model=MGPHOT[row["model"]],
            corpus="magnatagatune",
            method="probe",
            protocol="mgphot",
            split="test",
            metric="map",
            tag=row["tag"],
            value=round(fmean(runs), 6),
            setting={"sd": round(stdev(runs), 6), "seeds": len(runs)},
            source="published",
            citation="mgphot2025",
        )


def apart(figures: Path = SHIPPED / "published") -> list[Result]:
    """Every figure of protocols that stand apart, in the order of ``elsewhere.jsonl``."""
    return [
        *maeb(figures / "maeb_music.csv"),
        *magnatagatune(figures / "magnatagatune_elsewhere.csv"),
        *mgphot_per_tag(figures / "mgphot_magnatagatune_per_tag.csv"),
    ]


def records(figures: Path = SHIPPED / "published") -> list[Result]:
    """Every figure of the tables in a folder, in the order of ``published.jsonl``."""
    return [
        *culturemert(figures / "culturemert_probing.csv"),
        *ccml(figures / "from_west_to_east_tagging.csv"),
        *ccml_per_tag(figures / "from_west_to_east_per_tag.csv"),
        *lc_protonets(figures / "lc_protonets_few_shot.csv"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--figures", type=Path, default=SHIPPED / "published")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    args = parser.parse_args()
    for name, made in (
        ("published.jsonl", records(args.figures)),
        ("elsewhere.jsonl", apart(args.figures)),
    ):
        file = args.out / name
        file.unlink(missing_ok=True)
        print(json.dumps({"file": name, "records": append(made, file)}))
        file.with_name(name + ".lock").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
