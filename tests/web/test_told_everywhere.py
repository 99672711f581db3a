"""What is to be known of a recording reaches every place that gives an answer about it: the command line, and every endpoint
of a running page over HTTP. With ``MIRDEMO_TEST_RECORDINGS=FOLDER`` also what is to be known of the files in that folder."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from serving import served
from sound_files import ENCODERS, by_pyav, by_soundfile, tone

from mirdemo.backbones import load_backbone
from mirdemo.cli import main
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import AudioError, load_clip
from mirdemo.sound.files import lies_beside
from mirdemo.tagger import Tagger

RATE = 16_000
#: Of labelled clips, six plain ones beside the odd ones.
PLAIN = tuple(f"plain {number}.wav" for number in range(6))


def two_tracks() -> bytes:
    """Silence, then sound, as a recorder with a track a microphone has it."""
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format="matroska") as file:
        tracks = [file.add_stream("flac", rate=RATE, layout="mono", format="s16") for _ in range(2)]
        for track, wave in zip(tracks, (np.zeros(RATE), tone(1.0, RATE, hertz=333)[:, 0]), strict=True):
            values = (32_767 * wave).astype(np.int16)[None]
            for start in range(0, RATE, 4_096):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(values[:, start : start + 4_096]), "s16", "mono"
                )
                frame.sample_rate, frame.pts = RATE, start
                file.mux(track.encode(frame))
            file.mux(track.encode(None))
    return stream.getvalue()


def odd() -> dict[str, bytes]:
    """Files of which there is something to be known, each of its own kind, and some of which there is nothing."""
    sound = lambda hertz: tone(1.0, RATE, hertz=hertz)  # noqa: E731
    wave = sound(200)
    holes = sound(250)
    holes[5] = np.nan
    opposite = np.hstack([sound(300), -sound(300)])
    noise = np.random.default_rng(0).normal(0, 0.02, (3 * 44_100, 1)).astype(np.float32)
    mp3 = bytearray(ENCODERS["mp3 cbr"](tone(3.0, 44_100, hertz=350) + noise, 44_100))
    mp3[len(mp3) // 2 : len(mp3) // 2 + 2_000] = bytes(2_000)
    wav = by_soundfile(wave, RATE, "WAV", "PCM_16")
    return {
        "ends in the middle.wav": by_soundfile(sound(400), RATE, "WAV", "PCM_16")[:20_000],
        "lacks its end.ogg": ENCODERS["ogg vorbis"](tone(5.0, 44_100, hertz=450), 44_100)[:-3_000],
        "damaged.mp3": bytes(mp3),
        "no numbers.wav": by_soundfile(holes, RATE, "WAV", "FLOAT"),
        "silent.flac": by_soundfile(np.zeros((RATE, 1), np.float32), RATE, "FLAC", "PCM_16"),
        "cancels.wav": by_soundfile(opposite, RATE, "WAV", "PCM_16"),
        "loud.wav": by_soundfile(50 * sound(500), RATE, "WAV", "FLOAT"),
        "two tracks.mka": two_tracks(),
        "tag in front.wav": b"ID3\x04\x00\x00\x00\x01\x6a\x30" + bytes(30_000) + wav,
        "chained.ogg": 2 * ENCODERS["ogg vorbis"](tone(1.0, 44_100, hertz=550), 44_100),
        "film.mp4": by_pyav(tone(1.0, 44_100, hertz=600), 44_100, "mp4", "aac", picture=True),
        "text.wav": b"no sound at all",
        "list.mp3": b"#EXTM3U\na.mp3\n",
        "packed.wav": b"7z\xbc\xaf\x27\x1c" + bytes(200),
        "a kind of its own.ape": b"MAC \x96\x0f" + bytes(200),
        "half an index.m4a": ENCODERS["m4a aac"](tone(3.0, 44_100), 44_100)[:9_000],
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("odd")
    for name, content in odd().items():
        (folder / name).write_bytes(content)
    made = {name: folder / name for name in odd()}
    own = os.environ.get("MIRDEMO_TEST_RECORDINGS")
    found = sorted(Path(own).iterdir()) if own else []
    return made | {path.name: path for path in found if path.is_file() and not lies_beside(path.name)}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("plain")
    for number, name in enumerate(PLAIN):
        wave = tone(2.0, RATE, hertz=1_500 if number % 2 else 180)[:, 0]
        noise = 0.01 * np.random.default_rng(number).standard_normal(len(wave))
        soundfile.write(folder / name, wave + noise, RATE)
    return {name: folder / name for name in PLAIN}


@pytest.fixture(scope="module")
def known(files: dict[str, Path]) -> dict[str, list[dict[str, str]] | str]:
    """Of each file what is to be known, or why it cannot be read, as reading it says."""
    found: dict[str, list[dict[str, str]] | str] = {}
    for name, path in files.items():
        try:
            found[name] = [{"code": one.code, "says": str(one)} for one in load_clip(path).warnings]
        except AudioError as refusal:
            found[name] = str(refusal)
    said = [one["code"] for told in found.values() if isinstance(told, list) for one in told]
    told = "cut_short lacks_end damaged_parts replaced silent cancels loud tracks"
    assert {f"audio.{name}" for name in told.split()} <= set(said)
    assert sum(isinstance(told, str) for told in found.values()) >= 5
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from gradio_client import Client

    with served(tmp_path_factory.mktemp("page")) as page:
        yield Client(page.address, verbose=False)
        assert "Traceback" not in page.said


def readable(known: dict[str, list[dict[str, str]] | str]) -> dict[str, list[dict[str, str]]]:
    return {name: told for name, told in known.items() if isinstance(told, list)}


def handles(files: dict[str, Path]) -> list[Any]:
    from gradio_client import handle_file

    return [handle_file(path) for path in files.values()]


def sheet(names: list[str] | tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(
        [("file", "tags", "recording"), *((name, ("low", "high")[at % 2], f"r{at}") for at, name in enumerate(names))]
    )  # fmt: skip
    return out.getvalue()


def told_of(answer: dict[str, Any]) -> set[tuple[str, str]]:
    """(file, sentence), of clips that were kept, and ("", sentence) of files that were left out or are the sound of another one."""
    of_clips = {(one["clip"], one["says"]) for one in answer["clip_warnings"]}
    return of_clips | {("", problem) for problem in answer["problems"]}


def check_told(answer: dict[str, Any], known: dict[str, list[dict[str, str]] | str]) -> None:
    said = told_of(answer)
    for name, told in known.items():
        if isinstance(told, str):  # of an archive the advice is another one where clips are wanted
            assert ("", told) in said or (
                name == "packed.wav" and any(name in one and "7z" in one for _, one in said)
            )
            continue
        for one in told:
            assert {(name, one["says"]), ("", f"{name}: {one['says']}")} & said, (name, one)


def test_a_query_over_http(client, plain, files, known):
    from gradio_client import handle_file

    asked = {"support": handles(plain), "sheet": sheet(PLAIN)}
    for name, told in known.items():
        if isinstance(told, list):
            answer = client.predict(**asked, query=handle_file(files[name]), api_name="/tag")
            assert (answer["query"], answer["warnings"]) == (name, told)
        else:
            with pytest.raises(Exception) as refused:
                client.predict(**asked, query=handle_file(files[name]), api_name="/tag")
            assert told in str(refused.value)
    names = list(readable(known))
    queries = handles({name: files[name] for name in names})
    report = client.predict(**asked, queries=queries, api_name="/few_shot")
    assert [(one["query"], one["warnings"]) for one in report["answers"]] == list(readable(known).items())


@pytest.mark.parametrize(
    ("endpoint", "more"), [("few_shot", {}), ("probe", {}), ("plan", {}), ("fine_tune", {"epochs": 1})]
)
def test_labelled_clips_over_http(client, plain, files, known, endpoint: str, more: dict[str, Any]):
    clips = {"support" if endpoint == "few_shot" else "clips": handles(plain | files)}
    if endpoint == "few_shot":
        more = {"queries": handles({PLAIN[0]: plain[PLAIN[0]]})}
    answer = client.predict(**clips, **more, sheet=sheet([*PLAIN, *files]), api_name=f"/{endpoint}")
    check_told(answer.get("support", answer), known)


def test_the_command_line(plain, files, known, tmp_path: Path, capsys):
    backbone = load_backbone("spectral")
    embeddings = embed([load_clip(path) for path in plain.values()], backbone)
    labels = np.tile(np.eye(2, dtype=np.uint8), (3, 1))
    tagger = str(
        Tagger.make(
            embeddings, labels, list(plain), ("low", "high"), layer=embeddings.layer_names[-1], spec=backbone.spec
        ).save(tmp_path / "tagger.zip")
    )  # fmt: skip
    asked = ["tag", "--tagger", tagger, *map(str, files.values())]
    by_path = {str(files[name]): told for name, told in known.items()}
    assert main([*asked]) == 1
    heard = capsys.readouterr().err
    assert main([*asked, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert main([*asked, "--csv", str(tmp_path / "out.csv")]) == 1
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as table:
        rows = {row["file"]: row for row in csv.DictReader(table)}
    assert list(rows) == list(said) == list(by_path)
    for path, told in by_path.items():
        if isinstance(told, str):
            assert (said[path]["problem"], rows[path]["problem"]) == (told, told)
            assert told in heard
            continue
        sentences = [one["says"] for one in told]
        assert (said[path]["warnings"], rows[path]["warnings"]) == (sentences, " ".join(sentences))
        assert all(f"{Path(path).name}: {one}" in heard for one in sentences)
        assert rows[path]["incomplete"] == ("yes" if load_clip(path).incomplete else "no")
