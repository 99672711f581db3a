"""Synthetic styles, on which the groups, the parts and the sources of the whitening were chosen.

    python training/styles.py [--styles 80] [--backbones spectral,mini-west,mini-world]

The recordings that the embedded backbones are judged on (``benchmarks/embedded_on_real_sound.py``) are too few to choose
anything by. A style here is what a genre is to the ear: the parts of a soundfont's band, their instruments, metre, about
a tempo, and a production (tone, drive, hiss, room); six recordings of it share these and little else. Recognised among ten
styles drawn anew each time, from three recordings of each, by the nearest prototype: clean queries, and queries disturbed
as for training. Printed for each layer of interest, plain and whitened in several ways, with 90 % intervals over styles.
Needs Debian's ``fluidsynth`` and ``fluid-soundfont-gm``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fit_whitening import bands
from soundfont import RATE, Band, draw_band, render_bands

from mirdemo.backbones import Backbone, load_backbone
from mirdemo.embedding.embed import Embeddings, embed
from mirdemo.embedding.whitening import LayerWhitening, Whitening
from mirdemo.sound.audio import Clip
from mirdemo.synth.disturbing import disturb
from mirdemo.synth.whitening import fit_whitening

SECONDS = 15.0
RECORDINGS, SHOTS, WAYS, EPISODES = 6, 3, 10, 400
DISTURBED = 2  # disturbed versions of each recording


@dataclass(frozen=True)
class Style:
    """What six recordings share. model: a band whose parts, instruments, metre and tempo they take; tilt: dB an octave;
    bumps: (octave above 1 Hz, dB, width in octaves); drive: of a soft clipper, 0 for none; hiss: dB of the music."""

    model: Band
    tilt: float
    bumps: tuple[tuple[float, float, float], ...]
    drive: float
    hiss: float
    room: bool


def draw_style(rng: Generator) -> Style:
    bumps = tuple((rng.uniform(6, 13), rng.normal(0, 4), rng.uniform(0.5, 2)) for _ in range(3))
    drive, hiss = float(rng.choice([0, 0, 1, 2.5])), float(rng.choice([-80, -60, -35]))
    return Style(draw_band(rng, SECONDS), rng.normal(0, 1.5), bumps, drive, hiss, bool(rng.random() < 0.5))


def arrange(rng: Generator, style: Style) -> Band:
    """Another band of the style: about one in seven of its instruments is another, its tempo a seventh away, hardly ever
    a half."""
    band = draw_band(rng, 3 * SECONDS, like=style.model)  # enough but where 62 a minute become over 186
    for channel, program in style.model.programs.items():
        if rng.random() < 0.85:
            band.programs[channel] = program
    band.bpm = style.model.bpm * float(np.exp(rng.normal(0, 0.15)))
    return band


def produce(rng: Generator, style: Style, wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """As a studio that works on the style would leave it, hardly ever twice the same. Of unit power before drive and hiss."""
    n = len(wave)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20.0))
    gain = (style.tilt + rng.normal(0, 0.7)) * (octaves - 10)
    for centre, height, width in style.bumps:
        gain += (height + rng.normal(0, 2)) * np.exp(-(((octaves - centre) / width) ** 2))
    out = np.fft.irfft(np.fft.rfft(wave) * 10 ** (np.clip(gain, -40, 30) / 20), n)
    out /= max(float(np.sqrt(np.mean(out**2))), 1e-6)
    if style.drive:
        drive = style.drive * np.exp(rng.normal(0, 0.3))
        out = np.tanh(out * drive) / drive
    return (out + rng.standard_normal(n) * 10 ** ((style.hiss + rng.normal(0, 4)) / 20)).astype(np.float32)


def recordings(styles: int, seed: int) -> Iterator[tuple[int, list[Clip]]]:
    """(style, [clean, disturbed, disturbed]) of every recording."""
    rng = np.random.default_rng([seed, 40])
    for number in range(styles):
        style = draw_style(rng)
        played = [arrange(rng, style) for _ in range(RECORDINGS)]
        for wave in render_bands(played, SECONDS, style.room):
            clean = produce(rng, style, wave)
            heard = [clean, *(disturb(clean, RATE, rng) for _ in range(DISTURBED))]
            yield number, [Clip.of((0.1 * view).astype(np.float32), RATE, "style") for view in heard]


def recognise(rows: list[NDArray], styles: NDArray, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Per style, the share of its queries that the nearest prototype gives it: clean, disturbed.

    rows: clean (n, d), then each disturbed version (n, d); styles: (n,)
    """
    unit = [x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in rows]
    rng = np.random.default_rng(seed)
    count = styles.max() + 1
    right, asked = np.zeros((len(rows), count)), np.zeros(count)
    for _ in range(EPISODES):
        chosen = rng.choice(count, WAYS, replace=False)
        support = np.stack([rng.permutation(np.flatnonzero(styles == s)) for s in chosen])
        prototypes = unit[0][support[:, :SHOTS]].mean(axis=1)
        prototypes /= np.maximum(np.linalg.norm(prototypes, axis=1, keepdims=True), 1e-12)
        queries = support[:, SHOTS:]
        asked[chosen] += queries.shape[1]
        for version, x in enumerate(unit):
            answer = (x[queries] @ prototypes.T).argmax(axis=2)
            right[version][chosen] += (answer == np.arange(WAYS)[:, None]).sum(axis=1)
    seen = asked > 0
    return right[0][seen] / asked[seen], right[1:].mean(axis=0)[seen] / asked[seen]


def interval(values: NDArray, draws: int = 2000) -> str:
    drawn = np.random.default_rng(0).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.05, 0.95])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def ways_to_whiten(backbone: Backbone, others: list[Clip]) -> Iterator[tuple[str, Whitening]]:
    def without_parts(whitening: Whitening) -> Whitening:
        layers: dict[str, LayerWhitening] = {
            name: replace(layer, parts=()) for name, layer in whitening.layers.items()
        }
        return replace(whitening, layers=layers)

    controlled = fit_whitening(backbone)
    both = fit_whitening(backbone, others=others, others_called="soundfont")
    yield "controlled", without_parts(controlled)
    yield "controlled, by parts", controlled
    yield "both", without_parts(both)
    yield "both, by parts", both


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--styles", type=int, default=80)
    parser.add_argument("--backbones", default="spectral,mini-west,mini-world,mini-world-spectral")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    styles, heard = zip(*recordings(chosen.styles, chosen.seed), strict=True)
    clips = [views[version] for version in range(1 + DISTURBED) for views in heard]
    others = bands(180, 0)
    print(f"{chosen.styles} styles, {len(heard)} recordings, {EPISODES} episodes; 90 % intervals over styles")
    for name in chosen.backbones.split(","):
        backbone = load_backbone(name)
        made = embed(clips, backbone)
        layers = ("sound", "all") if name == "spectral" else (backbone.spec.layers[-1].name,)

        def show(called: str, embeddings: Embeddings, layers=layers, name=name) -> None:
            for layer in layers:
                rows = np.split(embeddings.matrix(layer), 1 + DISTURBED)
                clean, disturbed = recognise(rows, np.array(styles))
                print(f"{name:20}{layer:10}{called:22}{interval(clean):22}{interval(disturbed)}", flush=True)

        show("plain", made)
        for called, whitening in ways_to_whiten(backbone, others):
            show(called, whitening.apply(made))


if __name__ == "__main__":
    main()
