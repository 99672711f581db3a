"""What a listening panel weighs, really built: ``python benchmarks/panel_size.py [--clips 60] [--seconds 10]``.

The sound is the festival's own performances, each as often as it takes. Rivals in the same run: the same clips as 16-bit
WAV in base64, and as FLAC (no encoding without loss fits). The goal is a page of 60 clips of 10 seconds under 8 MB that
Safari, Chrome and Firefox play without a network: MP3 is the only compressed kind all three play from a blob.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.planning.panel import MAX_BYTES, Proposer, draw, panel_page
from mirdemo.planning.panel.page import expected_bytes, quality
from mirdemo.sound.audio import Clip
from mirdemo.synth.festival import festival_clips

RATE = 44_100
TAGS = tuple(f"tag {i}" for i in range(12))


def heard(n: int, seconds: float) -> list[Clip]:
    """n different clips of that length from the festival's sound."""
    waves = [clip.at(RATE) for clip in festival_clips().clips]
    together, length = np.concatenate(waves), int(seconds * RATE)
    starts = np.linspace(0, len(together) - length, n).astype(int)
    return [Clip.of(together[start : start + length], RATE, f"{i}.wav") for i, start in enumerate(starts)]


def as_base64(clips: list[Clip], kind: str) -> int:
    """Bytes of the clips in another encoding, as they would stand in the page."""
    whole = 0
    for clip in clips:
        out = io.BytesIO()
        soundfile.write(out, np.clip(clip.samples, -1, 1), clip.sample_rate, format=kind, subtype="PCM_16")
        whole += 4 * len(out.getvalue()) // 3
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    clips = heard(args.clips, args.seconds)
    said = (np.random.default_rng(0).random((len(clips), len(TAGS))) < 0.4).astype(np.uint8)
    panel = draw(clips, [str(i) for i in range(len(clips))], TAGS, [Proposer("x", said)], most=args.clips)
    began = time.perf_counter()
    weighs = len(panel_page(panel, clips).encode())
    took = time.perf_counter() - began
    kilobits = quality(panel.seconds, len(panel.clips))
    assert kilobits is not None
    print(f"{len(panel.clips)} clips of {args.seconds:g} s, {panel.n_questions} questions")
    print(
        f"page: {weighs / 1e6:.2f} MB at {kilobits} kbit/s (goal under {MAX_BYTES / 1e6:.0f}), built in {took:.1f} s"
    )
    print(f"said before: {expected_bytes(panel.seconds, len(panel.clips), kilobits) / 1e6:.2f} MB")
    for kind in ("WAV", "FLAC"):
        other = as_base64(clips, kind)
        print(f"{kind}: {other / 1e6:.1f} MB, {other / weighs:.1f} times")
    sys.exit(weighs >= MAX_BYTES)


if __name__ == "__main__":
    main()
