"""The endpoint ``/fine_tune`` for ``gradio_client``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirdemo.backbones.registry import spec, specs
from mirdemo.base.progress import silent
from mirdemo.clips import LabelledClips
from mirdemo.stages.finetuning import FineTuneSettings
from mirdemo.web.frame.endpoints import Files, answered, offer, told
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.models import Memory
from mirdemo.web.tabs.finetune import outlook
from mirdemo.web.tabs.finetune.running import Wanted, Watched, train
from mirdemo.words.language import DEFAULT

MOST_EPOCHS = 50


def build(jobs: Jobs) -> None:
    """Put the endpoint on the page under construction."""

    def fine_tune(
        clips: Files,
        sheet: str,
        backbone: str = "mini-world",
        layers: int = 0,
        epochs: int = FineTuneSettings.epochs,
        language: str = DEFAULT,
    ) -> dict[str, Any]:
        """Whether training a backbone's last layers buys anything over probing it, on labelled clips.

        clips: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        backbone: as on the page; layers: how many to train, 0 for as many as published; epochs: at most;
        language: en or ja, for refusals and warnings.
        """

        def work(sounds: Mapping[str, Path]) -> dict[str, Any]:
            return tune_files(sounds, sheet, backbone, layers, epochs, language)

        return answered(jobs, work, language, files=[clips], resource="training")

    offer(fine_tune)


def tune_files(
    files: Mapping[str, Path],
    sheet: str,
    backbone: str,
    layers: int,
    epochs: int,
    language: str = DEFAULT,
) -> dict[str, Any]:
    """A report as JSON takes it, with the names of the clips.

    files: name -> path
    Raises ClipsError, BackboneError, EmbeddingError, ProbeError, FineTuneError or PageError.
    """
    if backbone not in specs() or not 1 <= epochs <= MOST_EPOCHS:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    facts = spec(backbone)
    check_trainable(backbone)
    if layers and layers not in outlook.choices(facts):
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    clips = LabelledClips.from_csv(sheet.encode(), files, "sheet", limits=CLIP_LIMITS)
    wanted = Wanted(backbone, layers or facts.tail_blocks, FineTuneSettings(epochs=epochs))
    found = train(clips, wanted, (), Memory(), silent, Watched(wanted))
    return found.report.as_dict() | {
        "clips": [clip.name for clip in clips.clips],
        **told(clips, language),
    }


def check_trainable(backbone: str) -> None:
    """Raise PageError for a backbone without layers."""
    if not outlook.trainable(spec(backbone)):
        raise PageError(
            "{backbone} cannot be trained here. Choose {others}.",
            code="finetune.nothing_to_train",
            backbone=spec(backbone).title,
            others=[one.title for one in specs().values() if one.embedded and outlook.trainable(one)],
        )
