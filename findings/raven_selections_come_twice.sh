#!/usr/bin/env bash
# One would guess: a library that reads the field's annotation files gives one event for one selection of a Raven selection table,
#   and reads every label track that Audacity exports.
# What happens: Raven saves a row for each view in which a selection is drawn (Waveform 1, Spectrogram 1), with one number for
#   both; crowsetta 5.1.2 makes two events of it, at the same times, the first over all frequencies. Of Audacity's tracks it
#   refuses (SchemaError) those with the second line that Audacity writes below a label with a frequency range, and those with
#   a label of no words.
# Why it matters here: labels that go through it count every event twice, so that a tag's number of events, class weights and
#   agreement between annotators are of files of Raven's, not of sound. Selections are read once by their number here, and label
#   tracks with ranges and empty labels are read.
# Seen 2026-11-30, crowsetta==5.1.2, pandas==3.1.1, pandera==0.35.0 from PyPI. Source: this run; the forms of the files are those
#   of Raven Pro's "Save Selection Table" and Audacity's "Export Labels".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q crowsetta==5.1.2 pandas==3.1.1 pandera==0.35.0
cd "$work"
"$work/venv/bin/python" - <<'P'
import sys
from pathlib import Path

import crowsetta

columns = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Annotation"]
rows = [
    ["1", "Waveform 1", "1", "0.5", "1.25", "0.0", "8000.0", "drum"],
    ["1", "Spectrogram 1", "1", "0.5", "1.25", "200.0", "900.0", "drum"],
    ["2", "Waveform 1", "1", "2.0", "3.5", "0.0", "8000.0", "flute"],
    ["2", "Spectrogram 1", "1", "2.0", "3.5", "400.0", "4000.0", "flute"],
]
Path("raven.txt").write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]))
tracks = {
    "plain": "0.500000\t1.250000\tdrum\n2.000000\t3.500000\tflute\n",
    "with a range": "0.500000\t1.250000\tdrum\n\\\t200.000000\t900.000000\n2.000000\t3.500000\tflute\n",
    "with an empty label": "0.500000\t1.250000\tdrum\n2.000000\t3.500000\t\n",
}
boxes = crowsetta.formats.by_name("raven").from_file("raven.txt", annot_col="Annotation").to_annot().bboxes
print("crowsetta", crowsetta.__version__)
print("selections: 2, events:", len(boxes), [(box.label, float(box.onset), float(box.high_freq)) for box in boxes])
read = {}
for name, text in tracks.items():
    Path("track.txt").write_text(text)
    try:
        read[name] = len(crowsetta.formats.by_name("aud-seq").from_file("track.txt").to_seq().onsets_s)
    except Exception as error:
        read[name] = type(error).__name__
    print(f"Audacity's track, {name}: {read[name]}")
sys.exit(0 if len(boxes) == 4 and list(read.values()) == [2, "SchemaError", "SchemaError"] else 1)
P
