#!/usr/bin/env bash
# One would guess: mir_eval compares labels of segments as they are written, so that an estimate that never tells two labels apart
#   is not perfect.
# What happens: mir_eval 0.8.2 lowers all labels first, in every figure of mir_eval.segment that looks at them and in
#   mir_eval.hierarchy.lmeasure. Komal and shuddha svaras are written r and R, g and G, d and D, n and N in Hindustani music: an
#   estimate that hears every r as R and every G as g, 4 notes of 14, has 1.0 in all seven. Written as "komal re" and so on, the same
#   mistakes have an ARI of .73 and a pairwise F of .77. No figure takes a switch for it, nothing is said.
# Why it matters here: which of the two is sung tells ragas apart (Bhairav has r, Bilawal R), and transcripts write just these
#   letters; so with SALAMI's sections in capitals beside its phrases in small letters. A tag of one letter keeps its case here; where
#   figures are mir_eval's, svaras want names ("komal re").
# Seen 2026-11-30, mir_eval==0.8.2, numpy==2.4.6 from PyPI. Source: this run; mir_eval/util.py, index_labels (case_sensitive=False),
#   as https://mir-eval.readthedocs.io has it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mir_eval==0.8.2 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import sys

import mir_eval
import numpy as np

NAMES = {"S": "sa", "r": "komal re", "R": "shuddha re", "g": "komal ga", "G": "shuddha ga", "m": "ma", "P": "pa"}
sung = list("SrRgGmPmGrSRgS")
heard = ["R" if svara == "r" else "g" if svara == "G" else svara for svara in sung]
times = np.arange(len(sung) + 1) / 2
intervals = np.column_stack([times[:-1], times[1:]])


def scores(truth, guess):
    two = (intervals, truth, intervals, guess)
    levels = ([intervals], [truth], [intervals], [guess])
    return {
        "pairwise F": mir_eval.segment.pairwise(*two)[2],
        "Rand index": mir_eval.segment.rand_index(*two),
        "ARI": mir_eval.segment.ari(*two),
        "NMI": mir_eval.segment.mutual_information(*two)[2],
        "NCE F": mir_eval.segment.nce(*two)[2],
        "V-measure": mir_eval.segment.vmeasure(*two)[2],
        "L-measure F": mir_eval.hierarchy.lmeasure(*levels)[2],
    }


letters = scores(sung, heard)
names = scores([NAMES[svara] for svara in sung], [NAMES[svara] for svara in heard])
print("mir_eval", mir_eval.__version__)
print("sung ", " ".join(sung))
print("heard", " ".join(heard), f"({sum(a != b for a, b in zip(sung, heard))} of {len(sung)} wrong)")
for name, value in letters.items():
    print(f"{name:12} of the letters {value:.3f}, of the names {names[name]:.3f}")
sys.exit(0 if all(abs(value - 1) < 1e-9 for value in letters.values()) and max(names.values()) < 0.99 else 1)
P
