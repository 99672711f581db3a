"""A figure as ``evaluate`` records it, for tests that change what they are about."""

from __future__ import annotations

from mirdemo.results.records import Result

FIGURE = {
    "model": "m",
    "corpus": "lyra",
    "method": "probe",
    "protocol": "live",
    "metric": "roc_auc",
    "value": 0.8,
    "source": "measured",
    "versions": {"mirdemo": "0"},
}


def figure_of(**changes) -> Result:
    return Result(**{**FIGURE, **changes})
