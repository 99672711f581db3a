"""Results can be trusted: validated, appended whole, read or refused."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import FIGURE
from measured import figure_of as record

from mirdemo.results import records as results
from mirdemo.results.records import Results, ResultsError


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": 1.2}, "outside 0 to 1"),
        ({"value": float("nan")}, "not a number"),
        ({"value": "0.8"}, "not a number"),
        ({"value": True}, "not a number"),
        ({"low": 0.7}, "both ends"),
        ({"low": 0.81, "high": 0.9, "level": 0.9}, "does not hold the value"),
        ({"low": 0.7, "high": 0.9}, "needs its level"),
        ({"metric": "goodness"}, "metric is 'goodness'"),
        ({"method": "magic"}, "method is 'magic'"),
        ({"model": ""}, "model is missing"),
        ({"n": -1}, "not a count"),
        ({"n": 1.5}, "not a count"),
        ({"source": "published"}, "citation"),
        ({"versions": None}, "versions"),
        ({"schema": 99}, "schema 99"),
    ],
)
def test_a_wrong_record_is_refused_in_a_sentence(changes, said):
    with pytest.raises(ResultsError, match=said):
        record(**changes)


numbers = st.floats(0, 1, allow_nan=False)


@given(
    value=numbers,
    n=st.none() | st.integers(0, 10**6),
    tag=st.none() | st.text(min_size=1, max_size=30),
    setting=st.dictionaries(
        st.text(min_size=1, max_size=8), st.none() | st.integers() | numbers | st.text(), max_size=3
    ),
)
def test_what_is_written_is_read_back(tmp_path_factory, value, n, tag, setting):
    path = tmp_path_factory.mktemp("r") / "results.jsonl"
    written = [record(value=value, n=n, tag=tag, setting=setting), record(seed=1)]
    assert results.append(written, path) == 2
    assert list(results.load(path)) == written


def test_blank_fields_stay_blank_and_are_not_written(tmp_path):
    path = tmp_path / "r.jsonl"
    results.append([record()], path)
    assert "seconds" not in json.loads(path.read_text())
    assert results.load(path).records[0].seconds is None


def test_a_torn_last_line_is_skipped_then_mended_by_the_next_writer(tmp_path):
    path = tmp_path / "r.jsonl"
    results.append([record(seed=1), record(seed=2)], path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    read = results.load(path)
    assert ([r.seed for r in read], read.torn) == ([1], 1)
    results.append([record(seed=3)], path)
    read = results.load(path)
    assert ([r.seed for r in read], read.torn) == ([1, 3], 0)


@pytest.mark.parametrize("bad", ["{nonsense}", "7", '["roc_auc"]'])
def test_a_bad_line_in_the_middle_is_refused_by_its_number(tmp_path, bad):
    path = tmp_path / "r.jsonl"
    results.append([record()], path)
    path.write_text(bad + "\n" + path.read_text())
    with pytest.raises(ResultsError, match=r"Line 1 of r\.jsonl"):
        results.load(path)


def test_another_schema_is_refused_not_garbled(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({**record().as_dict(), "schema": 2}) + "\n")
    with pytest.raises(ResultsError, match="schema 2"):
        results.load(path)


def test_unknown_and_missing_fields_are_named():
    with pytest.raises(ResultsError, match="colour"):
        results.from_dict({**record().as_dict(), "colour": "red"})
    with pytest.raises(ResultsError, match="metric"):
        results.from_dict({k: v for k, v in record().as_dict().items() if k != "metric"})


def _write_many(path, writer):
    for i in range(40):
        results.append([record(seed=writer * 1000 + i, model="m" * 3000)], path)


def test_two_writers_lose_nothing(tmp_path):
    path = tmp_path / "r.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, w)) for w in (1, 2)]
    for w in writers:
        w.start()
    for w in writers:
        w.join()
    assert {r.seed for r in results.load(path)} == {w * 1000 + i for w in (1, 2) for i in range(40)}


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_writer_killed_at_any_moment_leaves_whole_records(tmp_path):
    path = tmp_path / "r.jsonl"
    code = (
        "import sys; from mirdemo import results; from mirdemo.results.records import Result\n"
        f"r = [Result(**{FIGURE!r}, seed=i) for i in range(50)]\n"
        "print('ready', flush=True)\n"
        "while True: results.append(r, sys.argv[1])\n"
    )
    for pause in (0.0, 0.003, 0.011, 0.05):
        writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(pause)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        before = len(results.load(path))
        assert results.append([record(seed=-1)], path) == 1
        after = results.load(path)
        assert (len(after), after.torn) == (before + 1, 0)


def test_where_filters_by_field_and_by_setting():
    both = Results((record(setting={"n_way": 5}), record(setting={"n_way": 15}, corpus="makam")))
    assert [r.corpus for r in both.where(n_way=15)] == ["makam"]
    assert len(both.where(corpus=["lyra", "makam"])) == 2
    assert len(both.where(corpus="fma")) == 0


def test_the_table_has_a_column_a_field_and_a_setting():
    frame = Results((record(setting={"n_way": 5}), record())).frame
    assert frame["setting.n_way"].tolist()[0] == 5
    assert frame["value"].tolist() == [0.8, 0.8]


def test_single_seeds_are_kept_but_are_no_headlines():
    mean, single = record(setting={"seeds": 5}), record(seed=3, setting={"seeds": 5})
    run = record(source="published", citation="lcprotonets2024", seed=21)
    assert [r.single_seed for r in (mean, single, run)] == [False, True, False]
    assert Results((mean, single, run), torn=1).headlines() == Results((mean, run), torn=1)
    assert not any(r.single_seed for r in results.shipped())


def test_published_figures_are_cited_unique_and_as_published():
    shipped = results.published()
    cited = results.citations()
    assert len(shipped) == 5781
    assert len({r.key for r in shipped}) == len(shipped)
    assert all(r.source == "published" and r.citation in cited and r.low is None for r in shipped)
    assert not any("2506.17055" in json.dumps(c) for c in cited.values())
    mert = shipped.where(model="MERT-v1-95M", corpus="carnatic", metric="roc_auc", protocol="culturemert2025")
    assert [r.value for r in mert] == [0.749]


def test_a_figure_that_was_not_published_has_no_record():
    missing = results.published().where(model="CultureMERT-TA-95M", metric="macro_f1")
    assert len(missing) == 0


def test_what_another_program_wrote_meanwhile_is_not_written_twice(tmp_path):
    from dataclasses import replace

    from mirdemo.results.of_reports import same_measurement

    one = next(r for r in results.shipped() if r.source == "measured")
    other = replace(one, value=min(one.value, 0.5), low=None, high=None, level=None, influences=None, tag="x")
    file = tmp_path / "mine.jsonl"
    assert results.append([one], file, known=same_measurement) == 1
    assert results.append([one, other], file, known=same_measurement) == 1
    assert [r.key for r in results.load(file)] == [one.key, other.key]
    assert results.append([one], file) == 1


@pytest.mark.parametrize("what", ["weights", "precision", "engine"])
def test_other_weights_precision_or_engine_are_another_measurement(what):
    from dataclasses import replace

    from mirdemo.results.of_reports import same_measurement

    one = next(r for r in results.shipped() if r.source == "measured")
    assert same_measurement(one, [one])
    assert not same_measurement(replace(one, versions={**one.versions, what: "another"}), [one])
    assert not same_measurement(one, [replace(one, versions={**one.versions, what: "another"})])


def test_a_file_that_cannot_be_written_is_refused_and_one_that_can_is_left_as_it_was(tmp_path):
    file = tmp_path / "new" / "mine.jsonl"
    results.check_writable(file)
    assert not file.exists()
    file.write_bytes(b"{}\n")
    results.check_writable(file)
    assert file.read_bytes() == b"{}\n"
    with pytest.raises(results.ResultsError) as refusal:
        results.check_writable(file / "below" / "x.jsonl")
    assert refusal.value.sentence.code == "results.not_writable"
    assert "below" in str(refusal.value)


@pytest.mark.parametrize(
    "content", [b"file,tags\na.wav,taiko\n", b"file,tags\na.wav,taiko", b"one line", b"[1]\n"]
)
def test_a_file_of_another_kind_is_not_appended_to(tmp_path, content):
    """Its last line would be cut off where it does not end, and figures would stand in a sheet of labels."""
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    one = next(r for r in results.shipped() if r.source == "measured")
    for act in (lambda: results.append([one], file), lambda: results.check_writable(file)):
        with pytest.raises(results.ResultsError) as refusal:
            act()
        assert refusal.value.sentence.code == "results.another_kind"
        assert file.read_bytes() == content
    file.write_bytes(b'{"a": ')  # a writer that was stopped in its first line
    assert results.append([one], file) == 1
    assert len(results.load(file)) == 1


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder here that takes no file")
def test_a_place_where_the_system_makes_no_file_is_refused_and_not_waited_for():
    with pytest.raises(results.ResultsError) as refusal:
        results.check_writable("/proc/nothing.jsonl")
    assert refusal.value.sentence.code == "results.not_writable"
