"""The controlled corpora through the interface of the recorded ones: made from a seed, no data needed."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType

from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.facts import CorpusFacts
from mirdemo.corpora.reader import SIDES, Corpus, Item, most_frequent
from mirdemo.sound.audio import Clip
from mirdemo.synth import MODES, TRADITIONS, generate, plan
from mirdemo.synth.render import RATE

PREFIX = "controlled/"
#: Clips on each side, and their length in seconds.
SIZES = {"train": 240, "valid": 60, "test": 120}
SECONDS = 10.0
N_TAGS = 30


class ControlledCorpus(Corpus):
    """One tradition in one mode: ``full``, ``pitch`` (its pitches and rhythms on common timbres) or ``timbre``.

    Clip i of a side is clip i of ``controlled.corpus(tradition, side, n, mode=mode)``. The vocabulary leaves out labels
    that every training clip has: nobody can be asked to tell those apart.
    """

    def __init__(self, tradition: str, mode: str = "full", sizes: dict[str, int] | None = None) -> None:
        if tradition not in TRADITIONS or mode not in MODES:
            raise CorpusError(
                "There is no controlled corpus {name} in mode {mode}. Choose from {traditions}; {modes}.",
                code="corpora.no_controlled",
                name=tradition,
                mode=mode,
                traditions=", ".join(TRADITIONS),
                modes=", ".join(MODES),
            )
        self.name, self.mode = PREFIX + tradition, mode
        self.setting = MappingProxyType({"mode": mode})
        self._tradition = tradition
        self._sizes = sizes or SIZES
        self.facts = CorpusFacts(
            self.name,
            f"Controlled, {tradition}",
            tradition,
            N_TAGS,
            (self._sizes["train"], self._sizes["valid"], self._sizes["test"]),
            "made here from a seed",
            "mirdemo itself",
            page="",
            licence="Apache-2.0",
        )

    @cached_property
    def items(self) -> MappingProxyType:
        made = {}
        for side in SIDES:
            for number in range(self._sizes[side]):
                performance = plan(self._tradition, number, mode=self.mode, split=side, seconds=SECONDS)
                item_id = f"{side}-{number}"
                made[item_id] = Item(item_id, side, performance.recording, performance.tags)
        return MappingProxyType(made)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        taught = [set(item.labels) for item in self.items.values() if item.side == "train"]
        everywhere = set.intersection(*taught)
        return most_frequent((labels - everywhere for labels in taught), N_TAGS)

    def clip(self, item_id: str) -> Clip:
        side, number = item_id.split("-")
        samples, _ = generate(self._tradition, int(number), mode=self.mode, split=side, seconds=SECONDS)
        return Clip.of(samples, RATE, item_id)

    def sound_key(self, item_id: str) -> str:
        """The code makes the sound, so its version is part of the key."""
        from mirdemo import __version__

        return f"{self.name} {self.mode} {item_id} {SECONDS} {RATE} {__version__}"
