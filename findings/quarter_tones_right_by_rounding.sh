#!/usr/bin/env bash
# One would guess: where a singer is half a semitone off, mir_eval's figures for pitch say one thing, right or wrong, of every such note,
#   and the same in each of its modules, which all have a tolerance of 50 cents.
# What happens: who hears the twelve semitones alone hears each quarter tone of 24 equal steps exactly 50 cents too low. mir_eval 0.8.2 asks
#   for "less or equal" in notes (transcription) and in several voices (multipitch), for "less" in melody, and the last digit of a
#   logarithm decides: of 24 quarter tones multipitch takes 24 as right, the F of notes is .54 or .58, raw pitch accuracy .29 to .38, by the
#   tonic. Times of notes are rounded before they are compared, pitches are not.
# Why it matters here: Arab, Turkish and Persian music is notated in quarter tones. A transcriber that has none of them is perfect, fair or
#   poor by the module and by the key that the song is sung in. With a tolerance of 25 cents all three say 0. Our pitch classes are 36 to
#   the octave, so that a quarter tone falls into another one than the note below.
# Seen 2026-12-01, mir_eval==0.8.2, numpy==2.4.6 from PyPI. Source: this run; mir_eval/transcription.py, match_notes (onset distances rounded,
#   pitch distances not); mir_eval/melody.py, raw_pitch_accuracy ("freq_diff_cents < cent_tolerance"); mir_eval/util.py, match_events.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mir_eval==0.8.2 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'P'
import sys
from importlib.metadata import version

import mir_eval
import numpy as np

NOTES = np.arange(24)
times = NOTES.astype(float)
stretches = np.stack([times, times + 0.9], axis=1)


def figures(sung, heard, tolerance):
    notes = mir_eval.transcription.precision_recall_f1_overlap(
        stretches, sung, stretches, heard, offset_ratio=None, pitch_tolerance=tolerance
    )[2]
    melody = mir_eval.melody.evaluate(times, sung, times, heard, cent_tolerance=tolerance)["Raw Pitch Accuracy"]
    voices = mir_eval.multipitch.evaluate(
        times, [sung[i : i + 1] for i in NOTES], times, [heard[i : i + 1] for i in NOTES], window=tolerance / 100
    )["Accuracy"]
    return [float(notes), float(melody), float(voices)]


seen = {50: [], 25: []}
for tonic in range(12):
    below = 220 * 2 ** ((tonic + NOTES) / 12)  # semitones over two octaves
    quarter = 220 * 2 ** ((tonic + NOTES + 0.5) / 12)
    for tolerance in seen:
        seen[tolerance].append(figures(quarter, below, tolerance))
    print(f"tonic {below[0]:.1f} Hz: F of notes {seen[50][-1][0]:.2f}, raw pitch accuracy {seen[50][-1][1]:.2f}, multipitch {seen[50][-1][2]:.2f}")
print("mir_eval", version("mir_eval"), "numpy", np.__version__, "; at 25 cents, largest of all:", np.max(seen[25]))
notes, melody, voices = np.array(seen[50]).T
by_rounding = (0.1 < notes).all() and (notes < 0.9).all() and melody.min() < melody.max() < 0.9 and (voices == 1).all()
sys.exit(0 if by_rounding and np.max(seen[25]) == 0 else 1)
P
