"""Stage 3: multi-label tagging from a few labelled recordings. Arrays in, reports out."""

from mirdemo.stages.fewshot.baselines import OneVsRest, TagPrototypes
from mirdemo.stages.fewshot.episodes import (
    PUBLISHED_RUN,
    PUBLISHED_SEEDS,
    Episode,
    EpisodeReport,
    choose_tags,
    draw_support,
    evaluate_episodes,
    reference_support,
)
from mirdemo.stages.fewshot.errors import FewShotError
from mirdemo.stages.fewshot.extrapolation import Extrapolation
from mirdemo.stages.fewshot.layer_choice import Candidate, Comparing, LayerChoice, choose_layer
from mirdemo.stages.fewshot.learning_curve import (
    CurvePoint,
    CurveSoFar,
    LearningCurve,
    Suggestion,
    TagGain,
    label_next,
    learning_curve,
)
from mirdemo.stages.fewshot.linear import LinearHead
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.prototypes import Decisions, Explanation, LCPrototypes, Supporter
from mirdemo.stages.fewshot.scoring import Score, TagScore, score
from mirdemo.stages.fewshot.self_check import SelfCheck, leave_recordings_out

#: What a tagger may be made of, by the name it is saved under.
METHODS = {method.name: method for method in (LCPrototypes, TagPrototypes, OneVsRest, LinearHead)}

__all__ = [
    "METHODS",
    "PUBLISHED_RUN",
    "PUBLISHED_SEEDS",
    "Candidate",
    "Comparing",
    "CurvePoint",
    "CurveSoFar",
    "Decisions",
    "Episode",
    "EpisodeReport",
    "Explanation",
    "Extrapolation",
    "FewShotError",
    "FewShotMethod",
    "LCPrototypes",
    "LayerChoice",
    "LearningCurve",
    "LinearHead",
    "OneVsRest",
    "Score",
    "SelfCheck",
    "Suggestion",
    "Supporter",
    "TagGain",
    "TagPrototypes",
    "TagScore",
    "choose_layer",
    "choose_tags",
    "draw_support",
    "evaluate_episodes",
    "label_next",
    "learning_curve",
    "leave_recordings_out",
    "reference_support",
    "score",
]
