"""Few-shot: prototypes from the labelled clips, and what they say about a new recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec, specs, status
from mirdemo.progress import Progress
from mirdemo.web.clips_tab import festival_set
from mirdemo.web.errors import PageError
from mirdemo.web.language import Speaker
from mirdemo.web.limits import LIMITS
from mirdemo.web.session import Visitor
from mirdemo.web.tab import Tab
from mirdemo.web.tagging import Answer, Built, answer, build, layers_of, spans, usual_layer
from mirdemo.web.uploads import Upload
from mirdemo.web.wire import Act, Wire

if TYPE_CHECKING:
    from mirdemo.audio import Clip

JOB = "few-shot"
#: Queries that come with the demonstration set.
EXAMPLES = 3


@dataclass
class FewShotDesk:
    """What this tab remembers of a visitor: the layer chosen for a backbone, the prototypes, the answers."""

    layer: dict[str, str] = field(default_factory=dict)
    built: Built | None = None
    answers: list[Answer] = field(default_factory=list)

    def sounds(self) -> list[Clip]:
        return [one.clip for one in self.answers]


def build_tab(wire: Wire) -> None:
    """The tab's view and what can be done in it."""
    tab = FewShotTab(wire)
    wire.view("few-shot", tab.show)
    for name in ("backbone", "layer", "build", "query", "example", "forget"):
        wire.on(f"few-shot.{name}", getattr(tab, name))


TAB = Tab("few-shot", build_tab, step=True, done=lambda visitor: bool(visitor.desk(FewShotDesk).answers))


class FewShotTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        desk, clips, job = visitor.desk(FewShotDesk), visitor.clips, visitor.jobs.get(JOB)
        chosen, state = spec(visitor.backbone), status(visitor.backbone)
        layer = _layer(visitor)
        return {
            "clips": clips,
            "counts": clips.counts(),
            "backbones": list(specs().values()),
            "chosen": chosen,
            "status": state,
            "sick": state.health.reason(chosen.title) if state.health and not state.health.ok else None,
            "layers": layers_of(visitor.backbone),
            "layer": layer,
            "built": desk.built,
            "current": _is_current(visitor, desk.built),
            "answers": [self._shown(visitor, t, one) for one in reversed(desk.answers)],
            "examples": range(1, EXAMPLES + 1) if _has_festival(visitor) else (),
            "limits": LIMITS,
            "job": job,
            "ahead": self._wire.jobs.ahead(job) if job else 0,
        }

    def _shown(self, visitor: Visitor, t: Speaker, one: Answer) -> dict[str, Any]:
        """An answer with what the template draws: places in percent, players for the nearest clips."""
        support, seconds = one.built.clips, one.clip.seconds
        layer = one.built.layer
        held = {clip.sha256 for clip in visitor.clips.clips}
        farthest = max([distance for _, distance in one.per_tag] + [one.threshold or 0.0]) or 1.0
        return {
            "answer": one,
            "track": visitor.sounds.track(one.clip, bars=160),
            "lanes": [
                (tag, _in_percent(spans(one, one.labels[:, column] > 0), seconds))
                for column, tag in enumerate(one.built.prototypes.tags)
                if one.labels[:, column].any()
            ],
            "strange": _in_percent(spans(one, one.unknown_windows), seconds) if len(one.starts) > 1 else [],
            "windows": len(one.starts),
            "distances": [
                (tag, distance, 100 * distance / farthest, tag in one.tags) for tag, distance in one.per_tag
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
            "layer": t(f"few-shot.layer.{layer}") if t.has(f"few-shot.layer.{layer}") else layer,
        }

    # ---- choosing ---------------------------------------------------------------------------------------

    def backbone(self, visitor: Visitor, act: Act) -> None:
        visitor.backbone = act.one_of("value", specs())

    def layer(self, visitor: Visitor, act: Act) -> None:
        visitor.desk(FewShotDesk).layer[visitor.backbone] = act.one_of("value", layers_of(visitor.backbone))

    # ---- working ----------------------------------------------------------------------------------------

    def build(self, visitor: Visitor, act: Act) -> None:
        """Prototypes from the clips as they are now."""
        clips, backbone, layer, memory = _support(visitor)

        def take(built: Built) -> None:
            visitor.desk(FewShotDesk).built = built

        self._wire.start(visitor, JOB, lambda progress: build(clips, backbone, layer, memory, progress), take)

    def query(self, visitor: Visitor, act: Act) -> None:
        """Tag one new recording."""
        upload = act.uploads()[0]
        self._ask(visitor, lambda: read_query(upload))

    def example(self, visitor: Visitor, act: Act) -> None:
        """Tag one of the demonstration set's own queries."""
        number = act.whole("number", 1, EXAMPLES)
        self._ask(visitor, lambda: festival_query(number))

    def _ask(self, visitor: Visitor, read: Callable[[], Clip]) -> None:
        """Tag a recording, building the prototypes first where they are missing or out of date."""
        clips, backbone, layer, memory = _support(visitor)
        desk = visitor.desk(FewShotDesk)
        ready = desk.built if _is_current(visitor, desk.built) else None

        def work(progress: Progress) -> Answer:
            progress(0, 0, "decoding")
            clip = read()
            return answer(ready or build(clips, backbone, layer, memory, progress), clip, memory, progress)

        def take(made: Answer) -> None:
            desk.built = made.built
            desk.answers = [*desk.answers, made][-LIMITS.queries :]
            visitor.tidy_sounds()

        self._wire.start(visitor, JOB, work, take)

    def forget(self, visitor: Visitor, act: Act) -> None:
        """Remove an answer with its query."""
        desk = visitor.desk(FewShotDesk)
        gone = act.one_of("clip", [one.clip.sha256 for one in desk.answers])
        desk.answers = [one for one in desk.answers if one.clip.sha256 != gone]
        visitor.tidy_sounds()


def _in_percent(places: list[tuple[float, float]], seconds: float) -> list[tuple[float, float, float, float]]:
    """(start, end) in seconds -> with where they begin and how wide they are, in percent of the clip."""
    return [(start, end, 100 * start / seconds, 100 * (end - start) / seconds) for start, end in places]


def read_query(upload: Upload) -> Clip:
    """One uploaded recording. Raises AudioError or PageError."""
    from mirdemo.audio import load_clip

    clip = load_clip(upload.read(), upload.name)
    if clip.seconds > 60 * LIMITS.query_minutes:
        raise PageError(
            "{name} lasts longer than {minutes} minutes. Cut out the part you want tagged.",
            code="page.query_too_long",
            name=clip.name,
            minutes=LIMITS.query_minutes,
        )
    return clip


def festival_query(number: int) -> Clip:
    """One of the demonstration set's queries, numbered from 1."""
    from mirdemo.corpora.controlled.festival import festival_queries

    return festival_queries()[number - 1].clip


def _has_festival(visitor: Visitor) -> bool:
    """Whether the visitor works with the demonstration set."""
    if not festival_set.cache_info().currsize:
        return False
    made = {clip.sha256 for clip in festival_set().clips}
    return any(clip.sha256 in made for clip in visitor.clips.clips)


def _support(visitor: Visitor) -> tuple:
    if not visitor.clips.tags:
        raise PageError(
            "There is no clip with a tag yet. Add clips and tag them first.", code="page.no_support"
        )
    return visitor.clips, visitor.backbone, _layer(visitor), visitor.memory


def _layer(visitor: Visitor) -> str:
    return visitor.desk(FewShotDesk).layer.get(visitor.backbone) or usual_layer(visitor.backbone)


def _is_current(visitor: Visitor, built: Built | None) -> bool:
    """Whether prototypes are those of the clips, backbone and layer as they are now."""
    return (
        built is not None
        and built.clips is visitor.clips
        and (built.backbone, built.layer) == (visitor.backbone, _layer(visitor))
    )
