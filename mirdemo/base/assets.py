"""Where the files that ship with mirdemo lie: precomputed results, weights, vocabularies."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

#: Inside the package where it is installed, beside it in a checkout.
ASSETS = next(folder for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if folder.is_dir())
