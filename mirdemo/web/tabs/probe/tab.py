"""Probe: does the model hear what we hear? A row a tag, several backbones side by side, mistakes to listen to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from mirdemo.backbones.on_real_sound import whitening_helps
from mirdemo.backbones.registry import spec, specs, status
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.corpora.vocabularies import vocabularies
from mirdemo.evidence.wording import corpus_title
from mirdemo.stages.probing import RULE
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Draft
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.wire import Wire
from mirdemo.web.hearing import question, refuse_one
from mirdemo.web.models import PACE, expected
from mirdemo.web.tabs.probe import endpoint, kept, prompts, shown, table
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import (
    LIVE,
    MOST_RUNS,
    PROTOCOLS,
    Asked,
    Result,
    SoFar,
    needs,
    probing,
    probing_size,
    run_all,
    run_key,
    whitening_offered,
)
from mirdemo.web.tabs.probe.zero_shot import ZeroShot, ask, expected_answer
from mirdemo.web.tagging import usual_layer
from mirdemo.words.language import Speaker

JOB = "probe"
ASK_JOB = "probe-words"
#: Clips with mistakes shown before the rest is folded away.
MISTAKES = 6


def build(wire: Wire) -> None:
    """The tab's view, what can be done in it, and the endpoint."""
    tab = ProbeTab(wire)
    wire.view("probe", tab.show)
    wire.keeps("probe", kept.keeper())
    for name in (
        "backbone",
        "protocol",
        "whiten",
        "run",
        "again",
        "drop",
        "metric",
        "sort",
        "sort_by",
        "mistakes",
    ):
        wire.on(f"probe.{name}", getattr(tab, name))
    for name in ("vocabulary", "template", "form", "prompt", "ask"):
        wire.on(f"probe.{name}", getattr(tab, name))
    endpoint.build(wire.jobs)


TAB = Tab("probe", build, step=True, done=lambda visitor: visitor.desk(ProbeDesk).answer is not None)


class ProbeTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        desk, clips, job = visitor.desk(ProbeDesk), visitor.clips, visitor.jobs.get(JOB)
        chosen, state, result = spec(visitor.backbone), status(visitor.backbone), desk.answer
        asked = Asked.of(clips)
        under_way = job is not None and job.active
        draft = job.draft.latest if job is not None and under_way else desk.left(clips)
        return {
            "clips": len(clips),
            "recordings": len(set(clips.counted)),
            "question": question(visitor),
            "labels": clips.tags,
            "expected": expected_probe(visitor),
            "again": None if result is None else _expected_again(visitor, result),
            "protocols": PROTOCOLS,
            "protocol": desk.protocol,
            "live": desk.protocol == LIVE,
            "missing": [
                (need, t.say(shown.WORDS[need.best]), t.say(shown.WORDS[need.then])) for need in needs(asked)
            ]
            if desk.protocol == LIVE
            else (),
            "backbones": [(one.name, shown.backbone_words(t, one.name)) for one in specs().values()],
            "chosen": chosen,
            "status": state,
            "sick": state.health.reason(chosen.title) if state.health and not state.health.ok else None,
            "can_whiten": desk.protocol == LIVE and whitening_offered(chosen.name),
            "whiten": _whitened(visitor),
            "whiten_helps": _whitening_helps(visitor),
            "there": result is not None and _key(visitor) in [run.key for run in result.runs],
            "full": result is not None and len(result.runs) >= MOST_RUNS,
            "most": MOST_RUNS,
            "current": result is not None and result.asked.is_about(clips),
            "job": job,
            "ahead": self._wire.jobs.ahead(job) if job else 0,
            "metric": desk.metric,
            "metrics": table.METRICS,
            "found": _found(visitor, t, desk, result) if result is not None else None,
            "draft": None if draft is None else shown.draft(t, draft, desk.metric),
            "ended": draft is not None and not under_way,
            "zero": self._zero(visitor, t, desk) if chosen.joint_size and clips.tags else None,
        }

    def _zero(self, visitor: Visitor, t: Speaker, desk: ProbeDesk) -> dict[str, Any]:
        """The zero-shot part: prompts to edit and, once asked, what they gave."""
        job = visitor.jobs.get(ASK_JOB)
        own = desk.vocabulary == prompts.OWN
        question = desk.question(visitor.clips.tags)
        words = desk.words
        if words is not None and (words.backbone, words.vocabulary) != (visitor.backbone, desk.vocabulary):
            words = None
        current = (
            words is not None
            and words.asked.is_about(visitor.clips)
            and dict(words.prompts) == question.prompts
        )
        return {
            "own": own,
            "vocabulary": desk.vocabulary,
            "vocabularies": [
                (name, Markup(corpus_title(name, t)), len(prompts.asked_tags(name)))
                for name in vocabularies()
            ],
            "source": None if own else vocabularies()[desk.vocabulary],
            "prompts": list(question.prompts.items()),
            "template": desk.template,
            "forms": {} if own else desk.templates(),
            "place": prompts.PLACE,
            "edited": bool(desk.prompts or desk.forms or desk.template != prompts.TEMPLATE),
            "takes": expected_answer(visitor, question),
            "asked": words,
            "rows": shown.zero_shot(visitor, t, words) if words else [],
            "by_clip": shown.zero_shot_clips(visitor, words) if words and not own else [],
            "few": MISTAKES,
            "macro": shown.figure_words(t, words.macro) if words and words.macro else None,
            "n": words.macro.n if words and words.macro else 0,
            "current": current,
            "job": job,
            "ahead": self._wire.jobs.ahead(job) if job else 0,
        }

    # ---- choosing ---------------------------------------------------------------------------------------

    def backbone(self, visitor: Visitor, act: Act) -> None:
        visitor.backbone = act.one_of("value", specs())

    def protocol(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(ProbeDesk).protocol = act.one_of("value", PROTOCOLS)

    def whiten(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(ProbeDesk).whiten = act.flag("value")

    def metric(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(ProbeDesk).metric = act.one_of("value", table.METRICS)

    def sort(self, visitor: Visitor, act: Act) -> None:
        desk, column = visitor.desk(ProbeDesk), act.one_of("column", table.SORTS)
        desk.sort = (column, not desk.sort[1] if desk.sort[0] == column else False)

    def sort_by(self, visitor: Visitor, act: Act) -> None:
        """The same from a list of columns, where the table's head is not shown."""
        visitor.desk(ProbeDesk).sort = (act.one_of("value", table.SORTS), False)

    def mistakes(self, visitor: Visitor, act: Act) -> None:
        desk = visitor.desk(ProbeDesk)
        desk.mistakes_of = act.one_of("value", [run.key for run in _result(desk).runs])

    def drop(self, visitor: Visitor, act: Act) -> None:
        """Take one backbone out of the comparison."""
        desk = visitor.desk(ProbeDesk)
        result = _result(desk)
        protocol, less = desk.protocol, result.without(act.one_of("run", [run.key for run in result.runs]))
        desk.keep(protocol, less)

        def undo() -> None:
            if (desk.result if protocol == LIVE else desk.published) is less:
                desk.keep(protocol, result)

        visitor.tell(Sentence("The answer was removed.", "page.answer_removed"), undo=undo)

    # ---- working ----------------------------------------------------------------------------------------

    def run(self, visitor: Visitor, act: Act) -> None:
        """Probe with the chosen backbone, beside those that answered about the same clips."""
        desk, clips = visitor.desk(ProbeDesk), _probeable(visitor)
        before = desk.answer
        kept = before.runs if before is not None and before.asked.names_as(clips) else ()
        if _key(visitor) in [run.key for run in kept]:
            raise PageError(
                "This backbone's answer is on the page already. Choose another one to compare it with.",
                code="probe.there",
            )
        if len(kept) >= MOST_RUNS:
            raise PageError(
                "{most} backbones are side by side already. Take one out first.",
                code="probe.full",
                most=MOST_RUNS,
            )
        self._start(visitor, clips, ((visitor.backbone, _whitened(visitor)),), kept)

    def again(self, visitor: Visitor, act: Act) -> None:
        """Every backbone on the page once more, with the clips as they are now."""
        runs = _result(visitor.desk(ProbeDesk)).runs
        wanted = tuple((run.backbone, run.report.whitening is not None) for run in runs)
        self._start(visitor, _probeable(visitor), wanted, ())

    def _start(
        self, visitor: Visitor, clips: LabelledClips, wanted: tuple[tuple[str, bool], ...], kept: tuple
    ) -> None:
        memory, desk = visitor.memory, visitor.desk(ProbeDesk)
        protocol, draft = desk.protocol, Draft(SoFar(Asked.of(clips), wanted, {}))

        def take(result: Result) -> None:
            desk.keep(protocol, result)
            desk.draft = Draft()

        self._wire.start(
            visitor,
            JOB,
            lambda progress: run_all(clips, wanted, memory, progress, kept, protocol, draft.put),
            take,
            draft=draft,
        )
        desk.draft, desk.drafted = draft, protocol

    # ---- zero-shot --------------------------------------------------------------------------------------

    def vocabulary(self, visitor: Visitor, act: Act) -> None:
        """Whose words to ask for."""
        visitor.desk(ProbeDesk).vocabulary = act.one_of("value", (prompts.OWN, *vocabularies()))

    def template(self, visitor: Visitor, act: Act) -> None:
        """One wording for all own tags; what was written by hand for single tags is dropped."""
        desk = visitor.desk(ProbeDesk)
        desk.template = prompts.checked_template(act.text("value") or prompts.TEMPLATE)
        desk.prompts = {}

    def form(self, visitor: Visitor, act: Act) -> None:
        """The wording for a family of the chosen corpus's tags; left empty, ours."""
        desk = visitor.desk(ProbeDesk)
        ours = {} if desk.vocabulary == prompts.OWN else prompts.forms(desk.vocabulary)
        family = act.one_of("family", ours)
        desk.forms[desk.vocabulary, family] = prompts.checked_template(act.text("value") or ours[family])

    def prompt(self, visitor: Visitor, act: Act) -> None:
        """The wording for one tag; left empty, the common one."""
        tag = act.one_of("tag", visitor.clips.tags)
        visitor.desk(ProbeDesk).prompts[tag] = act.text("value")

    def ask(self, visitor: Visitor, act: Act) -> None:
        """Score the clips against the prompts as they are now."""
        clips, backbone, memory, desk = (
            _tagged(visitor),
            visitor.backbone,
            visitor.memory,
            visitor.desk(ProbeDesk),
        )
        if not spec(backbone).joint_size:
            raise PageError(
                "{backbone} does not know words. Choose one of the CLAP backbones.",
                code="probe.no_words",
                backbone=spec(backbone).title,
            )
        question = desk.question(clips.tags)

        def take(made: ZeroShot) -> None:
            desk.words = made

        self._wire.start(
            visitor, ASK_JOB, lambda progress: ask(clips, backbone, question, memory, progress), take
        )


def expected_probe(visitor: Visitor, backbone: str | None = None) -> float | None:
    """Seconds until the answer by the chosen protocol, as far as this server knows its own pace. backbone: the chosen one if
    not given"""
    clips, backbone = visitor.clips.clips, backbone or visitor.backbone
    protocol = visitor.desk(ProbeDesk).protocol
    embedding = expected(backbone, clips, visitor.memory)
    after = PACE.expected(probing(protocol), probing_size(backbone, len(clips)))
    return None if embedding is None or after is None else embedding + after


def _expected_again(visitor: Visitor, result: Result) -> float | None:
    """Seconds until every backbone of a result has answered about the clips as they are now."""
    times = [expected_probe(visitor, run.backbone) for run in result.runs]
    known = [seconds for seconds in times if seconds is not None]
    return sum(known) if len(known) == len(times) else None


def _found(visitor: Visitor, t: Speaker, desk: ProbeDesk, result: Result) -> dict[str, Any]:
    """Everything about the result, worked out again only when something of it has changed."""
    held = tuple(clip.sha256 for clip in visitor.clips.clips)  # not the clips: what is removed must go
    in_question = result.asked.still_in_question(visitor.clips)
    state = (result, held, t.language, desk.metric, desk.sort, desk.mistakes_of, in_question)
    if desk.drawn is None or desk.drawn[0] != state:
        note = "" if in_question is None else str(t.say(in_question.sentence).unescape())
        desk.drawn = (state, _work_out(visitor, t, desk, result, note))
    return desk.drawn[1]


def _work_out(visitor: Visitor, t: Speaker, desk: ProbeDesk, result: Result, note: str) -> dict[str, Any]:
    """note: in the files, beside their figures"""
    of = next((run for run in result.runs if run.key == desk.mistakes_of), result.runs[0])
    rows = table.in_order(table.rows(result, desk.metric), *desk.sort) + table.macro_rows(result, desk.metric)
    lacking, undecided = shown.wanted(result)
    first = result.runs[0].report
    return {
        "tags": shown.tags(t, result, desk.metric),
        "overall": shown.overall(t, result, desk.metric),
        "several": len(result.runs) > 1,
        "lacking": lacking,
        "undecided": undecided,
        "mistakes": shown.mistakes(visitor, result, of),
        "mistakes_of": of.key,
        "few": MISTAKES,
        "rows": [
            {
                "row": row,
                "backbone": shown.run_words(t, row.run),
                "figure": shown.figure_words(t, row.figure),
                "layer": shown.layer_words(t, row.best_layer),
                "word": t.say(shown.WORDS[row.verdict]) if row.verdict else None,
                "difference": shown.difference_words(t, row.difference),
            }
            for row in rows
        ],
        "columns": [
            column
            for column in table.SORTS
            if len(result.runs) > 1 or column not in ("backbone", "difference")
        ],
        "sort": desk.sort,
        "downloads": table.downloads(rows, desk.metric, result, note),
        "report": first,
        "rule": RULE,
    }


def _key(visitor: Visitor) -> str:
    return run_key(visitor.backbone, _whitened(visitor))


def _whitened(visitor: Visitor) -> bool:
    desk = visitor.desk(ProbeDesk)
    wanted = desk.whiten
    if wanted is None:  # beside other backbones alike, so that one thing is compared; else as measured
        first = None if desk.result is None else desk.result.runs[0].report
        wanted = _whitening_helps(visitor) if first is None else first.whitening is not None
    return desk.protocol == LIVE and wanted and whitening_offered(visitor.backbone)


def _whitening_helps(visitor: Visitor) -> bool:
    return whitening_helps(visitor.backbone, "probe", usual_layer(visitor.backbone))


def _result(desk: ProbeDesk) -> Result:
    if desk.answer is None:
        raise PageError("Nothing has been probed yet. Probe your clips first.", code="probe.no_result")
    return desk.answer


def _tagged(visitor: Visitor) -> LabelledClips:
    if not visitor.clips.tags:
        raise PageError(
            "There is no clip with a tag yet. Add clips and tag them first.", code="page.no_support"
        )
    return visitor.clips


def _probeable(visitor: Visitor) -> LabelledClips:
    """Clips that can be probed at all. Raises PageError before anything is fetched for nothing."""
    clips = _tagged(visitor)
    if len(set(clips.recordings)) < 2:
        raise PageError(
            "Probing needs clips from at least two recordings. Add clips from another one.",
            code="probe.one_recording",
        )
    refuse_one(clips)
    return clips
