"""Compute the metrics of the benchmark: areas by class of each image, their sums, and percentages.

All sums but that of the F-measures are of integers, so that no metric depends on the order of the images or
on how they are spread over processes. C is the number of classes of the subset.

Source of all formulas and constants: the official toolbox.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.confusion import Confusion
from imagenet_s.masks.size_buckets import SIZE_BUCKETS, size_buckets
from imagenet_s.spec.classes import OTHER

IOU_EPSILON = 1e-10  # gives a class without pixels the IoU 0
F_EPSILON = 1e-20  # gives an image without foreground the F-measure 0
F_BETA = 0.3  # β² of the F-measure

# The axes of Tally.areas.
PLAIN, BOUNDARY = range(2)
BUCKETS = ("", *SIZE_BUCKETS)  # all pixels, then the four size buckets
INTERSECTION, PREDICTED, TRUE = range(3)


class Metrics(TypedDict):
    """The metrics in percent, with the names and the order of the official toolbox.

    `S` to `L` and `BS` to `BL` are the IoU and the boundary IoU of a size bucket, or None if no class has
    true pixels in it. (The official toolbox has NaN there, which JSON cannot express.) `IoUs` has C + 1
    values, background first.
    """

    Acc: float
    mIoU: float
    mBIoU: float
    S: float | None
    MS: float | None
    ML: float | None
    L: float | None
    BS: float | None
    BMS: float | None
    BML: float | None
    BL: float | None
    IoUs: list[float]
    FMeasure: float


@dataclass(frozen=True)
class Tally:
    """Counts that are summed over images.

    Attributes:
        areas: (2, 5, 3, C + 1) int64, numbers of pixels: plain or boundary (PLAIN, BOUNDARY); of all pixels
            or of a size bucket (BUCKETS); in both masks, in the prediction or in the truth (INTERSECTION,
            PREDICTED, TRUE); by class, background first.
        correct: The number of images whose predicted label is correct.
        unknown: The number of pixels that are predicted as an id above C.
        f_measures: The F-measure of each image, 0 to 1, in the order of the images.
    """

    areas: NDArray[np.int64]
    correct: int
    unknown: int
    f_measures: tuple[float, ...]

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self.f_measures)


def tally(image: Confusion) -> Tally:
    """Return the counts of one image."""
    areas = np.zeros((2, len(BUCKETS), 3, image.classes + 1), np.int64)
    bucket_of_id = _bucket_of_id(image)
    for bucket in range(len(BUCKETS)):
        rows = _rows_of_bucket(image, bucket_of_id, bucket)
        if not rows.any():
            continue
        ids, pixels = image.true_ids[rows], image.pixels[rows]
        # Summed over the boundary bit of the other mask.
        true, predicted = pixels.sum(axis=3), pixels.sum(axis=2)
        plain = pixels.sum(axis=(2, 3))
        edges = _Pixels(pixels[..., 1, 1], predicted[..., 1], true[..., 1])
        _set_areas(areas[PLAIN, bucket], image, ids, _Pixels(plain, plain, plain))
        _set_areas(areas[BOUNDARY, bucket], image, ids, edges)
    matrix = image.matrix
    unknown = matrix[:, image.predicted_ids > image.classes].sum()
    correct = is_label_correct(areas[PLAIN, 0, PREDICTED], areas[PLAIN, 0, TRUE])
    return Tally(areas, int(correct), int(unknown), (f_measure(image),))


def _bucket_of_id(image: Confusion) -> NDArray[np.intp]:
    """Return the size bucket of each true id: (k,) intp, indices into BUCKETS, 0 for background."""
    areas = image.pixels.sum(axis=(1, 2, 3))
    return np.where(image.true_ids == OTHER, 0, 1 + size_buckets(areas, areas.sum()))


def _rows_of_bucket(image: Confusion, bucket_of_id: NDArray[np.intp], bucket: int) -> NDArray[np.bool_]:
    """Return which true ids have pixels that count for a size bucket, (k,); all of them for bucket 0."""
    if bucket == 0:
        return np.ones(len(bucket_of_id), np.bool_)
    rows: NDArray[np.bool_] = bucket_of_id == bucket
    # Background counts only in the buckets in which the image has a class.
    return rows | (image.true_ids == OTHER) if rows.any() else rows


class _Pixels(NamedTuple):
    """Numbers of pixels that count in both masks, in the prediction and in the truth, each (k, m)."""

    both: NDArray[np.int64]
    predicted: NDArray[np.int64]
    true: NDArray[np.int64]


def _set_areas(areas: NDArray[np.int64], image: Confusion, ids: NDArray[np.intp], pixels: _Pixels) -> None:
    """Write the numbers of pixels by class into `areas`, without those predicted as ids above the classes.

    Args:
        areas: (3, C + 1), changed in place.
        image: The image that the pixels are of.
        ids: (k,), the true id of each row of `pixels`.
        pixels: Three tables, (k, m), by true id and predicted id.
    """
    known = image.predicted_ids <= image.classes
    same = ids[:, None] == image.predicted_ids
    areas[INTERSECTION, ids] = (pixels.both * same).sum(axis=1)
    areas[PREDICTED, image.predicted_ids[known]] = pixels.predicted.sum(axis=0)[known]
    areas[TRUE, ids] = pixels.true.sum(axis=1)


def is_label_correct(predicted: NDArray[np.int64], true: NDArray[np.int64]) -> bool:
    """Return whether the label that is predicted for an image is a class of its truth.

    Source: the official toolbox. The label is the class, except background, with the largest predicted area;
    the lowest id among equals. An image without a predicted class is wrong.

    Args:
        predicted: Predicted area of each class in pixels, (C + 1,), background first.
        true: True area of each class in pixels, (C + 1,), background first.
    """
    label = 1 + int(np.argmax(predicted[1:]))
    return bool(predicted[label] > 0 and true[label] > 0)


def f_measure(image: Confusion) -> float:
    """Return the F-measure of foreground against background in one image, 0 to 1.

    Source: the official toolbox, F = (1 + β²) · P · R / (β² · P + R + ε) with β² = 0.3, where the precision P
    and the recall R have ε in their denominators, too. Ids above the classes count as foreground.
    """
    matrix = image.matrix
    true, predicted = image.true_ids != OTHER, image.predicted_ids != OTHER
    both = int(matrix[np.ix_(true, predicted)].sum())
    recall = both / (int(matrix[true].sum()) + F_EPSILON)
    precision = both / (int(matrix[:, predicted].sum()) + F_EPSILON)
    return (1 + F_BETA) * precision * recall / (F_BETA * precision + recall + F_EPSILON)


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of one or more tallies, all with the same number of classes."""
    tallies = iter(tallies)
    first = next(tallies)
    areas, correct, unknown = first.areas.copy(), first.correct, first.unknown
    f_measures = list(first.f_measures)
    for added in tallies:
        areas += added.areas
        correct += added.correct
        unknown += added.unknown
        f_measures += added.f_measures
    return Tally(areas, correct, unknown, tuple(f_measures))


def ious(areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the intersection over union (IoU) of each class, 0 to 1.

    Source: the official toolbox, IoU = TP / (T + P − TP + ε) with the intersection TP, the true area T, the
    predicted area P and ε = 1e-10. A class that is in neither mask has the IoU 0.

    Args:
        areas: Numbers of pixels, (3, C + 1): intersection, predicted, true.

    Returns:
        (C + 1,) float64, background first.
    """
    both = areas[INTERSECTION]
    result: NDArray[np.float64] = both / (areas[PREDICTED] + areas[TRUE] - both + IOU_EPSILON)
    return result


def compute_metrics(sums: Tally) -> Metrics:
    """Return the metrics of the benchmark.

    Source: the official toolbox. mIoU and mBIoU are means over all C + 1 classes, background included; those
    of a size bucket are means over the classes with true pixels in it. Acc and FMeasure are means over all
    images.
    """
    plain, edges = sums.areas[PLAIN], sums.areas[BOUNDARY]
    return Metrics(
        Acc=100 * sums.correct / sums.images,
        mIoU=100 * float(ious(plain[0]).mean()),
        mBIoU=100 * float(ious(edges[0]).mean()),
        S=_mean_iou(plain[1]),
        MS=_mean_iou(plain[2]),
        ML=_mean_iou(plain[3]),
        L=_mean_iou(plain[4]),
        BS=_mean_iou(edges[1]),
        BMS=_mean_iou(edges[2]),
        BML=_mean_iou(edges[3]),
        BL=_mean_iou(edges[4]),
        IoUs=(100 * ious(plain[0])).tolist(),
        # Summed without rounding, so that the order of the images makes no difference.
        FMeasure=100 * math.fsum(sums.f_measures) / sums.images,
    )


def _mean_iou(areas: NDArray[np.int64]) -> float | None:
    """Return the mean IoU in percent of the classes, background included, that have true pixels.

    Args:
        areas: Numbers of pixels in a size bucket, (3, C + 1).

    Returns:
        None if there is no such class.
    """
    present = areas[TRUE] > 0
    return 100 * float(ious(areas)[present].mean()) if present.any() else None
