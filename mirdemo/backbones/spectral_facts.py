"""What is known about the spectral backbone before it is loaded. Imports no torch."""

from __future__ import annotations

from mirdemo.backbones.spec import BackboneSpec, Layer

#: Changes whenever a number that the backbone gives changes; part of its identity.
VERSION = "spectral-2"

#: The groups of statistics, each a layer, with their sizes.
GROUPS = {
    "timbre": 80,
    "contrast": 28,
    "chroma": 72,
    "mode": 54,
    "onset": 24,
    "tempo": 64,
    "dynamics": 8,
}

#: The layers made of several groups side by side: ``sound`` is what a clip sounds like, whatever its notes and tempo.
UNIONS = {"sound": ("timbre", "contrast", "onset", "dynamics"), "all": tuple(GROUPS)}

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
        *(Layer(name, sum(GROUPS[group] for group in groups)) for name, groups in UNIONS.items()),
    ),
    trained_on="nothing: measured from the sound by formula",
    min_samples=2_205,
    revision=VERSION,
    pooling="statistics",
    citation="MFCC, spectral contrast (Jiang et al. 2002), chroma from spectral peaks (Gómez 2006), "
    "autocorrelation tempogram (Grosche et al. 2010)",
)
