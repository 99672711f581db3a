#!/usr/bin/env bash
# One would guess: a WAV file that soundfile reads whole gets its tags from mutagen, or is refused and stays as it was.
# What happens: a recorder or FFmpeg that writes to a pipe cannot know the length and leaves both sizes at 4 GiB less one byte.
#   soundfile 0.14.0 reads such a file to its end. mutagen 1.48.1 calls a second of it 13.5 hours long; saving tags raises struct.error,
#   none of its own errors, after it has written eight bytes behind the sound. These are four samples of noise from then on.
# Why it matters here: field recorders, streams and "ffmpeg -f wav -" make such files. A program that catches mutagen.MutagenError stops
#   in the middle of an archive, and a file that it could not tag has another hash, another length and a click at its end. Tags
#   are written into a copy here, whose sound is compared first; such a file is refused in a sentence and the next one tagged.
# Seen 2026-11-30, mutagen==1.48.1, soundfile==0.14.0, numpy==2.4.6 from PyPI. Source: this run;
#   https://github.com/quodlibet/mutagen/issues/654 (another WAV file with the same error, open).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mutagen==1.48.1 soundfile==0.14.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'P'
import struct
import sys
from pathlib import Path

import mutagen
import mutagen.wave
import numpy as np
import soundfile
from mutagen.id3 import TIT1

RATE = 44_100
wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)


def tagged(path):
    """The length that mutagen tells, what saving ends in, and the samples before and after, by soundfile."""
    before = soundfile.read(path, dtype="int16")[0]
    file = mutagen.wave.WAVE(path)
    length = file.info.length
    file.add_tags()
    file.tags.add(TIT1(encoding=3, text=["taiko"]))
    try:
        file.save()
        end = "saved"
    except Exception as error:
        end = f"{type(error).__module__}.{type(error).__name__}, a MutagenError: {isinstance(error, mutagen.MutagenError)}"
    return length, end, before, soundfile.read(path, dtype="int16")[0]


print("mutagen", mutagen.version_string, "soundfile", soundfile.__version__)
soundfile.write("whole.wav", wave, RATE)
content = bytearray(Path("whole.wav").read_bytes())
for at in (4, content.index(b"data") + 4):  # both sizes, as a writer to a pipe leaves them
    struct.pack_into("<I", content, at, 0xFFFFFFFF)
Path("streamed.wav").write_bytes(content)
seen = {}
for name in ("whole.wav", "streamed.wav"):
    length, end, before, after = tagged(name)
    same = np.array_equal(before, after[: len(before)])
    seen[name] = (round(length), end.split(",")[0], len(before), len(after), same)
    print(f"{name}: {length:.1f} s by mutagen; {end}; {len(before)} samples before, {len(after)} after: {after[len(before):]}")
expected = {
    "whole.wav": (1, "saved", RATE, RATE, True),
    "streamed.wav": (48_696, "struct.error", RATE, RATE + 4, True),
}
sys.exit(0 if seen == expected else 1)
P
