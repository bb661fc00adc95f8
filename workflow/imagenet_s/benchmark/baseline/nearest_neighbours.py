"""Classify positions of feature maps by the regions of masks whose features are most similar.

Source of all steps and constants: the distance matching of PASS, github.com/LUSSeg/PASS.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.spec.classes import IGNORE

NEIGHBOURS = 10
TEMPERATURE = 0.07
ENLARGED = 4  # the factor by which each feature map is enlarged first
EPSILON = 1e-12  # keeps a vector of zeros as it is
MAX_SIMILARITIES = 1 << 22  # computed at a time, which bounds the memory


def enlarged(features: NDArray[np.number], factor: int = ENLARGED) -> NDArray[np.float32]:
    """Enlarge a feature map bilinearly.

    Source: PASS, `interpolate` of PyTorch with `align_corners=False`: pixels are areas, and the corners of
    both maps coincide.

    Args:
        features: (C, h, w).
        factor: The factor for both sides.

    Returns:
        (C, factor · h, factor · w) float32.
    """
    _, height, width = features.shape
    down, across = _bilinear(height, factor), _bilinear(width, factor)
    result: NDArray[np.float32] = down @ features.astype(np.float32, copy=False) @ across.T
    return result


@cache
def _bilinear(size: int, factor: int) -> NDArray[np.float32]:
    """Return the weight of each old pixel in each new pixel, (factor · size, size)."""
    centres = ((np.arange(size * factor) + 0.5) / factor - 0.5).clip(0, size - 1)
    weights = 1 - np.abs(centres[:, None] - np.arange(size))
    return weights.clip(0).astype(np.float32)


def nearest(ids: NDArray[np.uint16], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Resize ids by nearest neighbour.

    Source: PASS, `interpolate` of PyTorch with `mode="nearest"`.

    Args:
        ids: (height, width).
        shape: The new (height, width).

    Returns:
        Ids of the new shape.
    """
    rows, columns = (_sources(old, new) for old, new in zip(ids.shape, shape, strict=True))
    resized: NDArray[np.uint16] = ids[rows[:, None], columns]
    return resized


def _sources(old: int, new: int) -> NDArray[np.intp]:
    """Return the old pixel of each new pixel i along a side: ⌊i · (old / new)⌋, (new,).

    It is computed in 32-bit floats, as in `interpolate` of PyTorch. Integers would give the next pixel in
    0.012 % of the cases.
    """
    scale = np.float32(old) / np.float32(new)
    return np.minimum((np.arange(new, dtype=np.float32) * scale).astype(np.intp), old - 1)


class Regions(NamedTuple):
    """Feature vectors of regions, (n, C) float32 of length 1, and their class ids, (n,) int64."""

    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]


def embedded(features: NDArray[np.float32], ids: NDArray[np.uint16]) -> Regions:
    """Return the regions of one image.

    Source: PASS. The vector of a region is the sum of the features of its pixels, divided by the number of
    all pixels, then scaled to length 1. Background is a region like the others; ignore is not a region.

    Args:
        features: Enlarged features, (C, h, w).
        ids: The mask of the image, (height, width).
    """
    channels, height, width = features.shape
    small = nearest(ids, (height, width)).ravel()
    labels = np.unique(small[small != IGNORE]).astype(np.int64)
    masks = (small[:, None] == labels).astype(np.float32)
    means = (features.reshape(channels, -1) @ masks / len(small)).T
    return Regions(_normalized(means), labels)


def _normalized(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors, (n, C), to length 1; vectors of zeros stay as they are."""
    result: NDArray[np.float32] = vectors / np.maximum(
        np.linalg.norm(vectors, axis=1, keepdims=True), EPSILON
    )
    return result


def voted(features: NDArray[np.float32], bank: Regions, k: int, temperature: float) -> NDArray[np.uint16]:
    """Return the class id of each position of a feature map.

    Source: PASS. The `k` most similar regions vote with the weights exp(similarity / temperature). The class
    with the largest sum wins, among equal sums the lowest id. Similarity is the cosine, in 32-bit floats:
    among identical regions its rounding decides, as in PASS.

    Args:
        features: Enlarged features, (C, h, w).
        bank: All regions.
        k: The number of regions that vote.
        temperature: Above 0.

    Returns:
        (h, w) uint16.
    """
    channels, height, width = features.shape
    positions = _normalized(np.ascontiguousarray(features.reshape(channels, -1).T))
    first = max(0, len(bank.labels) - k)  # index of the first region that votes, in ascending order
    classes = int(bank.labels.max()) + 1
    ids = np.empty(len(positions), np.uint16)
    step = max(1, MAX_SIMILARITIES // len(bank.labels))
    for start in range(0, len(positions), step):
        similarity = positions[start : start + step] @ bank.vectors.T
        chosen = np.argpartition(similarity, first, axis=1)[:, first:]
        chosen.sort(axis=1)  # so that weights are summed in the same order on every machine
        nearest_similarity = np.take_along_axis(similarity, chosen, axis=1).astype(np.float64)
        # The most similar region has the weight 1 at any temperature. This avoids overflow and keeps the
        # order of the sums.
        weights = np.exp((nearest_similarity - nearest_similarity.max(axis=1, keepdims=True)) / temperature)
        cells = np.arange(len(similarity))[:, None] * classes + bank.labels[chosen]
        votes = np.bincount(cells.ravel(), weights.ravel(), len(similarity) * classes)
        ids[start : start + step] = votes.reshape(-1, classes).argmax(axis=1)
    return ids.reshape(height, width)
