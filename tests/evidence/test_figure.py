"""Figures in plain dictionaries: put together as Plotly's own are, and nothing in them that Plotly does not know."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from planned import RISING, evidence, way
from plotly_known import known_to_plotly

from mirdemo.evidence import charting, drawing, laid_over, plan_charts, selection
from mirdemo.evidence.charting import Chart
from mirdemo.evidence.figure import Figure, number, scatter
from mirdemo.evidence.selection import YOURS, Selection
from mirdemo.planning import make_plan
from mirdemo.planning.labels import mended, reached
from mirdemo.planning.ways import FINE_TUNE
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.words.language import speaker


@pytest.fixture
def figure() -> Figure:
    return charting.bare_figure(height=300)


def own_rows() -> Results:
    one = next(
        r
        for r in results.shipped()
        if r.versions and r.method == "probe" and (r.tag, r.metric) == (None, "roc_auc")
    )
    mine = replace(one, corpus=YOURS, protocol="live", n=12, n_unit="recordings")
    return Results((mine, replace(mine, model="Spectral statistics", value=0.6, low=0.5, high=0.7)))


@cache
def of_the_evidence() -> dict[str, Chart]:
    """Every chart, with two rows of a visitor's own."""
    view = drawing.draw(selection.base(), Selection(metric="roc_auc"), "ja", own=own_rows())
    return {name: chart for name, chart in view.charts if chart.json}


@cache
def every_chart() -> dict[str, Chart]:
    """Those of the evidence and of a plan."""
    plan = make_plan(evidence(way(0.6, 0.2), growth=RISING), recordings=2000)
    return {**of_the_evidence(), **dict(plan_charts.charts(plan, speaker("ja")))}


def test_plotly_knows_every_value_of_every_chart_of_the_evidence() -> None:
    assert len([known_to_plotly(chart.json) for chart in of_the_evidence().values()]) >= 10


@pytest.mark.parametrize("growth", [RISING, replace(RISING, ceiling=None, slope=None, exponent=None)])
def test_plotly_knows_every_value_of_every_chart_of_a_plan(growth) -> None:
    plan = make_plan(evidence(way(0.6, 0.2), way(0.7, 0.2, kind=FINE_TUNE), growth=growth), recordings=2000)
    names = [name for name, chart in plan_charts.charts(plan, speaker("ja")) if known_to_plotly(chart.json)]
    assert names == ["futures", "curve", "labels", "switches"]


def axes(chart: Chart):
    """(name, what is set) of each that has a range or ticks of its own; the range from low to high, of a log axis in numbers."""
    for name, axis in json.loads(chart.json)["layout"].items():
        if re.fullmatch(r"[xy]axis\d*", name):
            ends = sorted(axis["range"]) if "range" in axis else (-math.inf, math.inf)
            yield name, axis, [10**end for end in ends] if axis.get("type") == "log" else ends


def test_every_tick_has_its_word_and_lies_on_its_axis() -> None:
    seen = 0
    for name, chart in every_chart().items():
        for letter, axis, (low, high) in axes(chart):
            ticks = axis.get("tickvals", [])
            assert len(axis.get("ticktext", ticks)) == len(ticks), (name, letter)
            assert list(ticks) == sorted(set(ticks)), (name, letter)
            assert all(low <= tick <= high for tick in ticks), (name, letter)
            if axis.get("type") == "log" and "ticktext" not in axis:
                firsts = [tick / 10 ** math.floor(math.log10(tick)) for tick in ticks]
                assert firsts == pytest.approx([round(first) for first in firsts]), (name, letter)
            seen += bool(ticks)
    assert seen >= 10


def test_what_is_drawn_lies_on_its_axis() -> None:
    for name, chart in every_chart().items():
        ends = {axis: found for axis, _, found in axes(chart)}
        for trace in json.loads(chart.json)["data"]:
            for letter in "xy":
                axis = letter + "axis" + trace.get(letter + "axis", letter)[1:]
                low, high = ends.get(axis, (-math.inf, math.inf))
                places = [at for at in trace.get(letter) or () if isinstance(at, int | float)]
                assert all(low <= at <= high for at in places), (name, axis)


@pytest.mark.parametrize("goes_on", [True, False])
def test_the_curve_is_drawn_as_far_as_it_reaches_or_to_twice_as_many(goes_on: bool) -> None:
    growth = RISING if goes_on else replace(RISING, ceiling=None, slope=None, exponent=None)
    plan = make_plan(evidence(way(0.6, 0.2), growth=growth), recordings=2000)
    ends = {axis: found for axis, _, found in axes(plan_charts.curve(plan, speaker("en")))}
    last = RISING.reach if goes_on else 2 * plan.evidence.n_recordings
    assert ends["xaxis"][0] == 0
    assert last <= ends["xaxis"][1] <= 1.1 * last


def test_each_row_of_a_visitors_own_is_framed(figure) -> None:
    laid_over.add_rows(figure, own_rows(), 4, 6, speaker("en"))
    frames, labels = figure.plain()["data"]
    corners = list(zip(frames["x"], frames["y"], strict=True))
    assert labels["y"] == [5, 6], "below the heading"
    for at, row in enumerate(labels["y"]):
        *frame, cut = corners[6 * at : 6 * at + 6]
        assert frame[0] == frame[-1]
        assert cut == (None, None)
        for (x, y), (then_x, then_y) in pairwise(frame):
            assert (x == then_x) != (y == then_y), "along one side"
        assert {x for x, _ in frame} == {-0.49, 5.49}
        assert {y for _, y in frame} == {row - 0.4, row + 0.4}


def test_updates_go_into_what_is_there_and_lists_take_its_place(figure) -> None:
    figure.update_xaxes(title={"text": "minutes"}, range=[0, 1])
    figure.update_xaxes(range=[0, 2])
    assert figure.layout["xaxis"]["title"] == {"standoff": 10, "text": "minutes"}
    assert figure.layout["xaxis"]["range"] == [0, 2]
    assert figure.layout["yaxis"]["title"] == {"standoff": 10}


def test_a_figure_shares_nothing_with_what_it_was_made_of(figure) -> None:
    figure.update_xaxes(title={"text": "minutes"})
    assert "text" not in figure.layout["yaxis"]["title"]  # both were one dictionary before
    assert charting.bare_figure(height=300).layout["xaxis"]["title"] == {"standoff": 10}


@pytest.mark.parametrize("heights", [[1], [1, 1], [2.8, 1.8, 5.8]])
def test_panels_lie_as_plotly_would_lay_them(figure, heights) -> None:
    from plotly.subplots import make_subplots

    theirs = make_subplots(rows=len(heights), row_heights=heights, vertical_spacing=0.1).layout
    figure.stack(heights, 0.1)
    for n in range(1, len(heights) + 1):
        for axis in (f"xaxis{number(n)}", f"yaxis{number(n)}"):
            assert figure.layout[axis]["anchor"] == theirs[axis].anchor
            assert figure.layout[axis]["domain"] == pytest.approx(theirs[axis].domain)


def test_panels_beside_each_other_share_the_scale_of_the_first(figure) -> None:
    from plotly.subplots import make_subplots

    theirs = make_subplots(cols=3, shared_yaxes=True, horizontal_spacing=0.03).layout
    figure.side_by_side(3, 0.03)
    for n in (1, 2, 3):
        mine = figure.layout[f"yaxis{number(n)}"]
        assert mine.get("matches") == theirs[f"yaxis{number(n)}"].matches
        assert figure.layout[f"xaxis{number(n)}"]["domain"] == pytest.approx(
            theirs[f"xaxis{number(n)}"].domain
        )


def test_a_trace_names_its_panel_only_where_there_are_several(figure) -> None:
    figure.add_trace(scatter(x=[1], y=[2]))
    figure.add_trace(scatter(x=[1], y=[2]), panel=2)
    one, other = figure.data
    assert one == {"type": "scatter", "x": [1], "y": [2]}
    assert other == one | {"xaxis": "x2", "yaxis": "y2"}


def test_numbers_of_numpy_become_plain_and_none_is_what_json_cannot_say(figure) -> None:
    figure.add_scatter(
        x=np.array([1, 2]), y=[np.float32(0.5), math.nan], text=("a", None), z=np.array([[np.inf]])
    )
    (trace,) = figure.plain()["data"]
    assert trace == {"type": "scatter", "x": [1, 2], "y": [0.5, None], "text": ["a", None], "z": [[None]]}
    assert json.loads(json.dumps(trace, allow_nan=False)) == trace


def test_what_is_set_to_nothing_is_left_out(figure) -> None:
    figure.update_xaxes(range=None)
    assert "range" not in figure.plain()["layout"]["xaxis"]


def test_what_has_no_place_in_a_figure_is_refused(figure) -> None:
    figure.add_scatter(x={1, 2})
    with pytest.raises(TypeError, match="set has no place in a figure"):
        figure.plain()


@pytest.mark.parametrize(("recordings", "target"), [(40, 0.65), (300, 0.65), (3000, 0.65)])
def test_the_curve_names_the_labels_whose_cost_and_what_stays_missed_are_least(recordings, target) -> None:
    plan = make_plan(evidence(way(0.6, 0.2), growth=RISING), recordings=recordings, target=target)
    growth, n, by_hand = plan.evidence.growth, plan.evidence.n_recordings, plan.assumptions.hand_minutes
    title = plan_charts.curve(plan, speaker("en")).title
    more, share, wanted = (
        int(found)
        for found in re.search(r"^(\d+) more .* about (\d+) % .* gather (\d+) more", title).groups()
    )
    stays = recordings * by_hand * (1 - float(mended(growth, n, more)))
    chance = reached(growth, n, int(growth.reach - n), target)
    costs = [by_hand * k + stays * (1 - chance[k]) for k in range(len(chance))]
    assert wanted == int(np.argmin(costs))
    assert share == round(100 * float(mended(growth, n, more)))


def test_a_vertical_line_is_as_high_as_its_panel() -> None:
    import plotly.graph_objects as go

    figure, theirs = Figure({}), go.Figure()
    for one in (figure, theirs):
        one.add_vline(x=0.5, line={"width": 1})
    (ours,) = figure.layout["shapes"]
    assert ours == theirs.layout.shapes[0].to_plotly_json()
