"""Seconds become money."""

from __future__ import annotations

import pytest

from mirdemo.planning.errors import PlanError
from mirdemo.planning.prices import PRICES, cost, hardware


def test_seconds_on_hardware_become_dollars() -> None:
    assert cost(1800, "a10g").dollars == pytest.approx(0.5)
    assert cost(1800, "a10g", {"a10g": 3.0}).dollars == pytest.approx(1.5)
    assert cost(None, "a10g").dollars is None
    assert cost(10, None).dollars is None
    assert cost(10, "abacus").per_hour is None
    with pytest.raises(PlanError) as error:
        cost(10, "t4", {"t4": -1.0})
    assert error.value.sentence.code == "planning.price"


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("cpu", "cpu-basic"),
        ("NVIDIA A10G", "a10g"),
        ("Tesla T4", "t4"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA L40S", None),
        ("NVIDIA GeForce RTX 4090", None),
    ],
)
def test_devices_are_found_in_the_price_list(device, name) -> None:
    assert hardware(device) == name
    assert name is None or name in PRICES
