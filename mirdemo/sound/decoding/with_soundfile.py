"""Reading through libsndfile."""

from __future__ import annotations

import soundfile

from mirdemo.sound.decoding.containers import OGG, Container
from mirdemo.sound.decoding.mono import MonoCollector
from mirdemo.sound.decoding.parts import links_of, parts_of
from mirdemo.sound.decoding.source import Source

_BLOCK_VALUES = 1 << 17  # float32 values held at once, all channels together


def read(source: Source, container: Container, collector: MonoCollector) -> None:
    """Decode ``source`` block by block into ``collector``.

    A read that yields less than the header promised ends the part there: the header is not believed. A damaged frame
    of FLAC raises soundfile.LibsndfileError; FFmpeg reads on behind it, and knows where it lay. Links of an Ogg file
    that libsndfile would not read to their end, or does not know, go to FFmpeg, as do joined files that it refuses.
    """
    parts = parts_of(source, container) if collector.takes_all else [source]
    links = links_of(source) if container is OGG and collector.takes_all else None
    collector.damaged |= links is not None and any(link.hole for link in links)
    exact = container is not OGG  # its length is computed from the pages that are there
    for number, part in enumerate(parts):
        # Where nobody has gone through the pages: libsndfile takes minutes over a few megabytes of what only looks like some.
        beyond = container is OGG and (links is None or links[number].hole or links[number].goes_on)
        if beyond or ((container is OGG or len(parts) > 1) and not _is_known(part)):
            from mirdemo.sound.decoding import with_pyav

            with_pyav.read(part, container, collector)
            continue
        part.seek(0)
        with soundfile.SoundFile(part) as file:
            collector.begin(file.samplerate, file.channels, file.frames, exact=exact)
            frames = max(_BLOCK_VALUES // file.channels, 1)
            while len(block := file.read(frames, dtype="float32", always_2d=True)):
                collector.add(block)


def _is_known(part: Source) -> bool:
    part.seek(0)
    try:
        soundfile.info(part)
    except soundfile.LibsndfileError:
        return False
    return True
