"""What of the few-shot tab is kept with a visit: how to listen, the prototypes, the answers and what was measured."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from mirdemo.web.frame.keeping import Keeper
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.fewshot.studies import Curve, Layers, Setting
from mirdemo.web.tagging import Answer, Built, built_of

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor

#: What is told of prototypes; the rest follows from it.
_BUILT = ("clips", "backbone", "layer", "embeddings", "check", "seconds", "choice")


def keeper() -> Keeper:
    return Keeper(_keep, _restore, kinds)


def kinds() -> tuple[type, ...]:
    """All that prototypes, answers and what was measured of them are made of."""
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import ClipEmbedding
    from mirdemo.scoring.intervals import Estimate, Interval
    from mirdemo.stages.fewshot.extrapolation import Extrapolation
    from mirdemo.stages.fewshot.layer_choice import Candidate, LayerChoice
    from mirdemo.stages.fewshot.learning_curve import CurvePoint, LearningCurve, TagGain
    from mirdemo.stages.fewshot.pairs import PairsOut
    from mirdemo.stages.fewshot.scoring import Score, TagScore
    from mirdemo.stages.fewshot.self_check import SelfCheck

    return (
        *(Setting, Identity, Embeddings, ClipEmbedding, Interval, Estimate),
        *(SelfCheck, PairsOut, Score, TagScore, Candidate, LayerChoice),
        *(LearningCurve, CurvePoint, TagGain, Extrapolation),
    )


def _desk(visitor: Visitor) -> FewShotDesk:
    return visitor.desk(FewShotDesk)


def _keep(visitor: Visitor) -> dict[str, Any]:
    """Answers of prototypes that were built anew since are left out: they are about tags as they were."""
    desk = _desk(visitor)
    built, answers = desk.built, [one for one in desk.answers if one.built is desk.built]
    kept = {one.clip.sha256 for one in answers}
    return {
        "layer": dict(desk.layer),
        "whiten": desk.whiten,
        "built": built and {name: getattr(built, name) for name in _BUILT},
        "whitened": built is not None and built.whitening is not None,
        "answers": [
            {
                field.name: getattr(one, field.name)
                for field in fields(Answer)
                if field.name not in ("built", "clip")
            }
            for one in answers
        ],
        "queries": [one.clip for one in answers],
        "played": {id: tags for id, tags in desk.played.items() if id in kept},
        "judged": {id: said for id, said in desk.judged.items() if id in kept},
        "asked": desk.asked,
        "curve": desk.curve.report if desk.curve is not None and desk.curve.built is built else None,
        "layers": _table(desk.layers),
        "looked": _table(desk.looked),
    }


def _table(layers: Layers | None) -> dict[str, Any] | None:
    if layers is None:
        return None
    return {"clips": layers.clips, "choice": layers.choice, "missing": layers.missing}


def _restore(visitor: Visitor, kept: dict[str, Any]) -> None:
    desk = _desk(visitor)
    desk.layer, desk.whiten, desk.asked = dict(kept["layer"]), kept["whiten"], int(kept["asked"])
    desk.layers = None if kept["layers"] is None else Layers(**kept["layers"])
    if kept["looked"] is not None:
        looked = Layers(**kept["looked"])
        mine = desk.layers
        desk.looked = mine if mine is not None and mine.clips is looked.clips else looked
    desk.built = _built(kept)
    if desk.built is None:
        return
    for id, entry in zip(desk.built.embeddings.clip_ids, desk.built.embeddings.per_clip, strict=True):
        visitor.memory.put(desk.built.embeddings.identity, id, entry)
    desk.answers = [
        Answer(clip=clip, built=desk.built, **told)
        for clip, told in zip(kept["queries"], kept["answers"], strict=True)
        if clip is not None  # saved without its sound, and not added again
    ]
    desk.played, desk.judged = dict(kept["played"]), dict(kept["judged"])
    desk.curve = None if kept["curve"] is None else Curve(desk.built, kept["curve"])


def _built(kept: dict[str, Any]) -> Built | None:
    """The prototypes again; None where this machine lacks the whitening that they were made with."""
    from mirdemo.embedding.whitening import whitening_for

    told = kept["built"]
    if told is None:
        return None
    whitening = whitening_for(told["embeddings"].identity) if kept["whitened"] else None
    if kept["whitened"] and whitening is None:
        return None
    return built_of(**told, whitening=whitening)
