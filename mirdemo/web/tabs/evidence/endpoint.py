"""The endpoint ``/bias`` for ``gradio_client``."""

from __future__ import annotations

from typing import Any

from mirdemo.evidence.selection import Selection
from mirdemo.web.frame.endpoints import answered, offer
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.words.language import DEFAULT


def build(jobs: Jobs) -> None:
    """Put the endpoint on the page under construction."""

    def bias(
        model: str = "",
        corpus: str = "",
        metric: str = "roc_auc",
        method: str = "",
        language: str = DEFAULT,
    ) -> dict[str, Any]:
        """How unevenly models serve the corpora: gaps, ratios, means by tradition, with intervals and sources.

        model, corpus, method: only this one, blank for all, several parted by ~; metric: roc_auc, map, macro_f1 or
        micro_f1; language: en or ja, for refusals.
        """
        return answered(jobs, lambda: disparity_of(model, corpus, metric, method), language, resource="sound")

    offer(bias)


def disparity_of(model: str, corpus: str, metric: str, method: str) -> dict[str, Any]:
    """The disparity of a selection as JSON takes it. Raises PageError for anything that is not there to choose."""
    from mirdemo.evidence import drawing
    from mirdemo.evidence.disparities import as_data

    asked = {"models": model, "corpora": corpus, "metric": metric or Selection.metric, "methods": method}
    chosen = drawing.selected(asked)
    usual = {"metric": Selection.metric}
    if usual | chosen.to_query() != {name: value for name, value in asked.items() if value}:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    return as_data(chosen)
