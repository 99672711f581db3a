"""Fine-tuning on a corpus: live on the test side, as the page does it, or published on the official split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo.base.progress import Progress
from mirdemo.corpora.reader import SIDES, Corpus
from mirdemo.results.of_reports import report_results
from mirdemo.results.records import Result
from mirdemo.scoring.intervals import LEVEL
from mirdemo.sound.audio import AudioError

if TYPE_CHECKING:
    from mirdemo.backbones.split import NeuralBackbone
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.published.tuning import PublishedJob


@dataclass(frozen=True, eq=False)
class CorpusClips:
    """Clips of the items that could be read, their ids, and why the others could not."""

    clips: tuple[Clip, ...]
    ids: tuple[str, ...]
    unreadable: Mapping[str, str]
    computed: int = 0


@dataclass(frozen=True, eq=False)
class CorpusStates:
    """A job that has run the frozen layers over the items ``ids``; computed: over how many of them now."""

    job: PublishedJob
    ids: tuple[str, ...]
    unreadable: Mapping[str, str]
    computed: int


def decode_corpus(corpus: Corpus, item_ids: Sequence[str], progress: Progress) -> CorpusClips:
    """The sound of these items, all of it in memory. progress: told (items done, items in all, ``"reading"``)."""
    clips: dict[str, Clip] = {}
    unreadable: dict[str, str] = {}

    def take(item_id: str, found: Clip | AudioError) -> None:
        if isinstance(found, AudioError):
            unreadable[item_id] = str(found)
        else:
            clips[item_id] = found
        progress(len(clips) + len(unreadable), len(item_ids), "reading")

    progress(0, len(item_ids), "reading")
    corpus.read(item_ids, take)
    ids = tuple(item_id for item_id in item_ids if item_id in clips)
    return CorpusClips(tuple(clips[item_id] for item_id in ids), ids, unreadable)


def read_corpus(
    corpus: Corpus,
    item_ids: Sequence[str],
    backbone: NeuralBackbone,
    folder: Path,
    progress: Progress,
    held: ExitStack,
) -> CorpusStates:
    """The frozen layers' output for these items, a few in memory at a time.

    folder: where corpora are worked on; what a killed process had complete there is not done again. It is emptied when
        ``held`` ends well.
    """
    from mirdemo.stages.finetuning import PublishedSettings
    from mirdemo.stages.published.tuning import PublishedJob

    own = folder / "-".join([corpus.name.replace("/", "-"), *map(str, corpus.setting.values())])
    held.callback(_remove_if_empty, own)
    job = held.enter_context(PublishedJob(backbone, own, PublishedSettings()))
    keys = [corpus.sound_key(item_id) or item_id for item_id in item_ids]
    computed, refused = job.read(keys, lambda place: corpus.clip(item_ids[place]), progress)
    unreadable = {item_ids[place]: str(refusal) for place, refusal in refused.items()}
    return CorpusStates(job, tuple(i for i in item_ids if i not in unreadable), unreadable, computed)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # another backbone is at work there
        folder.rmdir()


def tune_live(
    corpus: Corpus,
    decoded: CorpusClips,
    backbone: NeuralBackbone,
    store: EmbeddingStore,
    common: dict[str, Any],
    progress: Progress,
) -> list[Result]:
    """Cross-validated on the items. common: the fields that all records share."""
    from mirdemo.stages.finetuning import fine_tune

    report = fine_tune(
        decoded.clips,
        backbone,
        corpus.labels(decoded.ids),
        [corpus.items[item_id].source for item_id in decoded.ids],
        corpus.tags,
        store=store,
        progress=progress,
    )
    made_with = {**common["versions"], **report.versions}
    return report_results(report, {**common, "versions": made_with, "seconds": sum(report.seconds.values())})


def tune_published(
    corpus: Corpus, read: CorpusStates, common: dict[str, Any], progress: Progress
) -> list[Result]:
    """One run on the official split. An item counts as a recording, as published."""
    from mirdemo.scoring.labelling import Labelling
    from mirdemo.stages.finetuning.inputs import learnable

    items = [corpus.items[item_id] for item_id in read.ids]
    labelled = learnable(Labelling.of(corpus.labels(read.ids), read.ids, corpus.tags), len(items))
    split = {side: [at for at, item in enumerate(items) if item.side == side] for side in SIDES}
    report = read.job.train(labelled, split, LEVEL, progress, lambda epoch: None)
    made_with = {**common["versions"], **report.versions}
    return report_results(report, {**common, "versions": made_with, "seconds": sum(report.seconds.values())})
