"""The published figures that ship are those of the tables beside them, one for one."""

from __future__ import annotations

import csv
import json
from statistics import fmean

import pytest

from mirdemo.backbones.registry import specs
from mirdemo.base.assets import ASSETS
from mirdemo.results.records import SHIPPED, citations, load
from training.published_figures import apart, records

TABLES = SHIPPED / "published"


@pytest.mark.parametrize(("file", "make"), [("published.jsonl", records), ("elsewhere.jsonl", apart)])
def test_what_ships_is_what_the_tables_say(file, make):
    shipped = load(SHIPPED / file).records
    made = tuple(make())
    assert len(made) == len(shipped)
    different = [(one, other) for one, other in zip(made, shipped, strict=True) if one != other]
    assert different == []


def test_one_wrong_cell_would_be_seen(tmp_path):
    for table in TABLES.glob("*.csv"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    wrong = tmp_path / "culturemert_probing.csv"
    text = wrong.read_text(encoding="utf-8")
    with wrong.open(newline="", encoding="utf-8") as file:
        cell = next(csv.DictReader(file))["roc_auc_pct"]
    wrong.write_text(text.replace(cell, "12.3", 1), encoding="utf-8")
    changed = [a for a, b in zip(records(tmp_path), records(), strict=True) if a != b]
    assert [one.value for one in changed] == [0.123]


@pytest.mark.parametrize(("kind", "key"), [("base", "tags"), ("novel", "novel")])
def test_the_shipped_vocabularies_are_the_tags_of_the_table(kind, key):
    with (TABLES / "corpus_tags.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == kind]
    shipped = json.loads((ASSETS / "corpora" / "vocabularies.json").read_text(encoding="utf-8"))[key]
    assert set(shipped) == {row["corpus"] for row in rows}
    for corpus, tags in shipped.items():
        mine = sorted((int(row["order"]), row["tag"]) for row in rows if row["corpus"] == corpus)
        assert [tag for _, tag in mine] == tags


def test_only_figures_of_their_own_protocols_lie_apart_and_second_hand_is_marked():
    assert not any(record.apart for record in records())
    found = apart()
    assert {record.protocol for record in found} == {"maeb", "mgphot", "marble", "omar-rq"}
    assert all(record.apart and record.citation in citations() for record in found)
    quoted = [r for r in found if r.setting.get("read") == "second hand"]
    assert {r.model for r in quoted} >= {"MERT-v1-330M", "MuQ (310M)"}
    assert {r.protocol for r in quoted} == {"marble"}
    assert all(r.citation == "pupujepa2026" for r in quoted)


def test_models_of_the_registry_are_those_of_its_own_revision():
    by_title = {spec.title: spec for spec in specs().values()}
    mine = [r for r in apart() if r.protocol == "maeb" and r.model in by_title]
    assert {r.model for r in mine} == {"CLAP-Music", "CLAP-Music&Speech", "Qwen2-Audio"}
    assert all(r.revision == by_title[r.model].revision for r in mine)
    assert {r.model for r in mine if r.setting.get("embedded")} == {"Qwen2-Audio"}


def test_a_mean_over_tags_is_the_published_mean_of_the_model():
    found = apart()
    tags: dict[str, list[float]] = {}
    for r in found:
        if r.protocol == "mgphot" and r.tag is not None:
            tags.setdefault(r.model, []).append(r.value)
    whole = {r.model: r.value for r in found if r.protocol == "mgphot" and r.tag is None}
    assert set(tags) == set(whole)
    for model, values in tags.items():
        assert len(values) == 50
        assert fmean(values) == pytest.approx(whole[model], abs=6e-5)


def test_every_table_is_told_where_it_was_read():
    said = (TABLES / "README.md").read_text(encoding="utf-8")
    for table in TABLES.glob("*.csv"):
        assert f"`{table.name}`" in said
