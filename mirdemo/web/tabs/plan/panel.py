"""The listening panel on the page: made of what was measured here, answered here or sent as a file, its answers dropped back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.planning import Assumptions
from mirdemo.planning.of_reports import given
from mirdemo.planning.panel import (
    HAND,
    Answers,
    Change,
    Panel,
    PanelError,
    Proposer,
    draw,
    joined,
    label_changes,
    panel_page,
    read_answers,
    results,
)
from mirdemo.planning.panel.answers import LARGEST
from mirdemo.planning.panel.drawing import LARGEST_KEY, MOST
from mirdemo.planning.panel.listeners import SECONDS
from mirdemo.planning.panel.page import expected_bytes, page_within, quality
from mirdemo.planning.ways import AS_IT_IS, FEW_SHOT, FINE_TUNE
from mirdemo.web.frame import headers, own_files
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.frame.wire import Wire
from mirdemo.web.models import PACE, timed
from mirdemo.web.tabs.plan.desk import Before, Listening, PanelDesk, PlanDesk
from mirdemo.web.tabs.plan.gathering import sources
from mirdemo.web.tabs.plan.new_clips import New, read_new, said_of
from mirdemo.web.tabs.probe.running import run_key
from mirdemo.words.language import LANGUAGES, Speaker, choose

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.sound.audio import Clip

PAGE, KEY, WITHIN = "panel.html", "panel-key.json", "listen.html"
THEMES = ("light", "dark")
JOB = "panel"
#: The kind of work of making one, whose unit is a second of sound (``embedding.pace``).
MAKING = "listening panel"
#: Longer clips are not for a panel.
LONGEST_SECONDS = 60
#: Acts that can be taken back, and disagreements that are shown.
MOST_PAST, MOST_SHOWN = 20, 12


def build(wire: Wire) -> None:
    """The view and what can be done in it."""
    tab = PanelTab(wire)
    wire.view("panel", tab.show)
    for name in ("choose", "make", "answers", "remove", "label", "undo", "new", "drop_new"):
        wire.on(f"panel.{name}", getattr(tab, name))


def proposers(visitor: Visitor) -> dict[str, np.ndarray]:
    """Key -> 0/1 (n_clips, n_tags): what each tagger here says of clips whose recording it had not heard."""
    probed, built, _, tuned = sources(visitor)
    found: dict[str, np.ndarray] = {}
    if built is not None:
        found[f"{FEW_SHOT}:{run_key(built.backbone, built.whitening is not None)}"] = built.check.predicted
    if tuned is not None:
        found[f"{FINE_TUNE}:{tuned.wanted.backbone}"] = given(tuned.report.scores)
    if probed is not None:
        for run in probed.runs:
            found[f"{AS_IT_IS}:{run.key}"] = given(run.report.scores)
    return found


class PanelTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        from mirdemo.evidence import panel_words, plan_words

        desk, title = visitor.desk(PanelDesk), plan_words.titles(t)
        now, offered = desk.now, proposers(visitor)
        machine, beside = _chosen(desk, offered)
        heard = _heard(visitor)[0][: desk.most]
        seconds = sum(clip.seconds for clip in heard)
        fits = quality(seconds, len(heard)) if heard else None
        job, folder = visitor.jobs.get(JOB), own_files.place("plan", visitor)
        return {
            "names": [(key, panel_words.proposer(t, key, title)) for key in offered],
            "machine": machine,
            "beside": beside,
            "most": desk.most,
            "limit": MOST,
            "n": len(heard),
            "new": len(desk.new.clips),
            "takes": PACE.expected(MAKING, seconds),
            "megabytes": None if fits is None else expected_bytes(seconds, len(heard), fits) / 1e6,
            "job": job if job is not None and job.active else None,
            "panel": now.panel,
            "weighs": now.megabytes,
            "page": f"{folder}/{PAGE}?language={t.language}" if now.can_be_sent else None,
            "listen": f"{folder}/{WITHIN}?language={t.language}" if now.all_here else None,
            "key": f"{folder}/{KEY}",
            "page_name": PAGE,
            "key_name": KEY,
            "answers": now.answers,
            "notes": desk.notes,
            "past": len(desk.past),
            "limits": LIMITS,
            "found": None if now.found is None else self._found(visitor, t, now, title),
        }

    def _found(self, visitor: Visitor, t: Speaker, now: Listening, title) -> dict[str, Any]:
        from mirdemo.evidence import panel_words

        found, here = now.found, {clip.sha256: clip for clip in now.clips}
        assert found is not None
        assert now.listeners is not None
        disagreements = found.disagreements()
        shown = [panel_words.verdict(t, found.panel, one, title) for one in disagreements[:MOST_SHOWN]]
        for one in shown:
            clip = here.get(found.panel.clips[one["clip"]].sha256)
            one["track"] = None if clip is None else visitor.sounds.track(clip, bars=40)
        return {
            "lines": panel_words.lines(t, now.listeners, title),
            "preferred": panel_words.preferred(t, found, title),
            "machines": [panel_words.proposer(t, one.key, title) for one in found.machines],
            "tags": panel_words.tag_rows(t, found),
            "words": found.words,
            "disagreements": shown,
            "n_disagreements": len(disagreements),
            "changes": len(_changes(visitor, now)),
        }

    # ---- making -----------------------------------------------------------------------------------------

    def choose(self, visitor: Visitor, act: Act) -> None:
        desk, offered = visitor.desk(PanelDesk), proposers(visitor)
        what = act.one_of("what", ("machine", "beside", "most"))
        if what == "most":
            desk.most = act.whole("value", 1, MOST)
        else:
            setattr(desk, what, act.one_of("value", ("", *offered)))

    def make(self, visitor: Visitor, act: Act) -> None:
        desk, offered, clips = visitor.desk(PanelDesk), proposers(visitor), visitor.clips
        machine, beside = _chosen(desk, offered)
        language, most, seed = visitor.language, desk.most, len(desk.past)
        heard, recordings = _heard(visitor)
        if not machine or not heard:
            raise PanelError(
                "There is nothing to ask about. A panel needs clips and a tagger that has not heard them.",
                code="panel.nothing",
            )
        keys, of_new = [key for key in (machine, beside) if key], bool(desk.new.clips)
        rows, found, memory = _rows(visitor), sources(visitor), visitor.memory

        def work(progress: Progress) -> tuple[Panel, str]:
            if of_new:
                ways = said_of(keys, found, clips, heard, memory, progress)
                said = [Proposer(key, ways[key]) for key in keys]
            else:
                said = [Proposer(key, offered[key][rows]) for key in keys]
                said.append(Proposer(HAND, clips.labels[rows]))
            panel = draw(heard, recordings, clips.tags, said, most=most, seed=seed)
            return panel, panel_page(panel, heard, language, progress=progress)

        def take(made: tuple[Panel, str]) -> None:
            wanted = {clip.sha256 for clip in made[0].clips}
            own = tuple(clip for clip in heard if clip.sha256 in wanted)
            _go_on(visitor, Listening(made[0], made[1], own))
            desk.notes = ()

        seconds = sum(clip.seconds for clip in heard[:most])
        self._wire.start(
            visitor,
            JOB,
            work if of_new else timed(MAKING, seconds, work),
            take,
            resource="model" if of_new else "sound",
        )

    def new(self, visitor: Visitor, act: Act) -> None:
        """Recordings that nobody has labelled, to be asked about instead of the labelled clips."""
        self._wire.visitors.check_room()
        desk, clips, uploads = visitor.desk(PanelDesk), visitor.clips, act.uploads()
        before, desk.notes = desk.new, ()

        def take(made: tuple[New, tuple[tuple[str, Sentence], ...]]) -> None:
            desk.new, desk.notes = made
            visitor.tidy_sounds()

        self._wire.start(
            visitor, JOB, lambda progress: read_new(uploads, before, clips, progress), take, resource="sound"
        )

    def drop_new(self, visitor: Visitor, act: Act) -> None:
        """The labelled clips again."""
        desk = visitor.desk(PanelDesk)
        before, desk.new, desk.notes = desk.new, New(), ()
        visitor.tidy_sounds()

        def undo() -> None:
            desk.new = before
            visitor.tidy_sounds()

        told = Sentence("New recordings were put away: {n}.", "page.new_put_away", {"n": len(before.clips)})
        visitor.tell(told, undo=undo)

    # ---- answers ----------------------------------------------------------------------------------------

    def answers(self, visitor: Visitor, act: Act) -> None:
        """Answers files, and the key of a panel that was made in another visit."""
        desk = visitor.desk(PanelDesk)
        uploads, before, clips = act.uploads(), desk.now, visitor.clips.clips
        desk.notes = ()

        def work(progress: Progress) -> tuple[Listening, tuple[tuple[str, Sentence], ...]]:
            return read_files(uploads, before, clips)

        def take(made: tuple[Listening, tuple[tuple[str, Sentence], ...]]) -> None:
            after, desk.notes = made
            if desk.now is not before:
                raise PageError(
                    "The panel was changed meanwhile. Choose the files again.", code="panel.changed_meanwhile"
                )
            if after is not before:
                _go_on(visitor, after)

        self._wire.start(visitor, JOB, work, take, resource="sound")

    def remove(self, visitor: Visitor, act: Act) -> None:
        """Without one listener's answers."""
        now = visitor.desk(PanelDesk).now
        run = act.one_of("run", [one.run for one in now.answers])
        _go_on(visitor, with_answers(now, tuple(one for one in now.answers if one.run != run)))

    def label(self, visitor: Visitor, act: Act) -> None:
        """The verdicts become labels of the clips that are here."""
        desk, clips = visitor.desk(PanelDesk), visitor.clips
        changes = _changes(visitor, desk.now)
        if not changes:
            raise PageError(
                "The labels say already what the listeners said. Nothing was changed.",
                code="panel.nothing_to_label",
            )
        after = _labelled(desk.now, clips, changes)
        left_out = [one for one in after.problems if one.code != "clips.grouped_by_name"]
        desk.notes = tuple(("", one) for one in left_out)  # new recordings that found no room
        here = {clip.sha256 for clip in after.clips}
        changes = tuple(one for one in changes if one.sha256 in here)
        if not changes:
            return
        _go_on(visitor, replace(desk.now), labelled=after)
        visitor.tell(
            Sentence(
                "Clips with new labels: {n}. Tags added: {added}, removed: {removed}. Probe again for a plan about them.",
                "panel.labelled",
                {
                    "n": len(changes),
                    "added": sum(len(one.added) for one in changes),
                    "removed": sum(len(one.removed) for one in changes),
                },
            )
        )

    def undo(self, visitor: Visitor, act: Act) -> None:
        """As it was before the last act here; what was done elsewhere since stays."""
        desk, plan = visitor.desk(PanelDesk), visitor.desk(PlanDesk)
        if not desk.past:
            raise PageError("There is nothing to take back.", code="panel.nothing_to_undo")
        before = desk.past.pop()
        desk.now, desk.listeners, desk.notes = before.panel, before.panel.listeners, ()
        plan.assumptions = Assumptions.of({**plan.assumptions.as_dict(), **before.seconds})
        visitor.hold(before.labels_back(visitor.clips))


def _go_on(visitor: Visitor, after: Listening, labelled: LabelledClips | None = None) -> None:
    """From now on this panel; seconds that were measured take the place of those assumed."""
    desk, plan, clips = visitor.desk(PanelDesk), visitor.desk(PlanDesk), visitor.clips
    seconds = {name: getattr(plan.assumptions, name) for name in SECONDS}
    labels = None if labelled is None else (clips, labelled)
    desk.past = [*desk.past, Before(desk.now, seconds, labels)][-MOST_PAST:]
    desk.now, desk.listeners = after, after.listeners
    if desk.listeners is not None:
        plan.assumptions = Assumptions.of({**plan.assumptions.as_dict(), **desk.listeners.measured()})
    visitor.hold(clips if labelled is None else labelled)


def with_answers(now: Listening, answers: tuple[Answers, ...]) -> Listening:
    """The same panel with these answers, and what they say."""
    assert now.panel is not None
    return replace(now, answers=answers, found=results(now.panel, answers))


def read_files(
    uploads: Sequence[Upload], before: Listening, clips: Sequence[Clip]
) -> tuple[Listening, tuple[tuple[str, Sentence], ...]]:
    """What the files make of a panel, and what is to be said about each; keys are read before answers.

    clips: that are here, to be heard where a key names them
    """
    now, notes, texts = before, [], []
    for upload in uploads:
        name = PurePosixPath(upload.name).name
        try:
            small = upload.path.stat().st_size <= LARGEST_KEY
            texts.append((name, upload.read() if small else b" " * (LARGEST + 1)))
        except PageError as refusal:
            notes.append((name, refusal.sentence))
        finally:
            upload.delete()
    for name, data in sorted(texts, key=lambda one: not _may_be_key(one[1])):
        try:
            if _may_be_key(data):
                panel = Panel.from_json(data)
                if now.panel is None or panel.id != now.panel.id:
                    wanted = {clip.sha256 for clip in panel.clips}
                    now = Listening(panel, None, tuple(clip for clip in clips if clip.sha256 in wanted))
            elif now.panel is None:
                raise PanelError(
                    "There is no panel here that these could answer. Choose its key together with the answers.",
                    code="panel.key_first",
                )
            else:
                answers, said = joined(now.answers, read_answers(data, now.panel))
                if answers != now.answers:
                    now = replace(now, answers=answers)
                if said is not None:
                    notes.append((name, said))
        except PanelError as refusal:
            notes.append((name, refusal.sentence))
    if now is not before and now.panel is not None:
        now = with_answers(now, now.answers)
    return now, tuple(notes)


def _may_be_key(data: bytes) -> bool:
    return b'"mirdemo-panel-' in data[:200] and len(data) <= LARGEST_KEY


def _chosen(desk: PanelDesk, offered: Mapping[str, np.ndarray]) -> tuple[str, str]:
    """Keys of the taggers to judge, as far as they are still there."""
    machine = desk.machine if desk.machine in offered else next(iter(offered), "")
    return machine, desk.beside if desk.beside in offered and desk.beside != machine else ""


def _heard(visitor: Visitor) -> tuple[list[Clip], list[str]]:
    """What can be in a panel, and the recordings it is from: the new recordings where there are any, else labelled clips."""
    new, clips = visitor.desk(PanelDesk).new, visitor.clips
    if new.clips:
        return list(new.clips), list(new.recordings)
    rows = _rows(visitor)
    return [clips.clips[row] for row in rows], [clips.recordings[row] for row in rows]


def _rows(visitor: Visitor) -> list[int]:
    """Labelled clips that can be in a panel."""
    return [row for row, clip in enumerate(visitor.clips.clips) if clip.seconds <= LONGEST_SECONDS]


def _changes(visitor: Visitor, now: Listening) -> tuple[Change, ...]:
    """What the verdicts change in the labelled clips; of a new recording, whatever they found right."""
    if now.found is None:
        return ()
    clips = visitor.clips
    new = (
        now.clips if HAND not in now.found.panel.proposers else ()
    )  # labels were asked about: those clips were removed
    tags_of: dict[str, Sequence[str]] = {clip.sha256: () for clip in new}
    tags_of |= {clip.sha256: clips.tags_of(row) for row, clip in enumerate(clips.clips)}
    return label_changes(now.found, tags_of)


def _labelled(now: Listening, clips: LabelledClips, changes: Sequence[Change]) -> LabelledClips:
    """The labelled clips with what the verdicts change; new recordings that were found to have a tag are among them then."""
    assert now.panel is not None
    row_of = {clip.sha256: row for row, clip in enumerate(clips.clips)}
    new = {change.sha256: change for change in changes if change.sha256 not in row_of}
    for change in changes:
        if change.sha256 in row_of:
            clips = clips.relabel(row_of[change.sha256], change.tags)
    if not new:
        return clips
    recording = {clip.sha256: clip.recording for clip in now.panel.clips}
    came = [clip for clip in now.clips if clip.sha256 in new]
    return clips.add(
        LabelledClips.from_clips(
            came, [new[c.sha256].tags for c in came], [recording[c.sha256] for c in came], limits=CLIP_LIMITS
        )
    )


def download_routes(visitors: Visitors) -> list[Route]:
    """Where each visitor finds the page and the key of their panel."""
    from starlette.responses import Response

    def saved(text: str, file: str, kind: str) -> Response:
        return Response(
            text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{file}"'}
        )

    def page(request: Request, now: Listening) -> Response:
        assert now.panel is not None
        html = now.page or panel_page(now.panel, now.clips, _language(request))
        return saved(html, PAGE, "text/html; charset=utf-8")

    def within(request: Request, now: Listening) -> Response:
        assert now.panel is not None
        sounds = [f"../../listen/{request.path_params['key']}/{clip.sha256}" for clip in now.panel.clips]
        theme = request.query_params.get("theme")
        html = page_within(now.panel, sounds, _language(request), theme if theme in THEMES else "")
        return Response(html, media_type="text/html; charset=utf-8", headers=headers.of_framed())

    def key(request: Request, now: Listening) -> Response:
        return saved(now.panel.as_json() if now.panel else "", KEY, "application/json")

    def kept(where: Callable[[Listening], bool]) -> Callable[[Visitor], Listening | None]:
        def now(visitor: Visitor) -> Listening | None:
            here = visitor.desk(PanelDesk).now
            return here if here.panel is not None and where(here) else None

        return now

    return [
        own_files.route(visitors, "plan", PAGE, kept(lambda now: now.can_be_sent), page),
        own_files.route(visitors, "plan", WITHIN, kept(lambda now: now.all_here), within),
        own_files.route(visitors, "plan", KEY, kept(lambda now: True), key),
    ]


def _language(request: Request) -> str:
    language = request.query_params.get("language")
    return language if language in LANGUAGES else choose(request.headers.get("accept-language"))
