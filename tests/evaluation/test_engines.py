"""What an engine changes in a probe is the difference of two probes of the same sounds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from backbones import tiny

from mirdemo.backbones import engine, load_backbone
from mirdemo.backbones.spec import BackboneError
from mirdemo.cli import main
from mirdemo.evaluation.engines import Change, _corpus, changes
from mirdemo.synth import TRADITIONS

pytest.importorskip("openvino", reason="OpenVINO is an optional extra (requirements-fast.txt)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny checkpoint, and one home for all tests here: it is converted once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRDEMO_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.tiny_mert(tmp_path_factory.mktemp("tiny") / "checkpoint")


def loader(folder, spoil=None):
    def load(name):
        backbone = load_backbone("mert-95m", folder, "cpu", "float32", engine=name)
        if spoil is not None and name != "torch":
            states = backbone.hidden_states
            backbone.hidden_states = lambda waves: [spoil(state) for state in states(waves)]
        return backbone

    return load


def test_one_that_computes_the_same_changes_nothing_and_that_is_remembered(folder) -> None:
    load = loader(folder)
    change = changes(load, ["openvino"], recordings=4)["openvino"]
    assert isinstance(change, Change)
    assert change.proof.auc_change == pytest.approx(0.0, abs=0.02)
    assert change.n_recordings == 24
    assert change.n_tags > 3
    again = load("openvino").engine.proof
    assert (again.auc_change, again.auc_recordings) == (change.proof.auc_change, 24)


def test_one_that_computes_something_else_is_seen(folder) -> None:
    change = changes(loader(folder, lambda state: (1e4 * state).sin()), ["openvino"], recordings=4)
    assert change["openvino"].proof.auc_change > 0.2


def test_the_verb_shows_each_engine_and_says_which_cannot_be_had(folder, capsys, monkeypatch) -> None:
    here = engine.installed
    monkeypatch.setattr(
        engine, "installed", lambda precision="float32": None if precision == "int8" else here()
    )
    assert main(["engines", "mert-95m", "--checkpoint", str(folder), "--recordings", "3"]) == 1
    shown = capsys.readouterr()
    assert f"{here()}  float32" in shown.out
    assert "18 recordings, no interval" in shown.out
    assert "no units for products of eight bits" in shown.err


def test_without_torch_there_is_nothing_to_compare(folder) -> None:
    def load(name):
        raise BackboneError("No.", code="backbone.none")

    with pytest.raises(BackboneError):
        changes(load, recordings=3)


@pytest.mark.parametrize(("each", "least"), [(1, 1), (2, 3), (6, 8)])
def test_a_tag_counts_where_eight_recordings_have_it_and_eight_lack_it_or_a_quarter_of_few(
    each: int, least: int, monkeypatch
) -> None:
    monkeypatch.setattr("mirdemo.synth.corpus", played)
    clips, tags, labels = _corpus(0.1, each)
    assert len(clips) == len(labels) == 6 * each
    assert dict(zip(tags, labels.sum(0).tolist(), strict=True)) == {
        f"{n:02}": n for n in range(least, 6 * each - least + 1)
    }


def played(tradition: str, side: str, each: int, seed: int, *, seconds: float) -> list[SimpleNamespace]:
    """Recordings of a tradition of which, over all traditions, n have the tag of that number."""
    first = TRADITIONS.index(tradition) * each
    return [
        SimpleNamespace(
            samples=np.zeros(160, np.float32) + 0.1,
            recording=f"{tradition} {i}",
            tags={f"{n:02}" for n in range(1, 6 * each + 1) if first + i < n},
        )
        for i in range(each)
    ]
