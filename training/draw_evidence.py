"""Draw the first view of the evidence in every language into ``assets/evidence``.

    python -m training.draw_evidence

Run again whenever shipped results, words or charts change; a test compares.
"""

from __future__ import annotations

from mirdemo.evidence import drawing
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.words.language import LANGUAGES


def main() -> None:
    drawing.SHIPPED.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        text = drawing.as_shipped(drawing.draw(results.shipped(), Selection(), language))
        (drawing.SHIPPED / f"{language}.json").write_text(text, encoding="utf-8")
        print(f"{language}: {len(text):,} characters")


if __name__ == "__main__":
    main()
