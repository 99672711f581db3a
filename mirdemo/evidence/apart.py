"""Figures published by rules of their own: a chart a question, the protocol in the axis title, no ranking across them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from mirdemo.corpora.elsewhere import ELSEWHERE, ElsewhereFacts
from mirdemo.evidence.charting import FAINT, GREY, INK, Chart, bare_figure, drawn
from mirdemo.evidence.figure import Trace, number, scatter
from mirdemo.evidence.palette import colour, tradition_words
from mirdemo.evidence.wording import corpus_title, hover, link_of, percent, sources_of, span
from mirdemo.results.records import Result, Results
from mirdemo.words.language import Speaker

#: models of the study that MTEB measured, and their marks: hollow, since published
NAMED = {
    "Qwen2-Audio": "diamond-open",
    "CLAP-Music&Speech": "square-open",
    "CLAP-Music": "triangle-down-open",
}
ROW = 48
PROTOCOLS = ("marble", "omar-rq", "mgphot")
#: mark -> how a figure was read
MARKS = {"circle-open": "first_hand", "circle-x-open": "second_hand"}


def maeb(chosen: Results, cited: dict, t: Speaker) -> Chart:
    """Music tasks of MTEB's audio benchmark, a row a task: the study's models among all others."""
    how = str(t("evidence.maeb.how"))
    by_task: dict[str, list[Result]] = defaultdict(list)
    for record in chosen:
        if record.protocol == "maeb" and record.corpus in ELSEWHERE:
            by_task[record.corpus].append(record)
    if not by_task:
        return Chart(str(t("evidence.maeb.title")), None, how, empty=str(t("evidence.maeb.empty")))
    rows: list[ElsewhereFacts | str] = []
    for isolated in (False, True):
        alike = [f for f in ELSEWHERE.values() if f.isolated == isolated and f.name in by_task]
        if alike:
            rows += [str(t("evidence.maeb.isolated" if isolated else "evidence.maeb.excerpts")), *alike]
    height = 90 + ROW * len(rows)
    figure = bare_figure(height=height, left=230, top=34, bottom=52)
    tasks = [(at, row) for at, row in enumerate(rows) if isinstance(row, ElsewhereFacts)]
    plain = [(at, r) for at, task in tasks for r in by_task[task.name] if r.model not in NAMED]
    figure.add_scatter(
        x=[row.largest for _, row in tasks],
        y=[at for at, _ in tasks],
        mode="markers",
        name=str(t("evidence.maeb.largest")),
        showlegend=True,
        marker={"symbol": "line-ns-open", "size": 18, "color": INK, "line": {"width": 1.5}},
        text=[str(t("evidence.maeb.largest_hover", share=percent(row.largest))) for _, row in tasks],
        hovertemplate="%{text}<extra></extra>",
    )
    if plain:
        figure.add_trace(
            _dots(
                plain,
                str(t("evidence.maeb.others")),
                {"symbol": "circle-open", "size": 5, "color": GREY},
                [f"<b>{escape(r.model)}</b><br>{r.value:.2f}" for _, r in plain],
            )
        )
    for model, mark in NAMED.items():
        mine = [(at, r) for at, task in tasks for r in by_task[task.name] if r.model == model]
        if mine:
            tints = [colour(ELSEWHERE[r.corpus].tradition) for _, r in mine]
            look = {"symbol": mark, "size": 13, "color": tints, "line": {"width": 2.5}}
            trace = _dots(mine, _title(mine[0][1], t), look, [told(r, cited, t) for _, r in mine])
            trace["customdata"] = [link_of(r, cited) for _, r in mine]
            figure.add_trace(trace)
    labels = [_task_label(row, t) if isinstance(row, ElsewhereFacts) else f"<b>{row}</b>" for row in rows]
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5], showgrid=False
    )
    figure.update_xaxes(title={"text": str(t("evidence.maeb.axis"))}, range=[0, 1.02], tickformat=".1f")
    figure.update_layout(showlegend=True)
    records = [r for of in by_task.values() for r in of]
    return drawn(
        _maeb_title(by_task, t),
        figure,
        how,
        height=height,
        narrow={
            "margin": {"l": 128, "r": 8, "t": 130, "b": 56},
            "height": height + 120,
            "xaxis.title.text": str(t("evidence.maeb.axis_narrow")),
            "yaxis.ticktext": [
                _task_label(row, t, narrow=True)
                if isinstance(row, ElsewhereFacts)
                else f"<b>{row.replace(': ', ':<br>')}</b>"
                for row in rows
            ],
            "yaxis.tickfont": {"size": 13},
            "xaxis.title.font": {"size": 13},
        },
        sources=sources_of(records, cited, t),
    )


def _dots(at: Sequence[tuple[int, Result]], name: str, look: dict[str, Any], hovers: Sequence[str]) -> Trace:
    return scatter(
        x=[r.value for _, r in at],
        y=[i for i, _ in at],
        mode="markers",
        name=name,
        showlegend=True,
        marker=look,
        cliponaxis=False,
        text=hovers,
        hovertemplate="%{text}<extra></extra>",
    )


def told(record: Result, cited: dict, t: Speaker) -> str:
    """The hover of a figure that stands apart: as any other's, and what is known of its spread and how it was read."""
    task = ELSEWHERE.get(record.corpus)
    lines = [hover(record, cited, t)]
    if task:
        lines[0] = lines[0].replace(corpus_title(record.corpus, t), _task_words(task, t), 1)
        lines[0] = lines[0].replace(str(t("evidence.hover.n", n=record.n)), _counted(task, t), 1)
    spread = record.setting.get("sd")
    if spread is not None:
        n = record.setting.get("experiments") or record.setting.get("seeds")
        lines.append(str(t("evidence.apart.spread", sd=f"{float(spread):.3f}", n=n)))
    if record.setting.get("embedded"):
        lines.append(str(t("evidence.apart.by_mteb")))
    if record.setting.get("read") == "second hand":
        lines.append(str(t("evidence.apart.second_hand")))
    return "<br>".join(lines)


def _title(record: Result, t: Speaker) -> str:
    """A model's name, with who embedded it where that is not certain."""
    name = str(escape(record.model))
    return str(t("evidence.apart.embedded", model=Markup(name))) if record.setting.get("embedded") else name


def _task_words(task: ElsewhereFacts, t: Speaker) -> str:
    words = task.task.get(t.language) or task.task["en"]
    return f"{escape(task.title)}: {escape(words)} ({tradition_words(task.tradition, t)})"


def _counted(task: ElsewhereFacts, t: Speaker) -> str:
    key = "evidence.maeb.n_isolated" if task.isolated else "evidence.maeb.n_excerpts"
    return str(t(key, classes=task.n_classes, n=f"{task.n:,}"))


def _task_label(task: ElsewhereFacts, t: Speaker, *, narrow: bool = False) -> str:
    words = task.task.get(t.language) or task.task["en"]
    if narrow:
        return f"{escape(task.title)}:<br>{escape(words)}<br>n = {task.n:,}"
    return f"{_task_words(task, t)}<br>{_counted(task, t)}"


def _maeb_title(by_task: dict[str, list[Result]], t: Speaker) -> str:
    """Of how many of the other models each of the study's is ahead, task by task."""
    said = []
    for model in NAMED:
        ahead = []
        for of in by_task.values():
            mine = [r for r in of if r.model == model]
            others = [r for r in of if r.model != model]
            if mine and others:
                ahead.append(sum(r.value < mine[0].value for r in others) / len(others))
        if ahead:
            title = next(_title(r, t) for of in by_task.values() for r in of if r.model == model)
            shares = span(percent(min(ahead)), percent(max(ahead)), t)
            key = "evidence.maeb.ahead_of_all" if min(ahead) == 1 else "evidence.maeb.ahead"
            said.append(str(t(key, model=Markup(title), span=shares)))
    if said:
        return str(
            t("evidence.maeb.finding", n=len(by_task), said=Markup(str(t("evidence.and_so")).join(said)))
        )
    values = [r.value for of in by_task.values() for r in of]
    return str(t("evidence.maeb.range", n=len(values), low=f"{min(values):.2f}", high=f"{max(values):.2f}"))


def magnatagatune(chosen: Results, cited: dict, t: Speaker) -> Chart:
    """mAP on MagnaTagATune by three protocols, a panel each, so that none is read as a rank in another."""
    how = str(t("evidence.mtat.how"))
    parted, also = _by_protocol(chosen)
    if not parted:
        return Chart(str(t("evidence.mtat.title")), None, how, empty=str(t("evidence.mtat.empty")))
    sizes = [len(of) for of in parted.values()]
    height = 36 + 78 * len(parted) + 30 * sum(sizes)
    figure = bare_figure(height=height, left=230, top=36, bottom=56)
    figure.stack([n + 0.8 for n in sizes], 78 / height)
    for symbol, key in MARKS.items():
        figure.add_trace(_key_to(symbol, str(t("evidence.apart." + key))), panel=1)
    narrow: dict[str, Any] = {"margin": {"l": 150, "r": 30, "t": 60, "b": 56}, "height": height + 160}
    for at, (protocol, of) in enumerate(parted.items(), 1):
        hovers = [told(r, cited, t) + _also(also.get((protocol, r.model)), t) for r in of]
        figure.add_trace(_figures_of(of, hovers, cited), panel=at)
        axis = number(at)
        labels = [str(escape(r.model)) for r in of]
        title = {"text": str(t("evidence.mtat.axis", protocol=protocol)), "standoff": 6}
        figure.update_layout(
            **{
                f"yaxis{axis}": _panel_axis(labels),
                f"xaxis{axis}": _value_axis(title),
            }
        )
        narrow |= {
            f"yaxis{axis}.ticktext": [
                one.replace(" (", "<br>(").replace("RQ multi", "RQ<br>multi") for one in labels
            ],
            f"yaxis{axis}.tickfont": {"size": 13},
            f"xaxis{axis}.title.font": {"size": 13},
            f"xaxis{axis}.tickvals": [0.2, 0.3, 0.4, 0.5],
            f"xaxis{axis}.tickformat": ".1f",
        }
    figure.update_layout(showlegend=True)
    return drawn(
        _ranges(parted, t),
        figure,
        how,
        height=height,
        narrow=narrow,
        sources=sources_of([r for of in parted.values() for r in of[::-1]], cited, t),
    )


def _by_protocol(chosen: Results) -> tuple[dict[str, list[Result]], dict[tuple[str, str], Result]]:
    """Protocol -> its mAPs, the highest first; and (protocol, model) -> another metric of the same run."""
    parted: dict[str, list[Result]] = {protocol: [] for protocol in PROTOCOLS}
    also: dict[tuple[str, str], Result] = {}
    for r in chosen:
        if r.corpus == "magnatagatune" and r.tag is None and r.protocol in PROTOCOLS:
            if r.metric == "map":
                parted[r.protocol].append(r)
            else:
                also[r.protocol, r.model] = r
    # Sorted upwards and turned round: of equal ones the last comes first.
    return {p: sorted(of, key=lambda r: r.value)[::-1] for p, of in parted.items() if of}, also


def _mark(symbols: str | list[str]) -> dict[str, Any]:
    return {"symbol": symbols, "size": 12, "color": colour("western"), "line": {"width": 2}}


def _key_to(symbol: str, name: str) -> Trace:
    """An entry of the legend."""
    return scatter(x=[None], y=[None], mode="markers", name=name, showlegend=True, marker=_mark(symbol))


def _figures_of(of: Sequence[Result], hovers: Sequence[str], cited: dict) -> Trace:
    """A panel's figures, one below the other, marked by how each was read."""
    first, second = MARKS
    return scatter(
        x=[r.value for r in of],
        y=list(range(len(of))),
        mode="markers+text",
        showlegend=False,
        marker=_mark([second if r.setting.get("read") == "second hand" else first for r in of]),
        text=[f"{r.value:.2f}" for r in of],
        textposition="middle right",
        textfont={"size": 13, "color": INK},
        cliponaxis=False,
        customdata=[link_of(r, cited) for r in of],
        hovertext=hovers,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _ranges(parted: Mapping[str, Sequence[Result]], t: Speaker) -> str:
    """From the lowest to the highest figure by each protocol."""
    ranges = [
        str(
            t(
                "evidence.mtat.range",
                protocol=protocol,
                span=span(f"{of[-1].value:.2f}", f"{of[0].value:.2f}", t),
                n=len(of),
            )
        )
        for protocol, of in parted.items()
    ]
    joined = Markup(str(t("evidence.and_list")).join(ranges))
    return str(t("evidence.mtat.finding" if len(parted) > 1 else "evidence.mtat.one", said=joined))


def _value_axis(title: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "range": [0.2, 0.55],
        "tickformat": ".2f",
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": FAINT,
    }


def _panel_axis(labels: list[str]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
        "fixedrange": True,
        "zeroline": False,
        "automargin": True,
        "ticks": "",
    }


def _also(record: Result | None, t: Speaker) -> str:
    """A second metric of the same figure's run, for its hover."""
    if record is None:
        return ""
    return f"<br>{t('evidence.metric.' + record.metric)}: {record.value:.3f} ({t('evidence.no_interval')})"
