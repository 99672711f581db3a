"""Corpora that cannot be read here and that others have published figures of, by rules of their own.

Isolated sounds stand apart from recordings: a stroke of a drum says nothing of the music that is played on it. Counts of
items and of the largest class are those of MTEB's own description of each task (its ``descriptive_stats``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class ElsewhereFacts:
    """name: as in results; title: of corpus and task; tradition: key of its colour and label

    isolated: whether an item is one stroke or note, not an excerpt of music
    n, n_classes: items and classes of the task; largest: share of the largest class, what always naming it would reach
    licence: as the task's publishers state it, None where they state none
    mteb: what MTEB calls the task; tradition_title, task: language -> words
    """

    name: str
    title: str
    tradition: str
    isolated: bool
    n: int
    n_classes: int
    largest: float
    licence: str | None
    mteb: str
    page: str
    citation: str
    task: Mapping[str, str]
    tradition_title: Mapping[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What is counted: as ``Result.n_unit`` has it."""
        return "isolated sounds" if self.isolated else "excerpts"


_MRIDANGAM = "Anantapadmanabhan, Bellur and Murthy, Modal analysis and transcription of strokes of the mridangam using non-negative matrix factorization, ICASSP 2013"

_FACTS = (
    ElsewhereFacts(
        "gtzan",
        "GTZAN",
        "western",
        isolated=False,
        n=1000,
        n_classes=10,
        largest=100 / 1000,
        licence=None,
        mteb="GTZANGenre",
        page="https://doi.org/10.1109/TSA.2002.800560",
        citation="Tzanetakis and Cook, Musical genre classification of audio signals, IEEE Transactions on Speech and Audio Processing 10(5), 2002",
        task={"en": "genre", "ja": "ジャンル"},
    ),
    ElsewhereFacts(
        "nsynth",
        "NSynth",
        "western",
        isolated=True,
        n=3002,
        n_classes=3,
        largest=1238 / 3002,
        licence="CC-BY-4.0",
        mteb="NSynth",
        page="https://arxiv.org/abs/1704.01279",
        citation="Engel et al., Neural audio synthesis of musical notes with WaveNet autoencoders, ICML 2017",
        task={"en": "source of a note", "ja": "音の出どころ"},
    ),
    ElsewhereFacts(
        "mridangam-stroke",
        "Mridangam",
        "carnatic",
        isolated=True,
        n=6977,
        n_classes=10,
        largest=2164 / 6977,
        licence="CC-BY-4.0",
        mteb="MridinghamStroke",
        page="https://compmusic.upf.edu/mridangam-stroke-dataset",
        citation=_MRIDANGAM,
        task={"en": "kind of stroke", "ja": "打音の種類"},
    ),
    ElsewhereFacts(
        "mridangam-tonic",
        "Mridangam",
        "carnatic",
        isolated=True,
        n=6977,
        n_classes=6,
        largest=1463 / 6977,
        licence="CC-BY-4.0",
        mteb="MridinghamTonic",
        page="https://compmusic.upf.edu/mridangam-stroke-dataset",
        citation=_MRIDANGAM,
        task={"en": "tonic of a stroke", "ja": "打音の主音"},
    ),
    ElsewhereFacts(
        "beijing-opera",
        "Beijing Opera",
        "beijing-opera",
        isolated=True,
        n=236,
        n_classes=4,
        largest=65 / 236,
        licence="CC-BY-4.0",
        mteb="BeijingOpera",
        page="https://compmusic.upf.edu/bo-perc-dataset",
        citation="Tian, Srinivasamurthy, Sandler and Serra, A study of instrument-wise onset detection in Beijing opera percussion ensembles, ICASSP 2014",
        task={"en": "percussion instrument", "ja": "打楽器の種類"},
        tradition_title={"en": "Beijing opera", "ja": "京劇"},
    ),
)

#: name -> facts, recordings first, then isolated sounds, each from Western to distant
ELSEWHERE: Mapping[str, ElsewhereFacts] = MappingProxyType({facts.name: facts for facts in _FACTS})
