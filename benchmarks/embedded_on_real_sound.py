"""Are the embedded backbones worth having on real recordings, and where does their whitening help?

    python benchmarks/embedded_on_real_sound.py RECORDINGS [--json FILE] [--episodes 100]

RECORDINGS: a folder of ``<genre>.<number>.<ending>`` files (the GTZAN naming), each one recording. Without it, it
says so and ends. In one run, for MFCC means and deviations, ``spectral`` (``all`` and ``sound``), the networks' last
layers and ``mini-world-spectral``, with and without whitening:

- linear probe: logistic regression, folds by recording, accuracy;
- 3-shot: nearest prototype by cosine over episodes of three recordings a genre, the rest are queries;
- both with clean queries, and with queries degraded (EQ, band limit, reverb, noise, and MP3 at 64 kbit/s) against
  clean supports and clean training clips.

And what whitening changes, for few-shot at every layer that the page offers and for the probe at the one it begins
with; ``mirdemo.embedding.whitening.helps`` reads from it where the page turns whitening on by itself.

Intervals: 90 %, bootstrap over recordings; differences are paired by recording.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone, specs
from mirdemo.embedding.embed import Embeddings, embed
from mirdemo.embedding.whitening import whitening_for
from mirdemo.sound.audio import Clip, load_clip
from mirdemo.web.tagging import layers_of, usual_layer

RATE = 22_050
DEGRADED = 3  # degraded versions of each recording
KINDS = ("eq", "band", "reverb", "noise", "mp3")


def degrade(
    wave: NDArray[np.float32], rate: int, rng: Generator, kinds: tuple[str, ...]
) -> NDArray[np.float32]:
    """The kinds one after another, each drawn anew: peaking filters and a tilt, a telephone or worn-tape band, an
    image-like room of sparse early echoes and a tail, noise at 5 to 20 dB, MP3 at 64 kbit/s."""
    from scipy import signal

    x = wave.astype(np.float64)
    if "eq" in kinds:
        for _ in range(4):
            x = signal.lfilter(
                *_peaking(rng.uniform(80, 7000), rng.uniform(-14, 14), rng.uniform(0.5, 2.0), rate), x
            )
    if "band" in kinds:
        low, high = rng.uniform(100, 400), rng.uniform(2500, 5000)
        x = signal.sosfilt(signal.butter(4, [low, high], "bandpass", fs=rate, output="sos"), x)
    if "reverb" in kinds:
        seconds = rng.uniform(0.4, 1.2)
        n = int(seconds * rate)
        response = np.zeros(n)
        echoes = rng.integers(int(0.004 * rate), int(0.06 * rate), 12)
        response[echoes] = rng.uniform(-0.6, 0.6, 12)
        tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
        tail = signal.sosfilt(signal.butter(1, 3500, fs=rate, output="sos"), tail)
        response += 0.9 * tail / np.sqrt(np.sum(tail**2))
        response[0] = 1.0
        x = signal.fftconvolve(x, response)[: len(x)]
    if "noise" in kinds:
        noise = rng.standard_normal(len(x))
        if rng.random() < 0.5:
            noise = signal.lfilter([1.0], [1.0, -0.95], noise)
        noise *= np.sqrt(np.mean(x**2) / np.mean(noise**2)) * 10 ** (-rng.uniform(5, 20) / 20)
        x = x + noise
    x = (0.5 * x / max(np.abs(x).max(), 1e-9)).astype(np.float32)
    return mp3(x, rate) if "mp3" in kinds else x


def mp3(wave: NDArray[np.float32], rate: int, kbit: int = 64) -> NDArray[np.float32]:
    """Through the MP3 coder of PyAV and back, at the same length."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=rate, layout="mono")
        stream.bit_rate = kbit * 1000
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    back = load_clip(file.getvalue(), "degraded.mp3").at(rate)
    back = back[: len(wave)]  # the coder's delay of 50 ms is no matter here
    return np.pad(back, (0, len(wave) - len(back)))


def _peaking(hz: float, decibels: float, q: float, rate: int) -> tuple[list[float], list[float]]:
    a, w = 10 ** (decibels / 40), 2 * np.pi * hz / rate
    alpha, cos = np.sin(w) / (2 * q), np.cos(w)
    return [1 + alpha * a, -2 * cos, 1 - alpha * a], [1 + alpha / a, -2 * cos, 1 - alpha / a]


@dataclass(frozen=True)
class Recordings:
    """genres (n,) as numbers; clean: n clips; degraded: DEGRADED lists of n clips."""

    names: list[str]
    genres: NDArray[np.int64]
    clean: list[Clip]
    degraded: list[list[Clip]]


def read(folder: Path, seed: int) -> Recordings:
    rng = np.random.default_rng(seed)
    files = sorted(p for p in folder.iterdir() if p.name.count(".") == 2)
    genres = sorted({p.name.split(".")[0] for p in files})
    clean = [Clip.of(load_clip(p).at(RATE), RATE, p.name) for p in files]
    degraded = []
    for _ in range(DEGRADED):
        copies = []
        for clip in clean:
            # Between two and four of the five, every kind as often as the others.
            kinds = tuple(rng.choice(KINDS, size=int(rng.integers(2, 5)), replace=False))
            copies.append(Clip.of(degrade(clip.samples, RATE, rng, kinds), RATE, clip.name))
        degraded.append(copies)
    return Recordings(
        [p.name for p in files],
        np.array([genres.index(p.name.split(".")[0]) for p in files]),
        clean,
        degraded,
    )


Rows = tuple[NDArray, list[NDArray]]  # clean (n, d), degraded DEGRADED x (n, d)


def probe(rows: Rows, genres: NDArray, seeds: int = 5) -> tuple[NDArray, NDArray]:
    """Per recording, the share of correct answers of a logistic regression that never heard it: clean, degraded."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    clean, degraded = rows
    right, right_degraded = np.zeros(len(genres)), np.zeros(len(genres))
    for seed in range(seeds):
        for train, test in StratifiedKFold(6, shuffle=True, random_state=seed).split(clean, genres):
            scaler = StandardScaler().fit(clean[train])
            model = LogisticRegression(C=0.1, max_iter=500).fit(scaler.transform(clean[train]), genres[train])
            right[test] += model.predict(scaler.transform(clean[test])) == genres[test]
            for copy in degraded:
                right_degraded[test] += model.predict(scaler.transform(copy[test])) == genres[test]
    return right / seeds, right_degraded / (seeds * len(degraded))


def few_shot(
    rows: Rows, genres: NDArray, episodes: int, shots: int = 3, seed: int = 0
) -> tuple[NDArray, NDArray]:
    """Per recording, the share of episodes with it as a query in which its genre's prototype was nearest by cosine."""

    def unit(x: NDArray) -> NDArray:
        return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)

    rng = np.random.default_rng(seed)
    clean, degraded = unit(rows[0]), [unit(copy) for copy in rows[1]]
    right, right_degraded, asked = (np.zeros(len(genres)) for _ in range(3))
    for _ in range(episodes):
        support = np.concatenate(
            [rng.choice(np.flatnonzero(genres == g), shots, replace=False) for g in range(genres.max() + 1)]
        )
        query = np.setdiff1d(np.arange(len(genres)), support)
        prototypes = unit(clean[support].reshape(-1, shots, clean.shape[1]).mean(axis=1))
        asked[query] += 1
        right[query] += (clean[query] @ prototypes.T).argmax(axis=1) == genres[query]
        for copy in degraded:
            right_degraded[query] += (copy[query] @ prototypes.T).argmax(axis=1) == genres[query]
    return right / asked, right_degraded / (asked * len(degraded))


def interval(values: NDArray, seed: int = 0, draws: int = 4000) -> tuple[float, float, float]:
    """Mean with its 90 % interval, bootstrap over recordings."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return float(values.mean()), float(low), float(high)


def rows_of(embeddings: Embeddings, layer: str, n: int) -> Rows:
    matrix = embeddings.matrix(layer)
    return matrix[:n], [matrix[(i + 1) * n : (i + 2) * n] for i in range(DEGRADED)]


def all_rows(recordings: Recordings, names: list[str]) -> dict[str, Rows]:
    """Label -> rows, for MFCC and for every layer of every backbone, plain and, where there is one, with whitening."""
    n = len(recordings.clean)
    clips = [*recordings.clean, *(clip for copies in recordings.degraded for clip in copies)]
    out: dict[str, Rows] = {}
    for name in names:
        backbone = load_backbone(name)
        plain = embed(clips, backbone)
        whitening = whitening_for(backbone.identity)
        white = whitening.apply(plain) if whitening is not None else None
        if name == "spectral":
            timbre = rows_of(plain, "timbre", n)
            out[MFCC] = (timbre[0][:, :40], [copy[:, :40] for copy in timbre[1]])
        for layer in layers_of(name):
            out[label(name, layer)] = rows_of(plain, layer, n)
            if white is not None:
                out[label(name, layer) + WHITE] = rows_of(white, layer, n)
    return out


def label(name: str, layer: str) -> str:
    """What a row is called: the backbone by itself stands for its last layer."""
    return name if layer == specs()[name].layers[-1].name else f"{name}:{layer}"


class Scores:
    """What each set of rows scores by recording, worked out once."""

    def __init__(self, rows: dict[str, Rows], genres: NDArray, episodes: int) -> None:
        self.probe = cache(lambda of: probe(rows[of], genres))
        self.few_shot = cache(lambda of: few_shot(rows[of], genres, episodes))

    def of(self, label: str) -> dict[str, NDArray]:
        """Measure -> score a recording (n,), in the order of ``MEASURES``."""
        return dict(zip(MEASURES, (*self.probe(label), *self.few_shot(label)), strict=True))


def whitening_effect(scores: Scores, name: str) -> dict[str, dict]:
    """Stage of the page -> layer -> ``clean`` and ``degraded``: whitened minus plain, paired by recording."""

    def effect(score, layer: str) -> dict[str, tuple[float, float, float]]:
        plain, white = score(label(name, layer)), score(label(name, layer) + WHITE)
        return {kind: interval(w - p) for kind, w, p in zip(("clean", "degraded"), white, plain, strict=True)}

    return {
        "few-shot": {layer: effect(scores.few_shot, layer) for layer in layers_of(name)},
        "probe": {layer: effect(scores.probe, layer) for layer in (usual_layer(name),)},
    }


MFCC, WHITE = "mfcc mean+std", "+wccn"
SHOWN = ("spectral", "spectral:sound", "mini-west", "mini-world", "mini-world-spectral")
#: The aims: spectral against MFCC, the network against spectral, the two side by side against either.
PAIRS = (
    ("spectral:sound+wccn", MFCC),
    ("spectral+wccn", MFCC),
    ("spectral:sound+wccn", "spectral:sound"),
    ("spectral+wccn", "spectral"),
    ("mini-world+wccn", "spectral:sound+wccn"),
    ("mini-world+wccn", "spectral+wccn"),
    ("mini-world+wccn", "mini-world"),
    ("mini-world+wccn", "mini-west+wccn"),
    ("mini-world-spectral+wccn", "mini-world-spectral"),
    ("mini-world-spectral+wccn", "mini-world+wccn"),
    ("mini-world-spectral+wccn", "spectral+wccn"),
)
MEASURES = ("probe", "probe degraded", "3-shot", "3-shot degraded")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", type=Path, nargs="?")
    parser.add_argument("--backbones", default="spectral,mini-west,mini-world,mini-world-spectral")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--all-layers", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.recordings is None or not chosen.recordings.is_dir():
        print("Skipped: give the folder of recordings, named <genre>.<number>.<ending>.")
        return
    names = chosen.backbones.split(",")
    recordings = read(chosen.recordings, chosen.seed)
    rows = all_rows(recordings, names)
    scores = Scores(rows, recordings.genres, chosen.episodes)
    print(f"{len(recordings.clean)} recordings, {recordings.genres.max() + 1} genres, {chosen.episodes} episodes, "
          f"{DEGRADED} degraded copies each; 90 % intervals")  # fmt: skip
    print(f"{'':30}" + "".join(f"{m:>22}" for m in MEASURES))
    figures = {}
    for one in rows:
        if chosen.all_layers or one.removesuffix(WHITE) in (MFCC, *SHOWN):
            figures[one] = {m: interval(v) for m, v in scores.of(one).items()}
            shown = "".join(
                "{:>8.3f} [{:.3f}, {:.3f}]".format(*found).rjust(22) for found in figures[one].values()
            )
            print(f"{one:30}{shown}", flush=True)
    differences = {}
    for one, other in PAIRS:
        if one in rows and other in rows:
            first, second = scores.of(one), scores.of(other)
            found = {m: interval(first[m] - second[m]) for m in MEASURES}
            differences[f"{one} - {other}"] = found
            shown = "".join("{:>+8.3f} [{:+.3f}, {:+.3f}]".format(*found[m]).rjust(24) for m in MEASURES)
            print(f"{one} - {other}\n{'':30}{shown}")
    whitening = {
        name: {"revision": specs()[name].revision, **whitening_effect(scores, name)}
        for name in names
        if label(name, usual_layer(name)) + WHITE in rows
    }
    for name, effects in whitening.items():
        print(f"{name}: whitened minus plain, clean and degraded")
        for stage in ("few-shot", "probe"):
            for layer, by in effects[stage].items():
                shown = "".join(
                    "{:>+8.3f} [{:+.3f}, {:+.3f}]".format(*found).rjust(24) for found in by.values()
                )
                print(f"  {stage:10}{layer:18}{shown}")
    if chosen.json:
        record = {
            "n": len(recordings.clean),
            "episodes": chosen.episodes,
            "figures": figures,
            "differences": differences,
            "whitening": whitening,
        }
        chosen.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
