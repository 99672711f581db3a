"""About: backbones, corpora, methods with their references, what is kept of a visitor, versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mirdemo import __version__
from mirdemo.backbones.registry import specs, status
from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence.palette import tradition_words
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.wire import Wire
from mirdemo.words.glossary import terms
from mirdemo.words.language import Speaker

PACKAGES = ("torch", "torchaudio", "transformers", "gradio", "scipy", "numpy")
#: Methods and where they are described; their names are words of the page, ``about.method.<name>``.
METHODS = {
    "study": "Papaioannou, Benetos & Potamianos, ISMIR 2025 (arXiv 2506.17055)",
    "lc-prototypes": "Papaioannou, Benetos & Potamianos, LC-Protonets, 2024 (arXiv 2409.11264)",
    "whitening": "Hatch, Kajarekar & Stolcke, Interspeech 2006",
    "intervals": "DeLong, DeLong & Clarke-Pearson, Biometrics 1988; Obuchowski, Biometrics 1997",
}


def build(wire: Wire) -> None:
    """The tab's view."""
    wire.view("about", show)


TAB = Tab("about", build)


def show(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    backbones = []
    for name, facts in specs().items():
        here = status(name)
        sick = here.health.reason(facts.title) if here.health and not here.health.ok else None
        backbones.append({"spec": facts, "status": here, "sick": sick})
    return {
        "backbones": backbones,
        "corpora": catalogue().values(),
        "traditions": {c.name: tradition_words(c.tradition, t) for c in catalogue().values()},
        "methods": METHODS,
        "glossary": terms(t.language),
        "limits": LIMITS,
        "versions": versions(),
    }


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """What runs here, read without importing it."""
    found = [("mirdemo", __version__), ("Python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)
