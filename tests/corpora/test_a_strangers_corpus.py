"""Somebody else's corpus is one file: it can be read and measured, shows on the page, and changes no shipped finding."""

from __future__ import annotations

import importlib
import json
import logging
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from markupsafe import Markup

from mirdemo.base import plugins
from mirdemo.cli import main
from mirdemo.corpora import catalogue as home
from mirdemo.corpora import readers
from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.errors import CorpusError
from mirdemo.corpora.frames import STUDY
from mirdemo.corpora.registry import corpus_names, open_corpus
from mirdemo.evidence import drawing, selection
from mirdemo.evidence.palette import COLOURS, colour, symbol
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.results.records import Result, Results
from mirdemo.words.language import LANGUAGES

FILE = Path(__file__).parent / "foreign" / "dastgah_here.py"
NAME = "dastgah-here"


@pytest.fixture
def there(monkeypatch):
    """The file put among the readers, as a stranger would put it."""
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(FILE.parent)])
    home._found.cache_clear()
    importlib.invalidate_caches()
    yield
    home._found.cache_clear()
    sys.modules.pop(f"{readers.__name__}.{FILE.stem}", None)


@pytest.fixture
def folder(tmp_path):
    rows = ["stem,side,dastgah"]
    rng = np.random.default_rng(0)
    for i, side in enumerate(["train"] * 4 + ["valid"] * 2 + ["test"] * 2):
        soundfile.write(tmp_path / f"r{i}.wav", rng.normal(0, 0.1, 8000), 8000)
        rows.append(f"r{i},{side},{('Shur', 'Mahur', 'Segah')[i % 3]}")
    (tmp_path / "recordings.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def figures() -> tuple[Result, ...]:
    """What its measurement would leave in this machine's results: of a model that has published rows, and of another."""
    common = {
        "corpus": NAME,
        "method": "probe",
        "split": "test",
        "metric": "roc_auc",
        "value": 0.31,
        "source": "measured",
        "versions": {"mirdemo": "0"},
        "n": 2,
    }
    return (
        Result(model="MERT-v1-95M", protocol="culturemert2025", setting={"seeds": 5}, **common),
        Result(model="Mini-World", protocol="papaioannou2025", **common),
        Result(
            model="VGG-ish",
            protocol="ccml2023",
            tag="dastgah--Shur",
            setting={"support": 2},
            **{**common, "method": "trained_from_scratch", "metric": "f1"},
        ),
    )


def test_one_file_of_at_most_forty_lines_is_all_it_takes(there, folder):
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 40
    assert list(catalogue())[: len(STUDY.traditions)] == list(STUDY.traditions)
    assert NAME in corpus_names()
    corpus = open_corpus(NAME, folder)
    assert {side: len(ids) for side, ids in corpus.sides.items()} == {"train": 4, "valid": 2, "test": 2}
    assert corpus.tags == ("dastgah--Shur", "dastgah--Mahur", "dastgah--Segah")
    assert corpus.clip("r0").seconds == pytest.approx(1)
    assert corpus.missing() == ()
    with pytest.raises(CorpusError, match="--data"):
        open_corpus(NAME)


def test_an_item_on_no_side_is_refused_and_not_left_out_silently(there, folder):
    table = folder / "recordings.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("valid", "validation"), encoding="utf-8")
    with pytest.raises(CorpusError, match="r4 of Dastgah <here> is on a side named validation"):
        open_corpus(NAME, folder)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_shipped_finding_changes_and_it_shows(there, language):
    shipped = drawing.shipped(language).charts
    everything = Results((*results.shipped().records, *figures()))
    now = dict(drawing.draw(everything, Selection(), language).charts)
    assert {name: chart.title for name, chart in now.items()} == {
        name: chart.title for name, chart in shipped
    }
    before = dict(shipped)
    for name in ("gaps", "normalised", "rarity", "transfer", "fewshot", "controlled"):
        assert now[name].how == before[name].how, name
    for name in ("gaps", "normalised", "transfer", "fewshot", "controlled"):
        assert json.loads(now[name].json) == json.loads(before[name].json), name
    # A column of its own with its figures, its name escaped and its tradition in this language.
    table = now["overview"].table
    assert table.columns[-1].startswith(
        "Dastgah &lt;here&gt;<br>" + {"en": "Persian", "ja": "ペルシャ"}[language]
    )
    assert sum(cells[-1] is not None and cells[-1].value == 0.31 for _, cells in table.rows) == 2
    assert colour("persian") in now["cost"].json
    assert "Dastgah <here>" not in now["overview"].json


def test_its_tradition_has_a_look_of_its_own(there):
    assert re.fullmatch("#[0-9A-F]{6}", colour("persian"))
    assert colour("persian") not in COLOURS.values()
    assert symbol("persian")
    assert colour("a tradition of no corpus")


def test_the_page_offers_it_as_a_filter_and_lists_it(there):
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.tabs.about import tab as about
    from mirdemo.web.tabs.evidence import tab
    from mirdemo.words.language import speaker

    offered = tab.filters(Selection(), speaker("en"))["corpus"].options
    assert (NAME, Markup("Dastgah &lt;here&gt;")) in offered
    assert Selection.from_query({"corpora": NAME}, ()).corpora == (NAME,)
    shown = about.show(Visitor(), speaker("ja"))
    assert shown["traditions"][NAME] == "ペルシャ"


def test_without_it_nobody_knows_it():
    assert NAME not in corpus_names()
    assert Selection.from_query({"corpora": NAME}, ()).corpora == ()
    assert selection.corpora_of(Results(figures()), Selection()) == tuple(STUDY.traditions)


def test_another_package_brings_a_corpus_by_entry_point_and_a_broken_one_empties_no_page(
    monkeypatch, caplog, capsys, tmp_path
):
    monkeypatch.syspath_prepend(str(FILE.parent))
    (tmp_path / "no_facts.py").write_text("SPLIT = None\ndef read(): ...\n", encoding="utf-8")
    info = tmp_path / "their_corpora-1.0.dist-info"  # as pip leaves it
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: their-corpora\nVersion: 1.0\n", encoding="utf-8"
    )
    named = f"here = {FILE.stem}\nbroken = no_such_module\nempty = no_facts\n"
    (info / "entry_points.txt").write_text(f"[{home.GROUP}]\n{named}", encoding="utf-8")
    known = set(catalogue())
    monkeypatch.syspath_prepend(str(tmp_path))
    home._found.cache_clear()
    plugins.plugged.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert set(catalogue()) == {*known, NAME}
        assert "no_such_module" in caplog.text
        assert "FACTS is no tuple" in caplog.text
        home._found.cache_clear()
        plugins.plugged.cache_clear()
        assert main(["corpora"]) == 0
        told = capsys.readouterr()
        assert NAME in told.out
        assert told.err.count("their-corpora brings") == 2
        (tmp_path / "recordings.csv").write_text("stem,part\nr0,train\n", encoding="utf-8")
        assert main(["corpora", "check", NAME, "--data", str(tmp_path)]) == 3
        told = capsys.readouterr()
        assert "by the package that brings it, their-corpora (KeyError: 'side')" in told.err
    finally:
        home._found.cache_clear()
        plugins.plugged.cache_clear()
        sys.modules.pop(FILE.stem, None)


def test_the_studys_frame_is_what_its_corpora_say_of_themselves():
    assert {name: catalogue()[name].tradition for name in STUDY.traditions} == dict(STUDY.traditions)


@pytest.mark.parametrize(
    ("facts", "split", "refused"),
    [
        ("one", None, None),
        ("none", None, None),  # a package may bring readers for others to name
        ("list", None, "FACTS is no tuple"),
        ("mixed", None, "FACTS is no tuple"),
        ("one", "here", "SPLIT is neither"),
    ],
)
def test_a_reader_is_one_only_with_facts_throughout_and_a_split_or_none(facts, split, refused):
    known = next(iter(catalogue().values()))
    told = {"one": (known,), "none": (), "list": [known], "mixed": (known, "facts")}[facts]
    module = SimpleNamespace(FACTS=told, SPLIT=split, read=lambda: None)
    if refused is None:
        home._check(module)
    else:
        with pytest.raises(ValueError, match=refused):
            home._check(module)
