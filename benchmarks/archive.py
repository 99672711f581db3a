"""Tagging an archive of many short clips, beside the loop that one would write: ``librosa.load``, the same backbone, a row.

    python benchmarks/archive.py [--clips 5000] [--seconds 3] [--backbone mini-world] [--rounds 5]

The clips are hard links to 200 unlike FLAC files, so that a hundred thousand take no room. Both sides take turns on the same
files of each round, in one process, with the same tagger, nothing kept between them; ``ratio`` is of rows a second, medians
over the rounds, with a 95 % interval of the mean of its logarithm over the rounds (Student's t).

Then the whole archive by this project's command, ``tag --files LIST --csv OUT``, in a process of its own: killed at
``--killed`` of the files, started again, and the table looked at: each file once, in order. Memory is looked at every half
second; ``megabytes_a_thousand_files`` is the slope of resident memory over files, from the means of twenty equal
stretches behind the first tenth of the second process, with a 95 % interval (Student's t, 18 degrees of freedom). Needs
librosa, which mirdemo does not (``pip install librosa``).

Prints one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATE = 22_050
UNLIKE = 200


def make_archive(folder: Path, n: int, seconds: float) -> list[str]:
    """n names of ``UNLIKE`` files: tones that come and go over noise."""
    import soundfile

    t = np.arange(round(seconds * RATE)) / RATE
    sources = []
    for number in range(min(UNLIKE, n)):
        rng = np.random.default_rng(number)
        wave = 0.02 * rng.standard_normal(len(t))
        for frequency in 55 * 2 ** rng.uniform(0, 6, 8):
            wave += 0.05 * np.sin(2 * np.pi * frequency * t) * (1 + np.sin(t * rng.uniform(0.5, 5)))
        sources.append(folder / f"source-{number}.flac")
        soundfile.write(sources[-1], wave, RATE)
    names = []
    for number in range(n):
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.flac"
        path.parent.mkdir(exist_ok=True)
        path.hardlink_to(sources[number % len(sources)])
        names.append(str(path))
    return names


def make_tagger(files: list[str], backbone, folder: Path):
    """Of eight clips, four with a tag and four with another."""
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import load_clip
    from mirdemo.tagger import Tagger

    clips = [load_clip(file) for file in files[:8]]
    embeddings = embed(clips, backbone)
    tagger = Tagger.make(
        embeddings, np.repeat(np.eye(2, dtype=np.uint8), 4, axis=0), [str(i) for i in range(8)],
        ("one", "other"), layer=embeddings.layer_names[-1],
    )  # fmt: skip
    tagger.save(folder / "tagger.zip")
    return tagger


def plain(files: list[str], tagger, backbone, out: Path) -> None:
    """What one would write: file by file, read, cut into windows, embedded, decided, written."""
    import librosa
    import torch

    from mirdemo.embedding.embed import cut

    names = [layer.name for layer in backbone.spec.layers]
    with out.open("w", newline="") as table:
        writer = csv.writer(table)
        for file in files:
            wave, _ = librosa.load(file, sr=backbone.spec.sample_rate)
            _, waves = cut(wave, backbone.spec)
            with torch.inference_mode():
                pooled = backbone.pool(backbone.hidden_states(torch.from_numpy(np.stack(waves))))
            row = pooled[names.index(tagger.layer)].float().mean(dim=0, keepdim=True).numpy()
            scores = tagger.method.scores(row)[0]
            decision = tagger.method.decide(row)
            given = [tag for tag, has in zip(tagger.tags, decision.labels[0], strict=True) if has]
            writer.writerow([file, "|".join(given), *scores])


class Watched:
    """The command on a list of files in a process of its own, with its memory over the files it has done.

    seen: (files in the table, resident megabytes), every half second; seconds: that it took
    """

    def __init__(self, folder: Path, listed: Path, table: Path, until: float = math.inf) -> None:
        """until: kill it when the table has so many files"""
        import psutil

        line = [sys.executable, "-m", "mirdemo", "tag", "--files", str(listed), "--csv", str(table), "--json"]
        began = time.perf_counter()
        done = subprocess.Popen(
            [*line, "--tagger", str(folder / "tagger.zip")], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        process, self.seen, read, rows = psutil.Process(done.pid), [], 0, 0
        while done.poll() is None:
            if table.exists():
                with table.open("rb") as file:
                    file.seek(read)
                    new = file.read()
                read, rows = read + len(new), rows + new.count(b"\n")
            if rows >= until:
                done.send_signal(signal.SIGKILL)
                done.wait()
                break
            try:
                self.seen.append((rows, process.memory_info().rss / 2**20))
            except psutil.Error:
                break
            time.sleep(0.5)
        self.status = done.wait()
        self.seconds = time.perf_counter() - began
        self.peak = max(megabytes for _, megabytes in self.seen)


def slope(seen: list[tuple[int, float]]) -> tuple[float, float, float]:
    """Megabytes a thousand files with its 95 % interval, over the means of twenty stretches behind the first tenth."""
    from scipy import stats

    first, last = seen[0][0], seen[-1][0]
    edges = np.linspace(first + (last - first) / 10, last, 21)
    at = np.array([rows for rows, _ in seen])
    held = np.array([megabytes for _, megabytes in seen])
    parts = [(at >= a) & (at < b) for a, b in itertools.pairwise(edges)]
    used = [(at[part].mean() / 1000, held[part].mean()) for part in parts if part.any()]
    x, y = np.array(used).T
    fit = stats.linregress(x, y)
    around = fit.stderr * stats.t.ppf(0.975, len(x) - 2)
    return fit.slope, fit.slope - around, fit.slope + around


def ratio_interval(ours: list[float], plain: list[float]) -> list[float]:
    from scipy import stats

    logs = np.log(np.array(ours) / np.array(plain))
    around = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs))
    return [round(math.exp(logs.mean() + side * around), 2) for side in (-1, 1)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--backbone", default="mini-world")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--round-clips", type=int, default=400)
    parser.add_argument("--killed", type=float, default=0.4, help="of the files, when the command is killed")
    args = parser.parse_args()
    from mirdemo.base import threads

    threads.prepare()
    import librosa

    from mirdemo.backbones import load_backbone
    from mirdemo.tagger import tag_archive

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ["MIRDEMO_HOME"] = str(folder / "home")
        files = make_archive(folder, args.clips, args.seconds)
        backbone = load_backbone(args.backbone, device="cpu")
        tagger = make_tagger(files, backbone, folder)
        plain(files[:20], tagger, backbone, folder / "warm.csv")
        tag_archive(files[:20], tagger, folder / "warm-ours.csv", backbone=backbone)
        rates: dict[str, list[float]] = {"ours": [], "plain": []}
        for number in range(args.rounds):
            start = number * args.round_clips % max(1, len(files) - args.round_clips + 1)
            part = files[start : start + args.round_clips]
            for side in ("ours", "plain") if number % 2 else ("plain", "ours"):
                began = time.perf_counter()
                if side == "ours":
                    tag_archive(part, tagger, folder / f"ours-{number}.csv", backbone=backbone)
                else:
                    plain(part, tagger, backbone, folder / f"plain-{number}.csv")
                rates[side].append(len(part) / (time.perf_counter() - began))
        listed, table = folder / "files.txt", folder / "all.csv"
        listed.write_text("\n".join(files))
        killed = Watched(folder, listed, table, args.killed * len(files))
        again = Watched(folder, listed, table)
        with table.open(encoding="utf-8-sig", newline="") as file:
            named = [row["file"] for row in csv.DictReader(file)]
        print(
            json.dumps(
                {
                    "backbone": args.backbone,
                    "clips": args.clips,
                    "seconds_each": args.seconds,
                    "rows_a_second": {
                        side: [round(rate, 2) for rate in found] for side, found in rates.items()
                    },
                    "ratio": round(statistics.median(rates["ours"]) / statistics.median(rates["plain"]), 2),
                    "ratios": [round(a / b, 2) for a, b in zip(rates["ours"], rates["plain"], strict=True)],
                    "ratio_interval": ratio_interval(rates["ours"], rates["plain"]),
                    "killed_at": killed.seen[-1][0],
                    "then_ended_with": again.status,
                    "table_is_each_file_once_in_order": named == files,
                    "megabytes_a_thousand_files": [round(one, 4) for one in slope(again.seen)],
                    "peak_megabytes": {"killed": round(killed.peak, 1), "again": round(again.peak, 1)},
                    "whole_command_seconds": [round(killed.seconds, 1), round(again.seconds, 1)],
                    "whole_command_rows_a_second": round(len(named) / (killed.seconds + again.seconds), 2),
                    "threads": os.environ.get("OMP_NUM_THREADS", "default"),
                    "librosa": librosa.__version__,
                    "load": os.getloadavg(),
                },
                indent=1,
            )
        )


if __name__ == "__main__":
    main()
