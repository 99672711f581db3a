"""Every kind of sound network that transformers knows is loaded or refused with a reason."""

from __future__ import annotations

import pytest

from mirdemo.backbones import generic, unloadable


def test_no_kind_of_transformers_that_reads_sound_is_unknown() -> None:
    from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING_NAMES

    unknown = {*FEATURE_EXTRACTOR_MAPPING_NAMES} - generic.KINDS - unloadable.REFUSED
    assert not unknown


def test_the_kinds_that_are_named_exist_and_none_is_both() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    known = {*CONFIG_MAPPING_NAMES} | {"mert_model"}
    assert known >= generic.KINDS
    assert known | {"speecht5_hifigan", "qwen2_5_omni_thinker"} >= unloadable.REFUSED
    assert not generic.KINDS & unloadable.REFUSED


@pytest.mark.parametrize("kind", sorted(unloadable.REFUSED))
def test_the_reason_is_given_and_names_the_kind(kind) -> None:
    refused = unloadable.refusal("someone/something", kind)
    assert refused.sentence.code.startswith("backbone.kind_")
    assert kind in str(refused)
    assert "someone/something" in str(refused)
    assert str(refused).count("Choose") == 1
