"""Tags of other traditions inside a Western corpus: how well a model finds them beside its other tags.

A tag's average precision says little by itself, since rare tags score lower, and names of instruments score higher than
words such as "weird" or one of several that mean the same. So it is held against three things, each of the same model:
the mean of all its other tags, its ``NEAREST`` tags of like rarity, and the tags of like kind (instruments, styles) that
are nearest in rarity. The interval of a difference is Student's over the tags held against (how much it would move with
other such tags), the spread of the model's own runs added; what other test recordings would do to it is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mirdemo.results.records import Result
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.variances import added

#: how many tags of like rarity a tag is held against, and how many of like rarity and kind
NEAREST, NEAREST_OF_KIND = 10, 6
AGAINST = ("mean", "rarity", "kind")
#: MagnaTagATune's tags of another tradition than the Western ones, and which of its others are of their kind
STYLES = frozenset(
    {
        *("ambient", "choral", "classical", "country", "dance", "electronic"),
        *("metal", "new age", "opera", "pop", "rock", "techno"),
    }
)
INSTRUMENTS = frozenset(
    ("cello", "drums", "flute", "guitar", "harp", "harpsichord", "piano", "strings", "synth", "violin")
)
OTHERS: Mapping[str, frozenset[str]] = {"indian": STYLES, "sitar": INSTRUMENTS}


@dataclass(frozen=True)
class Beside:
    """One tag of one model beside others of the same model.

    value: its average precision; support: test recordings that carry it
    minus: of ``AGAINST`` -> the difference, with its interval and how many tags it is held against
    """

    model: str
    tag: str
    value: float
    support: int
    minus: Mapping[str, Interval]


def beside(
    records: Iterable[Result],
    support: Mapping[str, int],
    others: Mapping[str, Collection[str]] = OTHERS,
) -> list[Beside]:
    """Every tag of ``others`` of every model that has it, models by name.

    records: average precision a tag, of one corpus and protocol; their spread between runs under ``setting`` ``sd`` and
        ``seeds``
    support: tag -> test recordings that carry it
    others: tag -> the tags of its kind
    """
    by_model: dict[str, dict[str, Result]] = {}
    for record in records:
        if record.tag is not None and record.tag in support:
            by_model.setdefault(record.model, {})[record.tag] = record
    found = []
    for model, of in sorted(by_model.items()):
        plain = [tag for tag in of if tag not in others]
        for tag in (t for t in others if t in of):
            near = sorted(plain, key=lambda one: abs(np.log(support[one] / support[tag])))
            held = {
                "mean": plain,
                "rarity": near[:NEAREST],
                "kind": [one for one in near if one in others[tag]][:NEAREST_OF_KIND],
            }
            minus = {
                name: _minus(of[tag], [of[one].value for one in against])
                for name, against in held.items()
                if len(against) > 1
            }
            found.append(Beside(model, tag, of[tag].value, support[tag], minus))
    return found


def _minus(record: Result, against: list[float]) -> Interval:
    values = np.array(against)
    parts = [(float(values.var(ddof=1)) / len(values), len(values) - 1.0)]
    runs, spread = int(record.setting.get("seeds") or 0), float(record.setting.get("sd") or 0)
    if runs > 1 and spread > 0:
        parts.append((spread**2 / runs, runs - 1.0))
    return added(
        record.value - float(values.mean()),
        parts,
        len(values),
        method="t over tags, runs added",
        unit="tags",
        least=-1.0,
    )
