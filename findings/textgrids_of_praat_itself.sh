#!/usr/bin/env bash
# One would guess: the libraries that read Praat's TextGrids read those that Praat writes, in either of its two text forms.
# What happens: with a quoted word in a label and a line break in another, both of which Praat writes (Praat 6 in
#   praat-parselmouth 0.4.7), praatio 6.2.2 leaves the quotes of a point's label doubled in the long form and right in the
#   short one; textgrid 1.6.1 raises AttributeError on the short form; tgt 1.5 raises IndexError on the long one.
# Why it matters here: annotators of lyrics and calls quote; a label that comes back with other quotes is another tag.
# Seen 2026-11-28, praat-parselmouth==0.4.7, praatio==6.2.2, textgrid==1.6.1, tgt==1.5 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q praat-parselmouth==0.4.7 praatio==6.2.2 textgrid==1.6.1 tgt==1.5
cd "$work"
"$work/venv/bin/python" - <<'P'
import sys

import parselmouth
import textgrid
import tgt
from parselmouth.praat import call
from praatio import textgrid as praatio

grid = call("Create TextGrid", 0, 10, "voice call", "call")
call(grid, "Insert boundary", 1, 5)
call(grid, "Set interval text", 1, 1, 'the "old" song')
call(grid, "Set interval text", 1, 2, "verse\nrefrain")
call(grid, "Insert point", 2, 3.5, 'says "don"')
call(grid, "Save as text file", "long.TextGrid")
call(grid, "Save as short text file", "short.TextGrid")


def by_praatio(path):
    read = praatio.openTextgrid(path, includeEmptyIntervals=True)
    return [entry.label for name in read.tierNames for entry in read.getTier(name).entries]


def by_textgrid(path):
    return [entry.mark for tier in textgrid.TextGrid.fromFile(path) for entry in tier]


def by_tgt(path):
    return [entry.text for tier in tgt.read_textgrid(path, include_empty_intervals=True) for entry in tier]


seen = {}
for read in (by_praatio, by_textgrid, by_tgt):
    for form in ("long", "short"):
        try:
            seen[read.__name__, form] = read(f"{form}.TextGrid")
        except Exception as error:
            seen[read.__name__, form] = type(error).__name__
print("Praat", parselmouth.PRAAT_VERSION)
for (name, form), labels in seen.items():
    print(f"{name}, {form}: {labels}")
right = ['the "old" song', "verse\nrefrain", 'says "don"']
as_seen = (
    seen["by_praatio", "short"] == seen["by_textgrid", "long"] == right
    and seen["by_praatio", "long"] == [*right[:2], 'says ""don""']
    and seen["by_textgrid", "short"] == "AttributeError"
    and seen["by_tgt", "long"] == "IndexError"
)
sys.exit(0 if as_seen else 1)
P
