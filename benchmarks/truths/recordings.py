"""Tags drawn by lot over recordings that were cut into clips: how often does the live probe hear them?

The clips come as people have them: as files, whose names say more or less of the recordings. Nothing is heard in a lot, so a
word other than "not heard" and "too few" is false. ``by default``: as they are counted before anybody has answered: what the
page asks about ("are these from one performance?", "parts of what?") as one recording. Where all are one nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.truths import Rate, build, share
from benchmarks.truths.worlds import World

SHARE = 0.375
#: How the files of recording ``r`` are called, clip ``i`` of it, file ``at`` of all.
HABITS: dict[str, Callable[[int, int, int], str]] = {
    "night3-2": lambda r, i, at: f"night{r}-{i + 1}.wav",
    "2024-08-04 part 2": lambda r, i, at: f"2024-08-{r + 1:02d} part {i + 1}.wav",
    "r3_10-20": lambda r, i, at: f"r{r}_{10 * i}-{10 * i + 10}.wav",
    "part17": lambda r, i, at: f"part{at}.wav",
    "017": lambda r, i, at: f"{at:03}.wav",
}


def recordings_of(names: list[str]) -> np.ndarray:
    """What this build makes of the names: before there was a reading of names, a file was a recording."""
    try:
        by_name = build("mirdemo.clips.recordings").by_name
    except ImportError:
        return np.array([name.rpartition(".")[0] for name in names])
    return np.array(by_name(names).recordings)


def counted(rows: np.ndarray, names: list[str]) -> np.ndarray:
    """As the clips are counted before anybody has answered; by their names alone in a build that counts no such thing."""
    try:
        heard = build("mirdemo.clips.heard").Heard
    except ImportError:
        return recordings_of(names)
    clip, labelled = build("mirdemo.sound.audio").Clip, build("mirdemo.clips").LabelledClips
    clips = [
        clip.of(np.array([0.1, at / 1e6]), 8_000, name) for at, name in enumerate(names)
    ]  # the sound is in the rows
    made = labelled.from_clips(clips, [()] * len(clips))
    made.hear(heard({one.sha256: row for one, row in zip(made.clips, rows, strict=True)}))
    return np.array(made.counted)


def rates(collections: int) -> Iterator[Rate]:
    probe = build("mirdemo.stages.probing", "mirdemo.probing").probe
    for recordings, clips in ((8, 3), (12, 6), (20, 6)):
        world = World(recordings, clips, SHARE, strengths=(0.0,))
        words: dict[tuple[str, str], list[str]] = {}
        for seed in range(collections):
            drawn = world.draw(seed)
            rows, known = next(iter(drawn.layers.values())), {}
            for habit, named in HABITS.items():
                names = [
                    named(int(r), int((drawn.recordings[:at] == r).sum()), at)
                    for at, r in enumerate(drawn.recordings)
                ]
                said = recordings_of(names)
                for how, parted in (("by name", said), ("by default", counted(rows, names))):
                    codes = np.unique(parted, return_inverse=True)[1]
                    first = {code: at for at, code in reversed(list(enumerate(codes)))}
                    same = np.array(
                        [first[code] for code in codes]
                    )  # one division under several names is asked once
                    if same.tobytes() not in known:
                        known[same.tobytes()] = _word(probe, drawn, same)
                    words.setdefault((habit, how), []).append(known[same.tobytes()])
        for (habit, how), found in words.items():
            cell = f"{recordings} recordings x {clips}, called {habit}"
            yield share(
                cell, f"heard or partly heard, {how}", [one in ("heard", "partly_heard") for one in found]
            )


def _word(probe: Callable, drawn: object, recordings: np.ndarray) -> str:
    try:
        return probe(drawn.layers, drawn.labels, recordings, permutations=200).tags[0].verdict
    except Exception as refused:  # too few recordings to part: nothing is said
        if not hasattr(refused, "sentence"):
            raise
        return "refused"
