"""Convolutions over the wave, written as products of matrices, are the same convolutions."""

from __future__ import annotations

import pytest
import torch

from mirdemo.backbones.products import _FoldedNorm


@pytest.mark.parametrize(
    ("kind", "folded"),
    [("mert-95m", True), ("mert-330m", False), ("hubert", True), ("wav2vec2", False), ("data2vec", False)],
)
def test_the_states_are_those_of_the_convolutions(kind, folded, loaded, waves) -> None:
    backbone = loaded(kind)
    other = backbone.in_products()
    assert isinstance(other._products[0], _FoldedNorm) == folded
    for seconds in (1.0, 0.3):
        sound = waves(backbone, seconds, 3)
        sound[1, : sound.shape[1] // 2] = 0  # silence, which the norm behind makes large again
        sound[2] *= 1e-3
        features = backbone.features(sound)
        with torch.no_grad():
            torch.testing.assert_close(
                other.convolved(features), backbone.convolved(features), atol=1e-4, rtol=1e-3
            )
            last, right = (
                other.states(other.enter(features))[-1],
                backbone.states(backbone.enter(features))[-1],
            )
        torch.testing.assert_close(last, right, atol=1e-3, rtol=1e-3)


def test_the_backbone_itself_stays_as_it_is(loaded, waves) -> None:
    backbone = loaded("mert-95m")
    assert backbone.in_products() is not backbone
    assert backbone._products is None
    assert loaded("clap").in_products() is loaded("clap")
