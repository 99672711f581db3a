"""What a stranger wrote stands in a refusal, but cut: a sentence stays one, however long the name is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mirdemo.backbones import load_backbone, loading, registry, unloadable
from mirdemo.base.sentences import MirdemoError
from mirdemo.clips.labelled import LabelledClips
from mirdemo.corpora.registry import open_corpus
from mirdemo.planning.assumptions import Assumptions
from mirdemo.sound.audio import Clip

LONG = "x" * 1000


def _clips() -> LabelledClips:
    clip = Clip.of(np.ones(800, np.float32), 8000, "a.wav")
    return LabelledClips.from_clips([clip], [["drum"]])


def _raise(refusal: MirdemoError) -> None:
    raise refusal


QUOTED: dict[str, tuple[int, Callable[[], object]]] = {
    "backbone.unknown": (100, lambda: registry.spec(LONG)),
    "backbone.dtype": (40, lambda: load_backbone("spectral", dtype=LONG)),
    "backbone.engine": (40, lambda: load_backbone("spectral", engine=LONG)),
    "backbone.device": (40, lambda: loading.resolve_device(LONG)),
    "backbone.kind": (40, lambda: _raise(unloadable.refusal("A/B", LONG, ()))),
    "clips.unknown_tag": (80, lambda: _clips().rename_tag(LONG, "drum")),
    "corpora.unknown": (80, lambda: open_corpus(LONG, None)),
    "planning.currency": (40, lambda: Assumptions(currency=LONG)),
    "planning.unknown_assumption": (40, lambda: Assumptions.of({LONG: 1})),
    "planning.impossible": (40, lambda: Assumptions.of({"wage": LONG})),
}


@pytest.mark.parametrize("code", QUOTED)
def test_a_long_word_is_cut_where_it_is_quoted(code: str):
    length, ask = QUOTED[code]
    with pytest.raises(MirdemoError) as refused:
        ask()
    assert refused.value.sentence.code == code
    assert "x" * length in refused.value.sentence.values.values()
