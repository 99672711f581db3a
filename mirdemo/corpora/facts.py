"""What is known about the six corpora before any of their audio is at hand.

Sizes and splits as used by Papaioannou et al. (ISMIR 2023, arXiv 2307.09795) and published at
github.com/pxaris/ccml; the order runs from Western to most distant as that study lists them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CorpusFacts:
    """name: as in results; title: as its authors write it; tradition: key of its colour and label.

    recordings: (train, valid, test) counts of the published split, None where it is not known
    n_tags: size of the published vocabulary
    audio: how one gets the audio
    page: where it is described and asked for
    licence: as its authors state it, and of what; None where they state none
    max_seconds: how much of a recording, from its start, the study of 2023 used; None: all of it
    """

    name: str
    title: str
    tradition: str
    n_tags: int
    recordings: tuple[int | None, int | None, int | None]
    audio: str
    citation: str
    page: str
    licence: str | None = None
    max_seconds: float | None = None

    @property
    def western(self) -> bool:
        return self.tradition == "western"


_INDIAN_ART_MUSIC = (
    "Srinivasamurthy et al., Corpora for music information research in Indian art music, ICMC 2014"
)

CORPORA: dict[str, CorpusFacts] = {
    c.name: c
    for c in (
        CorpusFacts(
            "magnatagatune",
            "MagnaTagATune",
            "western",
            50,
            (None, 1529, 4332),
            "download",
            "Law et al., Evaluation of algorithms using games: the case of music tagging, ISMIR 2009",
            page="https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset",
            licence="CC-BY-NC-SA-3.0",
        ),
        CorpusFacts(
            "fma",
            "FMA-medium",
            "western",
            20,
            (17486, 2498, 4996),
            "download",
            "Defferrard et al., FMA: A dataset for music analysis, ISMIR 2017",
            page="https://github.com/mdeff/fma",
            licence="metadata CC-BY-4.0; audio as each artist chose",
        ),
        CorpusFacts(
            "lyra",
            "Lyra",
            "greek",
            30,
            (None, None, None),
            "from YouTube by the ids and times in its tables",
            "Papaioannou et al., A dataset for Greek traditional and folk music: Lyra, ISMIR 2022",
            page="https://github.com/pxaris/lyra-dataset",
            licence="metadata CC-BY-NC-SA-4.0; audio not licensed",
        ),
        CorpusFacts(
            "makam",
            "Turkish-makam",
            "makam",
            30,
            (3709, 529, 1059),
            "from Dunya on request",
            "Uyar et al., A corpus for computational research of Turkish makam music, DLfM 2014",
            page="https://dunya.compmusic.upf.edu/makam/",
            max_seconds=150.0,
        ),
        CorpusFacts(
            "hindustani",
            "Hindustani",
            "hindustani",
            20,
            (844, 120, 240),
            "from Dunya on request",
            _INDIAN_ART_MUSIC,
            page="https://dunya.compmusic.upf.edu/hindustani/",
            max_seconds=780.0,
        ),
        CorpusFacts(
            "carnatic",
            "Carnatic",
            "carnatic",
            20,
            (1829, 261, 522),
            "from Dunya on request",
            _INDIAN_ART_MUSIC,
            page="https://dunya.compmusic.upf.edu/carnatic/",
            max_seconds=330.0,
        ),
    )
}

#: Traditions from Western to distant, then the festival, which no published corpus covers.
TRADITIONS = ("western", "greek", "makam", "hindustani", "carnatic", "festival")
