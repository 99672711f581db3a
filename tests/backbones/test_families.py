"""Each family gives what transformers gives, row by row, and refuses weights that do not fit."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from backbones import tiny
from backbones.conftest import KINDS
from safetensors.torch import load_file, save_file

from mirdemo.backbones import BackboneError, load_backbone, loading

WAVE_KINDS = (
    *("mert-95m", "mert-330m", "wav2vec2", "hubert", "wavlm", "wavlm-stable"),
    *("unispeech", "unispeech-sat", "data2vec"),
)


def load(kind_or_name: str, folder: Path, dtype: str = "float32"):
    name = KINDS[kind_or_name][0] if kind_or_name in KINDS else kind_or_name
    return load_backbone(name, checkpoint=folder, device="cpu", dtype=dtype)


def copied(source: Path, to: Path) -> Path:
    shutil.copytree(source, to)
    return to


def code_of(error: pytest.ExceptionInfo[BackboneError]) -> str:
    assert str(error.value).endswith(".")
    return error.value.sentence.code


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    tiny.write_json(path, json.loads(path.read_text(encoding="utf-8")) | changes)


def normalised(waves: torch.Tensor) -> torch.Tensor:
    rows = [(wave - wave.mean()) / np.sqrt(wave.var() + 1e-7) for wave in waves.double().numpy()]
    return torch.from_numpy(np.stack(rows)).float()


def assert_same(states: list[torch.Tensor], expected: list[torch.Tensor], tolerance: float = 2e-5) -> None:
    assert len(states) == len(expected)
    for ours, theirs in zip(states, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("kind", WAVE_KINDS)
def test_wave_networks_give_the_states_of_transformers(kind, checkpoint, loaded, waves) -> None:
    import transformers

    network_class = transformers.HubertModel if kind.startswith("mert") else transformers.AutoModel
    direct = network_class.from_pretrained(checkpoint(kind)).eval()
    direct.config.tie_last_hidden_states = True
    backbone = loaded(kind)
    sound = waves(backbone)
    with torch.no_grad():
        expected = direct(normalised(sound), output_hidden_states=True).hidden_states
    assert_same(backbone.hidden_states(sound), list(expected))
    assert [layer.name for layer in backbone.spec.layers] == ["input", "1", "2", "3"]
    assert {layer.size for layer in backbone.spec.layers} == {32}


@pytest.mark.parametrize("seconds", [10.0, 3.3, 0.05])
def test_clap_gives_the_stages_and_joint_embedding_of_transformers(
    seconds, checkpoint, loaded, waves
) -> None:
    from transformers import ClapFeatureExtractor, ClapModel

    direct = ClapModel.from_pretrained(checkpoint("clap")).eval()
    extract = ClapFeatureExtractor.from_pretrained(checkpoint("clap"))
    backbone = loaded("clap")
    sound = waves(backbone, seconds)
    mel = extract(list(sound.double().numpy()), sampling_rate=48_000, return_tensors="pt")["input_features"]
    torch.testing.assert_close(backbone.log_mel(sound)[:, None], mel.float(), atol=2e-3, rtol=0)
    with torch.no_grad():
        maps = direct.audio_model(mel.float(), output_hidden_states=True).hidden_states
        joint = direct.get_audio_features(mel.float()).pooler_output
    expected = [*(m.flatten(2).transpose(1, 2) for m in maps), joint[:, None]]
    assert_same(backbone.hidden_states(sound), expected, tolerance=1e-3)
    assert_same([backbone.joint(sound)], [joint], tolerance=1e-3)
    assert [layer.name for layer in backbone.spec.layers] == [
        *(f"stage-{i}" for i in range(1, 6)),
        "joint",
    ]


def test_clap_reads_prompts_into_the_joint_space(checkpoint, loaded) -> None:
    from transformers import AutoTokenizer, ClapModel

    prompts = ["taiko drums at a festival", "a lone flute, 篠笛"]
    tokens = AutoTokenizer.from_pretrained(checkpoint("clap"))(prompts, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = (
            ClapModel.from_pretrained(checkpoint("clap")).eval().get_text_features(**tokens).pooler_output
        )
    ours = loaded("clap").text(prompts)
    assert_same([ours], [expected])
    torch.testing.assert_close(ours.norm(dim=1), torch.ones(2))
    assert_same([loaded("clap").text(["x " * 2000])], [loaded("clap").text(["x " * 1900])])


def test_clap_without_a_tokenizer_embeds_sound_and_refuses_prompts(tmp_path, checkpoint, waves) -> None:
    folder = copied(checkpoint("clap"), tmp_path / "clap")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (folder / name).unlink()
    backbone = load("clap", folder)
    assert backbone.joint(waves(backbone)).shape == (2, 24)
    assert "prompts" not in [name for name, *_ in backbone.health.checks]
    with pytest.raises(BackboneError) as error:
        backbone.text(["flute"])
    assert code_of(error) == "backbone.no_tokenizer"


@pytest.mark.parametrize(("shards", "seconds"), [(5, 5), (1, 7.3), (1, 10), (1, 20), (1, 29), (1, 30)])
def test_the_qwen2_audio_tower_gives_what_the_model_computes(shards, seconds, tmp_path, waves) -> None:
    """Every layer under the mask that ``Qwen2AudioForConditionalGeneration`` itself hands to its tower."""
    from transformers import (
        Qwen2AudioConfig,
        Qwen2AudioForConditionalGeneration,
        WhisperFeatureExtractor,
    )

    folder = tiny.tiny_qwen2_audio(tmp_path / "qwen", shards=shards)
    if shards == 5:
        for number in (1, 4, 5):  # hold nothing of the tower
            (folder / f"model-{number:05d}-of-00005.safetensors").unlink()
    backbone = load("qwen2-audio", folder)
    state = {}
    for path in folder.glob("*.safetensors"):
        state |= {
            name.removeprefix("audio_tower."): tensor
            for name, tensor in load_file(path).items()
            if name.startswith("audio_tower.")
        }
    values = json.loads((folder / "config.json").read_text(encoding="utf-8"))["audio_config"]
    language = {"model_type": "qwen2", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    language |= {"num_key_value_heads": 2, "intermediate_size": 16, "vocab_size": 32}
    model = Qwen2AudioForConditionalGeneration(
        Qwen2AudioConfig(audio_config=values, text_config=language, audio_token_id=7)
    ).eval()
    tower = model.get_submodule(
        next(name for name, part in model.named_modules() if name.endswith("audio_tower"))
    )
    tower.load_state_dict(state)
    sound = waves(backbone, seconds)
    inputs = WhisperFeatureExtractor.from_pretrained(folder)(
        list(sound.numpy()), sampling_rate=16_000, return_tensors="pt", return_attention_mask=True
    )
    before, after = tower._get_feat_extract_output_lengths(inputs.attention_mask.sum(-1))
    seen: list[torch.Tensor] = []
    for layer in tower.layers:
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    tower.register_forward_hook(lambda _, given, output: seen.append(output.last_hidden_state))
    with torch.no_grad():
        model(
            input_ids=torch.full((len(sound), int(after[0])), 7),
            attention_mask=torch.ones(len(sound), int(after[0]), dtype=torch.long),
            input_features=inputs.input_features,
            feature_attention_mask=inputs.attention_mask,
        )
    expected = [*(state[:, : before[0]] for state in seen[:-1]), seen[-1][:, : after[0]]]
    assert_same(backbone.hidden_states(sound), [expected[0], *expected[1:]])
    assert backbone.identity.fingerprint != loading.fingerprint(
        loading.weight_files(backbone.spec, folder),
        loading.read_state(sorted(folder.glob("*.safetensors")), "", ("audio_tower.",)),
    )


def test_whisper_gives_the_encoder_states_of_transformers(checkpoint, loaded, waves) -> None:
    from transformers import WhisperFeatureExtractor, WhisperModel

    direct = WhisperModel.from_pretrained(checkpoint("whisper")).encoder.eval()
    backbone = loaded("whisper")
    sound = waves(backbone, 2.0)
    mel = WhisperFeatureExtractor.from_pretrained(checkpoint("whisper"))(
        list(sound.numpy()), sampling_rate=16_000, return_tensors="pt"
    ).input_features
    with torch.no_grad():
        expected = direct(mel, output_hidden_states=True).hidden_states
    assert_same(backbone.hidden_states(sound), [state[:, :100] for state in expected])


def test_ast_gives_the_patch_states_of_transformers(checkpoint, loaded, waves) -> None:
    from transformers import ASTFeatureExtractor, ASTModel

    direct = ASTModel.from_pretrained(checkpoint("ast")).eval()
    direct.config.tie_last_hidden_states = True
    backbone = loaded("ast")
    extract = ASTFeatureExtractor.from_pretrained(checkpoint("ast"))

    def expected(sound: torch.Tensor) -> list[torch.Tensor]:
        mel = extract(list(sound.numpy()), sampling_rate=16_000, return_tensors="pt")["input_values"]
        with torch.no_grad():
            return list(direct(mel, output_hidden_states=True).hidden_states)

    whole = waves(backbone, 99.0)
    assert whole.shape[1] == backbone.spec.window_samples
    assert_same(backbone.hidden_states(whole), [state[:, 2:] for state in expected(whole)])
    short = waves(backbone, 0.5)  # 48 frames: 4 of the 12 patches along time begin and end in sound
    assert_same(
        backbone.hidden_states(short),
        [state[:, 2:].unflatten(1, (12, 12))[:, :, :4].flatten(1, 2) for state in expected(short)],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_rows_beside_it(kind, loaded, waves) -> None:
    backbone = loaded(kind)
    sound = waves(backbone, 1.0, rows=3)
    together = backbone.pool(backbone.hidden_states(sound))
    alone = [backbone.pool(backbone.hidden_states(row[None])) for row in sound]
    for layer, rows in enumerate(together):
        torch.testing.assert_close(rows, torch.cat([pooled[layer] for pooled in alone]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clips_row_is_its_own_beside_a_longer_clip(kind, loaded, waves) -> None:
    """The extractors of transformers 5.23.0 pad first and normalise then where they return no mask: 1.7 times too loud
    beside a clip three times as long (findings/wave_extractor_padding.sh). Here no clip sees another's length."""
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import Clip

    backbone = loaded(kind)
    short, long = (waves(backbone, seconds, rows=1)[0].numpy() for seconds in (0.6, 1.8))
    clips = [Clip.of(wave, backbone.spec.sample_rate, str(len(wave))) for wave in (short, long)]
    together, alone = embed(clips, backbone), embed(clips[:1], backbone)
    for name, rows in together.layers.items():
        np.testing.assert_allclose(rows[0], alone.layers[name][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", WAVE_KINDS)
def test_a_soft_clips_row_is_its_own_beside_a_loud_one(kind, loaded, waves) -> None:
    """torchaudio 2.11.0's bundles take one level for a whole batch (pipelines/_wav2vec2/utils.py;
    findings/one_level_for_a_whole_batch.sh). Here each window is brought to deviation 1 by itself."""
    backbone = loaded(kind)
    soft, loud = waves(backbone, 1.0, rows=2)
    soft = 0.05 * soft
    together = backbone.pool(backbone.hidden_states(torch.stack([soft, loud])))
    alone = backbone.pool(backbone.hidden_states(soft[None]))
    for beside, own in zip(together, alone, strict=True):
        torch.testing.assert_close(beside[:1], own, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["mert-330m", "wav2vec2", "wavlm-stable", "ast"])
def test_the_last_layer_is_behind_the_final_norm(kind, checkpoint, loaded, waves) -> None:
    """``last_hidden_state``, whatever ``hidden_states[-1]`` is: with the final norm in transformers 4.57.6, without it in
    5.23.0 for these networks (findings/last_hidden_state.sh; huggingface/transformers, modeling files of both)."""
    import transformers

    network_class = transformers.HubertModel if kind.startswith("mert") else transformers.AutoModel
    direct = network_class.from_pretrained(checkpoint(kind)).eval()
    backbone = loaded(kind)
    given = sound = waves(backbone, 99.0 if kind == "ast" else 1.0)
    if kind == "ast":
        extract = transformers.ASTFeatureExtractor.from_pretrained(checkpoint(kind))
        given = extract(list(sound.numpy()), sampling_rate=16_000, return_tensors="pt")["input_values"]
    else:
        given = normalised(sound)
    with torch.no_grad():
        found = direct(given, output_hidden_states=True)
    last = found.last_hidden_state[:, 2:] if kind == "ast" else found.last_hidden_state
    assert_same([backbone.hidden_states(sound)[-1]], [last])
    assert not torch.allclose(found.hidden_states[-1], found.last_hidden_state, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shortest_and_the_longest_waves_are_taken_and_no_others(kind, loaded) -> None:
    backbone = loaded(kind)
    spec = backbone.spec
    for samples in (spec.min_samples, spec.window_samples):
        states = backbone.hidden_states(torch.randn(1, samples, generator=torch.Generator().manual_seed(0)))
        assert all(state.shape[1] >= 1 and state.isfinite().all() for state in states)
    for samples in (spec.min_samples - 1, spec.window_samples + 1):
        with pytest.raises(ValueError, match="samples"):
            backbone.hidden_states(torch.zeros(1, samples))


def test_a_preprocessor_that_does_not_normalise_is_obeyed(tmp_path, checkpoint, loaded, waves) -> None:
    folder = copied(checkpoint("mert-95m"), tmp_path / "mert")
    path = folder / "preprocessor_config.json"
    tiny.write_json(path, json.loads(path.read_text(encoding="utf-8")) | {"do_normalize": False})
    raw = load("mert-95m", folder)
    sound = waves(raw)
    assert_same(raw.hidden_states(normalised(sound)), loaded("mert-95m").hidden_states(sound))
    assert not torch.allclose(
        raw.hidden_states(sound)[0], loaded("mert-95m").hidden_states(sound)[0], atol=1e-3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_stays_close_to_float32(kind, checkpoint, loaded, waves) -> None:
    exact = loaded(kind)
    half = load(kind, checkpoint(kind), dtype="bfloat16")
    assert half.identity.dtype == "bfloat16"
    sound = waves(exact)
    states = half.hidden_states(sound)
    assert {state.dtype for state in states} == {torch.bfloat16}
    pairs = zip(half.pool(states), exact.pool(exact.hidden_states(sound)), strict=True)
    for ours, theirs in pairs:
        assert torch.cosine_similarity(ours, theirs).min() > 0.995


@pytest.mark.parametrize("kind", KINDS)
def test_every_tensor_must_be_there_under_its_name_and_shape_and_no_other(kind, checkpoint, tmp_path) -> None:
    source = checkpoint(kind)

    def refused(name: str, change) -> str:
        folder = copied(source, tmp_path / name)
        path = next(
            p
            for p in sorted(folder.iterdir())
            if p.suffix in (".bin", ".safetensors") and change_of(p, change)
        )
        assert path is not None
        with pytest.raises(BackboneError) as error:
            load(kind, folder)
        return code_of(error)

    def change_of(path: Path, change) -> bool:
        state = torch.load(path, weights_only=True) if path.suffix == ".bin" else load_file(path)
        key = next(
            (
                k
                for k in state
                if k.endswith(("fc1.weight", "intermediate.dense.weight"))
                and "decoder" not in k
                and "visual" not in k
            ),
            None,
        )
        key = key or next((k for k in state if k.endswith("intermediate_dense.weight")), None)
        key = key or next((k for k in state if k == "encoder.layers.0.conv.bias"), None)
        if key is None:
            return False
        change(state, key)
        save = torch.save if path.suffix == ".bin" else save_file
        save(state, path)
        return True

    assert refused("missing", lambda state, key: state.pop(key)) == "backbone.keys"
    assert refused("renamed", lambda state, key: state.update({f"{key}x": state.pop(key)})) == "backbone.keys"
    assert (
        refused("shape", lambda state, key: state.update({key: state[key][:-1].clone()})) == "backbone.shapes"
    )


def test_a_missing_half_of_the_weight_norm_is_refused(checkpoint, tmp_path) -> None:
    """The classic fault: the positional convolution left at random still gives plausible embeddings."""
    folder = copied(checkpoint("mert-95m"), tmp_path / "mert")
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    del state["encoder.pos_conv_embed.conv.weight_g"]
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(BackboneError) as error:
        load("mert-95m", folder)
    assert code_of(error) == "backbone.keys"


def test_heads_are_left_out_and_an_unknown_tensor_of_the_encoder_is_refused(checkpoint, tmp_path) -> None:
    assert "lm_head.weight" in load_file(checkpoint("wav2vec2") / "model.safetensors")  # and it loaded
    folder = copied(checkpoint("wav2vec2"), tmp_path / "w")
    state = load_file(folder / "model.safetensors")
    save_file(state | {"wav2vec2.adapter.layers.0.weight": torch.zeros(3)}, folder / "model.safetensors")
    with pytest.raises(BackboneError) as error:
        load("wav2vec2", folder)
    assert code_of(error) == "backbone.keys"


@pytest.mark.parametrize("option", ["deepnorm", "feature_extractor_cqt", "conv_pos_batch_norm"])
def test_options_of_the_remote_code_without_equivalent_are_refused(option, checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("mert-95m"), tmp_path / "mert")
    change_config(folder, **{option: True})
    with pytest.raises(BackboneError) as error:
        load("mert-95m", folder)
    assert code_of(error) == "backbone.foreign_option"


def test_clap_with_fusion_is_refused(checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("clap"), tmp_path / "clap")
    audio = json.loads((folder / "config.json").read_text(encoding="utf-8"))["audio_config"]
    change_config(folder, audio_config=audio | {"enable_fusion": True})
    with pytest.raises(BackboneError) as error:
        load("clap", folder)
    assert code_of(error) == "backbone.foreign_option"


def test_a_kind_that_is_not_known_is_refused(checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("hubert"), tmp_path / "other")
    change_config(folder, model_type="a_kind_of_tomorrow")
    with pytest.raises(BackboneError) as error:
        load("hubert", folder)
    assert code_of(error) == "backbone.kind"
    assert "a_kind_of_tomorrow" in str(error.value)


class _Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("mert-95m"), tmp_path / "mert")
    marker = tmp_path / "ran"
    for write in (
        lambda bomb, path: torch.save({"w": bomb}, path),
        lambda bomb, path: path.write_bytes(pickle.dumps(bomb)),
    ):
        write(_Bomb(marker), folder / "pytorch_model.bin")
        with pytest.raises(BackboneError) as error:
            load("mert-95m", folder)
        assert code_of(error) == "backbone.unsafe"
    assert not marker.exists()


@pytest.mark.parametrize(
    ("kind", "file", "content"),
    [
        ("mert-95m", "pytorch_model.bin", b"PK\x03\x04 not a zip"),
        ("mert-95m", "pytorch_model.bin", b""),
        ("mert-95m", "config.json", b"{"),
        ("mert-95m", "config.json", b'{"hidden_size": "wide"}'),
        ("mert-95m", "preprocessor_config.json", b"[1]"),
        ("hubert", "model.safetensors", b"\xff" * 64),
        ("hubert", "model.safetensors", b""),
    ],
)
def test_damaged_files_are_named(kind, file, content, checkpoint, tmp_path) -> None:
    folder = copied(checkpoint(kind), tmp_path / kind)
    (folder / file).write_bytes(content)
    with pytest.raises(BackboneError) as error:
        load(kind, folder)
    assert code_of(error) in ("backbone.damaged", "backbone.unsafe")
    assert file in str(error.value)


def test_a_truncated_checkpoint_is_refused(checkpoint, tmp_path) -> None:
    for kind, name in (("mert-95m", "pytorch_model.bin"), ("hubert", "model.safetensors")):
        folder = copied(checkpoint(kind), tmp_path / kind)
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(BackboneError) as error:
            load(kind, folder)
        assert code_of(error) in ("backbone.damaged", "backbone.unsafe")


@pytest.mark.parametrize(
    "shard", ["../../secret.safetensors", "/etc/passwd", "a/b.safetensors", 7, "..safetensors/"]
)
def test_an_index_cannot_lead_out_of_its_folder(shard, tmp_path) -> None:
    folder = tiny.tiny_qwen2_audio(tmp_path / "qwen")
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index["weight_map"] = dict.fromkeys(index["weight_map"], shard)
    tiny.write_json(path, index)
    with pytest.raises(BackboneError) as error:
        load("qwen2-audio", folder)
    assert code_of(error) == "backbone.bad_index"


def test_the_identity_follows_the_weights_and_not_the_file_format(checkpoint, tmp_path) -> None:
    pickled = load("mert-95m", checkpoint("mert-95m"))
    folder = copied(checkpoint("mert-95m"), tmp_path / "safe")
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (folder / "pytorch_model.bin").unlink()
    save_file(state, folder / "model.safetensors")
    safe = load("mert-95m", folder)
    assert safe.identity == pickled.identity
    assert safe.identity.revision == "local"

    state["encoder.layers.0.attention.q_proj.bias"][0] += 1.0
    save_file(state, folder / "model.safetensors")
    assert load("mert-95m", folder).identity.fingerprint != pickled.identity.fingerprint


@pytest.mark.parametrize(
    ("able", "wanted"),
    [
        ({"avx2": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True, "cpu_name": "AMD EPYC"}, torch.bfloat16),
        ({"avx512_bf16": True, "cpu_name": "Intel Xeon"}, torch.bfloat16),
        ({"avx512_bf16": True, "avx512_fp16": True, "cpu_name": "Intel Xeon"}, torch.float32),
        (
            {"avx512_bf16": True, "avx512_fp16": True, "cpu_name": "Intel Xeon", "amx_bf16": True},
            torch.bfloat16,
        ),
        ({"avx512_bf16": True, "avx512_fp16": True, "cpu_name": "AMD EPYC"}, torch.bfloat16),
        ({"bf16": True}, torch.bfloat16),
    ],
)
def test_auto_precision_is_half_only_where_the_processor_is_faster_in_it(able, wanted, monkeypatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert loading.resolve_dtype("auto", cpu) is wanted
    assert loading.resolve_dtype("float16", cpu) is torch.float16


def test_too_little_memory_is_said_before_loading(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(loading, "available_memory", lambda: 1_000_000)
    with pytest.raises(BackboneError) as error:
        load("mert-95m", checkpoint("mert-95m"))
    assert code_of(error) == "backbone.memory"


def test_memory_that_runs_out_while_loading_is_said(checkpoint, monkeypatch) -> None:
    def exhausted(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(loading, "fill", exhausted)
    with pytest.raises(BackboneError) as error:
        load("mert-95m", checkpoint("mert-95m"))
    assert code_of(error) == "backbone.memory"


def test_the_memory_that_can_be_used_is_told_on_linux() -> None:
    free = loading.available_memory()
    if not Path("/proc/meminfo").exists():
        assert free is None
        pytest.skip("no /proc/meminfo on this system")
    total = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1]) * 1024
    assert 0 < free <= total


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("ast", {"feature_extractor_type": "MAESTFeatureExtractor"}),
        ("ast", {"auto_map": {"AutoFeatureExtractor": "feature_extraction_maest.MAESTFeatureExtractor"}}),
        ("ast", {"sampling_rate": 32_000}),
        ("hubert", {"feature_extractor_type": "SeamlessM4TFeatureExtractor"}),
        ("hubert", {"stride": 2}),
        ("hubert", {"feature_size": 2}),
        ("whisper", {"dither": 0.1}),
        ("whisper", {"do_normalize": True}),
        ("clap", {"padding": "pad"}),
        ("clap", {"top_db": 80}),
    ],
)
def test_a_preprocessor_that_is_not_computed_is_refused_by_its_key(
    kind, changes, checkpoint, tmp_path
) -> None:
    folder = copied(checkpoint(kind), tmp_path / "copy")
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    with pytest.raises(BackboneError) as caught:
        load(kind, folder)
    assert code_of(caught) == "backbone.preprocessor"
    assert next(iter(changes)) in str(caught.value)


def test_a_stated_sample_rate_is_obeyed(checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("hubert"), tmp_path / "copy")
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({"do_normalize": True, "sampling_rate": 24_000}), encoding="utf-8")
    backbone = load("hubert", folder)
    assert backbone.spec.sample_rate == backbone.identity.sample_rate == 24_000


def test_a_network_with_a_buffer_that_no_file_holds_is_refused() -> None:
    """As transformers 5.23.0 registers rotary codes (``persistent=False`` in modeling_wav2vec2_bert.py, modeling_mimi.py):
    built without memory and filled from a checkpoint alone, they would stay without values."""
    with torch.device("meta"):
        network = torch.nn.Linear(2, 2)
        network.register_buffer("inv_freq", torch.ones(2), persistent=False)
    with pytest.raises(BackboneError) as caught:
        loading.fill(network, {"weight": torch.ones(2, 2), "bias": torch.ones(2)}, "A network")
    assert code_of(caught) == "backbone.empty_buffer"
    assert "inv_freq" in str(caught.value)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_two_loads_give_equal_rows(kind, checkpoint, waves) -> None:
    """What no file holds (a head's or a mask's weights) is drawn anew at each load by transformers 5.23.0; no row uses it."""
    first, second = load(kind, checkpoint(kind)), load(kind, checkpoint(kind))
    sound = waves(first, 1.0)
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.hidden_states(sound), second.hidden_states(sound), strict=True)
    )


@pytest.mark.parametrize("prefix", ["", "model.", "mert_model."])
@pytest.mark.parametrize("masks", [True, False])
def test_mert_loads_with_and_without_the_mask_and_under_a_prefix(
    prefix, masks, checkpoint, loaded, waves, tmp_path
) -> None:
    folder = copied(checkpoint("mert-95m"), tmp_path / "copy")
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    state.pop("masked_spec_embed", None)
    if masks:
        state["masked_spec_embed"] = torch.ones(32)
    torch.save({prefix + name: tensor for name, tensor in state.items()}, folder / "pytorch_model.bin")
    sound = waves(loaded("mert-95m"), 1.0)
    assert_same(load("mert-95m", folder).hidden_states(sound), loaded("mert-95m").hidden_states(sound), 0.0)


@pytest.mark.parametrize("kind", ["mert-95m", "clap", "qwen2-audio"])
def test_a_copy_of_a_known_family_loads_by_its_repositorys_name_as_the_family_does(
    kind, checkpoint, loaded, waves
) -> None:
    copy, known = load("hf:someone/fine-tuned", checkpoint(kind)), loaded(kind)
    assert copy.spec.title == "someone/fine-tuned"
    for name in ("sample_rate", "window_seconds", "layers", "pooling", "tail_blocks", "family", "joint_size"):
        assert getattr(copy.spec, name) == getattr(known.spec, name), name
    sound = waves(known, 1.3)
    assert all(
        torch.equal(a, b) for a, b in zip(copy.hidden_states(sound), known.hidden_states(sound), strict=True)
    )


@pytest.mark.parametrize("kind", ["wav2vec2", "unispeech-sat", "data2vec", "whisper", "ast"])
def test_what_lies_beside_an_encoder_is_no_reason_to_refuse(
    kind, tmp_path, checkpoint, loaded, waves
) -> None:
    from safetensors.torch import load_file, save_file

    folder = copied(checkpoint(kind), tmp_path / "more")
    state = load_file(folder / "model.safetensors")
    save_file({**state, "my_own_head.0.weight": torch.ones(3, 3)}, folder / "model.safetensors")
    sound = waves(loaded(kind), 0.9)
    for ours, theirs in zip(
        load(kind, folder).hidden_states(sound), loaded(kind).hidden_states(sound), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("seconds", [0.06, 0.41, 1.0, 2.37])
@pytest.mark.parametrize("kind", ["unispeech", "unispeech-sat", "data2vec"])
def test_short_clips_and_odd_lengths_give_the_states_of_transformers(
    kind, seconds, checkpoint, loaded, waves
) -> None:
    import transformers

    direct = transformers.AutoModel.from_pretrained(checkpoint(kind)).eval()
    direct.config.tie_last_hidden_states = True
    sound = waves(loaded(kind), seconds)
    with torch.no_grad():
        expected = direct(normalised(sound), output_hidden_states=True).hidden_states
    assert_same(loaded(kind).hidden_states(sound), list(expected))
