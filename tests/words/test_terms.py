"""One word for one thing: terms that were replaced do not come back, in either language, and spelling is one."""

from __future__ import annotations

import json
import re

import pytest

from mirdemo.evidence import drawing
from mirdemo.words.language import sayings, words

#: What must not occur (a regular expression) -> what is said instead.
JAPANESE = {
    "問い合わせ": "調べる録音",
    "タグ付け器|タガー": "自動タグ付けモデル",
    "このマシン|ほかのマシン|すべてのマシン": "このサーバー, ほかのコンピューター",
    "偶然からの道のり": "偶然を 0、既知の最良値を 100 とすると",
    "三つの道": "三つの方法",
    "育て": "学習させる",
    "幸運|運の良さ": "偶然の上振れ",
    "見当にとどめて": "参考にとどめて",
    "所在": "アドレス",
    "^ある録音|^あるクリップ": "タグのある録音",
    "聴き|聴こえ|聴い|聴け|聴く": "聞き分け, 聞こえ",
    "バックボーン": "基盤モデル",
    "ファインチューニング|ファインチューン": "微調整",
    "パラメータ(?!ー)": "パラメーター",
    "フォルダ(?!ー)": "フォルダー",
    "リポジトリ(?!ー)": "リポジトリー",
    r"(?<![ァ-ヴー])メモリ(?!ー)": "メモリー",
    "サーバ(?!ー)|ユーザ(?!ー)|ブラウザ(?!ー)|コンピュータ(?!ー)": "a long vowel at the end is written",
    "このソフトウェア|このプログラム|本ソフトウェア": "mirdemo",
    "訪問(?!者)": "作業",
    "だれ": "誰",
    "(?<!対)他の|その他": "ほかの, そのほか",
    "既に": "すでに",
    "お試し|お尋ね": "試す, もう一度見る",
    "[一二三四五六七八九十百](?:回|通り|行|枚|本)|分の[一二三四五]|百分の|十に一": "digits before 回, 通り, 行 and in fractions",
    "ウィンドウ": "窓",
    "閾値": "しきい値",
    "訪問者": "利用者",
    "将来": "想定",
    r"(?<!□ )分か[るりっらろ]": "わかる",
    "フューショット": "少数ショット",
    "Carnatic|Hindustani|Turkish-makam": "カルナータカ, ヒンドゥスターニー, トルコのマカーム: only coined names of corpora stay as they are",
    "機械(?!学習)": "モデル",
    r"タグ(?:は|が)? ?(?:\{\w+\}|□) ?個|(?:\{\w+\}|□) ?個のタグ(?!が)": "タグ n 種類",
    "「聞き分け": "「聞こえている」: a verdict is quoted as it is said",
    "[123] ?つ": "一つ, 二つ, 三つ",
    "～": "〜",
    "％": " %",
    r"[ぁ-んァ-ヶ一-龥ー] ?\(": "（ ）",
    r"[ぁ-んァ-ヶ一-龥ー]\d|\d[ぁ-んァ-ヶ一-龥]": "a space between a number and Japanese",
}
ENGLISH = {
    r"None of these: ": "Add a tag",
    r"\bmoved, ": "transfer, last layer trained",
    r"\b(?:fine tune|fine tuning|finetun\w+|few shot)\b": "fine-tune, few-shot",
    r"\blicense\b": "licence",
    r"(?i)\b(?:this|the) machine\b": "this server: the page may be somebody else's",
    r"(?i)\bthis (?:software|program)\b": "mirdemo",
    r"\braised on\b|\bdiets?\b": "trained on",
    r"(?i)\b(?:another|own) machine\b": "another computer",
    r"ROC AUC|\bAUC-ROC\b": "ROC-AUC",
    r"(?<!%)\b\d+%": "90 %",
}


def said(language: str) -> dict[str, str]:
    """Everything that is said, without fields and our own marks: an address or a field's format is no word."""
    everything = dict(words(language))
    everything |= sayings(language)
    return {key: re.sub(r"\{[^}]*\}|<[^>]*>|`[^`]*`", "□", text) for key, text in everything.items()}


@pytest.mark.parametrize(
    ("language", "term", "instead"),
    [
        *(("ja", term, instead) for term, instead in JAPANESE.items()),
        *(("en", term, instead) for term, instead in ENGLISH.items()),
    ],
)
def test_a_term_that_was_replaced_does_not_come_back(language: str, term: str, instead: str):
    found = {key: text for key, text in said(language).items() if re.search(term, text)}
    assert not found, f"say {instead}"


def test_charts_name_a_corpus_that_is_called_by_its_tradition_in_the_readers_language():
    drawn = (drawing.SHIPPED / "ja.json").read_text(encoding="utf-8")
    assert "カルナータカ" in drawn
    assert not re.findall("Carnatic|Hindustani|Turkish-makam", drawn)


def test_charts_name_a_backbone_that_has_words_of_its_own_as_the_page_does():
    charts = json.loads((drawing.SHIPPED / "ja.json").read_text(encoding="utf-8"))["charts"]
    drawn = json.dumps(charts, ensure_ascii=False)
    assert "スペクトル統計量" in drawn
    assert "Spectral statistics" not in drawn


@pytest.mark.parametrize(
    "where", [r"[ぁ-んァ-ヺー一-龠々](?=[A-Za-z0-9{])", r"[A-Za-z0-9%}](?=[ぁ-んァ-ヺー一-龠々])"]
)
def test_japanese_is_parted_from_other_letters_numbers_and_fields_by_one_space(where: str):
    """What a field gives closes up by itself where it is Japanese (``Speaker``)."""
    spoken = {key: text for key, text in words("ja").items() if not key.endswith(".forms")} | dict(
        sayings("ja")
    )
    found = {
        key: text for key, text in spoken.items() if re.search(where, re.sub(r"<[^>]*>|`[^`]*`", " ", text))
    }
    assert not found


def test_no_space_stands_after_a_full_stop_or_comma_in_japanese():
    spoken = dict(words("ja")) | dict(sayings("ja"))
    assert not {key: text for key, text in spoken.items() if re.search(r"[。、！？] ", text)}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_share_from_a_field_is_parted_from_its_percent_sign(language: str):
    spoken = dict(words(language)) | dict(sayings(language))
    assert not {key: text for key, text in spoken.items() if re.search(r"%\}|\}%|\d%", text)}
