"""How unevenly the corpora are served, as it stands and with difficulty held equal."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from mirdemo.evidence.charting import (
    GREY,
    GROUND,
    INK,
    Chart,
    bare_figure,
    drawn,
    error_bars,
    with_interval,
)
from mirdemo.evidence.palette import colour, symbol, tradition_of
from mirdemo.evidence.wording import (
    MOST_ROWS,
    corpus_title,
    hover,
    least_range,
    left_out,
    link_of,
    percent,
    row_label,
    sources_of,
    span,
    surety,
)
from mirdemo.results.bias import Disparity, Figure
from mirdemo.words.language import Speaker


def gaps(found: Sequence[Disparity], cited: dict[str, dict[str, str]], t: Speaker) -> Chart:
    """Western minus the other corpora, and best minus worst, a bar a model, with intervals where there are."""
    how = str(t("evidence.gaps.how"))
    whole = [d for d in found if d.western_minus_other is not None]
    if not whole:
        why = "evidence.gaps.empty" if found else "evidence.gaps.two"
        return Chart(str(t("evidence.gaps.title")), None, how, empty=str(t(why)))
    rows = sorted(whole, key=lambda d: (d.comparison, -d.advantage.value))[:MOST_ROWS]
    labels = [row_label(d.comparison, d.model, t) for d in rows]
    height = 70 + 46 * len(rows)
    figure = bare_figure(height=height, left=230, top=30, bottom=40)
    for kind, tone, pick in (
        ("western", INK, lambda d: d.advantage),
        ("worst", GREY, lambda d: d.gap),
    ):
        shown = [pick(d) for d in rows]
        figure.add_bar(
            y=list(range(len(rows))),
            x=[100 * f.value for f in shown],
            orientation="h",
            name=str(t(f"evidence.gaps.{kind}")),
            marker={
                "color": tone if kind == "western" else "rgba(0,0,0,0)",
                "line": {"color": tone, "width": 1.5},
                "pattern": {"shape": "" if kind == "western" else "/", "fgcolor": tone},
            },
            text=[f"{100 * f.value:.1f}" for f in shown],
            textposition="outside",
            cliponaxis=False,
            customdata=[link_of(next(iter(d.values.values())), cited) for d in rows],
            hovertext=[_gap_hover(d, kind, f, t) for d, f in zip(rows, shown, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
            **error_bars(shown, "x", scale=100),
        )
    figure.update_layout(
        barmode="group", bargap=0.3, bargroupgap=0.12, showlegend=True, legend={"traceorder": "normal"}
    )
    figure.update_xaxes(title={"text": str(t("evidence.gaps.axis"))}, rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=labels, showgrid=False, range=[len(rows) - 0.5, -0.5]
    )
    return drawn(
        gaps_title(whole, t),
        figure,
        how,
        height=height,
        narrow={
            "yaxis.ticktext": [label.replace(" · ", "<br>") for label in labels],
            "yaxis.tickfont": {"size": 13},
            "xaxis.tickangle": 0,
            "xaxis.title": {"font": {"size": 13}},
            "margin": {"l": 120, "r": 34, "t": 56, "b": 44},
        },
        sources=(
            *sources_of([r for d in rows for r in d.values.values()], cited, t),
            *left_out(len(whole) - MOST_ROWS, t),
        ),
    )


def _gap_hover(d: Disparity, kind: str, f: Figure, t: Speaker) -> str:
    interval = t("evidence.no_interval")
    if f.has_interval:
        low, high = (f"{100 * end:.1f}" for end in f.ends)
        interval = t("evidence.gaps.interval", low=low, high=high)
    lines = [
        f"<b>{row_label(d.comparison, d.model, t)}</b>",
        f"{t('evidence.gaps.' + kind)}: {100 * f.value:.1f} ({interval})",
        str(t("evidence.gaps.extremes", best=corpus_title(d.best, t), worst=corpus_title(d.worst, t))),
        str(
            t(
                "evidence.gaps.ratio",
                ratio=with_interval(d.ratio.value, d.ratio.low, d.ratio.high, str(t("evidence.no_interval"))),
            )
        ),
    ]
    if d.gap.low == 0:
        lines.append(str(t("evidence.gaps.none")))
    if d.excess is not None:
        lines.append(str(t("evidence.gaps.luck", points=f"{100 * d.excess:.1f}")))
    return "<br>".join(lines)


def gaps_title(rows: Sequence[Disparity], t: Speaker) -> str:
    """What adapting to the corpora did to MERT where both are there; else the range of the gaps."""
    mert = {d.model: d for d in rows if d.comparison.protocol == "culturemert2025"}
    if {"MERT-v1-95M", "CultureMERT-95M"} <= set(mert):
        before, after = (mert[m].advantage for m in ("MERT-v1-95M", "CultureMERT-95M"))
        return str(
            t(
                "evidence.gaps.adapted",
                before=f"{100 * before.value:.1f}",
                after=f"{100 * after.value:.1f}",
                sure=surety([before, after], t, digits=".1f"),
            )
        )
    shown = [d.advantage for d in rows]
    values = [100 * f.value for f in shown]
    points = span(f"{min(values):.1f}", f"{max(values):.1f}", t)
    return str(t("evidence.gaps.range", span=points, sure=surety(shown, t, digits=".1f")))


def normalised(found: Sequence[Disparity], corpora: Sequence[str], cited: dict, t: Speaker) -> Chart:
    """Share of the way from chance to the best known figure, so a hard corpus is not mistaken for bias."""
    how = str(t("evidence.normalised.how"))
    whole = [d for d in found if all(v is not None for v in d.normalised.values())]
    rows = whole[:MOST_ROWS]
    if not rows:
        why = "evidence.normalised.empty" if found else "evidence.gaps.two"
        return Chart(str(t("evidence.normalised.title")), None, how, empty=str(t(why)))
    labels = [row_label(d.comparison, d.model, t) for d in rows]
    height = 80 + 30 * len(rows)
    figure = bare_figure(height=height, left=230, top=30)
    for corpus in corpora:
        tradition = tradition_of(corpus)
        own_colour = colour(tradition)
        at = [i for i, d in enumerate(rows) if corpus in d.normalised]
        figure.add_scatter(
            x=[rows[i].normalised[corpus] for i in at],
            y=at,
            mode="markers",
            name=corpus_title(corpus, t),
            marker={
                "color": own_colour,
                "symbol": symbol(tradition) + ("-open" if corpus == "fma" else ""),
                "size": 12,
                "line": {
                    "width": 2 if corpus == "fma" else 1,
                    "color": own_colour if corpus == "fma" else GROUND,
                },
            },
            customdata=[link_of(rows[i].values[corpus], cited) for i in at],
            text=[hover(rows[i].values[corpus], cited, t) for i in at],
            hovertemplate="%{text}<br>%{x:.2f}<extra></extra>",
        )
    figure.update_layout(showlegend=True)
    shares = [v for d in rows for v in d.normalised.values() if v is not None]
    figure.update_xaxes(
        title={"text": str(t("evidence.normalised.axis"))},
        tickformat=".0%",
        range=least_range(min(shares), max(shares)),
    )
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5])
    lowest = min(
        ((v, c, d) for d in whole for c, v in d.normalised.items() if v is not None), key=lambda x: x[0]
    )
    title = t(
        "evidence.normalised.finding",
        corpus=corpus_title(lowest[1], t),
        model=Markup(row_label(lowest[2].comparison, lowest[2].model, t)),
        percent=percent(lowest[0]),
    )
    return drawn(
        str(title),
        figure,
        how,
        height=height,
        narrow={
            "yaxis.ticktext": [label.replace(" · ", "<br>") for label in labels],
            "yaxis.tickfont": {"size": 13},
            "height": 130 + 44 * len(rows),
            "legend": {"x": -0.5, "entrywidth": 104, "font": {"size": 13}},
            "xaxis.title": {"text": str(t("evidence.normalised.axis_narrow")), "font": {"size": 13}},
            "margin": {"l": 120, "r": 22, "t": 84, "b": 60},
        },
        sources=(
            *sources_of([r for d in rows for r in d.values.values()], cited, t),
            *left_out(len(whole) - MOST_ROWS, t),
        ),
    )
