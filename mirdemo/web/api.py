"""Endpoints for ``gradio_client``: the steps of the page without the page. Nothing is kept between two calls."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from mirdemo.audio import load_clip
from mirdemo.backbones.registry import specs
from mirdemo.clips import LabelledClips
from mirdemo.progress import silent
from mirdemo.sentences import MirdemoError
from mirdemo.web.errors import PageError
from mirdemo.web.jobs import UNEXPECTED, Jobs
from mirdemo.web.language import DEFAULT, speaker
from mirdemo.web.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.models import Memory
from mirdemo.web.tagging import Answer, Built, answer, layers_of, spans, usual_layer
from mirdemo.web.tagging import build as build_prototypes

log = logging.getLogger(__name__)


def build(jobs: Jobs) -> None:
    """Put the endpoints on the page under construction. Their components are never shown."""
    with gr.Column(visible=False):
        support = gr.File(label="support", file_count="multiple", type="filepath")
        sheet = gr.Textbox(label="sheet")
        query = gr.File(label="query", type="filepath")
        queries = gr.File(label="queries", file_count="multiple", type="filepath")
        backbone = gr.Textbox(value="spectral", label="backbone")
        layer = gr.Textbox(value="", label="layer")
        language = gr.Textbox(value=DEFAULT, label="language")
        result = gr.JSON(label="result")
        button = gr.Button()
    usual = {"outputs": result, "show_progress": "hidden", "concurrency_id": "api", "concurrency_limit": 4}

    def tag(
        support: list[str] | None, sheet: str, query: str | None, backbone: str, layer: str, language: str
    ) -> dict[str, Any]:
        """Tags of one recording, from a few labelled ones.

        support: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        query: the recording to tag; backbone, layer: as on the page, blank for the usual layer;
        language: en or ja, for refusals.
        """
        work = lambda: _few_shot(support, sheet, [query] if query else [], backbone, layer)["answers"][0]  # noqa: E731
        return answered(jobs, work, [*(support or []), query], language)

    def few_shot(
        support: list[str] | None,
        sheet: str,
        queries: list[str] | None,
        backbone: str,
        layer: str,
        language: str,
    ) -> dict[str, Any]:
        """What the prototypes of a few labelled recordings are, and the tags of any number of others.

        As ``/tag``, with several queries.
        """
        work = lambda: _few_shot(support, sheet, queries or [], backbone, layer)  # noqa: E731
        return answered(jobs, work, [*(support or []), *(queries or [])], language)

    button.click(tag, [support, sheet, query, backbone, layer, language], api_name="tag", **usual)
    button.click(few_shot, [support, sheet, queries, backbone, layer, language], api_name="few_shot", **usual)


def _few_shot(
    support: list[str] | None, sheet: str, queries: list[str], backbone: str, layer: str
) -> dict[str, Any]:
    if backbone not in specs():
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    layer = layer or usual_layer(backbone)
    if layer not in layers_of(backbone):
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    if not queries or len(queries) > LIMITS.files_at_once:
        raise PageError("No file arrived. Choose the files again.", code="page.no_files")
    files = {Path(path).name: Path(path) for path in support or []}
    clips = LabelledClips.from_csv(sheet.encode(), files, "sheet", limits=CLIP_LIMITS)
    if not clips.tags:
        raise PageError(
            "There is no clip with a tag yet. Add clips and tag them first.", code="page.no_support"
        )
    memory = Memory()
    built = build_prototypes(clips, backbone, layer, memory, silent)
    answers = [answer(built, load_clip(path), memory, silent) for path in queries]
    return {"support": _support(built), "answers": [_plain(one) for one in answers]}


def _support(built: Built) -> dict[str, Any]:
    clips = built.clips
    return {
        "clips": len(clips),
        "tags": {
            tag: {"clips": count.clips, "recordings": count.recordings}
            for tag, count in clips.counts().items()
        },
        "prototypes": built.label_sets,
        "layer": built.layer,
        "backbone": built.embeddings.identity.as_dict(),
        "problems": [str(problem) for problem in clips.problems],
    }


def _plain(one: Answer) -> dict[str, Any]:
    """An answer as JSON. Distances are cosine distances, times are seconds."""
    return {
        "query": one.clip.name,
        "tags": list(one.tags),
        "unknown": one.unknown,
        "distance": one.distance,
        "threshold": one.threshold,
        "distances": dict(one.per_tag),
        "nearest": [
            {
                "clip": one.built.clips.clips[row].name,
                "tags": one.built.clips.tags_of(row),
                "distance": distance,
            }
            for row, distance in one.nearest
        ],
        "over_time": {
            tag: spans(one, one.labels[:, column] > 0)
            for column, tag in enumerate(one.built.prototypes.tags)
            if one.labels[:, column].any()
        },
    }


def answered(
    jobs: Jobs,
    work: Callable[[], dict[str, Any]],
    files: list[str | None],
    language: str,
    *,
    resource: str = "model",
) -> dict[str, Any]:
    """Do the work in its turn; refuse in the caller's language; leave no upload behind."""
    say = speaker(language).say
    try:
        return jobs.run(work, resource=resource)
    except MirdemoError as error:
        raise gr.Error(str(say(error.sentence)), print_exception=False) from None
    except Exception:
        log.exception("endpoint")
        raise gr.Error(str(say(UNEXPECTED)), print_exception=False) from None
    finally:
        for path in files:
            if path:
                Path(path).unlink(missing_ok=True)
