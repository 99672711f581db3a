"""The report of a plan for a meeting: what to do, its figures, what it stands on, what was assumed, who listened."""

from __future__ import annotations

from datetime import date

from mirdemo.evidence import panel_words, plan_charts, reporting
from mirdemo.evidence.charting import LIGHT, Chart
from mirdemo.evidence.plan_words import (
    action_rows,
    advised_range,
    assumption_rows,
    gate_rows,
    left_rows,
    regret_words,
    switch_lines,
    tag_rows,
    tags_how,
    titles,
    visit_table,
)
from mirdemo.evidence.reporting import Part, Section
from mirdemo.planning import RULE, Plan, for_the_meeting, two_sentences
from mirdemo.words.language import Speaker, speaker

#: Heads of the table of tags.
_EACH = ("plan.each.tag", "plan.each.by", "plan.action.saves", "plan.action.futures", "plan.each.having")
WORDS = ("heading", "summary", "made", "method")


def plan_report(plan: Plan, language: str, made: date | None = None) -> str:
    """The report as HTML, in ``language``. Raises ValueError where it would be too large to send by mail."""
    t = speaker(language)
    title = titles(t)
    columns = [t(f"plan.action.{name}") for name in ("way", "saves", "once", "futures", "best")]
    rows = [
        [
            row["name"]
            if row["note"] is None
            else t("plan.action.noted", name=row["name"], note=row["note"]),
            *(row[name] for name in ("saves", "once", "futures", "best")),
        ]
        for row in action_rows(plan, t)
    ]
    advised, span = [t.say(sentence) for sentence in two_sentences(plan, title)], advised_range(plan, t)
    before = [Part(t("plan.advice"), advised if span is None else [*advised, span])]
    if rows:
        before.append(Part(t("plan.actions"), [t("plan.action.range.how")], columns, rows))
    each = tag_rows(plan, t)
    if each:
        names = ("tag", "by", "saves", "futures", "having")
        heads = [t(word) for word in _EACH]
        before.append(
            Part(t("plan.each"), [tags_how(plan, t)], heads, [[row[name] for name in names] for row in each])
        )
    visit = visit_table(plan, t)
    if visit is not None:
        across = [
            str(t("plan.tags.tag")),
            *(": ".join(filter(None, one.values())) for one in visit["columns"]),
        ]
        each_tag = [
            [
                " ".join(filter(None, (row["tag"], row["why"] and f"({row['why']})"))),
                *(_said(cell, t) for cell in row["cells"]),
            ]
            for row in visit["rows"]
        ]
        before.append(Part(t("plan.tags"), [visit["rule"]], across, each_tag))
    gates = [[row["title"], row["word"], row["found"], row["criterion"]] for row in gate_rows(plan, t)]
    found = plan.evidence
    stands = t(
        "plan.report.evidence.what",
        clips=t("page.where.clips", n=found.n_clips),
        recordings=t("page.where.recordings", n=found.n_recordings),
        tags=t("page.where.tags", n=len(found.tags)),
        names=list(found.tags),
    )
    in_question = [] if found.in_question is None else [t.say(found.in_question.sentence)]
    stages = t("plan.report.stages", stages=[t(f"plan.stage.{stage}") for stage in found.ran])
    left = [[row["title"], row["tells"], row["bound"]] for row in left_rows(plan, t)]
    assumed = [
        [row["title"], f"{row['unit']}{float(row['value']):,g}", row["reason"]]
        for row in assumption_rows(plan, t)
    ]
    heard = plan.listeners
    listened = [t("plan.report.listeners.none")] if heard is None else panel_words.lines(t, heard, title)
    after = [
        Part(t("plan.report.evidence"), [stands, *in_question, stages], (), gates),
        Part(t("plan.left"), (), (), left) if left else None,
        Part(t("plan.assumptions"), switch_lines(plan, t), (), assumed),
        Part(t("plan.report.listeners"), listened),
        Part(t("plan.rule"), [*(t.say(line) for line in RULE), regret_words(t)]),
    ]
    return reporting.report(
        [_section(chart) for _, chart in plan_charts.charts(plan, t, title)],
        words={word: t(f"plan.report.{word}") for word in WORDS} | {"caution": "", "sources": ""},
        language=t.language,
        summary=[t.say(sentence) for sentence in for_the_meeting(plan, title)],
        before=before,
        after=[part for part in after if part is not None],
        made=made,
    )


def _said(cell: dict[str, str] | None, t: Speaker) -> str:
    """A stage's word with its figure."""
    if cell is None:
        return t("plan.tags.not_run")
    return "; ".join(filter(None, (f"{cell['word']} {cell['figure']}", cell["off"])))


def _section(chart: Chart) -> Section:
    figure = chart.json or ""
    for stand_in, colour in LIGHT.items():
        figure = figure.replace(stand_in, colour)
    return Section(chart.title, figure, chart.how, (), chart.height)
