"""Write the cards of the two networks from what was really run.

    python training/write_cards.py

Reads ``training.json`` beside the weights, and ``on_real_sound.json`` and ``on_controlled.json`` in
``assets/backbones``, which the two benchmarks wrote with ``--json``. Writes ``README.md`` beside the weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parent.parent / "assets" / "backbones"

CARD = """# {title}

{title} turns 10 s windows of music into the states of a small transformer: {parameters:,} parameters, an input
state and {depth} layers of 2 x {width} (mean beside deviation over a window). It was raised on {diet}. Its twin,
`{twin}`, differs in nothing but that; between them one can see what the music a network is raised on does to it.

It is no model of real music. It was trained on no recording, only on the synthesiser and on a soundfont's notes, and
knows nothing that they do not: treat what it says about a tradition as a statement about the experiment.

## Training
- Sound: {clips:,} clips of 10 s: {controlled:,} controlled performances ({diet_tags}; of five, three in full, one "pitch
  only", one "timbre only") and {bands:,} Western bands played by FluidR3 (MIT licence). Each clip is kept twice, as
  rendered and disturbed by rooms, equalisers, band limits and noise. Train splits only.
- Objective: {objective} ({tags} tags of the generator by family, tonic and pulse), on crops of 4 to 6.4 s with changes of
  pitch, speed, line and noise. The heads were thrown away.
- Budget: {steps:,} steps of {batch} clips, AdamW at {rate}, seed {seed}; {minutes:.0f} minutes on {threads} CPU thread of a
  busy machine. That is little training: the loss was still falling.
- Command: `python training/train_mini.py --name {name} --cache FOLDER --out assets/backbones/{name}` after
  `training/make_clips.py`; see `training/README.md`.

## What it was measured to do
{measured}

## Limits
- Macro figures above are over tags of a synthesiser's own; real corpora are harder.
- One training seed: another seed would move the figures by an amount that nobody has measured.
- The pulse reader forgets the tempo itself, which `spectral` tells far better.
- 10 s windows from 24 kHz; what happens slower or above 11.5 kHz is not heard.

Licence: Apache-2.0, weights and code.
"""

REAL = ["probe", "probe degraded", "3-shot", "3-shot degraded"]


def measured(name: str, real: dict[str, Any] | None, controlled: dict[str, Any] | None) -> str:
    """The tables, or the plain statement that nothing was measured."""
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
    if controlled:
        rows = [
            f"| {family} | " + " | ".join(shown(by[key]) if key in by else "" for key in KEYS) + " |"
            for family, by in controlled["figures"].items()
        ]
        parts.append(
            f"Controlled test splits (macro ROC-AUC of a linear probe, {controlled['train']} training and "
            f"{controlled['test']} test recordings a tradition, mean over traditions, chance 0.5; 90 % intervals over "
            "test recordings; `benchmarks/mini_on_controlled.py`):\n\n"
            "| tags | spectral | mini-west | mini-world | world - spectral | gap of west - gap of world |\n"
            "|---|---|---|---|---|---|\n" + "\n".join(rows)
        )
    return "\n\n".join(parts) or "Not measured yet."


KEYS = ("spectral", "mini-west", "mini-world", "mini-world - spectral", "gap mini-west - gap mini-world")


def shown(figure: list[float]) -> str:
    value, low, high = figure
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def main() -> None:
    real, controlled = read(ASSETS / "on_real_sound.json"), read(ASSETS / "on_controlled.json")
    for name, title, twin in (
        ("mini-west", "Mini-West", "mini-world"),
        ("mini-world", "Mini-World", "mini-west"),
    ):
        record, config = read(ASSETS / name / "training.json"), read(ASSETS / name / "config.json")
        plan, traditions = record["plan"], record["raised_on"]
        many = len(traditions) > 1
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
            rate=plan["rate"],
            seed=plan["seed"],
            minutes=record["seconds"] / 60,
            threads=record["threads"],
            measured=measured(name, real, controlled),
        )
        (ASSETS / name / "README.md").write_text(text, encoding="utf-8")
        print(ASSETS / name / "README.md")


if __name__ == "__main__":
    main()
