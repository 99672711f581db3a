"""Tiny corpora, each in the layout of the real one: a split's files in a checkout, and a folder of sound."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from mirdemo.corpora.catalogue import reader_of

RATE = 8000
COUNTS = {"train": 6, "valid": 3, "test": 4}
LYRA_TRAINING = 30


def make(name: str, root: Path) -> tuple[Path, Path]:
    """Make one of ``LAYOUTS`` below ``root``; returns (data, checkout). Where no split was published, its table lies in the
    checkout itself, as open_corpus hands it to the reader."""
    data, checkout = root / "data", root / "checkout"
    published = reader_of(name).SPLIT
    split = checkout if published is None else checkout / published.folder.format(corpus=name)
    data.mkdir(parents=True)
    split.mkdir(parents=True)
    LAYOUTS[name](name, data, split)
    return data, checkout


def sound(path: Path, high: bool, seed: int, seconds: float = 1.0) -> None:
    """A ``tone`` as a file; the suffix says the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(high, seed, seconds), RATE)


def tone(high: bool, seed: int, seconds: float = 1.0) -> np.ndarray:
    """Partials above or below 1 kHz, coming and going, in noise: no two alike in anything else."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(RATE * seconds)) / RATE
    wave = rng.normal(0, rng.uniform(0.02, 0.1), len(times))
    for pitch in rng.uniform(1500, 3500, 5) if high else rng.uniform(80, 700, 5):
        swell = 1 + np.sin(2 * np.pi * rng.uniform(0.5, 6) * times + rng.uniform(0, 6))
        wave += 0.05 * swell * np.sin(2 * np.pi * pitch * times)
    return wave.astype(np.float32)


def sides():
    """(side, number, whether high) of every item; each side has both kinds."""
    number = 0
    for side, count in COUNTS.items():
        for _ in range(count):
            yield side, number, number % 2 == 0
            number += 1


def _save_ids(split: Path, ids: dict[str, list[str]]) -> None:
    for side, values in ids.items():
        np.save(split / f"{side}.npy", np.array(values), allow_pickle=False)


def _magnatagatune(name: str, data: Path, split: Path) -> None:
    np.save(split / "tags.npy", np.array(["guitar", "flute", "loud"]))
    table = np.zeros((20, 3))
    lines: dict[str, list[str]] = {side: [] for side in COUNTS}
    for side, number, high in sides():
        path = (
            f"{number % 3}/artist-album-{number // 2:02d}-track-{number % 2 * 29}-{number % 2 * 29 + 29}.mp3"
        )
        sound(data / path, high, number)
        index = 19 - number  # the table is in the order of the indices, not of the lines
        lines[side].append(f"{index}\t{path}")
        table[index] = [high, not high, number == 0]
    np.save(split / "binary.npy", table)
    _save_ids(split, lines)


def _fma(name: str, data: Path, split: Path) -> None:
    ids: dict[str, list[str]] = {side: [] for side in COUNTS}
    genres = {}
    for side, number, high in sides():
        track = f"{number * 700 + 123:06d}"
        sound(data / "fma_medium" / track[:3] / f"{track}.mp3", high, number)
        ids[side].append(track)
        genres[track] = ["Rock", "Indie-Rock"] if high else ["Folk"]
    np.save(split / "metadata.npy", np.array(genres, dtype=object), allow_pickle=True)
    _save_ids(split, ids)


def _lyra(name: str, data: Path, split: Path) -> None:
    header = [
        "id",
        "instruments",
        "genres",
        "place",
        "coordinates",
        "is-danced",
        "youtube-id",
        "start-ts",
        "end-ts",
    ]
    tables: dict[str, list[list[str]]] = {"training": [], "test": []}
    broadcasts = {"yt-A_1": [], "yt-B_2": []}
    for number in range(LYRA_TRAINING + COUNTS["test"]):
        high = number % 2 == 0
        video = "yt-A_1" if number % 3 else "yt-B_2"
        start = len(broadcasts[video])
        broadcasts[video].append(tone(high, number))
        row = [
            f"piece-{number}",
            "Voice|Violin" if high else "Lyra",
            "Traditional",
            "Epirus" if high else "None",
        ]
        row += ["39.6|20.8", "1", video, str(start), str(start + 1)]
        tables["test" if number >= LYRA_TRAINING else "training"].append(row)
    for part, rows in tables.items():
        (split / f"{part}.tsv").write_text(
            "".join("\t".join(row) + "\n" for row in [header, *rows]), encoding="utf-8"
        )
    soundfile.write(data / "yt-A_1.flac", np.concatenate(broadcasts["yt-A_1"]), RATE)
    soundfile.write(data / "A feast [yt-B_2].wav", np.concatenate(broadcasts["yt-B_2"]), RATE)


def _dunya(name: str, data: Path, split: Path) -> None:
    ids: dict[str, list[str]] = {side: [] for side in COUNTS}
    for side, number, high in sides():
        mbid = f"00000000-0000-4000-8000-{number:012d}"
        sound(data / f"disc {number % 2}" / f"{mbid}.mp3", high, number)
        (data / "records").mkdir(exist_ok=True)
        (data / "records" / f"{mbid}.json").write_text(
            json.dumps(RECORDS[name](high), ensure_ascii=False), encoding="utf-8"
        )
        ids[side].append(mbid)
    _save_ids(split, ids)


def _makam_record(high: bool) -> dict:
    return {
        "title": "Peşrev",
        "makamlist": [{"name": "Hicaz" if high else "Uşşak", "uuid": "1"}],
        "usullist": [{"name": "Aksak", "uuid": "2"}],
        "performers": [{"artist": {"name": "A"}, "instrument": {"name": "Ney" if high else "Tanbur"}}] * 2,
    }


def _hindustani_record(high: bool) -> dict:
    return {
        "raags": [{"name": "Bhairav", "common_name": "Ahir bhairav" if high else "Yaman"}],
        "taals": [{"common_name": "Teentaal"}, {"name": "no common name"}],
        "artists": [{"instrument": {"name": "Sitar"}}],
        "forms": [{"common_name": "Khayal"}],
    }


def _carnatic_record(high: bool) -> dict:
    return {
        "raaga": [{"common_name": "kamavardani" if high else "riti gaula"}],
        "taala": [{"common_name": "adi"}],
        "artists": [{"instrument": {"name": "Violin"}}],
        "form": [{"name": "Kriti"}],
    }


RECORDS = {"makam": _makam_record, "hindustani": _hindustani_record, "carnatic": _carnatic_record}
#: What makes each corpus: called with its name, the data folder and the folder of its split's files.
LAYOUTS = {
    "magnatagatune": _magnatagatune,
    "fma": _fma,
    "lyra": _lyra,
    "makam": _dunya,
    "hindustani": _dunya,
    "carnatic": _dunya,
}
#: What one item of the test side of each is labelled.
LABELS = {
    "magnatagatune": {"flute"},
    "fma": {"Folk"},
    "lyra": {"instruments--Lyra", "genres--Traditional", "place--None"},
    "makam": {"makam--Uşşak", "usul--Aksak", "instrument--Tanbur"},
    "hindustani": {"raga--Yaman", "tala--Teentaal", "instrument--Sitar", "form--Khayal"},
    "carnatic": {"raga--riti gaula", "tala--adi", "instrument--Violin", "form--Kriti"},
}
