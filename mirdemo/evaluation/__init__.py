"""A backbone on a corpus: the stage that was asked for, under a protocol, as result records."""

from mirdemo.evaluation.errors import EvaluationError
from mirdemo.evaluation.running import Evaluation, Request, evaluate

__all__ = ["Evaluation", "EvaluationError", "Request", "evaluate"]
