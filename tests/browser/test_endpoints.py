"""The same through ``gradio_client``, without the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import write_labelled


@pytest.fixture(scope="module")
def client(address: str):
    from gradio_client import Client

    return Client(address, verbose=False)


@pytest.fixture(scope="module", autouse=True)
def before(uploads: Path) -> set[Path]:
    """What lies among the uploads before the first call: a page of another test may have sent what nobody reads."""
    return files_in(uploads)


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


SHEET = "file,tags,recording\ndrum one.wav,drum,a\ndrum two.mp3,drum,b\nflute two.m4a,flute,c\n"
SUPPORT = ("drum one.wav", "drum two.mp3", "flute two.m4a")


def test_a_query_is_tagged(client, sounds: Path):
    from gradio_client import handle_file

    answer = client.predict(
        support=[handle_file(sounds / name) for name in SUPPORT],
        sheet=SHEET,
        query=handle_file(sounds / "new drum.wav"),
        api_name="/tag",
    )
    assert answer["nearest"][0]["tags"] == ["drum"]
    assert answer["distances"]["drum"] < answer["distances"]["flute"]
    assert list(answer["over_time"]) in ([], ["drum"])


def test_several_queries_and_the_support_set_are_reported(client, sounds: Path):
    from gradio_client import handle_file

    report = client.predict(
        support=[handle_file(sounds / name) for name in SUPPORT],
        sheet=SHEET,
        queries=[handle_file(sounds / "new drum.wav"), handle_file(sounds / "procession.wav")],
        layer="timbre",
        api_name="/few_shot",
    )
    assert report["support"]["tags"]["drum"] == {"clips": 2, "recordings": 2}
    assert report["support"]["backbone"]["name"] == "spectral"
    assert [answer["query"] for answer in report["answers"]] == ["new drum.wav", "procession.wav"]


def test_what_cannot_be_done_is_said_in_the_callers_language(client, sounds: Path):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match="タグ"):
        client.predict(
            support=[handle_file(sounds / "drum one.wav")],
            sheet="file,tags\ndrum one.wav,\n",
            query=handle_file(sounds / "new drum.wav"),
            language="ja",
            api_name="/tag",
        )
    with pytest.raises(AppError, match="not on offer"):
        client.predict(
            support=[handle_file(sounds / "drum one.wav")],
            sheet=SHEET,
            query=handle_file(sounds / "new drum.wav"),
            backbone="../../etc",
            api_name="/tag",
        )


def test_a_path_is_no_upload_and_a_word_no_number(client, sounds: Path):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    there = str((sounds / "new drum.wav").resolve())
    asked = {"support": [handle_file(sounds / name) for name in SUPPORT], "sheet": SHEET, "api_name": "/tag"}
    for query in (
        {"path": there, "orig_name": "x.wav"},
        {"path": f"{'a' * 64}/x.wav", "orig_name": "x.wav"},
        {},
    ):
        with pytest.raises(AppError, match="lost"):
            client.predict(query=query, **asked)
    with pytest.raises(AppError, match="query is not a dict"):
        client.predict(query=there, **asked)
    with pytest.raises(AppError, match="epochs は int ではありません"):
        client.predict(clips=[], sheet=SHEET, epochs="many", language="ja", api_name="/fine_tune")


def test_disparity_is_told_with_its_sources_and_refused_in_the_callers_language(client):
    from gradio_client.exceptions import AppError

    found = client.predict(model="MERT-v1-95M", metric="map", api_name="/bias")
    assert [d["protocol"] for d in found["disparities"]] == ["culturemert2025"]
    assert found["disparities"][0]["gap"]["value"] > 0
    assert found["sources"]["culturemert2025"]["url"].startswith("https://")
    with pytest.raises(AppError, match="選び直して"):
        client.predict(model="nobody", language="ja", api_name="/bias")


def test_the_pages_own_wire_is_not_offered_as_an_endpoint(client):
    offered = set(client.view_api(return_format="dict")["named_endpoints"])
    assert offered == {"/tag", "/few_shot", "/probe", "/fine_tune", "/plan", "/bias"}


def test_no_call_leaves_an_upload_behind_answered_or_refused(client, uploads: Path, before: set[Path]):
    assert files_in(uploads) <= before


def test_a_plan_is_made_of_labelled_clips(client, tmp_path: Path):
    """In English; tests/web/test_plan_tab.py has the other."""
    from gradio_client import handle_file

    from mirdemo.planning import Plan

    files = [path for path in write_labelled(tmp_path, 8, 2.0) if path.suffix == ".wav"]
    answer = client.predict(
        clips=[handle_file(path) for path in files],
        sheet=(tmp_path / "labels.csv").read_text(encoding="utf-8"),
        other="mini-west",
        assumptions='{"recordings": 300, "hand_minutes": 2.5, "currency": "EUR"}',
        api_name="/plan",
    )
    assert answer["advice"] in ("use", "label")
    assert len(answer["sentences"]) == 2
    assert not [said for said in answer["sentences"] if "。" in said]
    assert len(answer["meeting"]) == 3
    assert {way["way"] for way in answer["found"]["actions"]} >= {
        "as_it_is:spectral",
        "other_backbone:mini-west",
    }
    plan = Plan.from_dict(answer["plan"])
    assert (plan.assumptions.recordings, plan.assumptions.currency) == (300, "EUR")
    assert plan.advice.kind == answer["advice"]
    assert plan.evidence.n_recordings == 8


@pytest.mark.parametrize(
    ("assumed", "said"),
    [
        ('{"recordings": 0}', "Recordings waiting cannot be 0. Give a number from 1 to 1,000,000."),
        ('{"recordings": 1e12}', "Recordings waiting cannot be 1,000,000,000,000"),
        ('{"hand_minutes": -3}', "Minutes to tag one recording by hand cannot be -3"),
        ('{"wage": "much"}', "Wage an hour cannot be much"),
        ('{"target": NaN}', "Macro-F1 wanted cannot be nan"),
        ('{"currency": "gold"}', "There is no currency gold here"),
        ('{"colour": 3}', "colour"),
        ("three hundred", "Assumptions are JSON such as"),
    ],
)
def test_impossible_assumptions_are_a_sentence_each(client, assumed: str, said: str):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=said):
        client.predict(clips=[], sheet="", assumptions=assumed, api_name="/plan")
