"""Small support sets with a known structure."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def festival():
    """Forty-eight clips of 24 recordings, four tags around centres of their own, some clips with two tags or none."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(4, 24))
    labels = np.zeros((48, 4), np.uint8)
    recordings = np.repeat([f"recording {i}" for i in range(24)], 2)
    for i in range(48):
        labels[i, (i // 2) % 4] = 1
        if (i // 2) % 3 == 0:
            labels[i, (i // 2 + 1) % 4] = 1
    labels[40:44] = 0
    embeddings = labels @ centres + 0.5 * rng.normal(size=(48, 24)) + 1.5
    return embeddings.astype(np.float32), labels, recordings, ("drum", "flute", "shamisen", "voice")
