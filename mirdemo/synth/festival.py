"""The demonstration set: a small Japanese festival, 36 labelled clips and three to ask about.

Twenty-four recordings of one or two clips: within a recording tonic, scale, tempo, room and instruments stay, the
players change. A clip has about two tags, as people give them who say what leads: most pieces are played by one
instrument, with or without a drum, and some by drums alone. Every tag is on at least eight clips of at least seven
recordings, so that a probe has something to say, and on fewer than half; no tag is another's opposite, which would count
one finding twice. One of the clips to ask about is a procession of forty seconds, in which the players change.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mirdemo.synth import draws
from mirdemo.synth.performance import Performance, Wanted, draw_acoustics, draw_parameters, plan
from mirdemo.synth.render import RATE, render

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.sound.audio import Clip

_SECONDS = 9.0
#: Level of the drums in dB against the leading part: outdoors they are louder than who leads.
_DRUMS_DB = 3.0
_STEPS = 32768  # of 16 bits, to 1
_TEMPI = {"slow": 148.0, "fast": 318.0}  # pulses per minute

#: What the tags are called: readable in English and in Japanese.
TAGS: dict[str, str] = {
    "taiko": "taiko 太鼓",
    "shinobue": "shinobue 篠笛",
    "kane": "kane 鉦",
    "shamisen": "shamisen 三味線",
    "voice": "voice 声",
    "in": "in scale 陰音階",
    "fast": "fast 速い",
}


@dataclass(frozen=True)
class _Take:
    """One clip: who leads (nobody: drums alone), and which drums."""

    melody: tuple[str, ...]
    percussion: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Recording:
    """One recording: its name, what its clips share, and the clips.

    whole: its takes follow one another in one clip
    """

    key: str
    name: str
    scale: str
    tempo: str
    cycle: str
    form: str
    takes: tuple[_Take, ...]
    labelled: bool = True
    whole: bool = False


_RECORDINGS: tuple[_Recording, ...] = (
    _Recording("yatai", "屋台囃子", "Yo", "fast", "Yatai-bayashi", "Dance", (_Take(("Shinobue",), ("Taiko",)), _Take((), ("Taiko",)))),
    _Recording("ondo", "音頭", "Yo", "slow", "Ondo", "Song", (_Take(("Voice",), ("Taiko",)), _Take(("Voice",)))),
    _Recording("hayashi", "祭囃子", "Yo", "fast", "Shoden", "Song", (_Take(("Shinobue",), ("Kane",)), _Take((), ("Kane",)))),
    _Recording("michiyuki", "道行", "In", "slow", "Nagashi", "Song", (_Take(("Shinobue",)), _Take(("Shinobue",)))),
    _Recording("odori", "踊り", "Yo", "fast", "Ondo", "Dance", (_Take(("Shamisen",), ("Taiko",)),)),
    _Recording("yoimiya", "宵宮", "Yo", "slow", "Shoden", "Song", (_Take(("Shamisen",), ("Kane",)), _Take((), ("Kane",)))),
    _Recording("dashi", "山車", "Yo", "slow", "Yatai-bayashi", "Dance", (_Take((), ("Taiko",)),)),
    _Recording("mikoshi", "神輿", "Yo", "slow", "Nagashi", "Song", (_Take(("Voice",), ("Kane",)), _Take((), ("Kane",)))),
    _Recording("komori", "子守唄", "In", "slow", "Ondo", "Song", (_Take(("Voice",)),)),
    _Recording("shishimai", "獅子舞", "Yo", "slow", "Shoden", "Dance", (_Take(("Shinobue",), ("Taiko",)), _Take((), ("Taiko",)))),
    _Recording("bon", "盆踊り", "Yo", "fast", "Ondo", "Song", (_Take(("Voice",), ("Taiko",)),)),
    _Recording("kagura", "神楽", "In", "slow", "Shoden", "Dance", (_Take(("Shinobue",), ("Kane",)),)),
    _Recording("hanagasa", "花笠", "Yo", "fast", "Ondo", "Dance", (_Take(("Voice",)), _Take(("Voice",)))),
    _Recording("sarashi", "晒", "In", "fast", "Yatai-bayashi", "Dance", (_Take(("Shamisen",)),)),
    _Recording("niwaka", "俄", "Yo", "slow", "Nagashi", "Song", (_Take(("Shamisen",), ("Kane",)),)),
    _Recording("okuri", "送り", "In", "slow", "Ondo", "Song", (_Take(("Voice",)),)),
    _Recording("mai", "舞", "Yo", "fast", "Shoden", "Dance", (_Take(("Shinobue",)),)),
    _Recording("sumo", "甚句", "Yo", "slow", "Shoden", "Song", (_Take(("Voice",)), _Take(("Voice",)))),
    _Recording("jiuta", "地唄", "In", "slow", "Nagashi", "Song", (_Take(("Shamisen",)), _Take(("Shamisen",)))),
    _Recording("nagashi", "流し", "Yo", "slow", "Nagashi", "Song", (_Take(("Shamisen",)),)),
    _Recording("kouta", "小唄", "In", "slow", "Ondo", "Song", (_Take(("Shamisen",)),)),
    _Recording("hikiyama", "曳山", "Yo", "fast", "Yatai-bayashi", "Dance", (_Take((), ("Taiko",)), _Take(("Shinobue",), ("Taiko",)))),
    _Recording("dora", "鉦囃子", "Yo", "fast", "Shoden", "Dance", (_Take((), ("Kane",)),)),
    _Recording("kiriko", "切子", "Yo", "fast", "Shoden", "Dance", (_Take((), ("Taiko", "Kane")), _Take((), ("Taiko",)))),
    _Recording("query-night", "問い 夜", "Yo", "fast", "Nagashi", "Song", (_Take(("Shinobue",), ("Taiko",)),), labelled=False),
    _Recording("query-street", "問い 通り", "In", "slow", "Ondo", "Song", (_Take(("Voice",)),), labelled=False),
    _Recording("query-procession", "問い 行列", "Yo", "fast", "Nagashi", "Song", (
        _Take((), ("Taiko",)),
        _Take(("Shinobue",), ("Taiko",)),
        _Take(("Shamisen",)),
        _Take(("Voice",)),
    ), labelled=False, whole=True),
)  # fmt: skip

_HEARD = {
    "Taiko": "taiko",
    "Shinobue": "shinobue",
    "Kane": "kane",
    "Shamisen": "shamisen",
    "Voice": "voice",
}


class FestivalClip(NamedTuple):
    """name: of its file; clip: the sound; tags: what is heard; recording: which one it is from."""

    name: str
    clip: Clip
    tags: tuple[str, ...]
    recording: str


def _performance(recording: _Recording, number: int) -> Performance:
    """One take, with tonic, room and instruments of its recording."""
    take = recording.takes[number]
    key = ("demonstration", recording.key)
    wanted = Wanted(
        form=recording.form,
        scale=recording.scale,
        cycle=recording.cycle,
        tempo=_TEMPI[recording.tempo],
        melody=take.melody,
        percussion=take.percussion,
        backing=(),
    )
    seed = int(draws.generator(*key, number).integers(2**31))
    performance = plan("festival", seed, seconds=_SECONDS, wanted=wanted)
    first = plan("festival", int(draws.generator(*key, 0).integers(2**31)), seconds=_SECONDS)
    room = replace(draw_acoustics(draws.generator(*key, "room"), "train"), noise_db=-52.0, level=-20.0)
    parts = tuple(
        replace(
            part,
            parameters=draw_parameters(draws.generator(*key, part.instrument), part.instrument, "train"),
            gain=_DRUMS_DB if part.role == "percussion" else part.gain,
        )
        for part in performance.parts
        if part.role == "percussion" or part.instrument in take.melody
    )
    return replace(performance, tonic=first.tonic, acoustics=room, parts=parts)


def _tags(recording: _Recording, performance: Performance) -> tuple[str, ...]:
    words = {_HEARD[part.instrument] for part in performance.parts}
    words.add(recording.tempo)
    if any(part.notes for part in performance.parts):  # drums have no scale
        words.add(recording.scale.lower())
    return tuple(TAGS[word] for word in TAGS if word in words)


def _as_written(samples: np.ndarray) -> np.ndarray:
    """As its 16 bits are read again: a tagger made from the set knows the set's files."""
    steps = np.clip(np.round(np.asarray(samples, np.float64) * _STEPS), -_STEPS, _STEPS - 1)
    return (steps / _STEPS).astype(np.float32)


@lru_cache(maxsize=2)
def _made(labelled: bool) -> tuple[FestivalClip, ...]:
    from mirdemo.sound.audio import Clip

    made = []
    for recording in _RECORDINGS:
        if recording.labelled != labelled:
            continue
        performances = [_performance(recording, number) for number in range(len(recording.takes))]
        if recording.whole:
            sound = np.concatenate([render(one, RATE) for one in performances])
            heard = {tag for one in performances for tag in _tags(recording, one)}
            made.append(
                FestivalClip(
                    f"{recording.key} {recording.name}.flac",
                    Clip.of(_as_written(sound), RATE, f"{recording.key} {recording.name}.flac"),
                    tuple(tag for tag in TAGS.values() if tag in heard),
                    f"{recording.key} {recording.name}",
                )
            )
            continue
        for number, performance in enumerate(performances):
            name = f"{recording.key}-{number + 1} {recording.name}.flac"
            clip = Clip.of(_as_written(render(performance, RATE)), RATE, name)
            made.append(
                FestivalClip(name, clip, _tags(recording, performance), f"{recording.key} {recording.name}")
            )
    return tuple(made)


def festival() -> tuple[FestivalClip, ...]:
    """The 36 labelled clips."""
    return _made(labelled=True)


def festival_queries() -> tuple[FestivalClip, ...]:
    """Three clips of further recordings, to be asked about; their tags are the answers."""
    return _made(labelled=False)


def festival_clips() -> LabelledClips:
    """The demonstration set as labelled clips: 36 clips, 7 tags, 24 recordings."""
    from mirdemo.clips import LabelledClips

    clips = festival()
    return LabelledClips.from_clips(
        [one.clip for one in clips], [one.tags for one in clips], [one.recording for one in clips]
    )


def write_festival(folder: str | Path) -> list[Path]:
    """Write the set as files: 36 FLAC files and ``labels.csv`` (file, tags, recording), and the three clips to
    ask about, without labels, in ``queries/``. Returns the paths written. The folder is made if need be. Raises OSError,
    and then no file is left there: half of the set would look like all of it."""
    folder, written = Path(folder), []
    (folder / "queries").mkdir(parents=True, exist_ok=True)
    try:
        for path, content in _contents(folder):
            written.append(path)
            path.write_bytes(content)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what lies in it is not of the set
            (folder / "queries").rmdir()
        raise
    return written


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Each file of the set, the sheet last."""
    import soundfile

    labelled = festival()
    for place, clips in ((folder, labelled), (folder / "queries", festival_queries())):
        for one in clips:
            sound = io.BytesIO()
            steps = (one.clip.samples * _STEPS).astype(np.int16)
            soundfile.write(sound, steps, one.clip.sample_rate, format="FLAC", subtype="PCM_16")
            yield place / one.name, sound.getvalue()
    sheet = io.StringIO(newline="")
    rows = csv.writer(sheet)
    rows.writerow(("file", "tags", "recording"))
    rows.writerows((one.name, "|".join(one.tags), one.recording) for one in labelled)
    yield folder / "labels.csv", sheet.getvalue().encode("utf-8")
