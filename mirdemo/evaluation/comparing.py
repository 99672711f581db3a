"""Measured figures beside the published ones of the same corpus and method, as rows of a table.

Another protocol is other rules: its rows stand beside, marked with their protocol, and nothing is ranked.
"""

from __future__ import annotations

from collections.abc import Iterable

from mirdemo.results.records import Result, Results, citations

#: Columns of figures, in the order of a table.
METRICS = ("roc_auc", "map", "macro_f1", "micro_f1")


def rows(
    measured: Iterable[Result], published: Results, corpus: str, method: str, *, part: str = ""
) -> list[tuple[str, ...]]:
    """(who, protocol, one text a metric): the measured row first, then the published ones; blank for no figure.

    part: in what way the measured row is not of the published corpus as a whole, to stand in it
    measured: of one evaluation. Few-shot rows are limited to the published ones of the same N, K and kind of tags.
    """
    ours = [r for r in measured if r.tag is None and r.seed is None]
    found = (
        [(f"{ours[0].model} (measured here{f', {part}' if part else ''})", ours[0].protocol, *_texts(ours))]
        if ours
        else []
    )
    beside = published.where(corpus=corpus, method=method, tag=None, metric=METRICS)
    if method == "fewshot" and ours:
        same = {name: ours[0].setting.get(name) for name in ("n_way", "k_shot", "tags")}
        beside = beside.where(**same, few_shot="LC-Protonets")
    groups: dict[tuple[str, str, str, str], list[Result]] = {}
    for record in beside:
        training = str(record.setting.get("backbone_training", ""))
        groups.setdefault((record.model, training, record.protocol, record.citation or ""), []).append(record)
    short = {key: entry["short"] for key, entry in citations().items()}
    for (model, training, protocol, citation), records in sorted(groups.items()):
        who = f"{model}{f', {training}' if training else ''} ({short.get(citation, citation)})"
        found.append((who, protocol, *_texts(records)))
    return found


def _texts(records: list[Result]) -> list[str]:
    by_metric = {record.metric: record for record in records}
    return [_text(by_metric[metric]) if metric in by_metric else "" for metric in METRICS]


def _text(record: Result) -> str:
    if record.source == "published":
        return f"{record.value:.3f}"
    between = "no interval" if record.low is None else f"{record.low:.3f} to {record.high:.3f}"
    return f"{record.value:.3f} ({between}; n {record.n})"
