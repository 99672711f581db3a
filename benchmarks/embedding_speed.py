"""Embedding 30 s of sound with a MERT-95M-sized network on the CPU, against transformers' default use.

    python benchmarks/embedding_speed.py [--repeats 5] [--threads N]

Both sides have the same random weights (no download; speed does not depend on them) and the same six 5-s windows.
The rival is what the model card's own recipe comes to without its remote code: the feature extractor and
``HubertModel.from_pretrained(...)`` with every option left alone, one window at a time, all hidden states, the mean
over time. A second rival asks for plain ("eager") attention. The sides take turns and ratios are medians over the turns;
ratios of processor time are given too, because on a busy machine the clock tells more about the neighbours
(with one thread: threads that wait for each other burn processor time as well).

Prints one JSON object: seconds and ratios, the precision that ``dtype="auto"`` chose, and for each layer the cosine
between ours and float32 by the rival (the least over the windows).
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

SECONDS, RATE = 30, 24_000


def music(seed: int = 0) -> np.ndarray:
    """Tones that come and go over noise, float32 (SECONDS * RATE,): unlike windows, so that a cosine means something."""
    rng = np.random.default_rng(seed)
    t = np.arange(SECONDS * RATE) / RATE
    wave = 0.02 * rng.standard_normal(len(t))
    for _ in range(40):
        start, frequency = rng.uniform(0, SECONDS), 55 * 2 ** rng.uniform(0, 6)
        wave += 0.1 * np.sin(2 * np.pi * frequency * t) * np.exp(-((t - start) ** 2)) * rng.uniform(0.2, 1)
    return wave.astype(np.float32)


def rival(folder: Path, wave: np.ndarray, **options: str) -> Callable[[], np.ndarray]:
    """transformers' default use: () -> (windows, layers, size)."""
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    values = json.loads((folder / "config.json").read_text())
    plain = folder.parent / "plain"
    if not plain.exists():  # the same weights under transformers' own model type
        plain.mkdir()
        (plain / "config.json").write_text(
            json.dumps(values | {"model_type": "hubert", "architectures": ["HubertModel"]})
        )
        (plain / "pytorch_model.bin").symlink_to(folder / "pytorch_model.bin")
    config = HubertConfig.from_pretrained(plain)
    network = HubertModel.from_pretrained(plain, config=config, **options).eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    windows = wave.reshape(-1, 5 * RATE)

    def run() -> np.ndarray:
        rows = []
        for window in windows:
            inputs = extractor(window, sampling_rate=RATE, return_tensors="pt")
            with torch.no_grad():
                states = network(inputs.input_values, output_hidden_states=True).hidden_states
            rows.append(torch.stack([state.mean(dim=1)[0] for state in states]).numpy())
        return np.stack(rows)

    run.attention = network.config._attn_implementation
    return run


def ours(folder: Path, wave: np.ndarray, dtype: str) -> Callable[[], np.ndarray]:
    """``embed``: () -> (windows, layers, size)."""
    from mirdemo.backbones.registry import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import Clip

    backbone = load_backbone("mert-95m", checkpoint=folder, device="cpu", dtype=dtype)
    clip = Clip.of(wave, RATE)

    def run() -> np.ndarray:
        return np.stack(list(embed([clip], backbone).windows(0).values()), axis=1)

    run.dtype = backbone.identity.dtype
    return run


def least_cosines(rows: np.ndarray, reference: np.ndarray) -> list[float]:
    """Per layer, the least cosine over the windows."""
    rows, reference = rows.astype(np.float64), reference.astype(np.float64)
    cosines = (rows * reference).sum(-1) / np.linalg.norm(rows, axis=-1) / np.linalg.norm(reference, axis=-1)
    return [round(float(value), 6) for value in cosines.min(axis=0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--dtype", default="auto")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)

    from backbones import tiny

    with tempfile.TemporaryDirectory() as scratch:
        folder = tiny.mert_sized(Path(scratch) / "mert", "95m")
        wave = music()
        sides = {
            "ours": ours(folder, wave, options.dtype),
            "default": rival(folder, wave),
            "eager": rival(folder, wave, attn_implementation="eager"),
        }
        rows: dict[str, np.ndarray] = {}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        processor: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(options.repeats + 1):  # the first turn only warms up
            for name, run in sides.items():
                start, burnt = time.perf_counter(), time.process_time()
                rows[name] = run()
                if turn:
                    seconds[name].append(time.perf_counter() - start)
                    processor[name].append(time.process_time() - burnt)

    def ratio(times: dict[str, list[float]], name: str) -> float:
        return round(statistics.median(r / o for r, o in zip(times[name], times["ours"], strict=True)), 2)

    report = {
        "benchmark": "embedding_speed",
        "seconds_of_sound": SECONDS,
        "dtype": sides["ours"].dtype,
        "seconds": {name: round(statistics.median(values), 3) for name, values in seconds.items()},
        "default_attention": sides["default"].attention,
        "times_faster_than_default": ratio(seconds, "default"),
        "times_faster_than_eager": ratio(seconds, "eager"),
        "processor_time_ratio_to_default": ratio(processor, "default"),
        "processor_time_ratio_to_eager": ratio(processor, "eager"),
        "least_cosine_per_layer": least_cosines(rows["ours"], rows["eager"]),
        "repeats": options.repeats,
        "threads": torch.get_num_threads(),
        "processor": platform.processor() or platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
