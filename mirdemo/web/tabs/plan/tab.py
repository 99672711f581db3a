"""Plan: what to do now, how sure that is, what it costs, and where it would turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mirdemo.base.sentences import Sentence
from mirdemo.planning import CURRENCIES, RULE, Assumptions, Plan, PlanError, for_the_meeting, two_sentences
from mirdemo.web.frame import own_files
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.wire import Wire
from mirdemo.web.hearing import question
from mirdemo.web.tabs.plan import endpoint, kept, panel
from mirdemo.web.tabs.plan.desk import PanelDesk, PlanDesk
from mirdemo.web.tabs.plan.gathering import gather, measured_before, sources
from mirdemo.web.tabs.probe.shown import ICONS as SIGNS_OF_WORDS
from mirdemo.web.tabs.probe.tab import expected_probe
from mirdemo.words.durations import time_of
from mirdemo.words.language import LANGUAGES, Speaker, choose

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

REPORT, FILE = "mirdemo-plan-report.html", "plan.json"
#: Icon of each gate's state.
ICONS = {"pass": "full", "fail": "empty", "cannot_tell": "half", "not_run": "warn"}


def build(wire: Wire) -> None:
    """The tab's view, what can be done in it, and the endpoint."""
    tab = PlanTab()
    wire.view("plan", tab.show)
    wire.keeps("plan", kept.keeper())
    wire.keeps("panel", kept.panel_keeper())
    for name in ("assume", "currency", "reset"):
        wire.on(f"plan.{name}", getattr(tab, name))
    panel.build(wire)
    endpoint.build(wire.jobs)


TAB = Tab("plan", build, step=True, done=lambda visitor: visitor.desk(PlanDesk).seen)


def current_plan(visitor: Visitor) -> Plan | None:
    """The plan of what a visitor has measured and assumes now; None before a probe of the clips as they are."""
    desk, found, heard = visitor.desk(PlanDesk), sources(visitor), visitor.desk(PanelDesk).listeners
    key = (*map(id, found), visitor.backbone, visitor.clips.in_question)
    if desk.of[: len(key)] != key or desk.plan is None:
        evidence = gather(visitor, found)
        desk.plan = None if evidence is None else Plan(evidence, desk.assumptions, heard)
        desk.of = (*key, found)  # the results themselves too, so that no new one gets an old one's id
    elif desk.plan.assumptions != desk.assumptions or desk.plan.listeners is not heard:
        desk.plan = desk.plan.assuming(**desk.assumptions.as_dict()).carrying(heard)
    return desk.plan


class PlanTab:
    """The handlers, and what the view shows."""

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        desk = visitor.desk(PlanDesk)
        refused = None
        try:
            plan = current_plan(visitor)
        except PlanError as error:
            plan, refused = None, error.sentence
        shown = None
        if plan is not None:
            desk.seen = True
            known = desk.drawn.get(t.language)
            if known is None or known[0] is not plan:
                known = desk.drawn[t.language] = (plan, _drawn(plan, t))
            shown = known[1]
        folder = own_files.place("plan", visitor)
        job = visitor.jobs.get("probe")
        return {
            "clips": len(visitor.clips),
            "tags": visitor.clips.tags,
            "recordings": len(set(visitor.clips.counted)),
            "question": question(visitor),
            "earlier": plan is None and measured_before(visitor),
            "refused": refused,
            "probing": expected_probe(visitor) if plan is None and visitor.clips.tags else None,
            "job": job if job is not None and job.active else None,
            "plan": shown,
            "icons": ICONS,
            "currencies": tuple(CURRENCIES),
            "typed": desk.typed,
            "changed": desk.assumptions != Assumptions(),
            "report": f"{folder}/{REPORT}?language={t.language}",
            "file": f"{folder}/{FILE}",
            "report_name": REPORT,
            "file_name": FILE,
        }

    def assume(self, visitor: Visitor, act: Act) -> None:
        desk = visitor.desk(PlanDesk)
        name = act.one_of("name", Assumptions().as_dict())
        desk.typed += 1  # a refused number must not stay in its field as if it counted
        desk.assumptions = Assumptions.of({**desk.assumptions.as_dict(), name: act.text("value")})

    def currency(self, visitor: Visitor, act: Act) -> None:
        desk = visitor.desk(PlanDesk)
        desk.assumptions = desk.assumptions.in_currency(act.one_of("value", CURRENCIES))

    def reset(self, visitor: Visitor, act: Act) -> None:
        desk = visitor.desk(PlanDesk)
        before, desk.assumptions = desk.assumptions, Assumptions()

        def undo() -> None:
            desk.assumptions = before

        told = Sentence("The assumptions are those of the beginning again.", "page.assumptions_reset")
        visitor.tell(told, undo=undo)


def _drawn(plan: Plan, t: Speaker) -> dict[str, Any]:
    """What the template needs of a plan in one language."""
    from mirdemo.evidence import plan_charts, plan_words

    title = plan_words.titles(t)
    advice = plan.advice
    return {
        "kind": advice.kind,
        "word": advice.word,
        "two": [t.say(sentence) for sentence in two_sentences(plan, title)],
        "range": plan_words.advised_range(plan, t),
        "clips": plan.evidence.n_clips,
        "recordings": plan.evidence.n_recordings,
        "visit": plan_words.visit_table(plan, t),
        "signs": SIGNS_OF_WORDS,
        "gates": plan_words.gate_rows(plan, t),
        "left": plan_words.left_rows(plan, t),
        "actions": plan_words.action_rows(plan, t),
        "each": plan_words.tag_rows(plan, t),
        "each_how": plan_words.tags_how(plan, t) if plan.tags else None,
        "certainty": t("plan.certainty", time=t.say(time_of(advice.certainty))) if advice.actions else None,
        "charts": plan_charts.charts(plan, t, title),
        "switches": plan_words.switch_lines(plan, t),
        "assumptions": plan_words.assumption_rows(plan, t),
        "currency": plan.assumptions.currency,
        "rule": [t.say(sentence) for sentence in RULE],
        "regret": plan_words.regret_words(t),
        "meeting": [t.say(sentence) for sentence in for_the_meeting(plan, title)],
    }


def download_routes(visitors: Visitors) -> list[Route]:
    """Where each visitor finds the report and the file of the plan on the page."""
    return [
        own_files.route(visitors, "plan", REPORT, _kept, _answer_report),
        own_files.route(visitors, "plan", FILE, _kept, _answer_file),
        *panel.download_routes(visitors),
    ]


def _kept(visitor: Visitor) -> Plan | None:
    try:
        return current_plan(visitor)
    except PlanError:
        return None


def _answer_report(request: Request, plan: Plan) -> Response:
    from starlette.responses import Response

    from mirdemo.evidence.plan_report import plan_report

    language = request.query_params.get("language")
    if language not in LANGUAGES:
        language = choose(request.headers.get("accept-language"))
    return Response(
        plan_report(plan, language),
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{REPORT}"'},
    )


def _answer_file(request: Request, plan: Plan) -> Response:
    from starlette.responses import Response

    return Response(
        plan.as_json(),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{FILE}"'},
    )
