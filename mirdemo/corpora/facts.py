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
    """

    name: str
    title: str
    tradition: str
    n_tags: int
    recordings: tuple[int | None, int | None, int | None]
    audio: str
    citation: str

    @property
    def western(self) -> bool:
        return self.tradition == "western"


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
        ),
        CorpusFacts(
            "fma",
            "FMA-medium",
            "western",
            20,
            (17486, 2498, 4996),
            "download",
            "Defferrard et al., FMA: A dataset for music analysis, ISMIR 2017",
        ),
        CorpusFacts(
            "lyra",
            "Lyra",
            "greek",
            30,
            (None, None, None),
            "from YouTube by the ids and times in its tables",
            "Papaioannou et al., A dataset for Greek traditional and folk music: Lyra, ISMIR 2022",
        ),
        CorpusFacts(
            "makam",
            "Turkish-makam",
            "makam",
            30,
            (3709, 529, 1059),
            "from Dunya on request",
            "Uyar et al., A corpus for computational research of Turkish makam music, DLfM 2014",
        ),
        CorpusFacts(
            "hindustani",
            "Hindustani",
            "hindustani",
            20,
            (844, 120, 240),
            "from Dunya on request",
            "Srinivasamurthy et al., Corpora for music information research in Indian art music, ICMC 2014",
        ),
        CorpusFacts(
            "carnatic",
            "Carnatic",
            "carnatic",
            20,
            (1829, 261, 522),
            "from Dunya on request",
            "Srinivasamurthy et al., Corpora for music information research in Indian art music, ICMC 2014",
        ),
    )
}

#: Traditions from Western to distant, then the festival, which no published corpus covers.
TRADITIONS = ("western", "greek", "makam", "hindustani", "carnatic", "festival")
