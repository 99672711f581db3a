"""What is known about the spectral backbone before it is loaded. Imports no torch."""

from __future__ import annotations

from mirdemo.backbones.spec import BackboneSpec, Layer, Part

#: Changes whenever a number that the backbone gives changes; part of its identity.
VERSION = "spectral-3"

#: The groups of statistics, each a layer, with their sizes.
GROUPS = {
    "timbre": 80,
    "correlation": 66,
    "contrast": 28,
    "modulation": 96,
    "shape": 14,
    "chroma": 72,
    "mode": 54,
    "onset": 24,
    "tempo": 64,
    "dynamics": 8,
}

#: The layers made of several groups side by side: ``sound`` is what a clip sounds like, whatever its notes.
UNIONS = {
    "sound": ("timbre", "correlation", "contrast", "modulation", "shape", "onset", "dynamics"),
    "all": tuple(GROUPS),
}

#: How long each group is where several stand side by side: in a cosine it counts by the square of that. Chosen on
#: synthetic styles (``training/styles.py``).
SHARES = dict.fromkeys(GROUPS, 1.0) | dict.fromkeys(("timbre", "correlation", "contrast", "modulation"), 1.5)


def _union(name: str, groups: tuple[str, ...]) -> Layer:
    parts = tuple(Part(GROUPS[group], SHARES[group]) for group in groups)
    return Layer(name, sum(part.size for part in parts), parts)


SPEC = BackboneSpec(
    name="spectral",
    title="Spectral statistics",
    family="spectral",
    licence="Apache-2.0",
    parameters=0,
    sample_rate=22_050,
    window_seconds=10.0,
    layers=(
        *(Layer(name, size) for name, size in GROUPS.items()),
        *(_union(name, groups) for name, groups in UNIONS.items()),
    ),
    trained_on="nothing: measured from the sound by formula",
    min_samples=2_205,
    revision=VERSION,
    pooling="statistics",
    citation="MFCC and their correlations (Mandel and Ellis 2005), spectral contrast (Jiang et al. 2002), modulation of the "
    "bands (McKinney and Breebaart 2003), chroma from spectral peaks (Gómez 2006), autocorrelation tempogram (Grosche et "
    "al. 2010)",
)
