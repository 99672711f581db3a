"""preprocessor_config.json, or that part of processor_config.json: every key is obeyed, known to change nothing, or a reason to refuse.

A file written for another feature extractor still loads and still gives plausible rows; they are rows of sound that
the network was never raised on. So each family lists what it knows, and anything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mirdemo.backbones import files, loading
from mirdemo.backbones.spec import BackboneError


@dataclass(frozen=True)
class Extractor:
    """What a family computes of transformers' feature extractor.

    name: its class, which the file must name if it names one
    obeyed: keys whose values are used
    inert: keys that change nothing here: derived from others, or about padding where none is fed to the network
    fixed: keys with the only value that is computed
    """

    name: str
    obeyed: frozenset[str]
    inert: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)


#: About the file itself, and about the side on which batches are padded: rows are never padded for one another.
_ALWAYS_INERT = frozenset(
    {"feature_extractor_type", "processor_class", "padding_side", "return_attention_mask"}
)

WAVE = Extractor(
    "Wav2Vec2FeatureExtractor",
    obeyed=frozenset({"do_normalize", "sampling_rate"}),
    inert=frozenset({"padding_value"}),
    fixed={"feature_size": 1},
)
#: ``mel_filters`` stands in Whisper's first files; the extractor has computed the table anew ever since.
WHISPER = Extractor(
    "WhisperFeatureExtractor",
    obeyed=frozenset(
        {"feature_size", "sampling_rate", "hop_length", "chunk_length", "n_fft", "padding_value"}
    ),
    inert=frozenset({"n_samples", "nb_max_frames", "mel_filters"}),
    fixed={"dither": 0.0, "do_normalize": False},
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
    obeyed=frozenset({"num_mel_bins", "stride"}),
    inert=frozenset({"feature_size", "padding_value", "language_code"}),
    fixed={"sampling_rate": 16_000},
)
#: ``overlap`` is between the pieces of a long sound; windows here are such pieces, side by side.
ENCODEC = Extractor(
    "EncodecFeatureExtractor",
    obeyed=frozenset({"feature_size", "sampling_rate", "chunk_length_s"}),
    inert=frozenset({"padding_value", "overlap"}),
)
#: The frames of Kaldi's filter banks are counted in samples at 16 kHz.
AST = Extractor(
    "ASTFeatureExtractor",
    obeyed=frozenset({"num_mel_bins", "max_length", "do_normalize", "mean", "std"}),
    inert=frozenset({"padding_value"}),
    fixed={"feature_size": 1, "sampling_rate": 16_000},
)
#: Waves are never longer than the window, so that nothing is truncated.
CLAP = Extractor(
    "ClapFeatureExtractor",
    obeyed=frozenset({"feature_size", "fft_window_size", "frequency_min", "frequency_max", "hop_length"}),
    inert=frozenset(
        {"truncation", "chunk_length_s", "n_fft", "nb_frequency_bins", "nb_max_frames", "nb_max_samples"}
    ),
    fixed={
        "max_length_s": 10,
        "padding": "repeatpad",
        "padding_value": 0.0,
        "sampling_rate": 48_000,
        "top_db": None,
    },
)


def read(checkpoint: Path, title: str, extractor: Extractor) -> dict[str, Any]:
    """What the folder says of how sound is prepared: as transformers does, processor_config.json where it says that, and
    else preprocessor_config.json. Raises BackboneError if it is missing, or asks for what ``extractor`` is not.
    """
    values = None
    if (checkpoint / files.PROCESSOR).is_file():
        together = loading.read_json(checkpoint, files.PROCESSOR, title)
        values = together.get("feature_extractor", together.get("audio_processor"))
    if not isinstance(values, dict):
        values = loading.read_json(checkpoint, files.PREPROCESSOR, title)
    named = values.get("feature_extractor_type")
    if named not in (None, extractor.name):
        raise _refused(title, "feature_extractor_type", named)
    for key, value in values.items():
        known = key in extractor.obeyed or key in extractor.inert or key in _ALWAYS_INERT
        if key in extractor.fixed:
            known = value == extractor.fixed[key]
        if not known:
            raise _refused(title, key, value)
    rate = values.get("sampling_rate", 16_000)
    if isinstance(rate, bool) or not isinstance(rate, int) or not 1_000 <= rate <= 384_000:
        raise _refused(title, "sampling_rate", rate)
    return values


def _refused(title: str, key: str, value: Any) -> BackboneError:
    return BackboneError(
        "{name} prepares its sound in a way that is not computed here: its preprocessor_config.json says {key} = "
        "{value}. Choose another backbone.",
        code="backbone.preprocessor",
        name=title,
        key=key[:60],
        value=str(value)[:60],
    )
