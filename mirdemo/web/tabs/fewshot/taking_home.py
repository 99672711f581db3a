"""What is taken home from here: the prototypes on the page as a tagger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.backbones.registry import spec
from mirdemo.web.frame.taking_home import TaggerDownload

if TYPE_CHECKING:
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.tagger import Tagger
    from mirdemo.web.tagging import Built

DOWNLOAD = TaggerDownload("few-shot", "tagger.zip")


def made(built: Built, in_question: InQuestion | None = None) -> Tagger:
    """The prototypes as a tagger with its card. in_question: of the clips, as far as it is still open"""
    from mirdemo.tagger import Tagger

    clips = built.clips
    return Tagger.make(
        built.embeddings,
        clips.labels,
        clips.counted,
        clips.tags,
        layer=built.layer,
        whitening=built.whitening,
        spec=spec(built.backbone),
        choice=built.choice,
        title="Tagger: " + ", ".join(clips.tags),
        groups=clips.groups if clips.sessions else None,
        in_question=in_question,
    )
