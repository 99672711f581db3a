"""The endpoint ``/fine_tune`` for ``gradio_client``. Nothing is kept between two calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from mirdemo.backbones.registry import spec, specs
from mirdemo.clips import LabelledClips
from mirdemo.finetuning import FineTuneSettings
from mirdemo.progress import silent
from mirdemo.web.api import answered
from mirdemo.web.errors import PageError
from mirdemo.web.finetune import outlook
from mirdemo.web.finetune.running import Wanted, Watched, train
from mirdemo.web.jobs import Jobs
from mirdemo.web.language import DEFAULT
from mirdemo.web.limits import CLIP_LIMITS
from mirdemo.web.models import Memory

MOST_EPOCHS = 50


def build(jobs: Jobs) -> None:
    """Put the endpoint on the page under construction. Its components are never shown."""
    with gr.Column(visible=False):
        clips = gr.File(label="clips", file_count="multiple", type="filepath")
        sheet = gr.Textbox(label="sheet")
        backbone = gr.Textbox(value="mini-world", label="backbone")
        blocks = gr.Number(value=0, precision=0, label="layers")
        epochs = gr.Number(value=FineTuneSettings().epochs, precision=0, label="epochs")
        language = gr.Textbox(value=DEFAULT, label="language")
        result = gr.JSON(label="result")
        button = gr.Button()

    def fine_tune(
        clips: list[str] | None, sheet: str, backbone: str, layers: int, epochs: int, language: str
    ) -> dict[str, Any]:
        """Whether training a backbone's last layers buys anything over probing it, on labelled clips.

        clips: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        backbone: as on the page; layers: how many to train, 0 for as many as published; epochs: at most;
        language: en or ja, for refusals.
        """
        work = lambda: tune_files(clips, sheet, backbone, layers, epochs)  # noqa: E731
        return answered(jobs, work, list(clips or []), language, resource="training")

    button.click(
        fine_tune,
        [clips, sheet, backbone, blocks, epochs, language],
        result,
        api_name="fine_tune",
        show_progress="hidden",
        concurrency_id="api",
        concurrency_limit=4,
    )


def tune_files(
    paths: list[str] | None, sheet: str, backbone: str, layers: int, epochs: int
) -> dict[str, Any]:
    """A report as JSON takes it, with the names of the clips.

    Raises ClipsError, BackboneError, EmbeddingError, ProbeError, FineTuneError or PageError.
    """
    if backbone not in specs() or not 1 <= epochs <= MOST_EPOCHS:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    facts = spec(backbone)
    check_trainable(backbone)
    if layers and layers not in outlook.choices(facts):
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    files = {Path(path).name: Path(path) for path in paths or []}
    clips = LabelledClips.from_csv(sheet.encode(), files, "sheet", limits=CLIP_LIMITS)
    wanted = Wanted(backbone, layers or facts.tail_blocks, FineTuneSettings(epochs=epochs))
    found = train(clips, wanted, None, Memory(), silent, Watched(wanted))
    return found.report.as_dict() | {
        "clips": [clip.name for clip in clips.clips],
        "problems": [str(problem) for problem in clips.problems],
    }


def check_trainable(backbone: str) -> None:
    """Raise PageError for a backbone without layers."""
    if not outlook.trainable(spec(backbone)):
        raise PageError(
            "{backbone} has no layers that can be trained. Choose {others}.",
            code="finetune.nothing_to_train",
            backbone=spec(backbone).title,
            others=[one.title for one in specs().values() if one.embedded and outlook.trainable(one)],
        )
