"""The nearest neighbours of distance matching: regions of masks as vectors, and the votes of the nearest.

Source of all steps and constants: the distance matching of PASS, github.com/LUSSeg/PASS.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from imagenet_s.spec.classes import IGNORE

NEIGHBOURS = 10
TEMPERATURE = 0.07
ENLARGED = 4  # times, before anything is done with a feature map
EPSILON = 1e-12  # a vector of zeros stays one
SIMILARITIES = 1 << 22  # at a time, so that memory is bounded


def enlarged(features: np.ndarray, factor: int = ENLARGED) -> np.ndarray:
    """Features (C, h, w) → (C, factor·h, factor·w) float32, bilinearly.

    Pixels are areas whose corners stay together (`align_corners=False` of PyTorch's `interpolate`).
    """
    _, height, width = features.shape
    down, across = _bilinear(height, factor), _bilinear(width, factor)
    return down @ features.astype(np.float32, copy=False) @ across.T


@cache
def _bilinear(size: int, factor: int) -> np.ndarray:
    """(factor · size, size) float32: how much each new pixel takes of each old one."""
    centres = ((np.arange(size * factor) + 0.5) / factor - 0.5).clip(0, size - 1)
    weights = 1 - np.abs(centres[:, None] - np.arange(size))
    return weights.clip(0).astype(np.float32)


def nearest(ids: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Ids (height, width) → ids of `shape`, (new height, new width), by nearest neighbour."""
    rows, columns = (_sources(old, new) for old, new in zip(ids.shape, shape, strict=True))
    return ids[rows[:, None], columns]


def _sources(old: int, new: int) -> np.ndarray:
    """(new,) the old pixel of each new pixel i: ⌊i · (old / new)⌋ in 32 bits.

    PyTorch's `interpolate` reckons so. In whole numbers 0.012 % of the pixels would be the next one.
    """
    scale = np.float32(old) / np.float32(new)
    return np.minimum((np.arange(new, dtype=np.float32) * scale).astype(np.intp), old - 1)


class Regions(NamedTuple):
    """Vectors, (regions, C) float32 of length 1, and their class ids, (regions,) int64."""

    vectors: np.ndarray
    labels: np.ndarray


def embedded(features: np.ndarray, ids: np.ndarray) -> Regions:
    """The regions of one image: enlarged features (C, h, w), ids of its mask, (height, width).

    A region's vector is the sum of its pixels' features over the number of all pixels, made of length 1.
    Background is a region like the others; ignore is none.
    """
    channels, *shape = features.shape
    small = nearest(ids, tuple(shape)).ravel()
    labels = np.unique(small[small != IGNORE]).astype(np.int64)
    masks = (small[:, None] == labels).astype(np.float32)
    means = (features.reshape(channels, -1) @ masks / len(small)).T
    return Regions(_of_length_1(means), labels)


def _of_length_1(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), EPSILON)


def voted(features: np.ndarray, bank: Regions, k: int, temperature: float) -> np.ndarray:
    """Class ids, (h, w) uint16, for enlarged features (C, h, w).

    Each position takes the class that has most of the weights exp(similarity / temperature) of its `k` most
    similar regions; of several classes, the lowest id. Similarity is the cosine, in 32 bits: between regions
    that are the same its rounding decides, as it does in PASS.
    """
    channels, height, width = features.shape
    positions = _of_length_1(np.ascontiguousarray(features.reshape(channels, -1).T))
    first = max(0, len(bank.labels) - k)  # of those kept, where all are in ascending order
    classes = int(bank.labels.max()) + 1
    ids = np.empty(len(positions), np.uint16)
    step = max(1, SIMILARITIES // len(bank.labels))
    for start in range(0, len(positions), step):
        similarity = positions[start : start + step] @ bank.vectors.T
        chosen = np.argpartition(similarity, first, axis=1)[:, first:]
        chosen.sort(axis=1)  # so that weights are summed in the same order on every machine
        nearness = np.take_along_axis(similarity, chosen, axis=1).astype(np.float64)
        # The nearest weighs 1 whatever the temperature: no number is too large, and votes keep their order.
        weights = np.exp((nearness - nearness.max(axis=1, keepdims=True)) / temperature)
        places = np.arange(len(similarity))[:, None] * classes + bank.labels[chosen]
        votes = np.bincount(places.ravel(), weights.ravel(), len(similarity) * classes)
        ids[start : start + step] = votes.reshape(-1, classes).argmax(axis=1)
    return ids.reshape(height, width)
