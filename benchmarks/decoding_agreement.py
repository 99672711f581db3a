"""Do we hear what FFmpeg's own program hears? Generated files of every kind and oddity, decoded by both.

Each file holds half a second of silence, a second of tone and half a second of silence. It is right if length (10 ms),
first onset (5 ms) and level (0.1 dB) equal FFmpeg's decode of the same file, or length and onset those of the sound that
was written (FFmpeg takes bytes behind an AU for sound, stops at bytes between links of an Ogg file and at the end of the first of many joined files, and its version 5 leaves
out a joined FLAC's seam), or if neither finds anything in it; told if a warning or refusal says what is different; silent if
neither. Beside it, in the same run, what libsndfile alone makes of the files, as most programs of the
field read them.

    python -m benchmarks.decoding_agreement [--keep FOLDER]

Needs the ffmpeg program (5 or later) on the path.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LENGTH, ONSET, LEVEL = 0.010, 0.005, 0.1
#: (extension, codec, more options): with every rate and channel count below that the codec takes.
PLAIN = [
    *(("wav", f"pcm_{kind}") for kind in ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")),
    ("wav", "adpcm_ms"), ("wav", "adpcm_ima_wav"),
    ("w64", "pcm_s16le"), ("aiff", "pcm_s16be"), ("aiff", "pcm_s24be"), ("au", "pcm_s16be"), ("au", "pcm_mulaw"),
    ("caf", "pcm_s16be"), ("caf", "alac"), ("flac", "flac"), ("ogg", "libvorbis"), ("ogg", "flac"), ("opus", "libopus"),
    ("mp3", "libmp3lame"), ("mp2", "mp2"), ("aac", "aac"), ("m4a", "aac"), ("m4a", "alac"), ("mov", "pcm_s16be"), ("mov", "pcm_s24le"),
    ("mka", "aac"), ("mka", "flac"), ("mka", "libopus"), ("mka", "libvorbis"), ("mka", "ac3"), ("mka", "libmp3lame"), ("mka", "pcm_s16le"),
    ("mka", "tta"), ("mka", "wavpack"), ("webm", "libopus"), ("webm", "libvorbis"), ("avi", "libmp3lame"), ("avi", "ac3"), ("avi", "pcm_s16le"),
    ("ts", "aac"), ("ts", "mp2"), ("ts", "ac3"), ("mpg", "mp2"), ("mpg", "ac3"), ("flv", "aac"), ("flv", "libmp3lame"), ("asf", "wmav1"),
    ("asf", "wmav2"), ("wv", "wavpack"), ("tta", "tta"), ("ac3", "ac3"), ("eac3", "eac3"),
]  # fmt: skip
SHAPES = ((44_100, 1), (48_000, 2), (16_000, 1))
LOW_RATES = (8_000, 11_025, 22_050, 24_000, 32_000)


def ffmpeg(*args: str, data: bytes | None = None) -> bytes | None:
    done = subprocess.run(
        ["ffmpeg", "-nostdin" if data is None else "-hide_banner", "-v", "error", "-y", *args],
        input=data,
        capture_output=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def sound(rate: int, channels: int, seconds: float = 2.0) -> np.ndarray:
    wave = np.zeros((round(seconds * rate), channels), "<f4")
    wave[rate // 2 : rate * 3 // 2] = 0.5 * np.cos(2 * np.pi * 440 * np.arange(rate) / rate)[:, None]
    return wave


def encode(path: Path, codec: str, rate: int, channels: int, *more: str) -> bytes | None:
    made = ffmpeg(
        "-f", "f32le", "-ar", str(rate), "-ac", str(channels), "-i", "pipe:0", "-c:a", codec, "-strict", "-2", *more, str(path),
        data=sound(rate, channels).tobytes(),
    )  # fmt: skip
    return path.read_bytes() if made is not None and path.exists() else None


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name of the case and its file."""
    kept: dict[tuple[str, str], bytes] = {}
    for extension, codec in PLAIN:
        for rate, channels in SHAPES:
            path = folder / f"{codec}_{rate}_{channels}.{extension}"
            data = encode(path, codec, rate, channels)
            if data is not None:
                kept.setdefault((extension, codec), data)
                yield "plain", path
    for rate in LOW_RATES:
        for extension, codec, more in (
            ("mp3", "libmp3lame", ("-b:a", "16k")),
            ("m4a", "aac", ()),
            ("mp3", "libmp3lame", ("-q:a", "4")),
        ):
            path = folder / f"low_{codec}_{rate}{''.join(more)}.{extension}"
            if encode(path, codec, rate, 1, *more) is not None:
                yield "low rate", path

    def write(case: str, name: str, data: bytes) -> tuple[str, Path]:
        path = folder / f"{case.replace(' ', '_')}_{name}"
        path.write_bytes(data)
        return case, path

    def held(*kinds: tuple[str, str]) -> Iterator[tuple[str, str, bytes]]:
        """Extension, codec and content of those that FFmpeg could write here."""
        return ((*kind, kept[kind]) for kind in kinds if kind in kept)

    id3 = b"ID3\x04\x00\x00\x00\x01\x6a\x30" + bytes(30_000)
    wav, flac, ogg, opus = ("wav", "pcm_s16le"), ("flac", "flac"), ("ogg", "libvorbis"), ("opus", "libopus")
    mp3, mp2, aac = ("mp3", "libmp3lame"), ("mp2", "mp2"), ("aac", "aac")
    for extension, codec, data in held(wav, ("aiff", "pcm_s16be"), ("au", "pcm_s16be"), flac, ogg, mp3, aac):
        yield write("tag in front", f"{codec}.{extension}", id3 + data)
        yield write("zeros behind", f"{codec}.{extension}", data + bytes(3_000))
        yield write("tag behind", f"{codec}.{extension}", data + b"TAG" + bytes(125))
        yield write("cut in half", f"{codec}.{extension}", data[: len(data) // 2])
    for extension, codec, data in held(mp3, aac, ogg, opus, flac, mp2):
        yield write("joined", f"{codec}.{extension}", data + data)
    for extension, codec, data in held(
        *(wav, ("aiff", "pcm_s16be"), ("au", "pcm_s16be"), ("w64", "pcm_s16le"), ("caf", "pcm_s16be")),
        *(("wv", "wavpack"), ("tta", "tta"), ("m4a", "alac")),
    ):
        yield write("joined", f"{codec}.{extension}", data + data)
    for extension, codec, data in held(ogg, opus, flac, mp3):
        yield write("joined", f"zeros_between_{codec}.{extension}", data + bytes(5_000) + data)
        yield write("joined", f"tag_between_{codec}.{extension}", data + id3 + data)
    for extension, codec, data in held(("ac3", "ac3"), ("eac3", "eac3"), ("ts", "mp2"), ("mpg", "mp2")):
        yield write("begins late", f"zeros_{codec}.{extension}", bytes(417) + data)
        yield write("begins late", f"text_{codec}.{extension}", b"HTTP/1.1 200 OK\r\n\r\n" + data)
    for extension, codec, data in held(mp3, mp2, aac):
        yield write("begins late", f"zeros_{codec}.{extension}", bytes(417) + data)
        yield write("begins within a frame", f"{codec}.{extension}", data[150:])
    mka, webm, mov = ("mka", "libopus"), ("webm", "libopus"), ("mov", "pcm_s16be")
    for extension, codec, data in held(
        ("m4a", "aac"), mka, webm, ("asf", "wmav2"), ("ts", "aac"), mov, ("wv", "wavpack"), ("tta", "tta")
    ):
        yield write("cut in half", f"{codec}.{extension}", data[: len(data) // 2])
    for extension, codec in (wav, ("au", "pcm_s16be"), mka, webm, ogg, flac):
        kind = {"mka": "matroska"}.get(extension, extension)
        plain = str(folder / f"{codec}_44100_1.{extension}")
        streamed = ffmpeg("-i", plain, "-c", "copy", "-f", kind, "pipe:1")
        if streamed:
            yield write("streamed", f"{codec}.{extension}", streamed)
    data = kept[wav]
    for size in (0x80000000, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF, 0, 0x7F000000, 0x80000024):
        at = data.index(b"data") + 4
        yield write("streamed", f"{size:x}.wav", data[:at] + size.to_bytes(4, "little") + data[at + 4 :])
    base = folder / "pcm_s16le_48000_2.wav"
    silent = folder / "silent.wav"
    ffmpeg("-i", str(base), "-af", "volume=0", str(silent))
    for name, args in {
        "film.mp4": ("-f", "lavfi", "-i", "color=s=32x32:d=6:r=10", "-i", str(base), "-map", "0", "-map", "1", "-c:v", "mpeg4", "-c:a", "aac"),
        "film.webm": ("-f", "lavfi", "-i", "color=s=32x32:d=6:r=10", "-i", str(base), "-map", "0", "-map", "1", "-c:v", "libvpx", "-c:a", "libopus"),
        "film.mkv": ("-f", "lavfi", "-i", "color=s=32x32:d=6:r=10", "-i", str(base), "-map", "0", "-map", "1", "-c:v", "mpeg4", "-c:a", "flac"),
        "film.avi": ("-f", "lavfi", "-i", "color=s=32x32:d=6:r=10", "-i", str(base), "-map", "0", "-map", "1", "-c:v", "mpeg4", "-c:a", "ac3"),
        "film.mpg": ("-f", "lavfi", "-i", "color=s=176x144:d=6:r=25", "-i", str(base), "-map", "0", "-map", "1", "-c:v", "mpeg1video", "-c:a", "mp2"),
        "film.mts": ("-f", "lavfi", "-i", "color=s=32x32:d=3:r=25", "-i", str(base), "-map", "0", "-map", "1", "-c:v", "mpeg2video", "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"),
        "fragmented.mp4": ("-i", str(base), "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
        "faststart.m4a": ("-i", str(base), "-c:a", "aac", "-movflags", "faststart"),
        "chapters.mka": ("-i", str(base), "-c:a", "libvorbis", "-metadata", "title=x"),
        "rf64.wav": ("-i", str(base), "-rf64", "always"),
        "surround.flac": ("-i", str(base), "-ac", "6", "-c:a", "flac"),
        "surround.mka": ("-i", str(base), "-ac", "6", "-c:a", "ac3"),
    }.items():  # fmt: skip
        path = folder / name
        if ffmpeg(*args, str(path)) is not None:
            yield "film or layout", path
    for name, codec, order in (
        ("marked.mka", "flac", (silent, base)),
        ("marked.m4a", "aac", (silent, base)),
        ("first.mov", "pcm_s16le", (base, silent)),
    ):
        path, (one, two) = folder / name, map(str, order)
        marks = ("-disposition:a:0", "0", "-disposition:a:1", "default") if order[0] is silent else ()
        both = ("-i", one, "-i", two, "-map", "0", "-map", "1", "-c:a", codec, *marks)
        if ffmpeg(*both, str(path)) is not None:
            yield "several tracks", path


def facts(samples: np.ndarray, rate: int) -> tuple[float, float, float]:
    """Length, onset (seconds; NaN: none) and level (dB, of the loudest second)."""
    heard = np.flatnonzero(np.abs(samples) > 0.05)
    level = (
        float(20 * np.log10(np.sqrt(np.mean(samples[heard[0] : heard[-1] + 1] ** 2))))
        if len(heard)
        else -np.inf
    )
    return len(samples) / rate, heard[0] / rate if len(heard) else np.nan, level


def same(ours: tuple[float, float, float], theirs: tuple[float, float, float]) -> bool:
    return (
        abs(ours[0] - theirs[0]) <= LENGTH
        and (abs(ours[1] - theirs[1]) <= ONSET or (np.isnan(ours[1]) and np.isnan(theirs[1])))
        and (abs(ours[2] - theirs[2]) <= LEVEL or ours[2] == theirs[2])
    )


def reference(path: Path, rate: int, track: int = 0) -> tuple[float, float, float] | None:
    """FFmpeg's decode, its channels averaged as ours are."""
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", f"a:{track}", "-show_entries", "stream=channels", "-of", "csv=p=0", str(path)],
        capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    if not probe or not probe[0].strip(",").isdigit():
        return None
    channels = int(probe[0].strip(","))
    chosen = ("-map", f"0:a:{track}", "-ar", str(rate), "-ac", str(channels))
    raw = ffmpeg("-i", str(path), *chosen, "-f", "f32le", "pipe:1")
    if not raw:
        return None
    wave = np.frombuffer(raw[: len(raw) // (4 * channels) * 4 * channels], "<f4").reshape(-1, channels)
    return facts(wave.mean(1), rate)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="leave the files here")
    kept = parser.parse_args().keep
    if shutil.which("ffmpeg") is None:
        sys.exit("The ffmpeg program is not on the path.")
    import soundfile

    from mirdemo import AudioError, load_clip

    folder = kept or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    verdicts: dict[str, Counter[str]] = {}
    rival: Counter[str] = Counter()
    for case, path in files(folder):
        try:
            clip = load_clip(path)
        except AudioError as refusal:
            said = str(refusal)
            found = reference(path, 48_000)  # None: FFmpeg finds nothing in it either
            outcome = "right" if found is None else "told"
        else:
            said = " ".join(str(warning) for warning in clip.warnings)
            track = next((w.values["track"] - 1 for w in clip.warnings if w.code == "audio.tracks"), 0)
            theirs = reference(path, clip.sample_rate, track)
            ours = facts(clip.samples, clip.sample_rate)
            cut = case == "cut in half"
            written = (4.0 if case == "joined" else 2.0, 0.5, ours[2])
            if ((theirs is not None and same(ours, theirs)) or same(ours, written)) and (not cut or said):
                outcome = "right"
            else:
                outcome = "told" if said else "SILENT"
                said = f"ours {ours}, ffmpeg {theirs} {said}"
            if outcome == "right" and said and case not in ("cut in half", "several tracks"):
                outcome = "WARNED WITHOUT CAUSE"
        verdicts.setdefault(case, Counter())[outcome] += 1
        if outcome not in ("right",):
            print(f"{outcome:7} {case}: {path.name}: {said}")
        try:
            wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
            theirs = reference(path, rate)
            rival["right" if theirs is not None and same(facts(wave.mean(1), rate), theirs) else "wrong"] += 1
        except Exception:  # whatever libsndfile raises
            rival["refused"] += 1
    if kept is None:
        shutil.rmtree(folder)
    total: Counter[str] = Counter()
    for case, counts in verdicts.items():
        print(f"{case:24}{dict(counts)}")
        total += counts
    n = sum(total.values())
    print(
        f"mirdemo: {dict(total)} of {n} files; right or told {100 * (total['right'] + total['told']) / n:.1f} %, no interval (every file counted)"
    )
    print(f"libsndfile alone: {dict(rival)}; right {100 * rival['right'] / n:.1f} %")
    print(f"ratio of right files: {total['right'] / max(rival['right'], 1):.2f}")


if __name__ == "__main__":
    main()
