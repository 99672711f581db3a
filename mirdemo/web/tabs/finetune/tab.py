"""Fine-tune: does a little training buy anything over probing, and what does it cost to find out?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec, specs, status
from mirdemo.clips import LabelledClips
from mirdemo.planning.prices import PRICES
from mirdemo.stages.finetuning import RULE
from mirdemo.web import gpu, zero
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.taking_home import push
from mirdemo.web.frame.wire import Wire
from mirdemo.web.hearing import question, refuse_one
from mirdemo.web.tabs.finetune import charts, endpoint, kept, outlook, shown
from mirdemo.web.tabs.finetune.desk import EPOCHS, FineTuneDesk
from mirdemo.web.tabs.finetune.outlook import Outlook
from mirdemo.web.tabs.finetune.running import Result, Wanted, Watched, train
from mirdemo.web.tabs.finetune.taking_home import DOWNLOAD, made
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import LIVE, Asked, Run, whitening_offered
from mirdemo.web.tabs.probe.running import Result as ProbeResult
from mirdemo.web.tabs.probe.tab import MOST_RUNS
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from starlette.routing import Route

    from mirdemo.clips.in_question import InQuestion
    from mirdemo.evidence.charting import Chart

JOB, LOOK_JOB, HUB_JOB = "fine-tune", "fine-tune-outlook", "fine-tune-hub"
#: Dollars an hour that may be typed.
DEAREST = 1000.0


def build(wire: Wire) -> None:
    """The tab's view, what can be done in it, and the endpoint."""
    tab = FineTuneTab(wire)
    wire.view("fine-tune", tab.show)
    wire.keeps("fine-tune", kept.keeper())
    wire.on_open("fine-tune", tab.look_ahead)
    for name in ("backbone", "blocks", "epochs", "price", "run", "again", "push"):
        wire.on(f"fine-tune.{name}", getattr(tab, name))
    endpoint.build(wire.jobs)


TAB = Tab("fine-tune", build, step=True, done=lambda visitor: visitor.desk(FineTuneDesk).result is not None)


def download_route(visitors: Visitors) -> Route:
    """Where each visitor finds the tagger of the result on the page."""
    return DOWNLOAD.route(visitors, _to_take, lambda found: made(*found))


def _to_take(visitor: Visitor) -> tuple[Result, InQuestion | None] | None:
    """The result, and what is still in question of the clips that it rests on."""
    result = visitor.desk(FineTuneDesk).result
    return None if result is None else (result, result.asked.still_in_question(visitor.clips))


class FineTuneTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        desk, clips, job = visitor.desk(FineTuneDesk), visitor.clips, visitor.jobs.get(JOB)
        chosen, state, result = spec(visitor.backbone), status(visitor.backbone), desk.result
        active = job is not None and job.active
        trainable = outlook.trainable(chosen)
        current = result is not None and result.asked.is_about(clips)
        return {
            "labels": clips.tags,
            "clips": len(clips),
            "recordings": len(set(clips.counted)),
            "question": question(visitor),
            "backbones": [
                (one.name, shown.backbone_words(t, one.name), outlook.trainable(one))
                for one in specs().values()
            ],
            "chosen": chosen,
            "name": shown.backbone_words(t, chosen.name),
            "status": state,
            "sick": state.health.reason(chosen.title) if state.health and not state.health.ok else None,
            "trainable": trainable,
            "network": (part := outlook.trained_part(chosen)) and shown.backbone_words(t, part),
            "others": [
                (one.name, one.title) for one in specs().values() if one.embedded and outlook.trainable(one)
            ],
            "before": self._before(visitor, t) if trainable and clips.tags else None,
            "epochs": desk.epochs,
            "epoch_choices": EPOCHS,
            "looking": (looking := visitor.jobs.get(LOOK_JOB)) is not None and looking.active,
            "job": job if active else None,
            "ahead": self._wire.jobs.ahead(job) if active else 0,
            "during": self._during(desk, job, t) if active else None,
            "current": current,
            "there": current and result.wanted == desk.wanted(visitor.backbone),
            "result": self._after(visitor, t, desk, result) if result is not None else None,
        }

    def _before(self, visitor: Visitor, t: Speaker) -> dict[str, Any]:
        """What will be trained, how long it takes, what it costs, what it is compared with."""
        desk, facts = visitor.desk(FineTuneDesk), spec(visitor.backbone)
        wanted, n_windows = desk.wanted(visitor.backbone), desk.count(visitor.clips, visitor.backbone)
        found = desk.outlooks.get((wanted.backbone, wanted.blocks))
        soonest, here = (None, None) if found is None else found.seconds(n_windows, wanted.settings)
        return {
            "blocks": wanted.blocks,
            "choices": outlook.choices(facts),
            "n_layers": max(1, len(facts.layers) - 1),
            "n_windows": n_windows,
            "outlook": found,
            "seconds": here,
            "range": None if here is None else shown.range_words(t, soonest, here),
            "folds": min(wanted.settings.n_folds, len(set(visitor.clips.counted))),
            "rows": shown.hardware_rows(t, facts, wanted, n_windows, found, here, desk.prices),
            "probed": [
                shown.probe_words(t, run.backbone, run.report.whitening is not None)
                for run in _kept_probes(visitor)
            ],
            "can_whiten": whitening_offered(visitor.backbone),
            "gpu_seconds": gpu.asked_for(n_windows, wanted) if zero.ZERO else None,
            "quota": gpu.QUOTA_MINUTES,
            "sign_in": zero.sign_in() if zero.ZERO else None,
            "known": visitor.known_to_hub,
        }

    @staticmethod
    def _during(desk: FineTuneDesk, job: Any, t: Speaker) -> dict[str, Any]:
        watched = desk.watched
        epochs = list(watched.epochs) if watched else []
        return {
            "phase": shown.phase_words(t, job, epochs),
            "left": watched.seconds_left(job.fraction) if watched else None,
            "charts": _drawn(desk, "live", (id(watched), len(epochs)), t, lambda: charts.live(epochs, t)),
            "held_out": any(one.held_out_auc is not None for one in epochs) or not epochs,
        }

    @staticmethod
    def _after(visitor: Visitor, t: Speaker, desk: FineTuneDesk, result: Result) -> dict[str, Any]:
        report, found = result.report, desk.outlooks.get((result.wanted.backbone, result.wanted.blocks))
        job = visitor.jobs.get(HUB_JOB)
        return {
            "report": report,
            "backbone": shown.backbone_words(t, result.wanted.backbone),
            "against": shown.probe_words(t, result.wanted.backbone, report.probe_whitening is not None),
            "sentence": report.sentence,
            "rule": RULE,
            "chart": _drawn(desk, "paired", (id(result),), t, lambda: charts.paired(report, t)),
            "curves": _drawn(desk, "curves", (id(result),), t, lambda: charts.live(report.curve, t)),
            "tags": shown.tag_rows(t, report),
            "costs": shown.cost_rows(t, result, found, desk.prices),
            "warnings": report.warnings,
            "address": DOWNLOAD.address(visitor),
            "file": DOWNLOAD.file,
            "licence": report.spec.licence,
            "hub_job": job if job is not None and job.active else None,
        }

    # ---- choosing ---------------------------------------------------------------------------------------

    def look_ahead(self, visitor: Visitor) -> None:
        """Find out how long it would take, unless that is known or there is nothing to train on."""
        desk, facts = visitor.desk(FineTuneDesk), spec(visitor.backbone)
        wanted = desk.wanted(visitor.backbone)
        key = (wanted.backbone, wanted.blocks)
        if not visitor.clips.tags or not outlook.trainable(facts) or key in desk.outlooks:
            return

        def take(found: Outlook) -> None:
            desk.outlooks[key] = found

        with suppress(PageError):  # a busy machine: it is asked again when the tab is opened again
            self._wire.start(
                visitor,
                LOOK_JOB,
                lambda progress: outlook.look_ahead(*key, progress),
                take,
                resource="sound",  # a moment's work: it need not wait until others have embedded
            )

    def backbone(self, visitor: Visitor, act: Act) -> None:
        visitor.backbone = act.one_of("value", specs())
        self.look_ahead(visitor)

    def blocks(self, visitor: Visitor, act: Act) -> None:
        offered = {str(count): count for count in outlook.choices(spec(visitor.backbone))}
        visitor.desk(FineTuneDesk).blocks[visitor.backbone] = offered[act.one_of("value", offered)]
        self.look_ahead(visitor)

    def epochs(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(FineTuneDesk).epochs = int(act.one_of("value", [str(count) for count in EPOCHS]))

    def price(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(FineTuneDesk).prices[act.one_of("hardware", PRICES)] = act.number("value", 0, DEAREST)

    # ---- working ----------------------------------------------------------------------------------------

    def run(self, visitor: Visitor, act: Act) -> None:
        """Train with what is chosen now."""
        self._start(visitor, visitor.desk(FineTuneDesk).wanted(visitor.backbone))

    def again(self, visitor: Visitor, act: Act) -> None:
        """What the result on the page was trained with, on the clips as they are now."""
        wanted = _result(visitor).wanted
        visitor.backbone = wanted.backbone
        self._start(visitor, wanted)

    def _start(self, visitor: Visitor, wanted: Wanted) -> None:
        endpoint.check_trainable(wanted.backbone)
        desk, clips, memory = visitor.desk(FineTuneDesk), _usable(visitor), visitor.memory
        kept, watched = _kept_probes(visitor, wanted.backbone), Watched(wanted)

        def take(result: Result) -> None:
            desk.result, desk.watched = result, None
            desk.drawn.clear()
            desk.outlooks.pop((wanted.backbone, wanted.blocks), None)  # measured now, and more to be believed
            if not kept:
                _show_probe(visitor, result)
            self.look_ahead(visitor)

        self._wire.start(
            visitor,
            JOB,
            lambda progress: train(clips, wanted, kept, memory, progress, watched),
            take,
            resource="training",
        )
        desk.watched = watched

    def push(self, visitor: Visitor, act: Act) -> None:
        """Upload the tagger to the Hub."""
        result = _result(visitor)
        in_question = result.asked.still_in_question(visitor.clips)
        push(self._wire, visitor, act, HUB_JOB, lambda: made(result, in_question))


def _drawn(desk: FineTuneDesk, name: str, of: tuple, t: Speaker, draw: Any) -> Chart | tuple[Chart, ...]:
    """A chart, drawn once for what it is drawn of; only the latest is kept."""
    known = desk.drawn.get((name, t.language))
    if known is None or known[0] != of:
        known = desk.drawn[name, t.language] = (of, draw())
    return known[1]


def _kept_probes(visitor: Visitor, backbone: str | None = None) -> tuple[Run, ...]:
    """The visitor's own probes of these clips with the backbone, whitened or not."""
    result, name = visitor.desk(ProbeDesk).result, backbone or visitor.backbone
    if result is None or result.protocol != LIVE or not result.asked.names_as(visitor.clips):
        return ()
    return tuple(run for run in result.runs if run.backbone == name)


def _show_probe(visitor: Visitor, result: Result) -> None:
    """A probe made on the way belongs on the Probe tab, beside the others of the same clips."""
    desk = visitor.desk(ProbeDesk)
    if not result.asked.names_as(visitor.clips):
        return
    same = desk.result is not None and desk.result.asked.names_as(visitor.clips)
    kept = desk.result.runs if same else ()
    if len(kept) < MOST_RUNS and result.run.key not in [run.key for run in kept]:
        desk.result = ProbeResult.of(Asked.of(visitor.clips), (*kept, result.run))


def _result(visitor: Visitor) -> Result:
    result = visitor.desk(FineTuneDesk).result
    if result is None:
        raise PageError("Nothing has been fine-tuned yet. Train first.", code="finetune.no_result")
    return result


def _usable(visitor: Visitor) -> LabelledClips:
    """Clips one can train on at all. Raises PageError before anything is fetched for nothing."""
    clips = visitor.clips
    if not clips.tags:
        raise PageError(
            "There is no clip with a tag yet. Add clips and tag them first.", code="page.no_support"
        )
    if len(set(clips.recordings)) < 2:
        raise PageError(
            "Fine-tuning needs clips from at least two recordings. Add clips from another one.",
            code="finetune.one_recording",
        )
    refuse_one(clips)
    return clips
