"""How templates write numbers, and that they escape."""

from __future__ import annotations

import re

import pytest

from mirdemo.web.frame.templating import TEMPLATES, _environment, compile_all, distance, duration


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0.000"),
        (0.2537, "0.254"),
        (1.3, "1.300"),
        (0.0012, "0.0012"),
        (0.00187, "0.0019"),
        (0.05, "0.050"),
    ],
)
def test_distances_keep_what_tells_them_apart(value, written):
    assert distance(value) == written


@pytest.mark.parametrize(("value", "written"), [(3.24, "3.2 s"), (9.96, "0:10"), (75.4, "1:15")])
def test_durations_are_clock_times_from_ten_seconds_up(value, written):
    assert duration(value) == written


def test_words_beside_a_sign_are_one_part():
    """Signs and words are laid out side by side; a term that stands alone in there would stand apart from its sentence."""
    loose = re.compile(
        r'class="(?:word|parts)[^>]*>(?:[^<>]*parts\.icon\([^()]*(?:\[[^]]*\])?\) }}(?:{% endif %})?)?{{ (?!parts)'
    )
    found = {path.name: loose.findall(path.read_text(encoding="utf-8")) for path in TEMPLATES.glob("*.html")}
    assert not any(found.values()), found


def test_everything_is_escaped():
    assert _environment().from_string("{{ word }}").render(word="<b>") == "&lt;b&gt;"


def test_all_are_compiled_before_anybody_asks():
    _environment.cache_clear()
    compile_all()
    assert len(_environment().cache) == len(list(TEMPLATES.glob("*.html")))
