"""Tags by family: what a tag is about, from how the corpora write it."""

from __future__ import annotations

#: families in the order of the filter; ``free`` are MagnaTagATune's words, which name no family
FAMILIES = ("makam", "usul", "raga", "tala", "instrument", "place", "genre", "form", "free")
_ALIKE = {"instruments": "instrument", "genres": "genre"}
#: corpora that write their tags without a family
_BY_CORPUS = {"fma": "genre", "magnatagatune": "free"}


def family(corpus: str, tag: str) -> str:
    """``("lyra", "instruments--Voice") -> "instrument"``; of a tag that names none, its corpus's family or ``free``."""
    named, parted, _ = tag.partition("--")
    if not parted:
        return _BY_CORPUS.get(corpus, "free")
    return _ALIKE.get(named, named)


def bare(tag: str) -> str:
    """The tag without its family: ``"makam--Hicaz" -> "Hicaz"``."""
    return tag.rpartition("--")[2]
