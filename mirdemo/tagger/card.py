"""The card of a tagger: what it is, how good, for what, under which licence. Also its page on the Hub."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from mirdemo.base.build import source
from mirdemo.clips.in_question import InQuestion
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import WORDS
from mirdemo.stages.finetuning.verdict import in_words, verdict
from mirdemo.words.joining import in_a_row
from mirdemo.words.language import Speaker, speaker

#: Licence identifiers of the Hub that differ from SPDX in lower case.
_OTHER = {"licenseref-unknown": "unknown"}


def card(manifest: Mapping[str, Any], language: str = "en") -> str:
    """The card in Markdown with the Hub's front matter, from a tagger's manifest, in one of the page's languages."""
    t = speaker(language)
    parts = (_front, _opening, _tags, _how_good, _use_and_limits, _licence, _made_with)
    return "\n".join(str(line) for part in parts for line in part(manifest, t))


def _front(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    licence, repository = manifest["licence"], manifest["backbone"]["repository"]
    front: dict[str, Any] = {
        "library_name": "mirdemo",
        "pipeline_tag": "audio-classification",
        "tags": ["mirdemo", "audio", "music", "fine-tuned" if manifest.get("fine_tuned") else "few-shot"],
    }
    if t.language != "en":
        front["language"] = t.language
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


def _opening(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    return [
        f"# {_plain(manifest['title'])}",
        "",
        t(
            "card.made",
            created=_plain(manifest["created"]),
            clips=t("card.clips", n=manifest["n_clips"]),
            recordings=t("card.recordings", n=manifest["n_recordings"]),
            backbone=_plain(manifest["backbone"]["title"]),
            listens=_listens(manifest, t),
            method=_method(manifest["kind"], t),
        ),
        "",
        *_in_question(manifest, t),
    ]


def _in_question(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    """Clips that count as one recording until somebody says whether they are, where the figures rest on such."""
    found = InQuestion.from_dict(manifest.get("in_question"))
    return [] if found is None else [t.say(found.sentence), ""]


def _tags(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    return [
        f"## {t('card.tags')}",
        "",
        t("card.tags.columns"),
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {_plain(tag['name'])} | {tag['clips']} | {tag['recordings']} | {_word(tag, t)} | {_value(tag.get('roc_auc'))} "
            f"| {_range(tag.get('roc_auc'), t)} | {_value(tag['f1'])} | {_range(tag['f1'], t)} |"
            for tag in manifest["tags"]
        ),
        "",
    ]


def _how_good(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    figures, tuned = manifest["figures"], manifest.get("fine_tuned")
    heading = [f"## {t('card.good')}", ""]
    if not figures:
        return [*heading, t("card.not_measured"), ""]
    return [
        *heading,
        _measured(figures, tuned, t),
        "",
        t("card.figures.columns"),
        "|---|---|---|---|---|",
        *(
            f"| {t(key)} | {_value(figures[name])} | {_range(figures[name], t)} | {100 * figures[name]['level']:.0f} % "
            f"| {_of(figures[name], t)} |"
            for name, key in _FIGURES.items()
            if figures.get(name)
        ),
        "",
        t("card.chance", value=f"{figures['chance_macro_f1']:.2f}"),
        *(["", _worth(tuned, t)] if tuned else []),
        "",
    ]


def _use_and_limits(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    return [
        f"## {t('card.use_for')}",
        "",
        t("card.use_for.tuned" if manifest.get("fine_tuned") else "card.use_for.few_shot"),
        "",
        f"## {t('card.limits')}",
        "",
        f"- {t('card.limits.tags', tags=t('card.n_tags', n=len(manifest['tags'])))}",
        *(f"- {t(f'card.limits.{name}')}" for name in ("scores", "figures", "backbone")),
        "",
    ]


def _licence(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    licence, title = manifest["licence"], _plain(manifest["backbone"]["title"])
    return [
        f"## {t('card.licence')}",
        "",
        t("card.licence.inherited", licence=_plain(licence), backbone=title)
        if licence
        else t("card.licence.unknown", backbone=title),
        t("card.licence.tuned" if manifest.get("fine_tuned") else "card.licence.few_shot"),
        *([t("card.licence.knows_again")] if manifest.get("learned") else []),
        "",
    ]


def _made_with(manifest: Mapping[str, Any], t: Speaker) -> list[str]:
    identity = manifest["identity"]
    made = {
        "name": _plain(identity["name"]),
        "revision": _plain(identity["revision"]),
        "fingerprint": _plain(identity["fingerprint"][:16]),
    }
    return [
        f"## {t('card.use')}",
        "",
        "```",
        "python -m mirdemo tag --tagger THIS_FOLDER *.mp3 --csv tags.csv",
        "```",
        "",
        _had(t),
        "",
        f"## {t('card.made_with')}",
        "",
        f"- {t('card.made_with.backbone', **made)}",
        *(f"- {_plain(name)} {_plain(version)}" for name, version in manifest["versions"].items()),
        "",
    ]


_METHODS = {"lc-prototypes", "ml-pn", "ovr", "linear", "fine-tuned"}
_FIGURES = {
    "macro_f1": "card.figure.macro_f1",
    "micro_f1": "card.figure.micro_f1",
    "roc_auc": "card.figure.roc_auc",
    "mean_average_precision": "card.figure.map",
}
_VERDICTS = ("worth_it", "not_worth_it", "cannot_tell")


def _method(kind: str, t: Speaker) -> Markup:
    return t(f"card.method.{kind}") if kind in _METHODS else _plain(kind)


def _word(tag: Mapping[str, Any], t: Speaker) -> str:
    """Whether a tag is heard, by the one scale; blank for a tagger that was measured before there was one."""
    word = WORDS.get(tag.get("verdict", ""))
    return "" if word is None else t.say(word)


def _of(figure: Mapping[str, Any], t: Speaker) -> Markup:
    """How many of what a figure is of."""
    if figure["unit"] == "recordings":
        return (
            t("card.recordings", n=figure["n"]) if figure["n"] != 1 else Markup("1 {}").format(t("card.unit"))
        )
    return Markup(f"{figure['n']} ") + _plain(figure["unit"])


def _listens(manifest: Mapping[str, Any], t: Speaker) -> Markup:
    tuned, whitening = manifest.get("fine_tuned"), manifest["whitening"]
    if tuned:
        return t(
            "card.listens.tuned",
            blocks=t("card.blocks", n=tuned["blocks"]),
            parameters=f"{tuned['parameters']:,}",
            epochs=t("card.epochs", n=tuned["epochs"]),
        )
    layer = t("card.listens.layer", layer=_plain(manifest["layer"]))
    return t("card.listens.whitened", layer=layer, name=_plain(whitening["name"])) if whitening else layer


def _worth(tuned: Mapping[str, Any], t: Speaker) -> str:
    """The verdict, in the words of the report it comes from. Earlier files hold one difference only."""
    if "added" not in tuned:
        if tuned["verdict"] not in _VERDICTS:
            raise KeyError(tuned["verdict"])
        return t(
            "card.worth.early",
            gain=_value(tuned["gain"]),
            range=_range(tuned["gain"], t),
            verdict=t(f"card.verdict.{tuned['verdict']}"),
        )
    added, gain = (Interval(**tuned[name]) for name in ("added", "gain"))
    if verdict(added, gain, tuned["smallest_gain"]) != tuned["verdict"]:
        raise ValueError("the verdict is not what its figures say")
    name = tuned["probe_whitening"]
    whitened = t("card.worth.whitened", name=_plain(name)) if name else t("card.worth.plain")
    return t("card.worth", verdict=t.say(in_words(tuned["verdict"], added, gain)), whitened=whitened)


def _measured(figures: Mapping[str, Any], tuned: Mapping[str, Any] | None, t: Speaker) -> str:
    if tuned:
        return t("card.measured.tuned", folds=t("card.folds", n=figures["n_folds"]))
    if "pairs" not in figures["protocol"]:  # a tagger of an earlier version
        return t("card.measured.early")
    measured = t("card.measured.pairs")
    if figures.get("chosen_from"):
        return in_a_row([measured, t("card.measured.chosen", count=figures["chosen_from"])])
    return measured


def _had(t: Speaker) -> Markup:
    """Where the software is had."""
    where = source()
    return t("card.had.at", address=_plain(where)) if where else t("card.had.there")


def _plain(text: Any) -> Markup:
    """Text that neither Markdown nor HTML reads as anything but text, on one line."""
    flat = " ".join(str(text).split())
    return Markup(re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", html.escape(flat, quote=False)))


def _value(figure: Mapping[str, Any] | None) -> str:
    return "" if not figure or figure["value"] is None else f"{figure['value']:.2f}"


def _range(figure: Mapping[str, Any] | None, t: Speaker) -> str:
    if not figure or figure["value"] is None:
        return ""
    if figure["low"] is None:
        return t("card.no_interval")
    return t("card.range", low=f"{figure['low']:.2f}", high=f"{figure['high']:.2f}")
