"""Devices are resolved, or refused in a sentence whatever torch raises for them."""

from __future__ import annotations

import pytest

from mirdemo.backbones import loading
from mirdemo.backbones.spec import BackboneError


@pytest.mark.parametrize(
    "device",
    [
        "vulkan",  # NotImplementedError: no kernel for it in torch's wheels
        "mtia",  # AssertionError: "not compiled with"
        "hpu",  # ModuleNotFoundError: its plug-in is not installed
    ],
)
def test_a_device_that_this_build_of_torch_does_not_have_is_refused(device: str) -> None:
    with pytest.raises(BackboneError) as error:
        loading.resolve_device(device)
    assert error.value.sentence.code == "backbone.device"
