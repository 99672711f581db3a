"""Seconds of each engine for published shapes, beside transformers as it comes, in one run.

python benchmarks/engine_speed.py [--networks mert-95m mert-330m clap-music qwen2-audio] [--rounds 5] [--threads N] [--apart]
    [--engines openvino openvino-int8 torch-bfloat16 openvino-bfloat16] [--out FILE.json]

Random weights: speed does not depend on them, and no download is needed. All compute the same whole windows (about ten seconds of
sound, at least one window), one after the other in every round; printed are medians of the rounds and their ratio to
transformers' default in float32 (its own feature extractor and the network's own forward with all hidden states); ours in
float32 but where bfloat16 or eight bits are named. Wall time, and
the processor's: on a machine that others use only the latter says something, and only with one thread. Cosine: the lowest of any
layer to torch's, on the test sounds. First load: what it takes longer than torch's, beside the time in which that engine then
embeds ten minutes.

``--apart`` holds one network in memory at a time (several rounds of one, then of the next): for a small machine that is quiet.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

NETWORKS = ("mert-95m", "mert-330m", "clap-music", "qwen2-audio")
ENGINES = ("openvino", "openvino-int8", "torch-bfloat16", "openvino-bfloat16")
SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["mert-95m"])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES[:2]))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: as many as there are cores")
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    from mirdemo.base import threads

    threads.prepare()
    if asked.threads:
        os.environ.update(threads.surroundings(asked.threads))
    found = []
    for name in asked.networks:
        found.append(measure(name, asked.engines, asked.rounds, asked.apart))
        show(found[-1])
        if asked.out:
            asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def show(one: dict) -> None:
    print(
        f"{one['network']}, {one['seconds']:g} s of sound, {one['threads']} threads, load {one['load']:.1f}, "
        f"n = {one['rounds']} rounds, medians, no interval",
        flush=True,
    )
    for kind, wall in one["wall"].items():
        processor = one["processor"][kind]
        text = (
            f"  {kind:14} {wall:6.2f} s ({one['wall']['transformers'] / wall:.2f} times transformers), of the processor "
            f"{processor:6.2f} s ({one['processor']['transformers'] / processor:.2f} times)"
        )
        if kind in one["cosine"]:
            ten = 600 / one["seconds"] * wall
            text += (
                f", cosine {one['cosine'][kind]:.6f}, first load {one['conversion'][kind]:.0f} s "
                f"({one['conversion'][kind] / ten:.2f} of embedding ten minutes, {ten:.0f} s)"
            )
        print(text, flush=True)


def measure(name: str, engines: list[str], rounds: int, apart: bool) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MIRDEMO_HOME"] = scratch
        import torch

        from mirdemo.backbones import BackboneError, random_weights
        from mirdemo.backbones.registry import spec

        folder = random_weights.checkpoint(name, Path(scratch) / "checkpoint")
        facts = spec(name)
        count = max(1, round(SECONDS / facts.window_seconds))
        draw = torch.Generator().manual_seed(1)
        waves = 0.1 * torch.randn(count, facts.window_samples, generator=draw)
        proofs: dict = {}

        def sides() -> Iterator[tuple[str, Callable[[], object]]]:
            yield "transformers", rival(facts.family, folder, waves, facts.sample_rate)
            for kind in ("torch", *engines):
                engine = kind.removesuffix("-bfloat16")
                dtype = "bfloat16" if kind.endswith("-bfloat16") else "float32"
                try:
                    backbone = random_weights.load(name, folder, dtype, engine)
                except BackboneError as refusal:
                    print(f"  {kind}: {refusal}", flush=True)
                    continue
                if engine != "torch":
                    proofs[kind] = backbone.engine.proof
                yield kind, lambda backbone=backbone: backbone.hidden_states(waves)

        wall: dict[str, list[float]] = {}
        processor: dict[str, list[float]] = {}

        def turn(kind: str, run: Callable[[], object], counts: bool) -> None:
            began = time.perf_counter(), time.process_time()
            run()
            if counts:
                wall.setdefault(kind, []).append(time.perf_counter() - began[0])
                processor.setdefault(kind, []).append(time.process_time() - began[1])

        if apart:
            for kind, run in sides():
                for at in range(rounds + 1):
                    turn(kind, run, at > 0)
                del run
                gc.collect()
        else:
            work = dict(sides())
            for at in range(rounds + 1):  # the first round warms up
                for kind, run in work.items():
                    turn(kind, run, at > 0)
        return {
            "network": name,
            "seconds": count * facts.window_seconds,
            "machine": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "load": os.getloadavg()[0],
            "versions": {"torch": torch.__version__} | {kind: one.engine for kind, one in proofs.items()},
            "rounds": rounds,
            "wall": {kind: statistics.median(taken) for kind, taken in wall.items()},
            "processor": {kind: statistics.median(taken) for kind, taken in processor.items()},
            "cosine": {kind: one.cosine for kind, one in proofs.items()},
            "conversion": {kind: one.conversion_seconds for kind, one in proofs.items()},
        }


def rival(family: str, folder: Path, waves: object, rate: int) -> Callable[[], object]:
    """transformers as it comes: its extractor, its network, every hidden state."""
    import torch
    import transformers

    sounds = [wave.numpy() for wave in waves]
    if family == "mert":
        network = transformers.HubertModel.from_pretrained(folder).eval()
        extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
        key = "input_values"
    elif family == "clap":
        network = transformers.ClapModel.from_pretrained(folder).eval().audio_model
        extractor = transformers.ClapFeatureExtractor.from_pretrained(folder)
        key = "input_features"
    else:
        from safetensors.torch import load_file

        network = transformers.Qwen2AudioEncoder(transformers.Qwen2AudioEncoderConfig()).eval()
        state = load_file(folder / "model.safetensors")
        network.load_state_dict({name.removeprefix("audio_tower."): one for name, one in state.items()})
        extractor = transformers.WhisperFeatureExtractor.from_pretrained(folder)
        key = "input_features"

    def run() -> object:
        given = extractor(sounds, sampling_rate=rate, return_tensors="pt")[key]
        with torch.no_grad():
            return network(given, output_hidden_states=True)

    return run


if __name__ == "__main__":
    main()
