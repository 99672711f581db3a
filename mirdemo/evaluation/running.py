"""The evaluation itself: choose the items, embed what is not embedded yet, run the stage, write the records.

Protocol ``papaioannou2025``: the official split; probe and fine-tuning train on train, stop by valid and report on test;
few-shot episodes are drawn from test. An item of the split counts as one recording, as published.
Protocol ``lcprotonets2024``: few-shot tagging in the very episodes of that study, drawn from test by its steps and seed.
Protocol ``live``: what the page does with a visitor's clips, on the test side alone: probe and fine-tuning are
cross-validated there. Items cut from one source count as one recording, so that none sits on both sides of a fold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.corpora.errors import first_few
from mirdemo.corpora.reader import SIDES, Corpus
from mirdemo.corpora.vocabularies import vocabularies
from mirdemo.evaluation.embedding import CorpusEmbeddings, embed_corpus, usual_layer
from mirdemo.evaluation.errors import EvaluationError
from mirdemo.evaluation.finetuning import (
    CorpusClips,
    CorpusStates,
    decode_corpus,
    read_corpus,
    tune_live,
    tune_published,
)
from mirdemo.evaluation.sounds import SoundMemory
from mirdemo.results.of_reports import hardware, made_with, report_results, same_measurement, today, versions
from mirdemo.results.records import Result, append, check_writable, load, own_file

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.base.sentences import Sentence
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.embedding.whitening import Whitening
    from mirdemo.stages.fewshot.episodes import Kind

METHODS = ("probe", "finetune", "fewshot")
PROTOCOLS = ("live", "papaioannou2025", "lcprotonets2024")
#: The live probe holds a table of items x items for every fold and layer; a thousand is what a laptop has room for.
LIVE_LIMIT = 1000
#: Live fine-tuning holds the sound of all its items at once: 100 recordings of 150 s take 2.6 GB.
FINETUNE_LIMIT = 100
_LIMIT_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to measure.

    method, protocol: of ``METHODS`` and ``PROTOCOLS``
    layer: None: the mean over layers where they have one size, else the last (the live probe: all, chosen in each fold)
    seeds: how many; None: five (the live probe: draws of the folds; fine-tuning: always one, as published)
    limit: at most so many items a side, drawn with a fixed seed; None: all (live: ``LIVE_LIMIT``,
        live fine-tuning: ``FINETUNE_LIMIT``)
    ways, shots: of few-shot episodes; ways None: all tags of their kind
    tags: of few-shot episodes: ``base`` (the vocabulary), ``novel`` (the published further ones) or ``both``
    allow_missing: go on without items whose sound or labels are not there
    """

    method: str = "probe"
    protocol: str = "papaioannou2025"
    layer: str | None = None
    seeds: int | None = None
    limit: int | None = None
    ways: int | None = None
    shots: int = 3
    tags: Kind = "base"
    allow_missing: bool = False


@dataclass(frozen=True)
class Evaluation:
    """records: the figures; new: how many of them were written now (0: all had been measured before)

    n_items: evaluated; left_out: ids that were missing or unreadable
    computed: clips that went through the backbone now; the others' embeddings or states were there
    unwritten: why the records could not be written, in words; None where they could
    strange: what to say where whitening met sound unlike that of its fit
    """

    records: tuple[Result, ...]
    new: int
    n_items: int
    left_out: tuple[str, ...]
    computed: int
    unwritten: str | None = None
    strange: Sentence | None = None


def evaluate(
    corpus: Corpus,
    backbone: Backbone,
    request: Request,
    *,
    store: EmbeddingStore,
    sounds: SoundMemory | None = None,
    whitening: Whitening | None = None,
    results: Path | None = None,
    again: bool = False,
    embed_first: Callable[[list[str]], int] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure, and append the records to ``results`` (default: this machine's own file), all or none of them.

    A measurement that is there already (same key, weights, precision and engine) is not repeated unless ``again``.
    After a kill, the clips that were complete are in ``store`` and what they held in ``sounds``: neither embedding nor
    decoding is done twice. Fine-tuning by the published protocol keeps the frozen layers' output and its own state in
    the folder ``fine-tuning`` beside the store until its records are written, and goes on from there; live
    fine-tuning decodes again. Raises EvaluationError, CorpusError, Cancelled, and what the stage raises: ProbeError,
    FewShotError, FineTuneError, BackboneError.

    embed_first: called with the ids of the items before their embeddings are looked for in ``store``, so that others
        may put them there (``bulk.corpus``); gives how many it computed. Not called for fine-tuning.
    """
    report, results, sounds = progress or silent, results or own_file(), sounds or SoundMemory()
    _refuse(corpus, backbone, request, whitening)
    wanted = _wanted(corpus, request)
    gone = set(corpus.missing(wanted))
    _refuse_missing(corpus, wanted, tuple(i for i in wanted if i in gone), request, "evaluation.missing")
    check_writable(results)
    there = [item_id for item_id in wanted if item_id not in gone]
    before = load(results).records
    common = _common(corpus, backbone, request, whitening, left_out=len(gone))
    if not again:
        known = _known(corpus, request, common, before)
        if known:
            return Evaluation(known, 0, len(there), tuple(gone), 0)

    with ExitStack() as held:  # until the records are written
        elsewhere = embed_first(there) if embed_first and request.method != "finetune" else 0
        taken = _take(corpus, there, backbone, request, store, sounds, whitening, report, held)
        _refuse_missing(corpus, there, tuple(taken.unreadable), request, "evaluation.unreadable")
        used = set(taken.ids)
        left_out = tuple(i for i in wanted if i not in used)
        common = _common(corpus, backbone, request, whitening, left_out=len(left_out))
        started = time.perf_counter()
        if isinstance(taken, CorpusStates):
            records = tune_published(corpus, taken, common, report)
        elif isinstance(taken, CorpusClips):
            records = tune_live(corpus, taken, backbone, store, common, report)
        elif request.method == "fewshot":
            records = _few_shot(corpus, taken, request, common, report)
        else:
            records = _probe(corpus, taken, request, common, whitening, report)
        found = [
            replace(record, seconds=record.seconds or time.perf_counter() - started) for record in records
        ]
        if not any(record.tag is None for record in found):
            raise EvaluationError(
                "{n} items of {corpus} are too few for any figure over its tags. Use more of them.",
                code="evaluation.no_figure",
                n=len(taken.ids),
                corpus=corpus.facts.title,
            )
        new, unwritten = 0, None
        try:
            new = append(found, results, known=None if again else _there_already)
        except OSError as error:  # the disk filled up meanwhile: the figures are given all the same
            unwritten = f"{results}: {error.strerror or type(error).__name__}"
    computed = taken.computed + elsewhere
    strange = _strange(taken, request, whitening)
    return Evaluation(tuple(found), new, len(taken.ids), left_out, computed, unwritten, strange)


def _strange(
    taken: CorpusEmbeddings | CorpusClips | CorpusStates, request: Request, whitening: Whitening | None
) -> Sentence | None:
    if whitening is None or not isinstance(taken, CorpusEmbeddings):
        return None
    if (request.method, request.protocol) == ("probe", "live"):  # which whitens by itself
        return whitening.strange(taken.embeddings, request.layer)
    return taken.strange


def _there_already(record: Result, before: Sequence[Result]) -> bool:
    return same_measurement(record, before)


def _take(
    corpus: Corpus,
    item_ids: list[str],
    backbone: Backbone,
    request: Request,
    store: EmbeddingStore,
    sounds: SoundMemory,
    whitening: Whitening | None,
    progress: Progress,
    held: ExitStack,
) -> CorpusEmbeddings | CorpusClips | CorpusStates:
    """What the stage works on: embeddings; for fine-tuning the clips, or the frozen layers' output for them."""
    if request.method == "finetune" and request.protocol == "live":
        return decode_corpus(corpus, item_ids, progress)
    if request.method == "finetune":
        return read_corpus(corpus, item_ids, backbone, store.root.with_name("fine-tuning"), progress, held)
    every_layer = (request.method, request.protocol) == ("probe", "live")
    return embed_corpus(
        corpus,
        item_ids,
        backbone,
        store=store,
        sounds=sounds,
        layer=None if every_layer else usual_layer(backbone.spec, request.layer),
        whitening=None if every_layer else whitening,  # the live probe whitens by itself
        progress=progress,
    )


def _refuse(corpus: Corpus, backbone: Backbone, request: Request, whitening: Whitening | None) -> None:
    stages = PROTOCOLS if request.method == "fewshot" else PROTOCOLS[:2]
    if request.method not in METHODS or request.protocol not in stages:
        raise EvaluationError(
            "{method} under {protocol} cannot be measured. Choose one of {methods}, and one of {protocols}.",
            code="evaluation.no_stage",
            method=request.method,
            protocol=request.protocol,
            methods=", ".join(METHODS),
            protocols=", ".join(PROTOCOLS),
        )
    if request.method == "finetune" and (request.layer or whitening or (request.seeds or 1) > 1):
        raise EvaluationError(
            "Fine-tuning trains the last blocks on the sound itself, once. Leave layer, whitening and seeds out.",
            code="evaluation.finetune_plain",
        )
    if request.method == "fewshot":
        _episode_tags(corpus, request)  # refuses by itself where there are too few
    taught = request.protocol == "papaioannou2025" and request.method != "fewshot"
    if taught and not all(corpus.sides[side] for side in SIDES):
        raise EvaluationError(
            "{corpus} was published without sides for training and validation. Use --protocol live.",
            code="evaluation.no_split",
            corpus=corpus.facts.title,
        )
    if request.method == "finetune":
        backbone.split()  # refuses by itself where there is nothing to train
    if corpus.repeated:
        raise EvaluationError(
            "The split of {corpus} lists {count} items more than once ({names}). Get the published split.",
            code="evaluation.split_not_disjoint",
            corpus=corpus.facts.title,
            count=len(corpus.repeated),
            names=first_few(corpus.repeated),
        )


def _refuse_missing(
    corpus: Corpus, wanted: list[str], gone: tuple[str, ...], request: Request, code: str
) -> None:
    if gone and len(gone) == len(wanted):
        raise EvaluationError(
            "None of the {n} items of {corpus} that are needed can be used. Give the folder with its sound and labels "
            "as --data; how to get them: {page}",
            code="evaluation.nothing",
            n=len(wanted),
            corpus=corpus.facts.title,
            page=corpus.facts.page,
        )
    if not gone or request.allow_missing:
        return
    template = (
        "{count} of {n} items of {corpus} have no sound or no labels: {names}. Add them, or go on without them with "
        "--allow-missing."
        if code == "evaluation.missing"
        else "{count} of {n} items of {corpus} cannot be decoded: {names}. Get them again, or go on without them with "
        "--allow-missing."
    )
    raise EvaluationError(
        template, code=code, count=len(gone), n=len(wanted), corpus=corpus.facts.title, names=first_few(gone)
    )


def _wanted(corpus: Corpus, request: Request) -> list[str]:
    """Ids of the items that take part, side after side.

    A limit takes the first of a fixed order. Where items may be missing, those that are there take the place of those that
    are not, which stay among the wanted so that they count as left out.
    """
    limit = _limit(request)
    chosen: list[str] = []
    for side in _sides(request):
        ids = corpus.sides[side]
        if limit is not None and len(ids) > limit:
            order = np.random.default_rng(_LIMIT_SEED).permutation(len(ids))
            gone = set(corpus.missing(ids)) if request.allow_missing else set()
            there = np.cumsum([ids[at] not in gone for at in order])
            n = int(np.searchsorted(there, limit)) + 1 if there[-1] >= limit else len(ids)
            ids = tuple(ids[at] for at in sorted(order[:n]))
        chosen += ids
    return chosen


def _sides(request: Request) -> tuple[str, ...]:
    trained = request.method in ("probe", "finetune") and request.protocol == "papaioannou2025"
    return SIDES if trained else ("test",)


def _limit(request: Request) -> int | None:
    if request.limit is not None or request.protocol != "live":
        return request.limit
    return FINETUNE_LIMIT if request.method == "finetune" else LIVE_LIMIT


def _common(
    corpus: Corpus, backbone: Backbone, request: Request, whitening: Whitening | None, left_out: int
) -> dict[str, Any]:
    """The fields that all records of this evaluation share."""
    identity = backbone.identity
    setting: dict[str, Any] = {**corpus.setting}
    limit = _limit(request)
    if limit is not None and any(len(corpus.sides[side]) > limit for side in _sides(request)):
        setting["limit"] = limit
    if left_out:
        setting["left_out"] = left_out
    if request.method == "finetune":
        layer = None if request.protocol == "live" else usual_layer(backbone.spec, None)
        setting |= {"seeds": 1, "n_tags": len(corpus.tags)}
        setting["blocks"] = backbone.tail_sizes.published
    elif (request.method, request.protocol) == ("probe", "live"):
        layer = request.layer or "chosen in each fold"
        setting |= {"seeds": request.seeds or 5, "n_tags": len(corpus.tags)}
    else:
        layer = usual_layer(backbone.spec, request.layer)
        if request.method == "probe":
            setting |= {"seeds": request.seeds or 5, "n_tags": len(corpus.tags)}
    return {
        "model": backbone.spec.title,
        "revision": identity.revision,
        "layer": layer,
        "pooling": identity.pooling,
        "window_seconds": identity.window_seconds,
        "whitening": None if whitening is None else whitening.name,
        "corpus": corpus.name,
        "corpus_revision": corpus.revision,
        "method": request.method,
        "protocol": request.protocol,
        "split": "test",
        "setting": setting,
        "source": "measured",
        "versions": versions(identity),
        "hardware": hardware(backbone),
        "date": today(),
    }


def _known(
    corpus: Corpus, request: Request, common: Mapping[str, Any], before: tuple[Result, ...]
) -> tuple[Result, ...]:
    """The records of this very measurement; empty unless its figures over all tags are there."""
    facts = {
        k: v for k, v in common.items() if k not in ("setting", "versions", "hardware", "seconds", "date")
    }
    asked = dict.fromkeys(("limit", "left_out", "mode", "max_seconds", "split_files")) | dict(
        common["setting"]
    )
    seeds = asked.pop("seeds", None)
    if request.method == "fewshot":
        seeds = len(_episode_seeds(request))
        asked |= {
            "n_way": len(_episode_tags(corpus, request)),
            "k_shot": request.shots,
            "tags": request.tags,
        }
    found = [
        record
        for record in before
        if all(getattr(record, name) == value for name, value in facts.items())
        and made_with(record.versions) == made_with(common["versions"])
        and all(record.setting.get(name) == value for name, value in asked.items())
        and record.setting.get("seeds") == seeds
    ]
    return tuple(found) if any(record.tag is None for record in found) else ()


def _probe(
    corpus: Corpus,
    embedded: CorpusEmbeddings,
    request: Request,
    common: dict[str, Any],
    whitening: Whitening | None,
    progress: Progress,
) -> list[Result]:
    from mirdemo.stages.probing import probe

    items = [corpus.items[item_id] for item_id in embedded.ids]
    published = request.protocol == "papaioannou2025"
    report = probe(
        embedded.embeddings,
        corpus.labels(embedded.ids),
        [item.id if published else item.source for item in items],
        tags=corpus.tags,
        layers=[request.layer] if request.layer else None,
        seeds=range(common["setting"]["seeds"]),
        protocol=request.protocol,
        permutations=0,
        whitening=None if published else whitening,  # the published one's embeddings are whitened already
        progress=progress,
        split={side: [i for i, item in enumerate(items) if item.side == side] for side in SIDES}
        if published
        else None,
    )
    seconds = sum(report.seconds.values())
    made_with = {**common["versions"], **report.versions}
    return report_results(report, {**common, "versions": made_with, "seconds": seconds})


def _few_shot(
    corpus: Corpus,
    embedded: CorpusEmbeddings,
    request: Request,
    common: dict[str, Any],
    progress: Progress,
) -> list[Result]:
    from mirdemo.results.of_episodes import episode_results
    from mirdemo.stages.fewshot import LCPrototypes, evaluate_episodes

    items = [corpus.items[item_id] for item_id in embedded.ids]
    published = request.protocol != "live"
    novel = _novel(corpus)
    recordings = [item.id if published else item.source for item in items]
    report = evaluate_episodes(
        embedded.embeddings.matrix(common["layer"]),
        corpus.labels(embedded.ids, (*corpus.tags, *novel)),
        recordings,
        (*corpus.tags, *novel),
        make=LCPrototypes.published,
        base=corpus.tags,
        novel=novel,
        kind=request.tags,
        n_way=request.ways,
        k_shot=request.shots,
        protocol=request.protocol,
        seeds=_episode_seeds(request),
        # Where sources are fewer than tags (musicians), a support set would take in all of them.
        in_turn=not published and len(set(recordings)) <= (request.ways or len(corpus.tags)),
        progress=progress,
    )
    given = {k: v for k, v in common.items() if k not in ("setting", "method", "protocol", "source")}
    return [
        replace(record, setting={**record.setting, **common["setting"]})
        for record in episode_results(report, **given)
    ]


def _novel(corpus: Corpus) -> tuple[str, ...]:
    """The further tags that the published few-shot study tests on; none of a split of one's own."""
    known = vocabularies().get(corpus.name)
    return () if known is None or corpus.changed else known.novel


def _episode_tags(corpus: Corpus, request: Request) -> tuple[str, ...]:
    """The tags of an episode. Raises FewShotError if there are too few, EvaluationError if no test item has one of them."""
    from mirdemo.stages.fewshot import choose_tags

    novel = _novel(corpus)
    have = {"base": len(corpus.tags), "novel": len(novel), "both": len(corpus.tags) + len(novel)}[
        request.tags
    ]
    chosen = choose_tags(corpus.tags, novel, request.ways or max(have, 1), request.tags)
    carried = {label for i in corpus.sides["test"] for label in corpus.items[i].labels or ()}
    labelled = any(corpus.items[i].labels is not None for i in corpus.sides["test"])
    absent = [tag for tag in chosen if tag in novel and tag not in carried]
    if labelled and len(absent) == sum(tag in novel for tag in chosen) > 0:
        raise EvaluationError(
            "No test item of {corpus} has one of the {n} novel tags here. Choose --tags base.",
            code="evaluation.no_novel",
            corpus=corpus.facts.title,
            n=len(absent),
        )
    return chosen


def _episode_seeds(request: Request) -> tuple[int, ...]:
    """The seed of the published run, or the study's five; fewer are the first of them, more go on above the last."""
    from mirdemo.stages.fewshot import PUBLISHED_RUN, PUBLISHED_SEEDS

    seeds = PUBLISHED_RUN if request.protocol == "lcprotonets2024" else PUBLISHED_SEEDS
    if request.seeds is None:
        return seeds
    above = max(seeds) + 1
    return (*seeds[: request.seeds], *range(above, above + request.seeds - len(seeds)))
