"""What is taken home from here: the tuned layers and their head as a tagger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.tagger import Tagger
from mirdemo.web.frame.taking_home import TaggerDownload

if TYPE_CHECKING:
    from mirdemo.web.tabs.finetune.running import Result

DOWNLOAD = TaggerDownload("fine-tune", "fine-tuned-tagger.zip")


def made(result: Result) -> Tagger:
    """The final tail and head, with their card."""
    return Tagger.fine_tuned(result.report, "Fine-tuned tagger: " + ", ".join(result.report.head.tags))
