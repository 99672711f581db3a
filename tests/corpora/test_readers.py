"""One contract that every corpus keeps, on tiny corpora in each one's own layout."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from corpus_layouts import COUNTS, LABELS, LAYOUTS, LYRA_TRAINING, RATE, make, tone

from mirdemo.corpora import registry, splits
from mirdemo.corpora.catalogue import brought_by, catalogue, reader_of
from mirdemo.corpora.checking import check
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.frames import STUDY
from mirdemo.corpora.reader import SIDES, most_frequent
from mirdemo.corpora.registry import corpus_names, open_corpus
from mirdemo.corpora.synthetic import ControlledCorpus


@pytest.fixture(params=[*LAYOUTS, "controlled"])
def corpus(request, tmp_path):
    if request.param == "controlled":
        return ControlledCorpus("makam", "pitch", sizes={"train": 6, "valid": 3, "test": 4})
    data, checkout = make(request.param, tmp_path)
    return open_corpus(request.param, data, checkout)


def test_no_corpus_that_ships_is_without_a_layout():
    ours = {name for name in catalogue() if brought_by(reader_of(name)) is None}
    assert set(LABELS) == set(LAYOUTS)
    assert ours - set(LAYOUTS) == {"kdc", "kdc-artists", "gtzan-mini"}, (
        "those, without sides, have test_kdc.py"
    )


def test_every_corpus_keeps_the_contract(corpus):
    assert corpus.name in corpus_names()
    assert corpus.facts.title
    assert corpus.facts.citation
    assert corpus.facts.audio

    assert tuple(corpus.sides) == SIDES
    together = [item_id for side in SIDES for item_id in corpus.sides[side]]
    assert all(corpus.sides.values())
    assert len(together) == len(set(together)) == len(corpus.items)
    assert together == list(corpus.items)
    assert corpus.repeated == ()

    assert len(set(corpus.tags)) == len(corpus.tags) <= corpus.facts.n_tags
    table = corpus.labels(together)
    assert table.dtype == np.uint8
    assert table.shape == (len(together), len(corpus.tags))
    for item_id, row in zip(together, table, strict=True):
        labels = corpus.items[item_id].labels
        assert {tag for tag, there in zip(corpus.tags, row, strict=True) if there} == set(labels) & set(
            corpus.tags
        )

    assert corpus.missing() == ()
    first = corpus.sides["test"][0]
    clip = corpus.clip(first)
    assert clip.sha256 == corpus.clip(first).sha256
    assert clip.samples.dtype == np.float32
    assert 0.9 < clip.seconds < 11
    keys = [corpus.sound_key(item_id) for item_id in together]
    assert len(set(keys)) == len(keys)
    assert corpus.revision.startswith("split-")


@pytest.mark.parametrize("name", LAYOUTS)
def test_labels_and_sides_are_those_of_the_files(name, tmp_path):
    data, checkout = make(name, tmp_path)
    corpus = open_corpus(name, data, checkout)

    low = next(i for i in corpus.sides["test"] if set(corpus.items[i].labels) == LABELS[name])
    assert low in corpus.items
    counts = {side: len(ids) for side, ids in corpus.sides.items()}
    drawn = LYRA_TRAINING // 10
    assert counts == (
        {"train": LYRA_TRAINING - drawn, "valid": drawn, "test": 4} if name == "lyra" else COUNTS
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_missing_is_named_and_the_rest_still_reads(name, tmp_path):
    data, checkout = make(name, tmp_path)
    corpus = open_corpus(name, data, checkout)
    item_id = corpus.sides["test"][0]
    corpus.file(item_id).unlink()
    corpus = open_corpus(name, data, checkout)
    gone = corpus.missing()
    assert item_id in gone
    assert {corpus.items[i].source for i in gone} == {corpus.items[item_id].source}
    with pytest.raises(CorpusError) as refusal:
        corpus.clip(item_id)
    assert refusal.value.sentence.code == "corpora.no_sound"
    assert corpus.clip(next(i for i in corpus.items if i not in gone)).seconds > 0.9


def test_a_corpus_without_its_data_still_has_split_and_tags(tmp_path):
    _, checkout = make("fma", tmp_path)
    corpus = open_corpus("fma", None, checkout)
    assert len(corpus.tags) == 3
    assert len(corpus.missing()) == len(corpus.items)


def test_the_vocabulary_is_the_most_frequent_training_labels_ties_in_code_point_order():
    lists = [["b", "b", "c"], ["a", "c"], None, ["z", "Z", "a", "b"]]
    assert most_frequent(lists, 4) == ("a", "b", "c", "Z")


def test_the_vocabulary_leaves_out_labels_that_only_the_test_side_has(tmp_path):
    data, checkout = make("makam", tmp_path)
    last = open_corpus("makam", data, checkout).sides["test"][-1]
    (data / "records" / f"{last}.json").write_text('{"makamlist": [{"name": "Segah"}]}')
    corpus = open_corpus("makam", data, checkout)
    assert corpus.items[last].labels == ("makam--Segah",)
    assert "makam--Segah" not in corpus.tags
    assert not corpus.labels([last]).any()


def test_lyras_pieces_are_cut_from_their_broadcasts_sample_by_sample(tmp_path):
    data, checkout = make("lyra", tmp_path)
    corpus = open_corpus("lyra", data, checkout)
    for number in (0, 1, 7, LYRA_TRAINING + 1):
        clip = corpus.clip(f"piece-{number}")
        assert len(clip.samples) == RATE
        assert np.abs(clip.samples - tone(number % 2 == 0, number)).max() < 1e-4


def test_lyras_validation_side_is_the_same_at_every_opening_and_comes_from_training(tmp_path):
    data, checkout = make("lyra", tmp_path)
    first, second = (open_corpus("lyra", data, checkout) for _ in range(2))
    assert first.sides == second.sides
    assert all(int(i.removeprefix("piece-")) < LYRA_TRAINING for i in first.sides["valid"])


def test_lyras_vocabulary_counts_what_only_the_pieces_for_validation_have(tmp_path):
    data, checkout = make("lyra", tmp_path)
    held = set(open_corpus("lyra", data, checkout).sides["valid"])
    table = checkout / "data" / "lyra" / "split" / "training.tsv"
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
    place = rows[0].index("place")
    for row in rows[1:]:
        row[place] = "Chios" if row[0] in held else row[place]
    table.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    corpus = open_corpus("lyra", data, checkout)
    assert set(corpus.sides["valid"]) == held
    assert "place--Chios" in corpus.tags


def test_clips_of_one_track_share_a_source(tmp_path):
    data, checkout = make("magnatagatune", tmp_path)
    corpus = open_corpus("magnatagatune", data, checkout)
    sources = [item.source for item in corpus.items.values()]
    assert sources[0] == sources[1] == "artist-album-00-track"
    assert len(set(sources)) < len(sources)


def test_a_recording_without_its_record_counts_as_missing(tmp_path):
    data, checkout = make("carnatic", tmp_path)
    item_id = open_corpus("carnatic", data, checkout).sides["train"][0]
    for content in ("{}", "[1]", "not json"):
        (data / "records" / f"{item_id}.json").write_text(content)
        assert open_corpus("carnatic", data, checkout).missing() == (item_id,)


def test_a_published_helpers_metadata_file_stands_in_for_the_records(tmp_path):
    data, checkout = make("makam", tmp_path)
    plain = open_corpus("makam", data, checkout)
    known = {i: list(item.labels) for i, item in plain.items.items()}
    known[plain.sides["test"][0]] = None  # what the helper writes where Dunya had no answer
    np.save(checkout / "data/makam/split/metadata.npy", np.array(known, dtype=object), allow_pickle=True)
    corpus = open_corpus("makam", data, checkout)
    assert corpus.missing() == (plain.sides["test"][0],)
    assert corpus.tags == plain.tags


@pytest.mark.parametrize(("asked", "seconds"), [("published", 2.0), (None, 3.0), (0.5, 0.5)])
def test_recordings_are_cut_as_published_unless_told_otherwise(asked, seconds, tmp_path, monkeypatch):
    from dataclasses import replace

    from corpus_layouts import sound

    shorter = {**catalogue(), "hindustani": replace(catalogue()["hindustani"], max_seconds=2.0)}
    monkeypatch.setattr(registry, "catalogue", lambda: shorter)
    data, checkout = make("hindustani", tmp_path)
    item_id = open_corpus("hindustani", data, checkout).sides["test"][0]
    path = open_corpus("hindustani", data, checkout).file(item_id)
    path.unlink()
    sound(path.with_suffix(".wav"), True, 1, seconds=3.0)
    corpus = open_corpus("hindustani", data, checkout, max_seconds=asked)
    clip = corpus.clip(item_id)
    assert clip.seconds == seconds
    whole, _ = soundfile.read(path.with_suffix(".wav"), dtype="float32")
    assert np.array_equal(clip.samples, whole[: len(clip.samples)])
    said = {} if asked == "published" else {"max_seconds": "whole" if asked is None else 0.5}
    assert dict(corpus.setting) == {**said, "split_files": "own"}  # the fixture's are not the published ones


def test_the_published_cuts_are_known():
    cuts = {name: catalogue()[name].max_seconds for name in STUDY.traditions}
    assert cuts == dict.fromkeys(STUDY.traditions) | {"makam": 150.0, "hindustani": 780.0, "carnatic": 330.0}


def test_the_revision_follows_split_and_labels_and_nothing_else(tmp_path):
    data, checkout = make("makam", tmp_path)
    before = open_corpus("makam", data, checkout).revision
    (tmp_path / "elsewhere").mkdir()
    moved = data.rename(tmp_path / "elsewhere" / "music")
    assert open_corpus("makam", moved, checkout).revision == before
    record = next((moved / "records").iterdir())
    record.write_text('{"makamlist": [{"name": "Segah"}]}')
    assert open_corpus("makam", moved, checkout).revision != before


def test_controlled_clips_are_those_of_the_generator():
    from mirdemo.synth import corpus as generated

    corpus = ControlledCorpus("greek", "timbre", sizes={"train": 2, "valid": 1, "test": 2})
    for number, made in enumerate(generated("greek", "test", 2, mode="timbre")):
        item = corpus.items[f"test-{number}"]
        assert (item.labels, item.source) == (made.tags, made.recording)
        assert np.array_equal(corpus.clip(item.id).samples, made.samples)
    assert corpus.setting == {"mode": "timbre"}


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda t: open_corpus("gtzan"), "corpora.unknown"),
        (lambda t: open_corpus("fma", t / "nowhere", make("fma", t)[1]), "corpora.no_folder"),
        (lambda t: open_corpus("fma", t, t), "corpora.no_splits"),
        (lambda t: open_corpus("fma", t, make("fma", t)[1], mode="pitch"), "corpora.no_mode"),
        (lambda t: open_corpus("controlled/makam", mode="loud"), "corpora.no_controlled"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_a_sentence(ask, code, tmp_path):
    with pytest.raises(CorpusError) as refusal:
        ask(tmp_path)
    assert refusal.value.sentence.code == code


def test_a_check_finds_what_is_missing_unreadable_and_repeated(tmp_path):
    data, checkout = make("fma", tmp_path)
    corpus = open_corpus("fma", data, checkout)
    lost, broken = corpus.sides["test"][:2]
    corpus.file(lost).unlink()
    corpus.file(broken).write_bytes(b"")
    assert corpus.sound_key(broken) is None
    split = checkout / "data/fma/split"
    np.save(split / "valid.npy", np.array([*corpus.sides["valid"], corpus.sides["train"][0]]))
    found = check(open_corpus("fma", data, checkout))
    assert found.sides["test"].no_sound == (lost, broken)  # an empty file is no sound
    assert found.changed == ("train.npy", "valid.npy", "test.npy", "metadata.npy")
    assert found.sides["test"].usable == COUNTS["test"] - 2
    assert found.sides["test"].published == 4996
    assert found.repeated == (corpus.sides["train"][0],)
    assert not found.whole


def test_a_quick_check_decodes_nothing_and_a_whole_copy_passes(tmp_path, monkeypatch):
    from dataclasses import replace

    counted = replace(catalogue()["lyra"], recordings=(27, 3, 4))
    monkeypatch.setattr(registry, "catalogue", lambda: {**catalogue(), "lyra": counted})
    data, checkout = make("lyra", tmp_path)
    corpus = open_corpus("lyra", data, checkout)
    assert not check(corpus).whole, "its split is not the published one"
    monkeypatch.setattr(splits, "published_checksums", dict)
    corpus = open_corpus("lyra", data, checkout)
    told: list[tuple[int, int, str]] = []
    found = check(corpus, progress=lambda *state: told.append(state))
    assert found.whole
    assert found.shared_sources == 2
    assert told == [(done, 34, "checking") for done in range(35)]
    (data / "yt-A_1.flac").write_bytes(b"no sound")
    corpus = open_corpus("lyra", data, checkout)
    assert check(corpus, decode=False).whole
    assert not check(corpus).whole


@pytest.mark.parametrize("kind", ["annotations_final.csv", "metadata.npy"])
def test_magnatagatunes_own_annotations_add_tags_and_change_no_measurement(kind, tmp_path) -> None:
    """The original table has every tag; figures over the vocabulary stay of one revision, with it or without."""
    data, checkout = make("magnatagatune", tmp_path)
    plain = open_corpus("magnatagatune", data, checkout)
    ids = list(plain.items)
    further = {ids[0]: ["jazz", "loud"], ids[-1]: ["jazz"]}
    if kind == "metadata.npy":
        table = {Path(i).stem: labels for i, labels in further.items()}
        np.save(data / kind, np.array(table, dtype=object))
    else:
        rows = ["clip_id\tguitar\tjazz\tloud\tmp3_path"]
        for at, item_id in enumerate(ids):
            has = [str(int(tag in further.get(item_id, ()))) for tag in ("jazz", "loud")]
            rows.append("\t".join([f'"{at}"', '"1"', *(f'"{one}"' for one in has), f'"{item_id}"']))
        (data / kind).write_text("\n".join(rows) + "\n", encoding="utf-8")
    corpus = open_corpus("magnatagatune", data, checkout)
    assert corpus.tags == plain.tags
    assert corpus.revision == plain.revision
    np.testing.assert_array_equal(
        corpus.labels(ids), plain.labels(ids)
    )  # of the vocabulary the split's word counts
    found = corpus.labels(ids, ["jazz"])[:, 0]
    assert found.tolist() == [int(i in further) for i in ids]


def test_annotations_that_are_no_table_of_clips_are_refused(tmp_path) -> None:
    data, checkout = make("magnatagatune", tmp_path)
    (data / "annotations_final.csv").write_text("clip_id\tguitar\n1\t1\n", encoding="utf-8")
    with pytest.raises(CorpusError) as refusal:
        open_corpus("magnatagatune", data, checkout)
    assert "annotations_final.csv" in str(refusal.value)


def calls_to_open_and_check(n: int, root: Path, *, saraga: bool) -> int:
    """How many functions are called for a makam of n recordings, found by their ids or through their records."""
    data, split = root / "data", root / "checkout" / "data" / "makam" / "split"
    data.mkdir(parents=True)
    split.mkdir(parents=True)
    sound = root / "sound.wav"
    soundfile.write(sound, tone(True, 0), RATE)
    for at in range(n):
        stem = f"Title {at}" if saraga else f"id-{at}"
        os.link(sound, data / f"{stem}.wav")
        record = {"mbid": f"id-{at}", "title": f"Title {at}", "makamlist": [{"name": f"m{at % 7}"}]}
        (data / f"{stem}.json").write_text(json.dumps(record), encoding="utf-8")
    ids = [f"id-{at}" for at in range(n)]
    for side, of in (("train", ids[n // 2 :]), ("valid", ids[: n // 4]), ("test", ids[n // 4 : n // 2])):
        np.save(split / f"{side}.npy", np.array(of), allow_pickle=False)
    count = 0

    def seen(frame, event, of):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        found = check(open_corpus("makam", data, root / "checkout"), decode=False)
    finally:
        sys.setprofile(before)
    assert sum(side.usable for side in found.sides.values()) == n
    return count


@pytest.mark.parametrize("saraga", [False, True])
def test_four_times_the_recordings_are_four_times_the_work_at_most(saraga, tmp_path):
    few = calls_to_open_and_check(60, tmp_path / "few", saraga=saraga)
    many = calls_to_open_and_check(240, tmp_path / "many", saraga=saraga)
    assert many < 4.1 * few
