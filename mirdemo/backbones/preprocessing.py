"""preprocessor_config.json, or that part of processor_config.json: every key is obeyed, known to change nothing, or a reason to refuse.

A file written for another feature extractor still loads and still gives plausible rows; they are rows of sound that
the network was never raised on. So each family lists what it knows, each key with the values that it may have, and
anything else is refused by name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from mirdemo.backbones import files, loading
from mirdemo.backbones.spec import BackboneError
from mirdemo.base.sentences import Sentence


class Values(Protocol):
    """The values that a key may have."""

    def hold(self, value: Any) -> bool:
        """Whether this value of a JSON file is one of them."""
        ...

    def words(self) -> Sentence:
        """What they are, as it stands in a sentence."""
        ...


@dataclass(frozen=True)
class Whole:
    """Whole numbers, written without a fraction, both ends included."""

    low: int
    high: int

    def hold(self, value: Any) -> bool:
        return type(value) is int and self.low <= value <= self.high

    def words(self) -> Sentence:
        return Sentence(
            "a whole number from {low} to {high}",
            "backbone.preprocessor.whole",
            {"low": self.low, "high": self.high},
        )


@dataclass(frozen=True)
class Number:
    """Finite numbers, both ends included. null: or null"""

    low: float
    high: float
    null: bool = False

    def hold(self, value: Any) -> bool:
        if value is None:
            return self.null
        return type(value) in (int, float) and math.isfinite(value) and self.low <= value <= self.high

    def words(self) -> Sentence:
        ends = {"low": f"{self.low:g}", "high": f"{self.high:g}"}
        if self.null:
            return Sentence(
                "a number from {low} to {high}, or null", "backbone.preprocessor.number_or_null", ends
            )
        return Sentence("a number from {low} to {high}", "backbone.preprocessor.number", ends)


class Switch:
    """True or false, and not 0 or 1."""

    def hold(self, value: Any) -> bool:
        return isinstance(value, bool)

    def words(self) -> Sentence:
        return Sentence("true or false", "backbone.preprocessor.switch")


@dataclass(frozen=True)
class Extractor:
    """What a family computes of transformers' feature extractor.

    name: its class, which the file must name if it names one
    obeyed: keys whose values are used, and the values that they may have
    inert: keys that change nothing here, whatever their values, which are not read: derived from others, or about padding
        where none is fed to the network
    fixed: keys with the only value that is computed
    """

    name: str
    obeyed: Mapping[str, Values]
    inert: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)


#: About the file itself, and about batches: rows are never padded for one another.
_ALWAYS_INERT = frozenset({"feature_extractor_type", "processor_class", "return_attention_mask"})
#: Where a sound that is shorter than the window is padded behind its end.
_PADDED_BEHIND = {"padding_side": "right"}

# Wider than any published file's, and so that what they ask for still fits into memory.
_RATE = Whole(1_000, 384_000)
_BANDS = Whole(1, 1_024)
_SAMPLES = Whole(1, 65_536)
_FFT = Whole(2, 8_192)
_LEVEL = Number(-1e6, 1e6)
_HERTZ = Number(0, 192_000)

WAVE = Extractor(
    "Wav2Vec2FeatureExtractor",
    obeyed={"do_normalize": Switch(), "sampling_rate": _RATE},
    inert=frozenset({"padding_value", "padding_side"}),
    fixed={"feature_size": 1},
)
#: ``mel_filters`` stands in Whisper's first files; the extractor has computed the table anew ever since.
WHISPER = Extractor(
    "WhisperFeatureExtractor",
    obeyed={
        "feature_size": _BANDS,
        "sampling_rate": _RATE,
        "hop_length": _SAMPLES,
        "chunk_length": Whole(1, 3_600),
        "n_fft": _FFT,
        "padding_value": _LEVEL,
    },
    inert=frozenset({"n_samples", "nb_max_frames", "mel_filters"}),
    fixed={"dither": 0.0, "do_normalize": False, **_PADDED_BEHIND},
)
#: The towers of models that also see have the keys of their pictures in the same file.
WHISPER_BESIDE_IMAGES = replace(
    WHISPER,
    inert=WHISPER.inert
    | {
        "image_processor_type",
        "image_mean",
        "image_std",
        "max_pixels",
        "min_pixels",
        "merge_size",
        "patch_size",
    }
    | {
        "temporal_patch_size",
        "size",
        "do_rescale",
        "do_resize",
        "do_convert_rgb",
        "rescale_factor",
        "resample",
    }
    | {"video_processor_type"},
)
#: ``feature_size`` is read nowhere; a padded frame is masked, and left out here.
SEAMLESS = Extractor(
    "SeamlessM4TFeatureExtractor",
    obeyed={"num_mel_bins": _BANDS, "stride": Whole(1, 16)},
    inert=frozenset({"feature_size", "padding_value", "language_code"}),
    fixed={"sampling_rate": 16_000, **_PADDED_BEHIND},
)
#: ``overlap`` is between the pieces of a long sound; windows here are such pieces, side by side.
ENCODEC = Extractor(
    "EncodecFeatureExtractor",
    obeyed={
        "feature_size": Whole(1, 2),
        "sampling_rate": _RATE,
        "chunk_length_s": Number(0.01, 3_600, null=True),
    },
    inert=frozenset({"padding_value", "padding_side", "overlap"}),
)
#: The frames of Kaldi's filter banks are counted in samples at 16 kHz.
AST = Extractor(
    "ASTFeatureExtractor",
    obeyed={
        "num_mel_bins": _BANDS,
        "max_length": Whole(1, 65_536),
        "do_normalize": Switch(),
        "mean": _LEVEL,
        "std": Number(1e-6, 1e6),
    },
    inert=frozenset({"padding_value", "padding_side"}),
    fixed={"feature_size": 1, "sampling_rate": 16_000},
)
#: Waves are never longer than the window, so that nothing is truncated.
CLAP = Extractor(
    "ClapFeatureExtractor",
    obeyed={
        "feature_size": _BANDS,
        "fft_window_size": _FFT,
        "frequency_min": _HERTZ,
        "frequency_max": _HERTZ,
        "hop_length": _SAMPLES,
    },
    inert=frozenset({"truncation", "padding_side", "chunk_length_s", "n_fft"})
    | {"nb_frequency_bins", "nb_max_frames", "nb_max_samples"},
    fixed={
        "max_length_s": 10,
        "padding": "repeatpad",
        "padding_value": 0.0,
        "sampling_rate": 48_000,
        "top_db": None,
    },
)


def read(checkpoint: Path, title: str, extractor: Extractor) -> dict[str, Any]:
    """What the folder says of how sound is prepared, of keys that matter alone: as transformers does, processor_config.json
    where it says that, and else preprocessor_config.json. Raises BackboneError if it is missing, asks for what
    ``extractor`` is not, or gives a key a value that it cannot have.
    """
    file, values = _said(checkpoint, title)
    named = values.get("feature_extractor_type")
    if named not in (None, extractor.name):
        raise _foreign(file, title, "feature_extractor_type", named)
    for key, value in values.items():
        if key in extractor.obeyed:
            allowed = extractor.obeyed[key]
            if not allowed.hold(value):
                raise BackboneError(
                    "{file} of {name} says {key} = {value}, where {wanted} must stand. Correct the file or choose "
                    "another backbone.",
                    code="backbone.preprocessor.value",
                    file=file,
                    name=title,
                    key=key,
                    value=_shown(value),
                    wanted=allowed.words(),
                )
        elif key in extractor.fixed:
            if not _same(value, extractor.fixed[key]):
                raise _foreign(file, title, key, value)
        elif key not in extractor.inert and key not in _ALWAYS_INERT:
            raise _foreign(file, title, key, value)
    return {key: value for key, value in values.items() if key in extractor.obeyed or key in extractor.fixed}


def check_fits(checkpoint: Path, title: str, key: str, value: float, fits: bool) -> None:
    """Raise BackboneError unless ``fits``: whether the network of this folder reads what ``key`` = ``value`` makes."""
    if fits:
        return
    raise BackboneError(
        "{file} of {name} says {key} = {value}, which does not fit its network. Correct the file or choose another "
        "backbone.",
        code="backbone.preprocessor.unfit",
        file=_said(checkpoint, title)[0],
        name=title,
        key=key,
        value=_shown(value),
    )


def _said(checkpoint: Path, title: str) -> tuple[str, dict[str, Any]]:
    """The file that says how sound is prepared, and what it says."""
    if (checkpoint / files.PROCESSOR).is_file():
        together = loading.read_json(checkpoint, files.PROCESSOR, title)
        values = together.get("feature_extractor", together.get("audio_processor"))
        if isinstance(values, dict):
            return files.PROCESSOR, values
    return files.PREPROCESSOR, loading.read_json(checkpoint, files.PREPROCESSOR, title)


def _same(value: Any, only: Any) -> bool:
    return value == only and isinstance(value, bool) == isinstance(only, bool)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]


def _foreign(file: str, title: str, key: str, value: Any) -> BackboneError:
    return BackboneError(
        "{name} prepares its sound in a way that is not computed here: its {file} says {key} = {value}. Choose another "
        "backbone.",
        code="backbone.preprocessor",
        name=title,
        file=file,
        key=key[:60],
        value=_shown(value),
    )
