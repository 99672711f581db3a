"""Write today's files of what ``make_golden.py`` leaves out, from a clean checkout, once a format.

``PYTHONPATH=tests:tests/planning:tests/planning/panel python tests/golden/make_others.py tests/golden/DATE-others``

A fine-tuned tagger, a plan with listeners' answers in it, a panel's key, one listener's answers, a folder of rows, result records
and a table of speeds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from bands import Bands
from paneled import listener, panel
from planned import RISING, evidence, way
from test_golden import clip
from test_golden_others import FineTunable, found_in_panel, scored

from mirdemo.clips.in_question import InQuestion
from mirdemo.embedding.embed import embed
from mirdemo.embedding.rows import FileRows, RowFolder
from mirdemo.evaluation import speed
from mirdemo.planning import Assumptions, Plan
from mirdemo.planning.panel import Listeners, read_answers, results
from mirdemo.planning.ways import FINE_TUNE
from mirdemo.results import records
from mirdemo.scoring.intervals import Interval
from mirdemo.stages.finetuning.tuned import LAYER, TunedHead
from mirdemo.tagger import Tagger
from mirdemo.tagger.file import FORMAT_VERSION


def main(out: Path) -> None:
    out.mkdir()
    backbone = FineTunable()
    draw = np.random.default_rng(0)
    tail = {
        "mix.weight": (np.eye(16) + 0.1 * draw.standard_normal((16, 16))).astype(np.float32),
        "mix.bias": draw.standard_normal(16).astype(np.float32),
    }
    head = TunedHead(("太鼓", "flute"), draw.standard_normal((16, 2)), np.array([0.1, -0.2]), 1, tail)
    facts = {"title": "Fine-tuned bands", "licence": "CC-BY-NC-4.0", "whitening": None, **CARD}
    tagger = Tagger("fine-tuned", head, backbone.identity, LAYER, {}, facts)
    tagger.save(out / "tagger-fine-tuned")

    asked = panel(two=True)
    heard = [
        listener(asked, name, errs, seed) for seed, (name, errs) in enumerate((("Aki", 0.0), ("<b>", 0.3)))
    ]
    (out / "panel.key.json").write_text(asked.as_json(), encoding="utf-8")
    (out / "answers.json").write_text(heard[1].as_json(), encoding="utf-8")

    plan = Plan(
        evidence(
            way(0.8, 0.1),
            way(0.9, 0.05, kind=FINE_TUNE, seed=1, learned_from=0.8),
            growth=RISING,
            in_question=InQuestion(4, 1, 20, 23),
        ),
        Assumptions.of({"recordings": 400, "currency": "JPY", "wage": 1500}),
        Listeners.of(results(asked, heard)),
    )
    (out / "plan.json").write_text(plan.as_json(), encoding="utf-8")

    made = embed([clip(20, "drum"), clip(21, "flute")], Bands())
    with RowFolder.writing(out / "rows", Bands().identity, {"low": 16, "high": 16}, "window") as rows:
        for i in range(2):
            windows = made.windows(i)
            starts = tuple(0.5 * n for n in range(len(windows["low"])))
            rows.append(
                FileRows(f"{i} 太鼓.wav", f"{i}:0", 0, len(starts), f"{i}" * 64, starts, 1.3), windows
            )
    (out / "rows" / ".lock").unlink(missing_ok=True)

    records.append([PUBLISHED, MEASURED], out / "results.jsonl")
    (out / "results.jsonl.lock").unlink(missing_ok=True)
    page = speed.write(out, MACHINE, [SPEED])
    page.with_suffix(".json").rename(out / "speed.json")
    page.unlink()

    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    told = {
        "commit": commit,
        "tagger_format_version": FORMAT_VERSION,
        "scores": scored(tagger),
        "plan": plan.found(),
        "panel": found_in_panel(asked, read_answers(heard[1].as_json(), asked)),
        "rows": {name: RowFolder.reading(out / "rows").matrix(name).tolist() for name in ("low", "high")},
        "files": [
            [f.path, f.first, f.count, list(f.starts)] for f in RowFolder.reading(out / "rows").files.values()
        ],
    }
    (out / "said.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


PUBLISHED = records.Result(
    model="mert-95m",
    corpus="mtat",
    method="fewshot",
    protocol="published",
    metric="macro_f1",
    value=0.4,
    source="published",
    split="test",
    tag="太鼓",
    setting={"n_way": 5, "mode": None},
    citation="papaioannou2024lcprotonets",
)
#: With every field but those of a published one.
MEASURED = records.Result(
    model="bands",
    corpus="mine",
    method="probe",
    protocol="cross-validation by recording",
    metric="roc_auc",
    value=0.8,
    source="measured",
    split="all",
    revision="1",
    layer="low",
    pooling="mean",
    window_seconds=0.5,
    whitening="wccn-own",
    corpus_revision="2",
    tag="flute",
    seed=3,
    n=10,
    n_unit="recordings",
    low=0.7,
    high=0.9,
    level=0.9,
    influences=(0.125, -0.5, 0.25),
    setting={"k_shot": 3},
    versions={"mirdemo": "0.1"},
    hardware="a machine",
    seconds=1.5,
    date="2026-11-29",
)
MACHINE = {"processor": "a processor", "cores": 2, "system": "Linux x86_64", "torch": "2.11.0"}
SPEED = speed.Speed(
    backbone="bands",
    weights="its own",
    engine="torch",
    precision="float32",
    device="cpu",
    usual=True,
    seconds_per_minute=0.25,
    least=0.2,
    most=0.3,
    rounds=3,
    load_seconds=0.1,
    first_load_seconds=2.0,
    peak_bytes=1_000_000,
    busy=0.5,
)


def interval(value: float, low: float, high: float) -> dict[str, Any]:
    return Interval(value, low, high, 10, 0.95).as_dict()


#: What the card of a fine-tuned tagger is written from, as its report tells it.
CARD = {
    "tags": [
        {"name": name, "clips": 5, "recordings": 5, "f1": interval(0.5, 0.2, 0.8)}
        for name in ("太鼓", "flute")
    ],
    "figures": {
        **dict.fromkeys(("macro_f1", "micro_f1", "mean_average_precision"), interval(0.6, 0.4, 0.8)),
        "roc_auc": interval(0.9, 0.7, 0.98),
        "protocol": "cross-validation by recording",
        "n_folds": 5,
        "chance_macro_f1": 0.5,
    },
    "fine_tuned": {
        "blocks": 1,
        "parameters": 272,
        "epochs": 8,
        "verdict": "worth_it",
        "smallest_gain": 0.02,
        "added": interval(0.2, 0.1, 0.3),
        "gain": interval(0.2, 0.1, 0.3),
        "probe_whitening": None,
        "settings": {"epochs": 8},
    },
    "n_clips": 10,
    "n_recordings": 10,
    "backbone": {"title": "Bands", "repository": "someone/bands", "citation": None},
    "created": "2026-11-28",
    "versions": {"mirdemo": "0.1", "python": "3.11"},
}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
