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
"""

from __future__ import annotations

import json
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
from mirdemo.base.sentences import MirdemoError

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.embed import Embeddings

SHIPPED = ASSETS / "whitening"
RANK = 128
#: Share of the mean variance in W. Chosen among 0.09, 0.23, 0.5 and 0.75 by 3-shot recognition of the tradition on
#: synthetic performances the whitening was not fitted on: the largest was best, clean and disturbed.
SHRINKAGE = 0.75

_FORMAT = "mirdemo-whitening-2"
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
    each direction is shrunk, keep (r,) in (0, 1]. All float32. parts: as of the layer, their sizes adding up to d."""

    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    directions: NDArray[np.float32]
    keep: NDArray[np.float32]
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for parts that are not those of its rows."""
        if self.parts and (
            sum(part.size for part in self.parts) != len(self.centre)
            or not all(_is_part(part) for part in self.parts)
        ):
            raise ValueError("parts that are not those of the rows")

    @classmethod
    def fit(
        cls,
        rows: ArrayLike,
        groups: ArrayLike,
        shrinkage: float = SHRINKAGE,
        rank: int = RANK,
        parts: tuple[Part, ...] = (),
    ) -> LayerWhitening:
        """rows: (n, d); groups: (n,), equal for renderings of one performance; parts: as of the layer.

        Raises ValueError for parts whose sizes do not add up to d.
        """
        x = np.asarray(rows, dtype=np.float64)
        _, inverse, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
        centre = x.mean(axis=0)
        scale = x.std(axis=0)
        scale = np.maximum(scale, 1e-3 * max(float(scale.max()), 1e-12))
        z = (x - centre) / scale
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
        return cls(centre, scale, directions, keep, parts)

    def apply(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, d) -> float32 (n, d)."""
        z = (np.asarray(rows, dtype=np.float32) - self.centre) / self.scale
        white = z - ((z @ self.directions) * (1.0 - self.keep)) @ self.directions.T
        if not self.parts:
            return white
        pieces = np.split(white, np.cumsum([part.size for part in self.parts])[:-1], axis=1)
        for part, piece in zip(self.parts, pieces, strict=True):
            piece *= part.share / np.maximum(np.linalg.norm(piece, axis=1, keepdims=True), 1e-12)
        return white


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
        """The whitened embeddings: clips' rows and windows' rows, each by itself. Without parts the mean of the windows
        stays the clip; with parts it does not quite.

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
                if header.get("format") != _FORMAT:
                    raise ValueError("another format")
                identity = Identity(**json.loads(header["identity"]))
                layers = {
                    name: LayerWhitening(
                        *(
                            opened.get_tensor(f"{name}/{part}").astype(np.float32)
                            for part in ("centre", "scale", "directions", "keep")
                        ),
                        tuple(Part(size, share) for size, share in parts),
                    )
                    for name, parts in json.loads(header["layers"]).items()
                }
                return cls(identity, layers, json.loads(header["provenance"]))
        except (
            OSError,
            SafetensorError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
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
