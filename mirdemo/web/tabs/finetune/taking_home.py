"""What is taken home from here: the tuned layers and their head as a tagger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.tagger import Tagger
from mirdemo.web.frame.taking_home import TaggerDownload

if TYPE_CHECKING:
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.web.tabs.finetune.running import Result

DOWNLOAD = TaggerDownload("fine-tune", "fine-tuned-tagger.zip")


def made(result: Result, in_question: InQuestion | None) -> Tagger:
    """The final tail and head, with their card. in_question: of the clips, as far as it is still open"""
    title = "Fine-tuned tagger: " + ", ".join(result.report.head.tags)
    return Tagger.fine_tuned(result.report, title, in_question=in_question, clip_ids=result.asked.clip_ids)
