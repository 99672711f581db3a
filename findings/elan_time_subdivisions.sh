#!/usr/bin/env bash
# One would guess: the library that reads ELAN's files gives each annotation on a tier of times its times, as ELAN shows them, and loses
#   none on the way to a TextGrid.
# What happens: where a stretch was divided and the borders not dragged yet, an .eaf has time slots without a time; ELAN spreads these
#   evenly. pympi-ling 1.71 gives None for them: asked for a stretch it raises TypeError, to_textgrid leaves out every annotation
#   with such a border and says nothing. Of a verse in three parts, drum, flute and voice, the TextGrid's tier has none.
# Why it matters here: songs and prayers are divided so, verse by verse. A tier that is empty after a conversion reads as "nothing is
#   played": every label of it becomes "none of these". Here an .eaf is named as a file that no label is read from; what ELAN itself
#   exports as tab-delimited text, with times for every annotation, is read.
# Seen 2026-11-30, pympi-ling==1.71 from PyPI. Source: this run; the schema (http://www.mpi.nl/tools/elan/EAFv3.0.xsd) has TIME_VALUE as
#   optional; https://search.r-project.org/CRAN/refmans/act/html/import_eaf.html, a reader that puts such times in;
#   https://github.com/dopefishh/pympi/pull/39, where slots without a time broke another call.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pympi-ling==1.71
cd "$work"
"$work/venv/bin/python" - <<'P'
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as tree

import pympi

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def written(path, times):
    """A verse from the first time to the last, its three parts in between; None for a border that nobody dragged."""
    document = tree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "",
            "DATE": "2026-11-30T12:00:00+00:00",
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{XSI}}}noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    tree.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    slots = tree.SubElement(document, "TIME_ORDER")
    for number, at in enumerate(times, 1):
        known = {} if at is None else {"TIME_VALUE": str(at)}
        tree.SubElement(slots, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", **known)
    numbers = iter(range(1, 10))

    def annotate(tier, begin, end, text):
        one = tree.SubElement(
            tree.SubElement(tier, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            ANNOTATION_ID=f"a{next(numbers)}",
            TIME_SLOT_REF1=f"ts{begin}",
            TIME_SLOT_REF2=f"ts{end}",
        )
        tree.SubElement(one, "ANNOTATION_VALUE").text = text

    verses = tree.SubElement(document, "TIER", LINGUISTIC_TYPE_REF="verse", TIER_ID="verse")
    annotate(verses, 1, 4, "first verse")
    parts = tree.SubElement(document, "TIER", LINGUISTIC_TYPE_REF="part", PARENT_REF="verse", TIER_ID="part")
    for begin, text in enumerate(("drum", "flute", "voice"), 1):
        annotate(parts, begin, begin + 1, text)
    tree.SubElement(
        document, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID="verse", TIME_ALIGNABLE="true"
    )
    tree.SubElement(
        document,
        "LINGUISTIC_TYPE",
        CONSTRAINTS="Time_Subdivision",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID="part",
        TIME_ALIGNABLE="true",
    )
    tree.SubElement(document, "CONSTRAINT", DESCRIPTION="no gaps within the parent", STEREOTYPE="Time_Subdivision")
    tree.ElementTree(document).write(path, encoding="UTF-8", xml_declaration=True)
    return pympi.Elan.Eaf(str(Path(path)))


print("pympi-ling", version("pympi-ling"))
seen = {}
for name, times in (("dragged", [500, 1_500, 2_500, 3_500]), ("not dragged", [500, None, None, 3_500])):
    file = written(f"{name}.eaf", times)
    events = file.get_annotation_data_for_tier("part")
    try:
        between = file.get_annotation_data_between_times("part", 600, 1_000)
    except TypeError as error:
        between = type(error).__name__
    grid = {tier.name: [text for _, _, text in tier.get_all_intervals() if text] for tier in file.to_textgrid().get_tiers()}
    seen[name] = (events, between, grid)
    print(f"borders {name}: {events}; between 0.6 and 1 s: {between}; TextGrid: {grid}")
expected = {
    "dragged": (
        [(500, 1_500, "drum"), (1_500, 2_500, "flute"), (2_500, 3_500, "voice")],
        [(500, 1_500, "drum")],
        {"verse": ["first verse"], "part": ["drum", "flute", "voice"]},
    ),
    "not dragged": (
        [(500, None, "drum"), (None, None, "flute"), (None, 3_500, "voice")],
        "TypeError",
        {"verse": ["first verse"], "part": []},
    ),
}
sys.exit(0 if seen == expected else 1)
P
