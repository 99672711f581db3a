"""The per-tag explorer: which tags fail, and how much of that the number of examples explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence.charting import (
    Chart,
    bare_figure,
    drawn,
    faded,
)
from mirdemo.evidence.opened import family_words
from mirdemo.evidence.palette import colour, in_order, symbol, tradition_of, tradition_words
from mirdemo.evidence.tags import bare
from mirdemo.evidence.wording import corpus_title, percent, row_label, sources_of, span, surety
from mirdemo.results.bias import Comparison
from mirdemo.results.records import Result, Results
from mirdemo.results.trends import Trend, trends
from mirdemo.words.language import Speaker

#: which of several figures for a tag is drawn: these methods first, then this model, then by name
METHODS = ("trained_from_scratch", "transfer", "probe", "finetune")
MODEL = "VGG-ish"


def per_tag(chosen: Results) -> list[Result]:
    """The F1 of each tag by one model under one set of rules, with how many test recordings carry it."""
    parted: dict[tuple, list[Result]] = defaultdict(list)
    for r in chosen:
        if r.tag is not None and r.metric == "f1" and r.corpus in catalogue() and r.setting.get("support"):
            parted[r.method, r.model, r.protocol, r.split or "", str(r.setting.get("tuned", ""))].append(r)
    order = {method: i for i, method in enumerate(METHODS)}
    best = min(parted, key=lambda k: (order.get(k[0], len(order)), k[1] != MODEL, k), default=None)
    return parted[best] if best is not None else []


def rarity(records: Sequence[Result], chosen: str, cited: dict, t: Speaker) -> Chart:
    """F1 against the number of test recordings, a dot a tag, with a trend a tradition: rarity or strangeness?

    records: as ``per_tag`` gives them; chosen: the family they belong to, empty for all
    """
    how = str(t("evidence.rarity.how"))
    if not records:
        return Chart(str(t("evidence.rarity.title")), None, how, empty=str(t("evidence.rarity.empty")))
    figure = bare_figure(height=440, left=56, top=30)
    by_tradition: dict[str, list[Result]] = defaultdict(list)
    for record in records:
        by_tradition[tradition_of(record.corpus)].append(record)
    for tradition in in_order(by_tradition):
        figure.add_scatter(
            x=[r.setting["support"] for r in by_tradition[tradition]],
            y=[r.value for r in by_tradition[tradition]],
            mode="markers",
            name=tradition_words(tradition, t),
            legendgroup=tradition,
            showlegend=True,
            marker={
                "color": colour(tradition),
                "symbol": symbol(tradition),
                "size": 9,
            },
            cliponaxis=False,
            customdata=[
                {"act": "evidence.tag", "value": f"{r.corpus}/{r.tag}"} for r in by_tradition[tradition]
            ],
            text=[_hover(r, t) for r in by_tradition[tradition]],
            hovertemplate="%{text}<extra></extra>",
        )
    found = trends(records, {c: facts.tradition for c, facts in catalogue().items()})
    for trend in found:
        line_colour = colour(trend.tradition)
        support, low, high = map(np.array, zip(*trend.band, strict=True))
        outline = [*zip(support, high, strict=True), *zip(support[::-1], low[::-1], strict=True)]
        area = {"mode": "none", "fill": "toself", "fillcolor": faded(line_colour, 0.12)}
        for points, look in (
            (outline, area),
            # Many points, for the line is cut where it would leave 0 to 1.
            (
                zip(support, trend.at(support), strict=True),
                {"mode": "lines", "line": {"color": line_colour, "width": 2.5}},
            ),
        ):
            x, y = np.round(np.array([*points]).T, 4).tolist()
            hidden = {"showlegend": False, "legendgroup": trend.tradition, "hoverinfo": "skip"}
            figure.add_scatter(x=x, y=y, **look, **hidden)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(
        type="log", title={"text": str(t("evidence.rarity.x"))}, tickvals=[3, 10, 30, 100, 300, 1000]
    )
    figure.update_yaxes(title={"text": "F1"}, range=[-0.03, 1.03], tickformat=".1f")
    shown = row_label(Comparison.of(records[0]), records[0].model, t)
    return drawn(
        title(records, found, chosen, t),
        figure,
        "\n".join((how, *(_row(trend, t) for trend in found))),
        height=440,
        narrow={
            "margin": {"l": 44, "r": 8, "t": 84, "b": 48},
            "height": 460,
            "xaxis.title.font": {"size": 13},
            "yaxis.title.font": {"size": 13},
        },
        sources=(*sources_of(records, cited, t), shown, str(t("evidence.rarity.click"))),
    )


def _hover(record: Result, t: Speaker) -> str:
    return "<br>".join(
        (
            f"<b>{escape(bare(record.tag or ''))}</b> · {family_words(record.corpus, record.tag or '', t)}, {corpus_title(record.corpus, t)}",
            f"F1 {record.value:.2f} ({t('evidence.no_interval')})",
            str(t("evidence.rarity.support", n=record.setting["support"])),
        )
    )


def title(records: Sequence[Result], found: Sequence[Trend], chosen: str, t: Speaker) -> str:
    """How much of the difference between tags the number of examples explains; where too few tags for that, how
    many are never found."""
    if found and not chosen:
        shares = [trend.explained for trend in found]
        key = "rising" if all(trend.slope.ends[0] > 0 for trend in found) else "mixed"
        return str(
            t(
                f"evidence.rarity.{key}",
                n=len(found),
                tradition=Markup(tradition_words(found[0].tradition, t)),
                span=span(percent(min(s.known for s in shares)), percent(max(s.known for s in shares)), t),
                sure=span(
                    percent(min(s.ends[0] for s in shares)), percent(max(s.ends[1] for s in shares)), t
                ),
            )
        )
    never = sum(r.value == 0 for r in records)
    best = max(records, key=lambda r: r.value)
    said = {
        "family": t("evidence.family." + chosen) if chosen else t("evidence.family.all"),
        "n": len(records),
        "never": never,
        "half": sum(r.value >= 0.5 for r in records),
        "best": bare(best.tag or ""),
        "value": f"{best.value:.2f}",
        "sure": surety([best], t, digits=".2f", scale=1),
    }
    return str(t("evidence.rarity.counted", **said))


def _row(found: Trend, t: Speaker) -> str:
    """A tradition's slope and explained share with their intervals."""
    return str(
        t(
            "evidence.rarity.row",
            tradition=Markup(tradition_words(found.tradition, t)),
            slope=f"{found.slope.value:.2f}",
            low=f"{found.slope.low:.2f}",
            high=f"{found.slope.high:.2f}",
            share=percent(found.explained.known),
            share_low=percent(found.explained.ends[0]),
            share_high=percent(found.explained.ends[1]),
            n=found.n_tags,
        )
    )
