"""Made-up clips whose tags are heard in some layers and not in others."""

from __future__ import annotations

import numpy as np


def made_up(n_recordings=24, clips=2, size=30, heard=(0.0, 1.5, 0.4), n_tags=3, seed=0):
    """Layers (named by number), labels (n, n_tags) and recording names (n,). heard: strength of the tags by layer."""
    rng = np.random.default_rng(seed)
    recordings = np.repeat(np.arange(n_recordings), clips)
    labels = np.stack([rng.permutation(n_recordings) < n_recordings // 3 for _ in range(n_tags)], 1)[
        recordings
    ]
    room = rng.normal(size=(len(heard), n_recordings, size))
    layers = {
        str(i): (
            strength * labels @ rng.normal(size=(n_tags, size))
            + room[i][recordings]
            + rng.normal(size=(len(recordings), size))
        ).astype(np.float32)
        for i, strength in enumerate(heard)
    }
    return layers, labels.astype(np.uint8), np.array([f"recording {i}" for i in recordings])
