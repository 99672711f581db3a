"""Whitening: make an embedding forget what differs between two recordings of one performance.

Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for
SVM-based speaker recognition", Interspeech 2006). A class here is one synthetic performance, heard several times
through other rooms, lines and noise; the directions in which its embeddings scatter carry nothing about the music
and are shrunk, each by the inverse of its deviation.

With z = (x - centre) / scale the within-class covariance is W = s I + U diag(v) U' (its leading directions, the rest
by their mean), and what is applied is B = sqrt(s) W^-1/2, symmetric, so that directions that never scatter stay as
they are. Where a layer's rows are made of parts of different kinds, each part is then brought to a fixed length, its
share, so that a cosine is the weighted mean of the parts' cosines and no part drowns the others in a clip where it is
extreme. A matrix belongs to one backbone, one set of weights, one window length and one pooling, and refuses others.

It is fitted on synthetic sound and applied to music. A unit that hardly moves on the one may move a hundred times as much on
the other, and divided by its deviation it would then drown the rest. So no unit is divided by less than ``FLOOR`` of its part's
usual deviation, and no standardised value goes beyond ``LIMIT``; how much was cut says how unlike the two sounds are
(``Whitening.strange``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mirdemo.backbones.spec import Part
from mirdemo.base.assets import ASSETS
from mirdemo.base.files import whole
from mirdemo.base.home import home
from mirdemo.base.plain import of_parts
from mirdemo.base.sentences import MirdemoError, Sentence

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.embed import Embeddings

SHIPPED = ASSETS / "whitening"
RANK = 128
#: Share of the mean variance in W. Chosen among 0.09, 0.23, 0.5 and 0.75 by 3-shot recognition of the tradition on
#: synthetic performances the whitening was not fitted on: the largest was best, clean and disturbed.
SHRINKAGE = 0.75

#: The least deviation that a unit is divided by, as a share of the median among those of its part that move, and the number of
#: deviations beyond which a standardised value is cut. Chosen on 60 recordings of ten Western genres, 3-shot over 60 episodes,
#: clean and degraded (``benchmarks/whitening_floor.py``): musicnn-MSD's penultimate layer, fitted on 180 controlled performances,
#: scores .814 and .444 as it is, .591 and .370 divided as it comes (the five largest of 200 numbers hold 72 % of a row's squares, as
#: it is 20 %), .832 and .509 with the floor alone, .836 and .510 with the cut alone, .831 and .511 with both; its mean_pool .703 and
#: .295, .729 and .406, .805 and .481 with both. Floors of .25 and .5, cuts at 3, 4 and 6 lie within .03 of each other; the embedded
#: backbones, fitted anew, move by .009 at most.
FLOOR = 0.25
LIMIT = 4.0
#: Share of values beyond the limit from which sound counts as unlike that of the fit: in the fit's own sound at most .005 were, on
#: those genres .001 to .003 of the embedded backbones' and .09 of that penultimate layer's. The festival made here has .02, and
#: whitening helps there.
STRANGE = 0.04

_FORMAT = "mirdemo-whitening-3"
#: 2: without a limit.
_READABLE = ("mirdemo-whitening-2", _FORMAT)
#: The median of a normal variable's absolute value, in deviations.
_MEDIAN_OF_NORMAL = 0.6745
#: No part is longer: a row's squares stay far within float32.
_LONGEST = 1e9
#: What of an identity has to agree. Precision need not: it moves states far less than a room does.
_KEYS = ("name", "revision", "fingerprint", "sample_rate", "window_seconds", "pooling")


class WhiteningError(MirdemoError):
    """A whitening cannot be fitted, read or applied. One sentence."""


def _is_part(part: Part) -> bool:
    # A size of 4.0, read from a file, adds up like any other and then cuts no row.
    whole = isinstance(part.size, int) and not isinstance(part.size, bool)
    return whole and part.size >= 1 and 0 <= part.share <= _LONGEST


@dataclass(frozen=True, eq=False)
class LayerWhitening:
    """Whitening of one layer of size d: centre (d,), scale (d,), directions (d, r) orthonormal, and by how much
    each direction is shrunk, keep (r,) in (0, 1]. All float32. parts: as of the layer, their sizes adding up to d.
    limit: of standardised values, above 0; infinite where none are cut."""

    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    directions: NDArray[np.float32]
    keep: NDArray[np.float32]
    parts: tuple[Part, ...] = ()
    limit: float = math.inf

    def __post_init__(self) -> None:
        """Raises ValueError for parts that are not those of its rows, and for a limit that is none."""
        if not self.limit > 0:
            raise ValueError("a limit that leaves nothing")
        _require_parts(self.parts, len(self.centre))

    @classmethod
    def fit(
        cls,
        rows: ArrayLike,
        groups: ArrayLike,
        shrinkage: float = SHRINKAGE,
        rank: int = RANK,
        parts: tuple[Part, ...] = (),
        *,
        floor: float = FLOOR,
        limit: float = LIMIT,
    ) -> LayerWhitening:
        """rows: (n, d); groups: (n,), equal for renderings of one performance; parts: as of the layer.

        floor: as ``FLOOR``; limit: of standardised values, above 0, infinite to cut none
        Raises ValueError for parts whose sizes do not add up to d.
        """
        x = np.asarray(rows, dtype=np.float64)
        _require_parts(parts, x.shape[1])
        _, inverse, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
        centre = x.mean(axis=0)
        scale = _floored(x.std(axis=0), parts, floor)
        z = _cut((x - centre) / scale, limit, parts)
        sums = np.zeros((len(counts), x.shape[1]))
        np.add.at(sums, inverse, z)
        residual = z - (sums / counts[:, None])[inverse]
        freedom = int((counts - 1).sum())
        _, singular, basis = np.linalg.svd(residual / np.sqrt(freedom), full_matrices=False)
        variance = singular**2
        mean_variance = float(variance.sum()) / x.shape[1]
        rank = min(rank, len(variance), freedom)
        rest = max(float(variance[rank:].sum()), 0.0) / max(x.shape[1] - rank, 1)
        floor = (1 - shrinkage) * rest + shrinkage * mean_variance
        shrunk = (1 - shrinkage) * variance[:rank] + shrinkage * mean_variance
        keep = np.sqrt(floor / np.maximum(shrunk, 1e-30)) if mean_variance > 0 else np.ones(rank)
        centre, scale, directions, keep = (
            a.astype(np.float32) for a in (centre, scale, basis[:rank].T, np.minimum(keep, 1.0))
        )
        return cls(centre, scale, directions, keep, parts, limit)

    def standardised(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, d) -> float32 (n, d), in deviations of what it was fitted on, nothing cut."""
        return (np.asarray(rows, dtype=np.float32) - self.centre) / self.scale

    def strange(self, rows: NDArray[np.floating]) -> float:
        """The share of numbers of rows (n, d) that lie beyond ``LIMIT`` deviations of what it was fitted on, 0 to 1: among the
        sound of the fit far below one in a thousand."""
        return float((np.abs(self.standardised(rows)) > LIMIT).mean()) if len(rows) else 0.0

    def apply(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, d) -> float32 (n, d)."""
        z = _cut(self.standardised(rows), self.limit, self.parts)
        white = z - ((z @ self.directions) * (1.0 - self.keep)) @ self.directions.T
        if not self.parts:
            return white
        for part, piece in zip(self.parts, _by_parts(white, self.parts), strict=True):
            piece *= part.share / np.maximum(np.linalg.norm(piece, axis=1, keepdims=True), 1e-12)
        return white


def _require_parts(parts: tuple[Part, ...], size: int) -> None:
    if parts and (sum(part.size for part in parts) != size or not all(_is_part(part) for part in parts)):
        raise ValueError("parts that are not those of the rows")


def _by_parts(values: NDArray[Any], parts: tuple[Part, ...]) -> list[NDArray[Any]]:
    """Views of the last axis, one a part; of all of it without any."""
    return np.split(values, np.cumsum([part.size for part in parts])[:-1], axis=-1) if parts else [values]


def _cut(z: NDArray[Any], limit: float, parts: tuple[Part, ...]) -> NDArray[Any]:
    """Standardised rows (n, d), in place, with no value beyond the limit: in deviations of the fit or, where most of a row's
    part is further out than that, in the part's own. So a few units cannot drown the others, and a clip that is far out as a
    whole keeps its direction."""
    if limit < math.inf:
        for piece in _by_parts(z, parts):
            usual = np.median(np.abs(piece), axis=1, keepdims=True) / _MEDIAN_OF_NORMAL
            most = limit * np.maximum(usual, 1.0)
            np.clip(piece, -most, most, out=piece)
    return z


def _floored(deviation: NDArray[np.float64], parts: tuple[Part, ...], floor: float) -> NDArray[np.float64]:
    """What to divide by, (d,): the deviation, or the least that its part allows. Parts are of different kinds and sizes."""
    least = []
    for piece in _by_parts(deviation, parts):
        moving = piece[piece > 1e-3 * piece.max(initial=0.0)]
        least.append(np.full(len(piece), floor * float(np.median(moving)) if len(moving) else 0.0))
    return np.maximum(deviation, np.maximum(np.concatenate(least), 1e-12))


@dataclass(frozen=True, eq=False)
class Whitening:
    """One whitening a layer, for exactly one backbone.

    identity: the backbone it was fitted with
    layers: layer name -> LayerWhitening
    provenance: how it was made: performances and how many of them were others than the generator's, renderings, seed,
        shrinkage, rank, generator
    """

    identity: Identity
    layers: Mapping[str, LayerWhitening]
    provenance: Mapping[str, Any]

    @classmethod
    def fit(
        cls,
        embeddings: Embeddings,
        groups: ArrayLike,
        *,
        parts: Mapping[str, tuple[Part, ...]] | None = None,
        shrinkage: float = SHRINKAGE,
        rank: int = RANK,
        provenance: Mapping[str, Any] | None = None,
    ) -> Whitening:
        """Fit from embeddings of renderings.

        groups: (n_clips,), equal for renderings of one performance
        parts: layer -> the parts its rows are made of, for layers that have any
        Raises WhiteningError with fewer than two performances heard at least twice.
        """
        groups = np.asarray(groups)
        _, counts = np.unique(groups, return_counts=True)
        if (counts > 1).sum() < 2:
            raise WhiteningError(
                "Whitening needs at least two performances, each heard at least twice, not {n}. Give it more.",
                code="whitening.too_few",
                n=int((counts > 1).sum()),
            )
        layers = {
            name: LayerWhitening.fit(matrix, groups, shrinkage, rank, (parts or {}).get(name, ()))
            for name, matrix in embeddings.layers.items()
        }
        made = {
            "performances": len(counts),
            "renderings": len(groups),
            "shrinkage": shrinkage,
            "rank": rank,
            **(provenance or {}),
        }
        return cls(embeddings.identity, layers, made)

    @property
    def name(self) -> str:
        """What results call it."""
        return f"wccn-{self.provenance.get('generator', 'own')}"

    def fits(self, identity: Identity) -> bool:
        """True if it was fitted with this very backbone (any precision)."""
        return all(getattr(identity, key) == getattr(self.identity, key) for key in _KEYS)

    def apply(self, embeddings: Embeddings) -> Embeddings:
        """The whitened embeddings: clips' rows and windows' rows, each by itself. Where nothing is cut and there are no parts
        the mean of the windows stays the clip; else it does not quite.

        Raises WhiteningError for embeddings of another backbone.
        """
        self._check(embeddings.identity)
        layers = {name: self.layers[name].apply(matrix) for name, matrix in embeddings.layers.items()}
        per_clip = tuple(
            replace(
                entry, layers={name: self.layers[name].apply(rows) for name, rows in entry.layers.items()}
            )
            for entry in embeddings.per_clip
        )
        return replace(embeddings, layers=layers, per_clip=per_clip)

    def strange(self, embeddings: Embeddings, layer: str | None = None) -> Sentence | None:
        """What to say where these embeddings (not whitened yet) are unlike those it was fitted on; None where they are not.

        layer: the only one that matters; None, or ``"mean"``: all of them
        """
        named = [layer] if layer is not None and layer in self.layers else list(self.layers)
        return self.told({name: self.layers[name].strange(embeddings.layers[name]) for name in named})

    def told(self, shares: Mapping[str, float]) -> Sentence | None:
        """As ``strange``, of layer -> the share of its numbers that lie beyond the limit."""
        worst = max(shares, key=lambda name: shares[name], default=None)
        if worst is None or shares[worst] < STRANGE:
            return None
        return Sentence(
            "This sound is unlike what the whitening of {backbone} was fitted on: in layer “{layer}”, {percent} % of the numbers "
            "lie beyond {limit} deviations. Compare with and without whitening.",
            "whitening.strange",
            {
                "backbone": self.identity.name,
                "layer": worst,
                "percent": f"{100 * shares[worst]:.0f}",
                "limit": f"{LIMIT:.0f}",
            },
        )

    def matrix(self, layer: str, rows: NDArray[np.floating], identity: Identity) -> NDArray[np.float32]:
        """Rows (n, size) of one layer, whitened. Raises WhiteningError for another backbone or an unknown layer."""
        self._check(identity)
        if layer not in self.layers:
            raise WhiteningError(
                "There is no whitening for layer {layer} of {backbone}. Choose another layer.",
                code="whitening.layer",
                layer=layer,
                backbone=identity.name,
            )
        return self.layers[layer].apply(rows)

    def _check(self, identity: Identity) -> None:
        if not self.fits(identity):
            raise WhiteningError(
                "This whitening was fitted with {own}, not with this {other}. Fit one for it.",
                code="whitening.other_backbone",
                own=_label(self.identity),
                other=_label(identity),
            )

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, whole or not at all: half precision, identity and provenance in its header."""
        from safetensors.numpy import save_file

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # safetensors 0.8.0 writes the memory of an array as it lies, so other numbers where it is not contiguous.
        tensors = {}
        for name, layer in self.layers.items():
            tensors[f"{name}/centre"] = np.ascontiguousarray(layer.centre)
            tensors[f"{name}/scale"] = np.ascontiguousarray(layer.scale)
            tensors[f"{name}/directions"] = np.ascontiguousarray(layer.directions.astype(np.float16))
            tensors[f"{name}/keep"] = np.ascontiguousarray(layer.keep)
        header = {
            "format": _FORMAT,
            "identity": json.dumps(self.identity.as_dict()),
            "layers": json.dumps(
                {
                    name: [[part.size, part.share] for part in layer.parts]
                    for name, layer in self.layers.items()
                }
            ),
            "limits": json.dumps(
                {name: layer.limit if layer.limit < math.inf else None for name, layer in self.layers.items()}
            ),
            "provenance": json.dumps(dict(self.provenance)),
        }
        with whole(path) as partial:
            save_file(tensors, partial, metadata=header)
            partial.chmod(0o644)  # safetensors lets the owner alone read

    @classmethod
    def load(cls, path: str | Path) -> Whitening:
        """Read what ``save`` wrote. Raises WhiteningError if it is missing, damaged or something else."""
        from safetensors import SafetensorError, safe_open

        from mirdemo.backbones.spec import Identity

        path = Path(path)
        try:
            with safe_open(path, framework="numpy") as opened:
                header = opened.metadata() or {}
                if header.get("format") not in _READABLE:
                    raise ValueError("another format")
                limits = json.loads(header["limits"]) if header["format"] == _FORMAT else {}
                identity = of_parts(Identity, json.loads(header["identity"]))
                layers = {
                    name: LayerWhitening(
                        **{
                            array: opened.get_tensor(f"{name}/{array}").astype(np.float32)
                            for array in ("centre", "scale", "directions", "keep")
                        },
                        parts=tuple(Part(size, share) for size, share in parts),
                        limit=math.inf if limits.get(name) is None else float(limits[name]),
                    )
                    for name, parts in json.loads(header["layers"]).items()
                }
                provenance = json.loads(header["provenance"])
                if not isinstance(provenance, dict):
                    raise ValueError("no provenance")
                return cls(identity, layers, provenance)
        except (
            OSError,
            SafetensorError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise WhiteningError(
                "{name} is not a whitening that can be read. Fit it again.",
                code="whitening.unreadable",
                name=path.name,
            ) from error


def _label(identity: Identity) -> str:
    return f"{identity.name} ({identity.revision}, {identity.fingerprint[:8]})"


def stored_path(identity: Identity) -> Path:
    """Where a whitening that was fitted on this machine is kept."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in identity.name)
    return home() / "whitening" / f"{safe}-{identity.fingerprint[:16]}.safetensors"


def whitening_for(identity: Identity) -> Whitening | None:
    """The whitening of this backbone: the one that came with the software, else one fitted on this machine, else
    None. A file that belongs to another version of the backbone counts as none."""
    for path in (SHIPPED / f"{identity.name}.safetensors", stored_path(identity)):
        if not path.is_file():
            continue
        try:
            whitening = Whitening.load(path)
        except WhiteningError:
            continue
        if whitening.fits(identity):
            return whitening
    return None
