"""The tagger itself: made from a support set, saved, read back, tagging."""

from __future__ import annotations

import math
import platform
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.files import called, expanded
from mirdemo.base.plain import of_parts
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval, estimate
from mirdemo.scoring.labelling import LabellingError
from mirdemo.stages.fewshot import METHODS, FewShotError, FewShotMethod, LCPrototypes, leave_recordings_out
from mirdemo.stages.fewshot.closed_sets import MAX_SETS
from mirdemo.stages.finetuning.tuned import LAYER, TunedHead
from mirdemo.tagger import file as tagger_file
from mirdemo.tagger.card import card
from mirdemo.tagger.file import TaggerError, unreadable

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.embedding.whitening import LayerWhitening, Whitening
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.fewshot import LayerChoice
    from mirdemo.stages.finetuning.report import FineTuneReport

#: What of a backbone's identity has to agree. Between floating-point precisions, and engines that compute in them, it need
#: not: they move embeddings far less than a room does. Eight bits are other rows (``_check_same``).
_KEYS = ("name", "fingerprint", "sample_rate", "window_seconds", "pooling")
_FIGURES = ("macro_f1", "micro_f1", "roc_auc", "mean_average_precision")
_WHITENING_ARRAYS = ("centre", "scale", "directions", "keep")
#: Bytes of a clip's SHA-256 that are kept: by chance none of a million clips looks like one of a million others.
_DIGEST = 8
#: The array that holds them.
_LEARNED = "learned"
#: What may decide in a tagger that is read.
_KINDS = {**METHODS, TunedHead.name: TunedHead}


@dataclass(frozen=True, eq=False)
class WindowTags:
    """Tags over time: which second made the tag.

    starts: float64 (w,), where each window begins, seconds; seconds: a window's length
    tags: names; scores: float64 (w, n_tags); given: uint8 (w, n_tags); unknown: bool (w,)
    """

    starts: np.ndarray
    seconds: float
    tags: tuple[str, ...]
    scores: np.ndarray
    given: np.ndarray
    unknown: np.ndarray


@dataclass(frozen=True, eq=False)
class Decided:
    """What a tagger says of clips: given uint8 (n, n_tags), scores float64 (n, n_tags), unknown bool (n,)."""

    given: np.ndarray
    scores: np.ndarray
    unknown: np.ndarray

    @classmethod
    def none(cls) -> Decided:
        """Of no clip."""
        return cls(np.zeros((0, 0), np.uint8), np.zeros((0, 0)), np.zeros(0, bool))


@dataclass(frozen=True, eq=False)
class Tagger:
    """A fitted few-shot method, or a fine-tuned head, together with exactly what it listens with.

    kind: what decides: a key of ``mirdemo.stages.fewshot.METHODS``, or ``"fine-tuned"``
    method: fitted; identity, layer: the backbone and layer (``"mean"``: the mean over layers). A fine-tuned one has
        the backbone it was made from here, and brings that backbone's last blocks itself
    whitening: layer name -> LayerWhitening, applied before the method; empty for none
    facts: plain data for people: title, tags with counts and figures, licence, versions, date, ...
    learned: how the SHA-256 of each clip that it was made from begins (``_DIGEST`` bytes in hex); empty where it does not tell
    """

    kind: str
    method: FewShotMethod | TunedHead
    identity: Identity
    layer: str
    whitening: Mapping[str, LayerWhitening]
    facts: Mapping[str, Any]
    learned: frozenset[str] = frozenset()
    _loaded: dict[str, Backbone] = field(default_factory=dict, repr=False)

    # ---- making -----------------------------------------------------------------------------------------

    @classmethod
    def make(
        cls,
        embeddings: Embeddings,
        labels: np.ndarray,
        recordings: Sequence[str],
        tags: Sequence[str],
        *,
        layer: str,
        method: FewShotMethod | None = None,
        whitening: Whitening | None = None,
        spec: BackboneSpec | None = None,
        choice: LayerChoice | None = None,
        title: str = "Tagger",
        groups: Sequence[str] | None = None,
        in_question: InQuestion | None = None,
    ) -> Tagger:
        """Make a tagger from embedded clips.

        labels: 0/1 (n_clips, n_tags); groups: (n_clips,) a coarser division than recordings, a session or a performer, that
        the figures keep whole; method: unfitted, default ``LCPrototypes()``
        whitening: applied to the embeddings here, and to every query later; kept in the tagger's files
        spec: the backbone's facts (``backbone.spec``) for licence and title; default: the registry's
        choice: the comparison that the layer was chosen by, on these clips. What is to be expected of the choice is kept
            then, not the layer's own figures: it looks best because it was picked for them
        in_question: clips that count as one recording because nobody has said yet whether they are; the card says it
        Its figures are measured by leaving recordings out in pairs (``mirdemo.stages.fewshot.leave_recordings_out``).

        Raises FewShotError as the method's ``fit`` does, TaggerError for a method that cannot be saved.
        """
        from mirdemo import __version__

        spec = spec or _spec(embeddings.identity.name)
        method = method or LCPrototypes()
        if METHODS.get(method.name) is not type(method):
            raise TaggerError(
                "{kind} cannot be taken home. Choose one of {known}.",
                code="tagger.kind",
                kind=method.name,
                known=", ".join(METHODS),
            )
        layers = {} if whitening is None else _needed(whitening, layer)
        if whitening is not None:
            embeddings = whitening.apply(embeddings)
        rows, table = embeddings.matrix(layer), np.asarray(labels)
        whole = recordings if groups is None else groups
        method.fit(rows, table, whole, tags)
        figures = _figures(method, rows, table, whole, choice)
        counts = [(int(c.sum()), len(set(np.asarray(recordings)[c == 1].tolist()))) for c in table.T]
        own = figures.pop("tags") if figures else [None] * len(tags)
        facts = {
            "title": _title(title),
            "tags": [
                {"name": str(tag), "clips": n, "recordings": r, **(said or {"f1": None})}
                for tag, (n, r), said in zip(tags, counts, own, strict=True)
            ],
            "figures": figures,
            "n_clips": len(rows),
            "n_recordings": len(set(np.asarray(recordings).tolist())),
            "in_question": None if in_question is None else in_question.as_dict(),
            **_of_backbone(spec),
            "whitening": None
            if whitening is None
            else {
                "name": whitening.name,
                "layers": {
                    name: [[part.size, part.share] for part in one.parts] for name, one in layers.items()
                },
                "limits": {name: one.limit if one.limit < math.inf else None for name, one in layers.items()},
                "provenance": dict(whitening.provenance),
            },
            "created": _today(),
            "versions": {
                "mirdemo": __version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }
        return cls(
            method.name, method, embeddings.identity, layer, layers, facts, _learned(embeddings.clip_ids)
        )

    @classmethod
    def fine_tuned(
        cls,
        report: FineTuneReport,
        title: str = "Tagger",
        *,
        in_question: InQuestion | None = None,
        clip_ids: Sequence[str] = (),
    ) -> Tagger:
        """What fine-tuning made: the final tail and head, with the cross-validated figures on the card.

        in_question: as ``make`` takes it; clip_ids: SHA-256 of the clips that it was trained on, so that it knows them again

        It knows the tags that could be learned, and works with the backbone it was made from only.
        """
        figures, chance = report.macro.figures, report.macro.chance
        known = [report.tag(name) for name in report.head.tags]
        facts = {
            "title": _title(title),
            "tags": [
                {
                    "name": gain.tag,
                    "clips": gain.positive_clips,
                    "recordings": gain.positive_recordings,
                    "f1": gain.figures.f1.as_dict(),
                    "roc_auc": gain.figures.roc_auc.as_dict(),
                    "verdict": gain.heard,
                }
                for gain in known
            ],
            "figures": {
                "macro_f1": figures.f1.as_dict(),
                "micro_f1": None if figures.micro_f1 is None else figures.micro_f1.as_dict(),
                "roc_auc": figures.roc_auc.as_dict(),
                "mean_average_precision": figures.average_precision.as_dict(),
                "protocol": "cross-validation by recording",
                "n_folds": int(report.folds.max()) + 1,
                "chance_macro_f1": chance.f1,
            },
            "fine_tuned": {
                "blocks": report.n_blocks,
                "parameters": report.trainable_parameters,
                "epochs": report.final_epochs,
                "verdict": report.verdict,
                "smallest_gain": report.smallest_gain,
                "added": report.macro.added.roc_auc.as_dict(),
                "gain": report.macro.gain.roc_auc.as_dict(),
                "probe_whitening": report.probe_whitening,
                "settings": dict(report.settings),
            },
            "n_clips": report.n_clips,
            "n_recordings": report.n_recordings,
            "in_question": None if in_question is None else in_question.as_dict(),
            **_of_backbone(report.spec),
            "whitening": None,
            "created": _today(),
            "versions": {**report.versions, "python": platform.python_version()},
        }
        return cls(report.head.name, report.head, report.identity, LAYER, {}, facts, _learned(clip_ids))

    # ---- taking home and back ---------------------------------------------------------------------------

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.method.tags)

    def has_learned(self, clip: Clip) -> bool:
        """Whether it was made from this very sound, as far as it tells: then what it says of it is no test."""
        return clip.sha256[: 2 * _DIGEST] in self.learned

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the tagger: of all that is in its files but the card."""
        import json

        return json.loads(self.contents()[tagger_file.MANIFEST])["checksum"]

    def contents(self, language: str = "en") -> dict[str, bytes]:
        """The tagger's files: name -> bytes. language: of the card"""
        settings, arrays = self.method.state()
        for name, layer in self.whitening.items():
            for array in _WHITENING_ARRAYS:
                arrays[f"whitening/{name}/{array}"] = getattr(layer, array)
        if self.learned:
            known = bytes.fromhex("".join(sorted(self.learned)))
            arrays[_LEARNED] = np.frombuffer(known, np.uint8).reshape(-1, _DIGEST)
        manifest = {
            "kind": self.kind,
            "layer": self.layer,
            "identity": self.identity.as_dict(),
            "settings": settings,
            **self.facts,
        }
        if self.learned:
            manifest["learned"] = len(self.learned)
        return tagger_file.pack(manifest, arrays, card(manifest, language))

    def save(self, path: str | PathLike[str], language: str = "en") -> Path:
        """Write the tagger to a folder, or to a zip if the name ends in ``.zip``; returns the path. language: of its card

        What is there and is a tagger is replaced. Raises TaggerError if the place cannot be written to.
        """
        path = expanded(path)
        tagger_file.write(self.contents(language), path)
        return path

    @classmethod
    def load(
        cls, source: str | PathLike[str], *, revision: str | None = None, token: str | None = None
    ) -> Tagger:
        """Read a tagger from a folder, a zip, or a Hub repository ``"OWNER/NAME"`` (at ``revision``).

        Raises TaggerError, one sentence, for what is missing, damaged, changed, foreign or newer.
        """
        path = expanded(source)
        if not path.exists() and isinstance(source, str):
            from mirdemo.tagger import hub

            if hub.is_repository(source):
                return cls.of(hub.fetch(source, revision, token), source)
        return cls.of(tagger_file.read(path), called(path))

    @classmethod
    def of(cls, contents: Mapping[str, bytes], name: str = "The tagger") -> Tagger:
        """A tagger from its files' bytes. Raises TaggerError."""
        manifest, arrays = tagger_file.unpack(contents, name)
        try:
            return cls._of(manifest, arrays)
        except TaggerError:
            raise
        except (FewShotError, LabellingError) as refusal:
            raise unreadable(name, _within(refusal.sentence)) from refusal
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            OverflowError,
            RecursionError,
        ) as error:
            raise unreadable(name, Sentence("its parts do not fit together", "tagger.what.parts")) from error

    @classmethod
    def _of(cls, manifest: dict[str, Any], arrays: dict[str, np.ndarray]) -> Tagger:
        from mirdemo.backbones.spec import Identity, Part
        from mirdemo.embedding.whitening import LayerWhitening

        kind = manifest["kind"]
        if kind not in _KINDS:
            raise TaggerError(
                "This tagger decides by {kind}, which this mirdemo does not know. Update mirdemo.",
                code="tagger.unknown_kind",
                kind=str(kind)[:40],
            )
        settings = manifest["settings"]
        if settings.get("max_sets", 0) > MAX_SETS:
            raise ValueError("a limit beyond what is computed here")
        whitening = {}
        if manifest["whitening"] is not None:
            layers = manifest["whitening"]["layers"]
            limits = manifest["whitening"].get("limits") or {}
            for layer, parts in (layers if isinstance(layers, dict) else dict.fromkeys(layers, ())).items():
                kept = {name: arrays.pop(f"whitening/{layer}/{name}") for name in _WHITENING_ARRAYS}
                whitening[layer] = LayerWhitening(
                    **kept,
                    parts=tuple(Part(size, share) for size, share in parts),
                    limit=math.inf if limits.get(layer) is None else float(limits[layer]),
                )
        learned = arrays.pop(_LEARNED, np.zeros((0, _DIGEST), np.uint8))
        if learned.dtype != np.uint8 or learned.ndim != 2 or learned.shape[1] != _DIGEST:
            raise ValueError("digests of another form")
        method = _KINDS[kind].from_state(settings, arrays)
        if list(method.tags) != [tag["name"] for tag in manifest["tags"]]:
            raise ValueError("tags differ")
        rest = (
            "format",
            "format_version",
            "kind",
            "layer",
            "identity",
            "settings",
            "learned",
            "arrays",
            "sha256",
            "checksum",
        )
        facts = {key: value for key, value in manifest.items() if key not in rest}
        identity = of_parts(Identity, manifest["identity"])
        if not isinstance(manifest["layer"], str):
            raise TypeError("a layer is named by text")
        known = frozenset(row.tobytes().hex() for row in learned)
        tagger = cls(kind, method, identity, manifest["layer"], whitening, facts, known)
        card({**manifest})  # a manifest that makes no card lacks something
        row = np.zeros((1, _size(method, arrays)), np.float32)
        if whitening:
            with np.errstate(all="ignore"):  # no method takes what is no number
                row = tagger._whitened(dict.fromkeys(whitening, row))
        tagger._decide(row)  # everything fits, or nothing is returned
        return tagger

    def push(self, repository: str, token: str, *, private: bool = True, language: str = "en") -> str:
        """Upload to the Hub as ``OWNER/NAME`` with the user's own token; returns the page's address. language: of the card

        The repository is made if it is not there. Raises TaggerError.
        """
        from mirdemo.tagger import hub

        return hub.push(self.contents(language), repository, token, private=private)

    # ---- tagging ----------------------------------------------------------------------------------------

    def tag(
        self,
        source: str | PathLike[str] | Clip,
        *,
        backbone: Backbone | None = None,
        store: EmbeddingStore | None = None,
        all_tags: bool = False,
    ) -> list[tuple[str, float, Interval | None]]:
        """Tags of a recording, the clearest first: (tag, score, interval).

        source: a path, or a Clip. backbone: loaded already; else the tagger's own is loaded and kept.
        all_tags: also those that are not given (score 0.5 or less).
        An empty list means "none of these" or unknown; ``decide`` tells which.
        The score is in [0, 1] and no probability. Its interval tells how steady it is through the clip: from leaving
        out each of its windows, None below three windows.

        Raises AudioError for a file that cannot be read, TaggerError for another backbone.
        """
        embeddings = self._embed(source, backbone, store)
        given, scores, _ = self._decide(self.rows(embeddings))
        intervals = self._intervals(embeddings, scores[0])
        order = np.argsort(-scores[0], kind="stable")
        return [
            (self.tags[j], float(scores[0, j]), intervals[j])
            for j in order.tolist()
            if all_tags or given[0, j]
        ]

    def decide(
        self,
        source: str | PathLike[str] | Clip,
        *,
        backbone: Backbone | None = None,
        store: EmbeddingStore | None = None,
    ) -> WindowTags:
        """The whole clip as one window: scores, tags given, and whether it is unknown."""
        embeddings = self._embed(source, backbone, store)
        given, scores, unknown = self._decide(self.rows(embeddings))
        starts = embeddings.window_starts(0)
        seconds = float(starts[-1] - starts[0]) + embeddings.window_seconds
        return WindowTags(starts[:1], seconds, self.tags, scores, given, unknown)

    def tag_windows(
        self,
        source: str | PathLike[str] | Clip,
        *,
        backbone: Backbone | None = None,
        store: EmbeddingStore | None = None,
    ) -> WindowTags:
        """Tags of each window of a recording."""
        embeddings = self._embed(source, backbone, store)
        n = len(embeddings.window_starts(0))
        given, scores, unknown = self._decide(self._mixed(embeddings, np.eye(n)))
        return WindowTags(
            embeddings.window_starts(0), embeddings.window_seconds, self.tags, scores, given, unknown
        )

    @property
    def needs(self) -> Identity:
        """Of the backbone to load for it: where it was fine-tuned torch computes, whatever it was made with."""
        return self.identity.by_torch() if isinstance(self.method, TunedHead) else self.identity

    def check(self, identity: Identity, layers: Sequence[str] = ()) -> None:
        """Raise TaggerError unless this is the backbone the tagger was made with.

        The revision must agree too, unless one side is a local checkpoint with the same weights.
        """
        tuned = isinstance(self.method, TunedHead)
        _check_same(self.needs, identity.by_torch() if tuned else identity)
        if layers and self.layer not in ("mean", LAYER) and self.layer not in layers:
            raise TaggerError(
                "{backbone} has no layer named {layer}, which this tagger listens to. Make the tagger again.",
                code="tagger.no_layer",
                backbone=identity.name,
                layer=self.layer,
            )

    def rows(self, embeddings: Embeddings) -> np.ndarray:
        """What the method sees of embedded clips: float32 (n_clips, dim). Raises TaggerError for another backbone.

        A fine-tuned tagger takes embeddings of ``method.tuned(backbone)``.
        """
        if isinstance(self.method, TunedHead):
            _check_same(self.method.identity(self.identity), embeddings.identity)
            return embeddings.matrix(self.layer)
        self.check(embeddings.identity, embeddings.layer_names)
        if not self.whitening:
            return embeddings.matrix(self.layer)
        return self._whitened(embeddings.layers)

    def _whitened(self, layers: Mapping[str, np.ndarray]) -> np.ndarray:
        white = [layer.apply(layers[name]) for name, layer in self.whitening.items()]
        return np.asarray(np.mean(white, axis=0, dtype=np.float64), np.float32)

    def decide_clips(self, embeddings: Embeddings) -> Decided:
        """Of several embedded clips, each as a whole. Raises TaggerError for another backbone."""
        return Decided(*self._decide(self.rows(embeddings)))

    def listening(self, backbone: Backbone | None = None) -> Backbone:
        """What the tagger listens with: a backbone that is loaded already, else its own, loaded once; with the tagger's
        own last blocks where it was fine-tuned. Raises TaggerError for another backbone."""
        if backbone is None:
            if "backbone" not in self._loaded:
                from mirdemo.backbones import load_backbone

                self._loaded["backbone"] = load_backbone(self.identity.name, **self.needs.again())
            backbone = self._loaded["backbone"]
        self.check(backbone.identity, [layer.name for layer in backbone.spec.layers])
        if not isinstance(self.method, TunedHead):
            return backbone
        if self._loaded.get("base") is not backbone:
            self._loaded["tuned"] = self.method.tuned(backbone)
            self._loaded["base"] = backbone
        return self._loaded["tuned"]

    def rest(self) -> None:
        """Let go of the backbone that ``listening`` has kept."""
        self._loaded.clear()

    def _embed(
        self, source: str | PathLike[str] | Clip, backbone: Backbone | None, store: EmbeddingStore | None
    ) -> Embeddings:
        from mirdemo.embedding.embed import embed
        from mirdemo.sound.audio import Clip, load_clip

        listening = self.listening(backbone)
        clip = source if isinstance(source, Clip) else load_clip(source)
        return embed([clip], listening, store=store)

    def _mixed(self, embeddings: Embeddings, weights: np.ndarray) -> np.ndarray:
        """The only clip as if its windows weighed so much: weights (k, n_windows) -> float32 (k, dim).

        Mixed before they are whitened, as a clip's row is: by parts, the mean of whitened windows is another row.
        """
        from mirdemo.embedding.embed import Embeddings

        layers = {name: (weights @ rows).astype(np.float32) for name, rows in embeddings.windows(0).items()}
        as_clips = Embeddings(embeddings.identity, embeddings.layer_names, layers, ("",) * len(weights), ())
        return self.rows(as_clips)

    def _decide(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n, dim) -> given uint8 (n, n_tags), scores (n, n_tags), unknown bool (n,)."""
        scores = self.method.scores(rows)
        if isinstance(self.method, LCPrototypes):
            decision = self.method.decide(rows)
            return decision.labels, scores, decision.unknown
        return self.method.predict(rows), scores, np.zeros(len(rows), bool)

    def _intervals(self, embeddings: Embeddings, scores: np.ndarray) -> list[Interval | None]:
        """How steady each score is through the clip: (n_tags,) -> an interval each, from leaving out each window."""
        n = len(embeddings.window_starts(0))
        if n < 3:
            return [None] * len(scores)
        without = self.method.scores(self._mixed(embeddings, (1 - np.eye(n)) / (n - 1)))
        influence = (n - 1) / n * (without.mean(axis=0) - without).T
        steady = estimate(scores, influence, np.ones(n), np.arange(n), pairs=False).intervals()
        one_each = [steady.at(j) for j in range(len(scores))]
        return [replace(one, method="jackknife over windows", unit="windows") for one in one_each]


def _of_backbone(spec: BackboneSpec) -> dict[str, Any]:
    facts = {"title": spec.title, "repository": spec.repository, "citation": spec.citation}
    return {"backbone": facts, "licence": spec.licence}


def _learned(clip_ids: Sequence[str]) -> frozenset[str]:
    """Of ids that are SHA-256; a caller of Python may have given others."""
    return frozenset(id[: 2 * _DIGEST] for id in clip_ids if re.fullmatch(r"[0-9a-f]{64}", id))


def _title(text: str) -> str:
    """As it stands on the card: one line, not too long."""
    return " ".join(str(text).split())[:200] or "Tagger"


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def _within(sentence: Sentence) -> Sentence:
    """A sentence as a part of another."""
    return replace(sentence, template=sentence.template.rstrip("."))


def _figures(
    method: FewShotMethod,
    rows: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence[str],
    choice: LayerChoice | None,
) -> dict[str, Any] | None:
    """Figures from leaving recordings out in pairs, as plain data; None where there is one recording only."""
    if len(set(np.asarray(recordings).tolist())) < 2:
        return None
    settings = method.state()[0]
    if choice is None:
        check = leave_recordings_out(rows, labels, recordings, lambda: _fresh(method, settings)).score
    else:
        check = choice.chosen
    figures: dict[str, Any] = {
        name: None if (f := getattr(check, name)) is None else asdict(f) for name in _FIGURES
    }
    figures["protocol"] = "leave recordings out in pairs"
    if choice is not None:
        figures["chosen_from"] = len(choice.candidates)
    figures["chance_macro_f1"] = check.chance_macro_f1
    figures["tags"] = [
        {
            "f1": asdict(tag.f1),
            "roc_auc": None if tag.roc_auc is None else asdict(tag.roc_auc),
            "verdict": tag.verdict,
        }
        for tag in check.tags
    ]
    return figures


def _fresh(method: FewShotMethod, settings: Mapping[str, Any]) -> FewShotMethod:
    """An unfitted method with the same choices."""
    import inspect

    choices = {
        name: settings[name]
        for name in inspect.signature(type(method).__init__).parameters
        if name in settings
    }
    return type(method)(**choices)


def _needed(whitening: Whitening, layer: str) -> dict[str, LayerWhitening]:
    """The whitenings that a layer's rows pass through: all of them for the mean over layers."""
    if layer == "mean":
        return dict(whitening.layers)
    if layer not in whitening.layers:
        raise TaggerError(
            "There is no whitening for layer {layer}. Choose another layer, or none.",
            code="tagger.no_whitening",
            layer=layer,
        )
    return {layer: whitening.layers[layer]}


def _spec(name: str) -> BackboneSpec:
    from mirdemo.backbones.registry import spec

    return spec(name)


def _size(method: FewShotMethod | TunedHead, arrays: Mapping[str, np.ndarray]) -> int:
    """Of the rows that a method read from ``arrays`` takes."""
    if isinstance(method, TunedHead):
        return method.size
    if method.name == "linear":
        return arrays["weights"].shape[0] - 1
    return arrays["support" if "support" in arrays else "prototypes"].shape[1]


def _check_same(own: Identity, other: Identity) -> None:
    same = all(getattr(other, key) == getattr(own, key) for key in _KEYS)
    same = same and (own.dtype == "int8") == (other.dtype == "int8")
    revisions = {other.revision, own.revision}
    if not same or (len(revisions) > 1 and "local" not in revisions):
        raise TaggerError(
            "This tagger was made with {own}, not with {other}. Load that backbone, or make the tagger again.",
            code="tagger.other_backbone",
            own=_label(own),
            other=_label(other),
        )


def _label(identity: Identity) -> str:
    return f"{identity.name} ({identity.revision[:12]}, {identity.fingerprint[:8]}, {identity.dtype})"
