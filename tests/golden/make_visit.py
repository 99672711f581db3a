"""Write today's whole visit, from a clean checkout, once a format.

``PYTHONPATH=.:tests:tests/web python tests/golden/make_visit.py tests/golden/DATE-visit``

Clips, a probe, prototypes with an answer, a training, a plan and a panel, as the page saves them. The trained layers are zeros,
so that they take no room.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from test_golden_visit import found, kinds
from visited import saved, visited
from wired import whole_page

from mirdemo.stages.finetuning import FineTuneSettings
from mirdemo.web.frame.session import Visitor
from mirdemo.web.tabs.finetune import running
from mirdemo.web.tabs.finetune.desk import FineTuneDesk
from mirdemo.web.tabs.finetune.running import Wanted, Watched


def main(out: Path) -> None:
    out.mkdir()
    wire, visitor = whole_page(), visited(query_seconds=2.0)
    train(visitor)
    (out / "visit.zip").write_bytes(saved(wire, visitor))
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    told = {"commit": commit, "kinds": kinds(wire), "found": found(visitor)}
    (out / "visit.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def train(visitor: Visitor) -> None:
    wanted = Wanted("mini-west", 1, FineTuneSettings(epochs=2, n_folds=2))
    made = running.train(
        visitor.clips, wanted, (), visitor.memory, lambda done, total, phase: None, Watched(wanted)
    )
    head = made.report.head
    head.tail = {name: np.zeros_like(array) for name, array in head.tail.items()}
    visitor.desk(FineTuneDesk).result = replace(made, report=replace(made.report, head=head))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
