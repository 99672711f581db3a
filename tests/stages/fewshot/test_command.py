"""``fewshot evaluate`` from a folder of recordings to records on disk."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
import soundfile

from mirdemo.clips.in_question import InQuestion
from mirdemo.clips.likeness import LookAlikes
from mirdemo.commands import fewshot
from mirdemo.results.records import load
from mirdemo.stages.fewshot import episodes
from mirdemo.stages.fewshot.episodes import reference_support


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    for tag, hertz in (("low", 200), ("high", 2000)):
        (tmp_path / "clips" / tag).mkdir(parents=True)
        for i in range(5):
            time = np.arange(11025) / 22050
            wave = 0.3 * np.sin(2 * np.pi * (hertz + 9 * i) * time) + 0.01 * rng.normal(size=len(time))
            soundfile.write(tmp_path / "clips" / tag / f"{tag}{i}.wav", wave, 22050)
    return tmp_path / "clips"


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    fewshot.add_arguments(parser)
    return fewshot.run(parser.parse_args(["evaluate", *argv]))


def test_a_folder_becomes_records(corpus, tmp_path, capsys):
    out = tmp_path / "results.jsonl"
    argv = [str(corpus), "--shots", "2", "--seeds", "1,2,3", "--results", str(out), "--json"]
    assert run(*argv) == 0
    printed = json.loads(capsys.readouterr().out)
    records = list(load(out))
    assert json.loads(json.dumps([r.as_dict() for r in records])) == printed
    whole = next(r for r in records if r.metric == "macro_f1" and r.seed is None)
    assert whole.value > 0.9
    assert (whole.corpus, whole.protocol, whole.setting["k_shot"]) == ("clips", "lcprotonets2024", 2)
    labels = np.repeat(np.eye(2, dtype=np.uint8), 5, axis=0)
    only_taught = set.intersection(*(set(reference_support(labels, 2, seed).tolist()) for seed in (1, 2, 3)))
    assert only_taught
    assert whole.n == 10 - len(only_taught)
    assert {"mirdemo", "numpy", "torch", "weights", "precision"} <= set(whole.versions)
    assert "CPUs" in whole.hardware
    assert {r.seed for r in records} == {None, 1, 2, 3}


def test_pieces_of_nothing_count_as_one_recording_and_that_is_said(corpus, capsys, monkeypatch):
    seen, before = [], episodes.evaluate_episodes
    monkeypatch.setattr("mirdemo.clips.heard.look_alikes", lambda *given: LookAlikes(None, 0.4))
    monkeypatch.setattr("mirdemo.clips.heard.copies", lambda *given: [])
    monkeypatch.setattr(
        "mirdemo.stages.fewshot.evaluate_episodes",
        lambda rows, labels, recordings, *rest, **how: (
            seen.append(recordings) or before(rows, labels, recordings, *rest, **how)
        ),
    )
    for number in range(2):
        (corpus / "low" / f"low{number}.wav").rename(corpus / "low" / f"part{number}.wav")
    assert run(str(corpus), "--shots", "2", "--seeds", "1") == 0
    assert "Nobody has said whether 2 of the clips" in capsys.readouterr().err
    assert (len(seen[0]), len(set(seen[0]))) == (10, 9)
    assert run(str(corpus), "--shots", "2", "--seeds", "1", "--json") == 0
    told = [InQuestion.of_setting(one["setting"]) for one in json.loads(capsys.readouterr().out)]
    assert set(told) == {InQuestion(clips=2, counted_as=1, counted=9, recordings=10)}
    monkeypatch.setattr("mirdemo.clips.heard.listen", lambda *given: pytest.fail("all is said"))
    sheet = ["file,tags,recording", *(f"low/low{i}.wav,low,a{i}" for i in range(2, 5))]
    sheet += [f"high/high{i}.wav,high,b{i}" for i in range(5)]
    (corpus / "labels.csv").write_text("\n".join(sheet))
    assert run(str(corpus / "labels.csv"), "--shots", "2", "--seeds", "1") == 0
    said = capsys.readouterr()
    assert "Nobody has said" not in said.err
    assert said.out.count("1 episode ") + said.out.count("1 episode,") == 2
    assert run(str(corpus / "labels.csv"), "--shots", "2", "--seeds", "1", "--json") == 0
    assert "in_question_clips" not in capsys.readouterr().out


@pytest.mark.parametrize("method", fewshot.METHODS)
def test_every_method_prints_a_table(corpus, capsys, method):
    assert run(str(corpus), "--method", method, "--shots", "2", "--seeds", "1,2,3", "--protocol", "live") == 0
    text = capsys.readouterr().out
    assert "2-way 2-shot, both tags, 3 episodes" in text
    assert "macro F1" in text
