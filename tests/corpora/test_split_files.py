"""Files of other people run nothing, and what was fetched once stays what it was."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import urllib.error
import urllib.request

import numpy as np
import pytest
from corpus_layouts import make

from mirdemo.corpora import splits
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.npy import read_array, read_label_lists, read_strings
from mirdemo.corpora.registry import open_corpus
from mirdemo.corpora.vocabularies import vocabularies


def object_file(path, payload: bytes):
    """An .npy file whose object array is this pickle."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(payload)
    return path


class Hostile:
    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickled_dict_of_lists_of_text_is_read(tmp_path, protocol):
    labels = {"000123": ["Rock", "Ροκ"], "000124": [], "000125": None}
    held = np.array(labels, dtype=object)
    path = object_file(tmp_path / "metadata.npy", pickle.dumps(held, protocol=protocol))
    if protocol == 2:  # needs a codec call for its bytes, which is not allowed
        with pytest.raises(CorpusError):
            read_label_lists(path)
        return
    assert read_label_lists(path) == {"000123": ("Rock", "Ροκ"), "000124": (), "000125": ()}


def test_what_numpy_itself_writes_is_read(tmp_path):
    np.save(tmp_path / "m.npy", np.array({"a": ["b"]}, dtype=object), allow_pickle=True)
    assert read_label_lists(tmp_path / "m.npy") == {"a": ("b",)}


def test_a_hostile_pickle_runs_nothing(tmp_path):
    mark = tmp_path / "ran"
    calls = [
        (os.system, (f"touch {mark}",)),
        (os.mkdir, (str(mark),)),
        (eval, (f"open({str(mark)!r}, 'w')",)),
        (np.load, (str(mark),)),
        (np.ndarray, ((10**12,),)),
        (np.dtype, ("V1000000000000",)),
        (np.zeros, (10**12,)),
        (getattr, ("text", "upper")),
    ]
    for call in calls:
        for held in (Hostile(call), np.array({"a": [Hostile(call)]}, dtype=object)):
            path = object_file(tmp_path / "metadata.npy", pickle.dumps(held, protocol=4))
            with pytest.raises(CorpusError) as refusal:
                read_label_lists(path)
            assert refusal.value.sentence.code == "corpora.bad_file"
            assert not mark.exists()


def test_the_hostile_pickle_of_this_test_would_run_elsewhere(tmp_path):
    mark = tmp_path / "ran"
    pickle.loads(pickle.dumps(Hostile((os.mkdir, (str(mark),)))))
    assert mark.is_dir()


@pytest.mark.parametrize(
    "held",
    [{"a": [1]}, {1: ["a"]}, {"a": "text"}, ["a"], {"a": [["b"]]}, {"a": [np.str_("b")]}],
)
def test_only_a_dict_of_text_to_lists_of_text_is_taken(tmp_path, held):
    np.save(tmp_path / "m.npy", np.array(held, dtype=object), allow_pickle=True)
    with pytest.raises(CorpusError):
        read_label_lists(tmp_path / "m.npy")


def test_plain_arrays_are_never_unpickled(tmp_path):
    np.save(tmp_path / "ids.npy", np.array(["a", None], dtype=object), allow_pickle=True)
    with pytest.raises(CorpusError):
        read_array(tmp_path / "ids.npy")
    np.save(tmp_path / "numbers.npy", np.arange(3))
    with pytest.raises(CorpusError):
        read_strings(tmp_path / "numbers.npy")


@pytest.mark.parametrize("cut", [0, 5, 60, 100])
def test_a_torn_file_is_refused_in_a_sentence(tmp_path, cut):
    np.save(tmp_path / "m.npy", np.array({"a": ["b"] * 50}, dtype=object), allow_pickle=True)
    (tmp_path / "m.npy").write_bytes((tmp_path / "m.npy").read_bytes()[:cut])
    for read in (read_label_lists, read_array):
        with pytest.raises(CorpusError):
            read(tmp_path / "m.npy")


def _serve(monkeypatch, checkout):
    """Let a folder stand for the repository."""
    monkeypatch.setattr(
        splits.Split, "address", lambda _, corpus, name: f"{checkout.as_uri()}/data/{corpus}/split/{name}"
    )


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """The published repository, as files; returns its data folder."""
    _, checkout = make("fma", tmp_path)
    _serve(monkeypatch, checkout)
    monkeypatch.setattr(splits, "published_checksums", dict)  # as if nobody knew those of these files
    return checkout / "data"


def test_splits_are_fetched_once_and_then_need_no_network(repository, tmp_path, monkeypatch):
    first = open_corpus("fma")
    _serve(monkeypatch, tmp_path / "gone")
    assert open_corpus("fma").revision == first.revision
    assert open_corpus("fma", None, repository.parent).revision == first.revision


def test_the_address_names_the_pinned_commit():
    address = splits.Split(("train.npy",)).address("fma", "train.npy")
    assert (
        address == f"https://raw.githubusercontent.com/pxaris/ccml/{splits.COMMIT}/data/fma/split/train.npy"
    )
    assert len(splits.COMMIT) == 40


def test_a_file_that_changed_after_it_was_fetched_is_refused(repository, own_home):
    corpus = open_corpus("fma")
    (kept,) = own_home.rglob("train.npy")
    np.save(kept, np.array(corpus.sides["train"][1:]))
    with pytest.raises(CorpusError) as refusal:
        open_corpus("fma")
    assert refusal.value.sentence.code == "corpora.split_changed"


def test_a_checkout_of_another_commit_is_refused_once_the_pinned_one_is_known(repository):
    open_corpus("fma")
    split = repository / "fma" / "split"
    np.save(split / "test.npy", read_strings(split / "test.npy")[1:])
    with pytest.raises(CorpusError) as refusal:
        open_corpus("fma", None, repository.parent)
    assert refusal.value.sentence.code == "corpora.split_changed"


def test_a_fetch_that_fails_leaves_nothing_and_says_what_to_do(repository, own_home, monkeypatch):
    def broken(*args, **kwargs):
        raise urllib.error.URLError("no network")

    with monkeypatch.context() as without:
        without.setattr(urllib.request, "urlopen", broken)
        with pytest.raises(CorpusError, match="--splits") as refusal:
            open_corpus("fma")
    assert refusal.value.sentence.code == "corpora.unreachable"
    assert not list(own_home.rglob("*.npy"))
    assert open_corpus("fma").tags


def test_a_fetched_file_that_is_not_the_published_one_is_refused_and_fetched_anew_next_time(
    repository, own_home, monkeypatch
):
    wanted = {("fma", "test.npy"): "0" * 64}
    monkeypatch.setattr(splits, "published_checksums", lambda: wanted)
    with pytest.raises(CorpusError) as refusal:
        open_corpus("fma")
    assert refusal.value.sentence.code == "corpora.split_changed"
    assert "test.npy" in str(refusal.value)


def test_the_checksums_of_all_published_files_but_one_are_known():
    from mirdemo.corpora.catalogue import reader_of
    from mirdemo.corpora.frames import STUDY

    known = splits.published_checksums()
    files = {(name, file) for name in STUDY.traditions for file in reader_of(name).SPLIT.files}
    assert files - set(known) == {("magnatagatune", "binary.npy")}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in known.values())


def test_a_checkout_with_other_files_is_a_split_of_ones_own_and_says_so(repository, monkeypatch):
    split = repository / "fma" / "split"
    alike = hashlib.sha256((split / "train.npy").read_bytes()).hexdigest()
    monkeypatch.setattr(
        splits, "published_checksums", lambda: {("fma", "train.npy"): alike, ("fma", "test.npy"): "0" * 64}
    )
    corpus = open_corpus("fma", None, repository.parent)
    assert corpus.changed == ("test.npy",)
    assert corpus.setting["split_files"] == "own"
    assert set(corpus.tags) < set(vocabularies()["fma"].tags) | {"Indie-Rock"}  # counted


def test_with_the_published_files_the_vocabulary_is_the_published_one_whatever_labels_lie_there(
    tmp_path, monkeypatch
):
    data, checkout = make("hindustani", tmp_path)
    assert open_corpus("hindustani", data, checkout).tags[0] != vocabularies()["hindustani"].tags[0]
    split = checkout / "data/hindustani/split"
    same = {("hindustani", f.name): hashlib.sha256(f.read_bytes()).hexdigest() for f in split.iterdir()}
    monkeypatch.setattr(splits, "published_checksums", lambda: same)
    whole = open_corpus("hindustani", data, checkout)
    assert whole.tags == vocabularies()["hindustani"].tags
    for record in list((data / "records").iterdir())[:9]:
        record.unlink()
    assert open_corpus("hindustani", data, checkout).tags == whole.tags
    assert whole.changed == ()
    assert dict(whole.setting) == {}


@pytest.mark.parametrize("inside", ["", "data", "data/fma/split"])
def test_any_sensible_folder_of_a_checkout_will_do(repository, inside):
    assert open_corpus("fma", None, repository.parent / inside).tags
