"""Frames: fixed sets of corpora that a finding is about, apart from the corpora that happen to be readable here."""

from __future__ import annotations

from mirdemo.results.frame import Frame

#: The six corpora of the published studies (arXiv 2307.09795, 2409.11264, 2506.17055, 2506.17818), from Western to most
#: distant as those list them.
STUDY = Frame(
    {
        "magnatagatune": "western",
        "fma": "western",
        "lyra": "greek",
        "makam": "makam",
        "hindustani": "hindustani",
        "carnatic": "carnatic",
    }
)
