"""What is known about the two musicnn networks before they are loaded. Imports no torch.

Their weights come inside a Python package, of which nothing is installed or run (``backbones/wheels.py``). Layers as the
package names them (``musicnn.extractor``); sizes as its checkpoints have them.
"""

from __future__ import annotations

from dataclasses import replace

from mirdemo.backbones.spec import BackboneSpec, Layer, Wheel

SAMPLE_RATE = 16_000
FFT, HOP, MELS = 512, 256, 96
#: Frames of a patch, on which the networks were trained: three seconds.
PATCH_FRAMES = 187
#: The front: filters of 7 frames by 38 and 67 mel bands (timbral), and of 128, 64 and 32 frames (temporal).
TIMBRAL_BANDS, TIMBRAL_FILTERS = (38, 67), 204
TEMPORAL_FRAMES, TEMPORAL_FILTERS = (128, 64, 32), 51
TIMBRAL, TEMPORAL = len(TIMBRAL_BANDS) * TIMBRAL_FILTERS, len(TEMPORAL_FRAMES) * TEMPORAL_FILTERS
#: The middle's filters, and what is pooled over time: the front's and three layers of the middle.
MIDDLE = 64
POOLED = TIMBRAL + TEMPORAL + 3 * MIDDLE
UNITS, TAGS = 200, 50

#: The two files of a checkpoint in TensorFlow's format, as the package names them.
INDEX, DATA = ".index", ".data-00000-of-00001"

WHEEL = Wheel(
    project="musicnn",
    version="0.1.0",
    file="musicnn-0.1.0-py3-none-any.whl",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    files={
        f"musicnn/MSD_musicnn/{INDEX}": "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
        f"musicnn/MSD_musicnn/{DATA}": "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
        f"musicnn/MTT_musicnn/{INDEX}": "da2d7bb670b2b31e9bc441bb1bd75eca31b5b061f963cc1f9630c1aff3238f57",
        f"musicnn/MTT_musicnn/{DATA}": "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
        # Its licence asks that its text goes with every copy.
        "musicnn-0.1.0.dist-info/LICENSE.md": "60c4194f702ddd969f969577743546327b4e9db560c07ec286be5cec27f55fcd",
    },
)


def _spec(name: str, title: str, folder: str, trained_on: str) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        title=title,
        family="musicnn",
        states_a_second=SAMPLE_RATE / HOP,
        licence="ISC",
        parameters=787_159,
        sample_rate=SAMPLE_RATE,
        window_seconds=((PATCH_FRAMES - 1) * HOP + FFT) / SAMPLE_RATE,
        layers=(
            Layer("timbral", TIMBRAL),
            Layer("temporal", TEMPORAL),
            Layer("cnn3", MIDDLE),
            Layer("mean_pool", POOLED),
            Layer("max_pool", POOLED),
            Layer("penultimate", UNITS),
            Layer("logits", TAGS),
        ),
        usual_layer="penultimate",
        trained_on=trained_on,
        min_samples=FFT,
        revision=f"{WHEEL.project}-{WHEEL.version}",
        wheel=replace(WHEEL, folder=f"musicnn/{folder}"),
        download_bytes=29_292_476,
        citation="Pons & Serra, musicnn: pre-trained convolutional neural networks for music audio tagging, ISMIR 2019 "
        "late-breaking (arXiv 1909.06654)",
    )


SPECS = [
    _spec(
        "musicnn-msd", "musicnn-MSD", "MSD_musicnn", "a million Western songs and their listeners' tags (MSD)"
    ),
    _spec(
        "musicnn-mtt",
        "musicnn-MTT",
        "MTT_musicnn",
        "MagnaTagATune: mostly Western recordings, tagged in a game",
    ),
]
