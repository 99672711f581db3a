"""What seconds cost, on hardware that one can rent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mirdemo.planning.errors import PlanError

#: Dollars an hour by hardware: the Hub's price list for paid Spaces and jobs as read in November 2026. A caller may
#: hand in another one.
PRICES: Mapping[str, float] = {
    "cpu-basic": 0.01,
    "t4": 0.40,
    "l4": 0.80,
    "a10g": 1.00,
    "a100": 2.50,
    "h200": 5.00,
}
#: Dense half-precision multiplications and additions a second, in units of 1e12, as the makers' data sheets give them.
PEAK_TFLOPS: Mapping[str, float] = {"t4": 65, "l4": 121, "a10g": 70, "a100": 312, "h200": 989}


@dataclass(frozen=True)
class Cost:
    """seconds: of wall time, None if not known; hardware: a key of the price list, None if it is not on it;
    per_hour, dollars: None where they cannot be known
    """

    seconds: float | None
    hardware: str | None
    per_hour: float | None
    dollars: float | None


def cost(seconds: float | None, hardware: str | None, prices: Mapping[str, float] = PRICES) -> Cost:
    """What ``seconds`` on ``hardware`` cost. Raises PlanError for a price that is no price."""
    per_hour = None if hardware is None else prices.get(hardware)
    if per_hour is not None and not 0 <= per_hour < float("inf"):
        raise PlanError(
            "The price of {hardware} must be 0 or more dollars an hour.",
            code="planning.price",
            hardware=hardware,
        )
    price = None if per_hour is None or seconds is None else seconds / 3600 * per_hour
    return Cost(seconds, hardware, per_hour, price)


def hardware(device_name: str, prices: Mapping[str, float] = PRICES) -> str | None:
    """The price list's entry for a device as torch names it (``"cpu"``, ``"NVIDIA A10G"``); None if it has none."""
    if device_name == "cpu":
        return "cpu-basic" if "cpu-basic" in prices else None
    words = device_name.lower().replace("-", " ").split()
    return next((name for name in prices if name in words), None)
