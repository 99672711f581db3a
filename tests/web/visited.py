"""A visitor who has worked on the whole page, and their visit as it is taken home."""

from __future__ import annotations

import io

import numpy as np

from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.visit import write_visit
from mirdemo.planning import Assumptions
from mirdemo.planning.panel import Answers, Proposer, draw
from mirdemo.planning.panel.answers import OnClip
from mirdemo.sound.audio import Clip
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.fewshot import studies
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.plan.desk import Listening, PanelDesk
from mirdemo.web.tabs.plan.new_clips import New
from mirdemo.web.tabs.plan.panel import with_answers
from mirdemo.web.tabs.plan.tab import PlanDesk
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import run_all
from mirdemo.web.tagging import answer, build

RATE = 8_000  # Hz


def sound(kind: str, seed: int, seconds: float = 1.2) -> Clip:
    random = np.random.default_rng(seed)
    t = np.arange(int(RATE * seconds)) / RATE
    wave = random.normal(scale=0.01, size=len(t))
    if kind == "drum":
        wave += np.sin(2 * np.pi * 80 * t) * np.exp(-8 * (t % 0.3))
    else:
        wave += 0.4 * np.sin(2 * np.pi * random.choice([440, 494, 587]) * t)
    return Clip.of((0.3 * wave).astype(np.float32), RATE, f"{kind}{seed}.wav")


def labelled() -> LabelledClips:
    kinds = ("drum", "flute") * 4
    clips = [sound(kind, i) for i, kind in enumerate(kinds)]
    return LabelledClips.from_clips(clips, [[k] for k in kinds], [f"r{i}" for i in range(8)])


def visited(query_seconds: float = 7.0) -> Visitor:
    """A visitor who did something in every tab that answers in seconds."""
    visitor, quiet = Visitor(), lambda *told: None
    visitor.hold(labelled())
    probe, few = visitor.desk(ProbeDesk), visitor.desk(FewShotDesk)
    probe.result = run_all(visitor.clips, (("spectral", False),), visitor.memory, quiet)
    few.built = build(visitor.clips, "spectral", "sound", visitor.memory, quiet, whitened=True)
    few.layer["spectral"], few.whiten = "sound", True
    few.answers = [answer(few.built, sound("drum", 99, query_seconds), visitor.memory, quiet)]
    few.asked, few.judged = 1, {few.answers[0].clip.sha256: "right"}
    few.curve = studies.measure_curve(few.built, quiet)
    visitor.desk(PlanDesk).assumptions = Assumptions(recordings=321)
    _with_a_panel(visitor)
    said = frozenset({frozenset(c.sha256 for c in visitor.clips.clips[:2])})
    visitor.clips.hear(Heard(different=said))
    return visitor


def _with_a_panel(visitor: Visitor) -> None:
    """Of two labelled clips and a new recording, answered by two."""
    clips, new = visitor.clips, sound("flute", 98)
    heard = [clips.clips[0], clips.clips[1], new]
    said = Proposer("as_it_is:spectral", np.array([[1, 0], [0, 1], [0, 1]], np.uint8))
    panel = draw(heard, ["r0", "r1", "new"], clips.tags, [said])
    given = {n: OnClip(("right", "wrong"), ("鉦",), None, 4.0) for n in range(3)}
    answers = tuple(
        Answers(panel.id, f"{run:016x}", name, clips=given) for run, name in enumerate(("Aki", "<b>花子"))
    )
    desk = visitor.desk(PanelDesk)
    desk.now, desk.most, desk.new = (
        with_answers(Listening(panel, None, tuple(heard)), answers),
        7,
        New((new,), ("new",)),
    )
    desk.listeners = desk.now.listeners


def saved(wire: Wire, visitor: Visitor, with_sound: bool = True) -> bytes:
    out, kept = io.BytesIO(), wire.keeping.keep(visitor)
    parts, arrays, sounds = wire.keeping.told(kept)
    write_visit(out, kept.clips, parts, arrays, sounds, with_sound=with_sound)
    return out.getvalue()
