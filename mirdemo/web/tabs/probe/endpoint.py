"""The endpoint ``/probe`` for ``gradio_client``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirdemo.backbones.registry import specs
from mirdemo.base.progress import silent
from mirdemo.clips import LabelledClips
from mirdemo.stages.probing import WORDS
from mirdemo.web.frame.endpoints import Files, answered, offer, told
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.models import Memory
from mirdemo.web.tabs.probe.running import LIVE, PROTOCOLS, run
from mirdemo.words.language import DEFAULT


def build(jobs: Jobs) -> None:
    """Put the endpoint on the page under construction."""

    def probe(
        clips: Files,
        sheet: str,
        backbone: str = "spectral",
        whitening: bool = False,
        language: str = DEFAULT,
        protocol: str = LIVE,
    ) -> dict[str, Any]:
        """What a backbone's frozen embeddings hold about the tags of labelled clips.

        clips: sound files; sheet: CSV text with the columns file, tags, recording (tags between ; or |);
        backbone: as on the page; whitening: apply the backbone's whitening first; language: en or ja, for refusals and warnings;
        protocol: live, or papaioannou2025 as published.
        """

        def work(sounds: Mapping[str, Path]) -> dict[str, Any]:
            return probe_files(sounds, sheet, backbone, whitening, protocol, language)

        return answered(jobs, work, language, files=[clips])

    offer(probe)


def probe_files(
    files: Mapping[str, Path],
    sheet: str,
    backbone: str,
    whitening: bool,
    protocol: str = LIVE,
    language: str = DEFAULT,
) -> dict[str, Any]:
    """A probe's report as JSON takes it, with the names of the clips, the words of the verdicts and the mistakes (of
    clips, or of the recordings that the published protocol scores).

    files: name -> path
    Raises ClipsError, BackboneError, EmbeddingError, ProbeError or PageError.
    """
    if backbone not in specs() or protocol not in PROTOCOLS:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
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
        **told(clips, language),
    }
