"""The tagger that is taken home: saved, loaded, refused, tagging one file and an archive."""

from __future__ import annotations

import ast
import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
import tracemalloc
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from bands import RATE, Bands
from loopback_hub import LoopbackHub
from pushing_hub import TOKEN, PushingHub
from sound_damage import mutations
from text_damage import json_damaged, read_or_refused, text_damaged, zip_damaged

from mirdemo.backbones.spec import Layer, Part
from mirdemo.base.manifests import checksum
from mirdemo.base.sentences import Cancelled
from mirdemo.clips.in_question import InQuestion
from mirdemo.clips.tags import typed_tags
from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.embedding.whitening import Whitening
from mirdemo.sound.audio import AudioError, Clip
from mirdemo.stages.fewshot import METHODS, LCPrototypes
from mirdemo.tagger import Tagger, TaggerError, tag_archive
from mirdemo.tagger.file import ARRAYS, CARD, FORMAT_VERSION, MANIFEST, read_zip, zipped
from mirdemo.tagger.table import Table
from mirdemo.tagger.tagger import _title

TAGS = ("=flute", "笛", "<b>drum</b>")


def tone(hertz: float, seconds: float = 2.0, seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    wave = 0.3 * np.sin(2 * np.pi * hertz * time) + 0.02 * rng.normal(size=len(time))
    return Clip.of(wave, RATE, f"{hertz:g}.wav")


def write_wav(folder: Path, name: str, clip: Clip) -> Path:
    import soundfile

    path = folder / name
    soundfile.write(path, clip.samples, RATE)
    return path


@pytest.fixture(scope="module")
def backbone():
    return Bands()


@pytest.fixture(scope="module")
def support(backbone):
    clips = [tone(hertz + 7 * i, seed=i) for i in range(3) for hertz in (300, 900, 1500)]
    labels = np.tile(np.eye(3, dtype=np.uint8), (3, 1))
    recordings = [f"recording {i}" for i in range(9)]
    return embed(clips, backbone), labels, recordings


@pytest.fixture(scope="module")
def tagger(support, backbone):
    embeddings, labels, recordings = support
    return Tagger.make(
        embeddings, labels, recordings, TAGS, layer="low", spec=backbone.spec, title="Festival"
    )


def refused(code: str):
    """A context in which a TaggerError with this code must be raised."""

    class Refusal:
        def __enter__(self):
            self.raises = pytest.raises(TaggerError)
            self.caught = self.raises.__enter__()
            return self.caught

        def __exit__(self, *what):
            handled = self.raises.__exit__(*what)
            assert self.caught.value.sentence.code == code
            assert str(self.caught.value).endswith(".")
            return handled

    return Refusal()


def changed(folder: Path, **changes) -> Path:
    """The manifest with fields replaced and its checksum made right again: a forger, not a scratched disk."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest.update(changes)
    manifest["checksum"] = checksum(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


# ---- tagging --------------------------------------------------------------------------------------------


def test_a_clip_gets_the_tag_of_its_like_with_a_score_and_an_interval(tagger, backbone):
    (found,) = tagger.tag(tone(905, seed=50), backbone=backbone)
    tag, score, interval = found
    assert tag == "笛"
    assert 0.5 <= score <= 1
    assert interval.low <= score <= interval.high
    assert (interval.n, interval.unit) == (4, "windows")
    every = tagger.tag(tone(905, seed=50), backbone=backbone, all_tags=True)
    assert every[0][0] == "笛"
    assert {t for t, _, _ in every} == set(TAGS)


def test_a_short_clip_has_no_interval(tagger, backbone):
    assert tagger.tag(tone(905, 0.5, seed=50), backbone=backbone)[0][2] is None


def test_windows_show_which_second_made_the_tag(tagger, backbone):
    wave = np.concatenate([tone(300, 1.0).samples, tone(1500, 1.0).samples])
    over_time = tagger.tag_windows(Clip.of(wave, RATE, "two.wav"), backbone=backbone)
    np.testing.assert_allclose(over_time.starts, [0, 0.5, 1, 1.5])
    assert over_time.seconds == 0.5
    assert over_time.given[:2, 0].all()
    assert over_time.given[2:, 2].all()
    assert not over_time.given[:, 1].any()


def test_a_sound_unlike_all_others_is_unknown_and_gets_no_tag(support, backbone):
    embeddings, labels, recordings = support
    method = LCPrototypes("euclidean")
    made = Tagger.make(embeddings, labels, recordings, TAGS, layer="low", method=method, spec=backbone.spec)
    noise = Clip.of(5 * np.random.default_rng(0).normal(size=RATE), RATE, "noise.wav")
    assert made.decide(noise, backbone=backbone).unknown[0]
    assert made.tag(noise, backbone=backbone) == []


def test_a_path_is_tagged_and_a_bad_one_refused(tagger, backbone, tmp_path):
    path = write_wav(tmp_path, "a.wav", tone(300, seed=9))
    assert tagger.tag(path, backbone=backbone)[0][0] == "=flute"
    with pytest.raises(AudioError):
        tagger.tag(tmp_path / "missing.wav", backbone=backbone)


@pytest.mark.parametrize(
    "other",
    [
        Bands(revision="2"),
        Bands(fingerprint="0" * 64),
        pytest.param("window", id="window"),
        pytest.param("name", id="name"),
        pytest.param("int8", id="int8"),
    ],
)
def test_another_backbone_is_refused(tagger, backbone, other):
    if isinstance(other, str):
        change = {
            "window": {"window_seconds": 1.0},
            "name": {"name": "others"},
            "int8": {"dtype": "int8", "engine": "openvino 1, 8 bits on avx512_vnni"},
        }[other]
        other = Bands()
        other.identity = replace(other.identity, **change)
    with refused("tagger.other_backbone"):
        tagger.tag(tone(300), backbone=other)


def test_a_local_copy_of_the_same_weights_is_accepted(tagger):
    assert tagger.tag(tone(300, seed=9), backbone=Bands(revision="local"))[0][0] == "=flute"


def test_another_floating_point_precision_and_an_engine_that_agrees_are_accepted(tagger):
    other = Bands()
    other.identity = replace(other.identity, dtype="bfloat16", engine="openvino 1")
    assert tagger.tag(tone(300, seed=9), backbone=other)[0][0] == "=flute"


def test_a_backbone_without_the_layer_is_refused(tagger):
    other = Bands()
    other.spec = replace(other.spec, layers=(Layer("a", 16), Layer("b", 16)))
    with refused("tagger.no_layer"):
        tagger.tag(tone(300), backbone=other)


# ---- taking home and back -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("place", ["folder", "tagger.zip", "not/there/yet/tagger.zip"])
def test_what_is_loaded_tags_as_what_was_saved(support, backbone, tmp_path, kind, place):
    embeddings, labels, recordings = support
    method = METHODS[kind](calibrated=True) if kind in ("ml-pn", "ovr") else METHODS[kind]()
    made = Tagger.make(embeddings, labels, recordings, TAGS, layer="mean", method=method, spec=backbone.spec)
    again = Tagger.load(str(made.save(tmp_path / place)))
    for hertz in (320, 800, 1450):
        query = tone(hertz, seed=77)
        for one, other in zip(
            made.tag(query, backbone=backbone, all_tags=True),
            again.tag(query, backbone=backbone, all_tags=True),
            strict=True,
        ):
            assert one[0] == other[0]
            assert one[1] == pytest.approx(other[1], abs=1e-6)
    assert again.kind == kind
    assert again.fingerprint == made.fingerprint
    assert again.identity == made.identity
    assert again.facts == json.loads(json.dumps(dict(made.facts)))


def test_the_parts_of_a_whitening_go_home_with_the_tagger(support, backbone, tmp_path):
    embeddings, labels, recordings = support
    parts = {"high": (Part(10, 2.0), Part(6))}
    whitening = Whitening.fit(embeddings, np.arange(9) % 3, parts=parts)
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer="high", whitening=whitening, spec=backbone.spec
    )
    again = Tagger.load(made.save(tmp_path / "t.zip"))
    assert again.whitening["high"].parts == parts["high"]
    np.testing.assert_allclose(again.rows(embeddings), made.rows(embeddings), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(again.rows(embeddings)[:, :10], axis=1), 2.0, rtol=1e-5)


def test_a_clip_of_many_windows_is_heard_as_those_it_was_learned_from(support, backbone, monkeypatch):
    """By its own row, whitened: by parts, the mean of its windows' whitened rows is another."""
    embeddings, labels, recordings = support
    whitening = Whitening.fit(embeddings, np.arange(9) % 3, parts={"high": (Part(10, 2.0), Part(6))})
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer="high", whitening=whitening, spec=backbone.spec
    )
    wave = np.concatenate([tone(300, 1.5).samples, tone(1500, 0.5).samples])
    query = Clip.of(wave, RATE, "two.wav")
    expected = made.method.scores(whitening.apply(embed([query], backbone)).matrix("high"))
    np.testing.assert_allclose(made.decide(query, backbone=backbone).scores, expected, atol=1e-5)
    found = {tag: score for tag, score, _ in made.tag(query, backbone=backbone, all_tags=True)}
    np.testing.assert_allclose([found[tag] for tag in TAGS], expected[0], atol=1e-5)

    seen, scores = [], made.method.scores
    monkeypatch.setattr(made.method, "scores", lambda rows: seen.append(rows) or scores(rows))
    made.tag(query, backbone=backbone)
    assert max(map(len, seen)) > 2  # the clip without a window each is a whole row too
    for rows in seen:
        np.testing.assert_allclose(np.linalg.norm(rows[:, :10], axis=1), 2.0, rtol=1e-4)


@pytest.mark.parametrize(
    "parts",
    [
        [[10, 1.0]],
        [[-4, 1.0], [20, 1.0]],
        [[0, 1.0], [16, 1.0]],
        [[10.0, 1], [6.0, 1]],
        [[True, 1], [15, 1]],
        [[16, -1]],
        [[16, 1e30]],
        [[16, 10**400]],
        [["16", 1]],
        [[16, "1"]],
        [[16, [[[1]]]]],
        [[16]],
        16,
    ],
)
def test_parts_that_do_not_fit_the_rows_are_refused(support, backbone, tmp_path, parts):
    embeddings, labels, recordings = support
    whitening = Whitening.fit(embeddings, np.arange(9) % 3)
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer="high", whitening=whitening, spec=backbone.spec
    )
    folder = made.save(tmp_path / "t")
    changed(folder, whitening={**made.facts["whitening"], "layers": {"high": parts}})
    with refused("tagger.unreadable"):
        Tagger.load(folder)


@pytest.mark.parametrize(
    "wrong", [{"scale": np.zeros(16, np.float32)}, {"directions": np.eye(7, dtype=np.float32)}]
)
@pytest.mark.parametrize("kind", METHODS)
def test_a_whitening_that_cannot_be_applied_is_refused(support, backbone, tmp_path, kind, wrong):
    embeddings, labels, recordings = support
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer="high", method=METHODS[kind](),
        whitening=Whitening.fit(embeddings, np.arange(9) % 3), spec=backbone.spec,
    )  # fmt: skip
    forged = replace(made, whitening={"high": replace(made.whitening["high"], **wrong)})
    with refused("tagger.unreadable"):
        Tagger.load(forged.save(tmp_path / "t.zip"))


def test_a_tagger_of_the_first_format_is_still_read(support, backbone, tmp_path):
    embeddings, labels, recordings = support
    whitening = Whitening.fit(embeddings, np.arange(9) % 3)
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer="high", whitening=whitening, spec=backbone.spec
    )
    folder = made.save(tmp_path / "t")
    changed(folder, format_version=1, whitening={**made.facts["whitening"], "layers": ["high"]})
    again = Tagger.load(folder)
    np.testing.assert_allclose(again.rows(embeddings), made.rows(embeddings), atol=1e-5)
    saved_again = Tagger.load(again.save(tmp_path / "again.zip"))
    np.testing.assert_array_equal(saved_again.rows(embeddings), again.rows(embeddings))


@pytest.mark.parametrize("layer", ["high", "mean"])
def test_a_whitening_goes_home_with_the_tagger(support, backbone, tmp_path, layer):
    embeddings, labels, recordings = support
    whitening = Whitening.fit(embeddings, np.arange(9) % 3)
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer=layer, whitening=whitening, spec=backbone.spec
    )
    np.testing.assert_allclose(made.rows(embeddings), whitening.apply(embeddings).matrix(layer), atol=1e-5)
    again = Tagger.load(made.save(tmp_path / "t.zip"))
    np.testing.assert_array_equal(again.rows(embeddings), made.rows(embeddings))
    assert again.facts["whitening"]["name"] == whitening.name
    query = tone(1500, seed=3)
    windows = whitening.apply(embed([query], backbone))
    over_time = again.tag_windows(query, backbone=backbone)
    by_hand = (
        windows.windows(0)["high"] if layer == "high" else np.mean([*windows.windows(0).values()], axis=0)
    )
    np.testing.assert_allclose(over_time.scores, made.method.scores(by_hand), atol=1e-4)


def test_the_manifest_is_readable_and_says_what_it_rests_on(tagger, tmp_path):
    manifest = json.loads((tagger.save(tmp_path / "t") / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["format_version"] == FORMAT_VERSION
    assert manifest["licence"] == "CC-BY-NC-4.0"
    assert manifest["identity"]["fingerprint"] == "f" * 64
    assert [(t["name"], t["clips"], t["recordings"]) for t in manifest["tags"]] == [(t, 3, 3) for t in TAGS]
    assert manifest["figures"]["macro_f1"]["n"] == 9
    assert manifest["figures"]["macro_f1"]["low"] <= manifest["figures"]["macro_f1"]["value"]
    assert set(manifest["versions"]) == {"mirdemo", "numpy", "python"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", manifest["created"])


def test_the_card_gives_licence_figures_and_escapes_tags(tagger):
    card = tagger.contents()[CARD].decode()
    front, text = card.split("---\n")[1:3]
    assert 'license: "cc-by-nc-4.0"' in front
    assert 'base_model: "someone/bands"' in front
    assert "<b>" not in text
    assert "&lt;b&gt;drum&lt;/b&gt;" in text
    figure = tagger.facts["figures"]["macro_f1"]
    assert (
        f"| macro F1 | {figure['value']:.2f} | {figure['low']:.2f} to {figure['high']:.2f} | 90 % | 9 recordings |"
        in text
    )
    assert "CC\\-BY\\-NC\\-4.0, inherited from Bands" in text


def test_figures_stand_in_the_cards_text_alone_each_with_what_it_is_of(tagger):
    """huggingface_hub 2.4.0 would write all results of one dataset under the first one's arguments, task and source
    (repocard_data.py, EvalResult.unique_identifier; findings/folds_in_one_model_card.sh)."""
    from huggingface_hub import ModelCard

    card = ModelCard(tagger.contents()[CARD].decode())
    assert card.data.eval_results is None
    assert "model-index" not in card.data.to_dict()
    for name, said in (("macro_f1", "macro F1"), ("roc_auc", "macro ROC-AUC")):
        assert f"| {said} | {tagger.facts['figures'][name]['value']:.2f} |" in card.text


def test_a_card_of_one_recording_says_that_nothing_was_measured(support, backbone):
    embeddings, labels, _ = support
    made = Tagger.make(embeddings, labels, ["one"] * 9, TAGS, layer="low", spec=backbone.spec)
    assert made.facts["figures"] is None
    assert "Not measured" in made.contents()[CARD].decode()


def test_saving_replaces_a_tagger_but_not_other_files(tagger, tmp_path):
    place = tagger.save(tmp_path / "t")
    tagger.save(place)
    assert {f.name for f in place.iterdir()} == {MANIFEST, ARRAYS, CARD}
    (place / "thesis.txt").write_text("years of work")
    with refused("tagger.folder_taken"):
        tagger.save(place)
    assert (place / "thesis.txt").exists()
    assert sorted(f.name for f in tmp_path.iterdir()) == ["t"]


# ---- what is refused ------------------------------------------------------------------------------------


def test_nothing_there_is_refused(tmp_path):
    with refused("tagger.missing"):
        Tagger.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with refused("tagger.unreadable"):
        Tagger.load(tmp_path / "empty")
    (tmp_path / "no.zip").write_bytes(b"not a zip")
    with refused("tagger.unreadable"):
        Tagger.load(tmp_path / "no.zip")


@pytest.mark.parametrize("file", [MANIFEST, ARRAYS])
def test_a_flipped_byte_is_noticed(tagger, tmp_path, file):
    place = tagger.save(tmp_path / "t")
    content = bytearray((place / file).read_bytes())
    at = content.index(b"Festival") if file == MANIFEST else len(content) // 2
    content[at] ^= 1
    (place / file).write_bytes(content)
    with refused("tagger.tampered"):
        Tagger.load(place)


def test_an_edited_card_is_no_harm(tagger, tmp_path):
    place = tagger.save(tmp_path / "t")
    (place / CARD).write_text("my own words")
    assert Tagger.load(place).tags == TAGS


def test_a_newer_format_says_to_update(tagger, tmp_path):
    with refused("tagger.newer"):
        Tagger.load(changed(tagger.save(tmp_path / "t"), format_version=FORMAT_VERSION + 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "something else"},
        {"format_version": "1"},
        {"format_version": 0},
        {"format_version": True},
        {"settings": {}},
        {"settings": []},
        {
            "settings": {
                "distance": "cosine",
                "negatives": 1,
                "unknown": 1,
                "false_unknown": 2,
                "max_sets": 9,
                "tags": ["a"],
            }
        },
        {"identity": {"name": "bands"}},
        {
            "identity": {
                "name": 1,
                "revision": 2,
                "fingerprint": 3,
                "dtype": 4,
                "sample_rate": 5,
                "window_seconds": 6,
                "pooling": 7,
            }
        },
        {"tags": [{"name": "other", "clips": 1, "recordings": 1, "f1": None}]},
        {"tags": None},
        {"arrays": {}},
        {"layer": 7},
        {"whitening": {"name": "w", "layers": ["low"], "provenance": {}}},
        {"figures": {"macro_f1": "high"}},
        {"versions": 3},
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_even_with_right_checksums(tagger, tmp_path, changes):
    with refused("tagger.unreadable"):
        Tagger.load(changed(tagger.save(tmp_path / "t"), **changes))


def test_a_kind_of_the_future_says_to_update(tagger, tmp_path):
    with refused("tagger.unknown_kind"):
        Tagger.load(changed(tagger.save(tmp_path / "t"), kind="telepathy"))


def test_lists_of_any_depth_are_refused():
    """Reading, checking and printing have limits of their own, so some depth passes the one and not the next."""
    for depth in range(1, 1100):
        text = f'{{"format": "mirdemo-tagger", "format_version": {FORMAT_VERSION}, "title": {"[" * depth}{"]" * depth}}}'
        with pytest.raises(TaggerError):
            Tagger.of({MANIFEST: text.encode(), ARRAYS: b""})


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": NaN}', "[" * 100_000])
def test_json_that_is_none_is_refused(tagger, tmp_path, text):
    place = tagger.save(tmp_path / "t")
    (place / MANIFEST).write_text(text)
    with refused("tagger.unreadable"):
        Tagger.load(place)


def test_an_infinite_number_in_the_manifest_is_refused(tagger, tmp_path):
    place = tagger.save(tmp_path / "t")
    text = (place / MANIFEST).read_text(encoding="utf-8")
    (place / MANIFEST).write_text(text.replace('"n_clips": 9', '"n_clips": 1e999'), encoding="utf-8")
    with refused("tagger.tampered"):
        Tagger.load(place)


def test_a_limit_beyond_what_is_computed_here_is_refused(tagger, tmp_path):
    place = tagger.save(tmp_path / "t")
    settings = json.loads((place / MANIFEST).read_text(encoding="utf-8"))["settings"]
    with refused("tagger.unreadable"):
        Tagger.load(changed(place, settings={**settings, "max_sets": 10**9}))


@pytest.mark.parametrize("damage", ["nan", "shape", "dtype"])
def test_arrays_that_no_fit_looks_over_are_looked_over_too(support, backbone, tmp_path, damage):
    from safetensors.numpy import load, save

    embeddings, labels, recordings = support
    made = Tagger.make(
        embeddings, labels, recordings, TAGS, layer="low", method=METHODS["linear"](), spec=backbone.spec
    )
    place = made.save(tmp_path / "t")
    arrays = load((place / ARRAYS).read_bytes())
    if damage == "nan":
        arrays["weights"][0, 0] = np.nan
    elif damage == "shape":
        arrays["thresholds"] = np.tile(arrays["thresholds"], 2)
    else:
        arrays = {name: array.astype(np.float16) for name, array in arrays.items()}
    content = save(arrays)
    (place / ARRAYS).write_bytes(content)
    described = {k: {"dtype": str(a.dtype), "shape": list(a.shape)} for k, a in arrays.items()}
    digest = hashlib.sha256(content).hexdigest()
    with refused("tagger.unreadable"):
        Tagger.load(changed(place, arrays=described, sha256={ARRAYS: digest}))


@pytest.mark.parametrize("damage", ["nan", "shape", "pickle"])
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_executed(tagger, tmp_path, damage):
    import pickle

    from safetensors.numpy import load, save

    place = tagger.save(tmp_path / "t")
    arrays = load((place / ARRAYS).read_bytes())
    if damage == "nan":
        arrays["support"][0, 0] = np.nan
    elif damage == "shape":
        arrays["labels"] = arrays["labels"][:-1]
    content = save(arrays)
    if damage == "pickle":

        class Trap:
            def __reduce__(self):
                return Path.touch, (tmp_path / "executed",)

        content = pickle.dumps(Trap())
    (place / ARRAYS).write_bytes(content)
    described = {k: {"dtype": str(a.dtype), "shape": list(a.shape)} for k, a in arrays.items()}
    digest = hashlib.sha256(content).hexdigest()
    with refused("tagger.unreadable"):
        Tagger.load(changed(place, arrays=described, sha256={ARRAYS: digest}))
    assert not (tmp_path / "executed").exists()


def test_a_zip_is_read_wherever_its_folder_lies_but_never_unpacked(tagger, tmp_path):
    place = tmp_path / "packed.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in tagger.contents().items():
            archive.writestr(f"my tagger/{name}", content)
        archive.writestr("../../evil.txt", "x")
        archive.writestr("my tagger/other.bin", "x")
    assert Tagger.load(place).tags == TAGS
    assert [f.name for f in tmp_path.iterdir()] == ["packed.zip"]


def test_a_zip_with_a_file_twice_or_too_large_is_refused(tagger, tmp_path):
    for name, extra in (("twice.zip", b"x"), ("bomb.zip", bytes(6_000_000))):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            contents = tagger.contents()
            if name == "twice.zip":
                archive.writestr(f"a/{MANIFEST}", extra)
            else:
                contents[MANIFEST] = extra
            for file, content in contents.items():
                archive.writestr(file, content)
        with refused("tagger.unreadable"):
            Tagger.load(tmp_path / name)


def _marked(tagger: Tagger, offset: int, value: int) -> bytes:
    """The tagger as a zip, one byte of its directory's first entry changed."""
    data = bytearray(zipped(tagger.contents()))
    data[data.index(b"PK\x01\x02") + offset] = value
    return bytes(data)


def test_a_zip_that_cannot_be_unpacked_here_is_refused(tagger, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in tagger.contents().items():
            archive.writestr(name, content)
    spoilt = bytearray(packed.getvalue())
    spoilt[200:230] = bytes(30)
    wrong = {
        "locked": _marked(tagger, 8, 1),
        "newer": _marked(tagger, 6, 99),
        "method": _marked(tagger, 10, 99),
        "lzma": bytes(spoilt),
    }
    for name, data in wrong.items():
        (tmp_path / f"{name}.zip").write_bytes(data)
        with refused("tagger.unreadable"):
            Tagger.load(tmp_path / f"{name}.zip")


def test_mutated_taggers_are_whole_or_refused(tagger):
    contents, loaded = tagger.contents(), 0
    packed, manifest = zipped(contents), json.loads(contents[MANIFEST])
    for number in range(tries := mutations(200)):
        rng = np.random.default_rng(number)
        try:
            if number % 2:
                files = read_zip(zip_damaged(packed, rng), "t.zip")
            else:
                forged = json_damaged(manifest, rng)
                text = json.dumps({**forged, "checksum": checksum(forged)})
                files = {**contents, MANIFEST: text.encode("utf-8", "surrogatepass")}
            again = Tagger.of(files, "t.zip")
        except TaggerError as refusal:
            said = str(refusal)
        else:
            said, loaded = ".", loaded + 1
            assert len(again.contents()) == len(contents)
        assert said.endswith(".")
    assert 0 < loaded < 0.75 * tries


def test_a_place_that_cannot_be_written_is_refused(tagger, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for place in (tmp_path / "notes.txt" / "t.zip", tmp_path / "notes.txt" / "deep" / "tagger"):
        with refused("tagger.cannot_write"):
            tagger.save(place)
    assert [f.name for f in tmp_path.iterdir()] == ["notes.txt"]


def test_a_method_of_ones_own_cannot_be_taken_home(support, backbone):
    class Own(LCPrototypes):
        name = "own"

    embeddings, labels, recordings = support
    with refused("tagger.kind"):
        Tagger.make(embeddings, labels, recordings, TAGS, layer="low", method=Own(), spec=backbone.spec)


# ---- the Hub --------------------------------------------------------------------------------------------


def test_a_tagger_is_pushed_and_comes_back_from_the_hub(tagger, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    with PushingHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert tagger.push("me/festival", TOKEN) == f"{hub.url}/me/festival"
        received = hub.repositories["me/festival"]
        assert hub.private["me/festival"]
    assert received == tagger.contents()
    folder = tmp_path / "on the hub"
    folder.mkdir()
    for name, content in received.items():
        (folder / name).write_bytes(content)
    (folder / "huge.bin").write_bytes(b"x" * 100)
    with LoopbackHub() as hub:
        hub.add("me/festival", folder)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        again = Tagger.load("me/festival")
        assert hub.fetched("me/festival") == {MANIFEST, ARRAYS, CARD}
        commit = hub.repositories["me/festival"].main  # all files of one commit, whatever is pushed meanwhile
        resolved = [path for _, path in hub.requests if "/resolve/" in path]
        assert resolved
        assert all(f"/resolve/{commit}/" in path for path in resolved)
    assert again.fingerprint == tagger.fingerprint


def test_what_the_hub_refuses_is_one_sentence_without_the_token(tagger, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model.bin").write_bytes(b"x")
    with PushingHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with refused("tagger.hub_refused") as caught:
            tagger.push("me/festival", "hf_wrong")
        assert "hf_wrong" not in str(caught.value)
        assert not hub.repositories
    with LoopbackHub() as hub:
        hub.add("me/other", tmp_path / "other")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with refused("tagger.hub_refused"):
            Tagger.load("me/nothing")
        with refused("tagger.hub_no_tagger"):
            Tagger.load("me/other")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with refused("tagger.hub_unreachable"):
        Tagger.load("me/festival")
    with refused("tagger.hub_unreachable"):
        tagger.push("me/festival", TOKEN)
    with refused("tagger.hub_name"):
        tagger.push("festival", TOKEN)
    with refused("tagger.hub_token"):
        tagger.push("me/festival", "")


# ---- an archive -----------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    names = ("a.wav", "=b.wav", "c.wav", "d.wav")
    return [
        str(write_wav(tmp_path, name, tone(hertz, 1.0, seed=30)))
        for name, hertz in zip(names, (300, 900, 1500, 310), strict=True)
    ]


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def test_an_archive_becomes_a_table(tagger, backbone, archive, tmp_path):
    report = tag_archive(archive, tagger, tmp_path / "out.csv", backbone=backbone)
    assert (report.tagged, report.kept, report.failed) == (4, 0, 0)
    header, *rows = table(tmp_path / "out.csv")
    assert header == [
        "file",
        "seconds",
        "tags",
        "unknown",
        "incomplete",
        "warnings",
        "problem",
        "tagger",
        *(f"score: {t}" for t in TAGS),
    ]
    assert [r[0] for r in rows] == archive
    assert [r[2] for r in rows] == ["'=flute", "笛", "<b>drum</b>", "'=flute"]
    assert rows[0][1] == "1.00"
    assert float(rows[0][8]) >= 0.5


def test_no_cell_is_a_formula(tagger, backbone, archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tag_archive(["=b.wav", "a.wav"], tagger, "out.csv", backbone=backbone)
    cells = [cell for row in table(tmp_path / "out.csv") for cell in row]
    assert "'=b.wav" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert tag_archive(["=b.wav", "a.wav"], tagger, "out.csv", backbone=backbone).kept == 2
    Path("=b.wav").rename(" =b.wav")  # a spreadsheet passes over the blank
    tag_archive([" =b.wav"], tagger, "blank.csv", backbone=backbone)
    assert table(tmp_path / "blank.csv")[1][0] == "' =b.wav"


@pytest.mark.parametrize("cut", [3, 40, 1])
def test_it_goes_on_where_it_stopped_and_mends_a_torn_line(tagger, backbone, archive, tmp_path, cut):
    whole = tmp_path / "whole.csv"
    tag_archive(archive, tagger, whole, backbone=backbone)
    content = whole.read_bytes()
    torn = tmp_path / "torn.csv"
    torn.write_bytes(content[:-cut])
    report = tag_archive(archive, tagger, torn, backbone=backbone)
    assert (report.tagged, report.kept) == (1, 3)
    assert torn.read_bytes() == content


def test_a_torn_header_is_mended(tagger, backbone, archive, tmp_path):
    out = tmp_path / "out.csv"
    tag_archive(archive[:1], tagger, out, backbone=backbone)
    content = out.read_bytes()
    out.write_bytes(content[:20])
    tag_archive(archive[:1], tagger, out, backbone=backbone)
    assert out.read_bytes() == content


def test_stopping_keeps_what_is_done(tagger, backbone, archive, tmp_path):
    def stop(done, total, phase):
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        tag_archive(archive, tagger, tmp_path / "out.csv", stop, backbone=backbone)
    assert len(table(tmp_path / "out.csv")) == 3
    seen = []
    report = tag_archive(
        archive, tagger, tmp_path / "out.csv", lambda *what: seen.append(what), backbone=backbone
    )
    assert (report.tagged, report.kept) == (2, 2)
    assert seen[-1] == (4, 4, "tagging")


def test_a_file_that_cannot_be_read_is_a_line_with_its_reason_and_tried_again_when_asked(
    tagger, backbone, archive, tmp_path
):
    broken, out, told = tmp_path / "broken.wav", tmp_path / "out.csv", []
    broken.write_bytes(b"no sound")
    files = [broken, archive[0]]
    report = tag_archive(files, tagger, out, backbone=backbone, tell=told.append)
    assert (report.tagged, report.failed) == (1, 1)
    assert "broken.wav" in str(told[0])
    _, line, other = table(out)
    assert line[:8] == [str(broken), "", "", "", "", "", str(told[0]), tagger.fingerprint[:12]]
    assert set(line[8:]) == {""}
    assert (other[0], other[6]) == (archive[0], "")
    shutil.copy(archive[1], broken)
    again = tag_archive(files, tagger, out, backbone=backbone)
    assert (again.tagged, again.kept, again.failed) == (0, 1, 1)
    again = tag_archive(files, tagger, out, backbone=backbone, retry=True)
    assert (again.tagged, again.kept, again.failed) == (1, 1, 0)
    assert [row[0] for row in table(out)[1:]] == [archive[0], str(broken)]


def test_lines_are_read_back_and_passed_on_also_those_that_were_there(tagger, backbone, archive, tmp_path):
    half = Path(archive[2])
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    first, second = [], []
    tag_archive(archive, tagger, tmp_path / "out.csv", backbone=backbone, then=first.append)
    report = tag_archive(archive, tagger, tmp_path / "out.csv", backbone=backbone, then=second.append)
    assert (report.kept, report.incomplete) == (4, 1)
    assert [(one.file, one.tags, one.incomplete) for one in first] == [
        (one.file, one.tags, one.incomplete) for one in second
    ]
    assert [one.file for one in first] == archive
    assert [typed_tags(one.tags) for one in first[:2]] == [("=flute",), ("笛",)]


@pytest.mark.parametrize("name", ["=x.wav", "'=x.wav", "new\nline.wav", "caf\udce9.wav"])
def test_a_file_that_was_there_is_passed_on_by_its_own_name(tagger, backbone, tmp_path, name):
    """Not by its cell, which guards formulas and holds one line: tags are written into the file of that name."""
    path = tmp_path / name
    path.write_bytes(write_wav(tmp_path, "a.wav", tone(300, 4.0)).read_bytes())
    found = []
    for _ in range(2):
        tag_archive([path], tagger, tmp_path / "out.csv", backbone=backbone, then=found.append)
    assert [one.file for one in found] == [str(path)] * 2


def test_a_line_that_a_full_disk_takes_half_of_is_no_line(tagger, backbone, archive, tmp_path, monkeypatch):
    class Full:
        """Takes ten bytes, as a file without a buffer does, then none."""

        def __init__(self, file):
            self.file, self.room, self.fileno = file, 10, file.fileno

        def write(self, data):
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken, self.room = self.file.write(data[: self.room]), 0
            return taken

    out, append = tmp_path / "out.csv", Table.append

    def onto_a_full_disk(table, line):
        table._out = Full(table._out)
        append(table, line)

    with monkeypatch.context() as patch, refused("tagger.csv_cannot_write"):
        patch.setattr(Table, "append", onto_a_full_disk)
        tag_archive(archive[:1], tagger, out, backbone=backbone)
    assert tag_archive(archive[:1], tagger, out, backbone=backbone).tagged == 1
    assert len(table(out)) == 2


def test_no_two_programs_write_one_table(tagger, backbone, archive, tmp_path):
    out = tmp_path / "out.csv"

    def second(line):
        with refused("tagger.csv_held"):
            tag_archive(archive, tagger, out, backbone=backbone)

    tag_archive(archive[:1], tagger, out, backbone=backbone, then=second)
    assert len(table(out)) == 2


def test_many_files_take_no_more_memory_than_their_names(tagger, backbone, tmp_path):
    """Twenty times as many files: what is held at the most grows by less than a clip for each hundred files."""
    source = write_wav(tmp_path, "a.wav", tone(300, 4.0))
    most = []
    for n in (40, 800):
        files = []
        for i in range(n):
            path = tmp_path / f"{n}-{i}.wav"
            path.hardlink_to(source)
            files.append(path)
        tracemalloc.start()
        tag_archive(files, tagger, tmp_path / f"{n}.csv", backbone=backbone)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    clip = 4 * RATE * 4
    assert most[1] - most[0] < 760 / 100 * clip + 760 * 4_000


def test_a_table_of_another_tagger_or_another_kind_is_left_alone(
    tagger, support, backbone, archive, tmp_path
):
    embeddings, labels, recordings = support
    other = Tagger.make(embeddings, labels, recordings, TAGS, layer="high", spec=backbone.spec)
    out = tmp_path / "out.csv"
    tag_archive(archive[:1], other, out, backbone=backbone)
    before = out.read_bytes()
    with refused("tagger.csv_other_tagger"):
        tag_archive(archive, tagger, out, backbone=backbone)
    assert out.read_bytes() == before
    tag_archive(archive[:1], tagger, tmp_path / "right.csv", backbone=backbone)
    long = (tmp_path / "right.csv").read_bytes()
    long = re.sub(rb",\d+\.\d\d,", b",long,", long, count=1)
    for content in (b"shopping list\nmilk\n", b"milk", b"\xff\xfe\n", long, long.replace(b"long", b"nan")):
        out.write_bytes(content)
        with refused("tagger.csv_foreign"):
            tag_archive(archive, tagger, out, backbone=backbone)
        assert out.read_bytes() == content
    with refused("tagger.csv_cannot_write"):
        tag_archive(archive, tagger, tmp_path, backbone=backbone)


def test_a_mutated_table_is_gone_on_with_or_left_as_it_is(tagger, backbone, archive, tmp_path):
    """Gone on with: each file that was asked for stands in it once."""
    out, went_on = tmp_path / "out.csv", 0
    tag_archive(archive[:3], tagger, out, backbone=backbone)
    whole = out.read_bytes()
    store = EmbeddingStore(tmp_path / "store")
    for number in range(tries := mutations(60)):
        rng = np.random.default_rng(number)
        out.write_bytes(before := text_damaged(whole, rng))
        again = partial(
            tag_archive, archive, tagger, out, backbone=backbone, store=store, retry=not number % 2
        )
        if read_or_refused(again, TaggerError) is None:
            assert out.read_bytes() == before
            continue
        went_on += 1
        named = [row[0] for row in table(out)[1:]]
        assert set(archive) <= set(named)
    assert tries // 20 < went_on < tries


def test_every_sentence_has_its_japanese():
    package = Path(__file__).parents[2] / "mirdemo"
    for room, sources in {
        "tagger": [*(package / "tagger").glob("*.py")],
        "fewshot": [*(package / "stages" / "fewshot").glob("*.py")],
    }.items():
        said = json.loads((package / "words" / "text" / f"say.{room}.ja.json").read_text(encoding="utf-8"))
        raised = {}
        for source in sources:
            for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if not isinstance(call, ast.Call) or not call.args:
                    continue
                texts = [
                    a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                codes = [k.value.value for k in call.keywords if k.arg == "code"] + texts[1:2]
                if texts and codes and str(codes[0]).startswith(f"{room}."):
                    raised[codes[0]] = texts[0]
        assert set(raised) == set(said)
        for code, english in raised.items():
            assert set(re.findall(r"{(\w+)}", said[code])) == set(re.findall(r"{(\w+)}", english)), code


def test_the_card_is_in_the_language_that_was_asked_for_and_says_where_the_software_is_had(
    tagger, tmp_path, monkeypatch
):
    monkeypatch.setenv("SPACE_ID", "town/festival")
    english, japanese = (tagger.contents(language) for language in ("en", "ja"))
    assert {name for name in english if english[name] != japanese[name]} == {CARD}
    card = japanese[CARD].decode()
    figure = tagger.facts["figures"]["macro_f1"]
    assert (
        f"| Macro-F1 | {figure['value']:.2f} | {figure['low']:.2f}〜{figure['high']:.2f} | 90 % | 録音 9 件 |"
        in card
    )
    assert "&lt;b&gt;drum&lt;/b&gt;" in card
    assert "<b>" not in card
    assert "clips" not in card.split("---\n")[2].lower()
    assert "huggingface.co/spaces/town/festival" in card
    assert Tagger.load(tagger.save(tmp_path / "t.zip", language="ja")).tags == tagger.tags
    monkeypatch.setenv("SPACE_ID", "town/<b>")
    assert "huggingface.co/spaces" not in tagger.contents()[CARD].decode().split("---\n")[2]


def test_the_card_says_that_clips_count_as_one_recording_while_nobody_has_said(support, backbone, tmp_path):
    embeddings, labels, _ = support
    counted = ["one"] * 3 + [f"recording {i}" for i in range(6)]
    parts = {"layer": "low", "spec": backbone.spec, "in_question": InQuestion(3, 1, 7, 9)}
    made = Tagger.make(embeddings, labels, counted, TAGS, **parts)
    for language, words in (("en", "3 clips count as one recording because"), ("ja", "クリップ 3 個は")):
        told = made.contents(language)[CARD].decode()
        assert words in told
        assert str(made.facts["n_recordings"]) == "7"
    assert "7 instead of 9" in made.contents()[CARD].decode()
    assert Tagger.load(made.save(tmp_path / "t.zip")).contents() == made.contents()
    of_two = replace(made, facts={**made.facts, "in_question": InQuestion(6, 2, 5, 9).as_dict()})
    assert "6 clips count as 2 recordings because" in of_two.contents()[CARD].decode()
    without = Tagger.make(embeddings, labels, counted, TAGS, layer="low", spec=backbone.spec)
    assert "nobody has said" not in without.contents()[CARD].decode()


def test_a_tagger_that_tells_something_else_of_it_is_refused(tagger):
    for told in ({"clips": 3}, {"clips": "3", "counted_as": 1, "counted": 7, "recordings": 9}, [3]):
        forged = replace(tagger, facts={**tagger.facts, "in_question": None})
        contents = forged.contents()
        manifest = json.loads(contents[MANIFEST]) | {"in_question": told}
        manifest["checksum"] = checksum(manifest)
        with refused("tagger.unreadable"):
            Tagger.of({**contents, MANIFEST: json.dumps(manifest).encode()})


def test_it_knows_again_the_clips_that_it_was_made_from(tagger, support, tmp_path):
    again = Tagger.load(tagger.save(tmp_path / "t.zip"))
    assert len(again.learned) == len(support[0].clip_ids) == 9
    assert again.contents() == tagger.contents()
    own = [tone(hertz + 7 * i, seed=i) for i in range(3) for hertz in (300, 900, 1500)]
    assert all(map(again.has_learned, own))
    assert not again.has_learned(tone(300, seed=99))
    assert "by eight bytes" in tagger.contents()[CARD].decode()
    older = replace(tagger, learned=frozenset())
    assert "by eight bytes" not in older.contents()[CARD].decode()
    assert Tagger.of(older.contents()).learned == frozenset()
    assert not Tagger.of(older.contents()).has_learned(own[0])
    forged = replace(tagger, learned=frozenset({"00" * 7}))
    with pytest.raises((TaggerError, ValueError)):
        Tagger.of(forged.contents())


def test_a_title_is_one_line_of_two_hundred_signs_at_most():
    assert _title("x" * 300) == "x" * 200
    assert _title("  my\n tagger ") == "my tagger"
    assert _title(" \n") == "Tagger"
