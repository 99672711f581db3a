"""Few-shot: prototypes from the labelled clips, and what they say about a new recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.on_real_sound import FewShotAccuracy, best_for_few_shot, whitening_helps
from mirdemo.backbones.registry import spec, specs, status
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web import alike, brought
from mirdemo.web.brought import bring, is_tagger
from mirdemo.web.changing import change
from mirdemo.web.festival import festival_is_made, festival_set
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Draft
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.taking_home import push
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.frame.wire import Wire
from mirdemo.web.hearing import question
from mirdemo.web.models import PACE, Memory, expected, expected_of, timed
from mirdemo.web.tabs.clips.long import LongDesk, hold_more, next_number
from mirdemo.web.tabs.fewshot import charts, endpoint, kept, over_time, shown, studies
from mirdemo.web.tabs.fewshot.alike import Alike
from mirdemo.web.tabs.fewshot.desk import FewShotDesk, LongAnswer, built_with
from mirdemo.web.tabs.fewshot.long import (
    answer_long,
    as_long,
    is_long,
    read_long,
    shown_long,
)
from mirdemo.web.tabs.fewshot.own_tagger import OwnTagger
from mirdemo.web.tabs.fewshot.placing import Plane
from mirdemo.web.tabs.fewshot.studies import Curve, Layers, Setting
from mirdemo.web.tabs.fewshot.taking_home import DOWNLOAD, made
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked, whitening_offered
from mirdemo.web.tabs.probe.shown import warning_words
from mirdemo.web.tagging import Answer, Built, answer, build, layers_of, spans, usual_layer
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from starlette.routing import Route

    from mirdemo.backbones.spec import BackboneSpec
    from mirdemo.clips import LabelledClips
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording
    from mirdemo.stages.fewshot import LayerChoice
    from mirdemo.tagger import Tagger

JOB, CURVE_JOB, LAYERS_JOB, HUB_JOB = "few-shot", "few-shot-curve", "few-shot-layers", "few-shot-hub"
LONG_JOB = "few-shot-long"
#: Queries that come with the demonstration set.
EXAMPLES = 3


def build_tab(wire: Wire) -> None:
    """The tab's view, what can be done in it, and the endpoints."""
    tab = FewShotTab(wire)
    wire.view("few-shot", tab.show)
    wire.view("tagger", OwnTagger(wire, _on_page).show)
    wire.keeps("few-shot", kept.keeper())
    wire.keeps("tagger", brought.keeper())
    for name in ("backbone", "layer", "whiten", "listen", "build", "query", "example", "forget"):
        wire.on(f"few-shot.{name}", getattr(tab, name))
    for name in ("curve", "layers", "push", "judge", "keep", "label", "long", "forget_long"):
        wire.on(f"few-shot.{name}", getattr(tab, name))
    Alike(wire, _setting, current_prototypes)
    endpoint.build(wire.jobs)


TAB = Tab(
    "few-shot",
    build_tab,
    step=True,
    done=lambda visitor: bool(visitor.desk(FewShotDesk).answers or visitor.desk(FewShotDesk).long),
    at_once=True,
)


def download_route(visitors: Visitors) -> Route:
    """Where each visitor finds the tagger made of the prototypes on the page."""
    return DOWNLOAD.route(visitors, _to_take, lambda found: made(*found))


class FewShotTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        desk, clips = visitor.desk(FewShotDesk), visitor.clips
        chosen, state = spec(visitor.backbone), status(visitor.backbone)
        now = _setting(visitor)
        current = current_prototypes(visitor)
        return {
            "clips": clips,
            "question": question(visitor),
            "support": desk.kept.get(
                "support", (clips, clips.counted), lambda: shown.support(clips, visitor.sounds)
            ),
            "adding": [
                (job, 0) for name, job in visitor.jobs.items() if name.startswith("clips-") and job.active
            ],
            "backbones": list(specs().values()),
            "chosen": chosen,
            "status": state,
            "sick": state.health.reason(chosen.title) if state.health and not state.health.ok else None,
            "layers": [(layer, shown.layer_words(t, layer)) for layer in layers_of(visitor.backbone)],
            "layer": now.layer,
            "can_whiten": whitening_offered(visitor.backbone),
            "whiten": now.whitened,
            "best": None if _has_festival(visitor) else _best_other(visitor.backbone),
            "whiten_helps": whitening_helps(now.backbone, "few-shot", now.layer),
            "built": desk.built,
            "current": current is not None,
            "hearing": expected(visitor.backbone, clips.clips, visitor.memory),
            "hour": expected_of(visitor.backbone, [3600.0]),
            "answers": [self._shown(visitor, t, one) for one in reversed(desk.answers)],
            "examples": range(1, EXAMPLES + 1) if _has_festival(visitor) else (),
            "long": [shown_long(visitor, t, id, one) for id, one in desk.long.items()],
            "long_newest": bool(desk.long) and desk.long_asked == desk.asked,
            "long_job": self._job(visitor, LONG_JOB),
            "long_limits": LONG_LIMITS,
            "limits": LIMITS,
            "more_like": alike.shown(visitor, t),
            "job": self._job(visitor, JOB),
            "found": self._found(visitor, t, current) if current is not None else None,
        }

    def _job(self, visitor: Visitor, name: str) -> tuple[Any, int]:
        """A job, None if there is none, and how many go first."""
        job = visitor.jobs.get(name)
        return job, self._wire.jobs.ahead(job) if job else 0

    def _found(self, visitor: Visitor, t: Speaker, built: Built) -> dict[str, Any]:
        """All that is known about the prototypes, each part computed once."""
        desk, sounds = visitor.desk(FewShotDesk), visitor.sounds
        answers, get, said = tuple(desk.answers), desk.kept.get, t.language
        probed = visitor.desk(ProbeDesk).result
        plane = get("plane", (built,), lambda: Plane.of(built.rows))
        curve = desk.curve if desk.curve is not None and desk.curve.built is built else None
        layers = desk.layers if desk.layers is not None and desk.layers.clips is built.clips else None
        measured, scored = desk.curve_draft.latest, desk.layers_draft.latest
        measured = measured if not curve and measured is not None and measured.built is built else None
        scored = scored if not layers and scored is not None and scored.clips is built.clips else None
        now = _setting(visitor)
        names = lambda one: (_title(t, one.backbone), shown.listening_words(t, one))  # noqa: E731
        waiting = get("waiting", (built, answers), lambda: studies.to_label_next(built, answers))
        return {
            "map": get(
                "map", (built, answers, said), lambda: charts.map_chart(built, plane, answers, sounds, t)
            ),
            "strange": get(
                "strange", (built, said), lambda: built.strange and warning_words(t, built.strange)
            ),
            "honest": get("honest", (built, probed, said), lambda: shown.honest(built, visitor, probed, t)),
            "waiting": shown.next_to_label(waiting, built, visitor),
            "curve_job": self._job(visitor, CURVE_JOB),
            "curve_takes": PACE.expected(CURVE_JOB, studies.curve_size(built)),
            "curve": curve
            and get(
                "curve", (curve, said), lambda: (charts.curve_chart(curve, t), shown.growth(curve.report, t))
            ),
            "curve_draft": measured
            and get("curve draft", (measured, said), lambda: charts.curve_draft_chart(measured.so_far, t)),
            "layers_job": self._job(visitor, LAYERS_JOB),
            "layers_take": self._layers_take(visitor),
            "layers": layers
            and get(
                "layers",
                (layers, now, said),
                lambda: charts.layer_chart(layers, now, _measured_best(), names, t),
            ),
            "layers_draft": scored
            and get(
                "layers draft", (scored, now, said), lambda: charts.layer_draft_chart(scored, now, names, t)
            ),
            "layers_room": get(
                "layers room",
                (now, said),
                lambda: charts.layer_heights(_settings(visitor), now, names, t),
            ),
            "any_good": layers and layers.any_good,
            "best": layers and layers.choice.best != now and (layers.choice.best, *names(layers.choice.best)),
            "missing": [_title(t, one) for one in layers.missing] if layers else [],
            "tagger": DOWNLOAD.address(visitor),
            "file": DOWNLOAD.file,
            "hub_job": self._job(visitor, HUB_JOB),
        }

    @staticmethod
    def _layers_take(visitor: Visitor) -> float | None:
        """Seconds until every backbone has heard the clips and is compared; None where one was never timed here."""
        names = dict.fromkeys(
            [visitor.backbone, *(name for name, facts in specs().items() if facts.embedded)]
        )
        times = [expected(name, visitor.clips.clips, visitor.memory) for name in names]
        times.append(
            PACE.expected(studies.COMPARING, studies.comparing_size(_settings(visitor), visitor.clips))
        )
        known = [seconds for seconds in times if seconds is not None]
        return sum(known) if len(known) == len(times) else None

    def _shown(self, visitor: Visitor, t: Speaker, one: Answer) -> dict[str, Any]:
        """An answer with what the template draws: places in percent, players for the nearest clips."""
        support, seconds = one.built.clips, one.clip.seconds
        played = visitor.desk(FewShotDesk).played.get(one.clip.sha256)
        held = {clip.sha256 for clip in visitor.clips.clips}
        farthest = max([distance for _, distance in one.per_tag] + [one.threshold or 0.0]) or 1.0
        return {
            "answer": one,
            "sure": shown.certainty(one, t),
            "number": visitor.desk(FewShotDesk).asked,
            "judged": visitor.desk(FewShotDesk).judged.get(one.clip.sha256),
            "held": one.clip.sha256 in held,
            "track": visitor.sounds.track(one.clip, bars=160),
            "lanes": [
                (tag, _in_percent(spans(one, one.labels[:, column] > 0), seconds))
                for column, tag in enumerate(one.built.prototypes.tags)
                if one.labels[:, column].any()
            ],
            "strange": _in_percent(spans(one, one.unknown_windows), seconds) if len(one.starts) > 1 else [],
            "windows": len(one.starts),
            "over_time": over_time.links(visitor, one) if len(one.starts) > 1 else [],
            "distances": [
                (tag, distance, 100 * distance / farthest, tag in one.given) for tag, distance in one.per_tag
            ],
            "limit": None if one.threshold is None else 100 * one.threshold / farthest,
            "nearest": [
                (
                    support.clips[row],
                    visitor.sounds.track(support.clips[row], bars=40)
                    if support.clips[row].sha256 in held
                    else None,
                    support.tags_of(row),
                    distance,
                )
                for row, distance in one.nearest[:5]
            ],
            "backbone": spec(one.built.backbone),
            "layer": shown.layer_words(t, one.built.layer),
            "whitening": one.built.whitening.name if one.built.whitening is not None else None,
            "played": shown.played(played, one) if played else None,
        }

    # ---- choosing ---------------------------------------------------------------------------------------

    def backbone(self, visitor: Visitor, act: Act) -> None:
        visitor.backbone = act.one_of("value", specs())
        self._look(visitor)

    def layer(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(FewShotDesk).layer[visitor.backbone] = act.one_of("value", layers_of(visitor.backbone))
        self._look(visitor)

    def whiten(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(FewShotDesk).whiten = act.flag("value")
        self._look(visitor)

    def _look(self, visitor: Visitor) -> None:
        """Remember what the visitor could see when choosing: a choice by looking is judged as one."""
        desk = visitor.desk(FewShotDesk)
        desk.looked = desk.layers

    def listen(self, visitor: Visitor, act: Act) -> None:
        """Listen as another setting does, from the comparison of layers, and build at once."""
        _support(visitor)
        backbone = act.one_of("backbone", specs())
        layer, whitened = act.one_of("layer", layers_of(backbone)), act.flag("whitened")
        desk = visitor.desk(FewShotDesk)
        visitor.backbone, desk.layer[backbone], desk.whiten = backbone, layer, whitened
        self._look(visitor)
        self.build(visitor, act)

    # ---- working ----------------------------------------------------------------------------------------

    def build(self, visitor: Visitor, act: Act) -> None:
        """Prototypes from the clips as they are now."""
        make = _builder(visitor)

        def take(built: Built) -> None:
            visitor.desk(FewShotDesk).built = built

        self._wire.start(visitor, JOB, make, take)

    def curve(self, visitor: Visitor, act: Act) -> None:
        """How the tagger grows with more recordings."""
        built = _needed(visitor)

        desk, draft, size = visitor.desk(FewShotDesk), Draft(), studies.curve_size(built)

        def take(made: Curve) -> None:
            desk.curve = made

        work = timed(CURVE_JOB, size, lambda progress: studies.measure_curve(built, progress, draft.put))
        self._wire.start(visitor, CURVE_JOB, work, take, draft=draft)
        desk.curve_draft = draft

    def layers(self, visitor: Visitor, act: Act) -> None:
        """Every layer of the chosen backbone and of those that are here, by leaving each recording out."""
        clips, memory = _needed(visitor).clips, visitor.memory
        settings, desk, draft = _settings(visitor), visitor.desk(FewShotDesk), Draft()

        def take(made: Layers) -> None:
            desk.layers = made

        self._wire.start(
            visitor,
            LAYERS_JOB,
            lambda progress: studies.measure_layers(clips, settings, memory, progress, draft.put),
            take,
            draft=draft,
        )
        desk.layers_draft = draft

    def push(self, visitor: Visitor, act: Act) -> None:
        """Upload the tagger to the Hub."""
        built = _needed(visitor)
        in_question = Asked.of(built.clips).still_in_question(visitor.clips)
        push(self._wire, visitor, act, HUB_JOB, lambda: made(built, in_question))

    def query(self, visitor: Visitor, act: Act) -> None:
        """Tag one new recording."""
        uploads = act.uploads()
        if is_tagger(uploads):
            bring(self._wire, visitor, uploads)
            return
        upload = uploads[0]
        if is_long(upload):
            self._ask_long(visitor, lambda progress: read_long(upload, progress), upload.renew)
        else:
            self._ask(visitor, lambda: read_query(upload))

    def long(self, visitor: Visitor, act: Act) -> None:
        """Tag a long recording that is open on the Clips tab."""
        opened = {id: one for id, one in visitor.desk(LongDesk).long_sounds().items() if one.whole}
        sound = opened[act.one_of("long", opened)]
        self._ask_long(visitor, lambda progress: sound)

    def _ask_long(
        self,
        visitor: Visitor,
        read: Callable[[Progress], LongRecording],
        renew: Callable[[], None] | None = None,
    ) -> None:
        """Tag a recording window by window. It waits in the line of what takes long, so that nobody waits behind it.

        renew: keeps what ``read`` reads while it waits
        """
        make, desk, ready = _builder(visitor), visitor.desk(FewShotDesk), current_prototypes(visitor)

        def work(progress: Progress) -> LongAnswer:
            sound = read(progress)
            return answer_long(ready or make(progress), sound, progress)

        def take(made: LongAnswer) -> None:
            self._take_long(desk, made)

        self._wire.start(visitor, LONG_JOB, work, take, resource="training", renew=renew)

    @staticmethod
    def _take_long(desk: FewShotDesk, made: LongAnswer) -> None:
        desk.built = made.built
        desk.asked += 1
        desk.long, desk.long_asked = {f"query-{next_number()}": made}, desk.asked

    def forget_long(self, visitor: Visitor, act: Act) -> None:
        """Remove the answer about a long recording, and the recording with it."""
        desk = visitor.desk(FewShotDesk)
        act.one_of("long", desk.long)
        before, desk.long = desk.long, {}

        def undo() -> None:
            desk.long = desk.long or before

        visitor.tell(Sentence("The answer was removed.", "page.answer_removed"), undo=undo)

    def example(self, visitor: Visitor, act: Act) -> None:
        """Tag one of the demonstration set's own queries."""
        number = act.whole("number", 1, EXAMPLES)
        self._ask(visitor, lambda: festival_query(number), lambda: festival_tags(number))

    def _ask(
        self, visitor: Visitor, read: Callable[[], Clip], truth: Callable[[], tuple[str, ...]] = tuple
    ) -> None:
        """Tag a recording, building the prototypes first where they are missing or out of date."""
        make, memory = _builder(visitor), visitor.memory
        desk, ready = visitor.desk(FewShotDesk), current_prototypes(visitor)

        def work(progress: Progress) -> Answer | LongAnswer:
            progress(0, 0, "decoding")
            clip = read()
            if clip.seconds > 60 * LIMITS.query_minutes:  # its header did not say so
                return answer_long(ready or make(progress), as_long(clip), progress)
            return answer(ready or make(progress), clip, memory, progress)

        def take(made: Answer | LongAnswer) -> None:
            if isinstance(made, LongAnswer):
                self._take_long(desk, made)
                return
            desk.built = made.built
            before = [one for one in desk.answers if one.clip.sha256 != made.clip.sha256]
            desk.answers = [*before, made][-LIMITS.queries :]
            desk.played[made.clip.sha256] = truth()
            desk.judged.pop(made.clip.sha256, None)
            desk.asked += 1
            visitor.tidy_sounds()

        self._wire.start(visitor, JOB, work, take)

    def judge(self, visitor: Visitor, act: Act) -> None:
        """Say whether an answer is right; said again, it is taken back."""
        desk = visitor.desk(FewShotDesk)
        clip, said = _answered(visitor, act).clip.sha256, act.one_of("value", ("right", "wrong"))
        if desk.judged.get(clip) == said:
            del desk.judged[clip]
        else:
            desk.judged[clip] = said

    def keep(self, visitor: Visitor, act: Act) -> None:
        """Take a query among the clips, with the tags it was given or those the visitor put right."""
        one = _answered(visitor, act)
        tags = one.given
        if visitor.desk(FewShotDesk).judged.get(one.clip.sha256) == "wrong":
            tags = tuple(tag for i, tag in enumerate(visitor.clips.tags) if act.flag(f"tag {i}"))
        from mirdemo.clips import LabelledClips

        def of_the_festival(clips: LabelledClips) -> LabelledClips:
            """By its players, but another performance."""
            known = {one.clip.sha256, *(clip.sha256 for clip in festival_set().clips)}
            return clips.say_different(row for row, clip in enumerate(clips.clips) if clip.sha256 in known)

        added = LabelledClips.from_clips([one.clip], [tags], limits=CLIP_LIMITS)
        if one.clip.sha256 in visitor.desk(FewShotDesk).played:
            hold_more(visitor, added, then=of_the_festival)
        else:
            hold_more(visitor, added)

    def label(self, visitor: Visitor, act: Act) -> None:
        """Tag a clip that was suggested, where it stands, and look again what to label next."""
        clips = visitor.clips
        ids = [clip.sha256 for clip in clips.clips]
        row = ids.index(act.one_of("clip", ids))
        after = clips.tag([row], act.text("value"))
        if after.tags_of(row) != clips.tags_of(row):
            change(visitor, after, Sentence("Clips tagged: {n}.", "clips.tagged", {"n": 1}))
            self.build(visitor, act)

    def forget(self, visitor: Visitor, act: Act) -> None:
        """Remove an answer with its query."""
        desk = visitor.desk(FewShotDesk)
        gone = act.one_of("clip", [one.clip.sha256 for one in desk.answers])
        before = desk.answers
        desk.answers = [one for one in before if one.clip.sha256 != gone]
        visitor.tidy_sounds()

        def undo() -> None:
            have = {one.clip.sha256 for one in before}
            desk.answers = [*before, *(one for one in desk.answers if one.clip.sha256 not in have)][
                -LIMITS.queries :
            ]
            visitor.tidy_sounds()

        visitor.tell(Sentence("The answer was removed.", "page.answer_removed"), undo=undo)


def _on_page(visitor: Visitor) -> Callable[[], Tagger] | None:
    """What makes the tagger of the prototypes on the page, elsewhere and later; None where there are none."""
    found = _to_take(visitor)
    return None if found is None else lambda: made(*found)


def _answered(visitor: Visitor, act: Act) -> Answer:
    """The answer that an act is about."""
    answers = {one.clip.sha256: one for one in visitor.desk(FewShotDesk).answers}
    return answers[act.one_of("clip", answers)]


def _in_percent(places: list[tuple[float, float]], seconds: float) -> list[tuple[float, float, float, float]]:
    """(start, end) in seconds -> with where they begin and how wide they are, in percent of the clip."""
    return [(start, end, 100 * start / seconds, 100 * (end - start) / seconds) for start, end in places]


def read_query(upload: Upload) -> Clip:
    """One uploaded recording. Raises AudioError or PageError."""
    from mirdemo.sound.audio import load_clip

    return load_clip(upload.read(), upload.name)


def festival_query(number: int) -> Clip:
    """One of the demonstration set's queries, numbered from 1."""
    from mirdemo.synth.festival import festival_queries

    return festival_queries()[number - 1].clip


def festival_tags(number: int) -> tuple[str, ...]:
    """What is really in that query."""
    from mirdemo.synth.festival import festival_queries

    return festival_queries()[number - 1].tags


def _has_festival(visitor: Visitor) -> bool:
    """Whether the visitor works with the demonstration set."""
    if not festival_is_made():
        return False
    made = {clip.sha256 for clip in festival_set().clips}
    return any(clip.sha256 in made for clip in visitor.clips.clips)


def _support(visitor: Visitor) -> LabelledClips:
    if not visitor.clips.tags:
        raise PageError(
            "There is no clip with a tag yet. Add clips and tag them first.", code="page.no_support"
        )
    return visitor.clips


def _best_other(backbone: str) -> tuple[BackboneSpec, FewShotAccuracy] | None:
    """The embedded backbone that was measured best, where it is another one than this."""
    best = best_for_few_shot()
    return None if best is None or best.backbone == backbone else (spec(best.backbone), best)


def _measured_best() -> Setting | None:
    """How the embedded backbone measured best listened when it was measured."""
    best = best_for_few_shot()
    return None if best is None else Setting(best.backbone, layers_of(best.backbone)[-1], whitened=True)


def _settings(visitor: Visitor) -> list[Setting]:
    """All that are compared for a visitor."""
    return studies.candidates(visitor.backbone, {name: whitening_offered(name) for name in specs()})


def _setting(visitor: Visitor) -> Setting:
    """How the visitor wants to listen now."""
    desk, backbone = visitor.desk(FewShotDesk), visitor.backbone
    layer = desk.layer.get(backbone) or usual_layer(backbone)
    wanted = whitening_helps(backbone, "few-shot", layer) if desk.whiten is None else desk.whiten
    return Setting(backbone, layer, wanted and whitening_offered(backbone))


def _builder(visitor: Visitor) -> Callable[[Progress], Built]:
    """What builds the prototypes of now, elsewhere and later."""
    clips, setting, memory = _support(visitor), _setting(visitor), visitor.memory
    looked = visitor.desk(FewShotDesk).looked
    chosen = looked.choice if looked is not None and _are_alike(looked.clips, clips) else None
    return lambda progress: _build(clips, setting, memory, progress, chosen)


def _build(
    clips: LabelledClips, setting: Setting, memory: Memory, progress: Progress, choice: LayerChoice | None
) -> Built:
    layer, whitened = setting.layer, setting.whitened
    return build(clips, setting.backbone, layer, memory, progress, whitened=whitened, choice=choice)


def current_prototypes(visitor: Visitor) -> Built | None:
    """The prototypes, if they are those of the clips and the setting as they are now."""
    built = visitor.desk(FewShotDesk).built
    if built is None or not _are_alike(built.clips, visitor.clips):
        return None
    return built if built_with(built) == _setting(visitor) else None


def _are_alike(then: LabelledClips, now: LabelledClips) -> bool:
    """Whether clips are still those, counted as the same recordings."""
    return then is now or Asked.of(then).is_about(now)


def _to_take(visitor: Visitor) -> tuple[Built, InQuestion | None] | None:
    """The prototypes, and what is still in question of the clips that they are of."""
    built = current_prototypes(visitor)
    return None if built is None else (built, Asked.of(built.clips).still_in_question(visitor.clips))


def _needed(visitor: Visitor) -> Built:
    built = current_prototypes(visitor)
    if built is None:
        raise PageError(
            "There are no prototypes of these clips yet. Build them first.", code="page.no_prototypes"
        )
    return built


def _title(t: Speaker, backbone: str) -> str:
    key = f"page.backbone.{backbone}"
    return t(key) if t.has(key) else spec(backbone).title
