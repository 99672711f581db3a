"""Write today's files, from a clean checkout, once a format.

``PYTHONPATH=tests python tests/golden/make_golden.py tests/golden/DATE``
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from bands import Bands
from test_golden import clip

from mirdemo.clips.in_question import InQuestion
from mirdemo.embedding.embed import embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.embedding.whitening import Whitening
from mirdemo.stages.fewshot import METHODS
from mirdemo.tagger import Tagger
from mirdemo.tagger.file import FORMAT_VERSION

TAGS = ("太鼓", "flute", "slow")


def main(out: Path) -> None:
    out.mkdir()
    backbone = Bands()
    clips = [clip(i, ("drum", "flute")[i % 2]) for i in range(10)]
    labels = np.array([[i % 2 == 0, i % 2 == 1, i in (1, 2, 5)] for i in range(10)], np.uint8)
    queries = [clip(20, "drum"), clip(21, "flute"), clip(22, "flute")]
    support = embed(clips, backbone)
    rows = embed(queries, backbone, store=EmbeddingStore(out / "store"))
    with TemporaryDirectory() as folder:  # as it is read: directions are kept in half precision
        Whitening.fit(support, [i // 2 for i in range(10)]).save(Path(folder) / "w.safetensors")
        fitted = Whitening.load(Path(folder) / "w.safetensors")
    fitted.save(out / "whitening.safetensors")
    found = {}
    for name, method, whitening in (
        ("plain", "lc-prototypes", None),
        ("whitened", "lc-prototypes", fitted),
        *((kind, kind, None) for kind in METHODS if kind != "lc-prototypes"),
    ):
        tagger = Tagger.make(
            support,
            labels,
            [f"r{i}" for i in range(10)],
            TAGS,
            layer="mean",
            method=METHODS[method](),
            whitening=whitening,
            spec=backbone.spec,
            in_question=InQuestion(clips=4, counted_as=1, counted=7, recordings=10)
            if name == "plain"
            else None,
        )
        tagger.save(out / f"tagger-{name}")
        said = [tagger.decide(query, backbone=backbone) for query in queries]
        found[name] = {
            "scores": [one.scores[0].tolist() for one in said],
            "given": [one.given[0].tolist() for one in said],
            "unknown": [bool(one.unknown[0]) for one in said],
        }
    told = {
        "format_version": FORMAT_VERSION,
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "rows": {layer: np.asarray(matrix, float).tolist() for layer, matrix in rows.layers.items()},
        "whitened": {name: np.asarray(m, float).tolist() for name, m in fitted.apply(rows).layers.items()},
        "taggers": found,
    }
    (out / "expected.json").write_text(
        json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
