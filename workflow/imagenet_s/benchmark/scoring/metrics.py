"""The figures of the benchmark, from pairs of masks: a table of pixels each, sums of those, and percentages.

Ids are arrays (height, width) of unsigned integers: 0 is other, 1..C the classes of the subset, 1000 in the
truth is ignore. Whatever can be summed is an integer, so no figure depends on the order of the images or on
how they are spread over processes. Source of all formulas and constants: the official toolbox.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imagenet_s.benchmark.scoring.boundary import boundary
from imagenet_s.masks.codec import ids_in
from imagenet_s.spec.classes import IGNORE, OTHER

IOU_EPSILON = 1e-10  # a class without any pixel scores 0
F_EPSILON = 1e-20  # likewise an image without foreground
F_BETA = 0.3  # the official toolbox has β² = 0.3

# The axes of Tally.areas.
PLAIN, BOUNDARY = range(2)
TIERS = ("", "S", "MS", "ML", "L")  # all pixels; those of a bucket of sizes
INTERSECTION, PREDICTED, TRUE = range(3)

# An area of up to 1/20, 1/4, 1/2 of the pixels that count belongs to the first three buckets. The official
# toolbox compares ceil(100 · area / pixels) with 5, 25 and 50: the same, for these are whole numbers.
# (It computes that in 32 bits, which differs from whole numbers only where an image has 1.3 million pixels or
# more, and the area is within a few pixels of the bound.)
SHARES = (20, 4, 2)


@dataclass(frozen=True)
class Confusion:
    """How many pixels of one image have which true and which predicted id. Ignored ones are not in it.

    `true_ids`, (k,), are those of 0..classes that are there, ascending, and `predicted_ids`, (m,), likewise,
    where classes + 1 stands for every id above. `pixels` is (k, m, 2, 2) int64: its last axes say whether the
    pixel is boundary in the truth, and in the prediction.
    """

    classes: int
    true_ids: np.ndarray
    predicted_ids: np.ndarray
    pixels: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """The pixels whether boundary or not, (k, m) int64."""
        return self.pixels.sum(axis=(2, 3))


def confusion(truth: np.ndarray, prediction: np.ndarray, classes: int) -> Confusion:
    """Compares one prediction with its truth, ids of the same shape.

    Raises ValueError for different shapes, and for a truth with ids above `classes` that are not ignore.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"the truth has {truth.shape} pixels, the prediction {prediction.shape}")
    true_ids, predicted_ids = ids_in(truth), ids_in(prediction)
    if ((true_ids > classes) & (true_ids != IGNORE)).any():
        raise ValueError(f"the truth has ids above {classes} other than {IGNORE}")
    known = predicted_ids[predicted_ids <= classes].astype(np.intp)
    columns = known if len(known) == len(predicted_ids) else np.append(known, classes + 1)
    # Each pixel's place in the table, flat: a row for each true id, ignore among them, a column for each
    # predicted id, and four places for the two bits.
    row = np.zeros(int(true_ids[-1]) + 1, np.intp)
    row[true_ids] = np.arange(len(true_ids)) * len(columns) * 4
    column = np.full(int(predicted_ids[-1]) + 1, len(known) * 4, np.intp)
    column[known] = np.arange(len(known)) * 4
    places = row[truth] + column[prediction]
    # Boundaries are those of the whole maps: a class that ends at ignored pixels ends there.
    places += 2 * boundary(truth).view(np.uint8) + boundary(prediction).view(np.uint8)
    shape = (len(true_ids), len(columns), 2, 2)
    pixels = np.bincount(places.ravel(), minlength=math.prod(shape)).reshape(shape)
    counting = true_ids != IGNORE
    pixels = pixels[counting]
    there = pixels.any(axis=(0, 2, 3))  # an id may be predicted only where the truth is ignore
    return Confusion(classes, true_ids[counting].astype(np.intp), columns[there], pixels[:, there])


@dataclass(frozen=True)
class Tally:
    """Sums over images.

    `areas`, (2, 5, 3, classes + 1) int64, are pixels by class, background first: plain or boundary; of all
    pixels or of those of a bucket; in both masks, in the prediction, in the truth. `right` counts the images
    whose label is right, `unknown` the pixels predicted above `classes`. `f_measures`, 0 to 1, has one value
    an image, in the order of the images.
    """

    areas: np.ndarray
    right: int
    unknown: int
    f_measures: tuple[float, ...]

    @property
    def images(self) -> int:
        return len(self.f_measures)


def tally(table: Confusion) -> Tally:
    """What one image adds."""
    areas = np.zeros((2, len(TIERS), 3, table.classes + 1), np.int64)
    tiers = _tiers(table)
    for tier in range(len(TIERS)):
        rows = _rows(table, tiers, tier)
        if not rows.any():
            continue
        ids, pixels = table.true_ids[rows], table.pixels[rows]
        true, predicted = pixels.sum(axis=3), pixels.sum(axis=2)  # the bit that is left is of this mask
        plain = pixels.sum(axis=(2, 3))
        edges = _Pixels(pixels[..., 1, 1], predicted[..., 1], true[..., 1])
        _put(areas[PLAIN, tier], table, ids, _Pixels(plain, plain, plain))
        _put(areas[BOUNDARY, tier], table, ids, edges)
    matrix = table.matrix
    unknown = matrix[:, table.predicted_ids > table.classes].sum()
    right = label_is_right(areas[PLAIN, 0, PREDICTED], areas[PLAIN, 0, TRUE])
    return Tally(areas, int(right), int(unknown), (f_measure(table),))


def _tiers(table: Confusion) -> np.ndarray:
    """The bucket of each true id, (k,), 1 to 4 as in TIERS; 0 for background."""
    area = table.pixels.sum(axis=(1, 2, 3))
    tiers = 1 + sum((area * share > area.sum()).astype(np.intp) for share in SHARES)
    return np.where(table.true_ids == OTHER, 0, tiers)


def _rows(table: Confusion, tiers: np.ndarray, tier: int) -> np.ndarray:
    """Which true ids' pixels count for a bucket, (k,) bool; for tier 0 all."""
    if tier == 0:
        return np.ones(len(tiers), bool)
    rows = tiers == tier
    # Background counts in the buckets that the image has a class in, and in no other.
    return rows | (table.true_ids == OTHER) if rows.any() else rows


class _Pixels(NamedTuple):
    """Pixels that count in both masks, in the prediction, in the truth: (k, m), by true and predicted id."""

    both: np.ndarray
    predicted: np.ndarray
    true: np.ndarray


def _put(areas: np.ndarray, table: Confusion, ids: np.ndarray, pixels: _Pixels) -> None:
    """Write the pixels of the true `ids`, (k,), into areas, (3, classes + 1).

    Predicted ids above the classes are left out.
    """
    known = table.predicted_ids <= table.classes
    same = ids[:, None] == table.predicted_ids
    areas[INTERSECTION, ids] = (pixels.both * same).sum(axis=1)
    areas[PREDICTED, table.predicted_ids[known]] = pixels.predicted.sum(axis=0)[known]
    areas[TRUE, ids] = pixels.true.sum(axis=1)


def label_is_right(predicted: np.ndarray, true: np.ndarray) -> bool:
    """Whether the image's label is a class of its truth; areas by class, (classes + 1,), background first.

    The label is the class, not background, that takes most of the prediction; of several, the first. An image
    without any predicted class is wrong.
    """
    label = 1 + int(np.argmax(predicted[1:]))
    return bool(predicted[label] > 0 and true[label] > 0)


def f_measure(table: Confusion) -> float:
    """Of foreground against background in one image, 0 to 1. Ids above the classes are foreground, too."""
    matrix = table.matrix
    true, predicted = table.true_ids != OTHER, table.predicted_ids != OTHER
    both = int(matrix[np.ix_(true, predicted)].sum())
    recall = both / (int(matrix[true].sum()) + F_EPSILON)
    precision = both / (int(matrix[:, predicted].sum()) + F_EPSILON)
    return (1 + F_BETA) * precision * recall / (F_BETA * precision + recall + F_EPSILON)


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of at least one tally, all of the same number of classes."""
    tallies = iter(tallies)
    first = next(tallies)
    areas, right, unknown = first.areas.copy(), first.right, first.unknown
    f_measures = list(first.f_measures)
    for one in tallies:
        areas += one.areas
        right += one.right
        unknown += one.unknown
        f_measures += one.f_measures
    return Tally(areas, right, unknown, tuple(f_measures))


def ious(areas: np.ndarray) -> np.ndarray:
    """Intersection over union by class, 0 to 1, (classes + 1,) float64, of areas, (3, classes + 1)."""
    both = areas[INTERSECTION]
    return both / (areas[PREDICTED] + areas[TRUE] - both + IOU_EPSILON)


def compute_metrics(sums: Tally) -> dict[str, float | list[float] | None]:
    """The benchmark's figures in percent, under the official toolbox's names and in its order.

    None is a bucket without a class, where the official toolbox has NaN, which JSON does not know. `IoUs` has
    background first.
    """
    plain, edges = sums.areas[PLAIN], sums.areas[BOUNDARY]
    return {
        "Acc": 100 * sums.right / sums.images,
        "mIoU": 100 * float(ious(plain[0]).mean()),
        "mBIoU": 100 * float(ious(edges[0]).mean()),
        **{name: _bucket(plain[tier]) for tier, name in enumerate(TIERS) if tier},
        **{f"B{name}": _bucket(edges[tier]) for tier, name in enumerate(TIERS) if tier},
        "IoUs": (100 * ious(plain[0])).tolist(),
        # Summed without rounding, so that the order of the images does not show.
        "FMeasure": 100 * math.fsum(sums.f_measures) / sums.images,
    }


def _bucket(areas: np.ndarray) -> float | None:
    """The mean over the classes, background included, that have true pixels in a bucket, in percent."""
    there = areas[TRUE] > 0
    return 100 * float(ious(areas)[there].mean()) if there.any() else None
