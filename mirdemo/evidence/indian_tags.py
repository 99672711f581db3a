"""Indian music inside a Western corpus: MagnaTagATune's ``indian`` and ``sitar`` beside the model's own other tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from mirdemo.evidence.charting import FAINT, GREY, INK, Chart, bare_figure, drawn, error_bars
from mirdemo.evidence.figure import Figure, Trace, number, scatter
from mirdemo.evidence.palette import colour
from mirdemo.evidence.wording import sources_of
from mirdemo.results.records import Result, Results, published
from mirdemo.results.within import AGAINST, OTHERS, Beside, beside
from mirdemo.scoring.intervals import Interval, signed
from mirdemo.words.language import Speaker

CORPUS, PROTOCOL = "magnatagatune", "mgphot"
#: how the three comparisons look: colour, mark, and how far from the row's middle
LOOK = {
    "mean": (GREY, "diamond-open", 0.24),
    "rarity": (colour("western"), "circle-open", 0.0),
    "kind": (colour("hindustani"), "square-open", -0.24),
}
ROW = 46


def support_of() -> Mapping[str, int]:
    """Tag -> test recordings that carry it, as published with the split of 2023."""
    found = published().where(corpus=CORPUS, metric="f1", citation="ccml2023")
    return {r.tag: int(r.setting["support"] or 0) for r in found if r.tag and r.setting.get("support")}


def within(chosen: Results, cited: dict, t: Speaker) -> Chart:
    """A panel a tag, a row a model: its average precision minus that of the model's other tags, three ways."""
    how = str(t("evidence.within.how"))
    records = [r for r in chosen if r.protocol == PROTOCOL and r.tag is not None]
    found = beside(records, support_of())
    tags = [tag for tag in OTHERS if any(b.tag == tag for b in found)]
    if not tags:
        return Chart(str(t("evidence.within.title")), None, how, empty=str(t("evidence.within.empty")))
    models = sorted({b.model for b in found}, key=lambda m: -_mean(m, records))
    height = 70 + len(tags) * (64 + ROW * len(models))
    figure = bare_figure(height=height, left=200, top=64, bottom=52)
    figure.stack([1] * len(tags), 70 / height)
    for row, tag in enumerate(tags, 1):
        of = {b.model: b for b in found if b.tag == tag}
        for name in AGAINST:
            figure.add_trace(_dots([of.get(m) for m in models], name, t, in_legend=row == 1), panel=row)
        figure.add_annotation(**_heading(tag, figure.layout[f"yaxis{number(row)}"]["domain"][1], t))
    figure.update_yaxes(
        tickvals=list(range(len(models))),
        ticktext=[str(escape(m)) for m in models],
        range=[len(models) - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
        zeroline=False,
        automargin=True,
    )
    figure.update_xaxes(
        gridcolor=FAINT, zeroline=True, zerolinecolor=INK, zerolinewidth=1, fixedrange=True, tickformat="d"
    )
    lowest = number(len(tags))
    for row in range(1, len(tags)):
        figure.layout[f"xaxis{number(row)}"] |= {"matches": f"x{lowest}", "showticklabels": False}
    figure.update_layout(
        **{f"xaxis{lowest}": {"title": {"text": str(t("evidence.within.axis"))}}},
        showlegend=True,
        legend={"y": 1.0 + 36 / height},
    )
    return drawn(
        finding(found, t),
        figure,
        how,
        height=height,
        narrow=_narrow(figure, models, len(tags), height, t),
        sources=(*sources_of([r for r in records if r.tag in OTHERS], cited, t), cited["ccml2023"]["short"]),
    )


def _dots(rows: Sequence[Beside | None], name: str, t: Speaker, *, in_legend: bool) -> Trace:
    """One comparison of a panel, a row a model where there is one. name: of ``AGAINST``"""
    tint, mark, off = LOOK[name]
    there = [(i, b) for i, b in enumerate(rows) if b is not None and name in b.minus]
    return scatter(
        x=[100 * b.minus[name].known for _, b in there],
        y=[i - off for i, _ in there],
        mode="markers",
        name=str(t(f"evidence.within.{name}")),
        legendgroup=name,
        showlegend=in_legend,
        marker={"symbol": mark, "size": 10, "color": tint, "line": {"width": 2}},
        text=[_hover(b, name, t) for _, b in there],
        hovertemplate="%{text}<extra></extra>",
        **error_bars([_Plain(b.minus[name]) for _, b in there], "x", colour=tint, scale=100),
    )


def _narrow(figure: Figure, models: Sequence[str], panels: int, height: int, t: Speaker) -> dict[str, Any]:
    """What changes on a phone."""
    short = [str(escape(m)).replace(" (", "<br>(").replace("RQ ", "RQ<br>") for m in models]
    changed: dict[str, Any] = {
        "margin": {"l": 128, "r": 8, "t": 150, "b": 62},
        "height": height + 90,
        "legend.y": 1.0 + 46 / height,
        f"xaxis{number(panels)}.title": {
            "text": str(t("evidence.within.axis_narrow")),
            "font": {"size": 13},
        },
        "annotations": [{**one, "text": one["text"].replace(": ", ":<br>", 1)} for one in figure.annotations],
    }
    for axis in (f"yaxis{number(i)}" for i in range(1, panels + 1)):
        changed |= {f"{axis}.ticktext": short, f"{axis}.tickfont": {"size": 13}}
    return changed


def _heading(tag: str, top: float, t: Speaker) -> dict[str, Any]:
    """A panel's name over its upper end."""
    return {
        "text": str(t("evidence.within.panel", tag=tag, n=support_of()[tag])),
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": top,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 14, "color": INK},
    }


class _Plain:
    """An interval as the bars take it."""

    def __init__(self, interval: Interval) -> None:
        self.value, self.low, self.high = interval.known, interval.low, interval.high


def _mean(model: str, records: Sequence[Result]) -> float:
    values = [r.value for r in records if r.model == model]
    return sum(values) / len(values)


def _hover(one: Beside, name: str, t: Speaker) -> str:
    minus = one.minus[name]
    low, high = minus.ends
    return "<br>".join(
        (
            f"<b>{escape(one.model)}</b> · {escape(one.tag)}",
            str(t("evidence.within.ap", value=f"{one.value:.2f}", n=one.support)),
            str(
                t(
                    f"evidence.within.hover.{name}",
                    value=signed(minus.known),
                    low=signed(low),
                    high=signed(high),
                    n=minus.n,
                )
            ),
        )
    )


def counts(found: Sequence[Beside], name: str) -> dict[str, Any]:
    """Of differences of one kind: how many there are, surely above and surely below nothing."""
    ends = [b.minus[name].ends for b in found if name in b.minus]
    return {
        "of": len(ends),
        "above": sum(low > 0 for low, _ in ends),
        "below": sum(high < 0 for _, high in ends),
    }


def finding(found: Sequence[Beside], t: Speaker) -> str:
    """How many of the models surely find each tag better or worse than tags of like rarity, and of like rarity and kind."""
    said = []
    for tag in (tag for tag in OTHERS if any(b.tag == tag for b in found)):
        of = [b for b in found if b.tag == tag]
        rarity, kind = counts(of, "rarity"), counts(of, "kind")
        said.append(
            str(
                t(
                    "evidence.within.said",
                    tag=tag,
                    of=rarity["of"],
                    above=rarity["above"],
                    below=rarity["below"],
                    kind_above=kind["above"],
                    kind_below=kind["below"],
                )
            )
        )
    return str(t("evidence.within.finding", said=Markup(str(t("evidence.and_list")).join(said))))
