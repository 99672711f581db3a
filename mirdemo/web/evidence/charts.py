"""The charts of the evidence: records -> ``Chart``. Every title is computed from what is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from markupsafe import escape

from mirdemo import bias
from mirdemo.bias import Comparison, Disparity, Figure
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Result, Results
from mirdemo.web.charting import (
    FAINT,
    GROUND,
    INK,
    SEQUENTIAL,
    TRADITION_COLOURS,
    TRADITION_SYMBOLS,
    Chart,
    bare_figure,
    drawn,
    faded,
    with_interval,
)
from mirdemo.web.language import Speaker

#: the five models of arXiv 2506.17055, whose figures are not available: their places stay visibly empty
UNAVAILABLE = {
    "mert-95m": "MERT-95M",
    "mert-330m": "MERT-330M",
    "clap-music": "CLAP-Music",
    "clap-music-speech": "CLAP-Music&Speech",
    "qwen2-audio": "Qwen2-Audio",
}


#: rows and panels that still can be read; the rest is said in a line, and found by filtering
MOST_ROWS, MOST_PANELS = 40, 4


def left_out(n: int, t: Speaker) -> tuple[str, ...]:
    """The line that says how many rows or panels are not drawn."""
    return (str(t("evidence.left_out", n=n)),) if n > 0 else ()


def percent(value: float) -> str:
    return f"{100 * value:.0f}"


def sources_of(records: Iterable[Result], cited: dict[str, dict[str, str]], t: Speaker) -> tuple[str, ...]:
    """Short citations of what is drawn, measured figures by their own words."""
    found = []
    for record in records:
        name = cited[record.citation]["short"] if record.citation else str(t("evidence.measured_here"))
        if name not in found:
            found.append(name)
    return tuple(found)


def row_label(comparison: Comparison, model: str, t: Speaker) -> str:
    """``MERT-v1-95M`` or ``AST, moved, last layer``: the model and what was done with it."""
    key = f"evidence.row.{comparison.method}"
    tuned = dict(comparison.setting).get("tuned")
    if tuned:
        key += ".last" if tuned == "last layer" else ".all"
    done = t(key) if t.has(key) else t(f"evidence.method.{comparison.method}")
    return f"{escape(model)} · {done}"


def hover(record: Result, cited: dict[str, dict[str, str]], t: Speaker) -> str:
    """Value, interval, n, protocol and source of one figure."""
    citation = cited.get(record.citation or "")
    n = t("evidence.hover.n", n=record.n) if record.n else t("evidence.hover.no_n")
    return "<br>".join(
        (
            f"<b>{escape(record.model)}</b> · {corpus_title(record.corpus)}",
            f"{t('evidence.metric.' + record.metric)}: "
            + with_interval(record.value, record.low, record.high, str(t("evidence.no_interval"))),
            str(n),
            str(t("evidence.hover.protocol", protocol=record.protocol)),
            str(escape(citation["short"]) if citation else t("evidence.measured_here")),
        )
    )


def corpus_title(corpus: str) -> str:
    """The corpus as its authors write it; a user's own name for theirs, escaped."""
    return CORPORA[corpus].title if corpus in CORPORA else str(escape(corpus))


def link_of(record: Result, cited: dict[str, dict[str, str]]) -> dict[str, str]:
    return {"link": cited[record.citation]["url"]} if record.citation else {"tag": record.tag or ""}


def disparities(
    chosen: Results, metric: str, *, best: Mapping[str, float], corpora: Sequence[str]
) -> list[Disparity]:
    """One disparity a model and comparison, over corpora of the selection; several figures for one corpus
    (seeds, repeated measurements) are reduced to the newest.

    best: ``bias.best_known`` of everything there is
    """
    wanted = [
        r
        for r in chosen
        if r.tag is None and r.metric == metric and r.method != "fewshot" and r.corpus in CORPORA
    ]
    found = []
    for records in bias.comparisons(wanted).values():
        newest = {(r.model, r.corpus): r for r in sorted(records, key=lambda r: r.date or "")}
        for model in sorted({m for m, _ in newest}):
            own = [r for (m, _), r in newest.items() if m == model]
            one = bias.disparity(own, model, corpora=corpora, best=best)
            if one is not None:
                found.append(one)
    order = {"probe": 0, "zero_shot": 1, "finetune": 2, "trained_from_scratch": 3, "transfer": 4}
    return sorted(found, key=lambda d: (order.get(d.comparison.method, 9), d.comparison, d.gap.value))


def overview(
    found: Sequence[Disparity],
    metric: str,
    corpora: Sequence[str],
    cited: dict[str, dict[str, str]],
    t: Speaker,
    *,
    unavailable: bool,
) -> Chart:
    """Models by corpora, Western to distant from left to right; blanks hatched."""
    from plotly import graph_objects as go

    rows = [(row_label(d.comparison, d.model, t), d.values) for d in found[:MOST_ROWS]]
    if unavailable:
        rows += [(f"{title} · {t('evidence.method.probe')}", {}) for title in UNAVAILABLE.values()]
    height = 64 + 30 * len(rows)
    how = str(t("evidence.overview.how"))
    if not found:
        return Chart(str(t("evidence.overview.title")), None, how, empty=str(t("evidence.nothing")))
    values = np.full((len(rows), len(corpora)), np.nan)
    hovers = np.full(values.shape, "", dtype=object)
    custom = np.full(values.shape, None, dtype=object)
    for i, (_, of) in enumerate(rows):
        for j, corpus in enumerate(corpora):
            if corpus in of:
                values[i, j] = of[corpus].value
                hovers[i, j] = hover(of[corpus], cited, t)
                custom[i, j] = link_of(of[corpus], cited)
    figure = bare_figure(height=height, left=230, top=46, bottom=6)
    low = 0.5 if metric == "roc_auc" else 0.0
    xs, ys = list(range(len(corpora))), list(range(len(rows)))
    figure.add_trace(
        go.Heatmap(
            x=xs,
            y=ys,
            z=np.where(np.isnan(values), None, values).tolist(),
            zmin=low,
            zmax=1,
            colorscale=SEQUENTIAL,
            showscale=False,
            xgap=3,
            ygap=3,
            customdata=custom.tolist(),
            text=hovers.tolist(),
            hovertemplate="%{text}<extra></extra>",
            hoverongaps=False,
        )
    )
    for shade, dark in (("#1a1a1a", False), ("#ffffff", True)):
        at = [
            (i, j)
            for i in ys
            for j in xs
            if not np.isnan(values[i, j]) and ((values[i, j] - low) / (1 - low) > 0.62) == dark
        ]
        figure.add_trace(
            go.Scatter(
                x=[j for _, j in at],
                y=[i for i, _ in at],
                text=[f"{values[i, j]:.2f}" for i, j in at],
                mode="text",
                textfont={"color": shade, "size": 14},
                hoverinfo="skip",
            )
        )
    blank_hover = [
        (
            j,
            i,
            str(t("evidence.overview.blank", command=_command(rows[i][0], corpora[j]))),
        )
        for i in ys
        for j in xs
        if np.isnan(values[i, j])
    ]
    if blank_hover:
        figure.add_trace(
            go.Scatter(
                x=[x for j, _, _ in blank_hover for x in (j - 0.48, j + 0.48, j + 0.48, j - 0.48, None)],
                y=[y for _, i, _ in blank_hover for y in (i - 0.44, i - 0.44, i + 0.44, i + 0.44, None)],
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillpattern={
                    "shape": "/",
                    "fgcolor": FAINT,
                    "bgcolor": "rgba(0,0,0,0)",
                    "size": 7,
                    "solidity": 0.25,
                },
                hoverinfo="skip",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[b[0] for b in blank_hover],
                y=[b[1] for b in blank_hover],
                text=[b[2] for b in blank_hover],
                mode="markers",
                marker={"size": 24, "opacity": 0},
                hovertemplate="%{text}<extra></extra>",
            )
        )
    names = [_column_label(c, t) for c in corpora]
    figure.update_xaxes(tickvals=xs, ticktext=names, side="top", showgrid=False, range=[-0.5, len(xs) - 0.5])
    figure.update_yaxes(
        tickvals=ys, ticktext=[r[0] for r in rows], showgrid=False, range=[len(rows) - 0.5, -0.5]
    )
    short = [str(t("evidence.short." + c)) for c in corpora]
    records = [r for d in found for r in d.values.values()]
    more = left_out(len(found) - MOST_ROWS, t)
    return drawn(
        overview_title(found, metric, t),
        figure,
        how,
        height=height,
        narrow={
            "xaxis.ticktext": short,
            "xaxis.tickfont": {"size": 13},
            "yaxis.ticktext": [r[0].replace(" · ", "<br>") for r in rows],
            "yaxis.tickfont": {"size": 13},
            "height": 64 + 44 * len(rows),
            "margin": {"l": 120, "r": 4, "t": 34, "b": 6},
            # Six columns of 38 pixels: no room for the zero before the point.
            **{
                f"traces.{i}": {"text": [text.lstrip("0") for text in trace.text], "textfont": {"size": 13}}
                for i, trace in enumerate(figure.data)
                if trace.type == "scatter" and trace.mode == "text"
            },
        },
        sources=(*sources_of(records, cited, t), *more),
    )


def _command(label: str, corpus: str) -> str:
    title = label.split(" · ")[0]
    name = next((n for n, shown in UNAVAILABLE.items() if shown == title), "NAME")
    return (
        f"python -m mirdemo evaluate --corpus {corpus} --data DIR --backbone {name} "
        "--method probe --protocol papaioannou2025"
    )


def _column_label(corpus: str, t: Speaker) -> str:
    """The corpus over its tradition, where its name does not say that already."""
    title, tradition = corpus_title(corpus), str(t("evidence.tradition." + CORPORA[corpus].tradition))
    return title if title.replace("-", " ") == tradition else f"{title}<br>{tradition}"


def overview_title(found: Sequence[Disparity], metric: str, t: Speaker) -> str:
    """States how far every model falls from its best to the corpus that is worst for most."""
    shared = [d for d in found if not d.missing] or list(found)
    worst = max({d.worst for d in shared}, key=lambda c: sum(d.worst == c for d in shared))
    falls = [d.gap.value for d in shared if d.worst == worst]
    return str(
        t(
            "evidence.overview.finding",
            metric=t("evidence.metric." + metric),
            count=len(falls),
            of=len(shared),
            worst=corpus_title(worst),
            low=percent(min(falls)),
            high=percent(max(falls)),
        )
    )


def gaps(found: Sequence[Disparity], cited: dict[str, dict[str, str]], t: Speaker) -> Chart:
    """Western minus the other corpora, and best minus worst, a bar a model, with intervals where there are."""
    from plotly import graph_objects as go

    how = str(t("evidence.gaps.how"))
    whole = [d for d in found if d.western_minus_other is not None]
    if not whole:
        return Chart(str(t("evidence.gaps.title")), None, how, empty=str(t("evidence.gaps.empty")))
    rows = sorted(whole, key=lambda d: (d.comparison, -d.western_minus_other.value))[:MOST_ROWS]
    labels = [row_label(d.comparison, d.model, t) for d in rows]
    height = 70 + 46 * len(rows)
    figure = bare_figure(height=height, left=230, top=30, bottom=40)
    for kind, colour, pick in (
        ("western", INK, lambda d: d.western_minus_other),
        ("worst", "#8a8a8a", lambda d: d.gap),
    ):
        shown = [pick(d) for d in rows]
        figure.add_trace(
            go.Bar(
                y=list(range(len(rows))),
                x=[100 * f.value for f in shown],
                orientation="h",
                name=str(t(f"evidence.gaps.{kind}")),
                marker={
                    "color": colour if kind == "western" else "rgba(0,0,0,0)",
                    "line": {"color": colour, "width": 1.5},
                    "pattern": {"shape": "" if kind == "western" else "/", "fgcolor": colour},
                },
                error_x=_error_bars(shown),
                text=[f"{100 * f.value:.1f}" for f in shown],
                textposition="outside",
                cliponaxis=False,
                customdata=[link_of(next(iter(d.values.values())), cited) for d in rows],
                hovertext=[_gap_hover(d, kind, f, t) for d, f in zip(rows, shown, strict=True)],
                hovertemplate="%{hovertext}<extra></extra>",
            )
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


def _error_bars(shown: Sequence[Figure]) -> dict | None:
    if not any(f.has_interval for f in shown):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (f.high - f.value) if f.has_interval else 0 for f in shown],
        "arrayminus": [100 * (f.value - f.low) if f.has_interval else 0 for f in shown],
        "color": INK,
    }


def _gap_hover(d: Disparity, kind: str, f: Figure, t: Speaker) -> str:
    interval = (
        t("evidence.gaps.interval", low=f"{100 * f.low:.1f}", high=f"{100 * f.high:.1f}")
        if f.has_interval
        else t("evidence.no_interval")
    )
    lines = [
        f"<b>{row_label(d.comparison, d.model, t)}</b>",
        f"{t('evidence.gaps.' + kind)}: {100 * f.value:.1f} ({interval})",
        str(t("evidence.gaps.extremes", best=corpus_title(d.best), worst=corpus_title(d.worst))),
        str(t("evidence.gaps.ratio", ratio=f"{d.ratio.value:.2f}")),
    ]
    if d.excess is not None:
        lines.append(str(t("evidence.gaps.luck", points=f"{100 * d.excess:.1f}")))
    return "<br>".join(lines)


def gaps_title(rows: Sequence[Disparity], t: Speaker) -> str:
    """What adapting to the corpora did to MERT where both are there; else the range of the gaps."""
    mert = {d.model: d for d in rows if d.comparison.protocol == "culturemert2025"}
    if {"MERT-v1-95M", "CultureMERT-95M"} <= set(mert):
        return str(
            t(
                "evidence.gaps.adapted",
                before=f"{100 * mert['MERT-v1-95M'].western_minus_other.value:.1f}",
                after=f"{100 * mert['CultureMERT-95M'].western_minus_other.value:.1f}",
            )
        )
    values = [100 * d.western_minus_other.value for d in rows]
    return str(t("evidence.gaps.range", low=f"{min(values):.1f}", high=f"{max(values):.1f}"))


def normalised(found: Sequence[Disparity], corpora: Sequence[str], cited: dict, t: Speaker) -> Chart:
    """Share of the way from chance to the best known figure, so a hard corpus is not mistaken for bias."""
    from plotly import graph_objects as go

    how = str(t("evidence.normalised.how"))
    whole = [d for d in found if all(v is not None for v in d.normalised.values())]
    rows = whole[:MOST_ROWS]
    if not rows:
        return Chart(
            str(t("evidence.normalised.title")), None, how, empty=str(t("evidence.normalised.empty"))
        )
    labels = [row_label(d.comparison, d.model, t) for d in rows]
    height = 80 + 30 * len(rows)
    figure = bare_figure(height=height, left=230, top=30)
    for corpus in corpora:
        tradition = CORPORA[corpus].tradition
        at = [i for i, d in enumerate(rows) if corpus in d.normalised]
        figure.add_trace(
            go.Scatter(
                x=[rows[i].normalised[corpus] for i in at],
                y=at,
                mode="markers",
                name=corpus_title(corpus),
                marker={
                    "color": TRADITION_COLOURS[tradition],
                    "symbol": TRADITION_SYMBOLS[tradition] + ("-open" if corpus == "fma" else ""),
                    "size": 12,
                    "line": {
                        "width": 2 if corpus == "fma" else 1,
                        "color": TRADITION_COLOURS[tradition] if corpus == "fma" else GROUND,
                    },
                },
                customdata=[link_of(rows[i].values[corpus], cited) for i in at],
                text=[hover(rows[i].values[corpus], cited, t) for i in at],
                hovertemplate="%{text}<br>%{x:.2f}<extra></extra>",
            )
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title={"text": str(t("evidence.normalised.axis"))}, tickformat=".1f")
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5])
    lowest = min(((v, c, d) for d in whole for c, v in d.normalised.items()), key=lambda x: x[0])
    title = t(
        "evidence.normalised.finding",
        corpus=corpus_title(lowest[1]),
        model=lowest[2].model,
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
            "height": 170 + 44 * len(rows),
            "xaxis.title": {"text": str(t("evidence.normalised.axis_narrow")), "font": {"size": 13}},
            "margin": {"l": 120, "r": 8, "t": 110, "b": 60},
        },
        sources=(
            *sources_of([r for d in rows for r in d.values.values()], cited, t),
            *left_out(len(whole) - MOST_ROWS, t),
        ),
    )


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


def transfer(chosen: Results, metric: str, cited: dict, t: Speaker) -> Chart:
    """From last-layer tuning to training the whole model: a slope a corpus, a panel a model."""
    from plotly import graph_objects as go
    from plotly.subplots import make_subplots

    how = str(t("evidence.transfer.how"))
    steps = ("last", "scratch", "all")
    table: dict[str, dict[str, dict[str, Result]]] = defaultdict(lambda: defaultdict(dict))
    for record in chosen:
        if record.tag is None and record.metric == metric and record.protocol == "ccml2023":
            tuned = record.setting.get("tuned")
            step = (
                "scratch"
                if record.method == "trained_from_scratch"
                else ("last" if tuned == "last layer" else "all")
            )
            table[record.model][record.corpus][step] = record
    names = sorted(m for m, of in table.items() if any(len(s) > 1 for s in of.values()))
    if not names:
        return Chart(str(t("evidence.transfer.title")), None, how, empty=str(t("evidence.transfer.empty")))
    every, names = names, names[:MOST_PANELS]
    plain = bare_figure(height=380, left=50, top=56, bottom=60)
    figure = make_subplots(cols=len(names), rows=1, shared_yaxes=True, horizontal_spacing=0.03, figure=plain)
    gains = [
        (of["all"].value - of["scratch"].value, corpus, model)
        for model in every
        for corpus, of in table[model].items()
        if {"scratch", "all"} <= set(of)
    ]
    for column, model in enumerate(names, 1):
        for corpus in (c for c in CORPORA if c in table[model]):
            of = table[model][corpus]
            have = [s for s in steps if s in of]
            colour = TRADITION_COLOURS[CORPORA[corpus].tradition]
            figure.add_trace(
                go.Scatter(
                    x=[steps.index(s) for s in have],
                    y=[of[s].value for s in have],
                    mode="lines+markers",
                    name=corpus_title(corpus),
                    legendgroup=corpus,
                    showlegend=column == 1,
                    line={"color": colour, "width": 2, "dash": "dot" if corpus == "fma" else "solid"},
                    marker={
                        "symbol": TRADITION_SYMBOLS[CORPORA[corpus].tradition] + "-open",
                        "size": 9,
                        "color": colour,
                    },
                    customdata=[link_of(of[s], cited) for s in have],
                    text=[_transfer_hover(of[s], cited, t) for s in have],
                    hovertemplate="%{text}<extra></extra>",
                ),
                row=1,
                col=column,
            )
    figure.update_xaxes(
        tickvals=[0, 1, 2],
        ticktext=[str(t(f"evidence.transfer.{s}")) for s in steps],
        range=[-0.3, 2.3],
        showgrid=False,
        fixedrange=True,
        zeroline=False,
        automargin=True,
    )
    figure.update_yaxes(tickformat=".2f", gridcolor=FAINT, zeroline=False, fixedrange=True)
    figure.update_layout(
        showlegend=True,
        legend={"y": 1.1},
        annotations=[
            {
                "text": f"<b>{escape(model)}</b>",
                "x": 1,
                "y": 1.0,
                "xref": f"x{i if i > 1 else ''}",
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 14, "color": INK},
            }
            for i, model in enumerate(names, 1)
        ],
    )
    up = sum(g > 0 for g, _, _ in gains)
    top = max(gains, default=None)
    title = t(
        "evidence.transfer.finding",
        up=up,
        of=len(gains),
        corpus=corpus_title(top[1]) if top else "",
        model=top[2] if top else "",
        points=f"{100 * top[0]:.1f}" if top else "",
    )
    return drawn(
        str(title),
        figure,
        how,
        height=380,
        narrow={
            "height": 420,
            "legend.y": 1.16,
            "margin": {"l": 40, "r": 4, "t": 120, "b": 70},
            **{f"xaxis{i if i > 1 else ''}.tickangle": -60 for i in range(1, len(names) + 1)},
        },
        sources=(
            *sources_of([r for m in names for of in table[m].values() for r in of.values()], cited, t),
            *left_out(len(every) - MOST_PANELS, t),
        ),
    )


def _transfer_hover(record: Result, cited: dict, t: Speaker) -> str:
    moved = record.setting.get("transfer_from")
    origin = f"<br>{t('evidence.transfer.from', corpus=corpus_title(str(moved)))}" if moved else ""
    return hover(record, cited, t) + origin


def few_shot(chosen: Results, cited: dict, t: Speaker) -> Chart:
    """Macro-F1 of 3-shot LC-Protonets against the number of tags, a line a corpus, beside one-vs-rest."""
    from plotly import graph_objects as go

    how = str(t("evidence.fewshot.how"))
    wanted = [
        r
        for r in chosen
        if r.method == "fewshot"
        and r.protocol == "lcprotonets2024"
        and r.metric == "macro_f1"
        and r.setting["backbone_training"] == "full ft"
        and r.setting["tags"] in ("base", "both")
    ]
    table: dict[tuple[str, str], dict[int, Result]] = defaultdict(dict)
    for record in sorted(wanted, key=lambda r: r.setting["tags"] == "both"):
        table[record.corpus, str(record.setting["few_shot"])].setdefault(int(record.setting["n_way"]), record)
    corpora = [c for c in CORPORA if (c, "LC-Protonets") in table]
    if not corpora:
        return Chart(str(t("evidence.fewshot.title")), None, how, empty=str(t("evidence.fewshot.empty")))
    figure = bare_figure(height=420, left=56, right=130, top=30)
    wins = compared = 0
    for corpus in corpora:
        colour, tradition = TRADITION_COLOURS[CORPORA[corpus].tradition], CORPORA[corpus].tradition
        own, rival = table[corpus, "LC-Protonets"], table.get((corpus, "one-vs-rest"), {})
        both = sorted(set(own) & set(rival))
        wins += sum(own[n].value > rival[n].value for n in both)
        compared += len(both)
        for method, of in (("LC-Protonets", own), ("one-vs-rest", rival)):
            ways = sorted(of)
            figure.add_trace(
                go.Scatter(
                    x=ways,
                    y=[of[n].value for n in ways],
                    mode="lines+markers",
                    showlegend=False,
                    opacity=1 if method == "LC-Protonets" else 0.55,
                    line={
                        "color": colour,
                        "width": 2,
                        "dash": "solid" if method == "LC-Protonets" else "dot",
                    },
                    marker={"symbol": TRADITION_SYMBOLS[tradition] + "-open", "size": 8, "color": colour},
                    customdata=[link_of(of[n], cited) for n in ways],
                    text=[
                        hover(of[n], cited, t)
                        + f"<br>{method}, {n}-way {of[n].setting['k_shot']}-shot, {of[n].setting['tags']}"
                        for n in ways
                    ],
                    hovertemplate="%{text}<extra></extra>",
                )
            )
    ends = sorted(((max(table[c, "LC-Protonets"].items()), c) for c in corpora), key=lambda e: -e[0][1].value)
    placed: list[float] = []
    for (_, record), corpus in ends:
        y = min(record.value, (placed[-1] if placed else 1) - 0.035)
        placed.append(y)
        figure.add_annotation(
            x=1.01,
            xref="paper",
            y=y,
            text=corpus_title(corpus),
            xanchor="left",
            showarrow=False,
            font={"color": INK, "size": 13},
        )
    figure.update_xaxes(title={"text": str(t("evidence.fewshot.x"))})
    figure.update_yaxes(
        title={"text": str(t("evidence.metric.macro_f1"))}, rangemode="tozero", tickformat=".1f"
    )
    return drawn(
        few_shot_title(corpora, table, wins, compared, t),
        figure,
        how,
        height=420,
        narrow={
            "margin": {"l": 44, "r": 100, "t": 16, "b": 60},
            "xaxis.title": {"text": str(t("evidence.fewshot.x_narrow")), "font": {"size": 13}},
            "yaxis.title.font": {"size": 13},
        },
        sources=sources_of(wanted, cited, t),
    )


def few_shot_title(corpora: Sequence[str], table: dict, wins: int, compared: int, t: Speaker) -> str:
    """How often LC-Protonets win, and what is lost from the fewest to the most tags."""
    lost = [
        100 * (of[min(of)].value - of[max(of)].value)
        for of in (table[corpus, "LC-Protonets"] for corpus in corpora)
        if len(of) > 1
    ]
    words = {"wins": wins, "of": compared}
    if lost and min(lost) > 0:
        return str(
            t("evidence.fewshot.finding_falls", low=f"{min(lost):.0f}", high=f"{max(lost):.0f}", **words)
        )
    return str(t("evidence.fewshot.finding", **words))
