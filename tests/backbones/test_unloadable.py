"""Every kind of sound network that transformers knows is loaded or refused with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mirdemo.backbones import generic, unloadable


def kinds_that_read_sound() -> set[str]:
    """Of transformers' own registry: each kind with a network whose class says that its input is sound.

    Read from the sources, as importing every network takes a minute: a class names its configuration, its
    ``input_modalities`` and its ``main_input_name``, or inherits them.
    """
    import transformers
    from transformers.models.auto import configuration_auto as registry

    heading = re.compile(r"^class (\w+)\(([^)]*)\):", re.MULTILINE)
    told = {
        "config": re.compile(r'^    config(?:_class)?(?:: | = )"?(\w+)', re.MULTILINE),
        "input_modalities": re.compile(r"^    input_modalities.*?= (.*)$", re.MULTILINE),
        "main_input_name": re.compile(r'^    main_input_name = "(\w+)"', re.MULTILINE),
    }
    models = Path(transformers.__file__).parent / "models"

    def classes(folder: str) -> dict[str, tuple[list[str], dict[str, str]]]:
        """Class -> the names of those it inherits from, and what it says itself."""
        found = {}
        for path in (models / folder).glob("modeling_*.py"):
            _, *pieces = heading.split(path.read_text(encoding="utf-8"))
            for name, bases, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
                own = {key: match.group(1) for key, form in told.items() if (match := form.search(body))}
                found[name] = ([base.strip() for base in bases.split(",")], own)
        return found

    def said(name: str, key: str, known: dict[str, tuple[list[str], dict[str, str]]]) -> str:
        if name not in known:
            return ""
        bases, own = known[name]
        return own.get(key) or next((found for base in bases if (found := said(base, key, known))), "")

    sound = set()
    read: dict[str, dict[str, tuple[list[str], dict[str, str]]]] = {}
    for kind, config in registry.CONFIG_MAPPING_NAMES.items():
        folder = registry.model_type_to_module_name(kind)
        if folder not in read:
            read[folder] = classes(folder)
        known = read[folder]
        for name in known:
            if said(name, "config", known) != config:
                continue
            main = re.match("input_values|input_features|audio|wave", said(name, "main_input_name", known))
            if main or "audio" in said(name, "input_modalities", known):
                sound.add(kind)
    return sound


def test_no_kind_of_transformers_that_reads_sound_is_unknown() -> None:
    """By its networks, by its feature extractors, and by what its tasks about sound can be done with."""
    from transformers.models.auto import modeling_auto
    from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING_NAMES

    by_network = kinds_that_read_sound()
    assert len(by_network) > 100
    assert {"wav2vec2", "clap_audio_model", "qwen3_omni_moe_audio_encoder", "gemma3n"} <= by_network
    by_task = {
        kind
        for name, kinds in vars(modeling_auto).items()
        if re.fullmatch(r"MODEL_FOR_(AUDIO_\w+|CTC|RNNT|TDT|SPEECH_\w+|TEXT_TO_[SW]\w+)_NAMES", name)
        for kind in kinds
    }
    assert len(by_task) > 40
    unknown = {*by_network, *by_task, *FEATURE_EXTRACTOR_MAPPING_NAMES} - generic.KINDS
    silent = {
        kind
        for kind in unknown
        if unloadable.refusal("a/b", kind, generic.KINDS).sentence.code == "backbone.kind"
    }
    assert not silent


def test_the_kinds_that_are_named_exist_and_none_is_both() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    known = {*CONFIG_MAPPING_NAMES} | {"mert_model"}
    assert known >= generic.KINDS
    assert known | {"speecht5_hifigan", "nemotron3_5_transcribe"} >= unloadable.REFUSED
    assert not generic.KINDS & unloadable.REFUSED


@pytest.mark.parametrize("kind", sorted(unloadable.REFUSED))
def test_the_reason_is_given_and_names_the_kind(kind) -> None:
    refused = unloadable.refusal("someone/something", kind, generic.KINDS)
    assert refused.sentence.code.startswith("backbone.kind_")
    assert kind in str(refused)
    assert "someone/something" in str(refused)
    assert str(refused).count("Choose") == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("clap_audio_model", "backbone.kind_part"),
        ("qwen2_5_omni_talker", "backbone.kind_part"),
        ("gemma4_audio", "backbone.kind_senses"),
        ("mimi_encoder", "backbone.kind_codec"),
        ("glmasr_encoder", "backbone.kind_speech"),
        ("bert", "backbone.kind"),
    ],
)
def test_a_part_alone_is_refused_as_the_whole_it_is_of(kind, code) -> None:
    refused = unloadable.refusal("someone/something", kind, generic.KINDS)
    assert refused.sentence.code == code
    assert kind in str(refused)
