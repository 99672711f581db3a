"""The endpoint ``/probe`` for ``gradio_client``. Nothing is kept between two calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from mirdemo.backbones.registry import specs
from mirdemo.clips import LabelledClips
from mirdemo.probing import WORDS
from mirdemo.progress import silent
from mirdemo.web.api import answered
from mirdemo.web.errors import PageError
from mirdemo.web.jobs import Jobs
from mirdemo.web.language import DEFAULT
from mirdemo.web.limits import CLIP_LIMITS
from mirdemo.web.models import Memory
from mirdemo.web.probe.running import LIVE, PROTOCOLS, run


def build(jobs: Jobs) -> None:
    """Put the endpoint on the page under construction. Its components are never shown."""
    with gr.Column(visible=False):
        clips = gr.File(label="clips", file_count="multiple", type="filepath")
        sheet = gr.Textbox(label="sheet")
        backbone = gr.Textbox(value="spectral", label="backbone")
        whitening = gr.Checkbox(value=False, label="whitening")
        language = gr.Textbox(value=DEFAULT, label="language")
        protocol = gr.Textbox(value=LIVE, label="protocol")
        result = gr.JSON(label="result")
        button = gr.Button()

    def probe(
        clips: list[str] | None, sheet: str, backbone: str, whitening: bool, language: str, protocol: str
    ) -> dict[str, Any]:
        """What a backbone's frozen embeddings hold about the tags of labelled clips.

        clips: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        backbone: as on the page; whitening: apply the backbone's whitening first; language: en or ja, for refusals;
        protocol: live, or papaioannou2025 as published.
        """
        work = lambda: probe_files(clips, sheet, backbone, whitening, protocol)  # noqa: E731
        return answered(jobs, work, list(clips or []), language)

    button.click(
        probe,
        [clips, sheet, backbone, whitening, language, protocol],
        result,
        api_name="probe",
        show_progress="hidden",
        concurrency_id="api",
        concurrency_limit=4,
    )


def probe_files(
    paths: list[str] | None, sheet: str, backbone: str, whitening: bool, protocol: str = LIVE
) -> dict[str, Any]:
    """A probe's report as JSON takes it, with the names of the clips, the words of the verdicts and the mistakes (of
    clips, or of the recordings that the published protocol scores).

    Raises ClipsError, BackboneError, EmbeddingError, ProbeError or PageError.
    """
    if backbone not in specs() or protocol not in PROTOCOLS:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    files = {Path(path).name: Path(path) for path in paths or []}
    clips = LabelledClips.from_csv(sheet.encode(), files, "sheet", limits=CLIP_LIMITS)
    found = run(clips, backbone, whitening, Memory(), silent, protocol)
    names = [clip.name for clip in clips.clips]
    scored, of = (names, "clip") if protocol == LIVE else (found.report.recordings, "recording")
    return found.report.as_dict() | {
        "clips": names,
        "words": {tag.tag: str(WORDS[tag.verdict]) for tag in found.report.tags},
        "mistakes": [
            {of: str(scored[one.row]), "tag": one.tag, "label": one.label, "score": one.score}
            for one in found.report.mistakes()
        ],
        "sick": None if found.sick is None else str(found.sick),
        "problems": [str(problem) for problem in clips.problems],
    }
