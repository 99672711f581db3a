"""Files of every format that was ever written are read, and say what they said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bands import RATE, Bands

from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.embedding.whitening import Whitening, WhiteningError
from mirdemo.results import records
from mirdemo.sound.audio import Clip
from mirdemo.tagger import Tagger
from mirdemo.tagger.file import FORMAT_VERSION

HERE = Path(__file__).parent
FOLDERS = sorted(path for path in HERE.iterdir() if (path / "expected.json").is_file())
TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}


def clip(number: int, kind: str) -> Clip:
    t = np.arange(int(1.3 * RATE)) / RATE
    pitch = 200 + 37 * number if kind == "drum" else 1500 + 113 * number
    wave = 0.3 * np.sin(2 * np.pi * pitch * t)
    wave += 0.05 * np.sin(2 * np.pi * (2.7 * pitch + 11) * t) * np.cos(3 * t)
    return Clip.of(wave.astype(np.float32), RATE, f"{kind}{number}.wav")


@pytest.fixture(scope="module")
def queries() -> list[Clip]:
    return [clip(20, "drum"), clip(21, "flute"), clip(22, "flute")]


def expected(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def taggers() -> list[Any]:
    return [pytest.param(f, name, id=f"{f.name}-{name}") for f in FOLDERS for name in expected(f)["taggers"]]


def test_every_format_of_a_tagger_is_here():
    assert {expected(folder)["format_version"] for folder in FOLDERS} == set(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize(("folder", "name"), taggers())
def test_a_tagger_gives_the_tags_and_scores_it_gave(folder: Path, name: str, queries: list[Clip]):
    found = expected(folder)["taggers"][name]
    tagger = Tagger.load(folder / f"tagger-{name}")
    said = [tagger.decide(query, backbone=Bands()) for query in queries]
    np.testing.assert_allclose([one.scores[0] for one in said], found["scores"], **TOLERANCE)
    assert [one.given[0].tolist() for one in said] == found["given"]
    assert [bool(one.unknown[0]) for one in said] == found["unknown"]
    assert tagger.tags == ("太鼓", "flute", "slow")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_tagger_that_is_saved_again_says_the_same(folder: Path, queries: list[Clip], tmp_path: Path):
    again = Tagger.load(Tagger.load(folder / "tagger-whitened").save(tmp_path / "again"))
    scores = [again.decide(query, backbone=Bands()).scores[0] for query in queries]
    np.testing.assert_allclose(scores, expected(folder)["taggers"]["whitened"]["scores"], **TOLERANCE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_rows_are_what_they_were(folder: Path, queries: list[Clip]):
    found = embed(queries, Bands())
    for layer, rows in expected(folder)["rows"].items():
        np.testing.assert_allclose(found.layers[layer], rows, **TOLERANCE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kept_row_is_read_or_made_anew_and_never_another_one(
    folder: Path, queries: list[Clip], tmp_path: Path
):
    """The embedding store is a cache: where its format has changed, rows are computed again."""
    shutil.copytree(folder / "store", tmp_path / "store")
    store, asked = EmbeddingStore(tmp_path / "store"), []

    class Counting(Bands):
        def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
            asked.append(len(waves))
            return super().hidden_states(waves)

    found = embed(queries, Counting(), store=store)
    assert bool(asked) == (folder.name < "2026-11-23"), (
        "rows of the format 2 are read, those of 1 are made anew"
    )
    for layer, rows in expected(folder)["rows"].items():
        np.testing.assert_allclose(found.layers[layer], rows, **TOLERANCE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_whitening_gives_what_it_gave_or_says_that_it_is_old(folder: Path):
    """Of rows as they were: those of another processor differ by a millionth (tested above), and a small deviation that they
    are divided by makes more of that."""
    if folder.name < "2026-11-23":
        with pytest.raises(WhiteningError):
            Whitening.load(folder / "whitening.safetensors")
        return
    whitening, told = Whitening.load(folder / "whitening.safetensors"), expected(folder)
    for layer, rows in told["whitened"].items():
        found = whitening.matrix(layer, np.array(told["rows"][layer], np.float32), Bands().identity)
        np.testing.assert_allclose(found, rows, **TOLERANCE)


@pytest.mark.parametrize(
    "folder", [f for f in FOLDERS if (f / "results.jsonl").is_file()], ids=lambda folder: folder.name
)
def test_result_records_are_read_as_they_were_written(folder: Path):
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    read = records.load(folder / "results.jsonl")
    assert [record.value for record in read] == expected(folder)["results"]
    require_told(read, lines)


def require_told(read: Sequence[records.Result], lines: Sequence[str]) -> None:
    """Every field of every line is read as it stands there."""
    for record, line in zip(read, lines, strict=True):
        told = json.loads(line)
        held = json.loads(json.dumps(record.as_dict()))
        assert {key: held[key] for key in told} == told
