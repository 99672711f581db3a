"""Whitening: shrinks what differs between renderings, keeps the rest, and only for its own backbone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound_damage import damaged, mutations
from text_damage import json_damaged, read_or_refused

from mirdemo.backbones import load_backbone, specs
from mirdemo.backbones.spec import Identity, Part
from mirdemo.embedding import whitening as module
from mirdemo.embedding.embed import Embeddings
from mirdemo.embedding.store import ClipEmbedding
from mirdemo.embedding.whitening import (
    LayerWhitening,
    Whitening,
    WhiteningError,
    stored_path,
    whitening_for,
)

SHIPPED = module.SHIPPED
IDENTITY = Identity("probe", "1", "f" * 64, "float32", 24_000, 2.0, "mean")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MIRDEMO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "assets")


def scattered(performances: int = 60, views: int = 3, size: int = 12, seed: int = 0):
    """Rows whose performances differ in the first half of the axes and whose views differ in the other half."""
    rng = np.random.default_rng(seed)
    music = rng.standard_normal((performances, size))
    music[:, size // 2 :] *= 0.3
    rooms = rng.standard_normal((performances * views, size))
    rooms[:, : size // 2] *= 0.05
    rooms[:, size // 2 :] *= 2.0
    groups = np.repeat(np.arange(performances), views)
    return music[groups] + rooms, groups


def embeddings(rows: np.ndarray, identity: Identity = IDENTITY) -> Embeddings:
    entries = [ClipEmbedding(np.array([0.0, 2.0]), {"a": np.stack([row - 0.5, row + 0.5])}) for row in rows]
    return Embeddings.of(identity, {"a": rows.shape[1]}, [str(i) for i in range(len(rows))], entries)


def nearest_is_kin(rows: np.ndarray, groups: np.ndarray) -> float:
    """How often a row's nearest neighbour by cosine is of its own group."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    like = unit @ unit.T - 2 * np.eye(len(rows))
    return float((groups[like.argmax(axis=1)] == groups).mean())


def test_views_of_one_performance_come_together():
    train, train_groups = scattered(seed=0)
    rows, groups = scattered(seed=1)
    plain = nearest_is_kin(rows, groups)
    mild = nearest_is_kin(LayerWhitening.fit(train, train_groups).apply(rows), groups)
    strong = nearest_is_kin(LayerWhitening.fit(train, train_groups, shrinkage=0.05).apply(rows), groups)
    assert plain + 0.1 < mild < strong
    assert strong > 0.9


def test_without_scatter_it_only_standardises():
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.standard_normal((20, 5)), 2, axis=0)
    fitted = LayerWhitening.fit(rows, np.repeat(np.arange(20), 2))
    np.testing.assert_allclose(fitted.apply(rows), (rows - rows.mean(0)) / rows.std(0), atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_the_unit_and_origin_of_a_layer_do_not_matter(seed, factor, shift):
    rows, groups = scattered(performances=12, seed=seed)
    plain = LayerWhitening.fit(rows, groups).apply(rows)
    moved = LayerWhitening.fit(rows * factor + shift, groups).apply(
        (rows * factor + shift).astype(np.float32)
    )
    np.testing.assert_allclose(plain, moved, atol=0.05)


def test_full_rank_equals_the_textbook_inverse_root():
    """With no shrinkage and every direction kept, the within-class covariance becomes the identity times a number."""
    rows, groups = scattered(performances=200, size=6)
    y = LayerWhitening.fit(rows, groups, shrinkage=0.0, rank=5).apply(rows)
    means = np.stack([y[groups == g].mean(0) for g in np.unique(groups)])
    residual = y - means[groups]
    covariance = residual.T @ residual / (len(y) - len(means))
    np.testing.assert_allclose(covariance / covariance[0, 0], np.eye(6), atol=1e-3)


PARTS = (Part(4, 2.0), Part(8, 1.0))


def test_parts_of_a_row_have_their_share_as_length_and_keep_their_direction():
    rows, groups = scattered(performances=20)
    flat = LayerWhitening.fit(rows, groups).apply(rows)
    parted = LayerWhitening.fit(rows, groups, parts=PARTS).apply(rows)
    for part, run in zip(PARTS, (slice(0, 4), slice(4, 12)), strict=True):
        expected = part.share * flat[:, run] / np.linalg.norm(flat[:, run], axis=1, keepdims=True)
        np.testing.assert_allclose(parted[:, run], expected, rtol=1e-5)


@pytest.mark.parametrize("times", [1e-3, 0.1])
def test_how_near_a_clip_is_does_not_matter_by_parts(times):
    rows, groups = scattered(performances=20)
    fitted = LayerWhitening.fit(rows, groups, parts=PARTS)
    nearer = fitted.centre + times * (rows - fitted.centre)
    np.testing.assert_allclose(fitted.apply(nearer), fitted.apply(rows), atol=2e-3)


@pytest.mark.parametrize("parts", [(), (Part(24, 2.0), Part(24))])
def test_a_clip_that_is_far_out_as_a_whole_keeps_its_direction(parts):
    rows, groups = scattered(performances=40, size=48)
    fitted = LayerWhitening.fit(rows, groups, parts=parts)
    near, far = fitted.apply(rows), fitted.apply(fitted.centre + 1e3 * (rows - fitted.centre))
    cosines = (near * far).sum(axis=1) / np.linalg.norm(near, axis=1) / np.linalg.norm(far, axis=1)
    assert cosines.min() > 0.9
    assert np.median(cosines) > 0.999


def test_a_part_without_length_stays_so():
    rows, groups = scattered(performances=20)
    fitted = LayerWhitening.fit(rows, groups, parts=PARTS)
    np.testing.assert_array_equal(fitted.apply(fitted.centre[None]), np.zeros((1, 12)))


@pytest.mark.parametrize(
    "parts",
    [
        (Part(4), Part(7)),
        (Part(4), Part(9)),
        (Part(0), Part(12)),
        (Part(13), Part(-1)),
        (Part(12, -1.0),),
        (Part(12, float("nan")),),
        (Part(12, float("inf")),),
        (Part(12, 1e30),),
        (Part(4.0), Part(8.0)),
    ],
)
def test_parts_that_are_not_those_of_the_rows_are_refused(parts):
    rows, groups = scattered(performances=10)
    with pytest.raises(ValueError):
        LayerWhitening.fit(rows, groups, parts=parts)


def test_a_part_may_count_for_nothing():
    rows, groups = scattered(performances=10)
    white = LayerWhitening.fit(rows, groups, parts=(Part(4, 0.0), Part(8))).apply(rows)
    assert not white[:, :4].any()
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), 1.0, rtol=1e-5)


def test_where_one_part_is_extreme_the_other_still_counts():
    """Two clips of one music, one of them with a first part ten times as far out: their cosine says mostly the same."""
    rows, groups = scattered(performances=40)
    one = rows[:1]
    other = one.copy()
    other[:, :4] = -10 * one[:, :4]

    def cosine(parts) -> float:
        a, b = LayerWhitening.fit(rows, groups, parts=parts).apply(np.concatenate([one, other]))
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine((Part(4), Part(8))) > cosine(()) + 0.2


def test_the_mean_of_the_windows_stays_the_clip():
    rows, groups = scattered(performances=10)
    given_ = embeddings(rows)
    made = Whitening.fit(given_, groups).apply(given_)
    np.testing.assert_allclose(made.layers["a"][3], made.windows(3)["a"].mean(0), atol=1e-5)
    assert made.identity == IDENTITY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "other"),
        ("revision", "2"),
        ("fingerprint", "0" * 64),
        ("window_seconds", 5.0),
        ("pooling", "max"),
    ],
)
def test_another_backbone_is_refused(field, value):
    rows, groups = scattered(performances=10)
    fitted = Whitening.fit(embeddings(rows), groups)
    other = embeddings(rows, replace(IDENTITY, **{field: value}))
    with pytest.raises(WhiteningError) as caught:
        fitted.apply(other)
    assert caught.value.sentence.code == "whitening.other_backbone"


def test_another_precision_is_accepted():
    rows, groups = scattered(performances=10)
    fitted = Whitening.fit(embeddings(rows), groups)
    assert len(fitted.apply(embeddings(rows, replace(IDENTITY, dtype="bfloat16")))) == len(rows)


def test_an_unknown_layer_is_refused():
    rows, groups = scattered(performances=10)
    with pytest.raises(WhiteningError) as caught:
        Whitening.fit(embeddings(rows), groups).matrix("b", rows, IDENTITY)
    assert caught.value.sentence.code == "whitening.layer"


def unlike(size: int = 60):
    """Rows of two kinds of sound with the same music in them: on the first, some units all but stand still."""
    rng = np.random.default_rng(0)
    rows, groups = scattered(performances=60, size=size)
    music, kin = scattered(performances=40, size=size, seed=1)
    rows, music = rows.astype(np.float64), music.astype(np.float64)
    rows[:, ::12] = 1e-2 * rng.standard_normal(rows[:, ::12].shape)
    music[:, ::12] = 3 * rng.standard_normal(music[:, ::12].shape)
    return rows, groups, music, kin


def test_units_that_stood_still_in_the_fit_do_not_drown_the_others():
    rows, groups, music, kin = unlike()
    fitted = LayerWhitening.fit(rows, groups)
    plain = nearest_is_kin(music, kin)
    assert nearest_is_kin(fitted.apply(music), kin) > plain
    # What it did: divided by next to nothing, and cut nowhere.
    ruined = LayerWhitening.fit(rows, groups, floor=0.0, limit=np.inf)
    np.testing.assert_allclose(ruined.scale, rows.std(axis=0), rtol=1e-5)
    assert nearest_is_kin(ruined.apply(music), kin) < plain - 0.05

    def share(white: np.ndarray) -> float:
        return float((white[:, ::12] ** 2).sum() / (white**2).sum())

    assert share(ruined.apply(music)) > 0.99, "five of sixty units"
    assert share(fitted.apply(music)) < 0.7


def test_sound_unlike_that_of_the_fit_is_told_and_like_sound_is_not():
    rows, groups, music, _ = unlike()
    fitted = Whitening.fit(embeddings(rows), groups)
    again, _ = scattered(performances=60, size=60, seed=5)
    again[:, ::12] = 1e-2 * np.random.default_rng(9).standard_normal(again[:, ::12].shape)
    assert fitted.strange(embeddings(again)) is None
    told = fitted.strange(embeddings(music))
    assert told.code == "whitening.strange"
    assert told.values["layer"] == "a"
    assert 3 < float(told.values["percent"]) < 9
    assert fitted.strange(embeddings(music[:0])) is None


def test_a_part_is_floored_by_its_own_kind():
    """Statistics a thousand times as large beside a network's states do not make those units that stand still."""
    rows, groups = scattered(performances=40)
    rows[:, 4:] *= 1e3
    by_parts = LayerWhitening.fit(rows, groups, parts=PARTS)
    np.testing.assert_allclose(by_parts.scale[:4], rows.std(axis=0)[:4], rtol=1e-3)


def test_a_file_from_before_the_limit_whitens_as_it_did(tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    rows, groups = scattered()
    path = tmp_path / "w.safetensors"
    fitted = Whitening.fit(embeddings(rows), groups)
    fitted.save(path)
    with safe_open(path, framework="numpy") as opened:
        header = opened.metadata()
    kept = {key: value for key, value in header.items() if key != "limits"}
    save_file(load_file(path), path, metadata={**kept, "format": "mirdemo-whitening-2"})
    far = rows * 50
    old, new = Whitening.load(path).layers["a"], replace(fitted.layers["a"], limit=np.inf)
    np.testing.assert_allclose(old.apply(far), new.apply(far), rtol=2e-2, atol=0.5)
    assert old.limit == np.inf


def test_one_performance_is_too_few():
    rows, _ = scattered(performances=1)
    with pytest.raises(WhiteningError) as caught:
        Whitening.fit(embeddings(rows), np.zeros(len(rows)))
    assert caught.value.sentence.code == "whitening.too_few"


def test_saved_and_read_it_gives_the_same_rows(tmp_path):
    rows, groups = scattered()
    fitted = Whitening.fit(embeddings(rows), groups, parts={"a": PARTS}, provenance={"seed": 3})
    fitted.save(tmp_path / "w.safetensors")
    back = Whitening.load(tmp_path / "w.safetensors")
    assert back.layers["a"].parts == PARTS
    np.testing.assert_allclose(back.layers["a"].apply(rows), fitted.layers["a"].apply(rows), atol=0.02)
    assert back.identity == IDENTITY
    assert back.provenance == fitted.provenance
    assert back.provenance["seed"] == 3
    assert [p.name for p in tmp_path.glob("w*")] == ["w.safetensors"]


def test_arrays_that_are_not_contiguous_are_stored_right(tmp_path):
    """safetensors 0.8.0 (``safetensors.numpy.save_file``) stores their memory in its own order, without a word."""
    from dataclasses import fields, replace

    rows, groups = scattered()
    fitted = Whitening.fit(embeddings(rows), groups)
    layer = fitted.layers["a"]
    apart = {
        field.name: np.repeat(value, 2, axis=-1)[..., ::2]
        for field in fields(layer)
        if isinstance(value := getattr(layer, field.name), np.ndarray)
    }
    assert len(apart) == 4
    assert not any(value.flags.c_contiguous for value in apart.values())
    replace(fitted, layers={"a": replace(layer, **apart)}).save(tmp_path / "apart.safetensors")
    fitted.save(tmp_path / "whole.safetensors")
    apart_back, whole_back = (Whitening.load(tmp_path / f"{name}.safetensors") for name in ("apart", "whole"))
    np.testing.assert_array_equal(apart_back.layers["a"].apply(rows), whole_back.layers["a"].apply(rows))


@pytest.mark.parametrize("name", [name for name, spec in specs().items() if spec.embedded])
def test_every_embedded_backbone_has_its_whitening(name):
    backbone = load_backbone(name, device="cpu")
    shipped = SHIPPED / f"{name}.safetensors"
    whitening = Whitening.load(shipped)
    assert whitening.fits(backbone.identity)
    for layer in backbone.spec.layers:
        assert whitening.layers[layer.name].parts == layer.parts
        assert sum(part.size for part in layer.parts) in (0, layer.size)
    assert shipped.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("layers", wrong) for wrong in ("[" * 100_000, '{"a": 3}', '{"a": [[12, NaN]]}', '["a"]')),
        *(("identity", wrong) for wrong in ("[]", "{}", json.dumps({**IDENTITY.as_dict(), "name": 3}))),
        ("limits", json.dumps({"a": 10**400})),
        ("provenance", "[]"),
    ],
)
def test_words_that_are_none_are_refused(tmp_path, name, value):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    rows, groups = scattered(performances=10)
    path = tmp_path / "w.safetensors"
    Whitening.fit(embeddings(rows), groups).save(path)
    with safe_open(path, framework="numpy") as opened:
        header = opened.metadata()
    save_file(load_file(path), path, metadata={**header, name: value})
    with pytest.raises(WhiteningError) as caught:
        Whitening.load(path)
    assert caught.value.sentence.code == "whitening.unreadable"


@pytest.mark.parametrize("content", [b"", b"not one", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(WhiteningError) as caught:
        Whitening.load(tmp_path / "w.safetensors")
    assert caught.value.sentence.code == "whitening.unreadable"


def test_a_mutated_file_is_a_whitening_or_refused(tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    rows, groups = scattered(performances=10)
    path, read = tmp_path / "w.safetensors", 0
    Whitening.fit(embeddings(rows), groups, provenance={"fitted": "here"}).save(path)
    whole, tensors = path.read_bytes(), load_file(path)
    with safe_open(path, framework="numpy") as opened:
        header = opened.metadata()
    for number in range(tries := mutations(200)):
        rng = np.random.default_rng(number)
        if number % 2:
            path.write_bytes(damaged(whole, whole[::-1], rng))
        else:  # a right file of other words
            name = ("identity", "layers", "limits", "provenance")[number // 2 % 4]
            other = json.dumps(json_damaged(json.loads(header[name]), rng))
            save_file(tensors, path, metadata={**header, name: other})
        found = read_or_refused(lambda: Whitening.load(path), WhiteningError)
        if found is None:
            continue
        read += 1
        for layer in found.layers:
            with np.errstate(all="ignore"):
                found.matrix(layer, rows, found.identity)
        assert found.name
        found.save(tmp_path / "again.safetensors")
    assert tries // 20 < read < tries


def test_it_is_found_in_the_assets_first_then_in_the_store_and_only_for_its_backbone():
    rows, groups = scattered(performances=10)
    assert whitening_for(IDENTITY) is None
    Whitening.fit(embeddings(rows), groups, provenance={"at": "home"}).save(stored_path(IDENTITY))
    assert whitening_for(IDENTITY).provenance["at"] == "home"
    Whitening.fit(embeddings(rows), groups, provenance={"at": "assets"}).save(
        module.SHIPPED / "probe.safetensors"
    )
    assert whitening_for(IDENTITY).provenance["at"] == "assets"
    assert whitening_for(replace(IDENTITY, fingerprint="0" * 64)) is None
    (module.SHIPPED / "probe.safetensors").write_bytes(b"cut short")
    assert whitening_for(IDENTITY).provenance["at"] == "home"


def test_a_file_of_an_earlier_format_is_fitted_again(tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    rows, groups = scattered(performances=10)
    path = tmp_path / "w.safetensors"
    Whitening.fit(embeddings(rows), groups).save(path)
    with safe_open(path, framework="numpy") as opened:
        header = opened.metadata()
    save_file(load_file(path), path, metadata={**header, "format": "mirdemo-whitening-1", "layers": '["a"]'})
    with pytest.raises(WhiteningError) as caught:
        Whitening.load(path)
    assert caught.value.sentence.code == "whitening.unreadable"
