"""The same recordings as people have them: downloaders' names, links, Saraga, cut pieces, damaged copies."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from corpus_layouts import RATE, make, sound, tone
from sound_files import ENCODERS

from mirdemo.cli import main
from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.checking import check
from mirdemo.corpora.registry import open_corpus
from mirdemo.corpora.section import load_section, load_sections
from mirdemo.sound.audio import AudioError, Clip

ID = "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "name",
    [
        f"{ID}.webm",
        f"A feast, 1976 [{ID}].webm",
        f"A feast [{ID}].f140.m4a",
        f"A feast [{ID}].f251-drc.webm",
        f"A feast-{ID}.m4a",
        f"{ID}.mp3.mp3",
        f"{ID}.WAV",
    ],
)
def test_names_that_downloaders_write_are_found(name, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / name).write_bytes(b"x")
    assert AudioFolder(tmp_path).find(ID) == tmp_path / "deep" / name


def test_a_word_of_eleven_letters_is_an_id_only_behind_a_dash(tmp_path):
    (tmp_path / f"feast{ID}.mp3").write_bytes(b"x")
    assert AudioFolder(tmp_path).find(ID) is None


def test_links_are_followed_and_a_circle_ends(tmp_path):
    far, data = tmp_path / "far", tmp_path / "data"
    far.mkdir()
    data.mkdir()
    (far / "000123.mp3").write_bytes(b"x")
    (data / "fma_medium").symlink_to(far)
    (far / "back").symlink_to(data)
    (data / "000999.mp3").symlink_to(far / "000123.mp3")
    folder = AudioFolder(data)
    assert folder.find("000123") == data / "fma_medium" / "000123.mp3"
    assert folder.find("000999") == data / "000999.mp3"
    assert len(list(folder)) == 2


def test_whole_tracks_of_fma_full_are_never_taken_for_the_clips(tmp_path):
    data, checkout = make("fma", tmp_path)
    item_id = open_corpus("fma", data, checkout).sides["test"][0]
    sound(data / "fma_full" / item_id[:3] / f"{item_id}.mp3", True, 1, seconds=3)
    corpus = open_corpus("fma", data, checkout)
    assert "fma_medium" in corpus.file(item_id).parts
    corpus.file(item_id).unlink()
    assert item_id in open_corpus("fma", data, checkout).missing()


def saraga(root, corpus="carnatic"):
    """As Saraga is downloaded: a folder a recording, its record naming it, its sound with two endings."""
    data, checkout = make(corpus, root)
    ids = {}
    for number, record in enumerate(sorted((data / "records").iterdir())):
        mbid, held = record.stem, json.loads(record.read_text(encoding="utf-8"))
        place = data / "concerts" / f"Concert {number % 3}" / f"Kriti {number}"
        place.mkdir(parents=True)
        held |= {"mbid": mbid, "title": f"Kriti {number}"}
        (place / f"Kriti {number}.json").write_text(json.dumps(held), encoding="utf-8")
        (source,) = data.rglob(f"{mbid}.mp3")
        source.rename(place / f"Kriti {number}.mp3.mp3")
        sound(place / f"Kriti {number}.multitrack-vocal.mp3", True, 900 + number)
        record.unlink()
        ids[mbid] = place / f"Kriti {number}.mp3.mp3"
    return data, checkout, ids


def test_saraga_is_found_by_its_records(tmp_path):
    plain = open_corpus("carnatic", *make("carnatic", tmp_path / "plain"))
    data, checkout, ids = saraga(tmp_path / "saraga")
    corpus = open_corpus("carnatic", data, checkout)
    assert corpus.missing() == ()
    assert {i: corpus.file(i) for i in corpus.items} == ids
    assert corpus.revision == plain.revision


def test_compmusics_own_download_is_found_by_title_and_two_of_one_title_are_not_guessed(tmp_path):
    data, checkout = make("hindustani", tmp_path)
    held = []
    for number, record in enumerate(sorted((data / "records").iterdir())):
        title = "Bhairavī: ālāp?" if number == 0 else f"Raag {min(number, 4)}"
        held.append({**json.loads(record.read_text(encoding="utf-8")), "mbid": record.stem, "title": title})
        (source,) = data.rglob(f"{record.stem}.mp3")
        safe = title.replace(":", "").replace("?", "")
        source.rename(data / f"Artist {number} - {safe}.mp3")
        record.unlink()
    (data / "recordings.json").write_text(json.dumps(held), encoding="utf-8")
    corpus = open_corpus("hindustani", data, checkout)
    found = {i: corpus.file(i) for i in corpus.items}
    assert [path is not None for path in found.values()] == [True] * 4 + [False] * 9
    assert found[held[0]["mbid"]].name == "Artist 0 - Bhairavī ālāp.mp3"
    assert all(item.labels for item in corpus.items.values())


def test_another_data_sets_record_of_the_same_name_hides_nothing(tmp_path):
    data, checkout = make("makam", tmp_path)
    corpus = open_corpus("makam", data, checkout)
    for item_id in corpus.items:
        (data / f"{item_id}.json").write_text(json.dumps({"mbid": item_id, "tonic": 440.0}), encoding="utf-8")
    after = open_corpus("makam", data, checkout)
    assert after.missing() == ()
    assert after.revision == corpus.revision


def test_a_published_helpers_table_may_lie_in_the_users_own_folder(tmp_path):
    data, checkout = make("makam", tmp_path)
    plain = open_corpus("makam", data, checkout)
    known = {i: list(item.labels) for i, item in plain.items.items()}
    for record in (data / "records").iterdir():
        record.unlink()
    np.save(data / "metadata.npy", np.array(known, dtype=object), allow_pickle=True)
    assert open_corpus("makam", data, checkout).revision == plain.revision


def test_pieces_of_lyra_that_were_cut_already_are_used_whole(tmp_path):
    data, checkout = make("lyra", tmp_path)
    corpus = open_corpus("lyra", data, checkout)
    wanted = {i: corpus.clip(i).samples for i in corpus.sides["test"]}
    for item_id, samples in wanted.items():
        soundfile.write(data / f"{item_id}.flac", samples, RATE, subtype="PCM_16")
    for broadcast in ("yt-A_1.flac", "A feast [yt-B_2].wav"):
        (data / broadcast).unlink()
    cut = open_corpus("lyra", data, checkout)
    assert set(cut.items) - set(cut.missing()) == set(wanted)
    for item_id, samples in wanted.items():
        assert np.allclose(cut.clip(item_id).samples, samples, atol=1e-4)


# ---- one pass ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["flac", "mp3", "ogg", "wav"])
def broadcast(request, tmp_path):
    path = tmp_path / f"broadcast.{request.param}"
    soundfile.write(path, np.concatenate([tone(i % 2 == 0, i, 2.0) for i in range(8)]), RATE)
    return path


TIMES = [(0.0, 1.5), (1.0, 3.25), (7.5, 9.0), (0.5, 15.9), (14.0, 15.0), (15.5, 40.0), (90.0, 91.0)]


def together(path, times):
    found: dict[int, Clip | AudioError] = {}
    load_sections(path, times, lambda place, one: found.__setitem__(place, one))
    return found


def test_sections_read_in_one_pass_are_those_read_one_by_one(broadcast):
    found = together(broadcast, TIMES)
    assert sorted(found) == list(range(len(TIMES)))
    for place, (start, end) in enumerate(TIMES):
        alone = _alone(broadcast, start, end)
        if isinstance(alone, AudioError):
            assert str(found[place]) == str(alone)
            continue
        assert found[place].sha256 == alone.sha256
        assert found[place].warnings == alone.warnings
        assert found[place].start_seconds == start


def _alone(path, start, end):
    try:
        return load_section(path, start, end)
    except AudioError as refusal:
        return refusal


def test_a_broadcast_is_decoded_once_for_all_of_its_pieces(tmp_path, monkeypatch):
    from mirdemo.corpora import section

    data, checkout = make("lyra", tmp_path)
    corpus = open_corpus("lyra", data, checkout)
    one_by_one = {i: corpus.clip(i).sha256 for i in corpus.items}
    opened = []
    true = section.decode
    monkeypatch.setattr(
        section, "decode", lambda s, name, *a, **k: (opened.append(name), true(s, name, *a, **k))[1]
    )
    read = {}
    corpus.read(corpus.items, lambda item_id, clip: read.__setitem__(item_id, clip.sha256))
    assert read == one_by_one
    assert sorted(opened) == ["A feast [yt-B_2].wav", "yt-A_1.flac"]


def test_a_file_that_cannot_be_read_refuses_each_of_its_sections(tmp_path):
    (tmp_path / "x.mp3").write_bytes(b"no sound" * 99)
    found = together(tmp_path / "x.mp3", [(0.0, 1.0), (1.0, 2.0)])
    assert all(isinstance(one, AudioError) for one in found.values())
    assert len(found) == 2


# ---- half a file -------------------------------------------------------------------------------------------


def test_a_hole_in_the_middle_of_a_file_is_told_of_a_section_that_runs_over_it(tmp_path):
    path = tmp_path / "broadcast.webm"
    whole = ENCODERS["webm opus"](tone(True, 5, 3.0)[:, None], RATE)
    at = len(whole) * 4 // 10
    for content, told in ((whole, []), (whole[:at] + whole[at + 2_000 :], ["audio.damaged_parts"])):
        path.write_bytes(content)
        for end in (None, 2.9):
            assert [one.code for one in load_section(path, 0.5, end).warnings] == told
        assert load_section(path, 0.1, 0.5).warnings == ()


@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav"])
def test_half_a_file_is_named_by_check_and_refused_by_name(suffix, tmp_path, capsys):
    data, checkout = make("makam", tmp_path)
    corpus = open_corpus("makam", data, checkout)
    item_id = corpus.sides["test"][0]
    old = corpus.file(item_id)
    whole = old.with_suffix(f".{suffix}")
    soundfile.write(whole, tone(True, 5, 20.0), RATE)
    if whole != old:
        old.unlink()
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    corpus = open_corpus("makam", data, checkout)
    with pytest.raises(AudioError, match="is cut off"):
        corpus.clip(item_id)
    found = check(corpus).sides["test"]
    assert list(found.unreadable) == [item_id]
    assert "Get the file again" in found.unreadable[item_id]
    assert main(["corpora", "check", "makam", "--data", str(data), "--splits", str(checkout)]) == 1
    assert "is cut off" in capsys.readouterr().err


def test_half_a_broadcast_gives_its_whole_pieces_and_names_the_one_it_ends_in(tmp_path):
    data, checkout = make("lyra", tmp_path)
    corpus = open_corpus("lyra", data, checkout)
    path = data / "A feast [yt-B_2].wav"
    samples, rate = soundfile.read(path, dtype="float32")
    soundfile.write(path, samples[: round(4.4 * rate)], rate)  # a whole file that ends too early
    wide = [i for i in corpus.items if corpus.items[i].source == "yt-B_2"]
    found = {}
    open_corpus("lyra", data, checkout).read(wide, found.__setitem__)
    starts = {i: corpus.items[i].start_s for i in wide}
    assert all(isinstance(found[i], Clip) for i in wide if starts[i] < 4)
    assert all(isinstance(found[i], AudioError) for i in wide if starts[i] > 4)


def test_a_piece_that_ends_long_before_its_time_is_refused(tmp_path):
    data, checkout = make("lyra", tmp_path)
    table = checkout / "data/lyra/split/test.tsv"
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    row = rows[0].split("\t")
    row[-1] = str(float(row[-2]) + 999)
    table.write_text("\n".join([head, "\t".join(row), *rows[1:]]) + "\n", encoding="utf-8")
    corpus = open_corpus("lyra", data, checkout)
    with pytest.raises(AudioError, match=r"of 999\.0 s of this item are there"):
        corpus.clip(row[0])


# ---- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(catalogue()))
def test_the_layout_of_every_corpus_is_told(name, capsys):
    assert main(["corpora", "layout", name]) == 0
    said = capsys.readouterr().out
    assert "SOUND" in said
    assert "LABELS" in said
    assert catalogue()[name].page in said


@pytest.mark.parametrize(
    ("download", "titles"),
    [
        ("Saraga", ("Hindustani", "Carnatic")),
        ("otmm", ("Turkish-makam",)),
        ("compmusic", ("Turkish-makam", "Hindustani", "Carnatic")),
        ("ccml", ("Turkish-makam", "Hindustani", "Carnatic")),
        ("yt-dlp", ("Lyra",)),
        ("youtube-dl", ("Lyra",)),
        ("fma_full", ("FMA-medium",)),
        ("links", ("MagnaTagATune", "FMA-medium", "Lyra", "Turkish-makam", "Hindustani", "Carnatic")),
    ],
)
def test_a_download_that_people_have_by_another_name_is_told_where_it_belongs(download, titles, capsys):
    assert main(["corpora", "layout", download]) == 0
    said = capsys.readouterr().out
    found = [line.removesuffix(": the folder that you give as --data") for line in said.splitlines()]
    assert [title for title in found if f"{title}: the folder" in said] == list(titles)


def test_a_name_that_no_layout_has_is_refused(capsys):
    assert main(["corpora", "layout", "nothing-of-the-kind"]) == 3
    assert "magnatagatune" in capsys.readouterr().err


def test_a_check_without_a_folder_asks_for_it_and_lists_no_tags(tmp_path, capsys):
    _, checkout = make("makam", tmp_path)
    assert main(["corpora", "check", "makam", "--splits", str(checkout)]) == 1
    said = capsys.readouterr()
    assert "Give the folder" in said.err
    assert "corpora layout makam" in said.out
    assert "No usable test item has" not in said.out
