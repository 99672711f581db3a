"""Every word in every language: no key missing, fields agree, every sentence that can be raised is translated."""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path

import pytest

import mirdemo
from mirdemo.backbones import specs
from mirdemo.base.sentences import Sentence
from mirdemo.web.frame.templating import TEMPLATES
from mirdemo.words.language import LANGUAGES, TEXT, Speaker, choose, sayings, words

PACKAGE = Path(mirdemo.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]


def fields(template: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


def raised() -> dict[str, set[str]]:
    """Every sentence in the source with a literal code and template: code -> the template's fields."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            code = next((k.value for k in node.keywords if k.arg == "code"), None)
            if code is None and getattr(node.func, "id", "") == "Sentence" and len(node.args) > 1:
                code = node.args[1]
            template = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                text = template.value if isinstance(template, ast.Constant) else None
                found.setdefault(code.value, set()).update(fields(text) if isinstance(text, str) else ())
    return found


def test_the_source_is_really_read():
    assert {"audio.no_sound", "page.busy", "clips.without_tag"} <= set(raised())


@pytest.mark.parametrize("language", OTHERS)
def test_both_languages_have_the_same_words(language: str):
    english, other = set(words("en")), set(words(language))
    only_english = {key.removesuffix(".one") for key in english - other if key.endswith(".one")}
    assert {key for key in english - other if not key.endswith(".one")} == set()
    assert only_english <= other
    assert other - english == set()


@pytest.mark.parametrize("language", OTHERS)
def test_words_take_the_same_values(language: str):
    for key, template in words(language).items():
        assert fields(template) == fields(words("en")[key]), key


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_that_can_be_raised_is_translated(language: str):
    assert set(raised()) - set(sayings(language)) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_translated_sentences_use_no_value_that_is_not_there(language: str):
    for code, there in raised().items():
        extra = fields(sayings(language).get(code, "")) - there if there else set()
        assert not extra, f"{code}: {extra}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_translated_that_nobody_raises(language: str):
    said = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # codes that stand in tables, too; those of health are put together, and held by test_registry.py
    unused = {
        code for code in sayings(language) if code not in said and not code.startswith("backbone.sick.")
    }
    assert unused == set()


def test_every_key_in_a_template_or_tab_exists():
    literal = re.compile(r"""\bt\(\s*f?["']([a-z][\w.-]*)["']\s*[,)]""")
    used = {
        key
        for path in [*TEMPLATES.glob("*.html"), *(PACKAGE / "web").rglob("*.py")]
        for key in literal.findall(path.read_text(encoding="utf-8"))
        if not key.endswith(".")
    }
    assert len(used) > 50
    assert used - set(words("en")) == set()


def test_no_file_of_words_is_left_unread_or_empty():
    for path in TEXT.glob("*.json"):
        assert path.name.split(".")[-2] in LANGUAGES, path.name
        entries = json.loads(path.read_text(encoding="utf-8"))
        assert entries
        assert all(isinstance(value, str) and value.strip() for value in entries.values()), path.name


def test_no_key_is_given_twice_in_one_file():
    for path in TEXT.glob("*.json"):

        def once(pairs: list[tuple[str, str]], name: str = path.name) -> dict[str, str]:
            keys = [key for key, _ in pairs]
            assert len(keys) == len(set(keys)), name
            return dict(pairs)

        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("fr-FR,ja;q=0.4,en;q=0.6", "en"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
        ("ja;q=nonsense,en", "en"),
    ],
)
def test_the_browsers_first_spoken_language_is_chosen(wanted: str | None, language: str):
    assert choose(wanted) == language


def test_values_are_escaped_in_words_and_sentences():
    evil = "<img src=x onerror=alert(1)>"
    speaker = Speaker("ja")
    assert "<img" not in speaker("page.play", name=evil)
    sentence = Sentence("{name} is empty.", "test.unknown", {"name": evil})
    assert "<img" not in speaker.say(sentence)
    assert "&lt;img" in speaker.say(sentence)


def test_numbers_keep_their_format_and_sentences_within_sentences_are_said():
    inner = Sentence("inner", "cancelled")
    outer = Sentence(
        "{seconds:.1f} s: {why}, {names}",
        "test.outer",
        {"seconds": 3.14159, "why": inner, "names": ["a", "b"]},
    )
    assert str(Speaker("ja").say(outer)) == "3.1 s: 中止しました。, a、b"


def test_a_template_that_does_not_fit_falls_back_to_english(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mirdemo.words.language.sayings", lambda language: {"test.bad": "{missing}"})
    assert str(Speaker("ja").say(Sentence("Plain.", "test.bad"))) == "Plain."


def test_one_and_many_are_told_apart():
    assert Speaker("en")("page.where.clips", n=1) == "1 clip"
    assert Speaker("en")("page.where.clips", n=2) == "2 clips"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_from_right_to_left_turns_round_nothing_beside_it(language: str):
    t, tag = Speaker(language), "ناي 2"
    apart = f"\u2068{tag}\u2069"
    assert apart in t("clips.pick.tag", tag=tag)
    assert str(t("alike.said", tags=[tag, "drum"])).count("\u2068") == 1
    assert apart in t.say(Sentence("{name} has it.", "test.of_it", {"name": tag}))
    for other in ("笛 2", "flute 2", "बाँसुरी 2"):
        assert "\u2068" not in t("clips.pick.tag", tag=other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_layer_of_an_embedded_backbone_has_a_name_of_its_own(language):
    from mirdemo.web.tabs.probe.shown import layer_words

    for name, spec in specs().items():
        if spec.embedded:
            layers = [layer.name for layer in spec.layers]
            called = [str(layer_words(Speaker(language), layer)) for layer in layers]
            assert len(set(called)) == len(called), name
            assert not set(called) & set(layers), name


def test_japanese_letters_are_not_parted_from_each_other_by_a_value():
    japanese, english = Speaker("ja"), Speaker("en")
    seconds = Sentence("{n} seconds", "base.time.seconds", {"n": 18})
    took = Sentence("{time} of work", "planning.cost.work", {"time": seconds})
    assert japanese.say(took) == "作業 18 秒"
    assert japanese("plan.gate.took", time=seconds) == "これまでの計算時間は 18 秒です。"
    assert japanese("page.play", name="笛 一") == "笛 一を再生"
    assert japanese("page.play", name="笛 1") == "笛 1 を再生"
    assert japanese("page.play", name="<b>") == "&lt;b&gt; を再生"
    assert english("page.play", name="笛") == "Play 笛"
