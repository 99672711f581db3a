"""The listening panel: people who know the music say which of a tagger's tags are right, without knowing whose they are.

>>> panel = draw(clips, recordings, tags, [Proposer("tagger", said)])
>>> html, key = panel_page(panel, clips), panel.as_json()       # the page to send, the key to keep
>>> answers = [read_answers(file.read_bytes(), panel) for file in sent]
>>> results(panel, answers).proposers[0].total                  # right k of n when it says so
"""

from __future__ import annotations

from mirdemo.planning.panel.answers import CANNOT_TELL, RIGHT, WRONG, Answers, joined, read_answers
from mirdemo.planning.panel.drawing import HAND, Panel, PanelClip, Proposer, Question, draw, middle
from mirdemo.planning.panel.errors import PanelError
from mirdemo.planning.panel.labels import Change, label_changes
from mirdemo.planning.panel.listeners import Listeners
from mirdemo.planning.panel.page import MAX_BYTES, panel_page
from mirdemo.planning.panel.results import Results, results

__all__ = [
    "CANNOT_TELL",
    "HAND",
    "MAX_BYTES",
    "RIGHT",
    "WRONG",
    "Answers",
    "Change",
    "Listeners",
    "Panel",
    "PanelClip",
    "PanelError",
    "Proposer",
    "Question",
    "Results",
    "draw",
    "joined",
    "label_changes",
    "middle",
    "panel_page",
    "read_answers",
    "results",
]
