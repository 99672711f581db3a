"""The registry: facts without heavy imports, strict names, and a Japanese sentence for every English one."""

from __future__ import annotations

import ast
import json
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mirdemo
from mirdemo.backbones import BackboneError, load_backbone, registry, specs

PACKAGE = Path(mirdemo.__file__).parent


def test_every_backbone_of_the_mission_is_listed_embedded_ones_first() -> None:
    mission = [
        "spectral",
        "mini-west",
        "mini-world",
        "mini-world-spectral",
        "musicnn-msd",
        "musicnn-mtt",
        "mert-95m",
        "mert-330m",
        "culturemert-95m",
        "culturemert-ta-95m",
        "clap-music",
        "clap-music-speech",
        "qwen2-audio",
    ]
    assert [name for name in specs() if name in mission] == mission
    embedded = [spec.embedded for spec in specs().values()]
    assert embedded == sorted(embedded, reverse=True)
    for name, spec in specs().items():
        assert spec.name == name
        assert len({layer.name for layer in spec.layers}) == len(spec.layers) > 0
        assert spec.embedded == (spec.download_bytes == 0)
        assert spec.trained_on
        assert spec.citation


def test_a_mert_network_works_on_a_state_for_every_step_of_its_filters() -> None:
    """Seven convolutions with strides of 5, 2, 2, 2, 2, 2, 2 samples (its published configuration): what a training is
    expected to take is told by it."""
    ours = [spec for spec in specs().values() if spec.family == "mert"]
    assert len(ours) >= 4
    for spec in ours:
        assert spec.states_a_second == spec.sample_rate / (5 * 2**6), spec.name


def test_what_is_fetched_can_be_fine_tuned_and_stands_in_the_readme() -> None:
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    head = readme.split("---")[1]
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    for name, spec in specs().items():
        assert any(f"`{name}`" in row.split("|")[1] and row.count("|") == 5 for row in rows), name
        if spec.repository:
            assert f"- {spec.repository}\n" in head, name
            assert spec.tail_blocks > 0, f"{name}: say how many trailing blocks fine-tuning trains"
    assert [one for one in specs().values() if one.repository]


def test_pins_are_whole_commits_and_hashes_and_only_what_is_known() -> None:
    fetched = [spec for spec in specs().values() if spec.repository]
    for spec in fetched:
        assert spec.revision is None or re.fullmatch("[0-9a-f]{40}", spec.revision)
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in spec.weights_sha256.values())
    unpinned = {spec.name for spec in fetched if spec.revision is None}
    assert unpinned == {
        "culturemert-95m",
        "culturemert-ta-95m",
    }  # whose pages could not be asked; pin what is new
    assert {"mert-95m", "clap-music-speech"} <= {spec.name for spec in fetched if spec.weights_sha256}


def test_published_layers_windows_and_tails() -> None:
    facts = {
        name: (len(s.layers), s.layers[-1].size, s.sample_rate, s.window_seconds, s.tail_blocks)
        for name, s in specs().items()
    }
    assert facts["mert-95m"] == facts["culturemert-ta-95m"] == (13, 768, 24_000, 5.0, 2)
    assert facts["mert-330m"] == (25, 1024, 24_000, 5.0, 1)
    assert facts["clap-music"] == facts["clap-music-speech"] == (6, 512, 48_000, 10.0, 1)
    assert facts["qwen2-audio"] == (33, 1280, 16_000, 30.0, 1)


def test_facts_and_status_import_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from mirdemo.backbones import specs, status; [status(name) for name in specs()]; "
        "status('hf:a/b'); print([m for m in ('torch', 'transformers', 'torchaudio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == "[]"


def test_a_hub_name_is_owner_and_repository() -> None:
    for name in ("facebook/wav2vec2-base", "a/b", "MIT/ast-finetuned-audioset-10-10-0.4593", "_x/y_z"):
        spec = registry.spec(f"hf:{name}")
        assert (spec.repository, spec.family, spec.revision) == (name, "generic", None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "mert",
        "MERT-95M",
        "hf:",
        "hf:a",
        "hf:a/b/c",
        "hf:a/b\n",
        " hf:a/b",
        "hf:../b",
        "hf:a/..",
        "hf:a/b..c",
        "hf:a/.b",
        "hf:a/b.",
        "hf:a--b/c",
        "hf:-a/b",
        "hf:a/b-",
        "hf:a\\b/c",
        "hf:http://x/y",
        "hf:ａ/b",
        "hf:a/" + "b" * 97,
        "hf:a/b@main",
    ],
)
def test_any_other_name_is_refused(name) -> None:
    with pytest.raises(BackboneError) as error:
        load_backbone(name)
    assert error.value.sentence.code == "backbone.unknown"


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(alphabet=string.ascii_letters + "/.-_:\\%~\n é", max_size=20))
def test_no_name_leads_to_a_path_outside_the_cache(text) -> None:
    try:
        repository = registry.spec(f"hf:{text}").repository
    except BackboneError:
        return
    owner, name = repository.split("/")
    for part in (owner, name):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", part)
        assert ".." not in part
        assert "--" not in part
        assert part[0] not in ".-"


def test_settings_that_do_not_exist_are_refused(tmp_path) -> None:
    for chosen, code in (
        ({"dtype": "int8"}, "backbone.dtype"),
        ({"checkpoint": tmp_path / "nowhere"}, "backbone.no_folder"),
        ({"checkpoint": tmp_path}, "backbone.file_missing"),
    ):
        with pytest.raises(BackboneError) as error:
            load_backbone("mert-95m", **chosen)
        assert error.value.sentence.code == code


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "meta:x"])
def test_a_device_that_is_not_there_is_refused(device, checkpoint) -> None:
    with pytest.raises(BackboneError) as error:
        load_backbone("mert-95m", checkpoint=checkpoint("mert-95m"), device=device)
    assert error.value.sentence.code == "backbone.device"


def _sentences() -> dict[str, str]:
    """Every (code, template) of this room, read from its source."""
    from mirdemo.backbones import spec

    found = {f"backbone.sick.{name}": template for name, template in spec._SICK.items()}
    for path in sorted((PACKAGE / "backbones").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = getattr(node.func, "id", "")
            codes = [word.value for word in node.keywords if word.arg == "code"]
            if name == "Sentence" and len(node.args) > 1:
                codes = [node.args[1]]
            found |= {code.value: node.args[0].value for code in codes if isinstance(code, ast.Constant)}
    return found


def test_every_sentence_has_japanese_with_the_same_fields() -> None:
    japanese: dict[str, str] = {}
    for path in (PACKAGE / "words" / "text").glob("say.*.ja.json"):
        japanese |= json.loads(path.read_text(encoding="utf-8"))

    def fields(template: str) -> set[str]:
        return {name for _, name, *_ in string.Formatter().parse(template) if name}

    sentences = {code: text for code, text in _sentences().items() if code.startswith("backbone.")}
    assert len(sentences) > 25
    for code, template in sentences.items():
        assert code in japanese, code
        assert fields(japanese[code]) == fields(template), code
        assert re.search(r"[ぁ-ん]", japanese[code]), code
    unused = {code for code in japanese if code.startswith("backbone.")} - set(sentences)
    assert unused == set()


def test_a_backbone_without_a_joint_space_says_so():
    import torch

    from mirdemo.backbones import BackboneError, load_backbone

    backbone = load_backbone("mini-west", device="cpu")
    assert not backbone.reads_prompts
    for ask in (lambda: backbone.text(["a drum"]), lambda: backbone.joint(torch.zeros(1, 24_000))):
        with pytest.raises(BackboneError) as refused:
            ask()
        assert refused.value.sentence.code == "backbone.no_joint_space"


def test_small_backbones_and_musicnn_compute_in_float32_alone_and_all_others_in_what_they_may():
    single = {name for name in specs() if registry.precisions(name) == ("float32",)}
    assert single == {name for name, spec in specs().items() if spec.embedded or spec.family == "musicnn"}
    assert {"mini-world", "spectral", "mert-95m"} - single == {"mert-95m"}
    assert registry.precisions("mert-95m") == ("float32", "bfloat16", "float16")
