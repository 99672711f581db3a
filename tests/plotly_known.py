"""Charts are plain dictionaries (``mirdemo/evidence/figure.py``): here Plotly's Python says whether it knows what is in them."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from plotly import graph_objects as go


def known_to_plotly(chart: str) -> dict[str, Any]:
    """A chart's JSON, read. Raises ValueError for a name or a value that Plotly does not know, also of what changes on a
    narrow screen, and AssertionError for one that it would send otherwise."""
    plain = json.loads(chart)
    sent = {"data": plain["data"], "layout": plain["layout"]}
    kept = json.loads(go.Figure(sent).to_json())
    del kept["layout"]["template"]  # Plotly's Python adds its own where there is none
    assert kept == sent
    changed = dict(plain["narrow"])
    traces, notes = changed.pop("traces", {}), changed.pop("annotations", [])
    go.Figure(
        {
            "data": [{"type": plain["data"][int(at)]["type"], **new} for at, new in traces.items()],
            "layout": {**changed, "annotations": [*(notes.values() if isinstance(notes, dict) else notes)]},
        }
    )
    return plain


def charts_in(html: str) -> dict[str, dict[str, Any]]:
    """Name -> chart of all that a view draws, each known to Plotly."""
    found = re.findall(r'data-key="chart-([\w-]+)" data-chart="([^"]*)"', html)
    return {name: known_to_plotly(unescape(chart)) for name, chart in found}
