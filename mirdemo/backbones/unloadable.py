"""Why a repository of another kind is not loaded: of every kind of sound network that transformers 5.23 knows.

Imports no transformers. A test holds that each of its kinds that reads sound is loaded or stands here.
"""

from __future__ import annotations

from collections.abc import Collection

from mirdemo.backbones.spec import BackboneError

#: Codecs whose encoder lies behind other normalisations, transformers or second inputs than EnCodec's.
_CODECS = frozenset(
    {
        "dac",
        "mimi",
        "xcodec",
        "xcodec2",
        "neucodec",
        "higgs_audio_v2_tokenizer",
        "vibevoice_acoustic_tokenizer",
    }
    | {"pocket_tts_audio_tokenizer"}
)
#: What writes sound, or notes, and reads it only as a prompt.
_MAKERS = frozenset(
    {"musicgen", "musicgen_melody", "pop2piano", "bark", "csm", "dia", "moshi", "vits", "clvp", "univnet"}
    | {
        "fastspeech2_conformer",
        "pocket_tts",
        "gradium_phonon_tts",
        "vibevoice",
        "higgs_audio_v2",
        "speecht5_hifigan",
    }
)
#: Raised to write down speech, or to talk about it, with an encoder of its own making.
_SPEECH = frozenset(
    {
        "speech_to_text",
        "speech-encoder-decoder",
        "speecht5",
        "moonshine",
        "moonshine_streaming",
        "canary",
        "cohere_asr",
    }
    | {"seamless_m4t", "seamless_m4t_v2", "parakeet_encoder", "parakeet_ctc", "parakeet_rnnt", "parakeet_tdt"}
    | {
        "lasr_encoder",
        "lasr_ctc",
        "fun_asr_nano",
        "glmasr",
        "qwen3_asr",
        "kyutai_speech_to_text",
        "vibevoice_asr",
    }
    | {
        "granite_speech",
        "granite_speech_plus",
        "granite_speech5_encoder",
        "granite_speech5_ctc",
        "voxtral_realtime",
    }
    | {"nemotron_asr_streaming", "nemotron_asr_streaming_encoder", "nemotron3_5_asr", "nemotron3_diarization"}
    | {"nemo_speechlm", "nemotron3_5_transcribe", "moss_transcribe_diarize"}
)
#: Language models that also listen, and encoders that share a space with pictures, with an encoder of their own making.
_MANY_SENSES = frozenset(
    {
        "gemma3n",
        "gemma4",
        "gemma4_unified",
        "embedding_gemma2",
        "phi4_multimodal",
        "dots3_note",
        "inkling_mm_model",
    }
    | {"muse_spark", "nemotron_h_omni", "pe_audio", "pe_audio_video"}
)

REFUSED = frozenset({*_CODECS, *_MAKERS, *_SPEECH, *_MANY_SENSES})


def refusal(title: str, kind: str, loaded: Collection[str]) -> BackboneError:
    """What is said of a repository whose ``model_type`` is ``kind``; ``loaded``: the kinds that are."""
    values = {"name": title, "kind": kind[:40]}
    kind = _whole(kind, loaded)
    if kind in loaded:
        return BackboneError(
            "{name} holds a part of a model alone ({kind}), which is not computed here. Choose the repository of the whole "
            "model.",
            code="backbone.kind_part",
            **values,
        )
    if kind in _CODECS:
        return BackboneError(
            "{name} is a codec of the kind {kind}, whose encoder is not computed here. Choose EnCodec, of which it is "
            "(facebook/encodec_24khz), or a network that was raised to hear.",
            code="backbone.kind_codec",
            **values,
        )
    if kind in _MAKERS:
        return BackboneError(
            "{name} is of the kind {kind}, which makes sound and has no layers that hear a recording. Choose a network that "
            "was raised to hear; MusicGen's codec is a repository of its own (facebook/encodec_32khz).",
            code="backbone.kind_maker",
            **values,
        )
    if kind in _SPEECH:
        return BackboneError(
            "{name} is of the kind {kind}, raised on speech, with an encoder that is not computed here. Choose Whisper, "
            "Voxtral, wav2vec 2.0 or wav2vec2-BERT for speech, or a network that was raised on music.",
            code="backbone.kind_speech",
            **values,
        )
    if kind in _MANY_SENSES:
        return BackboneError(
            "{name} is of the kind {kind}, which also reads text or pictures, with an encoder of sound that is not computed "
            "here. Choose a Qwen2-Audio, Qwen2.5-Omni, Qwen3-Omni, Audio Flamingo 3 or CLAP repository.",
            code="backbone.kind_senses",
            **values,
        )
    return BackboneError(
        "{name} is of the kind {kind}, which cannot be loaded. Choose a wav2vec 2.0, HuBERT, WavLM, UniSpeech, data2vec, SEW, "
        "wav2vec2-BERT, Whisper, AST, MERT, CLAP, EnCodec, Qwen or Flamingo repository.",
        code="backbone.kind",
        **values,
    )


def _whole(kind: str, loaded: Collection[str]) -> str:
    """The kind of model that one of this kind is a part of (``gemma4_audio`` of ``gemma4``), else the kind itself."""
    names = (name for name in (*REFUSED, *loaded) if kind == name or kind.startswith(f"{name}_"))
    return max(names, key=len, default=kind)
