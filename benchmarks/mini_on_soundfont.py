"""Have the embedded networks learnt music, or the synthesiser? Tunes it never made, on instruments it does not have.

    python benchmarks/mini_on_soundfont.py [--train 60] [--test 60] [--cache FOLDER] [--json FILE]

As ``mini_on_controlled.py``, but on ``training/soundfont_tunes.py``: motifs varied by another rule, in the scales and
cycles of the six traditions, played by FluidR3. The probe hears other programs of each instrument family than it is
asked about, and those it is asked about were heard by neither network. Mode, rhythm, tempo and instrument apart.
Needs Debian's ``fluidsynth`` and ``fluid-soundfont-gm``; without them it says so and ends.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))

from soundfont import SOUNDFONT
from soundfont_tunes import tunes

from benchmarks.mini_on_controlled import Parts, compare, summary
from mirdemo.embedding.store import EmbeddingStore

FAMILIES = ("mode", "rhythm", "tempo", "instrument")
SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=int, default=60)
    parser.add_argument("--test", type=int, default=60)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if shutil.which("fluidsynth") is None or not SOUNDFONT.is_file():
        print("Skipped: install fluidsynth and fluid-soundfont-gm.")
        return
    counts = {"train": chosen.train, "valid": chosen.test // 2, "test": chosen.test}

    def parts_of(tradition: str) -> Parts:
        return {split: tunes(tradition, split, n, SEED) for split, n in counts.items()}

    figures = summary(compare(parts_of, FAMILIES, EmbeddingStore(chosen.cache) if chosen.cache else None))
    if chosen.json:
        record = {"train": chosen.train, "test": chosen.test, "figures": figures}
        chosen.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
