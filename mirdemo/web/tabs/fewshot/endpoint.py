"""The endpoints ``/tag`` and ``/few_shot`` for ``gradio_client``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirdemo.backbones.registry import specs
from mirdemo.base.progress import silent
from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import load_clip
from mirdemo.web.frame.endpoints import File, Files, answered, offer, told, with_codes
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.models import SUPPORT, Memory
from mirdemo.web.tagging import Answer, Built, answer, layers_of, spans, usual_layer
from mirdemo.web.tagging import build as build_prototypes
from mirdemo.words.language import DEFAULT


def build(jobs: Jobs) -> None:
    """Put the endpoints on the page under construction."""

    def tag(
        support: Files,
        sheet: str,
        query: File,
        backbone: str = "spectral",
        layer: str = "",
        language: str = DEFAULT,
    ) -> dict[str, Any]:
        """Tags of one recording, from a few labelled ones.

        support: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        query: the recording to tag; backbone, layer: as on the page, blank for the usual layer;
        language: en or ja, for refusals and warnings.
        """

        def work(sounds: Mapping[str, Path], asked: Mapping[str, Path]) -> dict[str, Any]:
            return tag_files(sounds, sheet, asked, backbone, layer, language)["answers"][0]

        return answered(jobs, work, language, files=(support, [query]), resource="answer")

    def few_shot(
        support: Files,
        sheet: str,
        queries: Files,
        backbone: str = "spectral",
        layer: str = "",
        language: str = DEFAULT,
    ) -> dict[str, Any]:
        """What the prototypes of a few labelled recordings are, and the tags of any number of others.

        As ``/tag``, with several queries.
        """

        def work(sounds: Mapping[str, Path], asked: Mapping[str, Path]) -> dict[str, Any]:
            return tag_files(sounds, sheet, asked, backbone, layer, language)

        return answered(jobs, work, language, files=(support, queries), resource="answer")

    offer(tag)
    offer(few_shot)


def tag_files(
    support: Mapping[str, Path],
    sheet: str,
    queries: Mapping[str, Path],
    backbone: str,
    layer: str,
    language: str = DEFAULT,
) -> dict[str, Any]:
    """The support set's and the queries' reports as JSON takes them.

    support, queries: name -> path; layer: blank for the usual one
    Raises ClipsError, AudioError, BackboneError, EmbeddingError, FewShotError or PageError.
    """
    layer = layer or (usual_layer(backbone) if backbone in specs() else "")
    if backbone not in specs() or layer not in layers_of(backbone):
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    if not queries:
        raise PageError("No file arrived. Choose the files again.", code="page.no_files")
    clips = LabelledClips.from_csv(sheet.encode(), support, "sheet", limits=CLIP_LIMITS)
    if not clips.tags:
        raise PageError(
            "There is no clip with a tag yet. Add clips and tag them first.", code="page.no_support"
        )
    built = build_prototypes(clips, backbone, layer, SUPPORT, silent, checked=False)  # listens to them, too
    memory = Memory()
    answers = [answer(built, load_clip(path, name), memory, silent) for name, path in queries.items()]
    return {
        "support": _support(built, language),
        "answers": [_plain(one, language) for one in answers],
    }


def _support(built: Built, language: str) -> dict[str, Any]:
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
        **told(clips, language),
    }


def _plain(one: Answer, language: str) -> dict[str, Any]:
    """An answer as JSON. Distances are cosine distances, times are seconds.

    warnings: what is to be known of the query's file; incomplete: whether a part of it is missing
    """
    return {
        "query": one.clip.name,
        "warnings": with_codes(one.clip.warnings, language),
        "incomplete": one.clip.incomplete,
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
