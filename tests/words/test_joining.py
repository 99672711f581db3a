"""Sentences one after another: a Japanese full stop brings its own room, and nothing that somebody typed is touched."""

from __future__ import annotations

from markupsafe import Markup

from mirdemo.web.frame import templating
from mirdemo.words.joining import in_a_row

JOINED = """<p>{{ one }} {{ two }}
  <span class="quiet">{{ one }}</span> {% if more %}{{ more }}{% endif %} {{ typed }}</p>
<p title="{{ one }} {{ two }}">{{ name }} {{ two }}</p>"""


def joined(**values: str) -> str:
    made = templating._environment().from_string(JOINED).render(**values)
    return templating.closed_up(made)


def test_a_template_parts_japanese_sentences_by_nothing_and_english_ones_by_a_space():
    made = joined(one="一つ。", two="二つ。", more="", typed="犬。 猫", name="A")
    assert made.replace("\n", "") == (
        '<p>一つ。二つ。<span class="quiet">一つ。</span>犬。 猫</p><p title="一つ。二つ。">A 二つ。</p>'
    ), "what somebody typed keeps its space"
    made = joined(one="One.", two="Two.", more="", typed="a", name="A")
    assert " ".join(made.split()) == (
        '<p>One. Two. <span class="quiet">One.</span> a</p> <p title="One. Two.">A Two.</p>'
    )


def test_code_joins_them_as_templates_do():
    assert in_a_row(["一つ。", "", "二つ。"]) == "一つ。二つ。"
    assert in_a_row(["One.", "Two."]) == "One. Two."
    assert in_a_row([]) == ""
    assert in_a_row([Markup("<b>1</b>。"), Markup("2")]) == "<b>1</b>。2"
