"""Results in MTEB's layout and as a table: they come back as they were, and MTEB itself reads them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from measured import figure_of

from mirdemo.cli import main
from mirdemo.corpora.elsewhere import ELSEWHERE
from mirdemo.results import exchange, records
from mirdemo.results.records import Result, ResultsError

TASKS = tuple(ELSEWHERE.values())


def every_kind() -> list[Result]:
    """Published and measured ones: over tags, of single tags, few-shot of several settings, of MTEB's own tasks."""
    few = [r for r in records.published() if r.method == "fewshot" and r.corpus == "lyra"]
    tagged = [r for r in records.published() if r.tag and r.corpus == "makam" and r.model == "AST"]
    return [
        *few,
        *tagged,
        *records.elsewhere(),
        *[r for r in records.shipped() if r.source == "measured"][:300],
        *records.on_real_traditions(),
        *records.untrained(),
    ]


def test_what_is_written_comes_back_as_it_was(tmp_path):
    made = every_kind()
    exchange.write_mteb(made, tmp_path, TASKS)
    found, unknown = exchange.read_mteb(tmp_path, TASKS)
    assert unknown == {}
    assert sorted(map(repr, found)) == sorted(map(repr, made))


def test_every_figure_has_one_place_and_the_main_score_is_the_figure_over_tags():
    for name, held in exchange.as_mteb(every_kind(), TASKS).items():
        if name.endswith(exchange.META):
            continue
        for scores in held["scores"].values():
            subsets = [one["hf_subset"] for one in scores]
            assert len(set(subsets)) == len(subsets), name
            for one in scores:
                overall = {r["metric"]: r["value"] for r in one["mirdemo"] if "tag" not in r}
                assert len(overall) == sum("tag" not in r for r in one["mirdemo"]), (name, one["hf_subset"])
                if overall:
                    assert one["main_score"] in overall.values()


def test_mtebs_own_tasks_keep_their_names_and_others_never_take_one():
    names = {name.split("/")[-1] for name in exchange.as_mteb(every_kind(), TASKS)}
    theirs = {f"{task.mteb}.json" for task in TASKS}
    assert theirs <= names
    assert all(name.startswith("mirdemo-") for name in names - theirs - {exchange.META})


def test_mteb_reads_what_is_written(tmp_path):
    pytest.importorskip("mteb", reason="mteb is not installed here")
    from mteb import ResultCache
    from mteb.results import TaskResult

    exchange.write_mteb(every_kind(), tmp_path / "results", TASKS)
    files = [path for path in tmp_path.rglob("*.json") if path.name != exchange.META]
    for path in files:
        task = TaskResult.from_disk(path)
        assert task.task_name == path.stem
        for scores in task.scores.values():
            assert all(0 <= one["main_score"] <= 1 for one in scores)
    cache = ResultCache(cache_path=tmp_path)
    found = cache.load_results(include_remote=False, require_model_meta=True)
    read = sorted(t.task_name for m in found.model_results for t in m.task_results)
    assert read == sorted(path.stem for path in files)
    mine = next(m for m in found.model_results if m.model_name == "Qwen/Qwen2-Audio-7B")
    assert {t.task_name: t.main_score for t in mine.task_results}["BeijingOpera"] == 0.974468


def theirs(folder, task="BeijingOpera", **changed):
    """A file as MTEB writes it."""
    place = folder / "laion__larger_clap_general" / "ada0c23a"
    place.mkdir(parents=True)
    score = {
        "accuracy": 0.93617,
        "main_score": 0.93617,
        "f1": 0.93,
        "hf_subset": "default",
        "languages": ["zxx-Zxxx"],
        "scores_per_experiment": [{"accuracy": 0.9}, {"accuracy": 0.97234}],
    }
    held = {
        "dataset_revision": "fed432f5",
        "task_name": task,
        "mteb_version": "2.18.0",
        "scores": {"train": [score]},
        "evaluation_time": 158.3,
        "kg_co2_emissions": None,
    }
    (place / f"{task}.json").write_text(json.dumps({**held, **changed}), encoding="utf-8")
    return folder


def test_a_file_of_mtebs_becomes_a_record_of_its_own_protocol(tmp_path):
    (record,), unknown = exchange.read_mteb(theirs(tmp_path), TASKS)
    assert unknown == {}
    assert (record.model, record.revision) == ("laion/larger_clap_general", "ada0c23a")
    assert (record.corpus, record.protocol, record.metric) == ("beijing-opera", "maeb", "accuracy")
    assert record.value == 0.93617
    assert record.n == 236
    assert record.low is None
    assert record.setting["experiments"] == 2
    assert record.setting["sd"] == pytest.approx(0.0362, abs=1e-4)
    assert record.apart


def test_a_task_that_is_not_known_is_counted_and_makes_no_record(tmp_path):
    found, unknown = exchange.read_mteb(theirs(tmp_path, "ESC50"), TASKS)
    assert found == []
    assert unknown == {"ESC50": 1}


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"scores": 3}', '{"scores": {"test": [3]}, "task_name": "x"}', "\x00"),
        '{"scores": {"test": [{"accuracy": 0.5}]}, "task_name": []}',
        '{"scores": {"test": []}, "task_name": "x", "evaluation_time": "long"}',
    ],
)
def test_what_is_no_result_is_refused_by_name(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(ResultsError, match=r"x\.json is not a results file of MTEB"):
        exchange.read_mteb(file, TASKS)


def test_a_hostile_name_leads_out_of_no_folder(tmp_path):
    record = figure_of(model="../../x/../y", revision="..", corpus="../c", protocol="p/..")
    exchange.write_mteb([record], tmp_path / "out")
    assert all((tmp_path / "out") in path.parents for path in tmp_path.rglob("*.json"))
    assert exchange.read_mteb(tmp_path / "out")[0] == [record]


def test_the_table_has_every_field_and_no_formula():
    out = io.StringIO()
    assert exchange.write_csv([figure_of(model="=cmd", value=0.5, setting={"a": 1})], out) == 1
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert row["model"] == "'=cmd"
    assert json.loads(row["setting"]) == {"a": 1}
    assert row["value"] == "0.5"
    assert row["low"] == ""


def test_the_command_takes_in_what_is_new_once_and_gives_it_out_again(tmp_path, capsys):
    own, out = tmp_path / "own.jsonl", tmp_path / "out"
    place = theirs(tmp_path / "in")
    assert main(["results", "import", str(place), "--results", str(own)]) == 0
    assert "1 figures taken in" in capsys.readouterr().out
    assert main(["results", "import", str(place), "--results", str(own)]) == 0
    assert len(records.load(own)) == 1
    assert (
        main(
            [
                "results",
                "export",
                "--format",
                "mteb",
                "--source",
                "published",
                "--protocol",
                "maeb",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert (out / "Qwen__Qwen2-Audio-7B").is_dir()
    assert main(["results", "import", str(out), "--results", str(own), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))["new"] == 0
    assert main(["results", "export", "--format", "csv", "--source", "published", "--model", "nobody"]) == 1
    assert "no such figure" in capsys.readouterr().err


def test_figures_on_real_recordings_go_out_and_are_known_when_they_come_back(tmp_path, capsys):
    real = [*records.on_real_traditions(), *records.untrained()]
    assert main(["results", "export", "--source", "real", "--format", "mteb", "--out", str(tmp_path)]) == 0
    assert f"{len(real)} figures written" in capsys.readouterr().out
    files = {path.stem for path in tmp_path.rglob("*.json")} - {"model_meta"}
    corpora = ("gtzan-mini", "kdc", "kdc-artists")
    assert files == {f"mirdemo-{c}-{m}-live" for c in corpora for m in ("probe", "fewshot")}
    found, unknown = exchange.read_mteb(tmp_path, TASKS)
    assert unknown == {}
    assert sorted(map(repr, found)) == sorted(map(repr, real))
    assert main(["results", "import", str(tmp_path)]) == 0
    assert "0 figures taken in" in capsys.readouterr().out
    for source in ("measured", "all"):
        out = tmp_path / f"{source}.csv"
        line = ["results", "export", "--source", source, "--corpus", "kdc", "--format", "csv", "--out"]
        assert main([*line, str(out)]) == 0
        assert "musicnn-MSD" in out.read_text(encoding="utf-8")
