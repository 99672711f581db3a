"""What a backbone hears, attribute by attribute: a card from its records on the controlled corpora.

    python -m training.hearing mert-95m [--results FILE.jsonl] [--store DIR] [--out CARD.md]

Measures what is not in the file yet (the published probe on the six controlled corpora, as
``python -m mirdemo evaluate`` does), and which modes and rhythm cycles are told apart two by two
(``training/telling_apart.py``), then writes the card: for any backbone that mirdemo can load.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mirdemo.results.records import Result, Results, load, own_file
from training.telling_apart import Pair

PROTOCOL = "papaioannou2025"
CHANCE = 0.5
#: family of tags -> what the card calls it
FAMILIES = {
    "instrument": "instruments",
    "mode": "modes",
    "rhythm": "rhythm cycles",
    "tempo": "tempo",
    "form": "form",
}
#: Heard well: this share of the tags above chance, and this ROC-AUC at the middle tag; heard in part: half of them.
WELL_SHARE, WELL_MEDIAN, PART_SHARE = 0.9, 0.8, 0.5
#: Pairs named of each family.
NAMED = 3


@dataclass(frozen=True)
class Family:
    """The tags of one family over all controlled traditions, each by the ROC-AUC of a probe trained for it.

    records: one a tag and tradition, from worst to best
    """

    name: str
    records: tuple[Result, ...]

    @property
    def heard(self) -> tuple[Result, ...]:
        """Those whose interval lies above chance."""
        return tuple(r for r in self.records if r.low is not None and r.low > CHANCE)

    @property
    def missed(self) -> tuple[Result, ...]:
        """Those whose interval holds chance."""
        return tuple(r for r in self.records if r.low is not None and r.low <= CHANCE)

    @property
    def middle(self) -> float:
        return median(r.value for r in self.records)

    @property
    def grade(self) -> str:
        """``well``, ``part`` or ``hardly``."""
        share = len(self.heard) / len(self.records)
        if share >= WELL_SHARE and self.middle >= WELL_MEDIAN:
            return "well"
        return "part" if share >= PART_SHARE else "hardly"


def families(records: Results, model: str, mode: str = "full") -> list[Family]:
    """The families of ``FAMILIES`` that were measured for a model (its title), the newest record of each tag."""
    wanted = records.where(
        model=model, mode=mode, method="probe", protocol=PROTOCOL, metric="roc_auc", source="measured"
    )
    newest = {(r.corpus, r.tag): r for r in wanted if r.tag and r.corpus.startswith("controlled/")}
    by = {name: [r for (_, tag), r in newest.items() if tag.split("--")[0] == name] for name in FAMILIES}
    return [
        Family(name, tuple(sorted(rows, key=lambda r: (r.value, r.corpus, r.tag))))
        for name, rows in by.items()
        if rows
    ]


def sentence(found: Sequence[Family]) -> str:
    """One line: what is heard well, in part, hardly, and what is not told from chance."""
    graded = {"well": [], "part": [], "hardly": []}
    for family in found:
        graded[family.grade].append(FAMILIES[family.name])
    says = [
        f"{verb} {_listed(names)}"
        for verb, names in zip(("hears", "hears in part", "hardly hears"), graded.values(), strict=True)
        if names
    ]
    missed = [_short(r) for family in found for r in family.missed]
    if missed:
        says.append(f"does not reliably tell {_listed(missed)} from the rest of the tradition")
    text = "; ".join(says)
    return text[:1].upper() + text[1:] + "."


def told_apart(pairs: Sequence[Pair]) -> str:
    """How many pairs of each family are told apart, and the closest of those that are not."""
    counted, missed = [], []
    for family in dict.fromkeys(pair.family for pair in pairs):
        mine = [pair for pair in pairs if pair.family == family]
        close = sorted((pair for pair in mine if not pair.told), key=lambda pair: pair.auc.value)
        counted.append(f"{len(mine) - len(close)} of {len(mine)} pairs of {FAMILIES[family]}")
        missed += [
            f"{pair.one} from {pair.other} ({pair.tradition}, {_figure(pair)})" for pair in close[:NAMED]
        ]
    text = f"Two by two, tells {_listed(counted)} apart"
    return f"{text}; does not tell {_listed(missed)}." if missed else f"{text}."


def pair_card(pairs: Sequence[Pair]) -> str:
    """The sentence about pairs, and how they were measured."""
    sizes = [pair.auc.n for pair in pairs]
    return (
        f"{told_apart(pairs)} ROC-AUC of a logistic regression between the two (mean over layers, or the last where their "
        f"sizes differ), on controlled test clips that have one of them ({min(sizes)} to {max(sizes)} recordings a pair, {100 * pairs[0].auc.level:.0f} % intervals over recordings); "
        f"not told: the interval does not lie above 0.5. At most {NAMED} of each family are named, the lowest first."
    )


def card(records: Results, model: str, pairs: Sequence[Pair] = ()) -> str:
    """Markdown: the sentence, a table of families, the same in the other two modes where they were measured, and the
    pairs of modes and rhythm cycles.

    pairs: of this model, in the mode ``full``
    """
    found = families(records, model)
    if not found:
        return f"{model} has not been measured on the controlled corpora yet."
    head = (
        "| tags | above chance | ROC-AUC of the middle tag | worst tag | best tag |\n|---|---|---|---|---|\n"
    )
    parts = [sentence(found), head + "\n".join(map(_row, found))]
    for mode, title in (("pitch", "Pitch only: the same timbres for all traditions"),
                        ("timbre", "Timbre only: the same pitches and rhythms for all traditions")):  # fmt: skip
        other = families(records, model, mode)
        if other:
            parts.append(f"{title}. {sentence(other)}\n\n{head}" + "\n".join(map(_row, other)))
    if pairs:
        parts.append(pair_card(pairs))
    n = sorted({r.n for family in found for r in family.records})
    seeds = sorted({r.setting.get("seeds") for family in found for r in family.records}, key=str)
    parts.append(
        "ROC-AUC of the published probe on each controlled tradition's test split, "
        f"n = {_listed(n)} recordings a tradition, {_listed(seeds)} seeds, chance 0.5, "
        f"{100 * found[0].records[0].level:.0f} % intervals over recordings; above chance: the interval is. Some tags "
        "in twenty would be above or below it by luck."
    )
    return "\n\n".join(parts)


def _row(family: Family) -> str:
    worst, best = family.records[0], family.records[-1]
    return (
        f"| {FAMILIES[family.name]} | {len(family.heard)} of {len(family.records)} | {family.middle:.2f} | "
        f"{_shown(worst)} | {_shown(best)} |"
    )


def _shown(record: Result) -> str:
    if record.low is None:
        return f"{_short(record)} {record.value:.2f} (no interval)"
    return f"{_short(record)} {record.value:.2f} [{record.low:.2f}, {record.high:.2f}]"


def _figure(pair: Pair) -> str:
    return f"{pair.auc.value:.2f} [{pair.auc.low:.2f}, {pair.auc.high:.2f}]"


def _short(record: Result) -> str:
    return f"{record.tag.split('--', 1)[1]} ({record.corpus.split('/')[1]})"


def _listed(items: Iterable[object]) -> str:
    *most, last = [str(item) for item in items]
    return f"{', '.join(most)} and {last}" if most else last


def main() -> int:
    from mirdemo.backbones import load_backbone
    from mirdemo.backbones.registry import spec
    from mirdemo.base.home import home
    from mirdemo.embedding.store import EmbeddingStore
    from training import telling_apart
    from training.controlled_experiment import measure

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("backbone")
    parser.add_argument("--modes", nargs="+", default=["full"], choices=["full", "pitch", "timbre"])
    parser.add_argument("--results", type=Path, help="records, read and added to (default: your own file)")
    parser.add_argument("--store", type=Path, help="where embeddings are kept")
    parser.add_argument("--out", type=Path, help="write the card here (default: print it)")
    loading = argparse.ArgumentParser(add_help=False)
    for option, default in (("--checkpoint", None), ("--device", "auto"), ("--dtype", "auto")):
        loading.add_argument(option, default=default)
    args, more = parser.parse_known_args()
    file = args.results or own_file()
    worst = measure([args.backbone], args.modes, ["probe"], results=file, store=args.store, more=more)
    how, _ = loading.parse_known_args(more)
    backbone = load_backbone(args.backbone, how.checkpoint, how.device, how.dtype)
    pairs = telling_apart.measure(backbone, EmbeddingStore(args.store or home() / "corpora" / "embeddings"))
    text = card(load(file), spec(args.backbone).title, pairs)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
