"""Which tags fail, and how much of that the number of examples explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from markupsafe import escape

from mirdemo import bias
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Result, Results
from mirdemo.web.charting import (
    TRADITION_COLOURS,
    TRADITION_SYMBOLS,
    Chart,
    bare_figure,
    drawn,
    faded,
)
from mirdemo.web.evidence.wording import (
    corpus_title,
    percent,
    sources_of,
)
from mirdemo.web.language import Speaker


def rarity(chosen: Results, cited: dict, t: Speaker) -> Chart:
    """F1 against the number of test recordings, a dot a tag, with a trend a tradition: rarity or strangeness?"""
    from plotly import graph_objects as go

    how = str(t("evidence.rarity.how"))
    per_tag = [r for r in chosen if r.tag and r.metric == "f1" and r.method == "trained_from_scratch"]
    model = min({r.model for r in per_tag}, key=lambda m: (m != "VGG-ish", m), default=None)
    per_tag = [r for r in per_tag if r.model == model]
    found = bias.trends(per_tag)
    if not found:
        return Chart(str(t("evidence.rarity.title")), None, how, empty=str(t("evidence.rarity.empty")))
    figure = bare_figure(height=440, left=56, top=30)
    by_tradition: dict[str, list[Result]] = defaultdict(list)
    for record in per_tag:
        by_tradition[CORPORA[record.corpus].tradition].append(record)
    for trend in found:
        records = by_tradition[trend.tradition]
        colour = TRADITION_COLOURS[trend.tradition]
        name = str(t("evidence.tradition." + trend.tradition))
        figure.add_trace(
            go.Scatter(
                x=[r.setting["support"] for r in records],
                y=[r.value for r in records],
                mode="markers",
                name=name,
                legendgroup=trend.tradition,
                marker={
                    "color": faded(colour, 0.75),
                    "symbol": TRADITION_SYMBOLS[trend.tradition],
                    "size": 8,
                },
                customdata=[{"tag": r.tag, "corpus": r.corpus} for r in records],
                text=[
                    f"<b>{escape(r.tag)}</b> · {corpus_title(r.corpus)}<br>"
                    f"F1 {r.value:.2f} ({t('evidence.no_interval')})<br>"
                    f"{t('evidence.rarity.support', n=r.setting['support'])}"
                    for r in records
                ],
                hovertemplate="%{text}<extra></extra>",
            )
        )
        ends = np.array(trend.support_range, dtype=float)
        figure.add_trace(
            go.Scatter(
                x=ends,
                y=trend.at(ends),
                mode="lines",
                line={"color": colour, "width": 2.5},
                showlegend=False,
                legendgroup=trend.tradition,
                hoverinfo="skip",
            )
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(
        type="log", title={"text": str(t("evidence.rarity.x"))}, tickvals=[3, 10, 30, 100, 300, 1000]
    )
    figure.update_yaxes(title={"text": "F1"}, range=[-0.03, 1.03], tickformat=".1f")
    return drawn(
        rarity_title(found, t),
        figure,
        how + "\n" + rarity_table(found, t),
        height=440,
        narrow={
            "margin": {"l": 44, "r": 8, "t": 84, "b": 48},
            "height": 460,
            "xaxis.title.font": {"size": 13},
            "yaxis.title.font": {"size": 13},
        },
        sources=(*sources_of(per_tag, cited, t), str(model)),
    )


def rarity_title(found: Sequence[bias.Trend], t: Speaker) -> str:
    """How much of the difference between tags the number of examples explains."""
    shares = [trend.explained.value for trend in found]
    key = "rising" if all(trend.slope.low > 0 for trend in found) else "mixed"
    return str(t(f"evidence.rarity.{key}", low=percent(min(shares)), high=percent(max(shares))))


def rarity_table(found: Sequence[bias.Trend], t: Speaker) -> str:
    """One line a tradition: slope and explained share with their intervals."""
    return "\n".join(
        str(
            t(
                "evidence.rarity.row",
                tradition=t("evidence.tradition." + f.tradition),
                slope=f"{f.slope.value:.2f}",
                low=f"{f.slope.low:.2f}",
                high=f"{f.slope.high:.2f}",
                share=percent(f.explained.value),
                share_low=percent(f.explained.low),
                share_high=percent(f.explained.high),
                n=f.n_tags,
            )
        )
        for f in found
    )
