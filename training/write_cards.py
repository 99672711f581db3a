"""Write the cards of the embedded backbones from what was really run.

    python training/write_cards.py

Reads ``training.json`` beside the weights, ``on_real_sound.json``, ``on_controlled.json`` and ``on_soundfont.json`` in
``assets/backbones``, which the benchmarks wrote with ``--json``, ``told_apart.jsonl`` there, and the records of the
controlled experiment, of the networks and of those trained again from another seed. Writes ``README.md`` beside the
weights, and one each for ``spectral`` and ``mini-world-spectral``. For any other backbone: ``python -m training.hearing NAME``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import mean, median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import beside_facts, specs
from mirdemo.backbones.on_real_sound import whitening_helps
from mirdemo.backbones.spectral_facts import GROUPS, UNIONS
from mirdemo.results import records as results
from mirdemo.web.tagging import usual_layer
from training import hearing, telling_apart

ASSETS = Path(__file__).resolve().parent.parent / "assets" / "backbones"

SPECTRAL = """# Spectral statistics

No network and no weights: {size} statistics of every 10 s window, measured by formula, in groups that are its layers
({groups}).
Two more layers are groups side by side: `sound` ({sound}), what a clip sounds like whatever its notes, and `all`.
Whitened, each group is a part of the row, of a length that does not change with the clip: 1.5 for timbre, correlation,
contrast and modulation, 1 for the others (chosen by `training/styles.py`). So a cosine is the mean of the groups' cosines,
weighted by the squares of these. It is what the networks beside it have to beat.

## What it hears
{hearing}

## What it was measured to do
{measured}

Licence: Apache-2.0.
"""

BESIDE = """# Mini-World + spectral

A clip measured by formula, beside what a small network makes of it: the {statistics} numbers of `spectral`'s layer
`all` and the {network} of `mini-world`'s last layer, each part divided by the length it has by construction, in one layer
of {size}. Nothing was trained for it: {parameters:,} parameters, all of `mini-world`, whose card says how they were made and
what to beware of. There is nothing in it to fine-tune.

It is offered because the two err differently: see the table below, where it is whitened as one. Unwhitened, degraded sound
undoes it: the statistics move with every room and line, and carry the cosine with them.

## What it hears
{hearing}

The published probe of the controlled experiment was run on `spectral` and on `mini-world`, not on the two together.

## What it was measured to do
{measured}

Licence: Apache-2.0, weights and code.
"""

CARD = """# {title}

{title} turns 10 s windows of music into the states of a small transformer: {parameters:,} parameters, an input
state and {depth} layers of 2 x {width} (mean beside deviation over a window). It was raised on {diet}. Its twin,
`{twin}`, differs in nothing but that and the tags that come with it; between them one can see what the music a network is
raised on does to it.

It is no model of real music. It was trained on no recording, only on the synthesiser and on a soundfont's notes, and
knows nothing that they do not: treat what it says about a tradition as a statement about the experiment.

## Training
- Sound: {clips:,} clips of 10 s: {controlled:,} controlled performances ({diet_tags}; of five, three in full, one "pitch
  only", one "timbre only") and {bands:,} Western bands played by FluidR3 (MIT licence). Each clip is kept twice, as
  rendered and disturbed by rooms, equalisers, band limits and noise. Train splits only.
- Objective: {objective} ({tags} tags of the generator by family, tonic and pulse; and, weighed {statistics:g}, statistics of
  timbre of the crop before anything was done to it), on crops of 4 to 6.4 s with changes of pitch, speed, room, line and
  noise, and of 7 to 9 s at the end. The heads were thrown away.
- Budget: {steps:,} steps of {batch} clips, {of_controlled} of them controlled performances, AdamW at {rate} falling to 0, seed
  {seed}; {minutes:.0f} minutes on {threads} CPU thread of a busy machine. Over the last {last_steps} steps the loss on training
  crops changed by {change:+.1f} %.
- Command: `python training/train_mini.py --name {name} --cache FOLDER --out assets/backbones/{name}` after
  `training/make_clips.py`; see `training/README.md`.

## What it hears
{hearing}

## What it was measured to do
{measured}

## Limits
- Macro figures above are over tags of a synthesiser's own; real corpora are harder.
- {again}
- 10 s windows from 24 kHz; what happens slower or above 11.5 kHz is not heard.

Licence: Apache-2.0, weights and code.
"""

REAL = ["probe", "probe degraded", "3-shot", "3-shot degraded"]
STAGES = ("few-shot", "probe")


def measured() -> str:
    """The tables of the benchmarks, or the plain statement that nothing was measured."""
    real, controlled, soundfont = (
        read(ASSETS / f"on_{name}.json") for name in ("real_sound", "controlled", "soundfont")
    )
    parts = []
    if real:
        rows = [
            f"| {label} | " + " | ".join(shown(figures[m]) for m in REAL) + " |"
            for label, figures in real["figures"].items()
        ]
        parts.append(
            f"Real recordings ({real['n']}, ten Western genres, accuracy, chance 0.10; 3-shot over {real['episodes']} "
            "episodes; degraded: queries through two to four of EQ, band limit, reverb, noise and MP3 at 64 kbit/s against clean "
            "supports; 90 % intervals over recordings; `benchmarks/embedded_on_real_sound.py`):\n\n"
            "| features | linear probe | degraded | 3-shot | degraded |\n|---|---|---|---|---|\n"
            + "\n".join(rows)
        )
        parts.append(whitening(real))
    about = "macro ROC-AUC of a linear probe, {train} training and {test} test recordings a tradition, mean over traditions,"
    about += " chance 0.5; 90 % intervals over test recordings"
    for title, found, script in (
        ("Controlled test splits", controlled, "mini_on_controlled.py"),
        (
            "Guard against learning the synthesiser: tunes it never made, in the same scales and cycles, played by a soundfont, "
            "the tune of the test recordings by programs that neither network heard a tune from, drones and drums by ones they heard",
            soundfont,
            "mini_on_soundfont.py",
        ),
    ):
        if found:
            rows = [
                f"| {family} | " + " | ".join(shown(by[key]) if key in by else "" for key in KEYS) + " |"
                for family, by in found["figures"].items()
            ]
            parts.append(
                f"{title} ({about.format(**found)}; `benchmarks/{script}`):\n\n"
                "| tags | spectral | mini-west | mini-world | world - spectral | world - west | gap of west - gap of world |\n"
                "|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n" + verdict(found["figures"])
            )
    return "\n\n".join(parts) or "Not measured yet."


def whitening(real: dict[str, Any]) -> str:
    """What whitening changes where the page begins, and whether it is on there by itself."""
    rows = []
    for name, effects in real["whitening"].items():
        layer = usual_layer(name)
        cells = [
            shown(effects[stage][layer][kind], sign="+") for stage in STAGES for kind in ("clean", "degraded")
        ]
        on = [stage for stage in STAGES if whitening_helps(name, stage, layer)]
        rows.append(f"| {name}, {layer} | {' | '.join(cells)} | {' and '.join(on) or 'nowhere'} |")
    return (
        "Whitened minus plain on the same recordings, at the layer the page begins with, and where whitening is therefore on "
        "by itself (3-shot: degraded surely better, clean not surely worse; probe, whose clips are of one kind: the other way "
        "round):\n\n"
        "| features | 3-shot | degraded | linear probe | degraded | on for |\n|---|---|---|---|---|---|\n"
        + "\n".join(rows)
    )


def verdict(figures: dict[str, dict[str, list[float]]]) -> str:
    """On which tags `mini-world` is above `spectral`, below it, or neither, as far as the intervals tell."""
    above, below, neither = [], [], []
    for family, by in figures.items():
        if family != "all":
            _, low, high = by["mini-world - spectral"]
            (above if low > 0 else below if high < 0 else neither).append(family)
    says = [
        f"{where} `spectral` on {', '.join(names)}"
        for where, names in (("above", above), ("below", below), ("not told from", neither))
        if names
    ]
    return f"`mini-world` is {'; '.join(says)}."


KEYS = (
    *("spectral", "mini-west", "mini-world"),
    *("mini-world - spectral", "mini-world - mini-west", "gap mini-west - gap mini-world"),
)


def shown(figure: list[float], sign: str = "") -> str:
    value, low, high = (f"{number:{sign}.3f}" for number in figure)
    return f"{value} [{low}, {high}]"


def read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def change(log: list[dict[str, float]]) -> tuple[float, int]:
    """By how many per cent the loss changed over the end of a training log, and over how many steps."""
    before, last = log[-3], log[-1]
    return 100 * (last["loss"] - before["loss"]) / before["loss"], last["step"] - before["step"]


def trained_again(first: results.Results, second: results.Results, title: str) -> str:
    """What another training moved: the macro figure's mean over the traditions, and a single tag's figure."""
    before, after = (
        {
            (r.corpus, r.tag): r.value
            for r in of.headlines().where(model=title, method="probe", metric="roc_auc", mode="full")
        }
        for of in (first, second)
    )
    both = before.keys() & after.keys()
    if not both:
        return "One training seed: another seed would move the figures by an amount that nobody has measured."
    macro = [corpus for corpus, tag in both if tag is None]
    means = [mean(of[corpus, None] for corpus in macro) for of in (before, after)]
    moved = [abs(after[at] - before[at]) for at in both if at[1] is not None]
    return (
        f"One training seed, and what another does to it: trained a second time, the mean macro ROC-AUC of {len(macro)} "
        f"traditions\n  is {means[1]:.3f} instead of {means[0]:.3f} (published probe, everything audible, no interval), and "
        f"a tag's ROC-AUC moved by {median(moved):.3f} in\n  the median and {max(moved):.2f} at most ({len(moved)} tags). The "
        f"intervals above know nothing of this."
    )


def main() -> None:
    tables, records = measured(), results.load(results.SHIPPED / "measured.jsonl")
    groups = ", ".join(f"{name} {size}" for name, size in GROUPS.items())
    spectral = SPECTRAL.format(
        size=sum(GROUPS.values()),
        groups=groups,
        sound=", ".join(UNIONS["sound"]),
        hearing=hearing.card(records, "Spectral statistics", telling_apart.read("spectral")),
        measured=tables,
    )
    write("spectral", spectral)
    beside = specs()["mini-world-spectral"]
    together = BESIDE.format(
        statistics=beside_facts.STATISTICS.size,
        network=beside_facts.NETWORK.layers[-1].size,
        size=beside.layers[-1].size,
        parameters=beside.parameters,
        hearing=hearing.pair_card(telling_apart.read(beside.name)),
        measured=tables,
    )
    write(beside.name, together)
    for name, title, twin in (
        ("mini-west", "Mini-West", "mini-world"),
        ("mini-world", "Mini-World", "mini-west"),
    ):
        record, config = read(ASSETS / name / "training.json"), read(ASSETS / name / "config.json")
        plan, traditions = record["plan"], record["raised_on"]
        many = len(traditions) > 1
        changed, last_steps = change(record["log"])
        text = CARD.format(
            title=title,
            name=name,
            twin=twin,
            parameters=record["parameters"],
            depth=config["depth"],
            width=config["width"],
            diet="synthetic music of six traditions" if many else "synthetic Western music only",
            diet_tags=", ".join(traditions),
            clips=record["clips"],
            controlled=record["clips"] - record["bands"],
            bands=record["bands"],
            objective=plan["objective"],
            tags=record["tags"],
            steps=plan["steps"],
            batch=plan["batch"],
            of_controlled=round(plan["batch"] * plan["share"]),
            statistics=plan["statistics"],
            rate=plan["rate"],
            seed=plan["seed"],
            minutes=record["seconds"] / 60,
            threads=record["threads"],
            change=changed,
            last_steps=last_steps,
            hearing=hearing.card(records, title, telling_apart.read(name)),
            measured=tables,
            again=trained_again(records, results.trained_again(), title),
        )
        write(name, text)


def write(name: str, text: str) -> None:
    (ASSETS / name).mkdir(exist_ok=True)
    (ASSETS / name / "README.md").write_text(text, encoding="utf-8")
    print(ASSETS / name / "README.md")


if __name__ == "__main__":
    main()
