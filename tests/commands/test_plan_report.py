"""``report --plan``: the plan's file becomes one page for a meeting; what is no plan becomes a sentence."""

from __future__ import annotations

import re
from html import unescape

import pytest
from planned import RISING, evidence, way

from mirdemo.cli import main
from mirdemo.evidence.plan_words import titles
from mirdemo.evidence.reporting import MAX_BYTES
from mirdemo.planning import Plan, for_the_meeting, make_plan
from mirdemo.planning.ways import FINE_TUNE
from mirdemo.words.language import speaker


@pytest.fixture
def plan() -> Plan:
    ways = way(0.7, 0.2), way(0.9, 0.1, kind=FINE_TUNE, machine_seconds=33.0)
    return make_plan(evidence(*ways, growth=RISING, seconds={"probe": 2.0}), recordings=900)


def text_of(html: str) -> str:
    body = html.split("<script")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_plan_becomes_one_page_with_its_sentences_and_no_network(
    plan: Plan, tmp_path, language: str, capsys
):
    saved, out = tmp_path / "plan.json", tmp_path / "report.html"
    saved.write_text(plan.as_json(), encoding="utf-8")
    assert main(["report", "--plan", str(saved), "--out", str(out), "--language", language]) == 0
    html = out.read_text(encoding="utf-8")
    assert len(html.encode()) < MAX_BYTES
    assert f'<html lang="{language}">' in html
    assert "default-src 'none'" in html
    assert not re.findall(r"(?:src|href)=[\"']?https?:", html)
    said = text_of(html)
    t = speaker(language)
    for sentence in for_the_meeting(plan, titles(t)):
        assert re.sub(r"\s+", " ", unescape(str(t.say(sentence)))) in said
    assert str(t("plan.each")) in said
    assert "A4" in html
    assert "&lt;b&gt;" in html  # a tag of that name
    assert html.count('class="chart"') == 4


@pytest.mark.parametrize("content", ["", "{}", '{"format": "mirdemo-plan-0"}', "[1, 2"])
def test_what_is_no_plan_is_a_sentence_and_leaves_no_file(tmp_path, content: str, capsys):
    saved, out = tmp_path / "plan.json", tmp_path / "report.html"
    saved.write_text(content, encoding="utf-8")
    assert main(["report", "--plan", str(saved), "--out", str(out)]) == 2
    assert "plan" in capsys.readouterr().err
    assert not out.exists()


def test_a_file_that_is_not_there_is_a_sentence(tmp_path, capsys):
    assert main(["report", "--plan", str(tmp_path / "none.json"), "--out", str(tmp_path / "r.html")]) == 2
    assert "--plan" in capsys.readouterr().err
