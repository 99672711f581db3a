"""The second engine computes what torch computes, or is not used."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from backbones.conftest import KINDS

from mirdemo.backbones import BackboneError, eight_bits, engine, load_backbone
from mirdemo.backbones.spec import Identity
from mirdemo.base import processor

pytest.importorskip("openvino", reason="OpenVINO is an optional extra (requirements-fast.txt)")


@pytest.fixture(autouse=True)
def units(monkeypatch):
    """Eight bits are proven on any processor: one without their units computes the same network, only not faster."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx_vnni": True})


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """One for all tests here: a network is converted once, whatever is then found of it."""
    convert, kept = engine._convert, {}

    def once(backbone, path, precision="float32") -> None:
        key = backbone.identity.fingerprint, precision
        if key not in kept:
            convert(backbone, path, precision)
            kept[key] = shutil.copytree(path.parent, tmp_path_factory.mktemp("network") / "kept")
        else:
            shutil.copytree(kept[key], path.parent, dirs_exist_ok=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRDEMO_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(engine, "_convert", once)
        yield


def load(kind, checkpoint, wanted):
    return load_backbone(
        KINDS[kind][0], checkpoint=checkpoint(kind), device="cpu", dtype="float32", engine=wanted
    )


def folder(backbone):
    """Where its converted network lies, if it is kept."""
    return engine._folder(replace(backbone.identity, engine=engine.installed()))


@pytest.mark.parametrize("kind", ["mert-95m", "clap", "qwen2-audio", "ast"])
def test_every_layer_is_torchs_on_windows_of_any_length_and_number(kind, checkpoint, loaded, waves) -> None:
    backbone, plain = load(kind, checkpoint, "openvino"), loaded(kind)
    assert backbone.engine is not None
    assert plain.engine is None
    for seconds, rows in ((99.0, 3), (99.0, 1), (0.7, 2)):
        sound = waves(plain, seconds, rows)
        for ours, theirs in zip(backbone.hidden_states(sound), plain.hidden_states(sound), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_rows_name_their_engine_and_a_store_keeps_them_apart(checkpoint, loaded, waves, tmp_path) -> None:
    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.sound.audio import Clip

    backbone, plain = load("mert-95m", checkpoint, "openvino"), loaded("mert-95m")
    assert backbone.identity == replace(plain.identity, engine=engine.installed())
    assert backbone.identity.engine.startswith("openvino ")
    assert "engine" not in plain.identity.as_dict()  # keys of rows that are stored already
    assert Identity(**backbone.identity.as_dict()) == backbone.identity
    clip = Clip.of(waves(plain, 1.0, 1)[0].numpy(), plain.spec.sample_rate)
    store = EmbeddingStore(tmp_path / "store")
    embed([clip], plain, store=store)
    assert store.get(backbone.identity, clip.sha256) is None
    made = embed([clip], backbone, store=store)
    assert store.get(backbone.identity, clip.sha256) is not None
    np.testing.assert_allclose(made.matrix("3"), embed([clip], plain).matrix("3"), atol=1e-4)


def test_fine_tuning_is_torchs_own(checkpoint, loaded, waves) -> None:
    backbone, plain = load("mert-95m", checkpoint, "openvino"), loaded("mert-95m")
    sound = waves(plain)
    assert torch.equal(backbone.split(1).prefix(sound), plain.split(1).prefix(sound))


def test_what_is_not_faithful_is_not_used(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(engine, "VERSION", "an unfaithful converter")
    monkeypatch.setattr(engine, "_agreement", lambda *_: 0.99)
    plain = load("mert-95m", checkpoint, "auto")
    assert plain.engine is None
    assert not folder(plain).exists(), "what is not used is not kept"
    with pytest.raises(BackboneError) as refusal:
        load("mert-95m", checkpoint, "openvino")
    assert refusal.value.sentence.code == "backbone.engine_unfaithful"


def test_what_is_slower_is_used_only_when_it_is_asked_for(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(engine, "VERSION", "a slow one")
    monkeypatch.setattr(engine.Proof, "faster", 0.5)
    slow = load("mert-95m", checkpoint, "auto")
    assert slow.engine is None
    assert not folder(slow).exists()
    asked = load("mert-95m", checkpoint, "openvino")
    assert asked.engine is not None
    assert folder(asked).exists()
    monkeypatch.setattr(engine, "_convert", None)  # a second load converts nothing
    assert load("mert-95m", checkpoint, "openvino").engine is not None


def test_a_conversion_that_fails_leaves_torch(checkpoint, monkeypatch) -> None:
    tried = []

    def fails(*_):
        tried.append(1)
        raise RuntimeError("an operation it does not know")

    monkeypatch.setattr(engine, "VERSION", "a converter that fails")
    monkeypatch.setattr(engine, "_convert", fails)
    for _ in range(2):
        assert load("hubert", checkpoint, "auto").engine is None
    assert len(tried) == 1, "not at every load again"
    with pytest.raises(BackboneError) as refusal:
        load("hubert", checkpoint, "openvino")
    assert refusal.value.sentence.code == "backbone.engine_failed"


@pytest.mark.parametrize(
    ("name", "wanted", "code"),
    [("spectral", "openvino", "backbone.engine_unfit"), ("spectral", "fpga", "backbone.engine")],
)
def test_an_engine_that_cannot_be_had_is_refused(name, wanted, code) -> None:
    with pytest.raises(BackboneError) as refusal:
        load_backbone(name, device="cpu", engine=wanted)
    assert refusal.value.sentence.code == code


def test_without_the_package_torch_computes_and_a_wish_is_answered(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(engine, "installed", lambda *_: None)
    assert load("mert-95m", checkpoint, "auto").engine is None
    with pytest.raises(BackboneError) as refusal:
        load("mert-95m", checkpoint, "openvino")
    assert refusal.value.sentence.code == "backbone.no_engine"


def test_eight_bits_come_on_request_alone_are_proven_and_their_rows_say_so(
    checkpoint, loaded, waves, tmp_path, monkeypatch
) -> None:
    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.sound.audio import Clip

    monkeypatch.setattr(engine.Proof, "faster", 3.0)
    plain, quick = loaded("mert-95m"), load("mert-95m", checkpoint, "openvino-int8")
    assert quick.identity == replace(plain.identity, engine=engine.installed("int8"), dtype="int8")
    assert quick.identity.again() == {"dtype": "float32", "engine": "openvino-int8"}
    assert load("mert-95m", checkpoint, "auto").identity.dtype == "float32"
    assert quick.engine.proof.cosine >= 0.999
    sound = waves(plain, 4.0)
    moved = [
        float((ours - theirs).abs().max())
        for ours, theirs in zip(quick.hidden_states(sound), plain.hidden_states(sound), strict=True)
    ]
    assert max(moved) > 1e-3, "these are eight bits"
    clip = Clip.of(sound[0].numpy(), plain.spec.sample_rate)
    store = EmbeddingStore(tmp_path / "store")
    embed([clip], quick, store=store)
    assert store.get(quick.identity, clip.sha256) is not None
    assert store.get(plain.identity, clip.sha256) is None
    assert store.get(load("mert-95m", checkpoint, "openvino").identity, clip.sha256) is None


def test_eight_bits_are_named_by_their_units_and_refused_without(checkpoint, loaded, monkeypatch) -> None:
    def has(*units):
        able = {one: one in units for one in ("avx2", "avx_vnni", "avx512_vnni", "amx_int8")}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)

    monkeypatch.setattr(processor, "units", lambda: ())  # as on a system without /proc
    names = set()
    for held in (("avx2", "avx_vnni"), ("avx2", "avx512_vnni"), ("avx512_vnni", "amx_int8")):
        has(*held)
        names.add(engine.installed("int8"))
    assert len(names) == 3
    assert f"{engine.installed()}, 8 bits by rows on amx_int8" in names
    keys = []
    for held in (("avx2",), ("avx2", "avx512f")):
        monkeypatch.setattr(processor, "units", lambda held=held: held)
        keys.append(engine._key(loaded("mert-95m").identity))
    assert keys[0] != keys[1], "another machine's proof is none of this one's"
    has("avx2")
    with pytest.raises(BackboneError) as refusal:
        load("mert-95m", checkpoint, "openvino-int8")
    assert refusal.value.sentence.code == "backbone.no_eight_bits"


def test_quiet_rows_are_rounded_by_what_they_hold(tmp_path) -> None:
    """A row a thousandth as loud is no less exact, which ranges that are fixed beforehand cannot give."""
    import openvino
    from openvino import opset13 as ops

    draw = np.random.default_rng(0)
    weights = (
        draw.standard_normal((256, 384)).astype(np.float32)
        * np.logspace(-3, 1, 256, dtype=np.float32)[:, None]
    )
    weights[7] = 0
    rows = draw.standard_normal((64, 384)).astype(np.float32)
    rows[32:] = rows[:32] / 1000
    given = ops.parameter([-1, 384], np.float32)
    model = openvino.Model([ops.matmul(given, ops.constant(weights), False, True)], [given])
    assert eight_bits.round_rows(model) == 1
    assert "i8" in {node.get_element_type().get_type_name() for node in model.get_ordered_ops()}
    openvino.save_model(model, tmp_path / engine._MODEL, compress_to_fp16=False)
    (found,) = engine.Engine(tmp_path, "int8").states(torch.from_numpy(rows))
    right = rows @ weights.T
    assert not found[:, 7].any()
    moved = np.linalg.norm(found.numpy() - right, axis=0) / np.maximum(np.linalg.norm(right, axis=0), 1e-30)
    assert 1e-4 < np.delete(moved, 7).max() < 0.02
    loud, quiet = (np.linalg.norm(found.numpy()[half] - right[half]) for half in (slice(32), slice(32, None)))
    assert quiet * 1000 == pytest.approx(loud, rel=0.01)


def test_eight_bits_that_are_not_faithful_are_refused(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(engine, "VERSION", "eight unfaithful bits")
    monkeypatch.setattr(engine, "_agreement", lambda *_: 0.998)
    with pytest.raises(BackboneError) as refusal:
        load("mert-95m", checkpoint, "openvino-int8")
    assert refusal.value.sentence.code == "backbone.engine_unfaithful"


def test_what_eight_bits_change_in_a_probe_is_said_once_it_was_measured(checkpoint) -> None:
    quick = load("mert-95m", checkpoint, "openvino-int8")
    assert [sentence.code for sentence in quick.warnings] == ["backbone.int8_unmeasured"]
    engine.remember_cost(quick.identity, 0.0123, 72)
    (sentence,) = load("mert-95m", checkpoint, "openvino-int8").warnings
    assert sentence.code == "backbone.int8_cost"
    assert "On n = 72 synthetic recordings" in str(sentence)
    assert "changed by at most 0.012" in str(sentence)


halving = pytest.mark.skipif(
    engine.installed("bfloat16") is None, reason="OpenVINO multiplies no bfloat16 on this processor"
)


def halved(kind, checkpoint, wanted):
    return load_backbone(
        KINDS[kind][0], checkpoint=checkpoint(kind), device="cpu", dtype="bfloat16", engine=wanted
    )


@halving
@pytest.mark.parametrize("kind", ["clap", "qwen2-audio", "ast"])
def test_bfloat16_is_as_near_to_float32_as_torchs_own(kind, checkpoint, loaded, waves) -> None:
    """Each in its own rounding; a network's rows are told apart by engine and precision."""
    exact, own, backbone = (
        loaded(kind),
        halved(kind, checkpoint, "torch"),
        halved(kind, checkpoint, "openvino"),
    )
    assert own.engine is None
    assert backbone.identity == replace(own.identity, engine=engine.installed("bfloat16"))
    assert backbone.identity.dtype == "bfloat16"
    for seconds, rows in ((99.0, 2), (0.7, 1)):
        sound = waves(exact, seconds, rows)
        assert 0 < _missing(backbone, exact, sound) <= max(2e-4, 2 * _missing(own, exact, sound))
    assert torch.equal(backbone.split(1).prefix(sound), own.split(1).prefix(sound)), "training stays torch's"


@halving
def test_bfloat16_that_a_processor_computes_wrong_is_left_out(checkpoint, loaded, waves, monkeypatch) -> None:
    """oneDNN's narrow groups on AMX, which is OpenVINO's convolution, too (``findings/narrow_groups_on_amx.sh``)."""
    monkeypatch.setattr(engine.Proof, "faster", 3.0)
    exact, own, chosen = loaded("mert-95m"), *(halved("mert-95m", checkpoint, e) for e in ("torch", "auto"))
    sound = waves(exact, 99.0, 2)
    assert _missing(chosen, exact, sound) <= max(2e-4, 2 * _missing(own, exact, sound))


def _missing(backbone, exact, sound) -> float:
    """To a cosine of 1 with the exact states, the most of any layer."""
    pairs = zip(backbone.hidden_states(sound), exact.hidden_states(sound), strict=True)
    return max(1 - _cosine(ours, theirs) for ours, theirs in pairs)


def _cosine(one, other) -> float:
    return float(torch.nn.functional.cosine_similarity(one.double().flatten(), other.double().flatten(), 0))


@halving
def test_bfloat16_further_from_float32_than_torchs_own_is_not_used(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(engine, "VERSION", "a rough engine")
    monkeypatch.setattr(engine.Proof, "faster", 3.0)
    states = engine.Engine.states
    monkeypatch.setattr(
        engine.Engine,
        "states",
        lambda self, features: [s + s.std() * torch.randn_like(s) / 20 for s in states(self, features)],
    )
    assert halved("ast", checkpoint, "auto").engine is None
    with pytest.raises(BackboneError) as refusal:
        halved("ast", checkpoint, "openvino")
    assert refusal.value.sentence.code == "backbone.engine_unfaithful"


def test_a_processor_that_multiplies_no_bfloat16_leaves_it_to_torch(checkpoint, monkeypatch) -> None:
    """OpenVINO would compute in float32 there, whatever its rows said."""
    monkeypatch.setattr(engine, "_multiplies_bfloat16", lambda: False)
    assert halved("mert-95m", checkpoint, "auto").engine is None
    with pytest.raises(BackboneError) as refusal:
        halved("mert-95m", checkpoint, "openvino")
    assert refusal.value.sentence.code == "backbone.engine_unfit"


@pytest.mark.parametrize("kind", ["mert-95m", "ast"])
def test_without_memory_to_convert_torch_computes_and_nothing_is_begun(kind, checkpoint, monkeypatch) -> None:
    """It had been begun, and the system ended the whole process. Four times the weights in float32 are asked for."""
    from mirdemo.backbones import loading

    begun, weights = [], 4 * load(kind, checkpoint, "torch").spec.parameters

    def fails(*_):
        begun.append(1)
        raise RuntimeError("far enough")

    def refused(free: float) -> str:
        monkeypatch.setattr(loading, "available_memory", lambda: int(free))
        with pytest.raises(BackboneError) as refusal:
            load(kind, checkpoint, "openvino")
        return refusal.value.sentence.code

    monkeypatch.setattr(engine, "VERSION", "a small machine")
    monkeypatch.setattr(engine, "_convert", fails)
    monkeypatch.setattr(loading, "_SPARE_BYTES", 0)
    assert refused(3 * weights) == "backbone.engine_memory"
    assert load(kind, checkpoint, "auto").engine is None
    assert not begun
    assert refused(4.1 * weights) == "backbone.engine_failed", "with enough it is begun"
    assert begun


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_who_asks_for_torch_does_not_load_the_other_engine(dtype, checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(engine, "installed", None)
    monkeypatch.setattr(engine, "_multiplies_bfloat16", None)
    backbone = load_backbone(
        KINDS["ast"][0], checkpoint=checkpoint("ast"), device="cpu", dtype=dtype, engine="torch"
    )
    assert backbone.engine is None


def test_an_installation_that_is_broken_leaves_torch(checkpoint, monkeypatch) -> None:
    import openvino

    def broken(*_):
        raise RuntimeError("a library is missing")

    monkeypatch.setattr(openvino, "Core", broken)
    engine._multiplies_bfloat16.cache_clear()
    try:
        assert halved("ast", checkpoint, "auto").engine is None
    finally:
        engine._multiplies_bfloat16.cache_clear()
