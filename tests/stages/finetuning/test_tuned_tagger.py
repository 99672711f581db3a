"""The fine-tuned tagger goes home and comes back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from finetuning.conftest import tone, tones

from mirdemo import fine_tune
from mirdemo.backbones import load_backbone
from mirdemo.base.manifests import checksum
from mirdemo.base.sentences import Sentence
from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.scoring.verdicts import WORDS
from mirdemo.stages.finetuning import FineTuneError, FineTuneSettings
from mirdemo.stages.finetuning.tuned import LAYER, TunedHead
from mirdemo.tagger import Tagger, TaggerError, tag_archive
from mirdemo.tagger.file import ARRAYS, CARD, MANIFEST


@pytest.fixture(scope="module")
def report(loaded):
    clips = tones(8, seconds=0.2)
    settings = FineTuneSettings(epochs=6, batch=4, n_folds=2, tail_rate=1e-4, head_rate=3e-2)
    return fine_tune(clips, loaded("mert-95m"), settings=settings)


@pytest.fixture(scope="module")
def tagger(report) -> Tagger:
    return Tagger.fine_tuned(report, "Tones <b>")


def test_it_tags_as_the_tail_and_head_that_were_trained(report, tagger, mert) -> None:
    clip = tone(1800, 5.3, 99)
    scores = {tag: score for tag, score, _ in tagger.tag(clip, backbone=mert, all_tags=True)}
    rows = embed([clip], report.head.tuned(mert)).matrix(LAYER)
    assert scores == pytest.approx(dict(zip(tagger.tags, report.head.scores(rows)[0], strict=True)))
    windows = tagger.tag_windows(clip, backbone=mert)
    assert windows.scores.shape == (2, 2)


def test_the_fine_tuned_backbone_is_the_prefix_and_the_trained_tail(report, mert) -> None:
    import torch

    tuned = report.head.tuned(mert)
    waves = torch.from_numpy(tone(700, 0.2, 1).samples.copy())[None]
    split = mert.split(report.n_blocks)
    split.tail.load_state_dict({name: torch.from_numpy(a) for name, a in report.head.tail.items()})
    expected = split.tail(split.prefix(waves), samples=waves.shape[1])
    torch.testing.assert_close(tuned.pool(tuned.hidden_states(waves))[0], expected, atol=1e-6, rtol=1e-6)
    untrained = mert.pool(mert.hidden_states(waves))[-1]
    assert not torch.allclose(expected, untrained, atol=1e-5)


@pytest.mark.parametrize("place", ["folder", "file.zip"])
def test_what_is_loaded_tags_as_what_was_saved(tagger, mert, tmp_path, place) -> None:
    loaded = Tagger.load(tagger.save(tmp_path / place))
    assert loaded.kind == "fine-tuned"
    clip = tone(500, 0.2, 7)
    assert loaded.tag(clip, backbone=mert, all_tags=True) == tagger.tag(clip, backbone=mert, all_tags=True)
    assert loaded.fingerprint == tagger.fingerprint


def test_another_backbone_is_refused(tagger, loaded) -> None:
    with pytest.raises(TaggerError) as error:
        tagger.tag(tone(500, 0.2, 7), backbone=loaded("mert-330m"))
    assert error.value.sentence.code == "tagger.other_backbone"
    spectral = load_backbone("spectral", device="cpu")
    with pytest.raises(TaggerError):
        tagger.decide(tone(500, 0.2, 7), backbone=spectral)


def test_it_listens_with_torch_whatever_engine_its_backbone_has(tagger, report, mert, monkeypatch) -> None:
    plain = report.head.tuned(mert).identity
    clip = tone(500, 0.2, 7)
    expected = tagger.tag(clip, backbone=mert, all_tags=True)
    monkeypatch.setattr(
        mert, "identity", replace(mert.identity, dtype="int8", engine="openvino 1, 8 bits on avx512_vnni")
    )
    other, eight = (
        Sentence("Slow.", "backbone.slow"),
        Sentence("Computed in int8.", "backbone.int8_unmeasured"),
    )
    monkeypatch.setattr(mert, "warnings", (other, eight))
    heard = report.head.tuned(mert)
    assert heard.identity == plain
    assert heard.warnings == (other,)
    tagger.rest()  # else it has the backbone still that it made before
    assert tagger.tag(clip, backbone=mert, all_tags=True) == expected


def test_its_backbone_is_loaded_for_torch_though_it_was_made_beside_eight_bits(
    tagger, mert, monkeypatch
) -> None:
    eight = replace(mert.identity, dtype="int8", engine="openvino 1, 8 bits on avx512_vnni")
    asked = []

    def load(name, **how):
        asked.append(how)
        return mert

    monkeypatch.setattr("mirdemo.backbones.load_backbone", load)
    replace(tagger, identity=eight).listening()
    assert asked == [{"dtype": "float32", "engine": None}]


def test_embeddings_of_the_untrained_backbone_are_refused(tagger, mert) -> None:
    with pytest.raises(TaggerError) as error:
        tagger.rows(embed([tone(500, 0.2, 7)], mert))
    assert error.value.sentence.code == "tagger.other_backbone"


def test_the_store_keeps_tails_apart(report, mert, tmp_path) -> None:
    store, clip = EmbeddingStore(tmp_path), tone(500, 0.2, 7)
    first = report.head.tuned(mert)
    moved = {
        name: array + 0.1 if array.dtype == np.float32 else array for name, array in report.head.tail.items()
    }
    head = report.head
    second = TunedHead(head.tags, head.weights, head.bias, head.n_blocks, moved).tuned(mert)
    assert len({mert.identity, first.identity, second.identity}) == 3
    one = embed([clip], first, store=store).matrix(LAYER)
    other = embed([clip], second, store=store).matrix(LAYER)
    assert not np.allclose(one, other)
    np.testing.assert_array_equal(embed([clip], first, store=store).matrix(LAYER), one)


def test_the_manifest_names_the_prefix_and_the_card_the_verdict(report, tagger) -> None:
    contents = tagger.contents()
    manifest = json.loads(contents[MANIFEST])
    assert manifest["identity"]["fingerprint"] == report.identity.fingerprint
    assert manifest["identity"]["revision"] == "local"
    assert manifest["backbone"]["repository"] == "m-a-p/MERT-v1-95M"
    assert manifest["fine_tuned"]["blocks"] == 2
    assert manifest["fine_tuned"]["verdict"] == report.verdict
    card = contents[CARD].decode()
    assert 'license: "cc-by-nc-4.0"' in card
    assert "its last 2 blocks fine-tuned" in card
    assert "cross-validation in 2 folds" in card
    assert "leave one recording out" not in card
    assert str(report.sentence) in card, "page, report, JSON and card speak with one voice"
    assert report.as_dict()["sentence"] == str(report.sentence)
    assert "the best probe of the same backbone was not whitened" in card
    assert manifest["fine_tuned"]["added"] == report.macro.added.roc_auc.as_dict()
    assert manifest["fine_tuned"]["gain"] == report.macro.gain.roc_auc.as_dict()
    assert "<b>" not in card
    for tag in manifest["tags"]:
        gain = report.tag(tag["name"])
        assert tag["roc_auc"] == gain.figures.roc_auc.as_dict()
        assert f"| {WORDS[gain.heard]} | {gain.figures.roc_auc.value:.2f} |" in card
    assert "embeddings of the labelled clips" not in card


def test_it_holds_the_tail_and_no_sound(report, tagger, mert) -> None:
    from safetensors.numpy import load

    arrays = load(tagger.contents()[ARRAYS])
    tail = mert.split(2).tail.state_dict()
    assert {name.removeprefix("tail/") for name in arrays if name.startswith("tail/")} == set(tail)
    assert {name for name in arrays if not name.startswith("tail/")} == {"weights", "bias"}


def repacked(tagger, change) -> dict[str, bytes]:
    from mirdemo.tagger import file as tagger_file

    settings, arrays = tagger.method.state()
    manifest = json.loads(tagger.contents()[MANIFEST])
    manifest["settings"] = settings
    change(manifest, arrays)
    for key in ("arrays", "sha256", "checksum"):
        manifest.pop(key)
    packed = tagger_file.pack(manifest, arrays, "card")
    assert checksum(json.loads(packed[MANIFEST])) == json.loads(packed[MANIFEST])["checksum"]
    return packed


@pytest.mark.parametrize(
    "change",
    [
        lambda m, a: a.update(weights=a["weights"][:, :1]),
        lambda m, a: a.pop("bias"),
        lambda m, a: m["settings"].pop("n_blocks"),
        lambda m, a: m["settings"].update(n_blocks="two"),
        lambda m, a: m["fine_tuned"].update(verdict="splendid"),
        lambda m, a: m["fine_tuned"].update(verdict="worth_it"),  # not what its figures say
        lambda m, a: m["fine_tuned"].update(added={"value": "much"}),
        lambda m, a: m["settings"].update(tags=["other", "tags"]),
    ],
)
def test_parts_that_do_not_fit_are_refused_at_once(tagger, change) -> None:
    with pytest.raises(TaggerError) as error:
        Tagger.of(repacked(tagger, change))
    assert error.value.sentence.code == "tagger.unreadable"


def test_a_tail_that_does_not_fit_the_backbone_is_refused(tagger, mert) -> None:
    def shrink(manifest, arrays):
        name = next(name for name in arrays if name.startswith("tail/"))
        arrays[name] = arrays[name][:1]

    damaged = Tagger.of(repacked(tagger, shrink))
    with pytest.raises(FineTuneError) as error:
        damaged.tag(tone(500, 0.2, 7), backbone=mert)
    assert error.value.sentence.code == "finetuning.other_tail"


def test_an_archive_is_tagged_with_it(tagger, mert, tmp_path) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.wav", tone(1800, 0.2, 5).samples, 24_000)
    done = tag_archive([tmp_path / "a.wav"], tagger, tmp_path / "tags.csv", backbone=mert)
    assert (done.tagged, done.failed) == (1, 0)


def test_a_head_gives_scores_between_0_and_1_and_tags_from_one_half() -> None:
    head = TunedHead(("a", "b"), np.array([[1.0, -1.0]]), np.array([0.0, 5.0]), 1, {})
    scores = head.scores(np.array([[0.0], [1e6], [-1e6]]))
    np.testing.assert_allclose(scores[:, 0], [0.5, 1.0, 0.0])
    np.testing.assert_array_equal(head.predict(np.array([[0.0], [2.0]])), [[1, 1], [1, 1]])
    settings, arrays = head.state()
    again = TunedHead.from_state(json.loads(json.dumps(settings)), arrays)
    assert again.tags == head.tags
    np.testing.assert_array_equal(again.scores(np.ones((1, 1))), head.scores(np.ones((1, 1))))


def test_every_family_makes_a_tagger(loaded, checkpoint) -> None:
    clips = tones(4, seconds=0.2)
    for kind in ("clap", "whisper"):
        backbone = loaded(kind)
        report = fine_tune(clips, backbone, settings=FineTuneSettings(epochs=1, n_folds=2))
        tagger = Tagger.of(Tagger.fine_tuned(report).contents())
        assert replace(tagger.identity) == backbone.identity
        scores = [score for _, score, _ in tagger.tag(clips.clips[0], backbone=backbone, all_tags=True)]
        assert len(scores) == 2
