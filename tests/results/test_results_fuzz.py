"""Broken and hostile files of results: records or a sentence, and nothing half taken in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from measured import figure_of
from sound_damage import mutations
from text_damage import json_damaged, read_or_refused, text_damaged

from mirdemo.cli import main
from mirdemo.corpora.elsewhere import ELSEWHERE
from mirdemo.results import exchange, records
from mirdemo.results.records import Result, ResultsError

TASKS = tuple(ELSEWHERE.values())
MUTATIONS = mutations(150)


def made() -> list[Result]:
    return [
        figure_of(seed=1, influences=(0.1, -0.1), setting={"n_way": 5, "tags": "all"}),
        figure_of(metric="map", low=0.4, high=0.9, level=0.95, value=0.5),
        *[r for r in records.elsewhere() if r.protocol == "maeb"][:1],
    ]


def broken(plain: object, number: int, kind: int) -> bytes:
    rng = np.random.default_rng([kind, number])
    text = json.dumps(plain).encode()
    return text_damaged(text, rng) if number % 3 == 0 else json.dumps(json_damaged(plain, rng)).encode()


def survive(read: Callable[[], list[Result]]) -> bool:
    """Whether it was read; what was is fit for a table and can be written again."""
    found = read_or_refused(read, ResultsError)
    if found is None:
        return False
    exchange.as_mteb(found, TASKS)
    assert all(record == records.from_dict(json.loads(json.dumps(record.as_dict()))) for record in found)
    assert all(hash(record.key) is not None for record in found)
    return True


def test_mutated_lines_of_results_are_records_or_a_sentence(tmp_path: Path):
    path, read = tmp_path / "own.jsonl", 0
    lines = [record.as_dict() for record in made()]
    for number in range(MUTATIONS):
        rng = np.random.default_rng(number)
        changed = [json_damaged(line, rng) if rng.random() < 0.5 else line for line in lines]
        text = "".join(json.dumps(line) + "\n" for line in changed).encode()
        path.write_bytes(text_damaged(text, rng) if number % 3 == 0 else text)
        read += survive(lambda: list(records.load(path)))
    assert MUTATIONS // 50 < read < MUTATIONS * 0.9


@pytest.mark.parametrize("whose", ["ours", "mteb's"])
def test_mutated_files_of_mteb_are_records_or_a_sentence(tmp_path: Path, whose: str):
    ours = next(iter(exchange.as_mteb(made(), TASKS).items()))[1]
    runs = [{"accuracy": 0.5}, {"accuracy": 0.6}]
    theirs = {
        "task_name": TASKS[0].mteb,
        "mteb_version": "2.18",
        "dataset_revision": "abc",
        "evaluation_time": 3.5,
        "date": 1_700_000_000,
        "scores": {"test": [{"accuracy": 0.5, "main_score": 0.5, "scores_per_experiment": runs}]},
    }
    plain, read = {"ours": ours, "mteb's": theirs}[whose], 0
    for number in range(MUTATIONS):
        path = tmp_path / "owner__model" / "revision" / "Task.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(broken(plain, number, 1))
        path.with_name(exchange.META).write_bytes(broken({"name": "a/b", "revision": "c"}, number, 2))
        read += survive(lambda: exchange.read_mteb(tmp_path, TASKS)[0])
    assert MUTATIONS // 50 < read < MUTATIONS * 0.95


def test_a_folder_of_which_one_file_is_broken_is_not_taken_in_by_half(tmp_path: Path, capsys):
    exchange.write_mteb(made(), tmp_path / "in", TASKS)
    own = tmp_path / "own.jsonl"
    last = sorted(path for path in (tmp_path / "in").rglob("*.json") if path.name != exchange.META)[-1]
    whole = json.loads(last.read_text())
    refused = 0
    for number in range(20):
        last.write_bytes(broken(whole, 3 * number, 3))
        code = main(["results", "import", str(tmp_path / "in"), "--results", str(own)])
        said = capsys.readouterr().err
        if code == 2 or "not a results file" in said or "cannot be used" in said:
            refused += 1
            assert not own.exists(), said
        own.unlink(missing_ok=True)
    assert refused > 5
