"""The card of a tagger: what it is, how good, for what, under which licence. Also its page on the Hub."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import WORDS
from mirdemo.stages.finetuning.verdict import in_words, verdict

#: Licence identifiers of the Hub that differ from SPDX in lower case.
_OTHER = {"licenseref-unknown": "unknown"}


def card(manifest: Mapping[str, Any]) -> str:
    """The card in Markdown with the Hub's front matter, from a tagger's manifest."""
    parts = (_front, _opening, _tags, _how_good, _use_and_limits, _licence, _made_with)
    return "\n".join(line for part in parts for line in part(manifest))


def _front(manifest: Mapping[str, Any]) -> list[str]:
    licence, repository = manifest["licence"], manifest["backbone"]["repository"]
    front = {
        "library_name": "mirdemo",
        "pipeline_tag": "audio-classification",
        "tags": ["mirdemo", "audio", "music", "fine-tuned" if manifest.get("fine_tuned") else "few-shot"],
    }
    if licence:
        front["license"] = _OTHER.get(licence.lower(), licence.lower())
    if repository:
        front["base_model"] = repository
    return [
        "---",
        *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()),
        "---",
        "",
    ]


def _opening(manifest: Mapping[str, Any]) -> list[str]:
    return [
        f"# {_plain(manifest['title'])}",
        "",
        f"A tagger for recordings of music, made with mirdemo on {manifest['created']} from "
        f"{_count(manifest['n_clips'], 'labelled clip')} of {_count(manifest['n_recordings'], 'recording')}. "
        f"It listens with {_plain(manifest['backbone']['title'])}, {_listens(manifest)}, and decides by "
        f"{_METHOD_WORDS.get(manifest['kind'], _plain(manifest['kind']))}.",
        "",
    ]


def _tags(manifest: Mapping[str, Any]) -> list[str]:
    return [
        "## Tags",
        "",
        "| tag | clips | recordings | heard? | ROC-AUC | interval | F1 | interval |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {_plain(tag['name'])} | {tag['clips']} | {tag['recordings']} | {_word(tag)} | {_value(tag.get('roc_auc'))} "
            f"| {_range(tag.get('roc_auc'))} | {_value(tag['f1'])} | {_range(tag['f1'])} |"
            for tag in manifest["tags"]
        ),
        "",
    ]


def _how_good(manifest: Mapping[str, Any]) -> list[str]:
    figures, tuned = manifest["figures"], manifest.get("fine_tuned")
    heading = ["## How good it is", ""]
    if not figures:
        return [*heading, "Not measured: its clips come from one recording, so none could be left out.", ""]
    return [
        *heading,
        _measured(figures, tuned),
        "",
        "| figure | value | interval | level | n |",
        "|---|---|---|---|---|",
        *(
            f"| {words} | {_value(figures[key])} | {_range(figures[key])} | {100 * figures[key]['level']:.0f} % "
            f"| {figures[key]['n']} {_plain(figures[key]['unit'])} |"
            for key, words in _FIGURES.items()
            if figures.get(key)
        ),
        "",
        f"Giving every tag to every clip would have a macro F1 of {figures['chance_macro_f1']:.2f}.",
        *(["", _worth(tuned)] if tuned else []),
        "",
    ]


def _use_and_limits(manifest: Mapping[str, Any]) -> list[str]:
    return [
        "## Intended use",
        "",
        "Suggesting these tags for recordings like those it was made from, with a person who checks them. "
        + (
            "It gives a recording unlike all of them a score for each tag too."
            if manifest.get("fine_tuned")
            else 'A recording unlike all of them may be left without a tag ("unknown").'
        ),
        "",
        "## Limits",
        "",
        f"- It knows only the {_count(len(manifest['tags']), 'tag')} above, and hears them as its few examples show them.",
        "- Scores rank; they are not probabilities.",
        "- Figures come from the few recordings above; on other sound (room, microphone, style) expect less.",
        "- It works only with the backbone, revision and layer named here, and refuses others.",
        "",
    ]


def _licence(manifest: Mapping[str, Any]) -> list[str]:
    licence, title = manifest["licence"], _plain(manifest["backbone"]["title"])
    return [
        "## Licence",
        "",
        f"{_plain(licence)}, inherited from {title}."
        if licence
        else f"The licence of {title} is not known; ask its authors before passing this tagger on.",
        "The files hold the weights of the layers that were trained, not the sound they were trained on."
        if manifest.get("fine_tuned")
        else "The files hold embeddings of the labelled clips, not their sound.",
        "",
    ]


def _made_with(manifest: Mapping[str, Any]) -> list[str]:
    identity = manifest["identity"]
    return [
        "## Use",
        "",
        "```",
        "python -m mirdemo tag --tagger THIS_FOLDER *.mp3 --csv tags.csv",
        "```",
        "",
        "## Made with",
        "",
        f"- backbone: {_plain(identity['name'])}, revision {_plain(identity['revision'])}, "
        f"fingerprint {_plain(identity['fingerprint'][:16])}",
        *(f"- {_plain(name)} {_plain(version)}" for name, version in manifest["versions"].items()),
        "",
    ]


_METHOD_WORDS = {
    "lc-prototypes": "the nearest label combination (LC-Protonets, arXiv 2409.11264)",
    "ml-pn": "one prototype a tag (ML-PN)",
    "ovr": "one prototype a tag (one-vs-rest)",
    "linear": "a linear head (ridge regression)",
    "fine-tuned": "a linear head on them (logistic regression)",
}
_VERDICTS = {
    "worth_it": "worth it",
    "not_worth_it": "not worth it",
    "cannot_tell": "too few recordings to tell whether it was worth it",
}
_FIGURES = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "roc_auc": "macro ROC-AUC",
    "mean_average_precision": "mAP",
}


def _word(tag: Mapping[str, Any]) -> str:
    """Whether a tag is heard, by the one scale; blank for a tagger that was measured before there was one."""
    word = WORDS.get(tag.get("verdict", ""))
    return "" if word is None else str(word)


def _listens(manifest: Mapping[str, Any]) -> str:
    tuned, whitening = manifest.get("fine_tuned"), manifest["whitening"]
    if tuned:
        return (
            f"its last {_count(tuned['blocks'], 'block')} fine-tuned ({tuned['parameters']:,} parameters, "
            f"{_count(tuned['epochs'], 'epoch')})"
        )
    whitened = f", whitened ({_plain(whitening['name'])})" if whitening else ""
    return f"layer {_plain(manifest['layer'])}{whitened}"


def _worth(tuned: Mapping[str, Any]) -> str:
    """The verdict, in the words of the report it comes from. Earlier files hold one difference only."""
    if "added" not in tuned:
        return (
            f"Against a probe of the same backbone without fine-tuning, in the same folds, ROC-AUC changed by "
            f"{_value(tuned['gain'])} ({_range(tuned['gain'])}): {_VERDICTS[tuned['verdict']]}."
        )
    added, gain = (Interval(**tuned[name]) for name in ("added", "gain"))
    if verdict(added, gain, tuned["smallest_gain"]) != tuned["verdict"]:
        raise ValueError("the verdict is not what its figures say")
    whitened = (
        f"whitened with {_plain(tuned['probe_whitening'])}" if tuned["probe_whitening"] else "not whitened"
    )
    return (
        f"{in_words(tuned['verdict'], added, gain)} What training adds is measured against the same head on the same layer "
        f"untrained, in the same folds; the best probe of the same backbone was {whitened}."
    )


def _measured(figures: Mapping[str, Any], tuned: Mapping[str, Any] | None) -> str:
    if tuned:
        return (
            f"Measured by cross-validation in {_count(figures['n_folds'], 'fold')} that never part a recording: each "
            "clip was tagged by a model that had not heard its recording. The tagger itself was trained on all of them."
        )
    if "pairs" not in figures["protocol"]:  # a tagger of an earlier version
        return (
            "Measured on its own support set, each recording tagged by what the others teach "
            "(leave one recording out). A tag that only one recording carries counts as missed."
        )
    measured = (
        "Measured on its own support set, recordings left out in pairs and tagged by what the others teach: figures of a "
        "tagger made from two recordings fewer. A tag that only one recording carries counts as missed. A word rests on "
        "the ranking (ROC-AUC) alone; where it says heard and F1 is low, clips are ranked well, but the tag is given "
        "at the wrong point."
    )
    if figures.get("chosen_from"):
        measured += (
            f" Its layer was chosen among {figures['chosen_from']} by these clips; the figures below it all are those of "
            "choosing anew without the recordings that are tagged, not of the layer that happened to be best."
        )
    return measured


def _plain(text: Any) -> str:
    """Text that neither Markdown nor HTML reads as anything but text, on one line."""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", html.escape(flat, quote=False))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _value(figure: Mapping[str, Any] | None) -> str:
    return "" if not figure or figure["value"] is None else f"{figure['value']:.2f}"


def _range(figure: Mapping[str, Any] | None) -> str:
    if not figure or figure["value"] is None:
        return ""
    return "no interval" if figure["low"] is None else f"{figure['low']:.2f} to {figure['high']:.2f}"
