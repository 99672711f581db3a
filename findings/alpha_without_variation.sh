#!/usr/bin/env bash
# One would guess: packages that compute Krippendorff's alpha agree where all listeners agree: 1, or "cannot be said", in each.
# What happens: where everybody gave one and the same answer, nltk 3.10.4 says 1 and krippendorff 0.9.0 raises ValueError; with one
#   other answer, to a clip that a single listener heard, nltk still says 1 and krippendorff says NaN. On ordinary answers, missing
#   ones among them, both say .444.
# Why it matters here: a small panel that finds every tag right is the usual case. A table of "agreement 1.00" then rests on the
#   package, not on the listeners: without a second answer there is no disagreement that chance could have made.
# Seen 2026-11-28, nltk==3.10.4, krippendorff==0.9.0, numpy==2.4.6 from PyPI. Source: this run; Krippendorff, Content Analysis:
#   alpha is 1 minus observed over expected disagreement, and without variation the latter is 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q nltk==3.10.4 krippendorff==0.9.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import sys
import warnings
from importlib.metadata import version

import krippendorff
import numpy as np
from nltk.metrics.agreement import AnnotationTask

warnings.simplefilter("ignore")
nan = np.nan
PANELS = {
    "two listeners, three clips, all right": [[1, 1, 1], [1, 1, 1]],
    "the same, and one clip that one of them alone heard, wrong": [[1, 1, 1, 0], [1, 1, 1, nan]],
    "ordinary answers": [[1, 0, 1, 1], [1, 0, 0, nan]],
}


def by_nltk(table):
    rows = [
        (f"listener {i}", f"clip {j}", value)
        for i, row in enumerate(table)
        for j, value in enumerate(row)
        if not np.isnan(value)
    ]
    return AnnotationTask(data=rows).alpha()


def by_krippendorff(table):
    return float(krippendorff.alpha(reliability_data=np.array(table, float), level_of_measurement="nominal"))


seen = {}
for name, table in PANELS.items():
    for ask in (by_nltk, by_krippendorff):
        try:
            seen[name, ask.__name__] = round(ask(table), 3)
        except Exception as error:
            seen[name, ask.__name__] = type(error).__name__
print("nltk", version("nltk"), "krippendorff", version("krippendorff"))
for (name, asked), alpha in seen.items():
    print(f"{name}: {asked} {alpha}")
one, other, usual = PANELS
as_seen = (
    seen[one, "by_nltk"] == seen[other, "by_nltk"] == 1
    and seen[one, "by_krippendorff"] == "ValueError"
    and np.isnan(seen[other, "by_krippendorff"])
    and seen[usual, "by_nltk"] == seen[usual, "by_krippendorff"] == 0.444
)
sys.exit(0 if as_seen else 1)
P
