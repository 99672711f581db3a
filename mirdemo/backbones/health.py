"""Is a loaded backbone what it should be? Some published ones are not.

Checks, in order:

- ``keys``: tensors missing from or unknown to the network. Loading refuses any, so a loaded backbone has 0.
- ``finite``: share of finite numbers in every layer for the test sounds; must be 1.
- ``sounds``: cosine between the embeddings of a 440 Hz sine and white noise; must stay below 0.9. Where a backbone
  has a joint audio-text space, that space is asked, because it was trained by cosine.
- ``separation``, asked where only raw hidden states can be and their cosine is 0.9 or more: raw states of
  transformers share a large common direction whatever the input (anisotropy: Ethayarajh 2019, "How contextual are
  contextualized word representations?"), so that a sound network may well give 0.95. What a collapsed network
  cannot do is put sine and noise further apart than two draws of the same noise: the ratio of the two distances
  in the last layer must be at least 1.5 (without regard to content it is about 1), and the first distance at least 1 % of the states' norm, far above what
  rounding in half precision moves.
- ``prompts``: cosine between two unlike prompts in the joint space; must stay below 0.9. Not asked of a copy
  without its tokenizer.

A sick backbone is not refused: it says so in ``Health`` and wherever its name is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirdemo.backbones import records
from mirdemo.backbones.spec import Health

if TYPE_CHECKING:
    from torch import Tensor

    from mirdemo.backbones.spec import Backbone

#: Changes with the checks, so that outcomes of older ones are not believed.
VERSION = 1
MAX_COSINE = 0.9
MIN_SEPARATION = 1.5
MIN_DISTANCE = 0.01
PROBE_SECONDS = 2.0
PROMPTS = ("a violin playing a slow melody", "a dog barking")


def check(backbone: Backbone) -> Health:
    """Check a loaded backbone whose weights were matched strictly, or recall the outcome for the same weights,
    precision and kind of device."""
    identity = backbone.identity
    asks_prompts = bool(backbone.spec.joint_size) and backbone.reads_prompts
    key = f"{identity.fingerprint}-{identity.dtype}-{backbone.device.type}-{asks_prompts:d}-{VERSION}"
    recalled = _from_record(records.read("health", key))
    if recalled is not None:
        return recalled
    with backbone.computing():
        checks = [("keys", 0.0, True), *_sounds(backbone)]
        if asks_prompts:
            cosine = _cosine(*backbone.text(list(PROMPTS)))
            checks.append(("prompts", cosine, cosine < MAX_COSINE))
    health = Health(all(passed for *_, passed in checks), tuple(checks), identity.fingerprint)
    records.write("health", key, _to_record(health))
    return health


def last(name: str) -> Health | None:
    """Outcome of the last check of the backbone of this name on this machine, None if there was none."""
    return _from_record(records.read("last-health", name))


def remember(name: str, health: Health) -> None:
    """Keep an outcome for ``last``."""
    records.write("last-health", name, _to_record(health))


def _sounds(backbone: Backbone) -> list[tuple[str, float, bool]]:
    import torch

    spec = backbone.spec
    length = min(round(PROBE_SECONDS * spec.sample_rate), spec.window_samples)
    time = torch.arange(length) / spec.sample_rate
    draw = torch.Generator().manual_seed(0)
    noise, other_noise = 0.1 * torch.randn(2, length, generator=draw)
    sine = 0.3 * torch.sin(2 * torch.pi * 440.0 * time)

    layers = backbone.pool(backbone.hidden_states(torch.stack([sine, noise])))
    finite = sum(layer.isfinite().sum().item() for layer in layers) / sum(layer.numel() for layer in layers)
    checks = [("finite", finite, finite == 1.0)]
    if finite < 1.0:
        return checks
    of_sine, of_noise = layers[-1]
    cosine = _cosine(of_sine, of_noise)
    if cosine < MAX_COSINE or spec.joint_size:
        return [*checks, ("sounds", cosine, cosine < MAX_COSINE)]
    of_other = backbone.pool(backbone.hidden_states(other_noise[None]))[-1][0]
    unlike, like = (of_sine - of_noise).norm().item(), (of_noise - of_other).norm().item()
    ratio = unlike / max(like, 1e-12)
    passed = ratio >= MIN_SEPARATION and unlike >= MIN_DISTANCE * of_noise.norm().item()
    return [*checks, ("separation", ratio, passed)]


def _cosine(a: Tensor, b: Tensor) -> float:
    return float((a @ b) / (a.norm() * b.norm()).clamp_min(1e-12))


def _to_record(health: Health) -> dict[str, Any]:
    return {"ok": health.ok, "checks": health.checks, "fingerprint": health.fingerprint}


def _from_record(record: dict[str, Any] | None) -> Health | None:
    if record is None:
        return None
    try:
        checks = tuple((str(name), float(value), bool(passed)) for name, value, passed in record["checks"])
        return Health(bool(record["ok"]), checks, str(record["fingerprint"]))
    except (TypeError, KeyError, ValueError):
        return None
