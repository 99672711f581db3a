#!/usr/bin/env bash
# One would guess: one AAC stream decodes to the same samples, in an MP4 file or as it comes off a broadcast (ADTS).
# What happens: in MP4 the encoder's 1,024 samples of delay are cut off by an edit list; in ADTS nothing can say so and everything
#   comes 23 ms later. Behind the end up to a frame of padding stays in both (MP4's own length is ignored by the decoder).
# Why it matters here: annotations made on a .m4a are early by 23 ms on the .aac, which is a beat's tolerance in onset scores
#   (50 ms) half used up; two copies of one clip have other windows and other hashes.
# Seen 2026-11-28, av==18.1.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import io
import sys

import av
import numpy as np

RATE = 44_100
wave = np.zeros((1, 2 * RATE), np.float32)  # a second of silence, a second of a tone
wave[0, RATE:] = 0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)


def there_and_back(container):
    file = io.BytesIO()
    with av.open(file, "w", container) as out:
        stream = out.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    file.seek(0)
    with av.open(file) as opened:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])
    return int((np.abs(samples) > 0.1).argmax()) - RATE, len(samples) - wave.shape[1]


seen = {container: there_and_back(container) for container in ("mp4", "adts")}
print("av", av.__version__, "libavcodec", av.library_versions["libavcodec"])
for container, (onset, longer) in seen.items():
    print(f"{container}: the tone begins {onset} samples late, the whole is {longer} samples longer")
sys.exit(0 if seen["mp4"][0] < 64 and 1000 < seen["adts"][0] < 1100 and min(end for _, end in seen.values()) > 0 else 1)
P
