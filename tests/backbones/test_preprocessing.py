"""Each key of a preprocessor's file that is used has a type and a range; another value is refused by file, key and value."""

from __future__ import annotations

import json
import math

import pytest
from backbones.test_families import code_of, copied, load

from mirdemo.backbones import BackboneError, preprocessing
from mirdemo.backbones.preprocessing import Extractor, Number, Switch, Whole
from mirdemo.words.language import LANGUAGES, speaker

#: A kind that reads each extractor's file.
READERS = {
    "hubert": preprocessing.WAVE,
    "whisper": preprocessing.WHISPER,
    "qwen3_omni_moe": preprocessing.WHISPER_BESIDE_IMAGES,
    "wav2vec2-bert": preprocessing.SEAMLESS,
    "encodec": preprocessing.ENCODEC,
    "ast": preprocessing.AST,
    "clap": preprocessing.CLAP,
}


def odd_values(allowed: object) -> list[object]:
    """Of a wrong type, nothing, and beyond the range."""
    values: list[object] = ["80", [1], {}, math.nan]
    if isinstance(allowed, Switch):
        return [*values, None, 0, 1, "no"]
    assert isinstance(allowed, (Whole, Number))
    values += [True, math.inf, -math.inf]
    values += [] if isinstance(allowed, Number) and allowed.null else [None]
    step = 1 if isinstance(allowed, Whole) else abs(allowed.low) / 2 + 1e-9
    values += [allowed.low - step, allowed.high * 2]
    return [*values, 80.5] if isinstance(allowed, Whole) else values


USED = [(kind, key) for kind, extractor in READERS.items() for key in extractor.obeyed]


def test_every_extractor_is_read_here():
    there = [value for value in vars(preprocessing).values() if isinstance(value, Extractor)]
    assert {id(value) for value in there} == {id(value) for value in READERS.values()}


@pytest.mark.parametrize(("kind", "key"), USED)
def test_a_used_key_refuses_what_it_cannot_have_by_file_key_and_value(kind, key, checkpoint, tmp_path):
    extractor = READERS[kind]
    values = json.loads((checkpoint(kind) / "preprocessor_config.json").read_text(encoding="utf-8"))
    for file in ("preprocessor_config.json", "processor_config.json"):
        for odd in odd_values(extractor.obeyed[key]):
            said = values | {key: odd}
            whole = {"feature_extractor": said} if file == "processor_config.json" else said
            (tmp_path / file).write_text(json.dumps(whole), encoding="utf-8")
            with pytest.raises(BackboneError) as caught:
                preprocessing.read(tmp_path, "A network", extractor)
            assert code_of(caught) == "backbone.preprocessor.value"
            for language in LANGUAGES:
                text = speaker(language).say(caught.value.sentence).unescape()
                assert all(part in text for part in (file, key, json.dumps(odd)[:60])), text
    (tmp_path / "processor_config.json").unlink()
    for fine in ends(extractor.obeyed[key]):
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(values | {key: fine}), encoding="utf-8")
        assert preprocessing.read(tmp_path, "A network", extractor)[key] == fine


def ends(allowed: object) -> tuple[object, ...]:
    return (True, False) if isinstance(allowed, Switch) else (allowed.low, allowed.high)


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind in READERS for key in READERS[kind].fixed])
def test_true_is_not_one_and_false_is_not_zero(kind, key, checkpoint, tmp_path):
    only = READERS[kind].fixed[key]
    other = int(only) if isinstance(only, bool) else bool(only)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({key: other}), encoding="utf-8")
    with pytest.raises(BackboneError) as caught:
        preprocessing.read(tmp_path, "A network", READERS[kind])
    assert code_of(caught) == "backbone.preprocessor"


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("whisper", "feature_size", 79),
        ("whisper", "hop_length", 161),
        ("whisper", "chunk_length", 29),
        ("whisper", "sampling_rate", 8_000),
        ("qwen3_omni_moe", "feature_size", 80),
        ("ast", "num_mel_bins", 64),
        ("ast", "max_length", 2),
        ("clap", "feature_size", 32),
        ("clap", "hop_length", 100),
        ("clap", "frequency_max", 50),
    ],
)
def test_what_the_network_does_not_read_is_refused_before_it_is_heard(
    kind, key, value, checkpoint, loaded, tmp_path
):
    loaded(kind)  # the outcome of its health check is remembered by its weights, and would hide it
    folder = copied(checkpoint(kind), tmp_path / "copy")
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")
    with pytest.raises(BackboneError) as caught:
        load(kind, folder)
    assert code_of(caught) == "backbone.preprocessor.unfit"
    assert path.name in str(caught.value)


@pytest.mark.parametrize("kind", READERS)
def test_whatever_stands_at_keys_that_change_nothing_changes_nothing(kind, checkpoint, tmp_path):
    path = checkpoint(kind) / "preprocessor_config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    plain = preprocessing.read(path.parent, "A network", READERS[kind])
    odd = dict.fromkeys([*READERS[kind].inert, "return_attention_mask", "processor_class"], "loud")
    (tmp_path / path.name).write_text(json.dumps(values | odd), encoding="utf-8")
    assert preprocessing.read(tmp_path, "A network", READERS[kind]) == plain
