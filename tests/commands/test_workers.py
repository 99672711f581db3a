"""What several workers were asked for, without starting any."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from mirdemo.bulk import Workers
from mirdemo.commands.workers import add_worker_arguments, asked_workers, wrong_worker_arguments


def asked(*line: str):
    parser = ArgumentParser()
    add_worker_arguments(parser)
    parser.add_argument("--device", default="auto")
    return parser.parse_args(line)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ((), None),
        (("--workers", "2"), Workers(2, 0, 1, None)),
        (("--workers", "1", "--device", "cpu"), Workers(1, 0, 1, None)),
        (
            ("--workers", "3", "--gpus-per-worker", "0.5", "--cpus-per-worker", "2", "--ray-address", "auto"),
            Workers(3, 0.5, 2, "auto"),
        ),
    ],
)
def test_what_is_asked_for_is_what_they_get_and_nothing_is_this_process_alone(line, meant):
    assert not wrong_worker_arguments(asked(*line))
    assert asked_workers(asked(*line)) == meant


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("--gpus-per-worker", "0"), "--gpus-per-worker"),
        (("--cpus-per-worker", "1"), "--cpus-per-worker"),
        (("--ray-address", "auto"), "--ray-address"),
        (("--workers", "2", "--device", "cuda:1"), "--device"),
        (("--workers", "2", "--device", "cpu", "--gpus-per-worker", "1"), "--device"),
    ],
)
def test_what_contradicts_itself_is_said(line, said, capsys):
    assert wrong_worker_arguments(asked(*line))
    assert said in capsys.readouterr().err
