"""A saved visit: labelled clips with everything that was found out about them, in one zip that any zip program opens.

    visit.json           what is in it: version, each clip's name, hash and place, checksums
    labels.csv           file, tags, recording (and session): a plain sheet
    audio/…              the clips, without loss (``sound.lossless``); left out where only their hashes are kept
    queries/…            sounds that were asked about and are no labelled clips
    results/NAME.json    what each part of the page found, as plain data
    results/arrays.safetensors   arrays too long for JSON

``LabelledClips.from_zip`` reads its clips and labels; ``read_visit`` all of it, or nothing. Formats are told apart by
``format_version``; old ones stay readable (``tests/golden``).
"""

from mirdemo.clips.visit.entries import FORMAT, FORMAT_VERSION, MANIFEST, Entry, Visit
from mirdemo.clips.visit.reading import is_visit, read_visit
from mirdemo.clips.visit.writing import write_visit

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "MANIFEST",
    "Entry",
    "Visit",
    "is_visit",
    "read_visit",
    "write_visit",
]
