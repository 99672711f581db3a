"""What a user takes home: a tagger made from a support set, in one folder, zip or Hub repository.

>>> tagger = Tagger.make(embeddings, labelled.labels, labelled.recordings, labelled.tags, layer="all")
>>> tagger.save("festival.zip")
>>> Tagger.load("festival.zip").tag("dance.mp3")
[('shamisen', 0.83, Interval(...)), ...]
"""

from mirdemo.tagger.archive import ArchiveReport, tag_archive
from mirdemo.tagger.file import TaggerError
from mirdemo.tagger.tagger import Tagger, WindowTags

__all__ = ["ArchiveReport", "Tagger", "TaggerError", "WindowTags", "tag_archive"]
