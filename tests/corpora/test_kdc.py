"""KDC and GTZAN's mini version, on made folders in their layouts: windows, labels, what is kept together, an evaluation."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from corpus_layouts import RATE, tone

from mirdemo.backbones import load_backbone
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.readers.kdc import TABLE
from mirdemo.corpora.registry import open_corpus
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.evaluation.errors import EvaluationError
from mirdemo.evaluation.running import Request, evaluate

COLUMNS = ("MBID", "Dastgah", "Gushe", "Artist", "Instrument", "Type", "Duration", "Shahed")


def write(root: Path, rows: list[tuple[str, str, str, str, str, float]]) -> Path:
    """A checkout with the table alone. rows: MBID, dastgah, artist, instrument, type, seconds"""
    folder = root / "checkout" / "KDC-v1.1"
    folder.mkdir(parents=True)
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for mbid, dastgah, artist, instrument, kind, seconds in rows:
            table.writerow((mbid, dastgah, "Daramad", artist, instrument, kind, round(seconds), 300))
    return root / "checkout"


@pytest.fixture
def kdc(tmp_path: Path) -> tuple[Path, Path]:
    """(recordings, checkout): two modes that differ in what is heard, three artists, one recording's sound missing."""
    rows = []
    for at in range(12):
        mbid = f"{at:08x}-0000-4000-8000-000000000000"
        mode, kind = ("Shur", "Mahur")[at % 2], ("performance", "radif")[at // 2 % 2]
        rows.append((mbid, mode, f"Artist {at // 2 % 3}", "Ney", kind, 21.4))
        folder = tmp_path / "recordings" / ("radif" if kind == "radif" else "")
        folder.mkdir(parents=True, exist_ok=True)
        if at != 11:
            soundfile.write(folder / f"{mbid}.flac", tone(at % 2 == 0, at, 21.4), RATE)
    rows.append(("ffffffff-0000-4000-8000-000000000000", "Shur", "Artist 0", "Ney", "shahed", 4.0))
    rows.append(("eeeeeeee-0000-4000-8000-000000000000", "Segah", "Artist 0", "Oud", "performance", 7.0))
    soundfile.write(tmp_path / "recordings" / f"{rows[-1][0]}.flac", tone(True, 99, 7.2), RATE)
    return tmp_path / "recordings", write(tmp_path, rows)


def test_recordings_become_whole_windows_and_fragments_are_left_out(kdc) -> None:
    corpus = open_corpus("kdc", *kdc)
    ids = Counter(item_id[:8] for item_id in corpus.items)
    assert ids == {**{f"{at:08x}": 2 for at in range(12)}, "eeeeeeee": 1}
    assert all(item.side == "test" for item in corpus.items.values())
    assert corpus.tags == ("dastgah--Mahur", "dastgah--Shur", "dastgah--Segah")
    window = corpus.items["00000000-0000-4000-8000-000000000000-010"]
    assert window.labels == ("dastgah--Shur", "instrument--Ney")
    assert (window.start_s, window.end_s) == (10.0, 20.0)
    assert corpus.missing() == tuple(i for i in corpus.items if i.startswith("0000000b"))
    clip = corpus.clip(window.id)
    assert len(clip.samples) == 10 * RATE
    np.testing.assert_allclose(clip.samples, tone(True, 0, 21.4)[10 * RATE : 20 * RATE], atol=1e-4)
    assert corpus.clip("eeeeeeee-0000-4000-8000-000000000000-000").seconds == pytest.approx(7.2)


def test_what_is_kept_together_is_a_recording_or_an_artist(kdc) -> None:
    by_recording, by_artist = (open_corpus(name, *kdc) for name in ("kdc", "kdc-artists"))
    assert by_recording.items.keys() == by_artist.items.keys()
    assert len({item.source for item in by_recording.items.values()}) == 13
    assert {item.source for item in by_artist.items.values()} == {f"Artist {n}" for n in range(3)}
    assert by_recording.facts.licence is None
    one = next(iter(by_recording.items))
    assert by_recording.clip(one).sha256 == by_artist.clip(one).sha256


def test_a_table_that_is_another_is_refused(tmp_path, kdc) -> None:
    recordings, checkout = kdc
    (checkout / "KDC-v1.1" / TABLE).write_text("MBID,Dastgah\nx,y\n", encoding="utf-8")
    with pytest.raises(CorpusError) as refusal:
        open_corpus("kdc", recordings, checkout)
    assert refusal.value.sentence.code == "corpora.bad_file"


def test_evaluate_measures_it_live_and_refuses_the_protocol_that_needs_sides(tmp_path, kdc) -> None:
    corpus, backbone = open_corpus("kdc", *kdc), load_backbone("spectral")
    settings = {"store": EmbeddingStore(tmp_path / "store"), "results": tmp_path / "results.jsonl"}
    with pytest.raises(EvaluationError) as refusal:
        evaluate(corpus, backbone, Request(), **settings)
    assert refusal.value.sentence.code == "evaluation.no_split"
    found = evaluate(corpus, backbone, Request(protocol="live", seeds=2, allow_missing=True), **settings)
    assert found.n_items == 23
    auc = next(r for r in found.records if r.tag == "dastgah--Shur" and r.metric == "roc_auc")
    assert auc.value > 0.75, "the made modes are told apart by their pitch"
    over_all = next(r for r in found.records if r.tag is None and r.metric == "roc_auc" and r.seed is None)
    assert over_all.n == len(over_all.influences) == 12, (
        "a recording counts once, however many windows it has"
    )
    assert over_all.setting["left_out"] == 2


def test_few_shot_by_artist_holds_each_musician_out_in_turn(tmp_path, kdc) -> None:
    """Each has both modes, so that a support set of any other kind would take in all three."""
    corpus, backbone = open_corpus("kdc-artists", *kdc), load_backbone("spectral")
    found = evaluate(
        corpus,
        backbone,
        Request(method="fewshot", protocol="live", allow_missing=True),
        store=EmbeddingStore(tmp_path / "store"),
        results=tmp_path / "results.jsonl",
    )
    figure = next(r for r in found.records if r.metric == "macro_f1" and r.tag is None and r.seed is None)
    assert figure.n == 3
    assert figure.low < figure.value < figure.high
    assert figure.value > 0.6, "the made modes are told apart by their pitch, whoever plays"
    assert figure.setting["held_out"] == "each recording in turn"
    assert 6 <= figure.setting["n_support"] <= 7, (
        "three windows of two modes, and one of the third's where its artist is heard"
    )


def test_genres_are_read_from_the_names_of_excerpts(tmp_path) -> None:
    for genre in ("blues", "metal"):
        for number in range(2):
            path = tmp_path / "data" / genre / f"{genre}.{number:05d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, tone(genre == "metal", number, 12.0), RATE)
    (tmp_path / "data" / "notes.txt").write_text("no sound")
    corpus = open_corpus("gtzan-mini", tmp_path / "data")
    assert corpus.tags == ("genre--blues", "genre--metal")
    assert list(corpus.items) == ["blues.00000", "blues.00001", "metal.00000", "metal.00001"]
    assert corpus.clip("metal.00001").seconds == 10.0
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError) as refusal:
        open_corpus("gtzan-mini", tmp_path / "empty")
    assert refusal.value.sentence.code == "corpora.no_genres"
