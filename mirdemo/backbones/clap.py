"""Both larger CLAP models: the audio tower's five stages, and the space that sound and text share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading, preprocessing
from mirdemo.backbones.spec import BackboneError, BackboneSpec, Identity, Layer
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import ClapAudioConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

_DETERMINISTIC = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
#: Below this, in power, the log-mel spectrogram is cut off (-100 dB), as in the published feature extractor.
_FLOOR = 1e-10
#: Longest prompt, in tokens, that the text tower has positions for.
_MAX_TOKENS = 512


class StageTrunk(Trunk):
    """Groups of Swin blocks, then a norm, the mean over the map and the projection into the joint space.

    resolutions: (height, width) of the map that each group reads
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        resolutions: Sequence[tuple[int, int]],
        norm: nn.Module,
        projection: nn.Module,
    ) -> None:
        super().__init__(blocks)
        self._resolutions = list(resolutions)
        self.norm = norm
        self.projection = projection

    def step(self, index: int, states: Tensor) -> Tensor:
        return self.blocks[index](states, self._resolutions[index])[0]

    def finish(self, states: Tensor) -> Tensor:
        joint = self.projection(self.norm(states).mean(dim=1, keepdim=True))
        return nn.functional.normalize(joint, dim=-1)

    def cut(self, blocks: Sequence[nn.Module]) -> StageTrunk:
        return StageTrunk(blocks, self._resolutions[-len(blocks) :], self.norm, self.projection)


class ClapBackbone(NeuralBackbone):
    """``network`` is a ``ClapModel`` with its weights.

    Layers: ``stage-1`` (the patches that the first group reads) to ``stage-5`` (what the last group gives), each map
    flattened to frames; then ``joint``, one frame, L2-normalised.
    """

    convertible = True

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: ClapModel,
        mel: ClapFeatureExtractor,
        tokenizer: RobertaTokenizer | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        loading.place(network, device, dtype)
        self._audio = network.audio_model.audio_encoder
        self._audio.batch_norm.float()  # decibels of -100 to 50: half precision is too coarse for them
        self._text = network.text_model
        self._text_projection = network.text_projection
        self._tokenizer = tokenizer
        self._fft, self._hop = mel.fft_window_size, mel.hop_length
        self._filters = torch.from_numpy(mel.mel_filters_slaney).to(device=device, dtype=torch.float64)
        trunk = StageTrunk(
            self._audio.layers, self._audio.input_resolutions, self._audio.norm, network.audio_projection
        )
        super().__init__(spec, identity, trunk, device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        return self.log_mel(waves)[:, None]

    def enter(self, features: Tensor) -> Tensor:
        mel = self._audio.batch_norm(features.transpose(1, 3)).transpose(1, 3)
        return self._audio.patch_embed(self._audio.reshape_mel2img(mel).to(self.dtype))

    def log_mel(self, waves: Tensor) -> Tensor:
        """float32 (batch, samples) -> log-mel in dB, float32 (batch, 1001, 64).

        As the published feature extractor computes it, a clip under the window's length repeated as often as it
        fits whole and then padded with silence; over all rows at once, and on the GPU where there is one.
        """
        missing = self.spec.window_samples // waves.shape[1]
        waves = waves.repeat(1, missing)
        waves = nn.functional.pad(waves, (0, self.spec.window_samples - waves.shape[1]))
        window = torch.hann_window(self._fft, dtype=torch.float64, device=waves.device)
        spectrum = torch.stft(
            waves.double(), self._fft, self._hop, window=window, pad_mode="reflect", return_complex=True
        )
        power = spectrum.abs().square().transpose(1, 2) @ self._filters
        return (10.0 * power.clamp_min(_FLOOR).log10()).float()

    def _layers(self, states: list[Tensor]) -> list[Tensor]:
        return [*states, self.trunk.finish(states[-1])]

    @property
    def reads_prompts(self) -> bool:
        """True if the tokenizer's files were there."""
        return self._tokenizer is not None

    def joint(self, waves: Tensor) -> Tensor:
        """Waves as for ``hidden_states`` -> float32 (batch, 512) in the joint space, L2-normalised."""
        return self.hidden_states(waves)[-1][:, 0].float()

    def text(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> float32 (batch, 512) in the joint space, L2-normalised.

        A prompt over 512 tokens is cut there. Raises BackboneError if the tokenizer's files are missing.
        """
        if self._tokenizer is None:
            raise BackboneError(
                "{name} was loaded without its tokenizer, so it cannot read prompts. Put tokenizer.json beside its "
                "weights.",
                code="backbone.no_tokenizer",
                name=self.spec.title,
            )
        tokens = self._tokenizer(
            list(prompts), padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt"
        )
        with torch.no_grad():
            states = self._text(
                input_ids=tokens["input_ids"].to(self.device),
                attention_mask=tokens["attention_mask"].to(self.device),
            )
            return nn.functional.normalize(self._text_projection(states.pooler_output).float(), dim=-1)


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> ClapBackbone:
    """Load from a folder with config.json, preprocessor_config.json, weights and, for prompts, a tokenizer.

    Raises BackboneError.
    """
    from transformers import ClapConfig, ClapModel

    values = loading.read_json(checkpoint, "config.json", spec.title)
    audio = (values.get("audio_config") or {}) | _DETERMINISTIC | {"drop_path_rate": 0.0}
    text = (values.get("text_config") or {}) | _DETERMINISTIC
    if audio.get("enable_fusion"):  # fusing crops of long clips: its crops are random
        raise BackboneError(
            "{name} uses {option}, which transformers cannot compute. Choose another backbone.",
            code="backbone.foreign_option",
            name=spec.title,
            option="enable_fusion",
        )
    config = loading.configure(ClapConfig, values, spec.title, audio_config=audio, text_config=text)
    mel = _extractor(spec, checkpoint, config.audio_config)
    target, precision = loading.resolve(device, dtype)
    paths = loading.weight_files(spec, checkpoint)
    state = loading.read_state(paths, spec.title)
    size = config.audio_config.patch_embeds_hidden_size
    groups = len(config.audio_config.depths)
    stages = [size << min(i, groups - 1) for i in range(groups + 1)]  # the last group does not halve its map
    spec = replace(
        spec,
        layers=(
            *(Layer(f"stage-{i}", channels) for i, channels in enumerate(stages, start=1)),
            Layer("joint", config.projection_dim),
        ),
        parameters=sum(tensor.numel() for tensor in state.values() if tensor.is_floating_point()),
        joint_size=config.projection_dim,
    )
    identity = loading.identify(spec, paths, state, precision)
    with loading.memory(spec.title, state, target, precision):
        network = loading.build(ClapModel, config)
        network = loading.fill(network, _constants(network) | state, spec.title)
        backbone = ClapBackbone(spec, identity, network, mel, _tokenizer(checkpoint), target, precision)
        backbone.health = health.check(backbone)
    return backbone


def _extractor(spec: BackboneSpec, checkpoint: Path, audio: ClapAudioConfig) -> ClapFeatureExtractor:
    """What the folder's file says, made only if the network reads it. Raises BackboneError."""
    from transformers import ClapFeatureExtractor

    values = preprocessing.read(checkpoint, spec.title, preprocessing.CLAP)
    lowest, highest = values.get("frequency_min", 0), values.get("frequency_max", 14_000)
    bands, hop = values.get("feature_size", 64), values.get("hop_length", 480)
    frames = 1 + spec.window_samples // hop
    for key, value, fits in (
        ("frequency_max", highest, lowest < highest),
        ("feature_size", bands, bands == audio.num_mel_bins),
        # Frames are laid side by side in so many columns (``ClapAudioEncoder.reshape_mel2img``).
        ("hop_length", hop, frames <= audio.spec_size * (audio.spec_size // audio.num_mel_bins)),
    ):
        preprocessing.check_fits(checkpoint, spec.title, key, value, fits)
    return loading.feature_extractor(ClapFeatureExtractor, values)


def _constants(network: ClapModel) -> dict[str, Tensor]:
    """Index tables that follow from the configuration; some versions of transformers save them, some do not."""
    tables = {
        f"{name}.relative_position_index": module.create_relative_position_index()
        for name, module in network.named_modules()
        if hasattr(module, "create_relative_position_index")
    }
    positions = network.config.text_config.max_position_embeddings
    return tables | {
        "text_model.embeddings.position_ids": torch.arange(positions)[None],
        "text_model.embeddings.token_type_ids": torch.zeros(1, positions, dtype=torch.long),
    }


def _tokenizer(folder: Path) -> RobertaTokenizer | None:
    from transformers import RobertaTokenizer

    if (folder / "tokenizer.json").is_file() or (folder / "vocab.json").is_file():
        return RobertaTokenizer.from_pretrained(folder, local_files_only=True)
    return None
