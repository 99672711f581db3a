"""Tiny checkpoints written once, backbones loaded once from them, and a Hub on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from backbones import tiny, tiny_encoders
from backbones.loopback_hub import LoopbackHub

from mirdemo.backbones import Backbone, load_backbone

#: One of each kind: (name that loads it, how to write its checkpoint)
KINDS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "mert-95m": ("mert-95m", tiny.tiny_mert),
    "mert-330m": ("mert-330m", lambda folder: tiny.tiny_mert(folder, stable=True)),
    "clap": ("clap-music", tiny.tiny_clap),
    "qwen2-audio": ("qwen2-audio", tiny.tiny_qwen2_audio),
    "wav2vec2": ("hf:some/wav2vec2", lambda folder: tiny.tiny_wave_model(folder, "wav2vec2", stable=True)),
    "hubert": ("hf:some/hubert", lambda folder: tiny.tiny_wave_model(folder, "hubert")),
    "wavlm": ("hf:some/wavlm", lambda folder: tiny.tiny_wave_model(folder, "wavlm")),
    "wavlm-stable": ("hf:some/wavlm", lambda folder: tiny.tiny_wave_model(folder, "wavlm", stable=True)),
    "unispeech": ("hf:some/unispeech", lambda folder: tiny.tiny_wave_model(folder, "unispeech")),
    "unispeech-sat": (
        "hf:some/unispeech-sat",
        lambda folder: tiny.tiny_wave_model(folder, "unispeech-sat", stable=True),
    ),
    "data2vec": ("hf:some/data2vec", lambda folder: tiny.tiny_wave_model(folder, "data2vec-audio")),
    "whisper": ("hf:some/whisper", tiny.tiny_whisper),
    "ast": ("hf:some/ast", tiny.tiny_ast),
    "sew": ("hf:some/sew", lambda folder: tiny_encoders.tiny_sew(folder, "sew")),
    "sew-d": ("hf:some/sew-d", lambda folder: tiny_encoders.tiny_sew(folder, "sew-d")),
    "conformer-relative": (
        "hf:some/conformer",
        lambda folder: tiny_encoders.tiny_wave_conformer(folder, "relative"),
    ),
    "conformer-rotary": (
        "hf:some/conformer",
        lambda folder: tiny_encoders.tiny_wave_conformer(folder, "rotary"),
    ),
    "wav2vec2-bert": ("hf:some/wav2vec2-bert", tiny_encoders.tiny_mel_conformer),
    # the networks of some seeds hear nothing, and are rightly called sick
    "encodec": ("hf:some/encodec", lambda folder: tiny_encoders.tiny_encodec(folder, seed=2)),
    "encodec-stereo": (
        "hf:some/encodec",
        lambda folder: tiny_encoders.tiny_encodec(folder, stereo=True),
    ),
    **{
        kind: (f"hf:some/{kind}", lambda folder, kind=kind: tiny_encoders.tiny_listener(folder, kind))
        for kind in ("audioflamingo3", "musicflamingo", "voxtral")
    },
    **{
        kind: (f"hf:some/{kind}", lambda folder, kind=kind: tiny_encoders.tiny_omni(folder, kind))
        for kind in ("qwen2_5_omni", "qwen3_omni_moe")
    },
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Kind -> its tiny checkpoint's folder. Read only: copy it before changing it."""
    written: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in written:
            written[kind] = KINDS[kind][1](tmp_path_factory.mktemp(kind) / "checkpoint")
        return written[kind]

    return get


@pytest.fixture(scope="session")
def loaded(checkpoint: Callable[[str], Path]) -> Callable[[str], Backbone]:
    """Kind -> the backbone loaded from its tiny checkpoint in float32 on the CPU."""
    backbones: dict[str, Backbone] = {}

    def get(kind: str) -> Backbone:
        if kind not in backbones:
            name = KINDS[kind][0]
            backbones[kind] = load_backbone(name, checkpoint=checkpoint(kind), device="cpu", dtype="float32")
        return backbones[kind]

    return get


@pytest.fixture
def waves() -> Callable[..., torch.Tensor]:
    """(backbone, seconds, rows) -> unlike waves of that length, at most a window."""

    def make(backbone: Backbone, seconds: float = 1.0, rows: int = 2) -> torch.Tensor:
        length = min(round(seconds * backbone.spec.sample_rate), backbone.spec.window_samples)
        draw = torch.Generator().manual_seed(3)
        time = torch.arange(length) / backbone.spec.sample_rate
        tones = torch.sin(2 * torch.pi * 220.0 * torch.arange(1, rows + 1)[:, None] * time)
        return 0.2 * tones + 0.05 * torch.randn(rows, length, generator=draw)

    return make


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty Hub that ``HF_ENDPOINT`` points at, with an empty cache."""
    with LoopbackHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield running
