"""The published figures that ship are those of the tables beside them, one for one."""

from __future__ import annotations

import csv
import json

from mirdemo.base.assets import ASSETS
from mirdemo.results.records import SHIPPED, load
from training.published_figures import records

TABLES = SHIPPED / "published"


def test_what_ships_is_what_the_tables_say():
    shipped = load(SHIPPED / "published.jsonl").records
    made = tuple(records())
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


def test_the_shipped_vocabularies_are_the_base_tags_of_the_table():
    with (TABLES / "corpus_tags.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "base"]
    shipped = json.loads((ASSETS / "corpora" / "vocabularies.json").read_text(encoding="utf-8"))["tags"]
    for corpus, tags in shipped.items():
        mine = sorted((int(row["order"]), row["tag"]) for row in rows if row["corpus"] == corpus)
        assert [tag for _, tag in mine] == tags


def test_every_table_is_told_where_it_was_read():
    said = (TABLES / "README.md").read_text(encoding="utf-8")
    for table in TABLES.glob("*.csv"):
        assert f"`{table.name}`" in said
