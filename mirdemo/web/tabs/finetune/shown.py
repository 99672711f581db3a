"""From what is known to what the template draws: rows of hardware, tags and costs, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mirdemo.planning.durations import elsewhere
from mirdemo.planning.prices import hardware
from mirdemo.stages.finetuning import CANNOT_TELL, NOT_WORTH_IT, WORTH_IT, Epoch, FineTuneReport
from mirdemo.web.tabs.finetune.outlook import Outlook
from mirdemo.web.tabs.finetune.running import Result, Wanted
from mirdemo.web.tabs.probe.shown import backbone_words, difference_words, figure_words
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec
    from mirdemo.scoring.intervals import Interval
    from mirdemo.web.frame.job import Job

ICONS = {WORTH_IT: "full", NOT_WORTH_IT: "empty", CANNOT_TELL: "warn"}
#: Names as their makers write them.
HARDWARE = {
    "cpu-basic": "CPU basic",
    "t4": "T4",
    "l4": "L4",
    "a10g": "A10G",
    "a100": "A100",
    "h200": "H200",
}
__all__ = ["backbone_words", "cost_rows", "hardware_rows", "money", "phase_words", "tag_rows", "time_words"]


def time_words(t: Speaker, seconds: float) -> str:
    """``about 40 seconds``, ``about 3 minutes``, ``about 2.5 hours``; no finer than an estimate is."""
    unit, count = _rounded(seconds)
    return t(f"fine-tune.time.{unit}", n=count)


def range_words(t: Speaker, least: float, most: float) -> str:
    """``about 15 to 20 seconds``, ``about 40 seconds to about 3 minutes``; one time where both are written the same."""
    (unit, first), (other, last) = _rounded(least), _rounded(most)
    if unit != other:
        return t("fine-tune.time.range", least=time_words(t, least), most=time_words(t, most))
    if first == last:
        return time_words(t, most)
    return t(f"fine-tune.time.range.{unit}", least=first, most=last)


def _rounded(seconds: float) -> tuple[str, int | str]:
    """The unit of an estimate, and how many of it."""
    if seconds < 55:
        return "seconds", max(5, 5 * round(seconds / 5))
    if seconds < 55 * 60:
        return "minutes", max(1, round(seconds / 60))
    return "hours", f"{seconds / 3600:.1f}"


def money(t: Speaker, dollars: float | None) -> str:
    """``$0.12``; under a cent in words; not known in words."""
    if dollars is None:
        return t("fine-tune.money.unknown")
    if dollars == 0:
        return t("fine-tune.money.dollars", dollars="0.00")
    return (
        t("fine-tune.money.cent")
        if dollars < 0.01
        else t("fine-tune.money.dollars", dollars=f"{dollars:.2f}")
    )


def hardware_rows(
    t: Speaker,
    facts: BackboneSpec,
    wanted: Wanted,
    n_windows: int,
    found: Outlook | None,
    here: float | None,
    prices: Mapping[str, float],
) -> list[dict[str, Any]]:
    """A row for every entry of the price list: its price an hour, about how long, what that costs."""
    guessed = elsewhere(facts, wanted.blocks, n_windows, wanted.settings)
    rows = []
    for name, price in prices.items():
        is_here = found is not None and found.hardware == name
        seconds = here if is_here else guessed.get(name)
        rows.append(
            {
                "name": name,
                "title": HARDWARE.get(name, name),
                "here": is_here,
                "price": f"{price:.2f}" if round(price, 2) == price else f"{price:g}",
                "time": None if seconds is None else time_words(t, seconds),
                "money": None if seconds is None else money(t, seconds / 3600 * price),
            }
        )
    return rows


def phase_words(t: Speaker, job: Job, epochs: Sequence[Epoch]) -> str:
    """What is being done, with how much of it where that says something."""
    key = f"fine-tune.phase.{job.phase}"
    if job.phase == "training":
        if not epochs:
            return t("fine-tune.phase.training")
        last = epochs[-1]
        if last.again:
            return t("fine-tune.phase.again", fold=last.run + 1, folds=last.runs - 1, epoch=last.epoch)
        if last.run == last.runs - 1:
            return t("fine-tune.phase.final", epoch=last.epoch)
        return t(
            "fine-tune.phase.fold",
            fold=last.run + 1,
            folds=last.runs - 1,
            epoch=last.epoch,
            epochs=last.epochs,
        )
    words = t(key) if t.has(key) else t("page.phase.other")
    if 1 < job.total <= 1000:
        return t("page.phase.of", phase=words, done=job.done, total=job.total)
    return t("page.phase", phase=words)


def tag_rows(t: Speaker, report: FineTuneReport) -> list[dict[str, Any]]:
    """The mean and each tag: the three figures, both differences, the word."""

    def said(difference: Interval) -> str:
        words = difference_words(t, difference)
        return words[1] if words else t("probe.no_figure")

    return [
        {
            "tag": row.tag,
            "recordings": row.positive_recordings,
            "probed": figure_words(t, row.probed.roc_auc),
            "untrained": figure_words(t, row.untrained.roc_auc),
            "tuned": figure_words(t, row.figures.roc_auc),
            "added": said(row.added.roc_auc),
            "gain": said(row.gain.roc_auc),
            "n": row.gain.roc_auc.n,
            "word": t(f"fine-tune.verdict.{row.verdict}"),
            "icon": ICONS[row.verdict],
        }
        for row in (report.macro, *report.tags)
    ]


def probe_words(t: Speaker, backbone: str, whitened: bool) -> str:
    """What a probe is called beside others: the backbone, and whether it was whitened."""
    name = backbone_words(t, backbone)
    return t("fine-tune.whitened", backbone=name) if whitened else name


def cost_rows(
    t: Speaker, result: Result, found: Outlook | None, prices: Mapping[str, float]
) -> list[dict[str, Any]]:
    """What probing and fine-tuning take from nothing, what they took now, and what it costs on this hardware."""
    name = found.hardware if found is not None else hardware(result.report.device)
    return [
        {
            "stage": stage,
            "seconds": one.seconds,
            "now": result.took(stage),
            "money": money(t, one.dollars),
        }
        for stage, one in result.costs(name, prices).items()
    ]
